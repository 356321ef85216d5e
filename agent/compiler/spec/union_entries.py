"""Unions as written in the details of a transformation."""

from __future__ import annotations

from agent.compiler.problems import refuse
from agent.compiler.spec.fields import Details, Fields
from agent.elements import UnionEntry

KEYS = ("tables", "alias", "columns", "all")
DEFAULT_ALIAS = "united"


def read_union(given: Details, written: str = "") -> UnionEntry:
    """The union in these details. `written` is the entry's type: `union_all` keeps every row."""
    fields = Fields(given, "union")
    alias = fields.text("alias", "the name of all the rows together") or DEFAULT_ALIAS
    tables = fields.names("tables")
    keeps_all = _keeps_all(fields, written)
    if len(tables) < 2:
        refuse("is a list of at least two listed sources", fields.at("tables"))
    return UnionEntry(tables, alias, fields.names("columns"), keeps_all)


def _keeps_all(fields: Fields, written: str) -> bool:
    """True for UNION ALL. Refuses a union that leaves open what becomes of equal rows."""
    said: list[object] = [fields.get("all")] if "all" in fields else []
    if "distinct" in fields:
        said.append(not fields.get("distinct") if isinstance(fields.get("distinct"), bool) else fields.get("distinct"))
    mode = " ".join((fields.text("mode", "union or union all") or written).lower().replace("_", " ").split())
    if mode.endswith("all"):
        said.append(True)
    elif mode in ("union distinct", "distinct"):
        said.append(False)
    if len(set(map(repr, said))) != 1 or not isinstance(said[0], bool):
        refuse("say true to keep every row (UNION ALL), or false to keep equal rows once (UNION)", ".all")
    return said[0]
