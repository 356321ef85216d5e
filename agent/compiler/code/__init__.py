"""The DataFrame writer: from a plan to the Python code of a transform."""
