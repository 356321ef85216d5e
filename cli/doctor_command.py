"""`datamorph doctor`: checks of this machine, or of a deployed function."""

from __future__ import annotations

import argparse
import sys

from agent.settings import Settings
from cli.answers import print_json

_MARKS = {"ok": "✓", "warning": "!", "missing": "✗", "not needed": "–"}


def doctor_command(options: argparse.Namespace, settings: Settings) -> int:
    """`datamorph doctor`: 0 when nothing that these settings need is missing, else 4."""
    from tools.doctor.aws_services import examine_function
    from tools.doctor.this_machine import examine

    checks = examine_function(options.function, settings.region) if options.function else examine(settings)
    if options.json:
        print_json([vars(check) for check in checks])
    else:
        # Plain lines: this command must work where the terminal view is not installed.
        for check in checks:
            told = check.detail if check.status == "ok" else f"{check.status}: {check.detail}"
            sys.stdout.write(f"{_MARKS[check.status]} {check.name:<16} {told}\n")
    return 4 if any(check.status == "missing" for check in checks) else 0
