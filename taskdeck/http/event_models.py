"""What requests say about which events are wanted."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from taskdeck.domain.patterns import is_pattern
from taskdeck.domain.query import MAX_LENGTH
from taskdeck.domain.rule import EVENTS
from taskdeck.http.models import ProjectName, Query, no_nul
from taskdeck.service.near import near


def _pattern(text: str) -> str:
    if not is_pattern(text):
        raise ValueError("names an event (task.created), a family of them (task.*) or all (*)")
    if text.startswith("task.") and not text.endswith("*") and text not in EVENTS:
        close = near(text, EVENTS)
        raise ValueError(f"there is no event {text}" + (f"; did you mean {close[0]}?" if close else ""))
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
Patterns = Annotated[list[Pattern], Field(min_length=1, max_length=50)]
Projects = Annotated[frozenset[ProjectName], Field(min_length=1, max_length=100)]
EventLimit = Annotated[int, Field(ge=1, le=1_000)]
Seq = Annotated[int, Field(ge=0, le=2**62)]


class EventQuery(Query):
    """Events after or before a number; with neither, from the beginning. `q` is a filter such as `type:lapsed W47`."""

    after: Seq | None = None
    before: Seq | None = None
    limit: EventLimit = 100
    type: str | None = None
    project: str | None = None
    q: Annotated[str, Field(max_length=MAX_LENGTH), AfterValidator(no_nul)] = ""


class StreamQuery(Query):
    """Where to begin if no `Last-Event-ID` says it: after this event, or at the present."""

    after: Seq | None = None
