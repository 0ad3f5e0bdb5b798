"""What is typed into the line at the bottom: filters as they are typed, commands when they are given."""

from __future__ import annotations

import difflib
from os.path import commonprefix
from typing import TYPE_CHECKING

from textual.timer import Timer

from taskdeck.domain.event_query import EVERYTHING
from taskdeck.domain.event_query import FIELDS as EVENT_FIELDS
from taskdeck.domain.event_query import parse as parse_events
from taskdeck.domain.query import FIELDS, FLAGS
from taskdeck.tui.actions import COMMANDS
from taskdeck.tui.dialogs.review import VERDICTS
from taskdeck.tui.format import clip, count, duration
from taskdeck.tui.keymap import key
from taskdeck.tui.model.filter import STATES, Filter, QueryError, parse
from taskdeck.tui.model.moment import seconds_of, wanted
from taskdeck.tui.model.saved import View
from taskdeck.tui.model.sort import NAMES, THEN, Sort, parse_sort
from taskdeck.tui.model.trail import Place
from taskdeck.tui.paint import Spans
from taskdeck.tui.themes import THEMES
from taskdeck.tui.widgets.event_list import LOOKS
from taskdeck.tui.widgets.prompt import Prompt
from taskdeck.tui.widgets.queue_columns import COLUMNS

if TYPE_CHECKING:
    from taskdeck.tui.screens.deck import DeckScreen

DELAY = 0.15
"""Seconds of rest after which a filter that is being typed is tried."""
OUTSIDE = ("connect", "demo", "export", "log", "screenshot")
"""Commands that lead out of the dashboard; see `screens.outside`."""
WITH_WORDS = ("at", "events", "filter", "live", "state", "theme")


