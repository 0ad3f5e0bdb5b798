"""Methods of instances: register, heartbeat, unregister, and looking after those that are silent."""

from __future__ import annotations

from taskdeck.dialects.claudebench.breakers import Trip
from taskdeck.dialects.claudebench.methods import Ask, Methods
from taskdeck.dialects.claudebench.params import CheckHealth, Heartbeat, Register, Unregister
from taskdeck.dialects.claudebench.words import NAME, PENDING, STATES, STATUS, Document
from taskdeck.domain.principal import Principal
from taskdeck.domain.task import Task
from taskdeck.service.leave import leave
from taskdeck.service.operate import assign
from taskdeck.service.workers import delete_worker, drain_worker, register_worker, worker_heartbeat
from taskdeck.store import tasks
from taskdeck.store.filters import TaskFilter
from taskdeck.store.ordered import Wanted, list_page
from taskdeck.store.unit import Unit
from taskdeck.store.workers import held

methods = Methods()

HEARTBEAT_MS = 15_000
"""How often the deck expects to hear of an instance: twice in its lease."""
AT_ONCE = 1_000
"""How many tasks that are kept for an instance are let go in one transaction."""
_REDISTRIBUTES = "worker-"
"""How the ids of instances begin that the original moves tasks to."""


@methods.add(
    "system.register",
    Register,
    about="Register an instance",
    limit=100,
    timeout_ms=5_000,
    trip=Trip(5, 30_000),
    otherwise={"registered": False},
    label=10,
)
async def register(ask: Ask, asked: Register) -> Document:
    presence = ask.house.presence
    about = {"roles": asked.roles} | asked.metadata.model_dump(include=asked.metadata.model_fields_set)
    said: Document = {"id": asked.id, "roles": asked.roles}
    again = True

    def work(unit: Unit) -> Document:
        nonlocal again
        since = len(unit.events)
        register_worker(unit, ask.who, asked.id, heartbeat_ms=HEARTBEAT_MS, roles=frozenset(asked.roles), extra=about)
        drain_worker(unit, ask.who, asked.id, draining=False)
        said["becameLeader"] = presence.lead(asked.id, unit.mirror.workers, unit.now)
        presence.register(asked.id, unit.now)
        for event in unit.events[since:]:
            if event.type == "worker.registered":
                event.facts[NAME] = said
                again = False
        return {"registered": True}

    answer: Document = await ask.write(work)
    if again:  # nothing that the deck's log is told of has changed
        now = ask.deck.clock.now_ms()
        ask.house.tell("instance.registered", said | {"timestamp": now}, now, ask.deck.bus.last_seq)
    return answer


@methods.add(
    "system.heartbeat",
    Heartbeat,
    about="Simple heartbeat check",
    limit=1_000,
    timeout_ms=2_000,
    trip=Trip(20, 10_000),
    otherwise={"alive": False},
    label=1_000,
)
async def heartbeat(ask: Ask, asked: Heartbeat) -> Document:
    presence, name = ask.house.presence, asked.instanceId

    def work(unit: Unit) -> Document:
        if presence.here(name, unit.mirror.workers, unit.now) is None:
            return {"alive": False}
        worker_heartbeat(unit, ask.who, name)
        presence.beat(name, unit.now)
        return {"alive": True}

    answer: Document = await ask.write(work)
    return answer


async def tasks_of(ask: Ask, name: str) -> list[Task]:
    """What the instance holds or alone may have, at most `AT_ONCE` tasks."""
    unfinished = STATES["pending"] + STATES["in_progress"]
    wanted = Wanted(TaskFilter(states=unfinished), "number", False, 0, AT_ONCE, whose=name)
    found, _ = await ask.read(list_page(ask.deck.reader, wanted))
    return found


@methods.add(
    "system.unregister",
    Unregister,
    about="Clean up an instance when its session ends",
    limit=50,
    timeout_ms=5_000,
    trip=Trip(5, 30_000),
    otherwise={"unregistered": False, "tasksReassigned": 0},
    label=10,
)
async def unregister(ask: Ask, asked: Unregister) -> Document:
    name, count, gone = asked.instanceId, 0, False
    while not gone:
        # what it holds is its own to give back; that others may have what is kept for it is for operators to say
        numbers = [task.number for task in await tasks_of(ask, name)] if ask.who.is_operator() else []

        def work(unit: Unit, numbers: list[int] = numbers, before: int = count) -> tuple[int, bool]:
            if name not in unit.mirror.workers:
                return before, True
            _, given_back = leave(unit, ask.who, name)
            freed = before + len(given_back) + _let_go(unit, ask.who, name, numbers, given_back)
            if held(unit, name) or len(numbers) == AT_ONCE:
                return freed, False
            since = len(unit.events)
            delete_worker(unit, ask.who, name)
            sent = int(asked.timestamp) if asked.timestamp.is_integer() else asked.timestamp
            said = {"sessionId": asked.sessionId, "timestamp": sent, "tasksReassigned": freed}
            unit.events[since].facts[NAME] = said
            ask.house.presence.leave(name)
            return freed, True

        count, gone = await ask.in_time(ask.deck.write(work, long=True))
    return {"unregistered": True, "tasksReassigned": count}


def _let_go(unit: Unit, who: Principal, name: str, numbers: list[int], told: list[str]) -> int:
    """Let anyone have those tasks that are still kept for the instance; how many there are beside those `told`."""
    count = 0
    for number in numbers:
        task = tasks.by_number(unit, number)
        if task is not None and task.bucket.assignee == name and STATUS[task.state] == PENDING:
            assign(unit, who, task.key, None)
            if task.key in told:
                unit.events[-1].facts[NAME] = None
            else:
                count += 1
    return count


@methods.add("system.check_health", CheckHealth, about="Check instance health and handle failures", label=100)
async def check_health(ask: Ask, asked: CheckHealth) -> Document:
    presence = ask.house.presence

    def look(unit: Unit) -> tuple[list[str], list[str]]:
        healthy, silent = [], []
        for name, one in presence.all_here(unit.mirror.workers, unit.now):
            if unit.now - one.seen_at > asked.timeout:
                silent.append(name)
            elif not unit.mirror.workers[name].draining:
                healthy.append(name)
        return healthy, silent

    healthy, silent = await ask.in_time(ask.deck.write(look))
    heirs = any(name.startswith(_REDISTRIBUTES) for name in healthy)
    counts = {name: len(await tasks_of(ask, name)) if heirs else 0 for name in silent}

    def mark(unit: Unit) -> None:
        for name in silent:
            one = presence.here(name, unit.mirror.workers, unit.now)
            if one is None or unit.mirror.workers[name].draining:
                continue
            since = len(unit.events)
            drain_worker(unit, ask.who, name)
            unit.events[since].facts[NAME] = {"lastSeen": one.seen_at, "tasksReassigned": counts[name]}

    await ask.in_time(ask.deck.write(mark, long=True))
    return {"healthy": healthy, "failed": silent, "reassigned": {name: n for name, n in counts.items() if n}}
