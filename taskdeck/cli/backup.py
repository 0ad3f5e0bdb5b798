"""`taskdeck backup`: a copy of a deck on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from taskdeck.backup import NoBackup, back_up
from taskdeck.cli.connect import JsonOption
from taskdeck.cli.errors import ExitCode, Failure
from taskdeck.cli.serve import DataFolder
from taskdeck.domain.text import visible
from taskdeck.environment import check_environment, data_folder
from taskdeck.newfile import FileRefused


def register(app: typer.Typer) -> None:
    """Add this command to `app`."""
    app.command("backup", rich_help_panel="Deck")(backup)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; the folder must be there.")],
    data: DataFolder = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Copy the database of a deck on this machine into a file, checked, while the deck runs or not.

    To restore it, put it into an empty data folder as deck.db and serve that. Tokens hold as they did.
    """
    check_environment()
    try:
        size = back_up(data_folder(data), file, over=force)
    except NoBackup as error:
        hint = "name the data folder with --data"
        raise Failure(str(error), hint, code="no_backup", status=ExitCode.FAULT) from None
    except FileRefused as error:
        hint = "--force writes over it" if "is there already" in str(error) else "name another file"
        raise Failure(str(error), hint) from None
    print(json.dumps({"file": str(file), "bytes": size}) if as_json else f"{size} bytes in {visible(str(file))}")
    return 0
