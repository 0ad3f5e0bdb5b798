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

CACHE = 100
ALL = 10_000
"""More lines than any screen has."""
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
        self.extent = Size(0, 0)
        """The size that the lines were last asked for. `size` says the same, but has to look it up in the layout."""
        self.behind = False
        """Whether some lines wait for the next `sync`."""
        self._keys: list[LineKey] = []
        self._drawn: list[Strip | None] = []
        self._cache: OrderedDict[tuple[LineKey, int], Strip] = OrderedDict()
        self._palette: Palette | None = None

    def line_keys(self) -> list[LineKey]:
        """One key for each line of the `extent`."""
        return [self.line_key(y) for y in range(self.extent.height)]

    def line_key(self, y: int) -> LineKey:
        """All that the look of line `y` depends on, besides width and palette."""
        raise NotImplementedError

    def line_spans(self, key: LineKey, width: int) -> tuple[Spans, str]:
        """The spans of the line with this key, and the ground they stand on."""
        raise NotImplementedError

    def before_sync(self) -> None:
        """A chance to bring scrolling and the like in order before keys are asked for."""

    def wear(self, palette: Palette) -> bool:
        """Draw with these colours from now on; returns whether they are others than before."""
        if palette is self._palette:
            return False
        self._palette = palette
        self._cache.clear()
        self._drawn = [None] * len(self._keys)
        self.refresh()
        return True

    def sync(self, most: int = ALL) -> int:
        """Have the lines redrawn whose keys changed, at most so many; returns how many that are.

        Where there were more the widget is `behind`, and shows the rest as it was until the next `sync`.
        """
        size = self.size
        width, height = size
        self.behind = False
        if not height or not width:
            self.extent = Size(0, 0)  # hidden: what changes now is asked for when it is shown again
            return 0
        if self.extent != size:
            self._ask_anew(size)
            self.refresh()
            return height
        self.before_sync()
        keys = self.line_keys()
        dirty = [y for y, (key, old) in enumerate(zip(keys, self._keys, strict=True)) if key != old]
        self.behind = len(dirty) > most
        for y in dirty[:most]:
            self._keys[y] = keys[y]
            self._drawn[y] = None
        if min(len(dirty), most) > height // 2:
            self.refresh(Region(0, 0, width, height))
        elif dirty:
            self.refresh(*(Region(0, y, width, 1) for y in dirty[:most]))
        return min(len(dirty), most)

    def _ask_anew(self, size: Size) -> None:
        self.extent = size
        self.before_sync()
        self._keys = self.line_keys()
        self._drawn = [None] * len(self._keys)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines as they were drawn: without padding and border there is nothing to add to them."""
        if self.extent != self.size:
            self._ask_anew(self.size)
        if self.styles.gutter:
            return super().render_lines(crop)
        strips = [self.render_line(y) for y in crop.line_range]
        start, end = crop.column_span
        if (start, end) != (0, self.extent.width):
            strips = [strip.crop(start, end) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """One line, from the cache if it was drawn before."""
        width = self.extent.width
        if self._palette is None or y >= len(self._keys):
            return Strip.blank(width, _PLAIN)
        drawn = self._drawn[y]
        if drawn is None:
            drawn = self._drawn[y] = self._draw(self._keys[y], width, self._palette)
        return drawn

    def _draw(self, key: LineKey, width: int, palette: Palette) -> Strip:
        """A line like one that was drawn before, perhaps elsewhere on the screen, is not drawn again."""
        drawn = self._cache.get((key, width))
        if drawn is not None:
            self._cache.move_to_end((key, width))
            return drawn
        spans, ground = self.line_spans(key, width)
        drawn = self._cache[key, width] = strip(spans, width, palette, ground)
        if len(self._cache) > CACHE:
            self._cache.popitem(last=False)
        return drawn
