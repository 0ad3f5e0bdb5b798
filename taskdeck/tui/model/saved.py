"""Saved views: filters with a name. Some come with the deck, the operator's own live in a file of the user."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from taskdeck.domain.query import QueryError
from taskdeck.tui.model.filter import parse

OWN_MOST = 50
NAME_MOST = 24
FILE_MOST = 100_000
"""Bytes of the file that are read."""


@dataclass(frozen=True, slots=True)
class View:
    """A filter by its name."""

    name: str
    query: str


SHIPPED = (
    View("open", ""), View("next up", "state:ready"), View("stuck", "is:stuck"), View("mine", "is:mine"),
    View("review", "state:review"), View("failed", "state:failed"), View("lapsed", "is:lapsed"),
    View("recently done", "state:done"),
)  # fmt: skip


class Views:
    """The shipped views and then the operator's own; without a file these live as long as the dashboard."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self.own: list[View] = []
        self.fault = ""
        """Why the file could not be read, if it could not."""
        if file is not None:
            self._read(file)

    def all(self) -> list[View]:
        """In the order in which they are listed."""
        return [*SHIPPED, *self.own]

    def find(self, name: str) -> View | None:
        """The view of that name, in whatever case; else the only one whose name begins so."""
        name = name.casefold()
        exact = [view for view in self.all() if view.name.casefold() == name]
        close = [view for view in self.all() if name and view.name.casefold().startswith(name)]
        return exact[0] if exact else close[0] if len(close) == 1 else None

    def save(self, name: str, query: str) -> str | None:
        """Keep a view, in place of an own one of the same name; returns what stands against it, None if kept."""
        if not name or len(name) > NAME_MOST or not name.isprintable():
            return f"a view's name has 1 to {NAME_MOST} characters"
        if any(view.name == name.casefold() for view in SHIPPED):
            return f"“{name}” comes with the deck; choose another name"
        kept = [view for view in self.own if view.name.casefold() != name.casefold()]
        if len(kept) >= OWN_MOST:
            return f"{OWN_MOST} views are kept; :view drop NAME makes room"
        return self._write([*kept, View(name, query)])

    def drop(self, name: str) -> str | None:
        """Forget an own view; returns what stands against it."""
        kept = [view for view in self.own if view.name.casefold() != name.casefold()]
        return f"there is no own view “{name}”" if len(kept) == len(self.own) else self._write(kept)

    def _write(self, views: list[View]) -> str | None:
        self.own = views
        if self._file is None:
            return None
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=self._file.parent, delete=False, encoding="utf-8") as new:
                json.dump({"views": [{"name": view.name, "query": view.query} for view in views]}, new, indent=2)
            Path(new.name).replace(self._file)
        except OSError as error:
            return f"kept for this session alone: {self._file} cannot be written ({error.strerror})"
        return None

    def _read(self, file: Path) -> None:
        try:
            with file.open("rb") as stored:
                told = json.loads(stored.read(FILE_MOST))
            for each in told["views"][:OWN_MOST]:
                name, query = each["name"], each["query"]
                if isinstance(name, str) and name.isprintable() and 0 < len(name) <= NAME_MOST:
                    parse(query)
                    self.own.append(View(name, query))
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError, QueryError) as error:
            self.fault = f"{file} was not understood: {error}"
