"""What requests say and how they are read, and the replies that say nothing."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from taskdeck.dialects.conductor.errors import bad_request
from taskdeck.dialects.conductor.words import MAX_NAME, UserType, flag, name_of
from taskdeck.domain.turns import MAX_TURNS
from taskdeck.http.call import Call
from taskdeck.http.models import YEAR_S
from taskdeck.service.once import Reply

Id = Annotated[str, Field(min_length=1, max_length=128)]
NOTHING: Reply = (200, b"")


class Wire(BaseModel):
    """A part of a request. Members it does not know are passed over, as Conductor does."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class AUser(Wire):
    """Somebody with a type."""

    userType: UserType
    user: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _can_be_named(self) -> AUser:
        if not self.user.isprintable() or len(self.name) > MAX_NAME:
            raise ValueError("is too long, or has control or invisible characters")
        return self

    @property
    def name(self) -> str:
        """The deck's name for it."""
        return name_of(self.userType, self.user)


class Assignment(Wire):
    """Somebody to whom a task is offered, and for how many minutes; 0 or absent for as long as it takes."""

    assignee: AUser
    slaMinutes: Annotated[int, Field(ge=0, le=YEAR_S // 60)] | None = None


Assignments = TypeAdapter(Annotated[list[Assignment], Field(max_length=MAX_TURNS)])
Values = TypeAdapter(dict[str, Any])


class Shape(Wire):
    """A template as it is saved. Its two objects are passed on as they came."""

    name: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^/\x00-\x1f]+$")]
    jsonSchema: dict[str, Any]
    templateUI: dict[str, Any]
    version: Annotated[int, Field(le=1_000)] | None = None
    createdBy: Annotated[str, Field(max_length=128)] | None = None
    updatedBy: Annotated[str, Field(max_length=128)] | None = None


def parsed(model: TypeAdapter[Any], raw: bytes, otherwise: bytes = b"") -> Any:
    """The body as `model`; `otherwise` stands for an empty one.

    Raises:
        Problem: it is no JSON, or not what is wanted.
    """
    try:
        return model.validate_python(orjson.loads(raw or otherwise))
    except orjson.JSONDecodeError as error:
        raise bad_request(f"the body is not JSON: {error}", "bad_json") from None
    except ValidationError as error:
        found = [
            {"field": ".".join(str(part) for part in one["loc"]) or "body", "message": one["msg"]}
            for one in error.errors(include_url=False, include_context=False, include_input=False)[:20]
        ]
        told = "; ".join(f"{one['field']}: {one['message']}" for one in found[:3])
        raise bad_request(told, errors=found) from None


def asked(call: Call, name: str) -> bool:
    """A boolean of the query.

    Raises:
        Problem: it is neither true nor false.
    """
    value = flag(call.request, name)
    if value is None:
        raise bad_request(f"{name} is true or false, not {call.request.query[name][:40]!r}")
    return value


def void(call: Call) -> web.Response:
    """Done, and nothing to say: not even JSON, which clients would want to parse."""
    return web.Response(status=200, headers={"X-Request-Id": call.request_id})
