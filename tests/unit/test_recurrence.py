"""When something recurs: the words, the clocks of a zone, and both directions of the same ticks."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskdeck.domain.clock import from_rfc3339, rfc3339
from taskdeck.domain.recurrence import parse

START = "2026-01-31T08:00:00Z"
# without Lord Howe, whose clocks move by half an hour: there cronsim steps over one hour of one night a year
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kathmandu", "Africa/Cairo"]
RULES = [
    "every 15 minutes", "every 7 hours", "every day at 02:30", "every 3 days at 00:00", "every 2 weeks at 23:59",
    "every month at 01:30", "every 5 months at 12:00", "every year at 02:00", "daily at 2:30",
    "weekly on mon,SUN at 01:30", "monthly on 31 at 02:15", "* * * * *", "*/20 * * * *", "30 2 * * *",
    "0 0 29 2 *", "15 1,2,3 * * 0", "0 9 * * 1-5",
    "0 */5 * * *", "0 0 L * *", "5 2 1 * mon",
]  # fmt: skip


def _ticks(rule: str, zone: str, after: str, count: int, start: str = START) -> list[str]:
    recurrence, moment, found = parse(rule, zone, from_rfc3339(start)), from_rfc3339(after), []
    for _ in range(count):
        tick = recurrence.after(moment)
        assert tick is not None
        found.append(rfc3339(tick)[:16])
        moment = tick
    return found


def test_words_mean_what_they_say() -> None:
    after = "2026-02-01T10:20:00Z"  # a Sunday
    assert _ticks("every 15 minutes", "UTC", after, 2) == ["2026-02-01T10:30", "2026-02-01T10:45"]
    assert _ticks("Every  Minute", "UTC", after, 1) == ["2026-02-01T10:21"]
    assert _ticks("every 6 hours", "UTC", after, 2) == ["2026-02-01T14:00", "2026-02-01T20:00"]
    assert _ticks("daily at 9:05", "UTC", after, 2) == ["2026-02-02T09:05", "2026-02-03T09:05"]
    assert _ticks("every 2 days at 09:00", "UTC", after, 2) == ["2026-02-02T09:00", "2026-02-04T09:00"]
    assert _ticks("every 2 weeks at 09:00", "UTC", after, 2) == ["2026-02-14T09:00", "2026-02-28T09:00"]
    assert _ticks("weekly on tue, fri at 07:30", "UTC", after, 3) == [
        "2026-02-03T07:30", "2026-02-06T07:30", "2026-02-10T07:30",
    ]  # fmt: skip
    assert _ticks("0 9 * * 1-5", "UTC", after, 1) == ["2026-02-02T09:00"]
    assert _ticks("daily at 09:00", "Asia/Kathmandu", after, 1) == ["2026-02-02T03:15"]


def test_a_short_month_has_the_tick_on_its_last_day() -> None:
    wanted = ["2026-01-31T09:00", "2026-02-28T09:00", "2026-03-31T09:00", "2026-04-30T09:00"]
    assert _ticks("monthly on 31 at 09:00", "UTC", START, 4) == wanted
    assert _ticks("every month at 09:00", "UTC", START, 4) == wanted
    assert _ticks("every year at 09:00", "UTC", "2024-02-29T10:00:00Z", 4, "2024-02-29T08:00:00Z")[2:] == [
        "2027-02-28T09:00",
        "2028-02-29T09:00",
    ]


@pytest.mark.parametrize("rule", ["daily at 02:30", "30 2 * * *", "every 1 days at 02:30"])
def test_a_clock_set_forward_or_back_gives_one_tick_a_day(rule: str) -> None:
    spring = _ticks(rule, "Europe/Berlin", "2026-03-28T00:00:00Z", 3)
    assert spring == ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"]  # 02:30 is not there: 03:00
    autumn = _ticks(rule, "Europe/Berlin", "2026-10-24T00:00:00Z", 3)
    assert autumn == ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"]


def test_spans_are_of_real_time_whatever_the_clocks_show() -> None:
    night = _ticks("every 30 minutes", "Europe/Berlin", "2026-10-25T00:00:00Z", 4)
    assert night == ["2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30", "2026-10-25T02:00"]
    assert _ticks("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 4) == night


MOMENTS = st.integers(1_700_000_000_000, 1_900_000_000_000) | st.builds(
    lambda day, minute: round(datetime(2026, *day, tzinfo=UTC).timestamp() * 1000) + minute * 60_000,
    st.sampled_from([(3, 29), (10, 25), (3, 8), (11, 1), (4, 5), (10, 4)]),
    st.integers(-400, 1_000),
)


@given(st.sampled_from(RULES), st.sampled_from(ZONES), MOMENTS)
def test_forwards_and_backwards_are_the_same_ticks(rule: str, zone: str, moment: int) -> None:
    recurrence = parse(rule, zone, 1_500_000_000_000)
    ticks = [moment]
    for _ in range(5):
        tick = recurrence.after(ticks[-1])
        assert tick is not None
        ticks.append(tick)
    assert ticks == sorted(set(ticks))
    for earlier, later in pairwise(ticks[1:]):
        assert recurrence.before(later) == earlier
        assert recurrence.after(earlier) == later
    assert (recurrence.before(ticks[1]) or 0) <= moment
    if not rule.startswith("every 15") and not rule.startswith("every 7"):
        assert {datetime.fromtimestamp(tick / 1000, ZoneInfo(zone)).second for tick in ticks[1:]} == {0}


def test_nothing_comes_before_the_start() -> None:
    start = from_rfc3339(START)
    for rule in ("every 20 minutes", "every 2 days at 07:00", "daily at 07:00", "monthly on 3 at 09:00"):
        recurrence = parse(rule, "UTC", start)
        first = recurrence.after(0)
        assert first is not None
        assert first >= start
        assert recurrence.before(first) is None


def test_a_day_that_never_comes() -> None:
    assert parse("0 0 29 2 mon#5", "UTC", 0).after(from_rfc3339(START)) is not None
    assert parse("every 9000 years at 00:00", "UTC", from_rfc3339(START)).after(from_rfc3339(START)) is None


@pytest.mark.parametrize(
    "rule",
    ["", "now and then", "every 0 minutes", "every 99999 days at 09:00", "every 5 seconds", "every 2 days",
     "daily at 24:00", "daily at 9", "weekly on xyz at 09:00", "monthly on 32 at 09:00", "* * * *", "* * * * * *",
     "61 * * * *", "0 0 30 2 *", "*/0 * * * *", "0 9 * * " + "1," * 200 + "1", "every ² days at 09:00", "@daily"],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        parse(rule, "UTC", 0)


@pytest.mark.parametrize("zone", ["", "Mars/Base", "../etc/passwd", "/etc/localtime", "America", "Europe/Berlin\0"])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        parse("daily at 09:00", zone, 0)
