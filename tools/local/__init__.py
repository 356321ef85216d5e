"""Stores, PostgreSQL and the toolbox of this machine."""
