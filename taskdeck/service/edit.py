"""edit: changing what a task says or asks for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from taskdeck.domain.errors import Conflict, Forbidden, Invalid, WrongState
from taskdeck.domain.gates import before_claim, gates_from
from taskdeck.domain.people import directs
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import UNSTARTED, State, Verb, waiting_state
from taskdeck.domain.task import Json, Kind, Task
from taskdeck.domain.view import holder_view
from taskdeck.service.awaiting import keys_of, sorted_out
from taskdeck.service.change import change
from taskdeck.service.create import open_pairs, resolve_parents
from taskdeck.service.cycles import refuse_cycle
from taskdeck.service.fence import held_task
from taskdeck.service.find import require_version, the_project, the_task
from taskdeck.service.heartbeat import renewal
from taskdeck.service.requests import Edit
from taskdeck.service.unblock import finish_settled, held_up
from taskdeck.store import buckets, dependencies
from taskdeck.store.unit import Unit

PLAIN = frozenset(
    {
        "title",
        "description",
        "priority",
        "payload",
        "metadata",
        "files",
        "due",
        "max_attempts",
        "backoff_ms",
        "backoff_cap_ms",
        "review",
        "gates",
        "extra",
    }
)
"""Fields that are set as they come."""
MATCHED = frozenset({"project", "labels", "capabilities", "gates"})
"""Fields that decide who may have the task."""
TIMED = frozenset({"depends_on", "awaits", "not_before"})
"""Fields that decide when it may be had."""
HOLDERS = frozenset({"description", "metadata"})
"""Fields that a holder may change under its fence; the rest is the operators'."""


def edit(unit: Unit, who: Principal, ref: str, wish: Edit) -> Task:
    """Change the fields named in `wish`, all or none. A live fence given with it renews the lease.

    Raises:
        VersionConflict: the task is not at the version the caller expects.
        NotFound: it is to move to a project that is not there.
        Conflict: it is to move, and has a unique key (`unique_key_taken`).
        Forbidden: an agent edits what it neither holds nor directs, or more than it may.
        WrongState: when it may be had is changed while it is held or after it has ended.
        Invalid: the change makes no sense (attempts, dependencies).
    """
    task = the_task(unit, who, ref) if wish.fence is None else held_task(unit, who, ref, wish.fence)
    _refuse_beyond_rights(who, task, wish)
    require_version(task.key, task.version, wish.version, holder=holder_view(task))
    fields: dict[str, Any] = {name: value for name, value in wish.fields.items() if name in PLAIN}
    if "due" in fields:
        fields["overdue_at"] = None
    if wish.fields.keys() & MATCHED:
        project = the_project(unit, who, cast("str", wish.fields.get("project", task.bucket.project))).name
        if project != task.bucket.project:
            _refuse_move(task)
        fields["bucket"] = buckets.intern(
            unit,
            project,
            cast("Iterable[str]", wish.fields.get("labels", task.bucket.labels)),
            cast("Iterable[str]", wish.fields.get("capabilities", task.bucket.capabilities)),
            task.bucket.assignee,
            before_claim(cast("Json | None", wish.fields.get("gates", task.gates))),
        )
    if wish.fields.keys() & TIMED:
        fields |= _timing(unit, who, task, wish.fields)
    _refuse_spent(task, fields)
    if wish.fence is not None:
        fields |= renewal(unit, task)
    if fields:
        change(unit, task, Verb.EDIT, who.name, fields)
        finish_settled(unit, task)
    return task


def _refuse_move(task: Task) -> None:
    if task.unique_key is not None:
        raise Conflict(
            f"{task.key} has a unique key, which holds in its project alone",
            hint="Make it anew in the other project.",
            code="unique_key_taken",
        )


def _refuse_beyond_rights(who: Principal, task: Task, wish: Edit) -> None:
    if who.is_operator():
        return
    if directs(who, task):
        if "gates" in wish.fields:
            _refuse_looser(who, task, cast("Json | None", wish.fields["gates"]))
        return
    beyond = sorted(wish.fields.keys() - HOLDERS)
    if wish.fence is None or beyond:
        raise Forbidden(
            f"{who.name} may not change {', '.join(beyond)}" if beyond else f"{who.name} edits without a fence",
            hint=f"A holder may change {' and '.join(sorted(HOLDERS))}, giving its fence; an operator the rest.",
        )


def _refuse_looser(who: Principal, task: Task, gates: Json | None) -> None:
    """Refuse to take a gate away, which is for operators."""
    kept = set() if gates is None else set(gates_from(gates))
    if task.gates is not None and not kept.issuperset(gates_from(task.gates)):
        raise Forbidden(
            f"{who.name} may not take a gate of {task.key} away",
            hint="Keep those it has and add to them, or ask an operator.",
        )


def _timing(unit: Unit, who: Principal, task: Task, wanted: dict[str, object]) -> dict[str, Any]:
    if task.state not in UNSTARTED:
        raise WrongState(
            f"{task.key} is {task.state}; when it may be had is changed only while it waits",
            hint="Take it back first, or retry it if it has ended.",
            holder=holder_view(task),
        )
    fields: dict[str, Any] = {}
    if wanted.keys() & {"depends_on", "awaits"}:
        fields = _dependencies(unit, who, task, wanted)
    not_before = cast("int | None", wanted.get("not_before", task.not_before))
    blocked = task.kind == Kind.GOAL or held_up(unit, task.number, fields.get("awaits", task.awaits))
    fields["not_before"] = not_before
    if task.state is not State.BACKLOG:
        fields["state"] = waiting_state(blocked=blocked, not_before=not_before, now=unit.now)
    return fields


def _dependencies(unit: Unit, who: Principal, task: Task, wanted: dict[str, object]) -> dict[str, Any]:
    refs = cast("Iterable[str]", wanted.get("depends_on", task.depends_on))
    before = keys_of(task.awaits)
    there, missing = sorted_out(unit, who, cast("list[str]", wanted.get("awaits", before)))
    parents = resolve_parents(unit, who, (*refs, *there))
    refuse_cycle(unit, task, parents)
    dependencies.replace(unit, task.number, open_pairs(parents))
    dependencies.await_missing(unit, task.number, before, keys_of(missing))
    return {"depends_on": tuple(parent.key for parent in parents), "awaits": missing}


def _refuse_spent(task: Task, fields: dict[str, Any]) -> None:
    allowed = fields.get("max_attempts", task.max_attempts)
    needed = task.attempt + 1 if task.state in UNSTARTED or task.lapsed else max(task.attempt, 1)
    if allowed < needed:
        raise Invalid(
            f"{task.key} has used {task.attempt} attempts; max_attempts must be at least {needed}",
            hint="Cancel the task if it is not to be tried again.",
            field="max_attempts",
        )
