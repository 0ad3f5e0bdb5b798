"""What is known about a task: adding to its context, and taking a word back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import orjson

from taskdeck.domain.context import (
    MAX_CONTEXT,
    MAX_ENTRIES,
    MAX_KEYS,
    MAX_LEDGER,
    Act,
    Context,
    Entry,
    Source,
    merged,
)
from taskdeck.domain.errors import Invalid, NotFound, TooMany
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.task import Json, Task
from taskdeck.service.aside import leave_event
from taskdeck.service.find import require_version, the_task
from taskdeck.store import contexts
from taskdeck.store.unit import Unit

Known = tuple[Context, list[Entry]]
"""A context, and the newest entry of each key that set it."""
_Said = tuple[str, Act, Json | None]
"""A key, what is done to it, and the value it is set to."""


def change_context(
    unit: Unit,
    who: Principal,
    ref: str,
    patch: dict[str, Any],
    *,
    remove: Iterable[str] = (),
    source: Source = Source.INFERRED,
    version: int | None = None,
) -> Known:
    """Lay `patch` over the context of the task `ref` (see `domain.context.merged`) and take the keys `remove` away.

    Every key that is named at the top gets an entry in the ledger, also where its value stays the same: somebody
    else, or with better reason, stands behind it then. Naming none, or only missing ones to remove, changes nothing.

    Raises:
        NotFound: there is no such task.
        VersionConflict: its context is not at `version`; `more` says at which it is, and what it says.
        Forbidden: an agent speaks for a human, or for what it was imported from.
        Invalid: the context would be too large or too deep, or a key is both stated and removed.
        TooMany: its ledger is full.
    """
    task = the_task(unit, who, ref)
    _refuse_borrowed_voice(who, source)
    known = contexts.find(unit, task.number)
    _refuse_other_version(task, known, version)
    wanted = set(remove)
    if both := sorted(wanted & patch.keys()):
        raise Invalid(f"{both[0]!r} is both stated and to be removed", hint="Do one of them.", field="remove")
    gone = sorted(wanted & known.document.keys())
    if not patch and not gone:
        return known, contexts.newest(unit, task.number, known.version)
    document = {key: value for key, value in merged(known.document, patch).items() if key not in wanted}
    _refuse_large(document)
    entries: list[_Said] = [(key, Act.SET, orjson.dumps(document[key]).decode()) for key in patch]
    entries += [(key, Act.REMOVED, None) for key in gone]
    fresh = _entered(unit, who, task, replace(known, document=document, version=known.version + 1), source, entries)
    facts = {"version": fresh.version, "source": source, "keys": list(patch), "removed": gone}
    leave_event(unit, who, task, "task.context_changed", facts)
    return fresh, contexts.newest(unit, task.number, fresh.version)


def retract(unit: Unit, who: Principal, ref: str, key: str, *, source: Source = Source.INFERRED) -> Known:
    """Take back the word that stands behind `key`. The context keeps the value and its version.

    Raises:
        NotFound: there is no such task, or nobody stands behind that key (`unknown_key`).
        Forbidden, TooMany: see `change_context`.
    """
    task = the_task(unit, who, ref)
    _refuse_borrowed_voice(who, source)
    if contexts.last_act(unit, task.number, key) is not Act.SET:
        raise NotFound(
            f"nobody stands behind {key[:80]!r} in the context of {task.key}",
            hint=f"GET /v1/tasks/{task.key}/context shows who stands behind what.",
            code="unknown_key",
        )
    known = contexts.find(unit, task.number)
    known = _entered(unit, who, task, known, source, [(key, Act.RETRACTED, None)])
    facts = {"version": known.version, "source": source, "key": key}
    leave_event(unit, who, task, "task.context_retracted", facts)
    return known, contexts.newest(unit, task.number, known.version)


def _refuse_borrowed_voice(who: Principal, source: Source) -> None:
    if source in (Source.STATED, Source.IMPORTED):
        who.require(Role.OPERATOR, f"saying that something was {source}")


def _refuse_other_version(task: Task, known: Context, version: int | None) -> None:
    require_version(
        f"the context of {task.key}", known.version, version, more={"version": known.version, "context": known.document}
    )


def _refuse_large(document: dict[str, Any]) -> None:
    size = len(orjson.dumps(document))
    if size > MAX_CONTEXT:
        raise Invalid(
            f"the context would take {size} bytes; the limit is {MAX_CONTEXT}",
            hint="Remove what is of no use any more; attach large documents.",
            field="patch",
        )
    if len(document) > MAX_KEYS:
        raise Invalid(
            f"the context would have {len(document)} keys; the limit is {MAX_KEYS}",
            hint="Remove what is of no use any more, or state related things in one object.",
            field="patch",
        )


def _entered(
    unit: Unit,
    who: Principal,
    task: Task,
    context: Context,
    source: Source,
    entries: list[_Said],
) -> Context:
    """Write `context` with these further entries in its ledger; return it with them counted in."""
    added = sum(len(value.encode()) for _, _, value in entries if value is not None)
    context = replace(context, entries=context.entries + len(entries), ledger_bytes=context.ledger_bytes + added)
    if context.entries > MAX_ENTRIES or context.ledger_bytes > MAX_LEDGER:
        raise TooMany(
            f"the ledger of {task.key} would have {context.entries} entries of {context.ledger_bytes} bytes;"
            f" {MAX_ENTRIES} of {MAX_LEDGER} are the most",
            hint="It is never rewritten. Attach what changes often, or go on in another task.",
        )
    contexts.save(unit, task.number, context)
    for key, act, value in entries:
        contexts.append(unit, task.number, context.version, key, act, value, source, who.name)
    return context
