"""When something recurs: said in plain words or as cron, told on the clocks of a time zone.

    every 15 minutes · every 2 hours            spans of real time, from the start on
    every 3 days at 09:00 · every 2 weeks at …  the start's day and every so many on; also months and years
    daily at 09:00 · weekly on mon,thu at 09:00 · monthly on 31 at 09:00
    0 9 * * 1-5                                 cron: minute, hour, day, month, weekday

Where a clock is set forward past a tick's hour, the tick comes at the first minute there is; where it is set back over
one, the tick comes once, the first time. A month too short for its day has the tick on its last one.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

MAX_TEXT = 200
_AHEAD = timedelta(hours=3)
"""More than any clock is set back: how far beyond a moment a search backwards begins."""


class Recurrence(Protocol):
    """Ticks in milliseconds since the epoch; None where there is none."""

    def after(self, moment: int) -> int | None:
        """The first tick after `moment`."""

    def before(self, moment: int) -> int | None:
        """The last tick before `moment`."""


def parse(text: str, zone: str, starts_at: int) -> Recurrence:
    """What `text` says, on the clocks of `zone` (an IANA name), counted from `starts_at` where it counts.

    Raises:
        ValueError: it says nothing of the kind, or there is no such zone.
    """
    clocks = the_zone(zone)
    words = " ".join(text.lower().split())
    if len(words) > MAX_TEXT:
        raise ValueError(f"is longer than {MAX_TEXT} characters")
    if found := re.fullmatch(r"every (?:(\d{1,4}) )?(minute|hour)s?", words, re.ASCII):
        return Spans(starts_at, _count(found[1]) * (60_000 if found[2] == "minute" else 3_600_000))
    if found := re.fullmatch(r"every (?:(\d{1,4}) )?(day|week|month|year)s? at (\S+)", words, re.ASCII):
        start = _local(starts_at, clocks)
        return Days(starts_at, start.date(), start.day, found[2], _count(found[1]), _clock_time(found[3]), clocks)
    if found := re.fullmatch(r"daily at (\S+)", words):
        return Days(starts_at, _local(starts_at, clocks).date(), 1, "day", 1, _clock_time(found[1]), clocks)
    if found := re.fullmatch(r"monthly on (\d{1,2}) at (\S+)", words, re.ASCII):
        if not 1 <= int(found[1]) <= 31:
            raise ValueError("a month's days are 1 to 31")
        first = _local(starts_at, clocks).date().replace(day=1)
        return Days(starts_at, first, int(found[1]), "month", 1, _clock_time(found[2]), clocks)
    if found := re.fullmatch(r"weekly on ([a-z]{3}(?: ?, ?[a-z]{3})*) at (\S+)", words):
        at = _clock_time(found[2])
        return _cron(f"{at.minute} {at.hour} * * {found[1].replace(' ', '')}", clocks)
    return _cron(words, clocks)


def the_zone(name: str) -> tzinfo:
    """The time zone of that IANA name.

    Raises:
        ValueError: there is none.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name[:60]!r} is no time zone, such as Europe/Berlin or UTC") from None


@dataclass(frozen=True, slots=True)
class Spans:
    """Every so many milliseconds of real time, from `start` on."""

    start: int
    every: int

    def after(self, moment: int) -> int | None:
        return max(self.start, self.start + ((moment - self.start) // self.every + 1) * self.every)

    def before(self, moment: int) -> int | None:
        return self.start + (moment - 1 - self.start) // self.every * self.every if moment > self.start else None


@dataclass(frozen=True, slots=True)
class Days:
    """Every so many days, weeks, months or years from the day `first` on, at a time of day; none before `start`."""

    start: int
    first: date
    day: int
    unit: str
    every: int
    at: time
    zone: tzinfo

    def after(self, moment: int) -> int | None:
        k = max(0, self._near(moment) - 1)
        while (tick := self._tick(k)) is not None and (tick <= moment or tick < self.start):
            k += 1
        return tick

    def before(self, moment: int) -> int | None:
        for k in range(self._near(moment) + 1, -1, -1):
            tick = self._tick(k)
            if tick is not None and tick < moment:
                return tick if tick >= self.start else None
        return None

    def _near(self, moment: int) -> int:
        """The number of a tick that is at most one away from `moment`."""
        day = _local(moment, self.zone).date()
        if self.unit in ("day", "week"):
            return (day - self.first).days // (self.every * (7 if self.unit == "week" else 1))
        months = (day.year - self.first.year) * 12 + day.month - self.first.month
        return months // (self.every * (12 if self.unit == "year" else 1))

    def _tick(self, k: int) -> int | None:
        try:
            if self.unit in ("day", "week"):
                day = self.first + timedelta(days=k * self.every * (7 if self.unit == "week" else 1))
            else:
                months = self.first.month - 1 + k * self.every * (12 if self.unit == "year" else 1)
                year, month = self.first.year + months // 12, months % 12 + 1
                day = date(year, month, min(self.day, calendar.monthrange(year, month)[1]))
            return _on_the_clock(datetime.combine(day, self.at), self.zone)
        except (ValueError, OverflowError):  # beyond the year 9999
            return None


@dataclass(frozen=True, slots=True)
class Cron:
    """Whatever a cron expression says."""

    expression: str
    zone: tzinfo

    def after(self, moment: int) -> int | None:
        return next((tick for tick in self._ticks(_local(moment, self.zone)) if tick > moment), None)

    def before(self, moment: int) -> int | None:
        ticks = self._ticks(_local(moment, self.zone) + _AHEAD, backwards=True)
        return next((tick for tick in ticks if tick < moment), None)

    def _ticks(self, start: datetime, *, backwards: bool = False) -> Iterator[int]:
        try:
            for tick in CronSim(self.expression, start, reverse=backwards):
                yield _ms(tick)
        except (ValueError, OverflowError):  # beyond what a calendar can say
            return


def _cron(expression: str, zone: tzinfo) -> Cron:
    if len(expression.split()) != 5:
        raise ValueError(
            "is neither cron (minute hour day month weekday) nor such as `every 15 minutes`, `every 2 weeks at 09:00`,"
            " `daily at 09:00`, `weekly on mon,thu at 09:00`, `monthly on 31 at 09:00`"
        )
    try:
        CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"is no cron expression: {error}") from None
    return Cron(expression, zone)


def _count(text: str | None) -> int:
    count = int(text or 1)
    if not count:
        raise ValueError("every 0 is never")
    return count


def _clock_time(text: str) -> time:
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", text, re.ASCII)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise ValueError(f"{text!r} is no time of day, such as 09:00")
    return time(int(found[1]), int(found[2]))


def _on_the_clock(wall: datetime, zone: tzinfo) -> int:
    """The moment at which clocks of `zone` first show `wall`, or the first minute after it that they do show."""
    while True:
        moment = wall.replace(tzinfo=zone)
        if moment.astimezone(UTC).astimezone(zone) == moment:
            return _ms(moment)
        wall += timedelta(minutes=1)


def _local(ms: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
