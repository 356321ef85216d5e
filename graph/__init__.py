"""The LangGraph workflow and the service that doors call."""
