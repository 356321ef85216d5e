"""The outside world, behind the Protocols of `ports.py`."""
