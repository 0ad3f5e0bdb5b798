"""Routes of projects."""

from __future__ import annotations

from aiohttp import web

from taskdeck.domain.principal import Role
from taskdeck.domain.project import Project
from taskdeck.http.call import Call
from taskdeck.http.models import Nothing
from taskdeck.http.project_models import CreateProject, EditProject, Pause
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import body
from taskdeck.service.find import unknown_project
from taskdeck.service.once import Reply
from taskdeck.service.projects import create_project, edit_project, pause, project_view, resume
from taskdeck.service.reads import list_projects

routes = RouteTable()


def _reply(project: Project) -> Reply:
    return 200, body(project_view(project))


@routes.add("GET", "/v1/projects", Role.READER)
async def get_projects(call: Call) -> web.StreamResponse:
    """List the projects with their counts by state."""
    return call.json({"projects": await list_projects(call.deck.reader, call.who)})


@routes.add("GET", "/v1/projects/{name}", Role.READER)
async def get_project(call: Call) -> web.StreamResponse:
    """Show a project with its counts by state."""
    found = await list_projects(call.deck.reader, call.who, call.path("name"))
    if not found:
        raise unknown_project(call.path("name"))
    return call.json(found[0])


@routes.add("POST", "/v1/projects", Role.OPERATOR, body=CreateProject, success=201)
async def post_project(call: Call) -> web.StreamResponse:
    """Make a project."""
    asked = call.body(CreateProject)
    return await call.write(
        lambda unit: create_project(unit, call.who, asked.name, asked.prefix, asked.fields()),
        lambda project: (201, body(project_view(project))),
    )


@routes.add("PATCH", "/v1/projects/{name}", Role.OPERATOR, body=EditProject)
async def patch_project(call: Call) -> web.StreamResponse:
    """Change a project's defaults."""
    name, asked = call.path("name"), call.body(EditProject)
    return await call.write(lambda unit: edit_project(unit, call.who, name, asked.fields(), asked.version), _reply)


@routes.add("POST", "/v1/projects/{name}/pause", Role.OPERATOR, body=Pause)
async def pause_project(call: Call) -> web.StreamResponse:
    """Let nothing of the project be claimed; what is held goes on."""
    name, asked = call.path("name"), call.body(Pause)
    return await call.write(lambda unit: pause(unit, call.who, name, asked.reason), _reply)


@routes.add("POST", "/v1/projects/{name}/resume", Role.OPERATOR, body=Nothing)
async def resume_project(call: Call) -> web.StreamResponse:
    """Let the project's tasks be claimed again."""
    name = call.path("name")
    return await call.write(lambda unit: resume(unit, call.who, name), _reply)
