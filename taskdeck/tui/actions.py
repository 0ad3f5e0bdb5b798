"""The action table: every key of the deck, once. Bindings, footer, help and commands are read from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from taskdeck.tui.model.saved import SHIPPED

Scope = Literal["task", "worker", "project", "deck", "view", "move"]
Risk = Literal["safe", "undo", "ends"]

ROLES = ("reader", "agent", "operator", "admin")
ANY: frozenset[str] = frozenset()
LIVE = frozenset({"backlog", "blocked", "scheduled", "ready", "claimed", "review"})


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a key does.

    `keys` are Textual key names (none: it is a command alone), `shown` is how help prints them. `states` are the task
    states it applies to (empty: any). `role` is the least role it needs. `many`: acts on all marked
    tasks. `writes`: changes the deck.
    """

    id: str
    keys: tuple[str, ...]
    shown: str
    word: str
    help: str
    scope: Scope
    states: frozenset[str] = frozenset()
    role: str = "reader"
    risk: Risk = "safe"
    many: bool = False
    command: str = ""
    """The `:` command that does the same; empty if there is none."""

    @property
    def writes(self) -> bool:
        """Whether it changes anything on the server."""
        return self.scope in ("task", "worker", "project", "deck")


def _task(
    id: str, key: str, shown: str, word: str, states: frozenset[str] | set[str], role: str, risk: Risk, help: str,
    *, many: bool = True,
) -> Action:  # fmt: skip
    return Action(id, (key,), shown, word, help, "task", frozenset(states), role, risk, many, id)


def _view(id: str, key: str, shown: str, word: str, help: str, command: str = "") -> Action:
    return Action(id, tuple(filter(None, key.split(","))), shown, word, help, "view", command=command)


def _move(id: str, keys: str, shown: str, help: str) -> Action:
    return Action(id, tuple(keys.split(",")), shown, "", help, "move")


