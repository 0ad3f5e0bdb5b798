"""The deck as a whole: health, stats, usage, and what needs a human."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import orjson
from aiohttp import web

from taskdeck import __version__
from taskdeck.dialects.delega.replies import views
from taskdeck.dialects.delega.standing import readable, scope_of
from taskdeck.dialects.delega.wire import route, table
from taskdeck.dialects.delega.words import day_of, due_of, midnight, moment, project_said
from taskdeck.domain.principal import Role
from taskdeck.domain.states import OPEN, State
from taskdeck.domain.task import Task
from taskdeck.domain.webhook import MAX_WEBHOOKS
from taskdeck.http.call import Call
from taskdeck.http.routes import PUBLIC
from taskdeck.service.reads import counts_by_project
from taskdeck.store import attention as places
from taskdeck.store.filters import TaskFilter
from taskdeck.store.listing import count_tasks, made_since
from taskdeck.store.ordered import count
from taskdeck.store.principals import list_principals
from taskdeck.store.projects import descriptions

MAX_CONTENT = 2_000
SILENT_S = 600
"""A holder that was not heard of for so long is silent."""
SOON_DAYS = 7
_SHOWN = 50
"""Tasks of a bucket that needs attention; clients show 20."""
_LOOKED_AT = 500
_OPEN = tuple(state for state in State if state in OPEN)

Counts = dict[str, dict[State, int]]


@table.add("GET", "/health", PUBLIC)
@table.add("GET", "/api/health", PUBLIC)
@table.add("GET", "/v1/health", PUBLIC)
async def health(call: Call) -> web.StreamResponse:
    """Say that the server lives."""
    now = moment(call.deck.clock.now_ms())
    return call.json({"status": "ok", "ok": True, "service": "taskdeck", "version": __version__, "timestamp": now})


@route("GET", "/stats", Role.READER)
async def get_stats(call: Call) -> web.StreamResponse:
    """Count the caller's tasks."""
    await call.deck.catch_up()
    wanted = _scoped(call)
    today = day_of(call.deck.clock.now_ms())
    counts = await _counts(call, wanted)
    states = {state: sum(kinds.get(state, 0) for kinds in counts.values()) for state in State}
    total, done = sum(states.values()), states[State.DONE]
    pending = sum(states[state] for state in _OPEN)
    agents = await list_principals(call.deck.reader)
    active = {token.principal.name for token in call.deck.keyring.all() if token.valid(call.deck.clock.now_ms())}
    finished = replace(wanted, states=(State.DONE,), finished_after=midnight(today))
    return call.json(
        {
            "total": total,
            "total_tasks": total,
            "pending_tasks": pending,
            "completed_tasks": done,
            "total_completed": done,
            "completed_today": await count(call.deck.reader, finished),
            "due_today": await _due(call, wanted, today, today),
            "overdue": await _due(call, wanted, None, today - timedelta(days=1)),
            "upcoming": await _due(call, wanted, today + timedelta(days=1), today + timedelta(days=SOON_DAYS)),
            "claimed": states[State.CLAIMED],
            "total_agents": len(agents),
            "active_agents": sum(known.principal.name in active for known in agents),
            "by_project": _by_project(counts, await descriptions(call.deck.reader, counts)),
        }
    )


def _by_project(counts: Counts, called: Mapping[str, str]) -> dict[str, int]:
    """Open tasks by what their projects are called."""
    found: Counter[str] = Counter()
    for name, kinds in counts.items():
        if waiting := sum(kinds.get(state, 0) for state in _OPEN):
            found["Inbox" if project_said(name) is None else called.get(name) or name] += waiting
    return dict(found)


def _scoped(call: Call) -> TaskFilter:
    return TaskFilter(projects=call.who.projects, concerning=scope_of(call.who))


async def _counts(call: Call, wanted: TaskFilter) -> Counts:
    """By project and state: kept for the whole deck, counted for what concerns one agent."""
    if wanted.concerning is not None:
        return await count_tasks(call.deck.reader, wanted)
    kept = await counts_by_project(call.deck.reader)
    return {
        name: {state: kinds.get(state, 0) for state in State} for name, kinds in kept.items() if call.who.sees(name)
    }


async def _due(call: Call, wanted: TaskFilter, first: date | None, last: date) -> int:
    """How many open tasks are due from one day to another."""
    after = None if first is None else midnight(first) + 1
    window = replace(wanted, states=_OPEN, due_after=after, due_before=due_of(last) + 1)
    return await count(call.deck.reader, window)


@route("GET", "/usage", Role.READER)
async def get_usage(call: Call) -> web.StreamResponse:
    """Say what there is, and that it is not limited as on a hosted plan."""
    today = day_of(call.deck.clock.now_ms())
    month = today.replace(day=1)
    after = (month + timedelta(days=31)).replace(day=1)
    webhooks = call.deck.webhooks.all()
    return call.json(
        {
            "plan": "self-hosted",
            "task_count_month": await made_since(call.deck.reader, midnight(month)),
            "task_limit": None,
            "reset_date": after.isoformat(),
            "agent_count": len(await list_principals(call.deck.reader)),
            "agent_limit": None,
            "webhook_count": len(webhooks),
            "webhook_limit": MAX_WEBHOOKS,
            "project_count": len(await counts_by_project(call.deck.reader)),
            "project_limit": None,
            "max_content_chars": MAX_CONTENT,
        }
    )


@route("GET", "/fleet/attention", Role.READER)
async def get_attention(call: Call) -> web.StreamResponse:
    """List what needs a human, by reason."""
    await call.deck.catch_up()
    now = call.deck.clock.now_ms()
    silent = [w.id for w in await places.workers(call.deck.reader) if now - w.last_seen_at >= SILENT_S * 1000]
    buckets = {
        "abandoned_claims": await _look(call, places.LAPSED),
        "silent_holders": await _look(call, places.HELD, orjson.dumps(silent).decode()),
        "errored": await _look(call, places.ERRORED),
        "waiting_input": await _look(call, places.WAITING),
        "overdue": await _look(call, places.OVERDUE, midnight(day_of(now)) + 1),
        "looping": await _look(call, places.LOOPING),
    }
    shown = {name: await views(call.deck.reader, found) for name, found in buckets.items()}
    count = len({task["id"] for listed in shown.values() for task in listed})
    return call.json({"count": count, "buckets": shown})


async def _look(call: Call, place: places.Place, *values: Any) -> list[Task]:
    """The first tasks found there that the caller sees."""
    found = await places.look(call.deck.reader, place, values, call.who.projects, _LOOKED_AT)
    return [task for task in found if readable(task, call.who)][:_SHOWN]
