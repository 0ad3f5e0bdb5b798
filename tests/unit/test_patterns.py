"""Patterns name the events they seem to name, and no others."""

from __future__ import annotations

import pytest

from taskdeck.domain.patterns import is_pattern, matches


@pytest.mark.parametrize(
    ("pattern", "kind", "wanted"),
    [
        ("*", "task.created", True),
        ("task.created", "task.created", True),
        ("task.created", "task.created_late", False),
        ("task.*", "task.created", True),
        ("task.*", "task.a.b", True),
        ("task.*", "tasks.created", False),
        ("task.*", "task", False),
        ("worker.*", "task.created", False),
        ("task", "task.created", False),
    ],
)
def test_a_pattern_names_events(pattern: str, kind: str, wanted: bool) -> None:
    assert matches([pattern], kind) is wanted
    assert matches(["no.such", pattern], kind) is wanted


def test_no_pattern_names_nothing() -> None:
    assert not matches([], "task.created")


@pytest.mark.parametrize("text", ["*", "task.*", "task.created", "clock.jumped", "a.b.*", "task"])
def test_what_is_a_pattern(text: str) -> None:
    assert is_pattern(text)


@pytest.mark.parametrize("text", ["", "ta*", "*.created", "task.", ".*", "task.**", "Task.*", "a b", "x" * 65, "a\n"])
def test_what_is_none(text: str) -> None:
    assert not is_pattern(text)
