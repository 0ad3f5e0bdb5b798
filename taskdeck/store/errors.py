"""Why a store does not open."""

from __future__ import annotations


class StoreRefused(Exception):
    """The data folder cannot be used as it is; nothing in it was changed. `hint` is the safe next step."""

    def __init__(self, detail: str, *, hint: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
