"""What a request asks: its parameters, its board, the task it names, and whether its caller may write."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import orjson
from aiohttp import web

from taskdeck.choices import StrideChoices
from taskdeck.dialects.dialect import OPTIONS
from taskdeck.dialects.stride.errors import no_task, plain
from taskdeck.dialects.stride.hooks import proof
from taskdeck.dialects.stride.view import Data, ack, row, task_data
from taskdeck.dialects.stride.words import NAME, UNKNOWN, Board, key_of
from taskdeck.domain.errors import GateUnmet
from taskdeck.domain.gates import Shown
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.project import DEFAULT_PROJECT, Project
from taskdeck.domain.task import Task
from taskdeck.http.call import Call
from taskdeck.http.wire import JSON, Problem
from taskdeck.service.find import the_project
from taskdeck.service.projects import find_project
from taskdeck.store import changes, tasks
from taskdeck.store.beside import around
from taskdeck.store.listing import find_task
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit

T = TypeVar("T")
LIST = "_json"
"""Where a body that is a list stands among the parameters."""


def params(call: Call) -> Data:
    """The parameters of a request: the query, and over it the body.

    A body that is no JSON and does not say that it is counts as none.

    Raises:
        Problem: it says that it is JSON, and is none (`bad_json`).
    """
    asked: Data = dict(call.request.query)
    raw = call.raw.strip()
    if not raw:
        return asked
    if call.request.content_type != JSON and raw[:1] not in (b"{", b"["):
        return asked
    sent = _json(raw)
    return asked | (sent if isinstance(sent, dict) else {LIST: sent})


def _json(raw: bytes) -> Any:
    """`raw` as JSON; line breaks may stand in its strings, as shell scripts put them there.

    Raises:
        Problem: it is none (`bad_json`).
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        sent = json.loads(raw.decode(), strict=False, parse_constant=_no_number)
        orjson.dumps(sent)  # what cannot be written again is not taken
    except (ValueError, TypeError, RecursionError) as error:
        raise Problem(400, "bad_json", f"the body is not JSON: {error}") from None
    return sent


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def options(call: Call) -> StrideChoices:
    """What the operator chose."""
    chosen: StrideChoices = call.request.app[OPTIONS][NAME]
    return chosen


def prefix_of(call: Call) -> str:
    """Where the dialect is mounted: empty at the root of a port of its own."""
    path = call.request.path
    return path[: path.index("/api")].rstrip("/")


def claim_ms(chosen: StrideChoices) -> int:
    """How long a claim holds, in milliseconds."""
    return round(chosen.claim_minutes * 60_000)


def slim(asked: Data) -> bool:
    """Whether the short form of a reply is asked for."""
    return asked.get("response_view") == "slim"


def named_agent(asked: Data) -> str:
    """What the agent calls itself."""
    name = asked.get("agent_name")
    return name.strip()[:255] if isinstance(name, str) and name.strip() else UNKNOWN


def may_write(who: Principal) -> bool:
    return who.role.reaches(Role.AGENT)


def require_write(who: Principal, otherwise: str) -> None:
    """Refuse who may only read.

    Raises:
        Refused: `otherwise`, as 403.
    """
    if not may_write(who):
        raise plain(403, otherwise)


def as_member(who: Principal) -> Principal:
    """`who` with the rights over any task of its board that Stride gives to all who may write there."""
    return who if who.is_operator() else replace(who, role=Role.OPERATOR)


def _home(who: Principal) -> str:
    """The one project that Stride calls a token's board."""
    if who.projects is None:
        return DEFAULT_PROJECT
    if not who.projects:
        raise plain(403, "This token is let into no board")
    return min(who.projects)


def _board(project: Project) -> Board:
    return Board(project.name, project.number, project.prefix)


def board_in(unit: Unit, who: Principal) -> Board:
    return _board(the_project(unit, who, _home(who)))


async def board_of(reader: Reader, who: Principal) -> Board:
    return _board(await find_project(reader, who, _home(who)))


def _ref(board: Board, name: str) -> str:
    return name if name.isascii() and name.isdigit() else key_of(board, name)


def task_in(unit: Unit, who: Principal, board: Board, name: str) -> Task:
    """The task of the board with that id or identifier.

    Raises:
        Refused: there is none.
    """
    task = tasks.find(unit, _ref(board, name))
    if task is None or task.bucket.project != board.name or not who.sees(board.name):
        raise no_task()
    return task


async def task_of(reader: Reader, who: Principal, board: Board, name: str) -> Task:
    """The task of the board with that id or identifier.

    Raises:
        Refused: there is none.
    """
    task = await find_task(reader, _ref(board, name), who)
    if task is None or task.bucket.project != board.name:
        raise no_task()
    return task


def shown_in(unit: Unit, board: Board, task: Task) -> Data:
    """The whole of `task` as this unit of work leaves it."""
    return task_data(task, board, around(unit, task), changes.find(unit, task.number) if task.changes else ())


def viewed(data: Data, asked: Data, *, short: Callable[[Data], Data] = row) -> Data:
    """`data` whole, or in its short form if that is asked for."""
    return short(data) if slim(asked) else data


def acked(data: Data, asked: Data) -> Data:
    """`data` whole, or as an acknowledgement if the short form is asked for."""
    return viewed(data, asked, short=ack)


def showing(act: Callable[[Shown | None], T], asked: Data, *hooks: str) -> T:
    """Do `act`; where gates of the deck's own want it, with the proven results of `hooks` that were sent.

    What no gate asks for is looked at and not kept.
    """
    try:
        return act(None)
    except GateUnmet:
        return act(proof(asked, *hooks))


async def do(call: Call, work: Callable[[Unit], Data], status: int = 200) -> web.StreamResponse:
    """Do `work` in one unit of work, and answer with the document it makes."""
    return await call.write(work, lambda document: (status, orjson.dumps(document)))
