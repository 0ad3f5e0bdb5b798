"""Projects: Delega's are the deck's, known by their name; the default one is none."""

from __future__ import annotations

import re
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from taskdeck.dialects.delega.replies import alter
from taskdeck.dialects.delega.wire import Wire, route, sent
from taskdeck.dialects.delega.words import moment, project_said
from taskdeck.domain.errors import Conflict, Invalid
from taskdeck.domain.principal import Role
from taskdeck.domain.project import Project
from taskdeck.domain.refs import PROJECT
from taskdeck.http.call import Call
from taskdeck.http.models import Name
from taskdeck.service.find import the_project
from taskdeck.service.projects import create_project, edit_project
from taskdeck.service.reads import list_projects
from taskdeck.store.unit import Unit


class NewProject(Wire):
    """A project to be made; emoji and colour are not kept."""

    name: Annotated[Name, Field(max_length=64)]


class UpdateProject(Wire):
    """Another name for people; the id stays."""

    name: Name | None = None


def _document(identity: str, description: str, created_at: Any, order: int) -> dict[str, Any]:
    """A project as Delega's clients read it: a name that the deck could not take stands in its description."""
    return {
        "id": identity,
        "name": description or identity,
        "emoji": None,
        "color": None,
        "sort_order": order,
        "created_at": created_at,
    }


def _shown(project: Project) -> dict[str, Any]:
    return _document(project.name, project.description, moment(project.created_at), project.number)


@route("GET", "/projects", Role.READER)
async def get_projects(call: Call) -> web.StreamResponse:
    """List the projects."""
    found = await list_projects(call.deck.reader, call.who)
    return call.json(
        [
            _document(each["name"], each["description"], each["created_at"], each["number"])
            for each in found
            if project_said(each["name"]) is not None
        ]
    )


@route("POST", "/projects", Role.ADMIN)
async def post_project(call: Call) -> web.StreamResponse:
    """Make a project."""
    said = sent(call, NewProject)
    name = re.sub(r"[^a-z0-9_.-]+", "-", said.name.lower()).strip("-.")
    if not PROJECT.fullmatch(name):
        raise Invalid("a project's name needs a letter or digit", hint="Name it like web or billing-2.")
    fields = {} if name == said.name else {"description": said.name}
    return await alter(call, lambda unit: _shown(create_project(unit, call.who, name, None, fields)), 201)


@route("PUT", "/projects/{id}", Role.ADMIN)
@route("PATCH", "/projects/{id}", Role.ADMIN)
async def put_project(call: Call) -> web.StreamResponse:
    """Give a project another name for people."""
    said, identity = sent(call, UpdateProject), call.path("id")

    def work(unit: Unit) -> dict[str, Any]:
        if said.name is None:
            return _shown(the_project(unit, call.who, identity))
        return _shown(edit_project(unit, call.who, identity, {"description": said.name}, None))

    return await alter(call, work)


@route("DELETE", "/projects/{id}", Role.ADMIN)
async def remove_project(call: Call) -> web.StreamResponse:
    """Refuse: the deck keeps its projects, for its log names them."""

    def work(unit: Unit) -> None:
        the_project(unit, call.who, call.path("id"))
        raise Conflict("Projects of this server are not removed; move the tasks, and pause it.", code="project_kept")

    return await alter(call, work)
