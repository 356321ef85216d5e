"""The embedded engine: scripts, Spark and PostgreSQL on this machine."""
