"""A file of its user's own making: there when it is whole, and never over another unasked."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class FileRefused(Exception):
    """The file cannot be written; the text says why."""


class NewFile:
    """A text file in the making, its owner's alone. Leaving the block without `keep` leaves nothing behind.

    Entering, writing and keeping raise FileRefused: there is no such folder, no room, no right or, unless `over`,
    there is a file of that name.
    """

    def __init__(self, path: Path, *, over: bool = False) -> None:
        self.path = path
        self._over = over
        self._file: Any = None

    def __enter__(self) -> Self:
        with self._told():
            if self.path.is_dir():
                raise FileRefused(f"{self.path} is a folder: name a file in it")
            if not self._over and self.path.exists():
                raise FileExistsError
            self._file = tempfile.NamedTemporaryFile(
                "w", dir=self.path.parent, prefix=f".{self.path.name[:80]}.", delete=False, encoding="utf-8", newline=""
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        Path(self._file.name).unlink(missing_ok=True)

    @property
    def place(self) -> Path:
        """Where the file is until it is kept, for what writes it by itself."""
        return Path(self._file.name)

    def write(self, text: str) -> None:
        """Add text."""
        with self._told():
            self._file.write(text)

    def keep(self) -> int:
        """Give the file its name; returns how many bytes it holds. It is whole and on the disk by then."""
        with self._told():
            self._file.flush()
            os.fsync(self._file.fileno())
            if not self._over:  # renaming alone would go over what came there meanwhile
                self.path.touch(exist_ok=False)
            Path(self._file.name).replace(self.path)
            return self.path.stat().st_size

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise FileRefused(f"there is no folder {self.path.parent}") from None
        except FileExistsError:
            raise FileRefused(f"{self.path} is there already") from None
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise FileRefused(f"{self.path} cannot be written: {why}") from None
