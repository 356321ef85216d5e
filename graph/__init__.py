"""The LangGraph workflow: state, nodes, routes, checkpoints, and the response that a state makes."""
