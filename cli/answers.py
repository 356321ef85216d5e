"""Answers of commands: JSON or lines of text, and the exit code."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from agent.errors import INSTALL_LOCAL, UnavailableError

if TYPE_CHECKING:
    from cli.view import View
    from graph.response import Response

EXIT_CODES = {200: 0, 202: 5, 400: 2, 409: 2, 410: 3, 422: 3, 503: 4}
"""Exit code of a response's status code."""


@contextmanager
def opened_view(options: argparse.Namespace) -> Iterator[View]:
    """The view of a command at the terminal. Raises UnavailableError where rich is not installed."""
    try:
        from cli.view import View
    except ModuleNotFoundError as error:
        message = f"the terminal view needs {error.name}: {INSTALL_LOCAL}"
        raise UnavailableError("datamorph", message) from None
    with View(to_stderr=options.json) as view:
        yield view


def refuse(options: argparse.Namespace, response: Response) -> int:
    """Write the refusal of a command to standard error, and with `--json` to standard output; return its exit code."""
    body = response["body"]
    if options.json:
        print_json(response)
    if body["execution_status"] == "invalid":
        for error in body["errors"]:
            sys.stderr.write(f"datamorph: {error['path']}: {error['message']}\n")
    elif body["execution_status"] == "conflict" or body["execution_status"] == "unavailable":
        sys.stderr.write(f"datamorph: {body['message']}\n")
    return EXIT_CODES[response["statusCode"]]


def print_json(value: Any) -> None:
    """Write an answer to standard output as JSON."""
    # Python decodes an argument that is not UTF-8 into lone surrogates; they are written as JSON's own escapes.
    text = json.dumps(value, indent=1, ensure_ascii=False).encode(errors="backslashreplace").decode()
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has left, as `| head` does: the run is recorded, and its exit code still stands.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
