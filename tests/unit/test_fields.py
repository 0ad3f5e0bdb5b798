"""Several fields read or exchanged at once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from taskdeck.domain.fields import exchanger, getter


def test_values_are_read_in_the_order_of_the_names_dotted_ones_too() -> None:
    it = SimpleNamespace(a=1, b=SimpleNamespace(c=2))
    assert getter(("b.c", "a"))(it) == (2, 1)
    assert getter(("a",))(it) == (1,)


def test_values_are_exchanged_in_the_order_of_the_names() -> None:
    it = SimpleNamespace(a=1, b=2, c=3)
    assert exchanger(("c", "a"))(it, {"x": 30, "y": 10}.values()) == (3, 1)
    assert exchanger(("b",))(it, [20]) == (2,)
    assert vars(it) == {"a": 10, "b": 20, "c": 30}


def test_too_few_values_set_none_of_them() -> None:
    it = SimpleNamespace(a=1, b=2)
    with pytest.raises(ValueError, match="not enough values"):
        exchanger(("a", "b"))(it, [10])
    assert vars(it) == {"a": 1, "b": 2}


@pytest.mark.parametrize("names", [(), ("a b",), ("a; import os",), ("a", "b."), ("",)])
def test_what_is_no_name_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="not names"):
        getter(names)
    with pytest.raises(ValueError, match="not names"):
        exchanger(names)
