"""The orders in which tasks can be listed, by name. One for API, CLI and deck."""

from __future__ import annotations

from typing import Literal, get_args

Sort = Literal[
    "number", "-number", "priority", "-priority", "prio", "-prio", "title", "-title", "state", "-state", "due", "-due",
    "lease", "-lease", "holder", "-holder", "attempt", "-attempt",
]  # fmt: skip
"""By `number` the oldest come first, by `priority` what is claimed next, by `prio` the highest number alone, by `state`
as a task lives. `due`, `lease`, `holder` and `attempt` list only what has such a thing: a date and no end yet, a lease
that ends, a holder, a second attempt (most tried first). With a dash: the same list from its other end."""

SORTS: tuple[Sort, ...] = get_args(Sort)
TITLE_SORTED = 64
"""Characters of a title by which it is sorted, A to Z in either case alike."""
