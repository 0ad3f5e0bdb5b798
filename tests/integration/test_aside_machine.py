"""What is said beside tasks against a plain model of its rules, step by step."""

from __future__ import annotations

import atexit
import copy
import shutil
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.aside_model import AsideModel, Said, Speaker
from support.bare import Template
from support.choice import ANEW
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ANN, BOB, ROOT

from taskdeck.domain.attachment import Contents
from taskdeck.domain.context import Source
from taskdeck.domain.errors import DeckError, Invalid
from taskdeck.domain.link import LinkKind
from taskdeck.domain.principal import Principal
from taskdeck.service.attachments import attach, detach
from taskdeck.service.claim import claim
from taskdeck.service.comments import comment, delete_comment, edit_comment
from taskdeck.service.contexts import change_context, retract
from taskdeck.service.create import create
from taskdeck.service.finish import fail
from taskdeck.service.heartbeat import heartbeat
from taskdeck.service.links import link, unlink
from taskdeck.service.operate import delete
from taskdeck.service.release import release
from taskdeck.service.requests import ClaimRequest, NewTask
from taskdeck.store import words
from taskdeck.store.unit import Unit

pytestmark = pytest.mark.timeout(900)

SPEAKERS = {
    ROOT: Speaker("root", operator=True),
    ANN: Speaker("ann"),
    BOB: Speaker("bob", projects=frozenset({"default"})),
}

people = st.sampled_from([ROOT, ANN, ANN, BOB])
picks = st.integers(0, 50)
texts = st.sampled_from(["one", "two words", 'a "quoted" * text', "ünïcode\n😀", "x" * 3000])
keys = st.sampled_from(["a", "b", "c d", "é"])
values = st.recursive(
    st.sampled_from([None, True, 0, 1.5, "text", 'two\nlines \\n \\\\ "q"', ""]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=2),
    max_leaves=6,
)
patches = st.dictionaries(keys, values, max_size=3)
names = st.tuples(st.sampled_from(["branch", "pr"]), st.sampled_from([None, "o/r"]), st.sampled_from(["main", "5"]))


@cache
def template() -> Template:
    folder = Path(tempfile.mkdtemp(prefix="taskdeck-template-"))
    atexit.register(shutil.rmtree, folder)
    return Template(folder)


