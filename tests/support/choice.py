"""What acts are drawn from: some bytes a step, one for each choice.

A strategy for each value costs more than the step it is for. Byte 0 is the first choice: Hypothesis makes the bytes of
what fails smaller, and so ends with the plainest values that still fail. Put those first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hypothesis import strategies as st
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

Value = TypeVar("Value")


class Anew(HypothesisProvider):
    """Draws every example anew. Hypothesis by itself makes five of six by repeating a step of the sixth elsewhere."""

    def draw_bytes(self, min_size: int = 0, max_size: int = 10_000) -> bytes:
        if min_size == max_size and self._random is not None:
            return self._random.randbytes(min_size)
        return super().draw_bytes(min_size, max_size)


ANEW = "anew"
"""That way by its name, for `settings(backend=ANEW)`; what fails is made smaller as ever."""
AVAILABLE_PROVIDERS[ANEW] = f"{__name__}.Anew"


@dataclass(frozen=True)
class Choice(Generic[Value]):
    """A value that is read off `width` bytes from a place on."""

    width: int
    read: Callable[[bytes, int], Value]

    def drawn(self) -> st.SearchStrategy[Value]:
        return _read(self)


@st.composite
def _read(draw: st.DrawFn, choice: Choice[Value]) -> Value:
    """Not by `map`: what was read is to be printed, not the bytes."""
    return choice.read(draw(st.binary(min_size=choice.width, max_size=choice.width)), 0)


def one_of(choices: Sequence[Value]) -> Choice[Value]:
    """One of some thousand choices at most; what stands there twice comes twice as often."""
    count = len(choices)
    if count <= 32:
        return Choice(1, lambda drawn, at: choices[drawn[at] % count])
    return Choice(2, lambda drawn, at: choices[(drawn[at] << 8 | drawn[at + 1]) % count])


def each_of(*parts: Choice[Any]) -> Choice[tuple[Any, ...]]:
    """A value of each part."""
    reads = [(part.read, sum(other.width for other in parts[:index])) for index, part in enumerate(parts)]
    return Choice(
        sum(part.width for part in parts), lambda drawn, at: tuple([read(drawn, at + offset) for read, offset in reads])
    )


def some_of(part: Choice[Value], counts: Sequence[int]) -> Choice[list[Value]]:
    """As many values of `part` as one of `counts` says."""
    count, width = one_of(counts), part.width
    return Choice(
        1 + max(counts) * width,
        lambda drawn, at: [part.read(drawn, at + 1 + index * width) for index in range(count.read(drawn, at))],
    )


def named(**parts: Choice[Any]) -> Choice[dict[str, Any]]:
    """A value of each part, by its name."""
    values = each_of(*parts.values())
    return Choice(values.width, lambda drawn, at: dict(zip(parts, values.read(drawn, at), strict=True)))


class Acts:
    """The acts of one machine, declared as decorators of its methods."""

    def __init__(self) -> None:
        self._weighted: list[tuple[str, Choice[dict[str, Any]]]] = []

    def __call__(self, weight: int, **values: Choice[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
        """Make the method an act, drawn `weight` times as often as one of weight 1."""

        def declare(method: Callable[..., None]) -> Callable[..., None]:
            self._weighted += [(method.__name__, named(**values))] * weight
            return method

        return declare

    def drawn(self) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
        """One of those declared so far, by its name, with its values; the likeliest first."""
        count = Counter(name for name, _ in self._weighted)
        act = one_of(sorted(self._weighted, key=lambda one: -count[one[0]]))
        width = max(values.width for _, values in self._weighted)

        def read(drawn: bytes, at: int) -> tuple[str, dict[str, Any]]:
            name, values = act.read(drawn, at)
            return name, values.read(drawn, at + act.width)

        return Choice(act.width + width, read).drawn()
