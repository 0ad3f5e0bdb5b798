"""`python -m taskdeck` and the `taskdeck` command."""

from __future__ import annotations

import sys

from taskdeck.loading import loading


def main() -> None:
    """Run the command line and exit with its status."""
    with loading():
        from taskdeck.cli.app import main as run

    sys.exit(run())


if __name__ == "__main__":
    main()
