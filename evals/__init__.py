"""Evals: recorded failures, and what diagnosis and repair make of them. Run by `datamorph eval`."""
