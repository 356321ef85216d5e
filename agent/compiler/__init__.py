"""The specification compiler: from a request to a resolved plan, and from the plan to DataFrame code."""
