"""What requests about forms may say."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from taskdeck.domain.forms import MAX_SCHEMA, MAX_VERSIONS
from taskdeck.http.models import EMPTY, Body, Fence, Limit, Name, Query, as_document, no_nul, no_slash


def _schema(value: Any) -> str:
    if not isinstance(value, dict):
        raise ValueError("must be an object")  # noqa: TRY004  (pydantic wants ValueError)
    text = as_document(value)
    if len(text.encode()) > MAX_SCHEMA:
        raise ValueError(f"is larger than the limit of {MAX_SCHEMA} bytes")
    return text


def _small(values: dict[str, Any]) -> dict[str, Any]:
    as_document(values)
    return values


Schema = Annotated[Any, AfterValidator(_schema)]
FormName = Annotated[Name, AfterValidator(no_slash)]


class FormRef(Body):
    """A form by name; its newest version if none is named."""

    name: FormName
    version: Annotated[int, Field(ge=1, le=MAX_VERSIONS)] | None = None


class SaveForm(FormRef):
    """A form: a JSON Schema of draft 7, and how it is laid out. Without `version` it becomes the next one."""

    schema_: Schema = Field(alias="schema")
    layout: Schema = EMPTY


class FormTags(Body):
    """What a form is filed under; a null value takes the key away."""

    tags: Annotated[
        dict[Name, Annotated[str, Field(max_length=500), AfterValidator(no_nul)] | None],
        Field(min_length=1, max_length=100),
    ]


class Fill(Body):
    """Fields of the task's form or of its result, put over what was filled in before.

    A null `fence` is for who directs a task that nobody has begun.
    """

    fence: Fence | None
    values: Annotated[dict[str, Any], Field(min_length=1, max_length=1_000), AfterValidator(_small)]


class FormQuery(Query):
    """All versions of the form `name`; without it all forms whose name comes behind `after`."""

    name: FormName | None = None
    after: Annotated[str, Field(max_length=128)] = ""
    limit: Limit = 50
