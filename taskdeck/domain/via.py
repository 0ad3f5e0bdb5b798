"""Which interface a caller speaks: the deck's own API, or a dialect of it that clients of other systems know."""

from __future__ import annotations

from typing import Final

NATIVE: Final = "native"
DIALECTS: Final = ("claudebench", "delega", "stride", "conductor", "veryfront")
