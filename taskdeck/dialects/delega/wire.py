"""Reading what Delega's clients send: bodies that may be missing, queries, ids that may be numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError

from taskdeck.dialects.delega.words import EVIDENCE
from taskdeck.domain.gates import Evidence, Shown
from taskdeck.domain.principal import Role
from taskdeck.http.call import Call
from taskdeck.http.models import Name, Text
from taskdeck.http.parsing import invalid
from taskdeck.http.routes import Handler, RouteTable
from taskdeck.http.wire import Problem

MAX_BODY = 65_536
PREFIXES = ("/v1", "/api")
"""Where Delega's clients look for it: the one or the other, by the name of the host they were given."""

table = RouteTable()


def route(method: str, path: str, role: Role = Role.AGENT) -> Callable[[Handler], Handler]:
    """Declare a route below both prefixes."""

    def declare(handler: Handler) -> Handler:
        for prefix in PREFIXES:
            table.add(method, prefix + path, role)(handler)
        return handler

    return declare


class Wire(BaseModel):
    """A body or a query: what it does not know is passed over, as Delega does."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


W = TypeVar("W", bound=Wire)


def sent(call: Call, model: type[W]) -> W:
    """The body of a call; a missing one says nothing.

    Raises:
        Problem: it is too large (413), or does not fit the model.
    """
    try:
        return model.model_validate_json(bounded(call) or b"{}")
    except ValidationError as error:
        raise invalid(error) from None


def sent_object(call: Call) -> dict[str, Any]:
    """The body of a call, which is any JSON object.

    Raises:
        Problem: it is too large (413), or no object.
    """
    try:
        document = orjson.loads(bounded(call) or b"{}")
    except orjson.JSONDecodeError as error:
        raise Problem(400, "bad_json", f"the body is not JSON: {error}", "Send one JSON object.") from None
    if not isinstance(document, dict):
        raise Problem(400, "invalid_request", "the body is no object", "Send one JSON object.")
    return document


def bounded(call: Call) -> bytes:
    """The body of a call as it came, without the space around it.

    Raises:
        Problem: it is too large (413).
    """
    if len(call.raw) > MAX_BODY:
        raise Problem(413, "body_too_large", f"the body is larger than {MAX_BODY} bytes", "Send less at once.")
    return call.raw.strip()


def asked(call: Call, model: type[W]) -> W:
    """The query of a call; of names given several times the values are a list.

    Raises:
        Problem: it does not fit the model.
    """
    query = call.request.query
    values: dict[str, Any] = {}
    for name in query:
        values[name] = query.getall(name) if name == "labels" else query[name]
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid(error) from None


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _day(text: Any) -> Any:
    if not isinstance(text, str):
        raise ValueError("a date is text, such as 2026-12-01")  # noqa: TRY004  (pydantic wants ValueError)
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        raise ValueError("not a date such as 2026-12-01") from None
    if not 1971 <= day.year <= 9998:
        raise ValueError("a date lies between the years 1971 and 9998")
    return day


def a_word_of(words: Iterable[str]) -> Callable[[str], str]:
    """Lets only these words through."""
    allowed = list(words)

    def check(word: str) -> str:
        if word not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return word

    return check


def _finite(document: dict[str, Any]) -> dict[str, Any]:
    json.dumps(document, allow_nan=False)
    return document


def not_blank(text: str) -> str:
    """Lets only text through that says something."""
    if not text.strip():
        raise ValueError("must not be blank")
    return text


Id = Annotated[str, BeforeValidator(_as_text), Field(min_length=1, max_length=128)]
"""Of a project, an agent, a task: text or a number."""
Whole = Annotated[int, Strict()]
Flag = Annotated[bool, Strict()]
Day = Annotated[date, BeforeValidator(_day)]
Content = Annotated[Text, Field(min_length=1, max_length=2_000), AfterValidator(not_blank)]
Detail = Annotated[Text, Field(max_length=500)]
Labels = Annotated[list[Name], Field(max_length=50)]
LeaseSeconds = Annotated[Whole, Field(ge=30, le=3_600)]
Known = Annotated[dict[str, Any], AfterValidator(_finite)]
"""What is known about a task: JSON, whose numbers end."""
Priority = Annotated[Whole, Field(ge=1, le=4)]


class EvidenceItem(Wire):
    """A piece of evidence, kept as it is claimed."""

    kind: Annotated[str, AfterValidator(a_word_of(EVIDENCE))]
    ref: Annotated[Text, Field(min_length=1, max_length=500)]
    summary: Detail | None = None


def shown_of(items: list[EvidenceItem]) -> Shown | None:
    """What is shown with a completion, as the deck wants it."""
    pieces = tuple(Evidence(EVIDENCE[item.kind], item.ref, item.summary) for item in items)
    return Shown(evidence=pieces) if pieces else None
