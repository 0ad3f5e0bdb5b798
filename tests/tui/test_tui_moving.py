"""The recording as a picture that plays by itself: what is seen when, and that the README's is of the recording."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from moving import LINE, PAPER, REST, Film, film, moving

SHOTS = Path(__file__).parents[2] / "screenshots"
SVG = "{http://www.w3.org/2000/svg}"


def seen(drawn: str, moment: float) -> dict[int, str]:
    """What can be read in each line of a playing picture at a moment, as a browser would show it."""
    lines = {}
    for slit in ElementTree.fromstring(drawn).findall(f"{SVG}svg"):  # noqa: S314 - it is our own
        strip = slit.find(f"{SVG}g")
        assert strip is not None
        shift = float(re.findall(r"[-.\d]+", strip.attrib["transform"])[1])
        move = strip.find(f"{SVG}animateTransform")
        if move is not None:
            times = [float(part) * float(move.attrib["dur"][:-1]) for part in move.attrib["keyTimes"].split(";")]
            values = [float(part.split()[1]) for part in move.attrib["values"].split(";")]
            assert times[0] == 0 and times == sorted(times) and len(times) == len(values)
            assert move.attrib["repeatCount"] == "indefinite"
            shift = [value for at, value in zip(times, values, strict=True) if at <= moment + 0.02][-1]
        place = f"translate(0 {0 - shift:g})"
        words = [
            "".join(word.itertext())
            for row in strip.findall(f"{SVG}g")
            if row.attrib["transform"] == place
            for word in row.iter(f"{SVG}tspan")
        ]
        lines[round((float(slit.attrib["y"]) - 10) / LINE)] = " ".join(words)
    return {y: text for y, text in lines.items() if text}


@pytest.fixture
def short(tmp_path: Path) -> Film:
    """Three pictures, a second apart, after a blank screen; and what a program leaves behind."""
    said = [
        (0.0, "\x1b[?1049h\x1b[?2026$p\x1b]2;title\x07"), (0.5, "\x1b[1;1H\x1b[1;38;2;255;0;0mone <&>\x1b[0m  far"),
        (0.52, "\x1b[2;3H\x1b[48;2;0;0;255mtwo\x1b[0m"), (1.5, "\x1b[1;1Hnew\x1b[K"), (2.5, "\x1b[1;1H\x1b[2K"),
        (3.0, "\x1b[?1049lshell> "),
    ]  # fmt: skip
    file = tmp_path / "x.cast"
    header = {"version": 2, "width": 20, "height": 3}
    file.write_text("\n".join(json.dumps(line) for line in [header, *([at, "o", text] for at, text in said)]))
    return film(file)


def test_each_line_changes_when_it_did(short: Film) -> None:
    drawn = moving(short)
    assert seen(drawn, 0) == {0: "one <&> far", 1: "two"}
    assert seen(drawn, 1.1) == {0: "new", 1: "two"}
    assert seen(drawn, 2.1) == {1: "two"} == seen(drawn, 2.5 + REST), "what comes after the program is not shown"
    assert short.seconds == pytest.approx(2.5 + REST)
    assert drawn.count("<animateTransform") == 1, "what stands still does not move"


def test_colours_and_places_are_kept(short: Film) -> None:
    drawn = moving(short)
    first = short.lines[0][0][1]
    assert [(span.x, span.text.strip(), span.ink, span.bold) for span in first][:1] == [(0, "one <&>", "ff0000", True)]
    assert [(span.x, span.paper) for span in short.lines[1][0][1]] == [(2, "0000ff")]
    assert "fill:#ff0000;font-weight:bold" in drawn and "fill:#0000ff" in drawn and f"#{PAPER}" in drawn


def test_a_single_moment_stands_still(short: Film) -> None:
    for moment in (0.0, 1.1, 2.1):
        still = moving(short, moment)
        assert "animate" not in still and seen(still, 0) == seen(moving(short), moment)


def test_the_picture_that_plays_is_of_the_recording_small_and_without_script() -> None:
    recording, playing = SHOTS / "override.cast", SHOTS / "override-playing.svg"
    drawn = playing.read_text("utf-8")
    shown = film(recording)
    assert drawn == moving(shown), "run: python tests/tui/moving.py"
    assert len(drawn.encode()) < 600_000
    assert not re.search(r"<script|\son\w+=|href|@import|url\(", drawn)
    last = " ".join(seen(drawn, shown.seconds).values())
    assert "W-77 goes to agent-fern" in last and "nothing needs you" in last
    assert "Override lease" in " ".join(seen(drawn, 14).values())
