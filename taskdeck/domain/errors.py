"""Everything the deck can refuse, and why.

    DeckError
    ├── Invalid                 the request says something that cannot be
    │   ├── DependencyCycle
    │   ├── GateUnmet           what must be shown before was not
    │   └── FormInvalid         what was filled in does not fit
    ├── NotFound                what it names is not there (or not for this principal to see)
    ├── Forbidden               the principal may not do this
    ├── Conflict                the state of things stands against it
    │   ├── StaleFence          the caller's claim is over
    │   ├── TaskCancelled       the caller's task was cancelled under it
    │   ├── WrongState
    │   ├── ClaimedByOther
    │   ├── NotEligible
    │   ├── TooMany
    │   └── VersionConflict
    ├── Unsupported             this deck cannot do it
    ├── RateLimited             the caller asks faster than it may
    └── Unavailable             try again later
        ├── CircuitOpen         the store fails; it is not even asked
        ├── Draining
        └── StorageFull

An error's `code` is stable and meant for programs, `detail` says what was wrong and `hint` the safe next step;
agents read both. `holder` says who has the task where that is why, `more` what else a program needs to go on, `place`
which of several things it is about, from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar


class DeckError(Exception):
    """Base of every refusal; nothing has been changed when it is raised."""

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        detail: str,
        *,
        hint: str = "",
        code: str | None = None,
        holder: dict[str, Any] | None = None,
        field: str | None = None,
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.holder = holder
        self.field = field
        self.place: int | None = None
        self.more = more or {}
        self.stable_code = code or type(self).code


class Invalid(DeckError):
    """The request cannot mean anything valid."""

    code = "invalid_request"


class DependencyCycle(Invalid):
    """The dependencies would make a task wait for itself."""

    code = "dependency_cycle"


class GateUnmet(Invalid):
    """A gate before the verb stays shut. `gates` says of each which it is, why, and what would open it."""

    code = "gate_unmet"

    def __init__(self, detail: str, *, hint: str, gates: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(detail, hint=hint)
        self.gates = list(gates)


class FormInvalid(Invalid):
    """What was filled in does not fit the form. `errors` are pairs of `field` and `message`."""

    code = "form_invalid"

    def __init__(self, detail: str, *, hint: str, errors: Sequence[dict[str, str]] = ()) -> None:
        super().__init__(detail, hint=hint)
        self.errors = list(errors)


class NotFound(DeckError):
    """Nothing of that name is there for this principal."""

    code = "not_found"


class Forbidden(DeckError):
    """The principal's role or projects do not reach this far."""

    code = "forbidden"


class Conflict(DeckError):
    """The present state stands against the request."""

    code = "conflict"


class StaleFence(Conflict):
    """The fence is not the task's newest, or its claim is over."""

    code = "stale_fence"


class TaskCancelled(Conflict):
    """The holder's task was cancelled; its work is no longer wanted."""

    code = "task_cancelled"


class WrongState(Conflict):
    """The task's state does not allow this verb."""

    code = "wrong_state"


class ClaimedByOther(Conflict):
    """Another worker holds the task under a live lease."""

    code = "claimed_by_other"


class NotEligible(Conflict):
    """The task is ready, but not for this worker."""

    code = "not_eligible"


class TooMany(Conflict):
    """There are as many of its kind as there may be."""

    code = "too_many"


class VersionConflict(Conflict):
    """The task changed since the version the caller knows."""

    code = "version_conflict"


class Unsupported(DeckError):
    """What it runs on does not let this deck do it; trying again does not help."""

    code = "search_unavailable"


class RateLimited(DeckError):
    """The caller asks faster than it may; the same request may be sent again after `retry_after_s` seconds."""

    code = "rate_limited"
    retryable = True

    def __init__(self, detail: str, *, hint: str = "", retry_after_s: int = 1) -> None:
        super().__init__(detail, hint=hint)
        self.retry_after_s = retry_after_s


class Unavailable(DeckError):
    """The deck cannot do this now; nothing changed; the same request may be sent again."""

    code = "storage_unavailable"
    retryable = True
    retry_after_s: int = 1


class CircuitOpen(Unavailable):
    """The store has failed again and again; it is left alone for `retry_after_s` seconds."""

    code = "circuit_open"

    def __init__(self, detail: str, *, hint: str = "", retry_after_s: int = 1) -> None:
        super().__init__(detail, hint=hint)
        self.retry_after_s = retry_after_s


class Draining(Unavailable):
    """The server is stopping and gives out no more work."""

    code = "draining"


class StorageFull(Unavailable):
    """The disk is full; reads go on, writes wait for space."""

    code = "storage_full"
