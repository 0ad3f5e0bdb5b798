"""Who was offered a task, who took it and who gave it back: read from its events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from taskdeck.domain.states import EVENT_OF, Verb
from taskdeck.store.reader import Reader

_ACTS = {
    Verb.CREATE: "offered",
    Verb.ASSIGN: "reassigned",
    Verb.PASS: "passed",
    Verb.SKIP: "skipped",
    Verb.CLAIM: "claimed",
    Verb.OVERRIDE: "overridden",
    Verb.RELEASE: "released",
    Verb.LAPSE: "lapsed",
    Verb.FAIL: "failed",
    Verb.COMPLETE: "completed",
    Verb.REJECT: "rejected",
    Verb.CANCEL: "cancelled",
}
ACT_OF = {EVENT_OF[verb]: act for verb, act in _ACTS.items()}
_TYPES = ", ".join(f"'{kind}'" for kind in ACT_OF)
_QUERY = f"SELECT body FROM events WHERE task = ? AND seq > ? AND type IN ({_TYPES}) ORDER BY seq LIMIT ?"  # noqa: S608


async def assignment_log(reader: Reader, task: int, after: int, limit: int) -> list[dict[str, Any]]:
    """The first `limit` entries of the log behind event `after`, oldest first."""
    rows = await reader.rows(_QUERY, (task, after, limit))
    return [_entry(orjson.loads(body)) for (body,) in rows]


_PASSING = frozenset({Verb.HEARTBEAT, Verb.OVERDUE, Verb.DELETE})
_LASTING = ", ".join(f"'{kind}'" for verb, kind in EVENT_OF.items() if verb not in _PASSING)
_HISTORIES = (
    "SELECT e.task, e.body FROM json_each(?) wanted CROSS JOIN events e WHERE e.seq IN (SELECT seq FROM events"  # noqa: S608
    f" WHERE task = wanted.value AND type IN ({_LASTING}) ORDER BY seq DESC LIMIT ?) ORDER BY e.seq"
)
MAX_HISTORY = 200


async def histories(reader: Reader, tasks: Sequence[int], limit: int = MAX_HISTORY) -> dict[int, list[dict[str, Any]]]:
    """The newest `limit` events of each of `tasks` (numbers), oldest first; heartbeats are left out."""
    found: dict[int, list[dict[str, Any]]] = {task: [] for task in tasks}
    for task, body in await reader.rows(_HISTORIES, (orjson.dumps(list(tasks)).decode(), limit)):
        found[task].append(orjson.loads(body))
    return found


def _entry(event: dict[str, Any]) -> dict[str, Any]:
    """What one event says; `assignee` and `turn` only where it set them."""
    changes, facts = event["changes"], event["facts"]
    entry = {
        "seq": event["seq"],
        "at": event["at"],
        "act": ACT_OF[event["type"]],
        "by": event["actor"],
        "worker": event["worker"],
        "reason": facts.get("reason") or facts.get("note") or facts.get("override_reason") or facts.get("error"),
    }
    return entry | {name: changes[name] for name in ("assignee", "turn", "turn_ends_at") if name in changes}
