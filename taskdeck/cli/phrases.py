"""What an event says beside its name: one short phrase for each type."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from taskdeck.cli.times import span

Facts = dict[str, Any]


def phrase(event: dict[str, Any]) -> str:
    """The facts of an event in a few words; of a type not known here, as they stand."""
    facts = {
        name: value
        for name, value in (event.get("facts") or {}).items()
        if value not in (None, "") and value is not False
    }
    say = _SAYS.get(str(event["type"]))
    if say is not None:
        return _joined(say(facts, event.get("changes") or {}))
    return _joined(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in facts.items())


def _created(facts: Facts, changes: Facts) -> list[str]:
    state = facts.get("state") or changes.get("state")
    return [_text(facts.get("title") or changes.get("title")), "" if state == "ready" else _text(state)]


def _claimed(facts: Facts, changes: Facts) -> list[str]:
    waited, override = facts.get("wait_seconds"), facts.get("override_reason")
    return [
        f"after {span(waited)}" if waited is not None else "",
        f"lapsed from {facts['lapsed_from']}" if facts.get("lapsed_from") else "",
        f"overriding: {override}" if override else "",
    ]


def _heartbeat(facts: Facts, changes: Facts) -> list[str]:
    claim = changes.get("claim") or {}
    progress, state = claim.get("progress"), claim.get("state")
    return [
        f"{progress}%" if progress is not None else "",
        _text(state) if state not in (None, "working") else "",
        _text(claim.get("detail")),
    ]


def _answered(facts: Facts, changes: Facts) -> list[str]:
    return [_text(facts.get("answer"))]


def _completed(facts: Facts, changes: Facts) -> list[str]:
    taken = facts.get("run_seconds")
    return [f"in {span(taken)}" if taken is not None else ""]


def _failed(facts: Facts, changes: Facts) -> list[str]:
    rest = facts.get("delay_seconds") or 0
    return [_text(facts.get("error")), f"again in {span(rest)}" if facts.get("retry") else "given up"]


def _released(facts: Facts, changes: Facts) -> list[str]:
    rest = facts.get("delay_seconds")
    return [_text(facts.get("note")), f"rests {span(rest)}" if rest else ""]


def _overridden(facts: Facts, changes: Facts) -> list[str]:
    target = facts.get("to_worker") or facts.get("to_assignee") or "the queue"
    source = facts.get("from_worker") or facts.get("from_assignee") or "nobody"
    return [f"{source} → {target}", _text(facts.get("reason"))]


def _moved(facts: Facts, changes: Facts) -> list[str]:
    return [f"{_text(facts.get('from', 'nobody'))} → {_text(facts.get('to', 'nobody'))}"]


def _lapsed(facts: Facts, changes: Facts) -> list[str]:
    return [f"{facts['from_worker']} did not renew its lease" if facts.get("from_worker") else ""]


def _commented(facts: Facts, changes: Facts) -> list[str]:
    comment = facts.get("comment") or {}
    return [_text(comment.get("byline")), _text(comment.get("text"))]


def _linked(facts: Facts, changes: Facts) -> list[str]:
    link = facts.get("link") or {}
    return [_text(link.get("kind")), _text(link.get("repository")), _text(link.get("target"))]


def _attached(facts: Facts, changes: Facts) -> list[str]:
    attachment = facts.get("attachment") or {}
    return [_text(attachment.get("name")), "replaced" if facts.get("replaced") else ""]


def _context(facts: Facts, changes: Facts) -> list[str]:
    named = ", ".join([*facts.get("keys", []), *(f"-{key}" for key in facts.get("removed", []))])
    return [named or _text(facts.get("key")), _text(facts.get("source"))]


def _reason(facts: Facts, changes: Facts) -> list[str]:
    return [_text(facts.get("reason"))]


def _ticked(facts: Facts, changes: Facts) -> list[str]:
    return [_text(facts.get("schedule")), _text(facts.get("task") or facts.get("outcome")), _text(facts.get("detail"))]


def _fired(facts: Facts, changes: Facts) -> list[str]:
    said = facts.get("detail") or facts.get("bound") or ", ".join(facts.get("acts") or ())
    return [_text(facts.get("rule")), _text(facts.get("key")), _text(said)]


def _notified(facts: Facts, changes: Facts) -> list[str]:
    return [_text(facts.get("message"))]


def _named(facts: Facts, changes: Facts) -> list[str]:
    return [_text(facts.get("schedule") or facts.get("rule")), _text(facts.get("reason"))]


def _silent(facts: Facts, changes: Facts) -> list[str]:
    silent = facts.get("silent_seconds")
    return [f"silent for {span(silent)}" if silent is not None else ""]


_SAYS: Final[dict[str, Callable[[Facts, Facts], list[str]]]] = {
    "task.created": _created,
    "task.claimed": _claimed,
    "task.heartbeat": _heartbeat,
    "task.answered": _answered,
    "task.completed": _completed,
    "task.failed": _failed,
    "task.released": _released,
    "task.cancelled": _reason,
    "task.assigned": _moved,
    "task.reprioritized": _moved,
    "task.overridden": _overridden,
    "task.lapsed": _lapsed,
    "task.commented": _commented,
    "task.comment_edited": _commented,
    "task.comment_deleted": _commented,
    "task.linked": _linked,
    "task.unlinked": _linked,
    "task.attached": _attached,
    "task.detached": _attached,
    "task.context_changed": _context,
    "task.context_retracted": _context,
    "project.paused": _reason,
    "schedule.created": _named,
    "schedule.edited": _named,
    "schedule.paused": _named,
    "schedule.ticked": _ticked,
    "rule.created": _named,
    "rule.edited": _named,
    "rule.paused": _named,
    "rule.fired": _fired,
    "rule.failed": _fired,
    "rule.cut_off": _fired,
    "rule.notified": _notified,
    "worker.late": _silent,
    "worker.offline": _silent,
    "worker.back": _silent,
}


def _joined(parts: Any) -> str:
    return " · ".join(part for part in parts if part)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
