"""What models of requests are made of: kinds of field, and bases that refuse what they do not know."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from taskdeck.domain.clock import MAX_MS, from_rfc3339
from taskdeck.domain.refs import PREFIX, PROJECT
from taskdeck.domain.task import MAX_ATTEMPTS_LIMIT, MAX_LEASE_S, MAX_PRIORITY, MIN_LEASE_S

MAX_DOCUMENT = 256 * 1024
"""Bytes of a payload, metadata or result."""
YEAR_S = 366 * 24 * 3600


def ms(seconds: float | None) -> int | None:
    """Seconds of the wire as milliseconds of the service."""
    return None if seconds is None else round(seconds * 1000)


def no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("a NUL character is not text")
    return text


def no_controls(text: str) -> str:
    if not text.isprintable():
        raise ValueError("control or invisible characters are not allowed here")
    if text != text.strip():
        raise ValueError("must not begin or end with a space")
    return text


def no_slash(text: str) -> str:
    if "/" in text:
        raise ValueError("it stands in paths and has no slash")
    return text


def _milliseconds(text: Any) -> Any:
    if not isinstance(text, str):
        raise ValueError("a time is text, such as 2026-11-20T14:02:31Z")  # noqa: TRY004  (pydantic wants ValueError)
    try:
        ms = from_rfc3339(text)
    except ValueError:
        raise ValueError("not an RFC 3339 time with an offset, such as 2026-11-20T14:02:31Z") from None
    if not 0 <= ms <= MAX_MS:
        raise ValueError("a time lies between the years 1970 and 9999")
    return ms


def as_document(value: Any) -> str:
    try:
        text = orjson.dumps(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"cannot be kept as JSON: {error}") from None
    if len(text) > MAX_DOCUMENT:
        raise ValueError(f"is {len(text)} bytes; the limit is {MAX_DOCUMENT}")
    return text.decode()


def _project(text: str) -> str:
    if not PROJECT.fullmatch(text):
        raise ValueError("a project's name has up to 64 small letters, digits, dots, dashes and underscores")
    return text


def _prefix(text: str) -> str:
    if not PREFIX.fullmatch(text):
        raise ValueError("a prefix has up to 8 capital letters and digits and begins with a letter")
    return text


Text = Annotated[str, AfterValidator(no_nul)]
Line = Annotated[str, AfterValidator(no_controls)]
Name = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(no_controls)]
WorkerId = Annotated[Name, AfterValidator(no_slash)]
Names = Annotated[frozenset[Name], Field(max_length=32)]
Ref = Annotated[str, Field(min_length=1, max_length=64)]
Moment = Annotated[int, BeforeValidator(_milliseconds, json_schema_input_type=str)]
Document = Annotated[Any, AfterValidator(as_document)]
EMPTY: Any = Field("{}", json_schema_extra={"default": {}})
"""The default of a document: an empty object, which is kept as its text and described as what it is."""
Priority = Annotated[int, Field(ge=0, le=MAX_PRIORITY)]
Attempts = Annotated[int, Field(ge=1, le=MAX_ATTEMPTS_LIMIT)]
Fence = Annotated[int, Field(ge=0, le=2**53)]
LeaseSeconds = Annotated[float, Field(ge=MIN_LEASE_S, le=MAX_LEASE_S)]
Rest = Annotated[float, Field(ge=0, le=MAX_LEASE_S)]
"""Seconds between an attempt that failed and the next."""
Delay = Annotated[float, Field(ge=0, le=YEAR_S)]
Reason = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(no_nul)]
Note = Annotated[str, Field(max_length=10_000), AfterValidator(no_nul)]
SessionKey = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(no_controls)]
Prefix = Annotated[str, AfterValidator(_prefix)]
ProjectName = Annotated[str, AfterValidator(_project)]
Limit = Annotated[int, Field(ge=1, le=200)]


class Body(BaseModel):
    """A request's body. Unknown fields are refused by name; nothing is converted from another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Nothing(Body):
    """A body without fields."""


class Query(BaseModel):
    """What may stand behind the question mark. Numbers are written as text there."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class NoQuery(Query):
    """Nothing behind the question mark."""
