"""The life of a run around its workflow: accepted, driven, woken, stopped, told of."""
