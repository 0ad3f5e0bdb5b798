"""A deck that is always the same: wire data from a seed, a clock that stands still, and apps over it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from taskdeck.client import Client
from taskdeck.domain.clock import rfc3339
from taskdeck.tui.app import DeckApp
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.events import line_of
from taskdeck.tui.model.past import PastModel

NOW = 1_789_567_351_000  # 2026-09-16T14:02:31Z
AGENTS = (
    "agent-atlas",
    "agent-birch",
    "agent-cobalt",
    "agent-dune",
    "agent-ember",
    "render-01",
    "render-02",
    "ops-maria",
)
TITLES = (
    "Summarise support thread", "Backfill embeddings", "Scrape vendor catalogue", "Answer RFP question",
    "Rebuild search index", "Compile firmware image", "Migrate tenant to v7", "Review pull request",
    "Draft release notes", "Sync CRM contacts", "Label training batch", "Verify backup snapshot",
)  # fmt: skip
PROJECTS = ("web", "ingest", "ops", "docs", "media")
COUNTS = {
    "backlog": 0, "blocked": 18, "scheduled": 212, "ready": 1284, "claimed": 24, "review": 4, "done": 48211,
    "failed": 3, "cancelled": 9,
}  # fmt: skip


class StillClock:
    """A clock that is moved by hand."""

    def __init__(self, now: int = NOW) -> None:
        self.now, self.mono = now, 1_000_000

    def now_ms(self) -> int:
        return self.now

    def monotonic_ms(self) -> int:
        return self.mono

    def pass_ms(self, ms: int) -> None:
        self.now += ms
        self.mono += ms


def at(offset_seconds: float) -> str:
    """A time of the API, so many seconds from the scene's now."""
    return rfc3339(NOW + int(offset_seconds * 1000))


def task(number: int, state: str = "ready", **fields: Any) -> dict[str, Any]:
    """A task as the API sends it."""
    return {
        "id": f"00000000-0000-7000-8000-{number:012d}", "number": number, "key": f"W{number}", "project": "web",
        "title": f"Task {number}", "state": state, "priority": 50, "labels": [], "capabilities": [],
        "assignee": None, "depends_on": [], "not_before": None, "due": None,
        "attempt": 0, "max_attempts": 3, "error": None, "claim": None, "fence": 0, "created_by": "pipeline",
        "created_at": at(-900), "ready_at": at(-600), "queued_at": at(-600),
        "updated_at": at(-300), "finished_at": None, "review": "none", "version": 1,
        **fields,
    }  # fmt: skip


def claim(worker: str, *, left: float | None, length: float = 300, fence: int = 1, **fields: Any) -> dict[str, Any]:
    """A claim as the API sends it, ending `left` seconds from now (None: never)."""
    return {
        "worker": worker, "principal": worker, "fence": fence, "claimed_at": at(-400),
        "expires_at": None if left is None else at(left), "lease_seconds": length,
        "heartbeat_at": at(-30), "lapsed": left is not None and left <= 0, "state": "working", "detail": None,
        "progress": None, **fields,
    }  # fmt: skip


def event(
    seq: int, kind: str, offset: float, subject: dict[str, Any] | None, actor: str, **facts: Any
) -> dict[str, Any]:
    """An event as the API sends it."""
    short = {name: subject[name] for name in ("id", "number", "key", "project")} if subject else None
    return {
        "seq": seq, "at": at(offset), "type": kind, "actor": actor, "task": short,
        "project": subject["project"] if subject else None, "worker": None,
        "changes": dict(subject) if subject else {}, "facts": facts,
    }  # fmt: skip


def worker(name: str, seen: float, **fields: Any) -> dict[str, Any]:
    """A worker as the API sends it."""
    return {
        "id": name, "kind": "agent", "capabilities": [], "principal": name, "state": "working", "detail": None,
        "draining": False, "heartbeat_seconds": 60, "liveness": "active", "held": 1,
        "registered_at": at(-9000), "last_seen_at": at(seen), **fields,
    }  # fmt: skip


