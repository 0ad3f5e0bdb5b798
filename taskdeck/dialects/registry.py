"""The dialects this deck speaks, by name."""

from __future__ import annotations

from taskdeck.dialects import conductor
from taskdeck.dialects.dialect import Dialect

_SPOKEN: tuple[Dialect, ...] = (conductor.DIALECT,)

ALL: dict[str, Dialect] = {dialect.name: dialect for dialect in _SPOKEN}
