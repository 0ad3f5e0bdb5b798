"""What goes wrong on the command line: exit codes, and one line that says what, one that says what to do."""

from __future__ import annotations

import errno
import sys
from enum import IntEnum

import typer

from taskdeck.domain.text import visible
from taskdeck.environment import ConfigError


class ExitCode(IntEnum):
    """What the exit status tells a script. Stable."""

    OK = 0
    FAULT = 1
    USAGE = 2
    NOTHING = 3
    """There was nothing to claim."""
    REFUSED = 4
    """The present state stands against it."""
    NOT_FOUND = 5
    NOT_AUTHORISED = 6
    UNREACHABLE = 7


class Failure(Exception):
    """A failure that the command line itself finds."""

    def __init__(
        self, detail: str, hint: str | None = None, *, code: str = "usage", status: ExitCode = ExitCode.USAGE
    ) -> None:
        self.detail = detail
        self.hint = hint
        self.code = code
        self.status = status
        super().__init__(detail)


_BY_HTTP_STATUS = {
    400: ExitCode.USAGE,
    401: ExitCode.NOT_AUTHORISED,
    403: ExitCode.NOT_AUTHORISED,
    404: ExitCode.NOT_FOUND,
    409: ExitCode.REFUSED,
    413: ExitCode.USAGE,
    415: ExitCode.USAGE,
    421: ExitCode.NOT_AUTHORISED,
    422: ExitCode.USAGE,
    429: ExitCode.REFUSED,
}

_HINTS = {
    "invalid_request": "taskdeck COMMAND --help explains what each option takes",
    "principal_exists": "choose another name, or change its rights with `taskdeck principal edit`",
    "project_exists": "`taskdeck project edit` changes its defaults",
    "unauthorized": "give a token with --token or TASKDECK_TOKEN; `taskdeck token create` makes one",
    "unknown_project": "`taskdeck projects` lists them, `taskdeck project create` makes one",
    "unknown_task": "a task is named by its key, number or id; `taskdeck list` shows them",
    "unknown_worker": "a worker registers by its first claim or with `taskdeck worker register`",
}
"""The next step in words of the command line, where the API's own hint speaks of routes."""


_LISTS = {
    ("taskdeck project", "list"): "taskdeck projects lists them",
    ("taskdeck worker", "list"): "taskdeck workers lists them",
}
_USAGE = "taskdeck COMMAND --help explains each command"
_BY_ERRNO = {
    errno.ENOSPC: "free some space on that disk and try again",
    errno.EROFS: "name a place that can be written",
    errno.EACCES: "let the user who runs this own it, or name another place",
}


def as_failure(error: Exception) -> Failure:
    """Any error, with its code and exit status."""
    from taskdeck.client import ApiError, Unreachable

    if isinstance(error, Failure):
        return error
    if isinstance(error, ApiError):
        status = _BY_HTTP_STATUS.get(error.status, ExitCode.FAULT)
        hint = _HINTS.get(error.code, error.hint)
        return Failure(_with_fields(error.detail, error.problem), hint, code=error.code, status=status)
    if isinstance(error, Unreachable):
        return Failure(error.detail, error.hint, code="unreachable", status=ExitCode.UNREACHABLE)
    if isinstance(error, ConfigError):
        return Failure(error.detail, error.hint, code="config")
    if isinstance(error, typer.TyperException):
        said = error.format_message().rstrip(".")
        if not said.startswith("No such command"):
            return Failure(said, _USAGE)
        group = str(getattr(getattr(error, "ctx", None), "command_path", "taskdeck"))
        return Failure(said, _LISTS.get((group, said.split("'")[1]), f"{group} --help lists the commands"))
    if hasattr(error, "detail") and hasattr(error, "hint"):  # a refusal of the server that runs in this process
        code = getattr(error, "stable_code", None) or getattr(error, "code", "refused")
        return Failure(str(error.detail), error.hint or None, code=str(code), status=ExitCode.FAULT)
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return Failure(
            f"{place}{error.strerror or error}", _BY_ERRNO.get(error.errno or 0), code="system", status=ExitCode.FAULT
        )
    return Failure(
        f"unexpected {type(error).__name__}: {error}",
        "this is a defect; `python -X dev -m taskdeck …` shows where",
        code="internal",
        status=ExitCode.FAULT,
    )


def report(error: Exception) -> int:
    """Say on standard error what went wrong, and return the exit status that says it to scripts."""
    if sys.flags.dev_mode:
        raise error
    failure = as_failure(error)
    if not failure.detail:  # a group named without a command: its help was shown
        return int(failure.status)
    print(f"taskdeck: {visible(failure.detail)} [{visible(failure.code)}]", file=sys.stderr)
    if failure.hint:
        print(f"hint: {visible(failure.hint)}", file=sys.stderr)
    return int(failure.status)


def _with_fields(detail: str, problem: dict[str, object]) -> str:
    errors = problem.get("errors")
    if not isinstance(errors, list):
        return detail
    told = [(e.get("field"), str(e.get("message"))) for e in errors if isinstance(e, dict)]
    missing = [f"{field}: {message}" for field, message in told if message not in detail]
    return f"{detail} ({'; '.join(missing)})" if missing else detail
