"""End one task and claim the next: a worker's two steps as one, in one commit and one reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from taskdeck.domain.errors import GateUnmet, RateLimited
from taskdeck.domain.principal import Principal
from taskdeck.domain.task import Task
from taskdeck.domain.view import View, task_view
from taskdeck.service.claim import STOPPING, Claimed, Reason, claim
from taskdeck.service.find import the_task
from taskdeck.service.requests import ClaimRequest
from taskdeck.store.unit import Unit


@dataclass(slots=True)
class Ended:
    """The public shape of a task as its end left it, and what its worker was given next."""

    task: View
    next: Claimed


def end_and_claim(
    unit: Unit,
    who: Principal,
    ref: str,
    end: Callable[[Unit], Task],
    wish: Callable[[str], ClaimRequest],
    *,
    stopping: bool = False,
) -> Ended:
    """End the claim on `ref` by `end`, and claim by `wish` for the worker that held it.

    What `end` refuses is refused whole. That there is nothing to claim, or that a claim has to rest or to show
    something first, leaves the end as it is; the reasons say so. Any other refusal of the claim refuses the end too.

    Raises:
        DeckError: what `end` raises, and `claim` but for `GateUnmet` and `RateLimited`.
    """
    worker = _holder(the_task(unit, who, ref))
    shape = task_view(end(unit))
    if stopping:
        return Ended(shape, Claimed([], [STOPPING]))
    try:
        return Ended(shape, claim(unit, who, wish(worker)))
    except (GateUnmet, RateLimited) as refused:  # before anything was given
        return Ended(shape, Claimed([], [Reason(refused.stable_code, refused.detail)]))


def _holder(task: Task) -> str:
    """Who holds `task`, or held it until a lapse failed it; empty for nobody, whose end of it is refused."""
    if task.worker is not None:
        return task.worker
    lapsed = orjson.loads(task.error or "{}")
    return str(lapsed.get("worker") or "")
