"""Every colour is legible where it is used, in every theme of the deck."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.theme import Theme

from taskdeck.tui.themes import DECK_CONTRAST, STATE_GLYPHS, THEMES, Palette

STATES = tuple(STATE_GLYPHS)


def colour(theme: Theme, word: str) -> Color:
    return Color.parse(theme.variables[f"deck-{word}"])


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2."""

    def light(shade: Color) -> float:
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in shade.normalized]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    brighter, darker = sorted((light(one), light(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("ground", ["ground", "panel", "bar", "marked", "past"])
@pytest.mark.parametrize("word", ["text", "strong", "muted", "key", "accent", *STATES])
def test_words_are_legible_on_every_ground(theme: Theme, ground: str, word: str) -> None:
    assert contrast(colour(theme, word), colour(theme, ground)) >= 4.5


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_faint_words_can_still_be_read(theme: Theme) -> None:
    assert contrast(colour(theme, "faint"), colour(theme, "ground")) >= 3


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("state", [*STATES, "accent", "muted"])
def test_text_on_the_tape_and_the_chips_is_legible(theme: Theme, state: str) -> None:
    assert contrast(colour(theme, "on-colour"), colour(theme, state)) >= 4.5


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("ground", ["selection", "bar-focus"])
@pytest.mark.parametrize("word", ["text", "muted", "faint", "key", "failed", "claimed", "done"])
def test_a_selected_line_stays_legible(theme: Theme, ground: str, word: str) -> None:
    for past in (False, True):
        _legible(Palette(theme.variables, past=past), word, ground)


def _legible(palette: Palette, word: str, ground: str) -> None:
    style = palette.style(word, ground)
    assert style.color and style.bgcolor and style.color.triplet and style.bgcolor.triplet
    front, back = (Color(*tone.triplet) for tone in (style.color, style.bgcolor) if tone.triplet)
    assert contrast(front, back) >= 4.2


@pytest.mark.parametrize("word", ["text", "strong", "muted", "key", "accent", *STATES])
@pytest.mark.parametrize("ground", ["ground", "panel", "past"])
def test_the_theme_of_high_contrast_has_it(word: str, ground: str) -> None:
    assert contrast(colour(DECK_CONTRAST, word), colour(DECK_CONTRAST, ground)) >= 7


def test_all_themes_know_the_same_words() -> None:
    words = [{name for name in theme.variables if name.startswith("deck-")} for theme in THEMES]
    assert all(each == words[0] for each in words)
