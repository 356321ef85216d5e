"""All that a command of the terminal imports, for the process that others are forked from."""

# ruff: noqa: F401 - that they are loaded is all

from __future__ import annotations

import os

os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"

import cli.main
import cli.view
import runs.actions
import runs.service
import tests.cli.kill_at
import tools.local_toolbox
import tools.spark.dry_run
import tools.spark.engine
