"""Checks of an installation: this machine, AWS, the deployed function, the database's roles."""
