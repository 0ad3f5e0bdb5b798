"""Forms: keeping them, filling them in step by step, and completing what has one."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import orjson

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import Conflict, FormInvalid, NotFound, TooMany
from taskdeck.domain.events import Event
from taskdeck.domain.forms import MAX_DRAFT, MAX_TAGS, MAX_VERSIONS, Form, check_output, check_schema
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import State, Verb
from taskdeck.domain.task import Json, Task
from taskdeck.service.change import change
from taskdeck.service.fence import held_task, unheld_task
from taskdeck.service.heartbeat import renewal
from taskdeck.store import forms
from taskdeck.store.runner import Elsewhere
from taskdeck.store.unit import Unit


def form_view(form: Form) -> dict[str, Any]:
    """The public shape of a form."""
    return {
        "name": form.name,
        "version": form.version,
        "schema": orjson.Fragment(form.schema),
        "layout": orjson.Fragment(form.layout),
        "created_by": form.created_by,
        "created_at": rfc3339(form.created_at),
        "updated_by": form.updated_by,
        "updated_at": rfc3339(form.updated_at),
    }


def save_form(
    unit: Unit, who: Principal, name: str, version: int | None, schema: Json, layout: Json, *, author: str | None = None
) -> Form:
    """Keep a form: as its next version, or in the place of `version`. `author` is who it is by, if not `who`.

    Raises:
        Invalid: the schema cannot be used.
        Conflict: it has too many versions (`too_many_versions`).
    """
    check_schema(schema)
    newest = forms.find(unit, name, None)
    number = version or (newest.version + 1 if newest else 1)
    if number > MAX_VERSIONS:
        raise Conflict(
            f"{number} would be version {number:,} of {name}; {MAX_VERSIONS:,} are the most",
            hint="Replace one of its versions, or choose another name.",
            code="too_many_versions",
        )
    known = forms.find(unit, name, number)
    by = author or who.name
    born = (known.created_by, known.created_at) if known else (by, unit.now)
    form = Form(name, number, schema, layout, *born, by, unit.now)
    forms.save(unit, form)
    unit.append(Event(unit.now, "form.saved", who.name, changes=form_view(form)))
    return form


def delete_form(unit: Unit, who: Principal, name: str, version: int) -> Form:
    """Remove a version of a form. Tasks that have it are not looked at any more when they are completed.

    Raises:
        NotFound: there is no such form.
    """
    form = the_form(unit, name, version)
    forms.delete(unit, name, version)
    if forms.find(unit, name, None) is None:
        forms.forget_tags(unit, name)
    unit.append(Event(unit.now, "form.deleted", who.name, facts={"name": name, "version": version}))
    return form


def tag_form(unit: Unit, who: Principal, name: str, changes: Mapping[str, str | None]) -> dict[str, str]:
    """File all versions of a form under these keys; None takes a key away. Return what it is filed under now.

    Raises:
        NotFound: there is no such form.
        Conflict: it would have more than 100 keys (`too_many`).
    """
    the_form(unit, name, None)
    filed = forms.tags(unit, name)
    wanted = {key: value for key, value in {**filed, **changes}.items() if value is not None}
    if len(wanted) > MAX_TAGS:
        raise TooMany(f"{name} would be filed under more than {MAX_TAGS} keys", hint="Take some away before.")
    if wanted != filed:
        for key, value in changes.items():
            forms.tag(unit, name, key, value)
        unit.append(Event(unit.now, "form.tagged", who.name, facts={"name": name, "tags": wanted}))
    return dict(sorted(wanted.items()))


def the_form(unit: Unit, name: str, version: int | None) -> Form:
    """That version of a form; without one, the newest.

    Raises:
        NotFound: there is none.
    """
    form = forms.find(unit, name, version)
    if form is None:
        raise unknown_form(name, version)
    return form


def unknown_form(name: str, version: int | None) -> NotFound:
    which = "" if version is None else f" of version {version}"
    return NotFound(
        f"there is no form {name[:80]!r}{which}",
        hint="GET /v1/forms lists them; an operator makes one with POST /v1/forms.",
        code="unknown_form",
    )


def fill(unit: Unit, who: Principal, ref: str, fence: int | None, values: dict[str, Any]) -> Task:
    """Put `values` over what was filled in before; if the task has a form each must fit its field, none need be all.

    The lease is renewed. Without a fence, who directs the task fills in what nobody has begun.

    Raises:
        StaleFence, TaskCancelled, NotFound, Forbidden, WrongState: see `held_task` and `unheld_task`.
        FormInvalid: a value does not fit, or the whole is longer than a result may be.
    """
    task = unheld_task(unit, who, ref) if fence is None else held_task(unit, who, ref, fence)
    output = orjson.loads(task.draft or "{}") | values
    form = _form_of(unit, task)
    if form is not None:
        _check(form, output, frozenset(values))
    draft = orjson.dumps(output)
    if len(draft) > MAX_DRAFT:
        raise FormInvalid(
            f"what is filled in for {task.key} would be {len(draft)} bytes; the limit is {MAX_DRAFT}",
            hint="Keep long documents as attachments and name them here.",
        )
    fields: dict[str, Any] = renewal(unit, task) if task.state is State.CLAIMED else {}
    fields["draft"] = draft.decode()
    return change(unit, task, Verb.FILL, who.name, fields, facts={"fields": sorted(values)})


def filled(unit: Unit, task: Task, result: Json | None) -> dict[str, Any]:
    """The fields by which a task with a form or a draft is completed: what was filled in, with `result` over it.

    Raises:
        FormInvalid: the whole does not fit its form.
    """
    given = orjson.loads(result or "null")
    if given is not None and not isinstance(given, dict):
        raise FormInvalid(
            f"the result of {task.key} is an object, put over what was filled in",
            hint="Send an object, or nothing but what was filled in before.",
            errors=[{"field": "result", "message": "is no object"}],
        )
    output = orjson.loads(task.draft or "{}") | (given or {})
    form = _form_of(unit, task)
    if form is not None:
        _check(form, output)
    return {"result": orjson.dumps(output).decode(), "draft": None}


_fitting: OrderedDict[bytes, None] = OrderedDict()
"""What was found to fit, by its digest, the newest last."""
_FITTING_KEPT = 1_024


def _check(form: Form, output: dict[str, Any], only: frozenset[str] | None = None) -> None:
    """Refuse an output that does not fit its form, see `check_output`; how long that takes, its schema decides.

    Raises:
        Elsewhere: this was not found out yet.
    """
    asked = hashlib.sha256(form.schema.encode())
    asked.update(orjson.dumps([form.name, form.version, output, None if only is None else sorted(only)]))
    digest = asked.digest()

    def look() -> None:
        check_output(form, output, only)
        _fitting[digest] = None
        if len(_fitting) > _FITTING_KEPT:
            _fitting.popitem(last=False)

    if digest not in _fitting:
        raise Elsewhere(look)


def _form_of(unit: Unit, task: Task) -> Form | None:
    if task.form is None:
        return None
    wanted = orjson.loads(task.form)
    return forms.find(unit, wanted["name"], wanted["version"])
