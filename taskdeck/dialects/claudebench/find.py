"""Finding what parameters name."""

from __future__ import annotations

from collections.abc import Callable

from taskdeck.dialects.claudebench.errors import Reason, Refusal
from taskdeck.dialects.claudebench.methods import Ask
from taskdeck.dialects.claudebench.presence import Instance
from taskdeck.dialects.claudebench.words import ref_of
from taskdeck.domain.errors import NotFound
from taskdeck.domain.task import Task
from taskdeck.service import find
from taskdeck.store.unit import Unit


def the_task(unit: Unit, ask: Ask, id: str, missing: str) -> Task:
    """The task of that id.

    Raises:
        Reason: there is none: `missing`.
    """
    try:
        return find.the_task(unit, ask.who, ref_of(id))
    except NotFound:
        raise Reason(missing) from None


def require_here(
    unit: Unit, ask: Ask, name: str, refusal: Callable[[str], Refusal], missing: str, offline: str
) -> Instance:
    """The instance `name`, which is here and active.

    Raises:
        Refusal: it is not here (`missing`), or it counts as offline (`offline`); each with its name put in.
    """
    found = ask.house.presence.here(name, unit.mirror.workers, unit.now)
    if found is None:
        raise refusal(missing.format(name))
    if unit.mirror.workers[name].draining:
        raise refusal(f"{offline.format(name)} (status: OFFLINE)")
    return found
