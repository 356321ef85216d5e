"""Python code of a transform, written from a plan."""