class Speakers(RuleBasedStateMachine):
    """Says to the store and to the model the same, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="taskdeck-aside-"))
        self.store = template().copy(self.folder / "deck.db", FakeClock(), CountingIds())
        self.model = AsideModel(events=len(self.store.events()))
        self.written = -1

    def teardown(self) -> None:
        for table in words.TABLES:
            self.store.rows(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)")  # noqa: S608
        self.store.check()
        self.store.close()
        shutil.rmtree(self.folder)

    def do(self, work: Callable[[Unit], Any]) -> tuple[str | None, Any]:
        """The code of the refusal, or None with the result."""
        try:
            return None, self.store(work)
        except DeckError as error:
            return error.stable_code, None

    def both(self, work: Callable[[Unit], Any], expected: str | None) -> None:
        assert self.do(work)[0] == expected

    def pick(self, index: int) -> tuple[str, Said]:
        return list(self.model.tasks.items())[index % len(self.model.tasks)]

    @initialize()
    def begin(self) -> None:
        for project in ("default", "default", "side"):
            self.create(project)

    @rule(project=st.sampled_from(["default", "side"]))
    def create(self, project: str) -> None:
        (made,) = self.store(lambda unit: create(unit, ROOT, [NewTask("title one", project, "text", max_attempts=999)]))
        self.model.tasks[made.key] = Said(project)
        self.model.events += 1

    @precondition(lambda self: len(self.model.tasks) > 2)
    @rule(index=picks)
    def delete(self, index: int) -> None:
        key, said = self.pick(index)
        if said.holder is None:
            self.both(partial(delete, who=ROOT, ref=key), None)
            del self.model.tasks[key]
            self.model.events += 1

    # saying

    @rule(index=picks, who=people, text=texts)
    def comment(self, index: int, who: Principal, text: str) -> None:
        key, _ = self.pick(index)
        code, made = self.do(lambda unit: comment(unit, who, key, text))
        assert code == self.model.comment(SPEAKERS[who], key, made.number if made else 0, text)

    @rule(index=picks, at=picks, who=people, text=st.none() | texts)
    def change_comment(self, index: int, at: int, who: Principal, text: str | None) -> None:
        key, said = self.pick(index)
        number = list(said.comments)[at % len(said.comments)] if said.comments else at
        expected = self.model.change_comment(SPEAKERS[who], key, number, text)
        if text is None:
            self.both(lambda unit: delete_comment(unit, who, key, number), expected)
        else:
            self.both(lambda unit: edit_comment(unit, who, key, number, text), expected)

    @rule(index=picks, who=people, name=names)
    def link(self, index: int, who: Principal, name: tuple[str, str | None, str]) -> None:
        (key, said), (kind, repository, target) = self.pick(index), name
        known = said.links.get(name)
        code, result = self.do(lambda unit: link(unit, who, key, LinkKind(kind), target, repository))
        number = result[0].number if result else 0
        if result:
            assert result[1] == (known is None)
            assert known in (None, number)
        assert code == self.model.link(SPEAKERS[who], key, name, number)

    @rule(index=picks, at=picks, who=people)
    def unlink(self, index: int, at: int, who: Principal) -> None:
        key, said = self.pick(index)
        number = list(said.links.values())[at % len(said.links)] if said.links else at
        self.both(lambda unit: unlink(unit, who, key, number), self.model.unlink(SPEAKERS[who], key, number))

    @rule(index=picks, who=people, name=keys, value=values)
    def attach(self, index: int, who: Principal, name: str, value: Any) -> None:
        key, _ = self.pick(index)
        contents = Contents(value=orjson.dumps(value).decode())
        self.both(
            lambda unit: attach(unit, who, key, name, contents), self.model.attach(SPEAKERS[who], key, name, value)
        )

    @rule(index=picks, who=people, name=keys)
    def detach(self, index: int, who: Principal, name: str) -> None:
        key, _ = self.pick(index)
        self.both(lambda unit: detach(unit, who, key, name), self.model.detach(SPEAKERS[who], key, name))

    @rule(
        index=picks, who=people, patch=patches, remove=st.lists(keys, max_size=2),
        source=st.sampled_from(["inferred", "inferred", "observed", "stated", "imported"]),
        off=st.sampled_from([None, None, 0, 0, 1, -1]),
    )  # fmt: skip
    def tell(
        self, index: int, who: Principal, patch: dict[str, Any], remove: list[str], source: str, off: int | None
    ) -> None:
        key, said = self.pick(index)
        version = None if off is None else said.version + off
        work = partial(
            change_context, who=who, ref=key, patch=copy.deepcopy(patch), remove=remove, source=Source(source),
            version=version,
        )  # fmt: skip
        self.both(work, self.model.tell(SPEAKERS[who], key, patch, remove, source, version))

    @rule(index=picks, at=picks, who=people)
    def retract(self, index: int, at: int, who: Principal) -> None:
        spoken = [key for key, said in self.model.tasks.items() if said.ledger]
        key = spoken[index % len(spoken)] if spoken else self.pick(index)[0]
        ledger = self.model.tasks[key].ledger
        name = ledger[at % len(ledger)][1] if ledger else "a"
        self.both(lambda unit: retract(unit, who, key, name), self.model.retract(SPEAKERS[who], key, name))

    # handing off

    @rule(index=picks, worker=st.sampled_from(["w1", "w2"]), override=st.booleans())
    def claim(self, index: int, worker: str, override: bool) -> None:
        key, said = self.pick(index)
        if said.holder is None or (override and said.holder != worker):
            registered = self.store.rows("SELECT 1 FROM workers WHERE id = ?", (worker,))
            reason = None if said.holder is None else "why"
            self.both(lambda unit: claim(unit, ROOT, ClaimRequest(worker, key, override_reason=reason)), None)
            self.model.claim(key, worker)
            self.model.events += not registered

    @rule(index=picks, detail=st.sampled_from(["reading", "asking"]))
    def report(self, index: int, detail: str) -> None:
        key, said = self.pick(index)
        if said.holder is not None:
            self.both(partial(heartbeat, who=ROOT, ref=key, fence=self._fence(key), detail=detail), None)
            self.model.report(key, detail)

    @rule(index=picks, note=st.sampled_from([None, "", "step 2 is left"]), failed=st.booleans())
    def give_up(self, index: int, note: str | None, failed: bool) -> None:
        key, said = self.pick(index)
        if said.holder is not None:
            verb = partial(fail, message="no", delay_ms=0) if failed else release
            self.both(partial(verb, who=ROOT, ref=key, fence=self._fence(key), note=note), None)
            self.model.give_up(key, note)

    def _fence(self, key: str) -> int:
        return int(self.store.rows("SELECT fence FROM tasks WHERE key = ?", (key,))[0][0])

    # the world

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store.open()

    @rule(index=picks)
    def a_unit_breaks_down(self, index: int) -> None:
        """Half a unit of work between two whole ones leaves nothing behind."""
        key, _ = self.pick(index)

        def broken(unit: Unit) -> None:
            comment(unit, ROOT, key, "never said")
            link(unit, ROOT, key, LinkKind.FILE, "never")
            attach(unit, ROOT, key, "a", Contents(text="never"))
            change_context(unit, ROOT, key, {"a": "never", "z": 1})
            raise Invalid("in the middle")

        _, broke, after = self.store.batch(
            lambda unit: None, broken, lambda unit: comment(unit, ROOT, key, "after")
        ).outcomes
        assert isinstance(broke[2], DeckError)
        assert self.model.comment(SPEAKERS[ROOT], key, after[1].number, "after") is None

    # what must hold

    @invariant()
    def store_and_model_are_equal(self) -> None:
        """Looked at when something was written."""
        written = self.store.runner.connection.total_changes
        if written != self.written:
            self.written = written
            self.what_is_said_is_equal()
            self.each_change_has_left_one_event()
            self.nothing_outlives_its_task()

    def what_is_said_is_equal(self) -> None:
        for key, said in self.model.tasks.items():
            rows = partial(self._of, key)
            assert rows("comments", "number, author, text") == [(n, *c) for n, c in sorted(said.comments.items())]
            assert rows("links", "number, kind, nullif(repository, ''), target") == sorted(
                (number, *name) for name, number in said.links.items()
            )
            attached = {name: orjson.loads(value) for name, value in rows("attachments", "name, value")}
            assert _plain(attached) == _plain(said.attachments)
            found = rows("contexts", "document, version", "task")
            document, version = (orjson.loads(found[0][0]), found[0][1]) if found else ({}, 0)
            assert (_plain(document), version) == (_plain(said.context), said.version)
            ledger = [
                (*entry[:3], _plain(orjson.loads(entry[3] or "null")), *entry[4:])
                for entry in rows("context_entries", "version, key, act, value, source, author")
            ]
            assert ledger == [(*e[:3], _plain(e[3]), *e[4:]) for e in said.ledger]
            ((handoff,),) = self.store.rows(
                "SELECT handoff FROM bodies JOIN tasks ON number = task WHERE key = ?", (key,)
            )
            left = None if handoff is None else orjson.loads(handoff)
            assert (left and (left["note"], left["worker"])) == said.handoff

    def _of(self, key: str, table: str, columns: str, order: str = "number") -> list[Any]:
        sql = f"SELECT {columns} FROM {table} WHERE task = (SELECT number FROM tasks WHERE key = ?) ORDER BY {order}"  # noqa: S608
        return self.store.rows(sql, (key,))

    def each_change_has_left_one_event(self) -> None:
        assert self.store.rows("SELECT count(*), max(seq) FROM events") == [(self.model.events, self.model.events)]

    def nothing_outlives_its_task(self) -> None:
        for table in ("comments", "links", "attachments", "contexts", "context_entries"):
            orphans = f"SELECT count(*) FROM {table} WHERE task NOT IN (SELECT number FROM tasks)"  # noqa: S608
            assert self.store.rows(orphans) == [(0,)]


def _plain(value: Any) -> str:
    """JSON with its keys in order: true is not 1, and 0 is not 0.0."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


TestSpeakers = Speakers.TestCase
TestSpeakers.settings = settings(max_examples=100, backend=ANEW)
