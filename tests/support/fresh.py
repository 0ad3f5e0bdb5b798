"""Data folders that are as before a first start, but for a database whose schema is there already."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from taskdeck.store.connect import open_writer
from taskdeck.store.folder import DATABASE, prepare


def fresh(data: Path) -> Path:
    """Make the folder `data`, with an empty database: bringing it to its schema takes longer than most tests do."""
    prepare(data)
    database = data / DATABASE
    database.touch(mode=0o600)
    database.write_bytes(_migrated())
    return data


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / DATABASE
        open_writer(path, 0).close()
        return path.read_bytes()
