"""Ingress: Delega's sources are the deck's, made here and shown as far as Delega's words reach."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import AfterValidator, Field

from taskdeck.dialects.delega.replies import View, alter, once
from taskdeck.dialects.delega.sourcing import filters_of, source_said, template_of
from taskdeck.dialects.delega.standing import an_assignee
from taskdeck.dialects.delega.wire import Content, Flag, Id, Priority, Wire, a_word_of, not_blank, route, sent
from taskdeck.dialects.delega.words import SOURCE_OPS
from taskdeck.domain.places import refuse_odd
from taskdeck.domain.principal import Role
from taskdeck.domain.project import DEFAULT_PROJECT
from taskdeck.domain.source import Scheme, Source
from taskdeck.http.call import Call
from taskdeck.http.models import Line, Text
from taskdeck.http.source_models import Path
from taskdeck.service.sources import (
    create_source,
    delete_source,
    edit_source,
    rotate_source,
    the_source,
    unknown_source,
)
from taskdeck.store import sources
from taskdeck.store.unit import Unit

PER_MINUTE = 300
"""Events that a source made here may send."""


def _filled(text: str) -> str:
    refuse_odd(text)
    return text


Placed = AfterValidator(_filled)
SourceName = Annotated[Line, Field(min_length=1, max_length=80), AfterValidator(not_blank)]


class Becomes(Wire):
    """The task that an event becomes; its texts have places such as `{{issue.title}}`."""

    content: Annotated[Content, Placed]
    description: Annotated[Text, Field(max_length=10_000), Placed] | None = None
    priority: Priority | None = None
    labels: (
        Annotated[list[Annotated[Text, Field(min_length=1, max_length=128), Placed]], Field(max_length=10)] | None
    ) = None
    dedupe_key: Annotated[Text, Field(min_length=1, max_length=500), Placed] | None = None


class Admits(Wire):
    """A condition on an event; all must hold."""

    path: Path
    op: Annotated[str, AfterValidator(a_word_of(SOURCE_OPS))]
    value: Annotated[str, Field(max_length=500)] | bool | int | float | None = None


Filters = Annotated[list[Admits], Field(max_length=10)]


class NewSource(Wire):
    """Somebody outside whose events become tasks."""

    name: SourceName
    template: Becomes
    filters: Filters = Field(default_factory=list)
    default_project_id: Id | None = None
    default_assignee_agent_id: Id | None = None
    active: Flag = True


class UpdateSource(Wire):
    """What is to change; template and filters as a whole."""

    name: SourceName | None = None
    template: Becomes | None = None
    filters: Filters | None = None
    default_project_id: Id | None = None
    default_assignee_agent_id: Id | None = None
    active: Flag | None = None
    rotate_secret: Flag = False


def _shown(unit: Unit, source: Source) -> View:
    document = source_said(source, sources.tally(unit, source.name))
    if document is None:
        raise unknown_source(source.name)
    return document


def _template(said: Becomes, assignee: str | None) -> View:
    return template_of(said.model_dump(), assignee)


@route("GET", "/ingress-sources", Role.ADMIN)
async def get_sources(call: Call) -> web.StreamResponse:
    """List the sources that can be said in Delega's words."""

    def work(unit: Unit) -> list[View]:
        seen = [source for source in call.deck.sources.all() if call.who.sees(source.project)]
        told = [source_said(source, sources.tally(unit, source.name)) for source in seen]
        return [document for document in told if document is not None]

    return await alter(call, work)


@route("GET", "/ingress-sources/{id}", Role.ADMIN)
async def get_source(call: Call) -> web.StreamResponse:
    """Show a source."""
    return await alter(call, lambda unit: _shown(unit, the_source(unit, call.who, call.path("id"))))


@route("POST", "/ingress-sources", Role.ADMIN)
async def post_source(call: Call) -> web.StreamResponse:
    """Let somebody outside send events; the secret is shown in this reply alone."""
    said, known = sent(call, NewSource), call.deck.sources

    def work(unit: Unit) -> tuple[View, View]:
        wish = {
            "name": f"ingress-{unit.ids.task_id(unit.now)}",
            "description": said.name,
            "project": said.default_project_id or DEFAULT_PROJECT,
            "scheme": Scheme.STANDARD,
            "template": _template(said.template, an_assignee(unit, call.who, said.default_assignee_agent_id)),
            "filters": filters_of(one.model_dump() for one in said.filters),
            "unique": said.template.dedupe_key,
            "per_minute": PER_MINUTE,
            "active": said.active,
        }
        made = create_source(unit, known, call.who, wish)
        return _shown(unit, made), {"secret": made.secret}

    return await once(call, work, 201)


@route("PUT", "/ingress-sources/{id}", Role.ADMIN)
async def put_source(call: Call) -> web.StreamResponse:
    """Change a source; a renewed secret is shown in this reply alone, and the old one holds no longer."""
    said, known, name = sent(call, UpdateSource), call.deck.sources, call.path("id")

    def work(unit: Unit) -> tuple[View, View]:
        source = the_source(unit, call.who, name)
        _shown(unit, source)  # one that cannot be said here is not known here
        fields = _changed(unit, call, source, said)
        if fields:
            source = edit_source(unit, known, call.who, name, fields, None)
        if said.rotate_secret:
            source = rotate_source(unit, known, call.who, name, 0, None)
        return _shown(unit, source), {"secret": source.secret} if said.rotate_secret else {}

    return await once(call, work, 200)


def _changed(unit: Unit, call: Call, source: Source, said: UpdateSource) -> View:
    """The fields of the deck's source that change; an explicit null clears project and assignee."""
    given, fields = said.model_fields_set, dict[str, Any]()
    assignee = source.template.get("assignee")
    if "default_assignee_agent_id" in given:
        assignee = an_assignee(unit, call.who, said.default_assignee_agent_id)
        fields["template"] = source.template | {"assignee": assignee}
    if said.template is not None:
        fields |= {"template": _template(said.template, assignee), "unique": said.template.dedupe_key}
    if said.name is not None:
        fields["description"] = said.name
    if said.filters is not None:
        fields["filters"] = filters_of(one.model_dump() for one in said.filters)
    if "default_project_id" in given:
        fields["project"] = said.default_project_id or DEFAULT_PROJECT
    if said.active is not None:
        fields["active"] = said.active
    return fields


@route("DELETE", "/ingress-sources/{id}", Role.ADMIN)
async def remove_source(call: Call) -> web.StreamResponse:
    """Remove a source; its tasks stay."""
    name = call.path("id")

    def work(unit: Unit) -> View:
        _shown(unit, the_source(unit, call.who, name))
        return {"ok": True, "deleted": delete_source(unit, call.deck.sources, call.who, name).name}

    return await alter(call, work)
