"""Narration: what the words of a specification say beyond its structured fields."""
