"""How acts are done: through the gate, task by task, with one line told at the end. No drawing, no keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from taskdeck.client import ApiError, Client, Unreachable, one_act
from taskdeck.tui.actions import Action
from taskdeck.tui.dialogs.base import Form, Values
from taskdeck.tui.format import clip, plural
from taskdeck.tui.gate import refusal
from taskdeck.tui.keymap import key
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.rows import TaskRow, WorkerRow
from taskdeck.tui.model.undo import Before, Undo, UndoVerb
from taskdeck.tui.paint import Spans
from taskdeck.tui.screens.sheet import Lines

QUICK = frozenset({"claim", "raise", "lower", "undo", "drain", "promote"})
"""Acts that never ask, so that several may be under way."""
PAST = {
    "claim": "claimed", "claim-for": "claimed", "release": "released",
    "cancel": "cancelled", "retry": "queued again", "assign": "assigned",
    "reprioritize": "reprioritized", "complete": "completed", "fail": "failed", "override": "overridden",
    "approve": "approved", "reject": "sent back", "judge": "judged", "promote": "offered",
    "shelve": "in the backlog", "move": "moved",
    "comment": "commented", "link": "linked", "answer": "answered", "skip": "passed on",
}  # fmt: skip

REREAD_MOST = 50
"""Most tasks that are read again before an act; beyond them the deck itself refuses what no longer fits."""

_MOVED_MOST = 4
"""Most tasks of which a dialog says what has become of them."""

Call = Callable[[TaskRow], Awaitable[dict[str, Any]]]
Tone = Literal["done", "refused", "failed"]
_TONES: tuple[Tone, ...] = ("done", "refused", "failed")


class Outcome(NamedTuple):
    """What came of an act on one task: the key, how it went, and in words why."""

    key: str
    tone: Tone
    text: str


class Desk(Protocol):
    """What the acts need of the screen."""

    async def ask(self, form: Form) -> Values | None:
        """Show a dialog and wait for its values; None if it was left."""

    async def pick(self, name: str, note: str, source: Callable[[], Lines]) -> str | None:
        """Show a list and wait for what is chosen of it; None if it was left."""

    async def write(self, text: str, suffix: str) -> str | None:
        """Let the operator edit a text in an editor of its own; None if that failed, which is told."""

    def tell(self, text: str, tone: Tone = "done") -> None:
        """Say what came of it. What failed stays until it is read."""


class Operator:
    """Does the writes of the action table, one after another, and remembers what can be taken back."""

    def __init__(self, client: Client, model: DeckModel, desk: Desk) -> None:
        self.client = client
        self.model = model
        self.desk = desk
        self.results: list[Outcome] = []
        """What came of the last act on several tasks."""
        self.running = False
        """Whether an act on several tasks is under way."""
        self.collected: Any = None
        """Presses that will become one write, where there are any; see `acts.changing`."""
        self.given = ""
        """What was typed behind the command of the act that asks something now."""
        self._stopped = False
        self._act = ""
        self._about: tuple[Action, Sequence[TaskRow]] | None = None
        """What is asked about now, and on which tasks as they were then."""

    async def run(
        self, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None = None, given: str = ""
    ) -> None:
        """Do `action` on `rows`, or on `worker`. The order of the queue rests while something is asked.

        `given` stood behind the command that asked for it; an act may begin its dialog with it.
        """
        from taskdeck.tui.acts import ACTS  # the acts are written in the words of this module

        held = action.id not in QUICK
        if held:
            self.given = given
        if held:
            self.model.hold()
        try:
            fresh = await self._as_they_are(rows)
            why = refusal(action, self.model, fresh[0]) if fresh is not rows and len(fresh) == 1 else None
            if why is not None:
                self.desk.tell(why, "refused")
                return
            if held:
                self._about = (action, fresh)
            await ACTS[action.id](self, action, fresh, worker)
        except (ApiError, Unreachable) as error:
            self.desk.tell(told(error), "failed")
        finally:
            if held:
                self._about = None
                self.model.release()

    def moved(self) -> list[Spans]:
        """What has become of the tasks since the dialog about them opened, a line each; who drops out says so."""
        if self._about is None or self._about[0].scope != "task":
            return []
        action, rows = self._about
        if action.id == "override" and len(rows) == 1:
            return []  # its dialog tells that in its own place
        lines: list[Spans] = []
        for row in rows:
            now = self.model.rows.get(row.id, row)
            if now.state == row.state and fence(now) == fence(row):
                continue
            whose = f" by {clip(now.holder, 24)}" if now.holder else ""
            drops = ": it drops out" if refusal(action, self.model, now) else ""
            lines.append(((f"‼ {clip(row.key, 14)} is {now.state}{whose} by now{drops}", "failed bold"),))
        more = len(lines) - _MOVED_MOST
        return [*lines[:_MOVED_MOST], ((f"‼ and {more} more", "failed bold"),)] if more > 0 else lines

    async def _as_they_are(self, rows: Sequence[TaskRow]) -> Sequence[TaskRow]:
        """The tasks as the deck has them now: of a view that rests, those that have changed since are read anew."""
        if not self.model.frozen:
            return rows
        fresh = list(rows)
        changed = [at for at, row in enumerate(rows) if row.id in self.model.stirred][:REREAD_MOST]
        for at in changed:
            fresh[at] = self.model.learn(await self.client.task(fresh[at].id))
        return fresh

    def stop(self) -> bool:
        """Do no more tasks of the act that is under way; False if there is none."""
        self._stopped = self.running
        return self.running

    async def each(self, action: Action, rows: Sequence[TaskRow], call: Call, said: str = "") -> list[TaskRow]:
        """Call for every task, and tell the sum. A task whose state no longer fits is skipped, not forced."""
        done: list[TaskRow] = []
        results: list[Outcome] = []
        self.running, self._stopped = len(rows) > 1, False
        try:
            with one_act() as act:
                for at, known in enumerate(rows):
                    row = self.model.rows.get(known.id, known)
                    why = "stopped before its turn" if self._stopped else refusal(action, self.model, row)
                    if why is not None:
                        results.append(Outcome(row.key, "refused", why))
                        continue
                    try:
                        done.append(self.model.learn(await call(row)))
                        results.append(Outcome(row.key, "done", PAST.get(action.id, "done")))
                    except ApiError as error:
                        results.append(Outcome(row.key, "failed", told(error)))
                    if at % 20 == 19:
                        self.desk.tell(f"{at + 1} of {len(rows)} … {key('peel')} stops")
        finally:
            self.running = False
        self._sum_up(action, results, said)
        self._act = act if len(done) > 1 else ""
        return done

    def _sum_up(self, action: Action, results: list[Outcome], said: str) -> None:
        if len(results) == 1:
            key, tone, text = results[0]
            self.desk.tell(*((said or f"{key} {text}", "done") if tone == "done" else (_named(key, text), tone)))
            return
        self.results = results
        done, skipped, failed = ([each for each in results if each.tone == tone] for tone in _TONES)
        parts = [
            said if said and len(done) == len(results) else f"{plural(len(done), 'task')} {PAST.get(action.id, '')}"
        ]
        parts += [f"{len(skipped)} skipped"] * bool(skipped) + [f"{len(failed)} failed"] * bool(failed)
        if skipped or failed:
            parts += [":results lists them", *(_named(each.key, each.text) for each in (failed or skipped)[:1])]
        self.desk.tell(" · ".join(parts), "failed" if failed else "done")

    async def sure(self, form: Form) -> Values | None:
        """Ask, and return the values only if the answer is yes."""
        values = await self.desk.ask(form)
        return values if values is not None and values.get("sure", "yes") == "yes" else None

    async def gates(self, row: TaskRow, verb: str) -> list[dict[str, Any]]:
        """The gates of a task that stand before a verb."""
        gates = (await self.client.gates(row.id, self.model.me)).get("gates") or []
        return [gate for gate in gates if gate["before"] == verb]

    def remember(self, verb: UndoVerb, text: str, done: Sequence[TaskRow], before: dict[str, Any]) -> None:
        """Keep what was before an act, so that it can be taken back."""
        if done:
            acts = tuple(Before(row.id, row.key, before.get(row.id), row.version) for row in done)
            self.model.undo.push(Undo(verb, text, self.model.now_ms(), acts, self._act if len(done) > 1 else ""))
            self.model.changed()


def _named(key: str, text: str) -> str:
    return text if key in text else f"{key}: {text}"


def on(rows: Sequence[TaskRow]) -> str:
    """What an act is done on, in a word or two."""
    return rows[0].key if len(rows) == 1 else plural(len(rows), "task")


def fence(row: TaskRow) -> int:
    """The fence of its claim, 0 without one."""
    return row.lease.fence if row.lease else 0


def told(error: ApiError | Unreachable) -> str:
    """An error in one line: what, what to do, and the code to look it up by."""
    hint = f" · {error.hint}" if error.hint else ""
    if not isinstance(error, ApiError):
        return f"{error.detail}{hint}"
    # what went wrong within the server is looked up in its log
    request = f", request {error.request_id}" if error.status >= 500 and error.request_id else ""
    return f"{error.detail}{hint} ({error.code}{request})"
