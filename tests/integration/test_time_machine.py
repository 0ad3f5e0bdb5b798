"""What time and rules do, all of it at once and in any order: what must hold whatever happened before."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
import pytest
from hypothesis import settings
from hypothesis.stateful import initialize, invariant, rule
from support.choice import ANEW, Acts, one_of, some_of
from support.people import ROOT
from support.trial import Trial

from taskdeck.domain.clock import from_rfc3339
from taskdeck.domain.errors import DeckError, Invalid
from taskdeck.domain.gates import HookResult, Shown
from taskdeck.domain.project import DAY_MS
from taskdeck.domain.rule import MAX_DEPTH, MAX_FIRINGS, Condition, Op, Rule
from taskdeck.domain.schedule import CatchUp, Overlap, Schedule
from taskdeck.domain.template import Template as Wish
from taskdeck.service.automation import Automation
from taskdeck.service.claim import claim
from taskdeck.service.create import create_or_find
from taskdeck.service.edit import edit
from taskdeck.service.finish import complete, fail
from taskdeck.service.operate import cancel, retry
from taskdeck.service.projects import edit_project
from taskdeck.service.requests import ClaimRequest, Edit, NewTask
from taskdeck.service.retention import prune_events, prune_tasks
from taskdeck.service.rules import create_rule, pause_rule, resume_rule
from taskdeck.service.schedules import create_schedule, pause_schedule, resume_schedule
from taskdeck.store.runner import no_hook
from taskdeck.store.unit import Unit

pytestmark = pytest.mark.timeout(900)

picks = one_of(range(256))
flags = one_of([False, True])
dates = one_of([None, None, -60, 0, 30, 4_000, 90_000])
"""Seconds from now to a due date."""
TEMPLATE = orjson.dumps(Wish("again").view()).decode()
RULES = (
    Rule("label", None, ("task.overdue", "task.lapsed"), (), ({"act": "label", "add": ["late"], "remove": []},),
         None, None, None, 0, 0, None, "root", 0),
    Rule("again", "default", ("task.failed", "task.lapsed"), (Condition("state", Op.EQ, "failed"),),
         ({"act": "retry", "delay_seconds": 5, "reset_attempts": False},), None, None, None, 0, 0, None, "root", 0),
    Rule("follow", None, ("task.completed",), (Condition("priority", Op.LTE, 60),),
         ({"act": "create", "project": None, "task": orjson.loads(TEMPLATE)},),
         None, None, None, 0, 0, None, "root", 0),
    Rule("raise", None, ("task.created", "task.edited", "task.reprioritized"), (Condition("priority", Op.LTE, 60),),
         ({"act": "create", "project": None, "task": orjson.loads(TEMPLATE)}, {"act": "reprioritize", "priority": 40}),
         None, None, None, 0, 0, None, "root", 0),
    Rule("split", None, ("task.overdue", "task.claimed"), (Condition("depth", Op.EQ, 0),),
         ({"act": "delegate", "task": orjson.loads(TEMPLATE)},), None, None, None, 0, 0, None, "root", 0),
    Rule("spare", None, ("task.overdue", "task.claimed", "task.lapsed"), (),
         ({"act": "require", "gates": [{"before": "complete", "hook": "h"}], "unless_held": True},
          {"act": "reprioritize", "priority": 30, "unless_held": True}), None, None, None, 0, 0, None, "root", 0),
)  # fmt: skip


act = Acts()


class Deckhand(Trial):
    """Does what people, workers and the clock do, and reads after every step what it has come to."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[dict[str, Any]] = []
        self.steps = 0

    def told(self, work: Any) -> Any:
        """What `work` gives, or the code of its refusal."""
        try:
            return self.store(work)
        except DeckError as error:
            return error.stable_code

    def pick(self, index: int, where: str = "1") -> str | None:
        keys = [row[0] for row in self.store.rows(f"SELECT key FROM tasks WHERE {where} ORDER BY number")]  # noqa: S608
        return keys[index % len(keys)] if keys else None

    @initialize(
        which=some_of(one_of([one.name for one in RULES]), range(7)).drawn(),
        catch_up=one_of(list(CatchUp)).drawn(),
        overlap=one_of(list(Overlap)).drawn(),
    )
    def begin(self, which: list[str], catch_up: CatchUp, overlap: Overlap) -> None:
        self.launch()
        self.store.runner.after = Automation(no_hook)
        now = self.clock.now_ms()
        keeps = {"keep_done_ms": DAY_MS, "keep_failed_ms": 2 * DAY_MS, "keep_cancelled_ms": 0}
        self.store(lambda unit: edit_project(unit, ROOT, "default", keeps, None))
        schedule = Schedule(
            "s", "side", "every 40 minutes", "UTC", TEMPLATE, catch_up, overlap, now, None, None, None, None, None,
            "root", now,
        )  # fmt: skip
        self.store(lambda unit: create_schedule(unit, ROOT, schedule))
        for one in RULES:
            if one.name in which:
                self.store(lambda unit, one=one: create_rule(unit, ROOT, one))

    @act(5,
        count=one_of([1, 2, 3]), project=one_of(["default", "default", "side"]), due=dates,
        key=one_of([None, "a", "a"]), parent=picks,
    )  # fmt: skip
    def create(self, count: int, project: str, due: int | None, key: str | None, parent: int) -> None:
        at = None if due is None else self.clock.now_ms() + due * 1000
        on = self.pick(parent) if parent % 2 == 0 else None
        wish = NewTask(
            "t", project, due=at, unique_key=key, depends_on=(on,) if on else (), max_attempts=1 + parent % 2
        )
        where = "unique_key = ? AND finished_at IS NULL"
        self.store.batch()  # what time has made due may end a task
        live = self.store.rows(f"SELECT number FROM tasks WHERE {where}", (f"{project}/{key}",))  # noqa: S608
        made = self.store(lambda unit: [(m.existed, m.task.number) for m in create_or_find(unit, ROOT, [wish] * count)])
        if key is not None:
            assert len({number for _, number in made}) == 1
            assert [existed for existed, _ in made] == [bool(live)] + [True] * (count - 1)
            assert not live or made[0][1] == live[0][0]
        else:
            assert not any(existed for existed, _ in made)

    @act(4, index=picks)
    def claim(self, index: int) -> None:
        self.told(lambda unit: claim(unit, ROOT, ClaimRequest("w", max_tasks=1 + index % 3, lease_ms=60_000)))

    @act(5, index=picks)
    def finish(self, index: int) -> None:
        key = self.pick(index, "state = 'claimed'")
        if key is None:
            return
        ((fence,),) = self.store.rows("SELECT fence FROM tasks WHERE key = ?", (key,))
        if index % 2:
            self.told(lambda unit: complete(unit, ROOT, key, fence, shown=Shown({"h": HookResult(0, "", 1)})))
        else:
            self.told(lambda unit: fail(unit, ROOT, key, fence, message="e", retry=index % 4 == 0))

    @act(2, index=picks)
    def end(self, index: int) -> None:
        if (key := self.pick(index, "finished_at IS NULL")) is not None:
            self.told(lambda unit: cancel(unit, ROOT, key))

    @act(3, index=picks)
    def retry(self, index: int) -> None:
        if (key := self.pick(index, "finished_at IS NOT NULL")) is None:
            return
        rivals = "SELECT 1 FROM tasks t JOIN tasks o ON o.unique_key = t.unique_key WHERE o.finished_at IS NULL"
        rival = self.store.rows(f"{rivals} AND t.key = ?", (key,))
        code = self.told(lambda unit: retry(unit, ROOT, key) and None)
        if rival:
            assert code in ("unique_key_taken", "wrong_state")

    @act(2, index=picks, due=dates)
    def redate(self, index: int, due: int | None) -> None:
        at = None if due is None else self.clock.now_ms() + due * 1000
        if (key := self.pick(index)) is not None:
            self.told(lambda unit: edit(unit, ROOT, key, Edit({"due": at})))

    @act(6, seconds=one_of([1, 31, 61, 2_400, 7_300, 90_000, 400_000]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.settle()

    @act(2, seconds=one_of([-100_000, -2_400, -1, 1, 2_400, 100_000]))
    def clock_is_set(self, seconds: int) -> None:
        self.clock.jump(seconds)
        self.store.batch()

    @act(3)
    def prune(self) -> None:
        before = dict(self.store.rows("SELECT number, finished_at FROM tasks"))
        needs = self.store.rows("SELECT task, parent FROM dependencies")
        self.store(lambda unit: prune_tasks(unit, before, unit.now))
        self.store(lambda unit: prune_events(unit, unit.now - 3 * DAY_MS))
        gone = before.keys() - {row[0] for row in self.store.rows("SELECT number FROM tasks")}
        assert not any(parent in gone and task not in gone for task, parent in needs)
        assert all(before[number] is not None for number in gone)

    @act(1, what=one_of(["label", "again", "follow", "raise", "split", "spare", "s"]), stop=flags)
    def pause_or_resume(self, what: str, stop: bool) -> None:
        if what == "s":
            self.told(lambda unit: pause_schedule(unit, ROOT, "s", None) if stop else resume_schedule(unit, ROOT, "s"))
        else:
            self.told(lambda unit: pause_rule(unit, ROOT, what, None) if stop else resume_rule(unit, ROOT, what))

    @act(1)
    def restart(self) -> None:
        self.store.close()
        self.store.open()
        self.store.runner.after = Automation(no_hook)

    @act(1, index=picks)
    def a_unit_breaks_down(self, index: int) -> None:
        def broken(unit: Unit) -> None:
            create_or_find(unit, ROOT, [NewTask("half", "side", unique_key="half", due=unit.now)])
            pause_schedule(unit, ROOT, "s", None)
            raise Invalid("in the middle")

        self.store.batch(broken)
        assert not self.store.rows("SELECT 1 FROM bodies WHERE title = 'half'")

    @rule(chosen=act.drawn())
    def step(self, chosen: tuple[str, dict[str, Any]]) -> None:
        """Any of the acts, by their weights: as rules of their own most would be switched off in most examples."""
        name, values = chosen
        getattr(self, name)(**values)

    # what must hold

    @invariant()
    def nothing_due_is_left_untold(self) -> None:
        self.store.batch()
        now = self.clock.now_ms()
        untold = "SELECT key FROM tasks WHERE finished_at IS NULL AND overdue_at IS NULL AND due <= ?"
        assert not self.store.rows(untold, (now,))
        assert not self.store.rows("SELECT key FROM tasks WHERE overdue_at IS NOT NULL AND due IS NULL")
        late = "SELECT 1 FROM schedules WHERE paused_at IS NULL AND next_at <= ?"
        assert not self.store.rows(late, (now,)) or self.store.runner.mirror.next_due <= now

    @invariant()
    def store_agrees_with_itself(self) -> None:
        self.steps += 1
        if self.steps % 5 == 0:
            self.store.check()

    @invariant()
    def the_log_has_no_hole(self) -> None:
        known = self.log[-1]["seq"] if self.log else 0
        kept = self.store.rows("SELECT min(seq), max(seq), count(*) FROM events")[0]
        assert kept[0] <= known + 1
        assert kept[1] - kept[0] + 1 == kept[2]
        self.log += self.store.events(known)

    def each_tick_made_at_most_one_task(self) -> None:
        ticked = [e["facts"] for e in self.log if e["type"] == "schedule.ticked"]
        assert all(n == 1 for n in Counter(facts["tick"] for facts in ticked).values())
        made = [e["task"]["key"] for e in self.log if e["type"] == "task.created" and e["actor"] == "schedule:s"]
        assert made == [facts["task"] for facts in ticked if facts["outcome"] == "created"]

    def rules_keep_to_their_bounds(self) -> None:
        fired = [e["facts"] for e in self.log if e["type"] == "rule.fired"]
        assert all(facts["depth"] <= MAX_DEPTH for facts in fired)
        assert all(n <= MAX_FIRINGS for n in Counter(facts["event"] for facts in fired).values())
        own = {e["seq"]: e["actor"].removeprefix("rule:") for e in self.log if e["actor"].startswith("rule:")}
        assert all(e["facts"]["rule"] == own[e["seq"]] for e in self.log if e["seq"] in own)
        assert all(own.get(facts["event"]) != facts["rule"] for facts in fired)

    def what_is_held_is_spared(self) -> None:
        claims: dict[str, Any] = {}
        for event in self.log:
            if event["task"] is not None:
                claim = claims.get(event["task"]["id"])
                assert event["actor"] != "rule:spare" or claim is None or claim["lapsed"]
                claims[event["task"]["id"]] = event["changes"].get("claim", claim)

    def what_is_split_waits_for_its_part(self) -> None:
        parts = [e for e in self.log if e["type"] == "task.delegated" and e["actor"] == "rule:split"]
        assert all(e["facts"]["children"] == e["changes"]["depends_on"][-1:] for e in parts)
        made = [e["task"]["key"] for e in self.log if e["type"] == "task.created" and e["actor"] == "rule:split"]
        assert made == [key for e in parts for key in e["facts"]["children"]]

    def whole_log(self) -> list[dict[str, Any]]:
        self.the_log_has_no_hole()
        return self.log

    def in_the_end(self) -> None:
        super().in_the_end()
        self.store.check()
        self.each_tick_made_at_most_one_task()
        self.rules_keep_to_their_bounds()
        self.what_is_held_is_spared()
        self.what_is_split_waits_for_its_part()
        told = Counter((e["task"]["id"], e["seq"]) for e in self.log if e["type"] == "task.overdue")
        dated = Counter(e["task"]["id"] for e in self.log if "due" in e["changes"])
        for task, n in Counter(task for task, _ in told).items():
            assert n <= dated[task], "told more often than dates were set"
        assert all(from_rfc3339(e["at"]) > 0 for e in self.log)


TestTimeMachine = Deckhand.TestCase
TestTimeMachine.settings = settings(max_examples=100, backend=ANEW)
