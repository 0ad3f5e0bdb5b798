"""Values as people type them: durations, moments, JSON, and who they are."""

from __future__ import annotations

import getpass
import json
import os
import re
import socket
from pathlib import Path
from typing import Any

from taskdeck.cli.errors import Failure
from taskdeck.domain.clock import MAX_MS, Clock, from_rfc3339, rfc3339

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d{1,9})([smhd]?)", re.ASCII)
MAX_INPUT_BYTES = 64 * 1024 * 1024


def seconds(text: str | None) -> int | None:
    """A duration such as `90`, `90s`, `15m`, `2h` or `1d`, in seconds.

    Raises:
        Failure: it is none.
    """
    if text is None:
        return None
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise Failure(f"{text!r} is not a duration", "durations look like 90 (seconds), 90s, 15m, 2h or 1d")
    return int(found[1]) * _UNITS[found[2]]


def moment(text: str | None, clock: Clock) -> str | None:
    """A time in RFC 3339: given as one, or as a distance from now such as `+15m`.

    Raises:
        Failure: it is neither.
    """
    if text is None:
        return None
    try:
        ms = clock.now_ms() + 1000 * (seconds(text[1:]) or 0) if text.startswith("+") else from_rfc3339(text)
    except ValueError:
        raise Failure(f"{text!r} is not a time", "times look like +15m or 2026-11-20T14:00:00Z") from None
    if not 0 <= ms <= MAX_MS:
        raise Failure(f"{text!r} lies too far away", "years 1970 to 9999 can be said")
    return rfc3339(ms)


def document(text: str | None, option: str) -> Any:
    """A JSON document, given as text or as `@FILE`.

    Raises:
        Failure: it cannot be read or is not JSON.
    """
    if text is None:
        return None
    if text.startswith("@"):
        try:
            with Path(text[1:]).open("rb") as file:
                text = file.read(MAX_INPUT_BYTES + 1).decode("utf-8")
        except (OSError, ValueError) as error:
            raise Failure(f"{option}: {text[1:]} cannot be read ({error})") from None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Failure(
            f"{option} is not JSON: {error}", "JSON text needs its own quotes: '\"done\"' or '{\"count\": 3}'"
        ) from None


def worker_name(flag: str | None) -> str:
    """Who claims: the flag, else TASKDECK_WORKER, else user@host."""
    return flag or os.environ.get("TASKDECK_WORKER") or f"{_user()}@{socket.gethostname().split('.')[0]}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid{os.getuid()}"


def given(**fields: Any) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None and value != []}
