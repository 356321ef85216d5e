"""`datamorph status`: runs as the ledger has them."""

from __future__ import annotations

import argparse
import importlib.util
import json
from typing import TYPE_CHECKING, Any

from agent.settings import Settings
from bootstrap import open_ledger
from cli.answers import opened_view, print_json
from cli.choices import record_of

if TYPE_CHECKING:
    from tools.records import RunRecord


def status_command(options: argparse.Namespace, settings: Settings) -> int:
    """`datamorph status`: one run or the newest runs; nothing is started."""
    if options.run_id:
        record = record_of(settings, options.run_id)
        answer: Any = {**_summary(record), "response": json.loads(record.response) if record.response else None}
    else:
        with open_ledger(settings) as ledger:
            answer = [_summary(record) for record in ledger.runs()]
    # JSON too where the terminal view is not installed.
    if options.json or importlib.util.find_spec("rich") is None:
        print_json(answer)
    else:
        with opened_view(options) as view:
            view.status(answer)
    return 0


def _summary(record: RunRecord) -> dict[str, Any]:
    fields = ("run_id", "generation", "status", "model", "engine", "accepted_at")
    return {name: getattr(record, name) for name in fields}
