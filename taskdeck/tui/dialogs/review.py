"""Looking at what was done: the forms of approving and sending back, and what gates want to be shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from taskdeck.domain.gates import EvidenceKind
from taskdeck.tui.dialogs.base import Choice, Form, Text, Values
from taskdeck.tui.dialogs.forms import number, reason, subject, typed_number
from taskdeck.tui.format import clip
from taskdeck.tui.keymap import key
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.paint import Spans
from taskdeck.tui.widgets.detail_more import gate_lines, proof_lines

SHOW_HINT = "commit:4f2a91c ci_check:881 hook_name=0 …"
VERDICTS = {"approved": "approved", "changes_requested": "needs changes", "rejected": "rejected"}
_RESULT_LINES = 8
_WIDTH = 68


def shown_of(text: str) -> dict[str, Any]:
    """What is shown, from `KIND:REF` for evidence and `HOOK=EXITCODE` for hooks, with spaces between.

    Raises:
        ValueError: a part is neither; the text says which.
    """
    evidence: list[dict[str, str]] = []
    hooks: dict[str, dict[str, Any]] = {}
    for part in text.split():
        kind, colon, ref = part.partition(":")
        hook, equals, code = part.partition("=")
        if colon and kind in list(EvidenceKind) and ref:
            evidence.append({"kind": kind, "ref": ref})
        elif equals and hook and code.lstrip("-").isdigit():
            hooks[hook] = {"exit_code": int(code), "output": "stated by the operator", "duration_ms": 0}
        else:
            raise ValueError(f"“{clip(part, 30)}” is neither KIND:REF nor HOOK=EXITCODE")
    return {name: value for name, value in (("evidence", evidence), ("hooks", hooks)) if value}


def showing(gates: Sequence[Mapping[str, Any]]) -> tuple[Text, ...]:
    """The field to show something in, if there are gates."""
    return (Text("shown", "show", hint=SHOW_HINT, limit=2_000),) if gates else ()


def check_shown(values: Values) -> str | None:
    """What is wrong with what was typed to be shown."""
    try:
        shown_of(values.get("shown", ""))
    except ValueError as error:
        return str(error)
    return None


def complete(row: TaskRow, gates: Sequence[Mapping[str, Any]]) -> Form:
    """That it is done, with what result. One with a form is done with what was filled in."""
    effects: list[Spans] = [
        (("  1  ", "accent bold"), ("the task is done, or waits for its review", "text")),
        (("  2  ", "accent bold"), ("what depends on it goes on once it counts", "text")),
    ]
    if row.form:
        effects.append((("  3  ", "accent bold"), ("the result is what was filled into its form (I)", "text")))
    result = () if row.form else (Text("reason", "result", hint="optional", limit=2_000),)

    def check(values: Values) -> str | None:
        return check_shown(values) if values["sure"] == "yes" else None

    return Form(
        title="✓ Complete", prose=lambda: [*subject([row]), (), *effects, *gate_lines(gates, _WIDTH)],
        fields=(Choice("sure", "", (("no", "leave it"), ("yes", "complete"))), *showing(gates), *result),
        act="choose", check=check, focus="sure",
    )  # fmt: skip


def approve(rows: Sequence[TaskRow], full: Mapping[str, Any] | None, gates: Sequence[Mapping[str, Any]]) -> Form:
    """What was done, what it rests on, and whether it counts. The keys start on the safe choice."""

    def prose() -> list[Spans]:
        return [*subject(rows), *_done(full), *(((),) if gates else ()), *gate_lines(gates, _WIDTH)]

    def check(values: Values) -> str | None:
        return (check_shown(values) or typed_number(values, rows)) if values["sure"] == "yes" else None

    return Form(
        title="✓ Approve", prose=prose,
        fields=(
            Choice("sure", "", (("no", "leave it"), ("yes", "approve"))), *showing(gates), *number(rows),
            Text("reason", "note", hint="optional", limit=2_000),
        ),
        act="choose", check=check, focus="sure", note=f"cannot be undone; {key('retry')} opens it again",
    )  # fmt: skip


def reject(rows: Sequence[TaskRow], full: Mapping[str, Any] | None) -> Form:
    """What is wrong, and to whom it goes."""
    by = (full or {}).get("completed_by") or {}
    to = [("queue", "the queue")]
    to.append(("worker", f"back to {clip(by['worker'], 20)}" if by.get("worker") else "who did it"))
    return reason(
        rows, title="↩ Send back", effects=["the note stands on the task for whoever mends it"], act="send back",
        needed=True, label="what is wrong", before=_done(full), extra=(Choice("to", "to", to),),
    )  # fmt: skip


def judge(rows: Sequence[TaskRow], full: Mapping[str, Any] | None, given: str = "") -> Form:
    """What the review comes to, which who completed it then heeds. The keys start where nothing is said.

    `given`: a verdict that is named already, and perhaps a note behind it.
    """
    verdict, _, note = given.partition(" ")
    verdict, note = (verdict, note.strip()) if verdict in VERDICTS else ("", given)
    known = (full or {}).get("verdict") or {}
    by = (full or {}).get("completed_by") or {}
    whom = clip(str(by["worker"]), 24) if by.get("worker") else "who did it"
    effects = (
        f"it stays in review until {whom} heeds it",
        "approved: it is done then · else: theirs again, under a new fence",
        f"no time approves it any more; {key('approve')} and {key('reject')} still end the review",
    )

    def prose() -> list[Spans]:
        said: list[Spans] = []
        if known:
            word = VERDICTS.get(str(known.get("verdict")), str(known.get("verdict")))
            note = f": {known['note']}" if known.get("note") else ""
            told = f"{known.get('by')} said {word}{note}"
            said = [(), ((clip(told, _WIDTH), "accent"),), (("a new verdict takes its place", "muted"),)]
        numbered = [((f"  {at}  ", "accent bold"), (text, "text")) for at, text in enumerate(effects, 1)]
        return [*subject(rows), *_done(full), *said, (), *numbered]

    def check(values: Values) -> str | None:
        if not values["verdict"]:
            return None
        if values["verdict"] != "approved" and not values["note"]:
            return "say what is wrong: who did it reads the note"
        return typed_number(values, rows)

    return Form(
        title="◎ Judge", prose=prose,
        fields=(
            Choice("verdict", "", (("", "leave it"), *VERDICTS.items()), verdict), *number(rows),
            Text("note", "note", note, "what is good or wrong", 2_000),
        ),
        act="choose", check=check, focus="verdict", note="a later verdict replaces it",
    )  # fmt: skip


def _done(full: Mapping[str, Any] | None) -> list[Spans]:
    """Who finished it, with what result, and what was shown for it."""
    if full is None:
        return []
    by = full.get("completed_by") or {}
    lines: list[Spans] = [()]
    if by:
        lines.append((("done by ", "muted"), (clip(str(by.get("worker")), 30), "strong bold")))
    if full.get("result") is not None:
        text = full["result"] if isinstance(full["result"], str) else json.dumps(full["result"], ensure_ascii=False)
        chunks = [text[at : at + 66] for at in range(0, min(len(text), 66 * _RESULT_LINES), 66)]
        lines += [(("result  " if at == 0 else "        ", "muted"), (clip(chunk, 66), "text"))
                  for at, chunk in enumerate(chunks)]  # fmt: skip
    else:
        lines.append((("no result was left", "muted"),))
    return lines + proof_lines(full.get("proof"), _WIDTH)
