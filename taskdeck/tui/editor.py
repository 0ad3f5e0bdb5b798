"""The operator's own editor for long texts: the deck steps aside, and comes back with what was written."""

from __future__ import annotations

import asyncio
import os
import shlex
import tempfile
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

WRITTEN_MOST = 1_000_000
"""Bytes that are read back."""


class EditorError(Exception):
    """There is no editor, or it failed; the text says so."""


def command() -> list[str]:
    """The editor of the environment: VISUAL, then EDITOR, then vi."""
    return shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")


async def edited(app: App[Any], text: str, suffix: str) -> str:
    """`text` as the operator leaves it. The deck draws nothing meanwhile; a server in this process goes on.

    Raises:
        EditorError: nothing could be edited.
    """
    with tempfile.TemporaryDirectory(prefix="taskdeck-") as folder:
        file = Path(folder) / f"text{suffix}"
        file.write_text(text, encoding="utf-8")
        try:
            with app.suspend(), app.batch_update():
                running = await asyncio.create_subprocess_exec(*command(), str(file))
                code = await running.wait()
        except SuspendNotSupported:
            raise EditorError("this terminal cannot be lent to an editor") from None
        except (OSError, ValueError) as error:
            raise EditorError(f"{' '.join(command())} cannot be started: {error}; set EDITOR") from None
        if code != 0:
            raise EditorError(f"{Path(command()[0]).name} ended with {code}: nothing was changed")
        try:
            if file.stat().st_size > WRITTEN_MOST:
                raise EditorError("more than a megabyte was written: nothing was changed")
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise EditorError(f"what was written cannot be read: {error}") from None
