"""LangGraph Studio's door."""
