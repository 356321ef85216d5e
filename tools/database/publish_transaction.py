"""Publish: audit the staging table and move its rows into the target, in one transaction and once for good.

Staging is locked first and refused unless it is a plain table (`staging_table.py`), before a row of it is read.
The target is locked against other writers unless rows are only added, and readers go on; DELETE, INSERT and ON CONFLICT
keep grants, views and indexes, which a rename or a new table would lose. The publish row is written in the same
transaction: it is there if and only if the rows are, so that a publish is never done twice and a lost answer to COMMIT
can be found out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg

from agent.errors import InvalidRequestError, PublishError, UnavailableError, UnsupportedTypeError
from agent.snapshot import Column, Snapshot, Target
from agent.sql_identifiers import quote_name
from agent.target_checks import change, obstacles
from agent.types import canonical, sql_type
from tools.database import catalog, staging_schema, staging_table, target_query, write_modes
from tools.database.catalog import Relation
from tools.database.connection import Connection, Connector, UnreachableError
from tools.database.publish_errors import misfits, publish_error
from tools.database.snapshot_query import place_for
from tools.database.staging_schema import Entry
from tools.database.staging_table import Staged, own_names
from tools.database.write_modes import Supplied, Transfer
from tools.records import Published, PublishOrder


@dataclass(frozen=True)
class Publishing:
    """One order to publish, into the target that the snapshot shows."""

    connector: Connector
    order: PublishOrder
    snapshot: Snapshot
    job_role: str | None = None
    """The role that staging must belong to, where it is another than the publisher's."""

    def publish(self) -> Published:
        """Move staged rows into the target. Raises PublishError, or UnavailableError when a right is missing."""
        lost = False
        try:
            with self.connector.session() as connection:
                try:
                    staging_schema.prepare(connection)
                    with connection.transaction():
                        return self._move(connection)
                finally:
                    lost = connection.closed
        except UnreachableError as error:
            raise PublishError("transient", str(error)) from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise self.connector.denied(error) from error
        except psycopg.Error as error:
            if lost:
                return self._found_out(error)
            raise self._explained(error) from error

    def _move(self, connection: Connection) -> Published:
        self._queue(connection)
        before = self._entered(connection)
        if before is not None:
            return self._on_record(connection, before, already=True)
        # Else a policy could hide old rows from DELETE, and they would stay among the new ones.
        connection.execute("SET LOCAL row_security = off")
        order = self.order
        staged = staging_table.lock(connection, order.staging_table, self.job_role)
        self._check_columns(staged)
        existing = catalog.resolve(connection, order.target)
        relation = existing or self._created(connection, staged)
        target = self._locked(connection, relation, created=existing is None)
        write_modes.move_rows(self._audited(connection, staged, relation, target))
        # No lock on a table prevents the renaming of its schema: rows written by name may have gone elsewhere.
        self._demand_in_place(connection, relation, "while its rows were written")
        made = Entry(relation.sql, order.expected_rows, order.staging_table, order.write_mode, relation.oid)
        if not staging_schema.record(connection, order.key, made):
            # Another installation, whose target has another queue, or a cancel or restart came first.
            raise self._taken(staging_schema.entry(connection, order.key) or made)
        described = () if existing else _described(target.columns)
        return Published(order.expected_rows, created=existing is None, already=False, columns=described)

    def _queue(self, connection: Connection) -> None:
        """Wait for other publishes into this target; their commits are visible from here on."""
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", (self.order.target,))

    def _entered(self, connection: Connection) -> Entry | None:
        """Return this order's entry in the ledger. Raises PublishError for a withdrawal, or an entry of others.

        Two installations that share a database may use one run_id; a staging table is named after its own job run.
        """
        order = self.order
        found = staging_schema.entry(connection, order.key)
        if found is None:
            self._append_once(connection)
            return None
        relation = catalog.resolve(connection, order.target)
        ours = found.staging_table == order.staging_table or self._of_another_launch(found)
        if not ours or (relation is not None and relation.sql != found.target):
            raise self._taken(found)
        return found

    def _append_once(self, connection: Connection) -> None:
        """Raise PublishError where a restart of the run would append the rows that it appended before."""
        order = self.order
        before = staging_schema.published_earlier(connection, order.key)
        if order.write_mode == "append" and before is not None:
            message = f"generation {before} of run {order.run_id} was published; its rows would be appended again"
            raise PublishError("run_id_taken", f"{message}: choose another run_id")

    def _of_another_launch(self, entry: Entry) -> bool:
        """Tell whether an entry is of this run and generation but of another launch: a worker that slept made it."""
        table = entry.staging_table or self.order.staging_table
        return table != self.order.staging_table and table.startswith(self.order.own_prefixes)

    def _taken(self, entry: Entry) -> PublishError:
        run = self.order.run_id
        if entry.withdrawn:
            told = f"run {run}, generation {self.order.generation}, was {entry.target} before it could be published"
            return PublishError(entry.target, f"{told}; the target is as it was")
        message = f"run_id {run} was published into {entry.target} by another installation; choose another run_id"
        return PublishError("run_id_taken", message)

    def _on_record(self, connection: Connection, entry: Entry, *, already: bool) -> Published:
        """Answer as the publish that is on record did, or would have."""
        created = self.snapshot.origin == "database" and not self.snapshot.target.exists
        relation = catalog.resolve(connection, self.order.target) if created else None
        described = _described(catalog.columns(connection, relation.oid)) if relation else ()
        another = self._of_another_launch(entry)
        return Published(entry.rows, created, already or another, described, of_another_launch=another)

    def _created(self, connection: Connection, staged: Staged) -> Relation:
        """Create the target."""
        order = self.order
        if self.snapshot.target.exists and self.snapshot.origin == "database":
            raise PublishError("target_changed", f"{order.target} is gone since the run began; start the run again")
        try:
            relation = place_for(connection, order.target)
            declared = zip(order.columns, order.column_types, strict=True)
            types = [sql_type(kind or staged.types.get(name, "")) for name, kind in declared]
        except (InvalidRequestError, UnsupportedTypeError) as error:
            raise PublishError("columns", f"{order.target} cannot be created: {error}") from error
        columns = ", ".join(f"{quote_name(name)} {kind}" for name, kind in zip(order.columns, types, strict=True))
        connection.execute(f"CREATE TABLE {relation} ({columns}{_primary_key(order)})")
        made = catalog.resolve(connection, order.target)
        if made is None:
            raise PublishError("target_changed", f"{relation} was created but {order.target!r} does not name it")
        return made

    def _locked(self, connection: Connection, relation: Relation, *, created: bool) -> Target:
        """Lock the target and describe it. Raises PublishError when it changed, or came to forbid the publish.

        The lock keeps off whoever would alter the target and, unless rows are only added, other writers.
        """
        order = self.order
        # INSERT itself takes ROW EXCLUSIVE, and the right to insert is enough for it.
        mode = "ROW EXCLUSIVE" if order.write_mode == "append" else "SHARE ROW EXCLUSIVE"
        connection.execute(f"LOCK TABLE {relation.only} IN {mode} MODE")
        self._demand_in_place(connection, relation, "while publish waited for it")
        target = target_query.describe(connection, order.target, relation, look_for_rows=not order.asked)
        known = self.snapshot.origin == "database" and not created
        if known and (changed := change(self.snapshot.target, target)):
            raise PublishError("target_changed", changed)
        for problem in obstacles(target, order.write_mode if order.asked else None):
            raise PublishError("target_changed", f"{problem.path}: {problem.message} (this came since the run began)")
        return target

    def _demand_in_place(self, connection: Connection, relation: Relation, when: str) -> None:
        """Raise PublishError unless the target's name still leads to the table."""
        now = catalog.resolve(connection, self.order.target)
        if now is None or (now.oid, now.sql) != (relation.oid, relation.sql):
            raise PublishError("target_changed", f"{self.order.target} was replaced {when}")

    def _audited(self, connection: Connection, staged: Staged, relation: Relation, target: Target) -> Transfer:
        """Check the staged rows. Raises PublishError unless they are those that were promised."""
        with own_names(connection):
            self._check_rows(connection, staged)
            supplied = _supplied(self.order, target.columns, catalog.qualified_types(connection, relation.oid))
            transfer = Transfer(connection, self.order, staged, relation, supplied, bool(target.triggers))
            write_modes.audit_keys(transfer)
            write_modes.audit_precision(transfer)
        return transfer

    def _check_columns(self, staged: Staged) -> None:
        """Raise PublishError unless staging has the order's columns, with the keys among them."""
        order = self.order
        if differing := set(staged.types) ^ set(order.columns):
            names = ", ".join(repr(name) for name in sorted(differing))
            raise PublishError("columns", f"{staged.sql} and the job's columns differ in {names}")
        if lacking := [key for key in order.keys if key not in order.columns]:
            message = f"the result has no column {lacking[0]!r}, which is a key of {order.target}"
            raise PublishError("columns", message)

    def _check_rows(self, connection: Connection, staged: Staged) -> None:
        """Raise PublishError unless staging has the reported number of rows, and rows at all where they are needed."""
        order = self.order
        row = connection.execute(f"SELECT count(*) FROM {staged.sql}").fetchone()
        count = row[0] if row else 0
        if count != order.expected_rows:
            message = f"{staged.sql} holds {count} rows, and the job says it wrote {order.expected_rows}"
            raise PublishError("row_count", message)
        if count == 0 and order.write_mode == "overwrite" and not order.allow_empty:
            message = f"the result is empty; {order.target} keeps its rows unless options.allow_empty is true"
            raise PublishError("empty_result", message)

    def _found_out(self, error: psycopg.Error) -> Published:
        """Find out about a COMMIT whose answer was lost. Raises PublishError when it failed, or cannot be seen."""
        try:
            with self.connector.session() as connection, connection.transaction():
                # The lost session holds this lock until its transaction is over, one way or the other.
                self._queue(connection)
                if (found := self._entered(connection)) is not None:
                    return self._on_record(connection, found, already=False)
        except (UnavailableError, psycopg.Error):
            told = "the connection was lost, and whether the rows are in the target cannot be seen: publish again"
            raise PublishError("transient", told) from error
        raise self._explained(error) from error

    def _explained(self, error: psycopg.Error) -> PublishError:
        """Translate PostgreSQL's refusal; of values that do not fit, name the columns."""
        refusal, before = publish_error(error), self.snapshot.target
        if not isinstance(error, psycopg.DataError) or not before.exists or before.oid is None:
            return refusal
        wanted = [column for column in before.columns if column.name in self.order.columns]
        try:
            with self.connector.session() as connection, connection.transaction():
                staged = staging_table.lock(connection, self.order.staging_table, self.job_role)
                with own_names(connection):
                    types = catalog.qualified_types(connection, before.oid)
                    supplied = [Supplied(column, types[column.name]) for column in wanted]
                    found = misfits(connection, staged.sql, supplied)
        except (UnavailableError, PublishError, psycopg.Error, KeyError):
            return refusal
        return PublishError(refusal.kind, "; ".join([str(refusal), *found]))


def _described(columns: Sequence[Column]) -> tuple[str, ...]:
    return tuple(f"{column.name} {column.type}" for column in columns)


def _primary_key(order: PublishOrder) -> str:
    """The key by which later merges find a row."""
    return f", PRIMARY KEY ({', '.join(map(quote_name, order.keys))})" if order.write_mode == "merge" else ""


def _supplied(order: PublishOrder, columns: Sequence[Column], types: Mapping[str, str]) -> tuple[Supplied, ...]:
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
    return tuple(Supplied(existing[name], types[name]) for name in order.columns)
