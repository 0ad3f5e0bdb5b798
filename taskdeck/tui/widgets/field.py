"""The one line to type in, for dialogs and for the prompt."""

from __future__ import annotations

from textual.widgets import Input

from taskdeck.domain.text import visible


class Field(Input):
    """An input that shows nothing a terminal would obey, whether it was typed, pasted or filled in."""

    def validate_value(self, value: str) -> str:
        """What is kept is what can be shown."""
        return visible(value)
