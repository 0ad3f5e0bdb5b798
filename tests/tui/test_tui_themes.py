"""Every colour is legible where it is used, in every theme of the deck."""

from __future__ import annotations

import pytest
from live import at_rest, drawn, screen
from scene import scene
from textual.color import Color
from textual.theme import Theme

from taskdeck.tui.themes import DECK_ANSI, DECK_CONTRAST, STATE_GLYPHS, THEMES, Palette

STATES = tuple(STATE_GLYPHS)
COLOURED = tuple(theme for theme in THEMES if not theme.ansi)


def colour(theme: Theme, word: str) -> Color:
    return Color.parse(theme.variables[f"deck-{word}"])


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2."""

    def light(shade: Color) -> float:
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in shade.normalized]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    brighter, darker = sorted((light(one), light(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", COLOURED, ids=lambda theme: theme.name)
@pytest.mark.parametrize("ground", ["ground", "panel", "bar", "marked", "past"])
@pytest.mark.parametrize("word", ["text", "strong", "muted", "key", "accent", *STATES])
def test_words_are_legible_on_every_ground(theme: Theme, ground: str, word: str) -> None:
    assert contrast(colour(theme, word), colour(theme, ground)) >= 4.5


@pytest.mark.parametrize("theme", COLOURED, ids=lambda theme: theme.name)
def test_faint_words_can_still_be_read(theme: Theme) -> None:
    assert contrast(colour(theme, "faint"), colour(theme, "ground")) >= 3


@pytest.mark.parametrize("theme", COLOURED, ids=lambda theme: theme.name)
@pytest.mark.parametrize("state", [*STATES, "accent", "muted"])
def test_text_on_the_tape_and_the_chips_is_legible(theme: Theme, state: str) -> None:
    assert contrast(colour(theme, "on-colour"), colour(theme, state)) >= 4.5


@pytest.mark.parametrize("theme", COLOURED, ids=lambda theme: theme.name)
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


@pytest.mark.parametrize("past", [False, True])
def test_the_terminals_own_colours_never_meet_themselves(past: bool) -> None:
    words = [name.removeprefix("deck-") for name in DECK_ANSI.variables if name.startswith("deck-")]
    palette = Palette(DECK_ANSI.variables, past=past)
    grounds = ("ground", "panel", "bar", "bar-focus", "selection", "marked", *STATES, "accent", "muted")
    for ground in grounds:
        for word in words if ground not in (*STATES, "accent", "muted") else ("on-colour",):
            style = palette.style(word, ground)
            assert style.color and style.bgcolor and style.color.triplet is None, "colours of the terminal alone"
            assert style.reverse or style.bgcolor.name != style.color.name or style.color.name == "default"
            assert style.color.name not in ("white", "black") or style.bgcolor.name != "default"


async def test_the_terminals_own_colours_reach_the_screen() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("T", "T", "T")
        await pilot.pause()
        assert app.theme == "deck-ansi" and "claimed 24" in "".join(screen(app))
        await pilot.press("j", "o")
        await pilot.pause()
        assert "What will happen" in "".join(screen(app))
        strips = app.screen_stack[0]._compositor.render_strips()
        colours = {
            segment.style.color for strip in strips for segment in strip if segment.style and segment.style.color
        }
        assert colours and all(colour.triplet is None for colour in colours)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_without_colour_all_is_said_and_nothing_is_coloured(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[list[str]] = []
    for coloured in (True, False):
        if not coloured:
            monkeypatch.setenv("NO_COLOR", "1")
        app = scene()
        async with app.run_test(size=size) as pilot:
            await pilot.press("j", "space", "o")
            await at_rest(pilot)
            said.append(screen(app))
            styles = [part.style for strip in drawn(app) for part in strip if part.style]
            shades = {
                tone.triplet for style in styles for tone in (style.color, style.bgcolor) if tone and tone.triplet
            }
            grey = all(red == green == blue for red, green, blue in shades)
            assert grey is not coloured and len(shades) > 2
            assert any(style.bold for style in styles), "what counts is told apart without colour too"
    assert said[0] == said[1]
