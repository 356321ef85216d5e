"""The reader: a specification as people and programs write it, as canonical elements."""
