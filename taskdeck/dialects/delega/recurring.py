"""When something recurs, in Delega's rules and in the deck's words."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from taskdeck.domain.errors import Invalid
from taskdeck.domain.recurrence import the_zone
from taskdeck.domain.schedule import Schedule

UNITS: Final = {"daily": "day", "weekly": "week", "monthly": "month", "yearly": "year"}
_RULES = {unit: rule for rule, unit in UNITS.items()}
_EVERY = re.compile(r"every (\d+) (day|week|month|year)s? at \S+")
_MONTHLY = re.compile(r"monthly on (\d+) at \S+")


@dataclass(frozen=True, slots=True)
class Rule:
    """What recurs every `interval` of a unit; `next_due_at` is as it was sent. Sunday is weekday 0."""

    rule_type: str
    interval: int = 1
    timezone: str = "UTC"
    anchor_day: int | None = None
    anchor_month: int | None = None
    anchor_weekday: int | None = None
    next_due_at: str | None = None


def said(rule: Rule, now: int) -> dict[str, Any]:
    """The fields of a schedule that recurs as `rule` says: `said`, `zone`, `starts_at`.

    Raises:
        Invalid: there is no such time zone, or `next_due_at` is no time.
    """
    try:
        zone = the_zone(rule.timezone)
    except ValueError as error:
        raise Invalid(f"timezone: {error}", field="timezone") from None
    first = _first(rule, datetime.fromtimestamp(now / 1000, zone), zone)
    at = first.strftime("%H:%M")
    words = f"every {rule.interval} {UNITS[rule.rule_type]}s at {at}"
    if rule.rule_type == "monthly" and rule.interval == 1 and rule.anchor_day is not None:
        words = f"monthly on {rule.anchor_day} at {at}"
    return {"said": words, "zone": rule.timezone, "starts_at": round(first.timestamp() * 1000)}


def _first(rule: Rule, now: datetime, zone: tzinfo) -> datetime:
    """The first time: as it was said, else the next midnight at which a day fits."""
    if rule.next_due_at is not None:
        try:
            given = datetime.fromisoformat(rule.next_due_at)
        except ValueError:
            raise Invalid("next_due_at is no time such as 2026-12-01T09:00:00Z", field="next_due_at") from None
        return given.replace(tzinfo=zone) if given.tzinfo is None else given.astimezone(zone)
    day = now.date() + timedelta(days=1)
    while not _fits(rule, day):
        day += timedelta(days=1)
    return datetime.combine(day, time(), zone)


def _fits(rule: Rule, day: date) -> bool:
    """Whether a rule may begin on `day`: a day of the month beyond its end means its last."""
    last = calendar.monthrange(day.year, day.month)[1]
    if rule.rule_type == "weekly":
        return rule.anchor_weekday is None or day.isoweekday() % 7 == rule.anchor_weekday
    if rule.rule_type == "yearly" and rule.anchor_month not in (None, day.month):
        return False
    if rule.rule_type in ("monthly", "yearly"):
        return rule.anchor_day is None or day.day == min(rule.anchor_day, last)
    return True


def rule_of(schedule: Schedule) -> Rule | None:
    """The rule that a schedule follows; None for one that Delega has no word for."""
    start = datetime.fromtimestamp(schedule.starts_at / 1000, the_zone(schedule.zone))
    if found := _MONTHLY.fullmatch(schedule.said):
        return Rule("monthly", 1, schedule.zone, anchor_day=int(found[1]))
    if not (found := _EVERY.fullmatch(schedule.said)):
        return None
    rule = _RULES[found[2]]
    return Rule(
        rule,
        int(found[1]),
        schedule.zone,
        anchor_day=start.day if rule in ("monthly", "yearly") else None,
        anchor_month=start.month if rule == "yearly" else None,
        anchor_weekday=start.isoweekday() % 7 if rule == "weekly" else None,
    )
