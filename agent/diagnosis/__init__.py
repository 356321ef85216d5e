"""Rules that diagnose a failed check, job or publish, and repairs where a rule is certain."""
