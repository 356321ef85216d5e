"""`datamorph run`, `resume` and `cancel`: the commands that drive or end a run."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from agent.settings import Settings
from bootstrap import open_service
from cli.answers import EXIT_CODES, opened_view, print_json
from cli.choices import record_of
from cli.event_files import read_event

if TYPE_CHECKING:
    from langgraph.runtime import RunControl

    from cli.view import View
    from graph.response import Response
    from runs.service import Service


def run_command(options: argparse.Namespace, settings: Settings) -> int:
    """`datamorph run`."""
    event = read_event(options.event)
    if isinstance(event, dict):
        options.run_id = event["run_id"]
    with open_service(settings) as service, opened_view(options) as view:
        run_id = str(event.get("run_id")) if isinstance(event, dict) else ""
        view.begin(run_id, options.event, settings)
        return _watched(options, service, view, run_id, partial(service.run, event, view.step))


def resume_command(options: argparse.Namespace, settings: Settings) -> int:
    """`datamorph resume`: with the model and engine that the run began with."""
    record = record_of(settings, options.run_id)
    settings = settings.model_copy(update={"model": record.model})
    with open_service(settings) as service, opened_view(options) as view:
        view.begin(options.run_id, "resumed", settings)
        return _watched(options, service, view, options.run_id, partial(service.resume, options.run_id, view.step))


def cancel_command(options: argparse.Namespace, settings: Settings) -> int:
    """`datamorph cancel`: stop the run's jobs and drop its staging; the target stays as it is."""
    from runs.actions import Actions

    record_of(settings, options.run_id)
    with open_service(settings) as service, opened_view(options) as view:
        return _show(options, service, view, Actions(service).cancel(options.run_id))


def _watched(
    options: argparse.Namespace, service: Service, view: View, run_id: str, work: Callable[[RunControl], Response]
) -> int:
    """Do the work and show its response. The first signal suspends the run after the current step, the second exits.

    The signals are those of Ctrl-C, of a closed terminal and of `kill`.
    """
    from langgraph.runtime import RunControl

    control = RunControl()

    def stop(number: int, frame: object) -> None:
        if control.drain_requested:
            os._exit(EXIT_CODES[202])
        control.request_drain("signal")
        view.stopping(run_id)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    return _show(options, service, view, work(control))


def _show(options: argparse.Namespace, service: Service, view: View, response: Response) -> int:
    """Show a response and return its exit code."""
    if options.json:
        print_json(response)
    view.response(response, service.tools)
    return EXIT_CODES[response["statusCode"]]