TABLE: tuple[Action, ...] = (
    _view("show-detail", "enter", "↵", "open", "open what is under the cursor: task, worker's tasks, event's task"),
    _view("filter", "slash", "/", "filter", "filter the queue: words, state: project: label: holder:; or the events"),
    _view("sort", "s", "s", "sort", "the order of the queue, by one or two; :sort age desc or a click on a head too",
          "sort"),
    _view("reverse", "S", "S", "turn round", "the chosen order from its other end", "reverse"),
    _view("columns", "C", "C", "columns", "which columns the queue has, as far as there is room", "columns"),
    _view("mark", "space", "space", "mark", "mark the task and step on; acts then apply to all marked", "mark"),
    _task("claim", "c", "c", "claim", {"ready", "claimed"}, "agent", "safe", "claim for me: a ready or a lapsed task",
          many=False),
    _task("claim-for", "L", "L", "claim for", {"ready", "claimed"}, "agent", "safe",
          "claim for me, for a time that is chosen: L as in lease; :claim 2h", many=False),
    _task("release", "r", "r", "release", {"claimed"}, "agent", "safe", "give a claimed task back to the queue"),
    _task("override", "o", "o", "override", LIVE, "operator", "ends",
          "take a task over, give it to another, or put it back; in pane 3: all that the worker holds"),
    _task("raise", "plus", "+", "priority", LIVE, "operator", "undo", "priority up by 10; presses are collected"),
    _task("lower", "minus", "-", "priority", LIVE, "operator", "undo", "priority down by 10"),
    _view("problem", "exclamation_mark", "!", "next problem", "the next task that needs you, with its reason", "next"),
    _task("answer", "i", "i", "answer", {"claimed"}, "operator", "safe", "answer what its holder asks", many=False),
    _task("fill", "I", "I", "fill in", {"claimed"}, "agent", "safe", "fill in its form: keep it for now, or hand it in",
          many=False),
    _task("approve", "A", "A", "approve", {"review"}, "operator", "ends", "what was done counts: the task is done"),
    _task("reject", "B", "B", "send back", {"review"}, "operator", "ends",
          "it needs changes: to the queue, or to who did it"),
    _task("judge", "J", "J", "judge", {"review"}, "operator", "safe",
          "what the review comes to, for who did it to heed; it stays in review"),
    Action("create", ("n",), "n", "new", "create a task", "deck", role="agent", command="create"),
    _task("reprioritize", "equals_sign", "=", "set priority", LIVE, "operator", "undo", "set the priority, 0 to 100"),
    _task("assign", "a", "a", "assign", LIVE, "operator", "undo", "say who alone may claim it, or anyone"),
    _task("retry", "R", "R", "retry", {"failed", "cancelled", "done"}, "operator", "safe", "queue an ended task again"),
    _task("cancel", "X", "X", "cancel", LIVE, "operator", "ends", "end a task without result; its holder is refused"),
    _task("complete", "D", "D", "complete", {"claimed"}, "agent", "ends", "report your own claim as done", many=False),
    _task("fail", "F", "F", "fail", {"claimed"}, "agent", "ends", "report your own claim as failed", many=False),
    _task("edit", "e", "e", "edit", ANY, "operator", "undo", "its title, labels, needs, times, attempts, review",
          many=False),
    _task("write", "E", "E", "write", ANY, "operator", "undo", "payload, description or metadata in your editor",
          many=False),
    _task("move", "O", "O", "move", ANY, "operator", "undo", "into another project; a running claim goes on"),
    _task("comment", "number_sign", "#", "comment", ANY, "agent", "safe", "say something about it", many=False),
    _task("link", "ampersand", "&", "link", ANY, "agent", "safe", "name a pull request, commit, branch, file, address",
          many=False),
    _task("delegate", "N", "N", "delegate", LIVE, "agent", "safe", "make a child of it, for which it waits",
          many=False),
    _task("skip", "K", "K", "pass on", LIVE, "agent", "ends", "end the turn of its assignee: on to the next"),
    _task("promote", "greater_than_sign", ">", "promote", {"backlog"}, "operator", "undo", "take it from the backlog"),
    _task("shelve", "less_than_sign", "<", "shelve", {"blocked", "scheduled", "ready"}, "operator", "undo",
          "put it aside into the backlog"),
    Action("pause", ("H",), "H", "pause", "pause or resume the project of the task", "project", role="operator",
           risk="ends", command="pause"),
    Action("drain", ("d",), "d", "drain", "worker pane: let a worker finish and take nothing new, or take up again",
           "worker", role="operator", command="drain"),
    Action("undo", ("u",), "u", "undo", "take back the last act that can be", "deck", role="operator", command="undo"),
    Action("undo-list", ("U",), "U", "undo one", "the acts of this session that can be taken back", "deck",
           role="operator", command="undos"),
    _view("actions", "full_stop", ".", "actions", "all that can be done with the task, and why not where not"),
    _view("why", "w", "w", "why", "why the task can or cannot be claimed", "why"),
    _view("copy", "y", "y", "copy", "copy the key", "copy"),
    _view("copy-as", "Y", "Y", "copy as", "copy id, title, JSON, curl or command", "copy-as"),
    _view("problems", "", "", "problems", "everything that needs you, as a list; enter goes there", "problems"),
    _view("results", "", "", "results", "what came of the last act on several tasks, one by one", "results"),
    _view("snooze", "", "", "snooze", ":snooze 30m lets the problem of this task rest for so long", "snooze"),
    _view("export", "", "", "export", ":export FILE writes what the filter shows: JSON lines, or CSV for FILE.csv",
          "export"),
    _view("screenshot", "", "", "screenshot", ":screenshot FILE keeps the screen as a picture (SVG)", "screenshot"),
    _view("connect", "", "", "connect", ":connect URL looks at another deck; :connect home comes back", "connect"),
    _view("demo", "", "", "demo", ":demo opens a throw-away deck beside this one, with agents at work", "demo"),
    _view("log", "", "", "log", "the end of the dashboard's log, and where it lies", "log"),
    _view("mark-all", "asterisk", "*", "mark all", "mark all that the filter matches, up to 500", "mark-all"),
    _view("mark-range", "V", "V", "mark range", "mark from the last mark to here", "mark-range"),
    _view("mark-down", "shift+down", "shift+↓", "", "mark this task and the next, and step there"),
    _view("mark-up", "shift+up", "shift+↑", "", "mark this task and the one before, and step there"),
    _view("machinery", "M", "M", "machinery", "schedules, rules, webhooks, sources, the breaker", "machinery"),
    _view("zoom", "z", "z", "zoom", "the pane alone on the screen, and back", "zoom"),
    _view("freeze", "p", "p", "freeze", "let the whole view rest while changes wait", "freeze"),
    _view("follow", "f", "f", "follow", "follow the newest event, or stand still", "follow"),
    _view("unmark", "backslash", "\\", "unmark", "take all marks off", "unmark"),
    _view("past", "t", "t", "past", "the deck as it was at a moment of the past; again: back to now", "at"),
    _view("earlier", "left_square_bracket", "[", "event back", "in the past: before the event; from now: the last one"),
    _view("later", "right_square_bracket", "]", "event on", "in the past: the next event"),
    _view("minute-earlier", "left_curly_bracket", "{", "minute back", "in the past: a minute earlier"),
    _view("minute-later", "right_curly_bracket", "}", "minute on", "in the past: a minute later"),
    _view("saved-views", "v", "v", "views", "saved views; :view save NAME keeps filter, order, columns, pane", "view"),
    *(
        _view(f"view-{at}", f"f{at}", f"F{at}", "", f"view: {view.name}")
        for at, view in enumerate(SHIPPED, 1)
    ),
    _view("projects", "P", "P", "projects", "every project with its counts; enter filters by it", "projects"),
    _view("metrics", "m", "m", "metrics", "throughput, waiting, crew and server in figures", "metrics"),
    _view("theme", "T", "T", "theme", "the next theme", "theme"),
    _view("resync", "ctrl+r", "ctrl+r", "resync", "load everything anew, or try to connect at once", "resync"),
    _view("back", "backspace", "backspace", "back", "the filter, order and pane that were before", "back"),
    _view("pane-1", "1", "1", "", "queue"),
    _view("pane-2", "2", "2", "", "leases"),
    _view("pane-3", "3", "3", "", "workers"),
    _view("pane-4", "4", "4", "", "events"),
    _view("pane-5", "5", "5", "", "task"),
    _view("next-pane", "tab", "tab", "", "next pane"),
    _view("previous-pane", "shift+tab", "shift+tab", "", "previous pane"),
    _move("down", "j,down", "j ↓", "down"),
    _move("up", "k,up", "k ↑", "up"),
    _move("top", "g,home", "g home", "first row"),
    _move("end", "G,end", "G end", "last row; in events: follow again"),
    _move("half-down", "ctrl+d", "ctrl+d", "half a page down"),
    _move("half-up", "ctrl+u", "ctrl+u", "half a page up"),
    _move("page-down", "pagedown,ctrl+f", "pgdn ctrl+f", "page down"),
    _move("page-up", "pageup,ctrl+b", "pgup ctrl+b", "page up"),
    _move("next-section", "l,right", "l →", "task pane: the next part; queue: scroll to further columns"),
    _move("previous-section", "h,left", "h ←", "task pane: the part before; queue: scroll back"),
    _view("peel", "escape", "esc", "", "one step back: message, zoom, events' filter, task pane, marks, filter, past"),
    _view("quit", "q,ctrl+c", "q", "quit", "leave the dashboard; the server goes on unless it runs in here", "quit"),
    _view("suspend", "ctrl+z", "ctrl+z", "suspend", "put the dashboard aside for the shell; fg takes it up again",
          "suspend"),
    _view("palette", "ctrl+p", "ctrl+p", "palette", "find an action by a few letters of what it does", "palette"),
    _view("command", "colon", ":", "commands", "give a command by its name"),
    _view("help", "question_mark", "?", "help", "this list", "help"),
)  # fmt: skip

BY_ID = {action.id: action for action in TABLE}
COMMANDS = {action.command: action for action in TABLE if action.command} | {"prio": BY_ID["reprioritize"]}
FOOTER = ("show-detail", "filter", "mark", "claim", "release", "override", "raise", "problem", "create", "actions",
          "assign", "retry", "cancel", "edit", "comment", "undo", "copy", "sort", "zoom", "freeze", "follow", "command",
          "help")  # fmt: skip
FOOTER_PAST = ("past", "earlier", "later", "minute-earlier", "minute-later", "show-detail", "filter", "problem", "zoom",
               "command", "help")  # fmt: skip
FOOTER_KEYS = {"raise": "+/-"}
PAST_WORDS = {"past": "back to now"}
