"""What needs a human, most urgent first, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from taskdeck.domain.attention import FAILED_FOR_MS, RANK, Need
from taskdeck.tui.format import clip, duration, heat
from taskdeck.tui.model.rows import ENDED, TaskRow, Wire, WorkerRow

NAMED = "·"
"""Begins the name of what is no task but a project."""

_HELPS = {
    Need.LOOPING: "show-detail", Need.OVERDUE: "raise", Need.REVIEW: "approve", Need.NO_WORKER: "why",
    Need.PAUSED_LONG: "pause",
}  # fmt: skip
"""What only the server can tell, and the act that helps; all else is seen at once among what is loaded."""
_STATES = {Need.REVIEW: frozenset({"review"}), Need.NO_WORKER: frozenset({"ready"})}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to look at. `rank` 0 is the most urgent; `act` is the action that most likely helps.

    `task` is an id, or for a whole project `NAMED` and its name.
    """

    rank: int
    task: str
    key: str
    reason: str
    act: str

    @property
    def order(self) -> tuple[int, str]:
        """Sorting key: urgency, then a stable name."""
        return (self.rank, self.task)


def problems(tasks: Iterable[TaskRow], workers: Mapping[str, WorkerRow], now_ms: int) -> list[Problem]:
    """All problems among the loaded tasks."""
    found = [problem for row in tasks if (problem := of_task(row, workers, now_ms)) is not None]
    found.sort(key=lambda problem: problem.rank)
    return found


def told(items: Iterable[Wire], rows: Mapping[str, TaskRow]) -> list[Problem]:
    """What the server's list has beyond that; what is known to be over meanwhile is left out."""
    found = []
    for item in items:
        need, task = item["reason"], item.get("task")
        if need not in _HELPS:
            continue
        row = rows.get(task["id"]) if task else None
        if row is not None and (row.state in ENDED or row.state not in _STATES.get(need, {row.state})):
            continue
        name = str(item.get("project") or "")
        place, key = (task["id"], task["key"]) if task else (f"{NAMED}{name}", name)
        found.append(Problem(RANK[need], place, key, clip(str(item["detail"]), 90), _HELPS[need]))
    return found


def of_task(row: TaskRow, workers: Mapping[str, WorkerRow], now_ms: int) -> Problem | None:
    """The most urgent problem of one task, None if it needs nobody."""
    if row.state == "failed":
        if now_ms - row.since_ms > FAILED_FOR_MS:
            return None
        why = "its lease lapsed" if row.error_reason == "lapsed" else clip(row.error or "no text", 60)
        return Problem(RANK[Need.FAILED], row.id, row.key, f"failed for good: {why}", "retry")
    lease = row.lease
    if row.state != "claimed" or lease is None:
        return None
    if lease.asks:
        text = lease.question.text if lease.question else None
        asks = clip(text or lease.detail or "it waits for input", 60)
        return Problem(RANK[Need.WAITING_INPUT], row.id, row.key, f"{lease.worker} asks: {asks}", "answer")
    if row.lapsed(now_ms):
        ago = duration(-(lease.left(now_ms) or 0))
        return Problem(RANK[Need.LAPSED], row.id, row.key, f"lease of {lease.worker} lapsed {ago} ago", "override")
    if lease.state == "errored":
        told = clip(lease.detail or "no detail", 60)
        return Problem(RANK[Need.ERRORED], row.id, row.key, f"{lease.worker} reports an error: {told}", "override")
    worker = workers.get(lease.worker)
    if worker is None or worker.liveness(now_ms) != "silent":
        return None
    age = duration(now_ms - worker.last_seen_ms)
    left = lease.left(now_ms)
    if left is not None and heat(left, lease.length_ms) == "hot":
        return Problem(
            RANK[Need.SILENT],
            row.id,
            row.key,
            f"{lease.worker} silent {age}, lease ends in {duration(left)}",
            "override",
        )
    return Problem(RANK[Need.SILENT], row.id, row.key, f"{lease.worker} silent {age} and holds it", "override")


def next_problem(found: list[Problem], after: str | None) -> Problem | None:
    """The problem after that of task `after`, round and round; the first if it has none."""
    if not found:
        return None
    places = {problem.task: at for at, problem in enumerate(found)}
    at = places.get(after, -1) if after is not None else -1
    return found[(at + 1) % len(found)]
