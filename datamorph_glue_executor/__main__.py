"""The command `datamorph`, which finds the application wherever it is installed."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """Put the wheel's folder `app` first on the path and run one command; return its exit code."""
    app = Path(__file__).with_name("app")
    # A development install has no such folder: there the repository itself is on the path.
    if app.is_dir():
        sys.path.insert(0, str(app))
    from cli.main import main as run_command

    return run_command()


if __name__ == "__main__":
    sys.exit(main())
