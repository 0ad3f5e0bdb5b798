"""What the actions of the table do where they apply, for whoever presses their keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

OURS = "drive"
"""The project of the tasks that are acted on."""


@dataclass(frozen=True)
class Scene:
    """Where an action applies, what its key brings up, what is pressed then, and what is to be read in the end."""

    state: str = ""
    first: Sequence[str] = ()
    opens: str = ""
    answer: Sequence[str] = ()
    done: str = ""


def typed(text: str) -> tuple[str, ...]:
    return tuple("space" if char == " " else char for char in text)


YES = ("right", "enter")
SCENES = {
    "claim": Scene("ours", done="is yours"),
    "claim-for": Scene("ours", opens="it lapses at", answer=("right", "enter"), done="is yours for 15m"),
    "release": Scene("mine", done="released"),
    "override": Scene("held", opens=r"fence", answer=(*typed("box is down"), "enter"), done="OVERRIDE|is yours"),
    "raise": Scene("ready", done="50 → 60"),
    "lower": Scene("ready", done="50 → 40"),
    "answer": Scene("asks", opens="Which one", answer=YES, done="gets “"),
    "fill": Scene("form", opens="Is it in order", answer=("enter",), done="completed|handed in|done"),
    "approve": Scene("review", opens="enter", answer=YES, done="approved"),
    "reject": Scene("review", opens="what is wrong", answer=(*typed("page 7"), "enter"), done="sent back"),
    "create": Scene(opens="title", answer=(*typed("Made by hand"), "enter"), done="Made by hand|created"),
    "reprioritize": Scene("ready", opens="place|higher number", answer=("backspace", "backspace", "8", "0", "enter"),
                          done="50 → 80"),
    "assign": Scene("ready", opens="anyone", answer=YES, done="assigned|for"),
    "retry": Scene("failed", opens="enter", answer=("enter",), done="queued again"),
    "cancel": Scene("held", opens="refused|holder", answer=YES, done="cancelled"),
    "complete": Scene("mine", opens="enter", answer=YES, done="completed"),
    "fail": Scene("mine", opens="error", answer=(*typed("no luck"), "enter"), done="failed"),
    "edit": Scene("ready", opens="labels", answer=("escape",)),
    "write": Scene("ready", opens="payload", answer=("enter",), done="stays as it was"),
    "comment": Scene("ready", opens="enter", answer=(*typed("ask maria"), "enter"), done="✓ # Z-"),
    "link": Scene("ready", opens="pr", answer=(*typed("128"), "enter"), done="✓ & |linked"),
    "delegate": Scene("ready", opens="title", answer=(*typed("A part of it"), "enter"), done="delegated|child|waits"),
    "skip": Scene("turn", opens="enter", answer=YES, done="passed on"),
    "promote": Scene("backlog", done="offered"),
    "shelve": Scene("ready", opens="backlog", answer=YES, done="in the backlog"),
    "pause": Scene("ready", opens="Pause project", answer=YES, done="paused"),
    "drain": Scene(first=("3",), done="drain"),
    "undo": Scene("ready", first=("+",), done="back|undone|60 → 50"),
    "undo-list": Scene("ready", first=("+",), opens="reprioritize", answer=("escape",)),
    "show-detail": Scene("held", done="5 Task"),
    "filter": Scene(opens="match", answer=(*typed("state:failed is:"), "tab", "escape")),
    "sort": Scene(opens="Sort by usual", answer=("j", "j", "space", "j", "j", "space"),
                  done="Sort by prio ▼, then title ▴"),
    "mark": Scene("ready", done="1 marked"),
    "mark-down": Scene("ready", done="[12] marked"),
    "mark-up": Scene("ready", done="[12] marked"),
    "mark-all": Scene("ready", done="1 marked"),
    "mark-range": Scene("ready", done="1 marked"),
    "unmark": Scene("ready", first=("space",)),
    "problem": Scene(done=r"▲ \d+/\d+|nothing needs you"),
    "actions": Scene("held", opens="override", answer=("escape",)),
    "why": Scene("held", done="you cannot claim it now|why"),
    "copy": Scene("ready", done="clipboard"),
    "copy-as": Scene("ready", opens="curl", answer=("escape",)),
    "machinery": Scene(opens="webhooks", answer=("escape",)),
    "freeze": Scene(done="FROZEN"),
    "past": Scene(done="PAST"),
    "earlier": Scene(done="PAST"),
    "later": Scene(done="this is now"),
    "minute-earlier": Scene(done="PAST|log begins"),
    "minute-later": Scene(done="this is now"),
    "saved-views": Scene(opens="stuck", answer=("escape",)),
    "projects": Scene(opens="PROJECT", answer=("escape",)),
    "metrics": Scene(opens="throughput", answer=("escape",)),
    "resync": Scene(done="loading everything anew"),
    "help": Scene(opens="override", answer=("escape",)),
    "palette": Scene(opens="type what you want", answer=(*typed("theme"), "escape")),
    "command": Scene(opens="enter does it", answer=(*typed("rep"), "tab", "escape")),
    "pane-4": Scene(done="▌4 Events|4 Events"),
    "pane-5": Scene(done="5 Task"),
    "next-section": Scene("held", first=("enter",)),
    "previous-section": Scene("held", first=("enter",)),
}  # fmt: skip
"""Actions that are not named here are pressed on a task to which they apply, and left again."""
ASKS = {"prio 70": "70", "at 1m": "PAST|log begins", "state failed": "state:failed", "filter is:stuck": "is:stuck",
        "theme deck-day": "▚ taskdeck", "theme deck-night": "▚ taskdeck", "problems": "esc closes|nothing needs",
        "results": "esc closes|no act|nothing", "nonsense": "no command", "live": "▚ taskdeck",
        "demo": "A throw-away deck", "connect": "Look at another deck", "connect home": "it was opened on",
        "export /nowhere/x": "there is no folder", "screenshot /nowhere/x": "there is no folder",
        "log": "esc closes|log", "sort prio title": "(title|TITLE) *▴", "sort usual": "▚ taskdeck"}  # fmt: skip
"""Commands with their words, and what is to be read then."""
