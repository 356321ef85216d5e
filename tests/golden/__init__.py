"""Checkpoints as earlier versions stored them, and what later code must make of them."""
