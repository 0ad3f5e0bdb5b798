"""A few drawn lines inside a dialog or a screen, from a function that is asked again with every frame."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from taskdeck.tui.paint import Spans
from taskdeck.tui.widgets.line_widget import LineWidget


class Prose(LineWidget):
    """Lines of `source`; `ground` is the colour word they stand on.

    Its height is set once, by the first lines; one that `grows` follows them.
    """

    def __init__(
        self, source: Callable[[], list[Spans]], *, ground: str = "panel", grows: bool = False, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._grows = grows
        self._source = source
        self._ground = ground
        self._lines: list[Spans] = source()
        self.styles.height = max(1, len(self._lines))

    def before_sync(self) -> None:
        """Ask for the lines."""
        lines, before = self._source(), len(self._lines)
        self._lines = lines
        if self._grows and len(lines) != before:
            self.styles.height = max(1, len(lines))

    def line_key(self, y: int) -> Hashable:
        """The drawn line."""
        return self._lines[y] if y < len(self._lines) else ()

    def line_spans(self, key: Hashable, width: int) -> tuple[Spans, str]:
        """The key is the drawing."""
        return key, self._ground  # type: ignore[return-value]
