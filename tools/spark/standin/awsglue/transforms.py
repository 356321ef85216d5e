"""`awsglue.transforms`: none of Glue's transforms stands here; a script uses DataFrames."""

from ._absent import absent

__getattr__ = absent("awsglue.transforms")
