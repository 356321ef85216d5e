"""The terminal door: `datamorph`, one module for each group of commands."""
