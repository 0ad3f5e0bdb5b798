"""The dialog of a claim for a time of one's own: from whom it is taken, what begins, and when it ends."""

from __future__ import annotations

from taskdeck.domain.task import MAX_LEASE_S, MIN_LEASE_S
from taskdeck.tui.dialogs.base import Choice, Form, Text, Values
from taskdeck.tui.dialogs.forms import subject
from taskdeck.tui.format import clip, clock, moment, span
from taskdeck.tui.keymap import key
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.moment import seconds_of
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.paint import Spans

_NO_END = "none"
_OFFERED = (900, 3_600, 28_800)
_LONG_S = 43_200
"""From here on a lease is told to end at a date too."""


def claiming(row: TaskRow, model: DeckModel, given: str = "") -> Form:
    """The form for claiming `row` for a chosen time; `given`: one that is named already. `lease_of` reads its values.

    A lease without end is offered only where the deck grants one: of a task with a form, and to a person.
    """
    usual = (model.projects.get(row.project) or {}).get("lease_seconds")
    options = [("", f"{span(usual)}, as usual" if usual else "as usual")]
    options += [(str(seconds), span(seconds)) for seconds in _OFFERED if seconds != usual]
    own = model.workers.get(model.me)
    if row.form or (own is not None and own.kind == "human"):
        options.append((_NO_END, "no end"))
    wanted: list[Values] = [{"pick": "", "lease": given}]

    def follow(values: Values) -> None:
        wanted[0] = values

    return Form(
        title="→ Claim for a time", prose=lambda: [*subject([row]), (), *_effects(row, model, wanted[0], usual)],
        fields=(
            Choice("pick", "lease", options),
            Text("lease", "or", given, f"{MIN_LEASE_S}s to {MAX_LEASE_S // 3600}h, such as 90s, 20m or 2h", 20),
        ),
        act="claim it", check=_check, follow=follow, note=f"{key('release')} gives it back",
        focus="lease" if given else "pick",
    )  # fmt: skip


def lease_of(values: Values) -> dict[str, int | None]:
    """What a claim is told of its lease: `lease_seconds`, None for no end; nothing for the usual length.

    Raises:
        ValueError: what was typed is no span of time, or none that a lease may have.
    """
    typed = values["lease"]
    if not typed:
        pick = values["pick"]
        return {"lease_seconds": None if pick == _NO_END else int(pick)} if pick else {}
    seconds = seconds_of(typed)
    if not MIN_LEASE_S <= seconds <= MAX_LEASE_S:
        raise ValueError(f"a lease is from {MIN_LEASE_S}s to {MAX_LEASE_S // 3600}h long")
    return {"lease_seconds": seconds}


def _check(values: Values) -> str | None:
    try:
        lease_of(values)
    except ValueError as error:
        return str(error)
    return None


def _effects(row: TaskRow, model: DeckModel, values: Values, usual: float | None) -> list[Spans]:
    lease = row.lease
    effects = [f"you, {clip(model.me, 24)}, hold it; attempt {row.attempt + 1} of {row.max_attempts} begins"]
    if lease is not None:
        effects.append(f"{clip(lease.worker, 24)} has let it lapse; a write by it with fence {lease.fence} gets 409")
    effects += [
        _ending(values, usual, model.now_ms()),
        "one task.claimed event holds who, from when and until when",
    ]
    return [((f"  {at}  ", "accent bold"), (told, "text")) for at, told in enumerate(effects, 1)]


def _ending(values: Values, usual: float | None, now_ms: int) -> str:
    try:
        asked = lease_of(values)
    except ValueError:
        return "how long the lease is, is yet to be said"
    length = asked.get("lease_seconds", usual)
    if length is None:
        return (
            "it has no end: you give it back, or an override takes it"
            if asked
            else "it lapses when the usual lease of its project is over"
        )
    ends = now_ms // 1000 + int(length)
    when = clock(ends) if length < _LONG_S else moment(ends)
    return f"it lapses at {when}; then anyone may claim it"
