"""Publish: audit the staging table and move its rows into the target, in one transaction and once for good.

Staging is locked first and refused unless it is a plain table (`staging_table.py`), before a row of it is read.
The target is locked against other writers unless rows are only added, and readers go on; DELETE, INSERT and ON CONFLICT
keep grants, views and indexes, which a rename or a new table would lose. The publish row is written in the same
transaction: it is there if and only if the rows are, so that a publish is never done twice and a lost answer to COMMIT
can be found out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg

from agent.errors import InvalidRequestError, PublishError, UnavailableError, UnsupportedTypeError
from agent.snapshot import Column, ForeignKey, Snapshot, Target
from agent.sql_identifiers import quote_name
from agent.target_checks import harmless
from agent.types import canonical, sql_type
from tools.database import catalog, side_effects, staging_schema, staging_table, write_modes
from tools.database.catalog import Relation
from tools.database.connection import Connection, Connector, UnreachableError
from tools.database.publish_errors import misfits, publish_error
from tools.database.snapshot_query import place_for
from tools.database.staging_table import Staged, own_names
from tools.database.write_modes import Supplied
from tools.records import Published, PublishOrder


def publish(connector: Connector, order: PublishOrder, snapshot: Snapshot, job_role: str | None = None) -> Published:
    """Move staged rows into the target. Raises PublishError, or UnavailableError when a right is missing.

    `job_role` is the role that staging must belong to, where it is another than the publisher's.
    """
    lost = False
    try:
        with connector.session() as connection:
            try:
                staging_schema.prepare(connection)
                with connection.transaction():
                    return _move(connection, order, snapshot, job_role)
            finally:
                lost = connection.closed
    except UnreachableError as error:
        raise PublishError("transient", str(error)) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise connector.denied(error) from error
    except psycopg.Error as error:
        if lost:
            return _found_out(connector, order, snapshot, job_role, error)
        raise _explained(connector, order, snapshot.target, job_role, error) from error


def _move(connection: Connection, order: PublishOrder, snapshot: Snapshot, job_role: str | None) -> Published:
    _queue(connection, order)
    before = _entered(connection, order)
    if before is not None:
        return _on_record(connection, order, snapshot, before, already=True)
    # Without it a policy would hide old rows from DELETE, and they would stay among the new ones.
    connection.execute("SET LOCAL row_security = off")
    rows = staging_table.lock(connection, order.staging_table, job_role)
    relation = catalog.resolve(connection, order.target)
    created = relation is None
    if relation is None:
        relation = _create(connection, order, snapshot, rows)
    columns = _locked(connection, order, snapshot, relation, created=created)
    supplied = _audited(connection, order, relation, columns, rows)
    write_modes.move_rows(connection, order, relation, supplied, rows)
    # Renaming a schema waits for no lock on its tables: what was written by name may have gone elsewhere.
    _demand_in_place(connection, order, relation, "while its rows were written")
    made = staging_schema.Entry(relation.sql, order.expected_rows, order.staging_table, order.write_mode, relation.oid)
    if not staging_schema.record(connection, order.run_id, order.generation, made):
        # Another installation got there meanwhile, whose target stands in another queue; or a cancel or restart.
        raise _taken(order, staging_schema.entry(connection, order.run_id, order.generation) or made)
    described = _described(columns) if created else ()
    return Published(rows=order.expected_rows, created=created, already=False, columns=described)


def _on_record(
    connection: Connection, order: PublishOrder, snapshot: Snapshot, entry: staging_schema.Entry, *, already: bool
) -> Published:
    """What a publish that is on record told, or would have."""
    created = snapshot.origin == "database" and not snapshot.target.exists
    relation = catalog.resolve(connection, order.target) if created else None
    described = _described(catalog.columns(connection, relation.oid)) if relation else ()
    another = _of_another_launch(order, entry)
    return Published(entry.rows, created, already or another, described, of_another_launch=another)


def _described(columns: Sequence[Column]) -> tuple[str, ...]:
    return tuple(f"{column.name} {column.type}" for column in columns)


def _queue(connection: Connection, order: PublishOrder) -> None:
    """Wait for other publishes into this target; what they committed is visible from here on."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", (order.target,))


def _entered(connection: Connection, order: PublishOrder) -> staging_schema.Entry | None:
    """Return this order's entry in the ledger. Raises PublishError for a withdrawal, or another installation's entry.

    Two installations that share a database may use one run_id; a staging table is named after its own job run.
    """
    found = staging_schema.entry(connection, order.run_id, order.generation)
    if found is None:
        _append_once(connection, order)
        return None
    relation = catalog.resolve(connection, order.target)
    ours = found.staging_table == order.staging_table or _of_another_launch(order, found)
    if not ours or (relation is not None and relation.sql != found.target):
        raise _taken(order, found)
    return found


