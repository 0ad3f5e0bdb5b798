"""Runs as their makers see them: creating, reading, listing, following and cancelling them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
from aiohttp import web

from taskdeck.dialects.veryfront import errors, words
from taskdeck.dialects.veryfront.attempts import Attempt, attempt, the_run, whole
from taskdeck.dialects.veryfront.events import seen_run
from taskdeck.dialects.veryfront.finalizing import TERMINAL_TOKEN, cancel_with_token
from taskdeck.dialects.veryfront.history import lifecycle, merged
from taskdeck.dialects.veryfront.models import AgentRequest, CreateRun, TaskRequest, read, text_of
from taskdeck.dialects.veryfront.shapes import canonical, page_info
from taskdeck.dialects.veryfront.words import NAME
from taskdeck.dialects.veryfront.workers import refuse_worker_token, the_project_of
from taskdeck.domain.claims import Claim
from taskdeck.domain.principal import Role
from taskdeck.domain.project import DEFAULT_PROJECT
from taskdeck.domain.states import TERMINAL, State
from taskdeck.domain.task import Json
from taskdeck.http import cursor
from taskdeck.http.call import Call
from taskdeck.http.reading import PAGE_BYTES, fitting
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import Reply, body
from taskdeck.service.create import create
from taskdeck.service.extra import as_extra
from taskdeck.service.operate import cancel
from taskdeck.service.reads import project_names
from taskdeck.service.requests import NewTask
from taskdeck.store import tasks
from taskdeck.store.claims import claims_of, list_claims
from taskdeck.store.filters import TaskFilter
from taskdeck.store.listing import list_tasks, page
from taskdeck.store.log import entries_by_fence, list_positioned
from taskdeck.store.unit import Unit

routes = RouteTable()

_DEFAULT_LIMIT, _MOST_RUNS, _MOST_EVENTS = 50, 100, 500
_DEFAULT_EVENTS = 100


@routes.add("POST", "/runs", Role.AGENT, success=202)
async def create_run(call: Call) -> web.StreamResponse:
    """Create a task, or find the one that was created under the same public id."""
    refuse_worker_token(call.who, "creates no runs")
    asked = read(CreateRun, call.raw)
    if asked.public_id is not None and words.is_ours(asked.public_id):
        raise errors.invalid("public_id: ids of the form run_1 and run_1.1 are the deck's own")

    def work(unit: Unit) -> dict[str, Any]:
        project, kept = _owner(unit, call, asked)
        wish = _wish(asked, project, kept)
        known = None if asked.public_id is None else tasks.find(unit, words.key_of(asked.public_id))
        if known is not None:
            task, _ = the_run(unit, call.who, asked.public_id or "")
        else:
            (task,) = create(unit, call.who, [wish])
        seen = whole(words.canonical_id(task), task, claims_of(unit, task.number), unit.now)
        return {"accepted": True, "duplicate": known is not None, "run": canonical(seen)}

    return await call.write(work, lambda document: (202, body(document)))


def _owner(unit: Unit, call: Call, asked: CreateRun) -> tuple[str, dict[str, Any]]:
    """The project a new run belongs to, and what is kept of its owner and ids."""
    kept: dict[str, Any] = {"kind": asked.kind, "public_id": asked.public_id, "parent_run_id": asked.parent_run_id}
    if asked.owner.kind == "project":
        return the_project_of(unit, call.who, asked.owner.id), kept
    if not words.SHOWN_UUID.fullmatch(asked.owner.id):
        raise errors.invalid("owner.id: a conversation's id is a UUID of a version from 1 to 8")
    return DEFAULT_PROJECT, kept | {"conversation": asked.owner.id.lower()}


def _wish(asked: CreateRun, project: str, kept: dict[str, Any]) -> NewTask:
    key = None if asked.public_id is None else words.key_of(asked.public_id)
    raw = orjson.dumps(asked.request)
    if asked.kind == "agent":
        agent = read(AgentRequest, raw)
        return NewTask(
            title=_title_of(agent),
            project=project,
            payload=text_of({NAME: _for_agent(agent)}, "request"),
            key=key,
            extra=as_extra(NAME, _given(kept)),
        )
    task = read(TaskRequest, raw)
    more = {name: getattr(task, name) for name in ("batch_id", "timeout_seconds", "backoff_limit")}
    return NewTask(
        title=task.name or task.target,
        project=project,
        payload=_config(task),
        labels=frozenset({task.target}),
        key=key,
        max_attempts=None if task.backoff_limit is None else task.backoff_limit + 1,
        extra=as_extra(NAME, _given(kept | more)),
    )


def _config(task: TaskRequest) -> Json:
    return text_of({} if task.config is None else task.config, "config")


def _for_agent(agent: AgentRequest) -> dict[str, Any]:
    fields = agent.model_dump(exclude={"initial_status", "input", "messages"}, exclude_none=True)
    messages = agent.messages or ([{"role": "user", "content": agent.input}] if agent.input else None)
    return fields if messages is None else fields | {"messages": messages}


def _title_of(agent: AgentRequest) -> str:
    said = " ".join((agent.input or "").replace("\0", "").split())
    return said[:200] or f"Run of {agent.agent_id or 'an agent'}"


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


@routes.add("GET", "/runs/{run_id}", Role.READER)
async def get_canonical(call: Call) -> web.StreamResponse:
    """Show a run, or the whole task it belongs to."""
    return call.json(canonical(await seen_run(call)))


@routes.add("GET", "/projects/{project_reference}/runs", Role.READER)
async def list_runs(call: Call) -> web.StreamResponse:
    """List the tasks of a project as runs, newest first."""
    refuse_worker_token(call.who, "lists no runs")
    limit = _number(call, "limit", _DEFAULT_LIMIT, 1, _MOST_RUNS)
    after = cursor.decode("runs", 1, call.request.query.get("cursor"))
    wanted = TaskFilter(project=await _project(call), projects=call.who.projects)
    found = await list_tasks(call.deck.reader, wanted, "-number", call.deck.order, after, limit + 1)
    shown, more = page(found, limit)
    now = call.deck.clock.now_ms()
    runs = [canonical(whole(words.canonical_id(task), task, (), now)) for task in shown]
    following = cursor.encode("runs", (shown[-1].number,)) if more else None
    return call.json({"data": runs, "page_info": page_info(following)})


async def _project(call: Call) -> str:
    """The name of the project that the path names.

    Raises:
        Problem: there is none that the caller sees.
    """
    reference = call.path("project_reference")
    names = [name for name in await project_names(call.deck.reader) if call.who.sees(name)]
    wanted = words.project_name(reference)
    found = next((name for name in names if wanted == name or words.project_id(name) == reference.lower()), None)
    if found is None:
        raise errors.unknown("project", reference)
    return found


@routes.add("GET", "/runs/{run_id}/events", Role.READER)
async def list_events(call: Call) -> web.StreamResponse:
    """List what was told of a run over all its attempts, oldest first."""
    limit = _number(call, "limit", _DEFAULT_EVENTS, 1, _MOST_EVENTS)
    after = _number(call, "after_event_id", 0, 0, 2**53)
    reader, task = call.deck.reader, (await seen_run(call)).task
    claims = await list_claims(reader, task.number)
    own = lifecycle(task, claims, await entries_by_fence(reader, task.number))
    entries = await list_positioned(reader, task.number, task.fence, after, limit + 1)
    shown, more = page(merged(own, entries, after), limit)
    kept = fitting((len(event.payload) for event in shown), PAGE_BYTES)
    shown, more = shown[:kept], more or kept < len(shown)
    following = str(shown[-1].number) if more else None
    return call.json({"data": [event.document() for event in shown], "page_info": page_info(following)})


def _number(call: Call, name: str, default: int, least: int, most: int) -> int:
    text = call.request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 18 and least <= int(text) <= most):
        raise errors.invalid(f"{name}: a whole number from {least} to {most}")
    return int(text)


@routes.add("POST", "/runs/{run_id}/cancel", Role.AGENT)
async def cancel_run(call: Call) -> web.StreamResponse:
    """Cancel a task, whose holder learns of it at its next call; or, with its terminal token, the run one holds."""
    if TERMINAL_TOKEN in call.request.headers:
        return await cancel_with_token(call)
    refuse_worker_token(call.who, "cancels no runs")
    text = call.path("run_id")

    def work(unit: Unit) -> dict[str, Any]:
        task, fence = the_run(unit, call.who, text)
        claims = claims_of(unit, task.number)
        if task.state not in TERMINAL and fence in (None, task.fence):
            cancel(unit, call.who, task.key)
            return {"cancelled": True, "run": canonical(Attempt(text, task, _last(claims, unit.now), "cancelled"))}
        seen = whole(text, task, claims, unit.now) if fence is None else attempt(text, task, fence, claims, unit.now)
        return {"cancelled": seen.status == State.CANCELLED, "run": canonical(seen)}

    return await call.write(work, _reply)


def _last(claims: list[Claim], now: int) -> Claim | None:
    """The last claim, ended now if it went on until now."""
    if not claims:
        return None
    last = claims[-1]
    return last if last.end is not None else replace(last, end="cancelled", ended_at=now)


def _reply(document: dict[str, Any]) -> Reply:
    return 200, body(document)
