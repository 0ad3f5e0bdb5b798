"""Templates: the forms that people fill in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import orjson
from aiohttp import web
from pydantic import Field, TypeAdapter

from taskdeck.dialects.conductor.entry import template
from taskdeck.dialects.conductor.errors import bad_request, not_found
from taskdeck.dialects.conductor.reading import form_read, known
from taskdeck.dialects.conductor.wire import NOTHING, Shape, Wire, asked, parsed, void
from taskdeck.domain.errors import NotFound
from taskdeck.domain.forms import MAX_SCHEMA, Form
from taskdeck.domain.principal import Role
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import Problem, body
from taskdeck.service.forms import delete_form, save_form, tag_form, the_form
from taskdeck.store.forms import list_forms, read_form, read_tags, tags
from taskdeck.store.unit import Unit

routes = RouteTable()

_MOST = 1_000


class Tag(Wire):
    """A key and what is filed under it."""

    key: Annotated[str, Field(min_length=1, max_length=128)]
    value: Annotated[str, Field(max_length=500)] = ""


_Shape = TypeAdapter(Shape)
_Shapes = TypeAdapter(Annotated[list[Shape], Field(max_length=100)])
_Tags = TypeAdapter(Annotated[list[Tag], Field(max_length=100)])


@routes.add("POST", "/api/human/template/bulk", Role.AGENT)
async def save_templates(call: Call) -> web.StreamResponse:
    """Save several templates, all or none."""
    shapes, as_new = parsed(_Shapes, call.raw), asked(call, "newVersion")
    return await call.write(
        lambda unit: [_save(unit, call, shape, as_new=as_new) for shape in shapes],
        lambda forms: (200, body([template(form) for form in forms])),
    )


@routes.add("POST", "/api/human/template", Role.AGENT)
async def save_template(call: Call) -> web.StreamResponse:
    """Save a template: the version it names, or the newest, or as a new one."""
    shape, as_new = parsed(_Shape, call.raw), asked(call, "newVersion")
    return await call.write(
        lambda unit: _save(unit, call, shape, as_new=as_new), lambda form: (200, body(template(form)))
    )


@routes.add("GET", "/api/human/template", Role.READER)
async def get_templates(call: Call) -> web.StreamResponse:
    """List templates by name, newest versions first."""
    query = call.request.query
    name, version = query.get("name"), _version(query.get("version"))
    found = await list_forms(call.deck.reader, name, "", _MOST)
    found = [form for form in found if version is None or form.version == version]
    if not found and name is not None:
        raise _unknown(name, version)
    return call.json([template(form) for form in found])


@routes.add("GET", r"/api/human/template/{name}/{version:\d+}", Role.READER)
async def get_template(call: Call) -> web.StreamResponse:
    """Show a version of a template."""
    name, version = call.path("name"), _version(call.path("version"))
    form = await read_form(call.deck.reader, name, version)
    if form is None:
        raise _unknown(name, version)
    return call.json(template(form))


@routes.add("GET", "/api/human/template/{name}/tags", Role.READER)
async def get_tags(call: Call) -> web.StreamResponse:
    """List what a template is filed under, by key."""
    name = call.path("name")
    if await read_form(call.deck.reader, name, None) is None:
        raise _unknown(name, None)
    filed = await read_tags(call.deck.reader, name)
    return call.json([{"key": key, "value": value} for key, value in filed.items()])


@routes.add("PUT", "/api/human/template/{name}/tags", Role.AGENT)
async def put_tags(call: Call) -> web.StreamResponse:
    """File a template under keys."""
    tags = {tag.key: tag.value for tag in parsed(_Tags, call.raw)}
    return await _tagged(call, lambda _filed: tags)


@routes.add("DELETE", "/api/human/template/{name}/tags", Role.AGENT)
async def delete_tags(call: Call) -> web.StreamResponse:
    """Take from a template the tags of equal key and value."""
    tags = parsed(_Tags, call.raw)
    return await _tagged(call, lambda filed: {tag.key: None for tag in tags if filed.get(tag.key) == tag.value})


@routes.add("GET", "/api/human/template/{taskId}", Role.READER)
async def get_template_of_task(call: Call) -> web.StreamResponse:
    """Show the template of a task."""
    task = await known(call, missing=400)
    form = await form_read(call.deck, task)
    if form is None:
        raise not_found(f"Human task {task.id} has no template")
    return call.json(template(form))


@routes.add("DELETE", r"/api/human/template/{name}/{version:\d+}", Role.AGENT)
async def remove_template(call: Call) -> web.StreamResponse:
    """Remove a version of a template; tasks that have it go on without."""
    name, version = call.path("name"), _version(call.path("version"))
    return await _removed(call, name, version)


@routes.add("DELETE", "/api/human/template/{name}", Role.AGENT)
async def remove_templates(call: Call) -> web.StreamResponse:
    """Remove every version of a template."""
    return await _removed(call, call.path("name"), None)


def _save(unit: Unit, call: Call, shape: Shape, *, as_new: bool) -> Form:
    """Save one template: a version that is named wins over a new one, and the newest is replaced if none is."""
    version = shape.version if shape.version is not None and shape.version > 0 else None
    if version is None and not as_new:
        try:
            version = the_form(unit, shape.name, None).version
        except NotFound:
            version = 1
    schema, layout = orjson.dumps(shape.jsonSchema), orjson.dumps(shape.templateUI)
    if max(len(schema), len(layout)) > MAX_SCHEMA:
        raise bad_request(f"jsonSchema and templateUI have up to {MAX_SCHEMA} bytes each")
    by = shape.updatedBy or shape.createdBy
    return save_form(unit, call.who, shape.name, version, schema.decode(), layout.decode(), author=by)


async def _tagged(call: Call, changes: Callable[[dict[str, str]], Mapping[str, str | None]]) -> web.StreamResponse:
    name = call.path("name")

    def work(unit: Unit) -> dict[str, str]:
        try:
            return tag_form(unit, call.who, name, changes(tags(unit, name)))
        except NotFound:
            raise _unknown(name, None) from None

    await call.deck.answer(work, lambda _: NOTHING, call.once)
    return void(call)


async def _removed(call: Call, name: str, version: int | None) -> web.StreamResponse:
    """Remove that version, or all there are."""
    found = await list_forms(call.deck.reader, name, "", _MOST)
    versions = [form.version for form in found if version in (None, form.version)]
    if not versions:
        # what Conductor answers; it is no fault of ours
        raise Problem(500, "unknown_template", f"There is no template {name[:80]!r} to delete")

    def work(unit: Unit) -> list[Form]:
        return [delete_form(unit, call.who, name, one) for one in versions]

    await call.deck.answer(work, lambda _: NOTHING, call.once)
    return void(call)


def _version(text: str | None) -> int | None:
    """A version of the path or query; 0 and nothing are the newest, or all."""
    if text is None or text == "":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise bad_request(f"a version is a number, not {text[:40]!r}")
    return int(text) or None


_DIGITS = 9


def _unknown(name: str, version: int | None) -> Problem:
    which = "" if version is None else f" of version {version}"
    return not_found(f"There is no template {name[:80]!r}{which}")
