"""Containers covered by what they hold: their own lines are drawn once and kept, as every frame asks for them too."""

from __future__ import annotations

from collections.abc import Callable

from textual.containers import Horizontal, Vertical
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Kept:
    """The lines of a widget that has nothing to say, as long as neither its place nor the theme changes."""

    def __init__(self) -> None:
        self._drawn_for: tuple[Region, str] | None = None
        self._lines: list[Strip] = []

    def lines(self, widget: Widget, crop: Region, draw: Callable[[Region], list[Strip]]) -> list[Strip]:
        """They as they were, or drawn anew."""
        wanted = (crop, widget.app.theme)
        if self._drawn_for != wanted:
            self._drawn_for, self._lines = wanted, draw(crop)
        return self._lines


class Beside(Horizontal):
    """Side by side."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._kept = Kept()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Its ground, where something shows of it."""
        return self._kept.lines(self, crop, super().render_lines)


class Below(Vertical):
    """One below the other."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._kept = Kept()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Its ground, where something shows of it."""
        return self._kept.lines(self, crop, super().render_lines)
