"""The planner: from a request to a plan in which every name is resolved."""
