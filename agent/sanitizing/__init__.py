"""Sanitizing of a model's reply: extraction of the transform, and the closed allow-list that it must pass."""
