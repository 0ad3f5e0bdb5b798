"""Routes of schedules: tasks that are made again and again."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.principal import Role
from taskdeck.domain.schedule import Schedule, next_ticks, schedule_view
from taskdeck.http.call import Call
from taskdeck.http.models import Nothing
from taskdeck.http.project_models import Pause
from taskdeck.http.routes import RouteTable
from taskdeck.http.schedule_models import CreateSchedule, EditSchedule, ScheduleQuery
from taskdeck.http.wire import Reply, body
from taskdeck.service.schedules import (
    create_schedule,
    delete_schedule,
    edit_schedule,
    pause_schedule,
    resume_schedule,
    unknown_schedule,
)
from taskdeck.store.schedules import list_schedules, read_schedule, recent_ticks
from taskdeck.store.unit import Unit

routes = RouteTable()


def _shown(schedule: Schedule, now: int) -> dict[str, Any]:
    paused = schedule.paused_at is not None
    return {**schedule_view(schedule), "next_ticks": [] if paused else next_ticks(schedule, now)}


def _render(call: Call, status: int = 200) -> Any:
    def render(schedule: Schedule) -> Reply:
        return status, body(_shown(schedule, call.deck.clock.now_ms()))

    return render


@routes.add("GET", "/v1/schedules", Role.READER, query=ScheduleQuery)
async def get_schedules(call: Call) -> web.StreamResponse:
    """List the schedules."""
    found = await list_schedules(call.deck.reader, call.params(ScheduleQuery).project)
    return call.json({"schedules": [schedule_view(one) for one in found if call.who.sees(one.project)]})


@routes.add("POST", "/v1/schedules", Role.OPERATOR, body=CreateSchedule, success=201)
async def post_schedule(call: Call) -> web.StreamResponse:
    """Make a task again and again."""
    asked = call.body(CreateSchedule)

    def work(unit: Unit) -> Schedule:
        wish = Schedule(
            name=asked.name,
            project=asked.project,
            said=asked.when,
            zone=asked.zone,
            template_json=asked.task.json_text(),
            catch_up=asked.catch_up,
            overlap=asked.overlap,
            starts_at=unit.now if asked.starts_at is None else asked.starts_at,
            next_at=None,
            last_task=None,
            paused_at=None,
            paused_by=None,
            pause_reason=None,
            created_by=call.who.name,
            created_at=unit.now,
        )
        return create_schedule(unit, call.who, wish)

    return await call.write(work, _render(call, 201))


@routes.add("GET", "/v1/schedules/{name}", Role.READER)
async def get_schedule(call: Call) -> web.StreamResponse:
    """Show a schedule with its next ticks and what came of the last ones."""
    name = call.path("name")
    schedule = await read_schedule(call.deck.reader, name)
    if schedule is None or not call.who.sees(schedule.project):
        raise unknown_schedule(name)
    ticks = [
        {"tick": rfc3339(tick), "outcome": outcome, "task": task}
        for tick, outcome, task in await recent_ticks(call.deck.reader, name)
    ]
    return call.json({**_shown(schedule, call.deck.clock.now_ms()), "recent": ticks})


@routes.add("PATCH", "/v1/schedules/{name}", Role.OPERATOR, body=EditSchedule)
async def patch_schedule(call: Call) -> web.StreamResponse:
    """Change a schedule; its ticks are reckoned anew from now on."""
    name, asked = call.path("name"), call.body(EditSchedule)
    return await call.write(
        lambda unit: edit_schedule(unit, call.who, name, asked.fields(), asked.version), _render(call)
    )


@routes.add("DELETE", "/v1/schedules/{name}", Role.OPERATOR)
async def remove_schedule(call: Call) -> web.StreamResponse:
    """Forget a schedule; the tasks it made stay."""
    name = call.path("name")
    return await call.write(
        lambda unit: delete_schedule(unit, call.who, name), lambda gone: (200, body({"deleted": gone.name}))
    )


@routes.add("POST", "/v1/schedules/{name}/pause", Role.OPERATOR, body=Pause)
async def stop_schedule(call: Call) -> web.StreamResponse:
    """Let its ticks make nothing until it is resumed."""
    name, asked = call.path("name"), call.body(Pause)
    return await call.write(lambda unit: pause_schedule(unit, call.who, name, asked.reason), _render(call))


@routes.add("POST", "/v1/schedules/{name}/resume", Role.OPERATOR, body=Nothing)
async def restart_schedule(call: Call) -> web.StreamResponse:
    """Let its ticks make tasks again, from now on."""
    name = call.path("name")
    return await call.write(lambda unit: resume_schedule(unit, call.who, name), _render(call))
