"""Lookup of modules and their members on the allow-list, each under one dotted name."""

from __future__ import annotations

from agent.sanitizing.python_names import (
    BUILTINS,
    CALLS,
    EXCEPTIONS,
    MODULES,
    SPARK_MODULES,
    UNCALLED_FRAME_METHODS,
    UNCALLED_TEXT_METHODS,
    VALUES,
)
from agent.sanitizing.runtime import Runtime
from agent.sanitizing.spark_names import HIGHER_ORDER_FUNCTIONS, TYPES, WINDOW_METHODS, WINDOW_VALUES, functions

FUNCTIONS_MODULE = "pyspark.sql.functions"
TYPES_MODULE = "pyspark.sql.types"
_MODULE_NAMES = MODULES | SPARK_MODULES.keys() | {FUNCTIONS_MODULE, TYPES_MODULE}
_CANONICAL_NAMES = {
    "pyspark.sql.window.Window": "pyspark.sql.Window",
    "pyspark.sql.dataframe.DataFrame": "pyspark.sql.DataFrame",
    "pyspark.sql.column.Column": "pyspark.sql.Column",
}

SQL_READERS = frozenset({f"{FUNCTIONS_MODULE}.expr"})
"""Functions whose text Spark reads as SQL."""
SCHEMA_READERS = frozenset(f"{FUNCTIONS_MODULE}.{name}" for name in ("from_json", "from_csv"))
"""Functions whose second argument is a schema."""


def is_module(dotted: str) -> bool:
    """True for the name of a module, False for that of a member."""
    return dotted in _MODULE_NAMES


def canonical_name(dotted: str) -> str:
    """The name under which a member is listed, whatever module it was imported from."""
    return _CANONICAL_NAMES.get(dotted, dotted)


def is_listed(dotted: str, runtime: Runtime) -> bool:
    """True for a module or member that a transform may use on this runtime."""
    owner, _, name = dotted.rpartition(".")
    if owner == FUNCTIONS_MODULE:
        return name in functions(runtime.spark) | HIGHER_ORDER_FUNCTIONS - {"reduce"}
    if owner == TYPES_MODULE:
        return name in TYPES
    if owner == "pyspark.sql.Window":
        return name in WINDOW_METHODS | WINDOW_VALUES
    if owner == "pyspark.sql.DataFrame":
        return name in UNCALLED_FRAME_METHODS
    if owner == "builtins.str":
        return name in UNCALLED_TEXT_METHODS
    if owner == "builtins" and name in EXCEPTIONS | BUILTINS:
        return True
    if owner in SPARK_MODULES:
        return name in SPARK_MODULES[owner] and name != "SparkSession"
    return dotted in MODULES or dotted == "pyspark" or dotted in CALLS or dotted in VALUES


def members_of(module: str, runtime: Runtime) -> frozenset[str]:
    """The listed members of a module, which `from module import *` brings."""
    if module == FUNCTIONS_MODULE:
        return functions(runtime.spark) | HIGHER_ORDER_FUNCTIONS - {"reduce"}
    if module == TYPES_MODULE:
        return TYPES
    if module in SPARK_MODULES:
        return SPARK_MODULES[module]
    listed = [name for name in (*CALLS, *VALUES) if name.rpartition(".")[0] == module]
    return frozenset(name.rpartition(".")[2] for name in listed)
