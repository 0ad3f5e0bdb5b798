"""What becomes of an event from outside: a task, nothing, or the task there already is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from taskdeck.domain.errors import Invalid
from taskdeck.domain.places import MISSING, fill, fill_in, look_up
from taskdeck.domain.source import UNTRUSTED, Source
from taskdeck.domain.states import TERMINAL
from taskdeck.domain.task import DEFAULT_PRIORITY, MAX_PRIORITY, Task
from taskdeck.service.create import create
from taskdeck.service.requests import NewTask
from taskdeck.service.sources import unknown_source
from taskdeck.store import sources, tasks
from taskdeck.store.unit import Unit

MAX_TITLE, MAX_DESCRIPTION, MAX_LABEL, MAX_LABELS, MAX_ABOUT = 500, 100_000, 128, 32, 500
MAX_PAYLOAD = 256 * 1024
_LOOKED_AT = 2
"""How many remembered tasks are looked at with each new one, whether they have ended."""


class Became(StrEnum):
    """What became of an event."""

    CREATED = "created"
    EXISTS = "exists"
    REPEATED = "repeated"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Wish:
    """The task an event asks for, and what it is about, so that it need not be made twice."""

    task: NewTask
    about: str | None


def wish_of(source: Source, identity: str, document: Any) -> Wish | None:
    """The task that an event asks for; None if the source's filters do not admit it.

    Raises:
        Invalid: the payload it would have is too large.
    """
    if not all(one.admits(document) for one in source.filters):
        return None
    template = source.template
    task = NewTask(
        title=fill(template["title"], document, MAX_TITLE) or f"event of {source.name}",
        project=source.project,
        description=fill(template.get("description", ""), document, MAX_DESCRIPTION),
        priority=_priority(template.get("priority", DEFAULT_PRIORITY), document),
        assignee=template.get("assignee"),
        labels=_labels(template.get("labels", ()), document),
        capabilities=frozenset(template.get("capabilities", ())),
        payload=_payload(fill_in(template["payload"], document) if "payload" in template else document),
        metadata=json.dumps({"source": source.name, "delivery": identity, UNTRUSTED: True}),
    )
    about = fill(source.unique, document, MAX_ABOUT) if source.unique else ""
    return Wish(task, about or None)


def take(unit: Unit, name: str, identity: str, wish: Wish) -> tuple[Became, Task | None]:
    """Make the task of an event, unless the event was here before or its thing has a task that lives.

    An event that was here before answers with its task, or None if that was deleted.

    Raises:
        NotFound: the source was removed meanwhile.
    """
    source = sources.get(unit, name)
    if source is None:
        raise unknown_source(name)
    before = sources.arrived(unit, name, identity)
    if before is not None:
        return Became.REPEATED, tasks.by_number(unit, before)
    living = None if wish.about is None else _living(unit, name, wish.about)
    if living is not None:
        sources.note_arrival(unit, name, identity, living.number)
        return Became.EXISTS, living
    (task,) = create(unit, source.principal, [wish.task])
    sources.note_arrival(unit, name, identity, task.number)
    if wish.about is not None:
        sources.note_task(unit, name, wish.about, task.number)
        _forget_ended(unit)
    return Became.CREATED, task


def _living(unit: Unit, source: str, about: str) -> Task | None:
    number = sources.task_about(unit, source, about)
    task = None if number is None else tasks.by_number(unit, number)
    return None if task is None or task.state in TERMINAL else task


def _forget_ended(unit: Unit) -> None:
    """Look at the tasks longest not looked at, so that what is remembered does not grow with those that ended."""
    for source, about, number in sources.longest_unseen(unit, _LOOKED_AT):
        if _living(unit, source, about) is None:
            sources.forget_task(unit, source, about)
        else:
            sources.note_task(unit, source, about, number)


def _labels(templates: Any, document: Any) -> frozenset[str]:
    """The labels; what cannot be one is left out, so that an odd event is not lost for it."""
    filled = (fill(template, document, MAX_LABEL).strip() for template in templates)
    labels = [label for label in filled if label and label.isprintable()]
    return frozenset([UNTRUSTED, *labels][:MAX_LABELS])


def _priority(template: Any, document: Any) -> int:
    """A number, or what a table says of the value at a path; without an entry, a number there counts itself."""
    if isinstance(template, int):
        return template
    found = look_up(document, template["path"])
    key = found if isinstance(found, str) else json.dumps(None if found is MISSING else found)
    if key in template["map"]:
        return int(template["map"][key])
    if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= MAX_PRIORITY:
        return found
    return int(template["default"])


def _payload(document: Any) -> str:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > MAX_PAYLOAD:
        raise Invalid(
            f"the payload made of the event is larger than {MAX_PAYLOAD} bytes",
            hint="Choose less of the event in the source's template.",
        )
    return text
