"""Unions as written in the details of a transformation."""

from __future__ import annotations

from agent.compiler.problems import refuse
from agent.compiler.spec.entry_details import Details, names_of
from agent.elements import UnionEntry

KEYS = ("tables", "alias", "columns", "all")


DEFAULT_ALIAS = "united"


def read_union(details: Details) -> UnionEntry:
    """The union in these details."""
    alias = details.get("alias", DEFAULT_ALIAS)
    if not isinstance(alias, str) or not alias:
        refuse(f"is the name of all the rows together, not {alias!r}", ".alias")
    keeps_all = details.get("all")
    if not isinstance(keeps_all, bool):
        refuse("say true to keep every row (UNION ALL), or false to keep equal rows once (UNION)", ".all")
    tables = names_of(details, "tables")
    if len(tables) < 2:
        refuse("is a list of at least two listed sources", ".tables")
    return UnionEntry(tables, alias, names_of(details, "columns"), keeps_all)
