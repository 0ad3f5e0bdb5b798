"""What clients send: the envelope of a call and the parameters of each method.

As in JavaScript, 75.0 is an integer, true is no number, a length counts UTF-16 units, and null is not the same as
nothing. Members that are not known are ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self, cast

from pydantic import (
    AfterValidator,
    AnyUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from taskdeck.dialects.claudebench.issues import Issue, issues_of

MOST_NAME = 128
"""Characters of an instance's id: those of a worker's."""


class Wrong(Exception):
    """Parameters that fail; `issues` says where."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__("Invalid parameters")
        self.issues = issues


class Params(BaseModel):
    """Parameters of a method, or an object among them."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)

    @classmethod
    def read(cls, raw: object) -> Self:
        """The parameters in `raw`; what JavaScript takes for false counts as no parameters.

        Raises:
            Wrong: they fail.
        """
        sent = raw or {}
        try:
            found = cls.model_validate(sent)
        except ValidationError as error:
            issues = issues_of(error, cls)
            if all(issue["code"] != "invalid_type" for issue in issues):
                issues += cls.rules(cast("dict[str, Any]", sent))
            raise Wrong(issues) from None
        if issues := cls.rules(cast("dict[str, Any]", sent)):
            raise Wrong(issues)
        return found

    @classmethod
    def rules(cls, raw: dict[str, Any]) -> list[Issue]:
        """What is wrong between fields that are right by themselves."""
        return []


def _length(least: int, most: int | None) -> Callable[[str], str]:
    def check(text: str) -> str:
        units = len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
        if units < least:
            raise PydanticCustomError("short", "too short", {"least": least})
        if most is not None and units > most:
            raise PydanticCustomError("long", "too long", {"most": most})
        if "\0" in text:
            raise PydanticCustomError("nul", "String must not contain NUL characters")
        return text

    return check


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _url(text: str) -> str:
    try:
        TypeAdapter(AnyUrl).validate_python(text)
    except ValidationError:
        raise PydanticCustomError("url", "Invalid url") from None
    return text


Status = Literal["pending", "in_progress", "completed", "failed"]
Kind = Literal["json", "markdown", "text", "url", "binary"]
Name = Annotated[str, AfterValidator(_length(1, MOST_NAME)), Field(json_schema_extra={"minLength": 1})]
Id = Annotated[str, AfterValidator(_length(1, None)), Field(json_schema_extra={"minLength": 1})]
Text = Annotated[str, AfterValidator(_length(1, 500)), Field(json_schema_extra={"minLength": 1, "maxLength": 500})]
Key = Annotated[str, AfterValidator(_length(1, 100)), Field(json_schema_extra={"minLength": 1, "maxLength": 100})]
_WHOLE = BeforeValidator(_whole)
Priority = Annotated[int, Field(ge=0, le=100), _WHOLE]
Object = dict[str, Any]
_ABSENT: Any = None
"""The default of what need not be sent and may not be null; `model_fields_set` tells."""


class Create(Params):
    text: Text
    priority: Priority = 50
    metadata: Object = _ABSENT


class Claim(Params):
    workerId: Name
    maxTasks: Annotated[int, Field(ge=1, le=10), _WHOLE] = 1


class Complete(Params):
    id: Id = ""
    taskId: Id = ""
    workerId: Annotated[str, AfterValidator(_length(0, MOST_NAME))] = _ABSENT
    result: Any = None

    @classmethod
    def rules(cls, raw: dict[str, Any]) -> list[Issue]:
        if raw.get("id") or raw.get("taskId"):
            return []
        return [{"code": "custom", "message": "Either 'id' or 'taskId' must be provided", "path": ["id"]}]


class Updates(Params):
    text: Text = _ABSENT
    status: Status = _ABSENT
    priority: Priority = _ABSENT
    metadata: Object = _ABSENT


class Update(Params):
    id: Id
    updates: Updates


class List(Params):
    status: Status = _ABSENT
    assignedTo: str = ""
    priority: Priority = _ABSENT
    limit: Annotated[int, Field(ge=1, le=1000), _WHOLE] = 100
    offset: Annotated[int, Field(ge=0), _WHOLE] = 0
    orderBy: Literal["createdAt", "updatedAt", "priority", "status", "assignedTo"] = "createdAt"
    order: Literal["asc", "desc"] = "desc"


class Assign(Params):
    taskId: Id
    instanceId: Name


class Unassign(Params):
    taskId: Id


class Delete(Params):
    id: Id


class Attach(Params):
    taskId: Id
    key: Key
    type: Kind
    value: Any = None
    content: str = _ABSENT
    url: Annotated[str, AfterValidator(_url)] = _ABSENT
    mimeType: str = _ABSENT
    size: Annotated[float, Field(gt=0, le=2**53)] = _ABSENT


class Attachments(Params):
    taskId: Id
    type: Kind = _ABSENT
    limit: Annotated[int, Field(ge=1, le=100), _WHOLE] = 50
    offset: Annotated[int, Field(ge=0), _WHOLE] = 0


class Named(Params):
    taskId: Id
    key: Id


class ManyNamed(Params):
    requests: Annotated[list[Named], Field(min_length=1, max_length=100)]


class About(Params):
    workingDirectory: str = _ABSENT


class Register(Params):
    id: Name
    roles: list[str]
    metadata: About = Field(default=About())


class Heartbeat(Params):
    instanceId: Name


class Unregister(Params):
    instanceId: Name
    sessionId: Id
    timestamp: float


class CheckHealth(Params):
    timeout: float = 10_000


class Nothing(Params):
    pass


class Discover(Params):
    domain: str = ""


class Metrics(Params):
    detailed: bool = False


class Batch(Params):
    batchId: Id
    instanceId: Id
    items: list[Any]


class Subscription(Params):
    """What a listener wants to be told of, or no more."""

    events: list[str]


class Metadata(Params):
    sessionId: str = _ABSENT
    correlationId: str = _ABSENT
    timestamp: float = _ABSENT


def _is_id(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        raise PydanticCustomError("union", "no id", {"members": ["string", "number", "null"]})
    return value


class Envelope(Params):
    """A call. Without an `id` it is a notification."""

    jsonrpc: Literal["2.0"]
    method: str
    params: Any = None
    id: Annotated[Any, BeforeValidator(_is_id, json_schema_input_type=Any)] = None
    metadata: Metadata = _ABSENT

    @property
    def is_notification(self) -> bool:
        return "id" not in self.model_fields_set

    @classmethod
    def open(cls, raw: object) -> Self:
        """The call in `raw`.

        Raises:
            Wrong: it is none.
        """
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            raise Wrong(issues_of(error, cls)) from None
