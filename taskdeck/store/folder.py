"""The data folder: who may read it, what lies in it, and the lock that keeps a second process out."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taskdeck.store.errors import StoreRefused

DATABASE = "deck.db"
LOCK = "deck.lock"
SOCKET = "deck.sock"
ADMIN_TOKEN = "admin.token"  # noqa: S105  (a file's name)


def prepare(folder: Path) -> None:
    """Make the data folder if it is missing, for its owner alone (mode 0700).

    Raises:
        StoreRefused: it is not a folder, or cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(folder, error) from None
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise StoreRefused(
            f"the data folder {folder} is not writable",
            hint="Let the user who runs taskdeck own it, or name another with --data.",
            code="data_unusable",
        )
    for name in (DATABASE, LOCK, ADMIN_TOKEN):
        if (folder / name).is_symlink():
            raise StoreRefused(
                f"{folder / name} is a symbolic link",
                hint="Put the file itself there, or use another data folder.",
                code="data_unusable",
            )


def unusable(path: Path, error: OSError) -> StoreRefused:
    """The refusal of a folder, or of a file in it, that the system does not let us use."""
    if error.errno == errno.ENOSPC:
        return StoreRefused(
            f"{path} cannot be written: its disk is full",
            hint="Free some space and start again; what was acknowledged is there.",
            code="data_full",
        )
    return StoreRefused(
        f"{path} cannot be used: {error.strerror or error}",
        hint="Let the user who runs taskdeck own the data folder and all in it, or name another with --data.",
        code="data_unusable",
    )


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path` so that at no moment anyone but the owner can read it (mode 0600)."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


@dataclass(slots=True)
class FolderLock:
    """An exclusive lock on a data folder, held while the process lives.

    The lock file tells others who holds it: `pid`, and once the server listens `url`, `socket`, `started_at`.
    The kernel drops the lock when the process ends, however it ends.
    """

    path: Path
    _descriptor: int

    @classmethod
    def take(cls, folder: Path) -> FolderLock:
        """Take the lock.

        Raises:
            StoreRefused: another process has it; the text names that one. Or it is not ours to open.
        """
        path = folder / LOCK
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise unusable(path, error) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise StoreRefused(
                f"the data folder {folder} is in use by {_describe(path)}",
                hint="Attach to that deck with `taskdeck attach`, or name another folder with --data.",
                code="data_in_use",
            ) from None
        lock = cls(path, descriptor)
        lock.announce(pid=os.getpid())
        return lock

    def announce(self, **facts: Any) -> None:
        """Replace what the lock file tells others."""
        text = json.dumps(facts).encode()
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text, 0)

    def release(self) -> None:
        """Give the lock back. The file stays, empty: removing it would let two processes lock two files."""
        if self._descriptor >= 0:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1


def _describe(path: Path) -> str:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        where = f", serving {facts['url']}" if facts.get("url") else ""
        return f"process {facts['pid']}{where}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
