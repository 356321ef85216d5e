"""Spark on this machine: the embedded engine, the dry run, and the stand-in for awsglue."""
