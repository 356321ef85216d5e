"""The closed table of functions, by topic: what each means, and how each dialect spells it."""
