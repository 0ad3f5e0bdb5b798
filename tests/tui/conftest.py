"""What all tests of the dashboard share: one time zone, no animation, no blinking, colours on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
import textual.app
import textual.pilot
from quiet import quiet
from textual.widgets import Input


@pytest.fixture(autouse=True)
def steady_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cursor that does not blink into a picture."""
    monkeypatch.setattr(Input, "_toggle_cursor", lambda self: None)


@pytest.fixture(autouse=True)
def known_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each key and in each pause the app comes to rest, however slow or busy the machine is."""
    monkeypatch.setattr(textual.pilot, "wait_for_idle", quiet)
    monkeypatch.setattr(textual.app, "wait_for_idle", quiet)


@pytest.fixture(autouse=True)
def steady_surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of day in UTC, whatever the machine's zone; no animation; colours whatever the caller's terminal."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    before = os.environ.get("TZ")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
    assert os.environ.get("TZ") == before or before == "UTC"