def stats(counts: dict[str, int] | None = None, seq: int = 5000) -> dict[str, Any]:
    """Statistics as the API sends them."""
    rng = random.Random(4)
    busy = counts is None
    series = {
        "claims": [rng.randint(6, 18) * busy for _ in range(60)],
        "completions": [rng.randint(5, 17) * busy for _ in range(60)],
        "failures": [rng.choice((0, 0, 0, 1, 2)) * busy for _ in range(60)],
    }
    return {
        "now": at(0), "version": "0.1.0", "started_at": at(-273_600), "uptime_seconds": 273_600,
        "counts": {**dict.fromkeys(COUNTS, 0), **(COUNTS if busy else counts or {})}, "lapsed": 1, "projects": {},
        "oldest_ready_seconds": 252 if busy else None,
        "rates": {"window_seconds": 60, "claims_per_second": 12.4 * busy, "completions_per_second": 11.9 * busy,
                  "failures_per_second": 0.04 * busy, "series": series},
        "wait_seconds": {"p50": 1.2, "p95": 9.8, "count": 900 * busy},
        "run_seconds": {"p50": 38, "p95": 250, "count": 900 * busy},
        "workers": {}, "waiting_claims": 0, "database": {"bytes": 41_000_000, "wal_bytes": 0}, "last_seq": seq,
        "draining": False,
    }  # fmt: skip


def titled(rng: random.Random) -> str:
    return f"{rng.choice(TITLES)} #{rng.randint(300, 7000)}"


