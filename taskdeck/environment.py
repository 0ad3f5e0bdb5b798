"""The `TASKDECK_…` environment variables: which there are, and where the data folder is. Quick to import."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

PREFIX: Final = "TASKDECK_"
SERVER_NAMES: Final = (
    "data",
    "host",
    "port",
    "log_level",
    "listen",
    "open",
    "stride",
    "conductor",
    "allowed_hosts",
    "body_limit",
    "claims_per_minute_per_worker",
    "claims_per_minute_per_principal",
    "claims_per_minute_per_token",
    "request_deadline_seconds",
    "webhook_networks",
    "keep_events_days",
    "ageing_days",
    "projects_in_turn",
)
"""The settings of a server, in the order in which they are shown; `config.Settings` has exactly these."""
CLIENT_NAMES: Final = ("url", "token", "worker")
TASK_NAMES: Final = ("task_key", "task_id", "task_fence", "task_title", "task_payload")
"""What `taskdeck run` tells the command it runs."""
HOOK_NAMES: Final = (
    "hook",
    "task_number",
    "task_description",
    "task_state",
    "task_priority",
    "task_kind",
    "task_review",
    "task_attempt",
    "task_parent",
    "task_project",
)
"""What a gate's hook is told besides."""


class ConfigError(Exception):
    """A setting cannot be understood. `detail` names it and where it stands, `hint` says what would do."""

    def __init__(self, detail: str, hint: str | None = None) -> None:
        self.detail = detail
        self.hint = hint
        super().__init__(detail)


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for a name that is not known: the known one that looks most like it, else all of them."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(names)}"


def check_environment(environ: Mapping[str, str] = os.environ) -> None:
    """Refuse a misspelt variable, which would otherwise be silently without effect.

    Raises:
        ConfigError: a variable begins with `TASKDECK_` and is not one that taskdeck reads or sets.
    """
    known = [PREFIX + name.upper() for name in SERVER_NAMES + CLIENT_NAMES + TASK_NAMES + HOOK_NAMES]
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            raise ConfigError(f"the environment sets {name}, which taskdeck does not know", nearest(name, known))


def data_folder(flag: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The data folder: the flag, else TASKDECK_DATA, else the platform's place for a user's data.

    Raises:
        ConfigError: the flag is an option that stands where a folder was to be named.
    """
    if flag is not None and str(flag).startswith("-"):
        raise ConfigError(f"--data names no folder but {flag}", "give the whole path of a folder that is called so")
    if flag is None and environ.get("TASKDECK_DATA"):
        flag = Path(environ["TASKDECK_DATA"])
    if flag is None:
        from platformdirs import user_data_path

        flag = user_data_path("taskdeck", appauthor=False)
    return flag.expanduser().absolute()
