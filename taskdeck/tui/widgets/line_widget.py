"""The base of everything that is redrawn while the deck runs: lines with keys, drawn only when a key changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import ClassVar

from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from taskdeck.tui.paint import Spans, strip
from taskdeck.tui.themes import Palette

CACHE = 600
_PLAIN = Style()

LineKey = Hashable


class LineWidget(Widget):
    """A widget whose every line is a pure function of a key.

    `sync` compares the keys of the visible lines with those on screen and has only the differing ones drawn:
    a frame in which nothing changed costs a few comparisons, and no frame ever causes a layout.
    """

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._keys: list[LineKey] = []
        self._keyed_for = Size(0, 0)
        self._cache: OrderedDict[tuple[LineKey, int], Strip] = OrderedDict()
        self._palette: Palette | None = None

    def line_key(self, y: int) -> LineKey:
        """All that the look of line `y` depends on, besides width and palette."""
        raise NotImplementedError

    def line_spans(self, key: LineKey, width: int) -> tuple[Spans, str]:
        """The spans of the line with this key, and the ground they stand on."""
        raise NotImplementedError

    def before_sync(self) -> None:
        """A chance to bring scrolling and the like in order before keys are asked for."""

    def wear(self, palette: Palette) -> None:
        """Draw with other colours from now on."""
        if palette is not self._palette:
            self._palette = palette
            self._cache.clear()
            self.refresh()

    def sync(self) -> int:
        """Have the lines redrawn whose keys changed; returns how many that are."""
        width, height = self.size
        if not height or not width:
            self._keyed_for = Size(0, 0)  # hidden: what changes now is asked for when it is shown again
            return 0
        old, same = self._keys, self._keyed_for == self.size
        self._ask_keys()
        keys = self._keys
        if not same:
            self.refresh()
            return height
        dirty = [y for y in range(height) if keys[y] != old[y]]
        if len(dirty) > height // 2:
            self.refresh(Region(0, 0, width, height))
        elif dirty:
            self.refresh(*(Region(0, y, width, 1) for y in dirty))
        return len(dirty)

    def _ask_keys(self) -> None:
        self._keyed_for = self.size
        self.before_sync()
        self._keys = [self.line_key(y) for y in range(self.size.height)]

    def render_line(self, y: int) -> Strip:
        """One line, from the cache if it was drawn before."""
        width = self.size.width
        if self._palette is None:
            return Strip.blank(width, _PLAIN)
        if self._keyed_for != self.size:
            self._ask_keys()
        if y >= len(self._keys):
            return Strip.blank(width, _PLAIN)
        slot = (self._keys[y], width)
        drawn = self._cache.get(slot)
        if drawn is None:
            spans, ground = self.line_spans(self._keys[y], width)
            drawn = self._cache[slot] = strip(spans, width, self._palette, ground)
            if len(self._cache) > CACHE:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end(slot)
        return drawn
