"""`awsglue.transforms`: empty, because scripts use DataFrames."""

from ._absent import absent

__getattr__ = absent("awsglue.transforms")
