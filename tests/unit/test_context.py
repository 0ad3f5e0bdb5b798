"""Merging a patch into a context."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskdeck.domain.context import MAX_DEPTH, merged
from taskdeck.domain.errors import Invalid

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
documents = st.dictionaries(st.sampled_from("abc"), values, max_size=3)


@pytest.mark.parametrize(
    ("document", "patch", "expected"),
    [
        ({}, {}, {}),
        ({"a": 1}, {}, {"a": 1}),
        ({"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"x": 1, "y": 2}}),
        ({"a": {"x": {"p": 1}}}, {"a": {"x": {"q": None}}}, {"a": {"x": {"p": 1, "q": None}}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": [{"x": 1}]}, {"a": [{"y": 2}]}, {"a": [{"y": 2}]}),
        ({"a": {"x": 1}}, {"a": None}, {"a": None}),
        ({"a": {"x": 1}}, {"a": 5}, {"a": 5}),
        ({"a": 5}, {"a": {"x": 1}}, {"a": {"x": 1}}),
        ({"a": {"x": 1}}, {"a": {}}, {"a": {"x": 1}}),
        ({"b": 1}, {"a": {}}, {"b": 1, "a": {}}),
    ],
)
def test_objects_are_merged_and_all_else_put_in_place(document: Any, patch: Any, expected: Any) -> None:
    assert merged(document, patch) == expected


@given(document=documents, patch=documents)
def test_merging_says_what_the_patch_says_and_changes_neither(document: Any, patch: Any) -> None:
    before = repr((document, patch))
    result = merged(document, patch)
    assert merged(result, patch) == result
    assert merged({}, patch) == patch
    assert {key: value for key, value in result.items() if key not in patch} == {
        key: value for key, value in document.items() if key not in patch
    }
    assert repr((document, patch)) == before


def _nested(depth: int, kind: type) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value} if kind is dict else [value]
    return value


@pytest.mark.parametrize("kind", [dict, list])
def test_what_is_nested_too_deep_is_refused(kind: type) -> None:
    fits = {"k": _nested(MAX_DEPTH - 1, kind)}
    assert merged(fits, fits) == fits
    with pytest.raises(Invalid):
        merged({}, {"k": _nested(MAX_DEPTH, kind)})
    with pytest.raises(Invalid):
        merged({}, {"k": [_nested(MAX_DEPTH - 1, kind)]})
