"""The command line's small words: durations, times, phrases, columns."""

from __future__ import annotations

from typing import Any

import pytest

from taskdeck.cli.errors import Failure
from taskdeck.cli.output import Column, Output
from taskdeck.cli.phrases import phrase
from taskdeck.cli.times import ago, left, span
from taskdeck.cli.values import document, moment, seconds

pytestmark = pytest.mark.unit


class Noon:
    """A clock that stands at 2026-01-01T12:00:00Z."""

    def now_ms(self) -> int:
        return 1_767_268_800_000

    def monotonic_ms(self) -> int:
        return 0


@pytest.mark.parametrize(
    ("length", "text"),
    [(0, "0s"), (59.4, "59s"), (59.6, "1m 00s"), (3599, "59m 59s"), (3600, "1h 00m"), (90061, "1d 1h"), (-3, "0s")],
)
def test_spans_have_two_units(length: float, text: str) -> None:
    assert span(length) == text


def test_times_are_told_from_now() -> None:
    assert left("2026-01-01T12:00:05.000Z", Noon()) == "5s"
    assert left("2026-01-01T11:59:00.000Z", Noon()) == "1m 00s past"
    assert ago("2026-01-01T11:00:00.000Z", Noon()) == "1h 00m ago"
    assert (left(None), ago(None)) == ("", "")


@pytest.mark.parametrize(("text", "value"), [("90", 90), ("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86400)])
def test_durations(text: str, value: int) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "-5", "1.5h", "5 m", "1h30m", "٣s", "9999999999"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(Failure):
        seconds(text)


def test_moments_are_given_or_reckoned_from_now() -> None:
    assert moment("+15m", Noon()) == "2026-01-01T12:15:00.000Z"
    assert moment("2026-01-01T13:00:00+01:00", Noon()) == "2026-01-01T12:00:00.000Z"
    for text in ("2026-01-01T13:00:00", "+", "+5y", "1066-10-14T09:00:00Z", "+999999999d"):
        with pytest.raises(Failure):
            moment(text, Noon())


def test_json_options_name_themselves_when_wrong() -> None:
    assert document('"x"', "--result") == "x"
    with pytest.raises(Failure, match="--result is not JSON"):
        document("x", "--result")
    with pytest.raises(Failure, match="--payload"):
        document("[" * 200_000, "--payload")


@pytest.mark.parametrize(
    ("kind", "facts", "changes", "text"),
    [
        ("task.created", {"title": "t", "state": "blocked"}, {}, "t · blocked"),
        ("task.claimed", {"wait_seconds": 3.2}, {}, "after 3s"),
        ("task.heartbeat", {}, {"claim": {"progress": 40, "state": "waiting_input", "detail": "which?"}}, None),
        ("task.failed", {"error": "e", "retry": True, "delay_seconds": 8}, {}, "e · again in 8s"),
        ("task.overridden", {"from_worker": "a", "to_worker": None, "reason": "r"}, {}, "a → the queue · r"),
        ("task.reprioritized", {"from": 0, "to": 80}, {}, "0 → 80"),
        ("task.assigned", {"from": None, "to": "b"}, {}, "nobody → b"),
        ("something.new", {"some_fact": 3, "none": None}, {}, "some fact 3"),
    ],
)
def test_each_event_says_how_it_was(kind: str, facts: Any, changes: Any, text: str | None) -> None:
    said = phrase({"type": kind, "facts": facts, "changes": changes})
    assert said == (text or "40% · waiting_input · which?")


def test_columns_align_under_wide_characters(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).table(
        (Column("A"), Column("N", right=True), Column("B")), [("表示", "7", "x"), ("a", "12", "y")]
    )
    assert capsys.readouterr().out.splitlines() == ["A      N  B", "表示   7  x", "a     12  y"]
