"""Several fields of an object read or exchanged at once, by a function that is made for them.

`getattr` and `setattr` look up each name at each call. Functions that spell the names out are told by the interpreter
where the values lie, which makes them several times as fast; so do the methods that dataclasses are given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, cast

Names = tuple[str, ...]
Get = Callable[[Any], tuple[Any, ...]]
Exchange = Callable[[Any, Iterable[Any]], tuple[Any, ...]]


@lru_cache(maxsize=1024)
def getter(names: Names) -> Get:
    """What gives the values of the attributes `names`, which may be dotted, of what it is called with."""
    return cast(Get, _made(f"def made(it): return ({', '.join(f'it.{name}' for name in names)},)", names))


@lru_cache(maxsize=1024)
def exchanger(names: Names) -> Exchange:
    """What gives the attributes `names` of what it is called with first the values that it is called with next.

    It returns the values that they had.
    """
    them = ", ".join(f"it.{name}" for name in names)
    return cast(Exchange, _made(f"def made(it, values): had = ({them},); {them}, = values; return had", names))


def _made(source: str, names: Names) -> Any:
    """The function that `source` makes of `names`.

    Raises:
        ValueError: one of them is no name.
    """
    if not names or not all(part.isidentifier() for name in names for part in name.split(".")):
        raise ValueError(f"not names of attributes: {names}")
    made: dict[str, Any] = {}
    exec(source, made)  # noqa: S102  (names, looked at just now)
    return made["made"]
