"""`python -m taskdeck` and the `taskdeck` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its status."""
    from taskdeck.cli.app import main as run

    sys.exit(run())


if __name__ == "__main__":
    main()
