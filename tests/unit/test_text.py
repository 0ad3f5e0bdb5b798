"""The one door to the terminal: whatever comes in, nothing comes out that a terminal would obey."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskdeck.domain.text import MAX_MARKS, visible

HOSTILE = [
    "[/x]", "[red]", "[@click=app.quit]go[/]", "[link=http://e]a[/link]", "an unterminated [b",
    "\x1b]52;c;aGk=\x07", "\x1b]0;title\x07", "\x1b[2J", "\x9b2J", "\x1bPq\x1b\\", "\u202eevil",
    "a" + "\u0301" * 10_000, "x" * 100_000, "\x00", "\x7f", "\r\n\t\b", "a\u200bb\u200d\ufeff", "\ud800", "\udfff",
    "\U000e0041", "\u2028\u2029", "\u2066\u2069", "\x85", "\u061c", "\u00ad", "\u3164",
]  # fmt: skip

FORBIDDEN = {"Cc", "Cs", "Cf", "Zl", "Zp"}


def _safe(text: str) -> bool:
    return not any(unicodedata.category(char) in FORBIDDEN and char not in _HARMLESS for char in text)


# format characters that draw something: prefixed numbers and the like
_HARMLESS = frozenset(
    chr(code)
    for code in range(0x110000)
    if unicodedata.category(chr(code)) == "Cf"
    and (0x600 <= code <= 0x605 or code in (0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD))
)


@pytest.mark.parametrize("text", HOSTILE, ids=[ascii(text)[:30] for text in HOSTILE])
def test_nothing_hostile_comes_out(text: str) -> None:
    for keep in (False, True):
        shown = visible(text, keep_newlines=keep)
        assert "\x1b" not in shown
        assert _safe(shown.replace("\n", "") if keep else shown)
        shown.encode()


def test_markup_is_text_and_stays() -> None:
    for text in HOSTILE[:5]:
        assert visible(text) == text


def test_newlines_are_kept_on_request() -> None:
    assert visible("a\nb\tc") == "a␊b␉c"
    assert visible("a\nb\tc", keep_newlines=True) == "a\nb␉c"


def test_marks_are_bounded() -> None:
    shown = visible("a" + "\u0301" * 10_000 + "b")
    assert len(shown) <= MAX_MARKS + 2
    assert shown.endswith("b")


@pytest.mark.parametrize("text", ["plain", "Grüße, naïve café", "日本語 😀 עברית العربية", "e\u0301", "│ ░ ▒"])
def test_what_people_write_is_left_alone(text: str) -> None:
    assert visible(text) == text


@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_text_is_made_harmless_and_once_is_enough(text: str) -> None:
    shown = visible(text)
    assert not any(ord(char) < 0x20 or 0x7F <= ord(char) <= 0x9F or 0xD800 <= ord(char) <= 0xDFFF for char in shown)
    assert not any(unicodedata.bidirectional(char) in _OVERRIDES for char in shown)
    assert visible(shown) == shown
    shown.encode()


_OVERRIDES = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@given(st.text(max_size=100))
def test_newlines_alone_tell_the_two_ways_apart(text: str) -> None:
    assert visible(text, keep_newlines=True).replace("\n", "␊") == visible(text) or "\n" in text
