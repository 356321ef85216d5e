"""Models that write transforms, behind the port `Model`."""
