"""Routes of forms."""

from __future__ import annotations

from aiohttp import web

from taskdeck.domain.principal import Role
from taskdeck.http.call import Call
from taskdeck.http.form_models import Fill, FormQuery, FormTags, SaveForm
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import body, task_reply
from taskdeck.service.forms import delete_form, fill, form_view, save_form, tag_form, unknown_form
from taskdeck.store.forms import list_forms, read_form, read_tags

routes = RouteTable()


@routes.add("GET", "/v1/forms", Role.READER, query=FormQuery)
async def get_forms(call: Call) -> web.StreamResponse:
    """List the forms by name, each name's newest version first."""
    asked = call.params(FormQuery)
    found = await list_forms(call.deck.reader, asked.name, asked.after, asked.limit)
    return call.json({"forms": [form_view(form) for form in found]})


@routes.add("POST", "/v1/forms", Role.OPERATOR, body=SaveForm, success=201)
async def post_form(call: Call) -> web.StreamResponse:
    """Keep a form as its next version, or in the place of the version named."""
    asked = call.body(SaveForm)
    return await call.write(
        lambda unit: save_form(unit, call.who, asked.name, asked.version, asked.schema_, asked.layout),
        lambda form: (201, body(form_view(form))),
    )


@routes.add("GET", "/v1/forms/{name}/tags", Role.READER)
async def get_form_tags(call: Call) -> web.StreamResponse:
    """Say what a form is filed under."""
    name = call.path("name")
    if await read_form(call.deck.reader, name, None) is None:
        raise unknown_form(name, None)
    return call.json({"form": name, "tags": await read_tags(call.deck.reader, name)})


@routes.add("PATCH", "/v1/forms/{name}/tags", Role.OPERATOR, body=FormTags)
async def patch_form_tags(call: Call) -> web.StreamResponse:
    """File a form under keys, or take keys away."""
    name, changes = call.path("name"), call.body(FormTags).tags
    return await call.write(
        lambda unit: tag_form(unit, call.who, name, changes), lambda tags: (200, body({"form": name, "tags": tags}))
    )


@routes.add("GET", "/v1/forms/{name}/{version}", Role.READER)
async def get_form(call: Call) -> web.StreamResponse:
    """Show a version of a form; `latest` is its newest."""
    name, version = _which(call)
    form = await read_form(call.deck.reader, name, version)
    if form is None:
        raise unknown_form(name, version)
    return call.json(form_view(form))


@routes.add("DELETE", "/v1/forms/{name}/{version}", Role.OPERATOR)
async def remove_form(call: Call) -> web.StreamResponse:
    """Remove a version of a form."""
    name, version = _which(call)
    return await call.write(
        lambda unit: delete_form(unit, call.who, name, version or 0),
        lambda form: (200, body({"deleted": form.name, "version": form.version})),
    )


@routes.add("PATCH", "/v1/tasks/{ref}/draft", Role.AGENT, body=Fill)
async def fill_form(call: Call) -> web.StreamResponse:
    """Fill in some fields of the task's form."""
    ref, asked = call.path("ref"), call.body(Fill)
    return await call.write(lambda unit: fill(unit, call.who, ref, asked.fence, asked.values), task_reply)


def _which(call: Call) -> tuple[str, int | None]:
    """The name and version of the path; None for the newest."""
    name, version = call.path("name"), call.path("version")
    if version == "latest" and call.request.method == "GET":
        return name, None
    if not (version.isascii() and version.isdigit() and len(version) <= 4):
        raise unknown_form(name, None)
    return name, int(version)
