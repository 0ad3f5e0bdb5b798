"""Each verb's rule in words: who may do it, what must be shown, and what it does. With the state table, all of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from taskdeck.domain.principal import Role
from taskdeck.domain.states import Verb


class Who(StrEnum):
    """Who may do a verb, beside being let into the task's project."""

    AGENT = "an agent"
    HOLDER = "the holder, under its fence; an operator under it too"
    FINISHER = "the holder, under its fence; an operator, under it or for what nobody has begun"
    DELEGATOR = "the holder, under its fence; an operator"
    COMPLETER = "who completed it; an operator"
    TURN = "the assignee, the holder, the creator; an operator"
    EDITOR = "an operator; the holder, under its fence, the description and metadata"
    CANCELLER = "the holder, under its fence; an operator; who made it, if it is for people"
    ASSIGNER = "an operator; if it is for people, who made it and who it is offered to"
    STEWARD = "an operator; a steward of it"
    OPERATOR = "an operator"
    DECK = "the deck"
    """Nobody may ask for it: time or another task does it."""

    @property
    def role(self) -> Role:
        """The least role that reaches the verb's route."""
        return Role.OPERATOR if self is Who.OPERATOR else Role.AGENT


@dataclass(frozen=True, slots=True)
class Rule:
    """What a verb asks for and does. `gated`: gates may stand before it."""

    who: Who
    effect: str
    gated: bool = False


RULES: dict[Verb, Rule] = {
    Verb.CREATE: Rule(Who.AGENT, "a new task"),
    Verb.EDIT: Rule(Who.EDITOR, "changes what it says or asks for; a fence renews the lease"),
    Verb.PROMOTE: Rule(Who.OPERATOR, "offers it"),
    Verb.SHELVE: Rule(Who.OPERATOR, "offers it to nobody"),
    Verb.CLAIM: Rule(Who.AGENT, "a new fence, a lease, an attempt; a claimed one only if its lease lapsed", gated=True),
    Verb.HEARTBEAT: Rule(Who.HOLDER, "renews the lease, notes what is reported"),
    Verb.ANSWER: Rule(Who.OPERATOR, "tells its holder what it asked for; the lease is not renewed"),
    Verb.FILL: Rule(Who.FINISHER, "fills in fields of its form or of its result; renews the lease"),
    Verb.LOG: Rule(Who.HOLDER, "adds entries to its log; the lease is not renewed"),
    Verb.RELEASE: Rule(Who.HOLDER, "ends the claim, the attempt unspent"),
    Verb.COMPLETE: Rule(
        Who.FINISHER,
        "ends the claim, keeps the result, lets go on what waited; a failed one only if its last lease lapsed",
        gated=True,
    ),
    Verb.APPROVE: Rule(
        Who.OPERATOR, "accepts it, lets go on what waited; not who completed it, with four eyes", gated=True
    ),
    Verb.REJECT: Rule(Who.OPERATOR, "sends it back to the queue, or to its worker under a new fence"),
    Verb.JUDGE: Rule(Who.OPERATOR, "says what the review comes to; it stays there until that is heeded"),
    Verb.HEED: Rule(Who.COMPLETER, "done if it was approved, else its worker's again under a new fence", gated=True),
    Verb.FAIL: Rule(Who.HOLDER, "ends the claim, the attempt spent; after a rest it is tried again"),
    Verb.RETRY: Rule(Who.STEWARD, "puts it back to work"),
    Verb.CANCEL: Rule(Who.CANCELLER, "ends it; its children too, if asked"),
    Verb.ASSIGN: Rule(Who.ASSIGNER, "says who alone may claim it, or who in turn"),
    Verb.DELEGATE: Rule(Who.DELEGATOR, "a child, which it waits for"),
    Verb.SKIP: Rule(Who.TURN, "on to the next assignee; a live claim is taken back"),
    Verb.OVERRIDE: Rule(Who.OPERATOR, "passes the claim on, takes it back, or names another assignee"),
    Verb.REPRIORITIZE: Rule(Who.OPERATOR, "sets the priority"),
    Verb.DELETE: Rule(Who.STEWARD, "removes it, if nothing depends on it or was made from it, or lets go of that"),
    Verb.LAPSE: Rule(Who.DECK, "its lease ended; the attempt is spent"),
    Verb.DUE: Rule(Who.DECK, "its time has come"),
    Verb.UNBLOCK: Rule(Who.DECK, "what it waited for is done"),
    Verb.FINISH: Rule(Who.DECK, "a goal's last child is done"),
    Verb.OVERDUE: Rule(Who.DECK, "its due date has passed; told once for each date"),
    Verb.PASS: Rule(Who.DECK, "its assignee's time is over; on to the next"),
}
