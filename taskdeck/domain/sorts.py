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
SECOND = frozenset({"number", "prio", "title", "attempt"})
"""By what tasks that are alike in the first can be sorted: what every task has."""
LEADING = frozenset(SORTS) - {"number", "-number", "priority", "-priority"}
"""Behind what a second may stand: by these tasks can be alike."""
TITLE_SORTED = 64
"""Characters of a title by which it is sorted, A to Z in either case alike."""


def keys_of(sort: str) -> tuple[str, ...]:
    """What an order is made of: one of `SORTS`, or two with a comma, such as `prio,-number`.

    Without a second tasks that are alike lie by number, turned as the first is; one that says the same is left out.

    Raises:
        ValueError: it is no order.
    """
    first, comma, second = sort.partition(",")
    if first not in SORTS:
        raise ValueError(f"there are {', '.join(SORTS)}, and two of them with a comma")
    if not comma:
        return (first,)
    if first not in LEADING or second.removeprefix("-") not in SECOND - {first.removeprefix("-")}:
        raise ValueError(f"behind {', '.join(sorted(LEADING))} may stand {', '.join(sorted(SECOND))}, each but once")
    return (first,) if second == ("-number" if first.startswith("-") else "number") else (first, second)