class TypedLine:
    """Opens and closes the prompt of a screen, and gives its text a meaning."""

    def __init__(self, screen: DeckScreen) -> None:
        self._screen = screen
        self._before = Filter()
        self._events = False
        """Whether it is events that are filtered."""
        self._events_before = EVERYTHING
        self._fault = ""
        self._timer: Timer | None = None

    # -- the line --------------------------------------------------------------------------------------------

    def ask_filter(self) -> None:
        """`/`: type on at the present filter, of the events where they have the keys."""
        self._events = self._screen.active == 4
        if self._events:
            self._events_before = self._screen.model.events.query
            text = f"{self._events_before.text} " if self._events_before.terms else ""
            self._open("/", text, "type:lapsed actor:render-* worker: project: key: words · -not · tab completes")
            return
        self._before = self._screen.model.window.filter
        text = f"{self._before.text} " if self._before.terms else ""
        self._open("/", text, "words · state:ready prio>=70 holder:render-* -label:nightly is:stuck · tab completes")

    def ask_command(self, text: str = "") -> None:
        """`:`, perhaps with the beginning of a command."""
        self._open(
            ":",
            text,
            "state STATE · filter TERMS · at 14:02 · prio NUMBER · theme NAME · tab completes · "
            f"{key('help')} lists all",
        )

    def _open(self, sign: str, text: str, hint: str) -> None:
        self._fault = ""
        self._screen.hints.display = False
        self._screen.prompt.open(sign, text, hint)
        self._screen.redraw()

    def close(self) -> None:
        """The keys are the deck's again."""
        self._screen.prompt.display = False
        self._screen.hints.display = True
        self._screen.set_focus(self._screen.pane, scroll_visible=False)
        self._screen.redraw()

    def notes(self) -> Spans:
        """What is said beside the text."""
        if self._fault:
            return ((f"✗ {self._fault}", "failed bold"),)
        if self._screen.prompt.sign == ":":
            return (("enter does it · tab completes · esc leaves", "muted"),)
        number, whole = self._screen.model.listed()
        if self._events:
            number, whole = self._screen.events.matching, True
        told = f"{count(number)}{'' if whole else '+'} "
        return ((told, "text bold"), ("match · enter keeps · esc restores", "muted"))

    def typed(self, message: Prompt.Typed) -> None:
        """Filters are tried after a moment of rest, commands only when they are given."""
        self._rest()
        by = self.filter_events if self._events else self.filter
        if message.sign == "/" and not message.final:
            self._timer = self._screen.set_timer(DELAY, lambda: by(message.text, final=False))
        elif message.sign == "/":
            by(message.text, final=True)
        elif message.final:
            self._command(message.text)

    def left(self, message: Prompt.Left) -> None:
        """Escape: the filter is what it was before."""
        self._rest()
        self.close()
        if message.sign == "/" and self._events:
            if self._events_before != self._screen.model.events.query:
                self._screen.looking.choose_events(self._events_before)
        elif message.sign == "/" and self._before.terms != self._screen.model.window.filter.terms:
            self._screen.looking.choose(self._before)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    # -- meaning ---------------------------------------------------------------------------------------------

    def filter(self, text: str, *, final: bool, sort: Sort | None = None) -> bool:
        """View the queue through a filter, in that order if one is given.

        One with a fault leaves the last good result standing.
        """
        screen = self._screen
        now = screen.model.window.filter
        try:
            chosen = parse(text, now.sort if sort is None else sort)
        except QueryError as error:
            self._fault = str(error)
            if screen.prompt.display:
                screen.prompt.sync()
            else:
                screen.tell(self._fault, "refused")
            return False
        self._fault = ""
        if (chosen.terms, chosen.sort) != (now.terms, now.sort):
            screen.looking.choose(chosen)
        if final:
            typed = screen.prompt.display
            self.close()
            if typed and self._before != screen.model.window.filter:
                screen.looking.leave(Place(self._before, screen.active))
        screen.redraw()
        return True

    def filter_events(self, text: str, *, final: bool) -> None:
        """Look at some events alone; a filter with a fault leaves the last good result standing."""
        screen = self._screen
        try:
            query = parse_events(text)
        except QueryError as error:
            self._fault = str(error)
            if screen.prompt.display:
                screen.prompt.sync()
            else:
                screen.tell(self._fault, "refused")
            return
        self._fault = ""
        if query.terms != screen.model.events.query.terms:
            screen.looking.choose_events(query)
        if final:
            self.close()
        screen.redraw()

    def _command(self, text: str) -> None:
        screen = self._screen
        self.close()
        name, _, rest = text.strip().partition(" ")
        rest = rest.strip()
        if not name:
            return
        if name in ("filter", "state"):
            self.filter(f"state:{rest}" if name == "state" and rest else rest, final=True)
        elif name == "events":
            self.filter_events(rest, final=True)
        elif name == "theme" and rest:
            screen.choose_theme(rest)
        elif name == "view" and rest:
            self._view(rest)
        elif name == "sort" and rest:
            self._sort(rest)
        elif name == "columns" and rest:
            self._columns(rest)
        elif name == "at" and rest:
            self._to(rest)
        elif name == "snooze":
            self._snooze(rest)
        elif name in OUTSIDE:
            screen.outside.run(name, rest)
        elif name == "live":
            screen.travel.leave()
        elif name in ("prio", "reprioritize") and rest.isdigit():
            screen.acting.set_priority(int(rest))
        elif name == "claim" and rest:
            screen.act("claim-for", rest)
        elif name in COMMANDS:
            screen.act(COMMANDS[name].id, rest)
        else:
            near = difflib.get_close_matches(name, [*COMMANDS, *WITH_WORDS], n=1)
            hint = f"did you mean {near[0]}?" if near else f"{key('help')} lists them"
            screen.tell(f"no command “{clip(name, 24)}”; {hint}", "refused")

    def _view(self, rest: str) -> None:
        screen, (verb, _, name) = self._screen, rest.partition(" ")
        name = name.strip()
        if verb in ("save", "drop") and name:
            fault = screen.saved.save(self._shown(name)) if verb == "save" else screen.saved.drop(name)
            done = (
                f"view “{clip(name, 24)}” is kept · {key('saved-views')} lists it"
                if verb == "save"
                else f"view “{clip(name, 24)}” is gone"
            )
            screen.tell(fault or done, "refused" if fault else "done")
            return
        view = screen.saved.find(rest)
        if view is None:
            screen.tell(
                f"no view “{clip(rest, 24)}”; {key('saved-views')} lists them, :view save NAME keeps this one",
                "refused",
            )
        else:
            screen.views.show_view(view)

    def _shown(self, name: str) -> View:
        """What is looked at now, as a view of that name."""
        chosen, columns = self._screen.model.window.filter, self._screen.queue.chosen
        pane = 1 if self._screen.active == 5 else self._screen.active
        return View(name, chosen.text, chosen.sort, None if columns is None else tuple(sorted(columns)), pane)

    def _sort(self, rest: str) -> None:
        try:
            self._screen.looking.sort_by(parse_sort(rest))
        except ValueError as error:
            self._screen.tell(str(error), "refused")

    def _columns(self, rest: str) -> None:
        named = frozenset(rest.replace(",", " ").casefold().split())
        if named == {"usual"}:
            self._screen.looking.show_columns(None)
        elif named <= COLUMNS.keys():
            self._screen.looking.show_columns(named)
        else:
            odd = clip(min(named - COLUMNS.keys()), 24)
            self._screen.tell(f"no column “{odd}”; there are {', '.join(COLUMNS)}, or usual", "refused")

    def _snooze(self, rest: str) -> None:
        screen = self._screen
        row = screen.current()
        try:
            seconds = seconds_of(rest or "30m")
        except ValueError as error:
            screen.tell(str(error), "refused")
            return
        if row is None or all(problem.task != row.id for problem in screen.live.problems):
            screen.tell("the task under the cursor needs nobody", "refused")
            return
        screen.live.snoozed[row.id] = screen.live.now_ms() + seconds * 1000
        screen.live.refresh_problems()
        screen.tell(f"{row.key} calls again in {duration(seconds * 1000)}, in this dashboard")

    def _to(self, text: str) -> None:
        try:
            self._screen.travel.go(wanted(text, self._screen.live.now_ms()))
        except ValueError as error:
            self._screen.tell(str(error), "refused")

    def complete(self, sign: str, text: str) -> str:
        """`text` with its last word completed as far as there is but one way on."""
        head, _, word = text.rpartition(" ")
        known = self._known(sign, head, word)
        ways = sorted(each for each in known if each.startswith(word))
        if not ways:
            return text
        whole = ways[0] + ("" if ways[0].endswith((":", ".", "/")) else " ") if len(ways) == 1 else commonprefix(ways)  # noqa: RUF071 - by character is meant
        return f"{head} {whole}" if head else whole

    def _known_of_events(self, word: str) -> list[str]:
        model, (name, colon, _) = self._screen.model, word.partition(":")
        if not colon:
            return [f"{field}:" for field in EVENT_FIELDS]
        values = {
            "type": {kind.partition(".")[2] for kind in LOOKS},
            "project": model.projects,
            "worker": model.workers,
            "actor": {line.actor for line in model.events if line.actor},
            "key": {row.key for row in model.rows.values()},
        }
        return [f"{name}:{value}" for value in values.get(name, ()) if " " not in value]

    def _known(self, sign: str, head: str, word: str) -> list[str]:
        model = self._screen.model
        if sign == ":" and not head:
            return [*COMMANDS, *WITH_WORDS]
        if sign == ":" and head == "state":
            return list(STATES)
        if sign == ":" and head == "view":
            return ["save", "drop", *(view.name for view in self._screen.saved.all())]
        if sign == ":" and head in ("export", "screenshot"):
            return self._screen.outside.files(word)
        if sign == ":" and head == "move":
            return list(model.projects)
        if sign == ":" and head == "assign":
            return list(model.workers)
        if sign == ":" and head == "judge":
            return list(VERDICTS)
        if sign == ":" and head == "sort":
            return list(NAMES)
        if sign == ":" and head.startswith("sort "):
            return list(THEN) if head.endswith((" asc", " desc")) else ["asc", "desc", *THEN]
        if sign == ":" and head.partition(" ")[0] == "columns":
            return ["usual", *COLUMNS]
        if sign == ":" and head == "theme":
            return [theme.name for theme in THEMES]
        if (sign == "/" and self._events) or (sign == ":" and head.partition(" ")[0] == "events"):
            return self._known_of_events(word)
        values = {
            "state": STATES,
            "project": model.projects,
            "holder": model.workers,
            "label": {label for row in model.rows.values() for label in row.labels},
            "assignee": {row.assignee for row in model.rows.values() if row.assignee},
            **FLAGS,
        }
        name, colon, _ = word.partition(":")
        if colon:
            return [f"{name}:{value}" for value in values.get(name, ()) if " " not in value]
        return [f"{name}." if kind == "document" else f"{name}:" for name, kind in FIELDS.items()]
