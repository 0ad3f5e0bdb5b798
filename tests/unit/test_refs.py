"""References: every text is one of three kinds, and none is two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskdeck.domain.refs import KEY, Ref, parse_ref

UUID = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("7", Ref("number", 7)),
        ("007", Ref("number", 7)),
        (str(2**63 - 1), Ref("number", 2**63 - 1)),
        (str(2**63), Ref("key", str(2**63))),
        ("0" * 19 + "12", Ref("key", "0" * 19 + "12")),
        ("٣", Ref("key", "٣")),
        ("-1", Ref("key", "-1")),
        (UUID, Ref("id", UUID)),
        (UUID.upper(), Ref("id", UUID)),
        (UUID[:-1], Ref("key", UUID[:-1])),
        ("T21", Ref("key", "T21")),
        ("", Ref("key", "")),
        ("a\0b", Ref("key", "a\0b")),
    ],
)
def test_each_kind(text: str, ref: Ref) -> None:
    assert parse_ref(text) == ref


@given(st.text(max_size=100))
def test_every_text_is_a_reference(text: str) -> None:
    ref = parse_ref(text)
    assert ref.column in ("id", "number", "key")
    if ref.column == "number":
        assert ref.value == int(text)


@given(st.from_regex(KEY, fullmatch=True))
def test_a_key_is_never_taken_for_a_number(key: str) -> None:
    assert parse_ref(key).column != "number"
