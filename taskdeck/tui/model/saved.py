"""Saved views: what of the queue is looked at, by name. Some come with the deck, the operator's own live in a file."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taskdeck.domain.query import QueryError
from taskdeck.tui.model.filter import parse
from taskdeck.tui.model.sort import USUAL, Sort, parse_sort

OWN_MOST = 50
NAME_MOST = 24
COLUMNS_MOST = 20
FILE_MOST = 100_000
"""Bytes of the file that are read."""


@dataclass(frozen=True, slots=True)
class View:
    """A filter by its name, with the order, the columns of the queue and the pane that belong to it.

    `columns` None: the usual ones; of a view that comes with the deck: those in use.
    """

    name: str
    query: str
    sort: Sort = USUAL
    columns: tuple[str, ...] | None = None
    pane: int = 1

    def stored(self) -> dict[str, Any]:
        """As it stands in the file."""
        more = {"sort": self.sort.text} if self.sort.field else {}
        return {"name": self.name, "query": self.query, **more, "columns": self.columns, "pane": self.pane}

    @classmethod
    def of(cls, stored: Any) -> View | None:
        """From the file; None for one that has no name to be listed under.

        Raises:
            KeyError, TypeError, ValueError: it is not understood.
        """
        name, query, columns, pane = stored["name"], stored["query"], stored.get("columns"), stored.get("pane", 1)
        parse(query)
        known = None if columns is None else tuple(str(column) for column in columns[:COLUMNS_MOST])
        view = cls(name, query, parse_sort(stored.get("sort", "usual")), known, pane if pane in range(1, 6) else 1)
        return view if isinstance(name, str) and name.isprintable() and 0 < len(name) <= NAME_MOST else None


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

    def save(self, view: View) -> str | None:
        """Keep a view, in place of an own one of the same name; returns what stands against it, None if kept."""
        name = view.name
        if not name or len(name) > NAME_MOST or not name.isprintable():
            return f"a view's name has 1 to {NAME_MOST} characters"
        if any(view.name == name.casefold() for view in SHIPPED):
            return f"“{name}” comes with the deck; choose another name"
        kept = [view for view in self.own if view.name.casefold() != name.casefold()]
        if len(kept) >= OWN_MOST:
            return f"{OWN_MOST} views are kept; :view drop NAME makes room"
        return self._write([*kept, view])

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
                json.dump({"views": [view.stored() for view in views]}, new, indent=2)
            Path(new.name).replace(self._file)
        except OSError as error:
            return f"kept for this session alone: {self._file} cannot be written ({error.strerror})"
        return None

    def _read(self, file: Path) -> None:
        try:
            with file.open("rb") as stored:
                told = json.loads(stored.read(FILE_MOST))
            for each in told["views"][:OWN_MOST]:
                view = View.of(each)
                if view is not None:
                    self.own.append(view)
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError, QueryError) as error:
            self.fault = f"{file.name} was not understood: {error} ({file})"
