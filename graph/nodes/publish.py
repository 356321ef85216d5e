"""publish: audit staging and move its rows into the target, in one transaction."""

from __future__ import annotations

from itertools import product
from typing import get_args

from agent.errors import PublishError
from agent.names import LaunchKey, staging_prefix, staging_table
from agent.redaction import clip, redact
from agent.script import target_columns
from graph.inputs import Inputs
from graph.ownership import demand_current, demand_newest
from graph.routes import MAX_ATTEMPTS, MAX_LAUNCHES
from graph.state import State, launch_prefix
from tools.ports import ArtifactStore, Clock, Database, Ledger
from tools.records import Published, PublishOrder, Withdrawal

_BACK_OFF_SECONDS = (1.0, 2.0, 4.0)
"""Pauses between the tries of a publish that failed transiently: connection, lock or disk."""
_WITHDRAWN = get_args(Withdrawal)
"""Kinds of errors after the run was ended: this run, as the ledger shows, or one of the same run_id elsewhere."""
_OTHER_LAUNCH = "the target has the rows of another attempt of this run, which a worker published that was thought dead"


def publish(state: State, *, artifacts: ArtifactStore, database: Database, clock: Clock, ledger: Ledger) -> State:
    """Publish once per run and generation; a refusal by PostgreSQL is a value.

    Fencing: raises ConflictError when the run was cancelled or restarted, or went on to another launch, after this
    process lost its lease. The ledger shows that before the transaction, the withdrawal in PostgreSQL within it.
    """
    demand_newest(state, ledger)
    moved = move_staged(state, artifacts=artifacts, database=database, clock=clock)
    failure = moved["publish_failure"]
    if failure is None or failure["kind"] not in _WITHDRAWN:
        return moved
    demand_current(state, ledger)
    message = f"{failure['message']}: by another installation that shares the database; choose another run_id"
    return _failed(PublishError("run_id_taken", message))


def move_staged(state: State, *, artifacts: ArtifactStore, database: Database, clock: Clock) -> State:
    """Publish; a transient failure (connection, lock, disk) is tried again a few times."""
    given = Inputs.load(state, artifacts)
    order = publish_order(state, given)
    if order is None:
        return _failed(PublishError("row_count", "the job wrote no report of its rows"))
    for pause in (*_BACK_OFF_SECONDS, None):
        try:
            return _done(state, database.publish(order, given.snapshot))
        except PublishError as error:
            if error.kind != "transient" or pause is None:
                return _failed(error)
            clock.sleep(pause)
    raise AssertionError("unreachable: the last try returns")


def _failed(error: PublishError) -> State:
    return State(publish_failure={"kind": error.kind, "message": clip(redact(str(error)))})


def _done(state: State, published: Published) -> State:
    of = f": {', '.join(published.columns)}" if published.columns else ""
    created = [f"the target did not exist and was created{of}"] if published.created else []
    other = [_OTHER_LAUNCH] if published.of_another_launch else []
    notes = state["outcome"].get("notes", []) if state["outcome"] else []
    warnings = [*state["warnings"], *created, *other, *notes]
    return State(publish_failure=None, rows_written=published.rows, status="success", warnings=warnings)


def publish_order(state: State, given: Inputs) -> PublishOrder | None:
    """The order to publish the job's rows; None when the job made no report."""
    outcome = state["outcome"]
    if outcome is None or outcome["rows"] is None:
        return None
    request, snapshot = given.request, given.snapshot
    types = {name: sql_type if spark else "" for name, spark, sql_type, _ in target_columns(request, snapshot)}
    run = (state["run_id"], state["generation"])
    launches = product(range(1, MAX_ATTEMPTS + 1), range(1, MAX_LAUNCHES + 1))
    return PublishOrder(
        run_id=state["run_id"],
        generation=state["generation"],
        staging_table=staging_table(launch_prefix(state), outcome["job_run_id"]),
        columns=tuple(outcome["columns"]),
        column_types=tuple(types.get(name, "") for name in outcome["columns"]),
        write_mode=request.specs.target_table.write_mode or "overwrite",
        asked=request.specs.target_table.write_mode is not None,
        keys=request.specs.target_table.keys,
        expected_rows=outcome["rows"],
        allow_empty=request.options.allow_empty,
        target=snapshot.target.name,
        own_prefixes=tuple(staging_prefix(LaunchKey(*run, *each), state["accepted_at"]) for each in launches),
    )