def _of_another_launch(order: PublishOrder, entry: staging_schema.Entry) -> bool:
    """Whether an entry is of this run and generation, but not of this launch: a worker that slept made it."""
    table = entry.staging_table or order.staging_table
    return table != order.staging_table and table.startswith(order.own_prefixes)


def _append_once(connection: Connection, order: PublishOrder) -> None:
    """Raise PublishError where a restart of the run would append the rows that it appended before."""
    before = staging_schema.published_earlier(connection, order.run_id, order.generation)
    if order.write_mode == "append" and before is not None:
        message = f"generation {before} of run {order.run_id} was published; its rows would be appended again"
        raise PublishError("run_id_taken", f"{message}: choose another run_id")


def _taken(order: PublishOrder, entry: staging_schema.Entry) -> PublishError:
    if entry.withdrawn:
        told = f"run {order.run_id}, generation {order.generation}, was {entry.target} before it could be published"
        return PublishError(entry.target, f"{told}; the target is as it was")
    message = f"run_id {order.run_id} was published into {entry.target} by another installation; choose another run_id"
    return PublishError("run_id_taken", message)


def _create(connection: Connection, order: PublishOrder, snapshot: Snapshot, rows: Staged) -> Relation:
    if snapshot.target.exists and snapshot.origin == "database":
        raise PublishError("target_changed", f"{order.target} is gone since the run began; start the run again")
    try:
        relation = place_for(connection, order.target)
        declared = zip(order.columns, order.column_types, strict=True)
        types = [sql_type(kind or rows.types.get(name, "")) for name, kind in declared]
    except (InvalidRequestError, UnsupportedTypeError) as error:
        raise PublishError("columns", f"{order.target} cannot be created: {error}") from error
    columns = ", ".join(f"{quote_name(name)} {kind}" for name, kind in zip(order.columns, types, strict=True))
    connection.execute(f"CREATE TABLE {relation} ({columns}{_primary_key(order)})")
    made = catalog.resolve(connection, order.target)
    if made is None:
        raise PublishError("target_changed", f"{relation} was created but {order.target!r} does not name it")
    return made


def _primary_key(order: PublishOrder) -> str:
    """The key by which later merges find a row."""
    if order.write_mode != "merge":
        return ""
    if lacking := [key for key in order.keys if key not in order.columns]:
        raise PublishError("columns", f"{order.target} cannot be created: the result has no key column {lacking[0]!r}")
    return f", PRIMARY KEY ({', '.join(map(quote_name, order.keys))})"


def _locked(
    connection: Connection, order: PublishOrder, snapshot: Snapshot, relation: Relation, *, created: bool
) -> tuple[Column, ...]:
    """Lock the target and return its columns. Raises PublishError when it is not as in the snapshot.

    It is locked against whoever would alter it, and against other writers unless rows are only added.
    """
    # This is the lock that INSERT takes, and the right to insert is enough for it.
    mode = "ROW EXCLUSIVE" if order.write_mode == "append" else "SHARE ROW EXCLUSIVE"
    connection.execute(f"LOCK TABLE {relation.only} IN {mode} MODE")
    _demand_in_place(connection, order, relation, "while publish waited for it")
    columns = catalog.columns(connection, relation.oid)
    keys = catalog.incoming_foreign_keys(connection, relation.oid)
    if snapshot.origin == "database" and not created:
        now = Target(name=order.target, relation=relation.sql, exists=True, oid=relation.oid, columns=columns)
        _compare(snapshot.target, now)
        if set(keys) != set(snapshot.target.incoming_foreign_keys):
            raise PublishError("target_changed", f"the foreign keys that point at {order.target} changed")
    if not created:
        _not_of_others(connection, order, relation)
    _demand_plain(connection, order, relation, keys)
    return columns


def _demand_in_place(connection: Connection, order: PublishOrder, relation: Relation, when: str) -> None:
    """Raise PublishError unless the target's name still leads to the table."""
    now = catalog.resolve(connection, order.target)
    if now is None or (now.oid, now.sql) != (relation.oid, relation.sql):
        raise PublishError("target_changed", f"{order.target} was replaced {when}")


def _demand_plain(connection: Connection, order: PublishOrder, relation: Relation, keys: Sequence[ForeignKey]) -> None:
    """Raise PublishError for what `prepare` refuses and somebody has done since."""
    if rules := side_effects.rules(connection, relation.oid):
        raise PublishError("target_changed", f"rule {rules[0]!r} leads what is written to {order.target} elsewhere")
    if unchecked := side_effects.unchecked(connection, relation.oid):
        raise PublishError("target_changed", f"{unchecked[0]!r} is not checked: triggers of {order.target} are off")
    for key in keys if order.write_mode == "overwrite" else ():
        if not harmless(key):
            raise PublishError("target_changed", f"foreign key {key.name!r} of {key.table} forbids replacing the rows")
    if order.write_mode != "append" and (heirs := side_effects.heirs(connection, relation.oid)):
        raise PublishError("target_changed", f"{order.target} is inherited by {', '.join(heirs)} since the run began")


