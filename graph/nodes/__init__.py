"""The nodes: one verb a file. Each takes its ports by keyword and returns only what changed."""
