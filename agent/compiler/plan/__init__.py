"""The specification compiler's inside: from a request to a fully resolved plan, and the plan's text."""
