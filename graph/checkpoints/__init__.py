"""Stores of checkpoints: SQLite and DynamoDB, fenced and data only."""