def _not_of_others(connection: Connection, order: PublishOrder, relation: Relation) -> None:
    """Raise PublishError where rows of others would be replaced that nobody was asked about: they came since."""
    if (
        order.asked
        or not catalog.has_rows(connection, relation)
        or staging_schema.published_into(connection, relation.oid)
    ):
        return
    message = f"rows that this tool did not write came into {order.target} since the run began"
    raise PublishError("target_changed", f"{message}; set specs.target_table.write_mode, and start the run again")


def _compare(before: Target, now: Target) -> None:
    if not before.exists or before.relation not in ("", now.relation) or before.oid not in (None, now.oid):
        raise PublishError("target_changed", f"{now.name} is not the table that it was when the run began")
    old, new = ({(c.name, c.type, c.generated, c.identity) for c in target.columns} for target in (before, now))
    if old != new:
        names = ", ".join(sorted({repr(column[0]) for column in old ^ new}))
        raise PublishError("target_changed", f"{now.name} changed since the run began: {names}; start the run again")


def _audited(
    connection: Connection, order: PublishOrder, relation: Relation, columns: Sequence[Column], rows: Staged
) -> list[Supplied]:
    """Return the columns that staging supplies. Raises PublishError unless its rows are those that were promised."""
    with own_names(connection):
        _audit(connection, order, rows)
        supplied = _supplied(order, columns, catalog.qualified_types(connection, relation.oid))
        write_modes.audit_keys(connection, order, supplied, rows)
        write_modes.audit_precision(connection, supplied, rows)
    return supplied


def _audit(connection: Connection, order: PublishOrder, rows: Staged) -> None:
    if set(rows.types) != set(order.columns):
        difference = ", ".join(repr(name) for name in sorted(set(rows.types) ^ set(order.columns)))
        raise PublishError("columns", f"{rows.sql} and the job's columns differ in {difference}")
    row = connection.execute(f"SELECT count(*) FROM {rows.sql}").fetchone()
    count = row[0] if row else 0
    if count != order.expected_rows:
        message = f"{rows.sql} holds {count} rows, and the job says it wrote {order.expected_rows}"
        raise PublishError("row_count", message)
    if count == 0 and order.write_mode == "overwrite" and not order.allow_empty:
        message = f"the result is empty; {order.target} keeps its rows unless options.allow_empty is true"
        raise PublishError("empty_result", message)


def _supplied(order: PublishOrder, columns: Sequence[Column], types: Mapping[str, str]) -> list[Supplied]:
    existing = {column.name: column for column in columns}
    for name in order.columns:
        if name not in existing:
            raise PublishError("columns", f"{order.target} has no column {name!r}")
        column = existing[name]
        if column.generated:
            raise PublishError("columns", f"column {name!r} of {order.target} is generated and cannot be supplied")
        try:
            canonical(column.type)
        except UnsupportedTypeError:
            raise PublishError("columns", f"column {name!r} of the target is {column.type}: not supported") from None
    return [Supplied(existing[name], types[name]) for name in order.columns]


def _found_out(
    connector: Connector, order: PublishOrder, snapshot: Snapshot, job_role: str | None, error: psycopg.Error
) -> Published:
    """What became of a COMMIT whose answer was lost. Raises PublishError when nothing was done, or none can tell."""
    try:
        with connector.session() as connection, connection.transaction():
            # The lost session holds this lock until its transaction is over, one way or the other.
            _queue(connection, order)
            if (found := _entered(connection, order)) is not None:
                return _on_record(connection, order, snapshot, found, already=False)
    except (UnavailableError, psycopg.Error):
        told = "the connection was lost, and whether the rows are in the target cannot be seen: publish again"
        raise PublishError("transient", told) from error
    raise _explained(connector, order, snapshot.target, job_role, error) from error


def _explained(
    connector: Connector, order: PublishOrder, before: Target, job_role: str | None, error: psycopg.Error
) -> PublishError:
    refusal = publish_error(error)
    if not isinstance(error, psycopg.DataError) or not before.exists or before.oid is None:
        return refusal
    wanted = [column for column in before.columns if column.name in order.columns]
    try:
        with connector.session() as connection, connection.transaction():
            rows = staging_table.lock(connection, order.staging_table, job_role)
            with own_names(connection):
                types = catalog.qualified_types(connection, before.oid)
                found = misfits(connection, rows.sql, [Supplied(column, types[column.name]) for column in wanted])
    except (UnavailableError, PublishError, psycopg.Error, KeyError):
        return refusal
    return PublishError(refusal.kind, "; ".join([str(refusal), *found]))
