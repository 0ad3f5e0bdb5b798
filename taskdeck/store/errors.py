"""Why a store does not open."""

from __future__ import annotations


class StoreRefused(Exception):
    """The data folder cannot be used as it is; nothing in it was changed. `hint` is the safe next step.

    `code` is stable: `data_unusable`, `data_in_use`, `data_locked`, `data_full`, `data_damaged`, `data_foreign` or
    `data_newer`.
    """

    def __init__(self, detail: str, *, hint: str, code: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.code = code
