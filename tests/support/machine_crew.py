"""What workers do and what is done to them, and to projects: the part of the machine that is not about one task."""

from __future__ import annotations

from functools import partial

from support.choice import Acts, one_of
from support.draws import PEOPLE, claimers, flags, limits, picks, projects, workers
from support.machine import Twice
from support.model_world import Limits
from support.people import ROOT
from taskdeck.domain.principal import Principal
from taskdeck.domain.project import OfflineClaims
from taskdeck.domain.session import SessionStatus
from taskdeck.domain.worker import Kind
from taskdeck.service.leave import leave
from taskdeck.service.projects import edit_project, pause, resume
from taskdeck.service.sessions import record_session
from taskdeck.service.workers import delete_worker, drain_worker, register_worker, worker_heartbeat
from taskdeck.store.pace import Pace

act = Acts()


class Crewed(Twice):
    """The acts of workers, and of those who see to them."""

    @act(
        3,
        claimer=claimers, kind=one_of([None, None, "agent", "human"]), said=one_of([None, None, frozenset({"py"})]),
        seconds=one_of([None, None, 30, 400]), instance=one_of([None, None, "one", "two"]),
    )  # fmt: skip
    def register(
        self, claimer: tuple[Principal, str], kind: str | None, said: frozenset[str] | None, seconds: int | None,
        instance: str | None,
    ) -> None:  # fmt: skip
        (who, name), beat_ms = claimer, None if seconds is None else seconds * 1000
        work = partial(
            register_worker, who=who, name=name, kind=None if kind is None else Kind(kind), capabilities=said,
            heartbeat_ms=beat_ms, instance=instance,
        )  # fmt: skip
        self.both(work, self.model.register(PEOPLE[who], name, kind, said, beat_ms, instance))

    @act(2, claimer=claimers)
    def live(self, claimer: tuple[Principal, str]) -> None:
        who, name = claimer
        self.both(partial(worker_heartbeat, who=who, name=name), self.model.beat(PEOPLE[who], name))

    @act(
        3,
        claimer=claimers, key=one_of(["s", "s", "t"]), status=one_of([None, "active", "completed", "failed"]),
        index=picks, serves=flags,
    )  # fmt: skip
    def record(self, claimer: tuple[Principal, str], key: str, status: str | None, index: int, serves: bool) -> None:
        (who, name), task = claimer, self.pick(index).key if serves else None
        told = None if status is None else SessionStatus(status)
        work = partial(record_session, who=who, worker=name, key=key, status=told, task=task)
        self.both(work, self.model.record(PEOPLE[who], name, key, status, task))

    @act(1, index=picks, worker=workers)
    def leave(self, index: int, worker: str) -> None:
        held = [task for task in self.model.tasks.values() if task.worker]
        name = self.pick(index, held).worker or worker
        self.both(partial(leave, who=ROOT, name=name), self.model.leave(name))

    @act(2, verb=one_of(["resume_worker"] * 4 + ["drain", "forget"]), worker=workers)
    def manage(self, verb: str, worker: str) -> None:
        if verb == "forget":
            self.both(partial(delete_worker, who=ROOT, name=worker), self.model.forget(worker))
        else:
            draining = verb == "drain"
            work = partial(drain_worker, who=ROOT, name=worker, draining=draining)
            self.both(work, self.model.drain(worker, draining=draining))

    @act(1, project=projects, stop=one_of([False] * 5 + [True]))
    def stop(self, project: str, stop: bool) -> None:
        if stop:
            self.both(partial(pause, who=ROOT, name=project, reason="r"), None)
            self.model.paused.add(project)
        else:
            self.both(partial(resume, who=ROOT, name=project), None)
            self.model.paused.discard(project)

    @act(1, project=projects, limits=limits, lapse=one_of([False, False, True]))
    def limit(self, project: str, limits: Limits, lapse: bool) -> None:
        fields = {
            "max_claims": limits.most, "max_claims_per_worker": limits.each,
            "max_claims_per_label": dict(limits.labels), "exclusive_files": limits.apart,
            "offline_claims": OfflineClaims.LAPSE if lapse else OfflineClaims.KEEP,
        }  # fmt: skip
        self.both(partial(edit_project, who=ROOT, name=project, fields=fields, version=None), None)
        self.model.limits[project] = limits
        (self.model.lapsing.add if lapse else self.model.lapsing.discard)(project)

    @act(1, each=one_of([0, 0, 2, 5]), in_all=one_of([0, 0, 0, 4]))
    def restart(self, each: int, in_all: int) -> None:
        """The deck starts anew, with these limits on claims a minute."""
        self.store.close()
        self.store.open()
        mirror = self.store.runner.mirror
        mirror.watch.since, mirror.pace = self.clock.now_ms(), Pace(each, in_all)
        self.model.each_a_minute, self.model.all_a_minute = each, in_all
        self.model.restart()
