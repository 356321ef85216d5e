"""From a model's reply to a transform that may run: extraction and the closed allow-list."""
