"""What requests may say. What they say beyond it is left alone: clients of later versions say more."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from taskdeck.dialects.veryfront import errors
from taskdeck.dialects.veryfront.words import IMPLEMENTATION, UUID_TEXT, WORKER_KEY
from taskdeck.domain.log import MAX_AT_ONCE, MAX_ENTRY, NewEntry
from taskdeck.domain.task import Json
from taskdeck.http.models import MAX_DOCUMENT, Text, no_controls

DEFAULT_LEASE_S = 60
ENDINGS = frozenset({"RUN_FINISHED", "RUN_ERROR"})
"""Events that the deck tells itself."""
UNCOUNTED = "AGENT_RUN_MODEL_CALL_CONTEXT"
"""The event that is numbered but not counted in the external sequence."""


class Body(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, defer_build=True)


M = TypeVar("M", bound=Body)
Label = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(no_controls)]
Object = dict[str, Any]


def read(model: type[M], raw: bytes) -> M:
    """The body as `model`; nothing at all is an empty object.

    Raises:
        Problem: it is none.
    """
    try:
        return model.model_validate(orjson.loads(raw or b"{}"))
    except orjson.JSONDecodeError as error:
        raise errors.invalid(f"the body is not JSON: {error}") from None
    except ValidationError as error:
        raise errors.invalid(_said(error)) from None


def _said(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    told = (f"{'.'.join(str(part)[:80] for part in one['loc']) or 'body'}: {one['msg']}" for one in found[:3])
    return "; ".join(text.replace("Value error, ", "") for text in told)


def text_of(value: Any, what: str) -> Json:
    """`value` as JSON text of a size that is kept.

    Raises:
        Problem: it is too large, or nested too deeply.
    """
    try:
        text = orjson.dumps(value)
    except (TypeError, ValueError) as error:
        raise errors.invalid(f"{what} cannot be kept as JSON: {error}") from None
    if len(text) > MAX_DOCUMENT:
        raise errors.too_large(f"The {what} payload must be less than {MAX_DOCUMENT // 1024} KB")
    return text.decode()


def an_id(text: str, what: str) -> str:
    """A UUID of the path in small letters.

    Raises:
        Problem: it is none.
    """
    if not UUID_TEXT.fullmatch(text):
        raise errors.invalid(f"{what} is not a UUID")
    return text.lower()


class Register(Body):
    implementation_kind: Annotated[str, Field(pattern=f"^{IMPLEMENTATION.pattern}$")]
    worker_key: Annotated[str, Field(pattern=f"^{WORKER_KEY.pattern}$")]
    implementation_display_name: Label | None = None
    display_name: Label | None = None
    metadata: Object | None = None

    def given(self) -> dict[str, Any]:
        """What it says of itself beside its kind and key."""
        names = ("implementation_display_name", "display_name", "metadata")
        return {name: getattr(self, name) for name in names if name in self.model_fields_set}


class Lease(Body):
    lease_duration_seconds: Annotated[int, Field(ge=5, le=300)] = DEFAULT_LEASE_S


class RecordSession(Body):
    session_key: Annotated[str, Field(min_length=1, max_length=512)]
    status: Literal["active", "completed", "failed", "cancelled"] | None = None
    metadata: Object | None = None


class Append(Body):
    events: Annotated[list[Object], Field(min_length=1, max_length=MAX_AT_ONCE)]
    expected_previous_external_event_sequence: Annotated[int, Field(ge=0)] | None = None
    expected_previous_event_id: Annotated[int, Field(ge=0)] | None = None

    @field_validator("events")
    @classmethod
    def _typed(cls, events: list[Object]) -> list[Object]:
        for event in events:
            kind = event.get("type")
            if not isinstance(kind, str) or not 1 <= len(kind) <= 100:
                raise ValueError("each event has a type of 1 to 100 characters")
            if kind in ENDINGS:
                raise ValueError(f"{kind} is told by completing the run")
        return events

    def entries(self) -> list[NewEntry]:
        """The events as the log takes them.

        Raises:
            Problem: one is too large.
        """
        found = []
        for event in self.events:
            try:
                text = orjson.dumps(event)
            except TypeError as error:
                raise errors.invalid(f"an event cannot be kept as JSON: {error}") from None
            if len(text) >= MAX_ENTRY:
                raise errors.too_large(errors.EVENT_TOO_LARGE)
            found.append(NewEntry(event["type"], text.decode(), quiet=event["type"] == UNCOUNTED))
        return found


class Complete(Body):
    status: Literal["completed", "failed", "cancelled"]
    terminal_error_code: Annotated[Text, Field(max_length=200)] | None = None
    terminal_error_message: Annotated[Text, Field(max_length=10_000)] | None = None
    metadata: Object | None = None
    output: Any = None


class RunError(Body):
    code: Annotated[Text, Field(max_length=200)] | None = None
    message: Annotated[Text, Field(max_length=10_000)] | None = None


class Finalize(Body):
    """How a run ended, as later clients say it."""

    status: Literal["completed", "failed"]
    output: Any = None
    error: RunError | None = None


class Owner(Body):
    kind: Literal["project", "conversation"]
    id: Annotated[str, Field(min_length=1, max_length=128)]


class AgentRequest(Body):
    """A run of an agent. `messages` and `input` are this deck's own: there is no conversation to read."""

    agent_id: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    implementation_kind: str | None = None
    worker_key: str | None = None
    initial_status: Literal["pending"] | None = None
    source_target_kind: str | None = None
    source_target_environment_id: str | None = None
    source_target_branch_id: str | None = None
    source_target_release_version: str | None = None
    messages: list[Object] | None = None
    input: str | None = None


class TaskRequest(Body):
    target: Annotated[str, Field(pattern=r"^task:\S{1,100}$"), AfterValidator(no_controls)]
    name: Annotated[Text, Field(min_length=1, max_length=500)] | None = None
    config: Any = None
    batch_id: str | None = None
    timeout_seconds: Annotated[int, Field(ge=0, le=2**31)] | None = None
    backoff_limit: Annotated[int, Field(ge=0, le=999)] | None = None


class CreateRun(Body):
    kind: Literal["task", "agent"]
    owner: Owner
    public_id: Annotated[str, Field(min_length=1, max_length=128), AfterValidator(no_controls)] | None = None
    parent_run_id: Annotated[str, Field(max_length=128)] | None = None
    request: Object = Field(default_factory=dict)
