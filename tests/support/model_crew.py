"""Who works, as the model has it: workers, when they were heard of, their sessions, and how fast they may claim."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

MINUTE = 60_000


@dataclass(frozen=True)
class Who:
    """A principal."""

    name: str
    operator: bool = False
    capabilities: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    projects: frozenset[str] | None = None

    def sees(self, project: str) -> bool:
        return self.projects is None or project in self.projects


@dataclass
class ModelWorker:
    """A worker; `told` is what was last said of how long it has been silent."""

    owner: str
    capabilities: frozenset[str]
    seen: int
    draining: bool = False
    kind: str = "agent"
    beat_ms: int = MINUTE
    instance: str | None = None
    told: str = "active"


@dataclass
class ModelSession:
    status: str
    instance: str | None
    task: str | None


@dataclass
class Crew:
    """The workers of the deck. `since` is when it was started; nobody could be heard before."""

    now: int
    since: int = 0
    each_a_minute: int = 0
    all_a_minute: int = 0
    workers: dict[str, ModelWorker] = field(default_factory=dict)
    sessions: dict[tuple[str, str], ModelSession] = field(default_factory=dict)
    given: dict[str, list[int]] = field(default_factory=dict)

    # hearing

    def _hear(self, name: str | None) -> None:
        worker = self.workers.get(name or "")
        if worker is not None and (worker.told != "active" or self.now - worker.seen >= 1_000):
            worker.seen, worker.told = self.now, "active"

    def _refuse_worker(self, who: Who, name: str) -> str | None:
        """Acting as somebody else's worker."""
        known = self.workers.get(name)
        return None if known is None or known.owner == who.name or who.operator else "forbidden"

    def _refuse_unknown(self, who: Who, name: str) -> str | None:
        return self._refuse_worker(who, name) if name in self.workers else "unknown_worker"

    def _attend(self, who: Who, name: str, said: frozenset[str] | None = None) -> None:
        if name in self.workers:
            self._hear(name)
        else:
            self.workers[name] = ModelWorker(who.name, said or who.capabilities, self.now)

    def _fall_silent(self, *, anew: bool) -> list[str]:
        """Say who has grown late or gone offline; who is gone now, or when all is looked at `anew`, still is."""
        gone = []
        for name, worker in self.workers.items():
            if worker.told == "offline":
                gone += [name] if anew else []
            elif worker.kind != "human":
                silent = self.now - max(worker.seen, self.since)
                beats = 2 if silent > 2 * worker.beat_ms else 1 if silent > worker.beat_ms else 0
                if beats:
                    worker.told = "offline" if beats == 2 else "late"
                gone += [name] if beats == 2 else []
        return gone

    # the worker's own verbs

    def register(
        self,
        who: Who,
        name: str,
        kind: str | None,
        said: frozenset[str] | None,
        beat_ms: int | None,
        instance: str | None,
    ) -> str | None:
        refused = self._refuse_worker(who, name)
        if refused:
            return refused
        self._attend(who, name)
        worker = self.workers[name]
        before = replace(worker)
        worker.kind = kind or worker.kind
        worker.capabilities = worker.capabilities if said is None else said
        worker.beat_ms = beat_ms or worker.beat_ms
        if worker.instance is not None and instance not in (None, worker.instance):
            self._end_sessions(name, "failed", worker.instance)
        worker.instance = instance or worker.instance
        if worker != before:
            worker.seen = self.now
        return None

    def beat(self, who: Who, name: str) -> str | None:
        refused = self._refuse_unknown(who, name)
        if refused is None:
            self._hear(name)
        return refused

    def drain(self, name: str, *, draining: bool) -> str | None:
        if name not in self.workers:
            return "unknown_worker"
        self.workers[name].draining = draining
        return None

    def is_draining(self, name: str | None) -> bool:
        return name in self.workers and self.workers[name].draining

    def _refuse_session(self, name: str, key: str | None) -> str | None:
        found = None if key is None else self.sessions.get((name, key))
        return None if key is None or (found is not None and found.status == "active") else "unknown_session"

    def _end_sessions(self, name: str, status: str, instance: str | None = None) -> None:
        for (worker, _), session in self.sessions.items():
            if worker == name and session.status == "active" and instance in (None, session.instance):
                session.status = status

    # how fast

    def _room(self, who: Who, worker: str) -> int:
        """How many claims may be given now."""
        room = 1_000
        for name, most in ((f"worker {worker}", self.each_a_minute), (f"principal {who.name}", self.all_a_minute)):
            self.given[name] = [at for at in self.given.get(name, []) if at > self.now - MINUTE]
            if most:
                room = min(room, max(0, most - len(self.given[name])))
        return room

    def _count(self, who: Who, worker: str) -> None:
        """A claim is given."""
        for name in (f"worker {worker}", f"principal {who.name}"):
            self.given.setdefault(name, []).append(self.now)

    def _shift_crew(self, by: int) -> None:
        self.since += by
        for worker in self.workers.values():
            worker.seen += by
        self.given = {name: [at + by for at in times] for name, times in self.given.items()}