def tasks() -> list[dict[str, Any]]:
    """Tasks in every state that the queue shows."""
    rng = random.Random(7)
    lefts = [
        -4,
        16,
        17,
        49,
        51,
        52,
        78,
        104,
        121,
        134,
        143,
        146,
        157,
        171,
        176,
        186,
        211,
        246,
        258,
        269,
        281,
        290,
        298,
        None,
    ]
    found = []
    for order, left in enumerate(lefts):
        holder = "render-02" if order in (0, 1, 5) else "agent-ember" if order == 7 else AGENTS[order % len(AGENTS)]
        asks = {"state": "waiting_input", "detail": "which of the two tenants?"} if order == 7 else {}
        more = {"progress": 33, "detail": "answered 1 of 3"} if order == 5 else {}
        found.append(
            task(
                4400 + order * 17,
                "claimed",
                title=titled(rng),
                project=rng.choice(PROJECTS),
                attempt=1 + (order % 5 == 3),
                priority=70 if order in (8, 13) else 30 if order == 6 else 50,
                fence=4,
                labels=["eu", "docs"] if order == 5 else [],
                claim=claim(holder, left=left, fence=4, claimed_at=at(-40 * (order + 1)), **asks, **more),
            )
        )
    for order in range(4):
        found.append(task(4901 + order, "review", title=titled(rng), priority=70 if order < 2 else 50, attempt=1))
    errors = ("HTTPError 502 from the render farm", "assertion failed: 3 of 12 pages", "no text")
    for order, text in enumerate(errors):
        problem = {"message": text, "reason": "failed", "worker": "agent-dune", "attempt": 3, "at": at(-80)}
        found.append(
            task(4950 + order, "failed", title=titled(rng), attempt=3, error=problem, finished_at=at(-60 * order - 60))
        )
    for order in range(120):
        more = {"assignee": "ops-maria"} if order == 2 else {"capabilities": ["gpu"]} if order == 5 else {}
        found.append(
            task(
                5000 + order,
                "ready",
                title=titled(rng),
                project=rng.choice(PROJECTS),
                priority=max(20, 100 - order // 2 * 10),
                ready_at=at(-1979 + order * 9),
                queued_at=at(-1979 + order * 9),
                **more,
            )
        )
    for order in range(6):
        found.append(task(6000 + order, "scheduled", title=titled(rng), not_before=at(41 + 90 * order)))
    for order in range(4):
        found.append(task(6100 + order, "blocked", title=titled(rng), depends_on=[f"W{5000 + order}"]))
    return found


def workers() -> list[dict[str, Any]]:
    """Workers in every condition."""
    seen = dict(zip(AGENTS, (-2, -1, -4, -0.5, -3, -71, -244, -0.2), strict=True))
    rng = random.Random(5)
    speed = dict(zip(AGENTS, (31, 28, 40, 12, 19, 0, 1, 3), strict=True))
    pace = {name: [rng.randint(most // 2, most) for _ in range(15)] for name, most in speed.items()}
    pace["render-02"] = [1, 0, 1, *[0] * 12]
    crew = [worker(name, seen[name], completions_by_minute=pace[name]) for name in AGENTS]
    return [*crew, worker("ci-runner-3", -2, state="idle", held=0, completions_by_minute=[0] * 15)]


def events(wire: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A stream with all that matters in it."""
    by = {row["number"]: row for row in wire}
    kinds: list[tuple[str, int, str, dict[str, Any]]] = [
        ("task.failed", 4950, "agent-dune", {"error": "HTTPError 502", "retry": True, "delay_seconds": 41}),
        ("task.reprioritized", 5001, "ops-maria", {"from": 50, "to": 80}),
        ("task.created", 5010, "pipeline", {"title": "Rotate signing keys #77", "priority": 70}),
        ("task.lapsed", 4400, "taskdeck", {"from_worker": "render-02"}),
        ("task.overridden", 4434, "ops-maria", {"reason": "stuck encoder", "from_worker": "render-02",
                                                "to_worker": "ops-maria", "from_fence": 4, "to_fence": 5}),
        ("task.heartbeat", 4485, "render-02", {}),
        ("task.completed", 5012, "agent-birch", {"run_seconds": 38.2}),
        ("task.claimed", 4519, "agent-atlas", {"wait_seconds": 1.0}),
    ]  # fmt: skip
    found = []
    for turn in range(4):
        for order, (kind, number, actor, facts) in enumerate(kinds):
            seq = 4000 + turn * len(kinds) + order
            found.append(event(seq, kind, seq - 4000 - 32, by[number], actor, **facts))
    return found


def fill(model: DeckModel, wire: list[dict[str, Any]] | None = None, *, counts: dict[str, int] | None = None) -> None:
    """Put a scene into a model as the feed would."""
    wire = tasks() if wire is None else wire
    model.me, model.role = "ops-maria", "operator"
    model.set_stats(stats(counts), 6)
    model.set_projects([{"name": name, "paused": None} for name in PROJECTS])
    model.set_workers(workers() if wire else [])
    for state, segment in model.watch.segments.items():
        model.load(segment, [row for row in wire if row["state"] == state], None)
    model.mirror()
    for state, segment in model.window.segments.items():
        rows = [row for row in wire if row["state"] == state]
        total = model.counts.get(state, 0)
        model.load(segment, rows, "more" if rows and total > len(rows) else None)
    for told in events(wire) if wire and counts is None else []:
        model.events.add(line_of(told))
    model.link.up(model.clock.monotonic_ms())
    model.changed()


def then(app: DeckApp, ago: int = 1200) -> PastModel:
    """A moment of the past over the scene, so many seconds ago, as a journey would have left it."""
    model = PastModel(app.model)
    wire = tasks()
    for seq, row in enumerate(wire, 1):
        model.replay.apply(event(seq, "task.created", seq - ago - 600, row, "pipeline"))
    for seq, told in enumerate(workers(), len(wire) + 1):
        registered = {**told, "last_seen_at": at(-ago - 5)}
        model.replay.apply(
            {**event(seq, "worker.registered", -ago - 1, None, "x"), "worker": told["id"], "changes": registered}
        )
    for _ in model.filled():
        pass
    model.remember(events(wire))
    past = model.past
    past.seq, past.last_seq, past.needed_now = model.replay.seq, 412, 2
    past.at_ms = model.moment.moment_ms = NOW - ago * 1000
    past.end_ms = NOW
    rng, seq = random.Random(6), 0
    for minute in range(-50, 1):
        past.timeline.add(seq := seq + rng.randint(1, 12), NOW + minute * 60_000)
    return model


class SceneClient(Client):
    """Answers what a detail pane asks from the scene itself."""

    def __init__(self, wire: list[dict[str, Any]]) -> None:
        super().__init__("http://127.0.0.1:1")
        self.wire = {row["id"]: row for row in wire}

    async def task(self, ref: str | int, *, fence: int | None = None) -> dict[str, Any]:
        payload = {"document": "rfp/2026-0314.pdf", "questions": [12, 14, 27], "deadline": "2026-10-14T16:00Z"}
        return {**self.wire[str(ref)], "payload": payload, "description": "Answer in the words of the house."}

    async def task_events(self, ref: str | int, **_: Any) -> dict[str, Any]:
        row = self.wire[str(ref)]
        told = [("task.created", -846, "pipeline", {"priority": 30}), ("task.claimed", -771, "render-01", {}),
                ("task.lapsed", -471, "taskdeck", {"from_worker": "render-01"}),
                ("task.reprioritized", -371, "ops-maria", {"from": 30, "to": 50}),
                ("task.claimed", -248, "render-02", {})]  # fmt: skip
        return {
            "events": [
                event(10 + at, kind, when, row, who, **facts) for at, (kind, when, who, facts) in enumerate(told)
            ],
            "next_after": None,
        }

    async def comments(self, ref: str | int, **_: Any) -> dict[str, Any]:
        said = {"id": 1, "author": "ops-maria", "byline": None, "edited_at": None, "created_at": at(-300)}
        return {"comments": [{**said, "text": "Tenant 7 has a copy of the answers of last year."}], "next_cursor": None}

    async def links(self, ref: str | int) -> list[dict[str, Any]]:
        return [{"kind": "pr", "repository": "acme/rfp", "target": "128", "url": "https://git.example/acme/rfp/128"}]

    async def attachments(self, ref: str | int) -> list[dict[str, Any]]:
        return []

    async def context(self, ref: str | int) -> dict[str, Any]:
        by = {"source": "stated", "author": "ops-maria", "at": at(-400), "retracted": None}
        return {"context": {"tenant": "acme"}, "version": 1, "provenance": {"tenant": by}}

    async def chain(self, ref: str | int, **_: Any) -> dict[str, Any]:
        above, below = {"key": "W1", "title": "Tender of the city", "state": "claimed", "depth": 0}, self.wire[str(ref)]
        return {"done": 0, "total": 2, "next_after": None, "tasks": [above, {**below, "depth": 1}]}

    async def tasks(self, *, state: Iterable[str] | str | None = None, **_: Any) -> dict[str, Any]:
        return {"tasks": [row for row in self.wire.values() if row["state"] in (state or ())], "next_cursor": None}

    async def claim(self, worker: str, *, task: str | int | None = None, **_: Any) -> dict[str, Any]:
        row = self.wire[str(task)]
        held = {**row, "state": "claimed", "version": row["version"] + 1, "claim": claim(worker, left=300)}
        return {"claims": [{"task": held, "fence": 1}]}

    async def gates(self, ref: str | int, worker: str | None = None) -> dict[str, Any]:
        return {"gates": [{"before": "approve", "evidence": ["commit"], "least": 1}]}

    async def explain(self, ref: str | int, worker: str | None = None) -> dict[str, Any]:
        row = self.wire[str(ref)]
        holder = row["claim"]["worker"] if row["claim"] else ""
        told = f"it is held by {holder}" if holder else f"it is {row['state']}"
        free = {"rule": "state", "passed": row["state"] == "ready", "detail": told}
        return {
            "claimable": row["state"] == "ready",
            "checks": [free, {"rule": "paused", "passed": True, "detail": "its project is not paused"}],
        }


def scene(wire: list[dict[str, Any]] | None = None, *, counts: dict[str, int] | None = None) -> DeckApp:
    """An app over a filled model, without a server."""
    app = DeckApp(
        SceneClient(tasks() if wire is None else wire), address="http://127.0.0.1:7337", clock=StillClock(), live=False
    )
    fill(app.model, wire, counts=counts)
    return app
