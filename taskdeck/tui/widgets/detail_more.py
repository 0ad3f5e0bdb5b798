"""What stands beside a task or was shown for it, as lines of its detail; and how any text becomes lines. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.cells import cell_len, chop_cells

from taskdeck.domain.clock import from_rfc3339
from taskdeck.domain.text import visible
from taskdeck.tui.format import clip, fit, moment
from taskdeck.tui.keymap import key
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.paint import Span, Spans
from taskdeck.tui.themes import STATE_GLYPHS

_JSON_LINES = 200
_LINE_LIMIT = 4_000
_COMMENT_LINES = 12


@dataclass
class More:
    """What the API keeps beside a task, as it gives it; empty where there is none, or where it was not read."""

    comments: Sequence[Mapping[str, Any]] = ()
    more_comments: bool = False
    links: Sequence[Mapping[str, Any]] = ()
    attachments: Sequence[Mapping[str, Any]] = ()
    context: Mapping[str, Any] | None = None
    gates: Sequence[Mapping[str, Any]] = field(default=())
    assignments: Sequence[Mapping[str, Any]] = field(default=())
    chain: Mapping[str, Any] | None = None


def question(row: TaskRow, width: int) -> list[Spans]:
    """What its holder asks."""
    asked = row.lease.question if row.lease and row.lease.state == "waiting_input" else None
    if asked is None:
        return []
    out = section("question", width)
    out += [((text, "strong bold"),) for text in wrap(asked.text, width, 12)]
    out += [((f"  {at}  ", "accent bold"), (clip(text, width - 5), "text")) for at, text in enumerate(asked.options, 1)]
    if asked.answered:
        return [*out, (("✓ answered; the holder gets it with its next sign of life", "done"),)]
    return [*out, ((key("answer"), "accent bold"), (" answers", "muted"))]


def standing(full: Mapping[str, Any], width: int) -> list[Spans]:
    """What the last holder left, who finished it, and what its review came to."""
    out: list[Spans] = []
    if left := full.get("handoff"):
        out += section("handoff", width)
        out += [((text, "text"),) for text in wrap(str(left.get("note") or ""), width, 12)]
        done = f", {left['progress']} %" if left.get("progress") is not None else ""
        out.append(((clip(f"left by {left.get('worker')}{done}, attempt {left.get('attempt')}", width), "muted"),))
    by, verdict = full.get("completed_by"), full.get("verdict")
    if by or verdict:
        out += section("review", width)
    if by:
        wrote = f" (written by {by['by']})" if by.get("by") not in (None, by.get("principal")) else ""
        out.append((("done by ", "muted"), (clip(f"{by.get('worker')}{wrote}", width - 8), "text")))
    if verdict:
        look = "done bold" if verdict.get("verdict") == "approved" else "failed bold"
        out.append(((f"{verdict.get('verdict')} ", look), (clip(f"by {verdict.get('by')}", width - 10), "muted")))
        out += [((text, "text"),) for text in wrap(str(verdict.get("note") or ""), width, 12) if text]
    return out


def gates(found: Sequence[Mapping[str, Any]], proof: Mapping[str, Any] | None, width: int) -> list[Spans]:
    """What must be shown before what, and what was shown in the last attempt."""
    if not found and not proof:
        return []
    return [*section("gates", width), *gate_lines(found, width), *proof_lines(proof, width)]


def gate_lines(found: Sequence[Mapping[str, Any]], width: int) -> list[Spans]:
    """What each gate wants, in words."""
    lines: list[Spans] = []
    for gate in found:
        if gate.get("hook"):
            what = f"the hook {gate['hook']}, run well within {gate['timeout_seconds']:g} s"
        else:
            what = f"{gate['least']} of {', '.join(gate['evidence'])}"
        sure = "" if gate.get("blocking", True) else "  (asked for, not needed)"
        lines.append((("⊢ ", "accent bold"), (clip(f"before {gate['before']}: {what}{sure}", width - 2), "text")))
    return lines


def proof_lines(proof: Mapping[str, Any] | None, width: int) -> list[Spans]:
    """What was shown in the last attempt."""
    lines: list[Spans] = []
    for verb, shown in (proof or {}).items():
        for name, ran in (shown.get("hooks") or {}).items():
            code = ran.get("exit_code")
            sign, look = ("✓ ", "done") if code == 0 else ("✗ ", "failed bold")
            lines.append(((sign, look), (clip(f"{verb}: hook {name} ended with {code}", width - 2), "text")))
        for piece in shown.get("evidence") or ():
            told = " · ".join(str(piece[part]) for part in ("kind", "ref", "summary") if piece.get(part))
            lines.append((("✓ ", "done"), (clip(f"{verb}: {told}", width - 2), "text")))
    return lines


def comments(more: More, width: int) -> list[Spans]:
    """What was said about it, oldest first."""
    if not more.comments:
        return []
    out = section("comments", width)
    for each in more.comments:
        by = f"{each['author']} ({each['byline']})" if each.get("byline") else str(each["author"])
        edited = "  edited" if each.get("edited_at") else ""
        when = moment(from_rfc3339(each["created_at"]) // 1000)
        out.append(((clip(by, 30), "key"), (f"  {when}{edited}", "faint")))
        out += [(("  ", "text"), (text, "text")) for text in wrap(str(each["text"]), max(4, width - 2), _COMMENT_LINES)]
    if more.more_comments:
        out.append((("  … and later ones: taskdeck comments", "faint"),))
    return out


def links(more: More, width: int) -> list[Spans]:
    """What outside of the deck it names, and what is attached to it."""
    if not more.links and not more.attachments:
        return []
    out = section("links", width)
    for each in more.links:
        place = f"{each['repository']} " if each.get("repository") else ""
        told = f"{place}{each['target']}" + (f"  {each['url']}" if each.get("url") else "")
        out.append(((fit(str(each["kind"]), 8), "muted"), (clip(told, width - 8), "key")))
    for each in more.attachments:
        what = each.get("reference") or each.get("content_type") or ("text" if each.get("text") else "value")
        size = f", {each['size']} bytes" if each.get("size") else ""
        out.append(((fit("attached", 9), "muted"), (clip(f"{each['name']}  {what}{size}", width - 9), "text")))
    return out


def chain(found: Mapping[str, Any] | None, key: str, width: int) -> list[Spans]:
    """The chain it belongs to, by depth."""
    if found is None:
        return []
    out = section("chain", width)
    out.append(((f"{found['done']} of {found['total']} done", "text bold"),))
    for each in found["tasks"]:
        glyph, indent = STATE_GLYPHS.get(each["state"], "?"), "  " * min(6, each.get("depth") or 0)
        look = "strong bold" if each["key"] == key else "text"
        head: list[Span] = [(indent, "text"), (f"{glyph} ", each["state"]), (f"{each['key']} ", "key")]
        out.append((*head, (clip(str(each["title"]), max(4, width - len(indent) - len(each["key"]) - 3)), look)))
    if found.get("next_after"):
        out.append((("  … and more: taskdeck chain", "faint"),))
    return out


def turns(found: Sequence[Mapping[str, Any]], width: int) -> list[Spans]:
    """To whom it was offered, and what became of that."""
    if not found:
        return []
    out = section("turns", width)
    for each in found[-30:]:
        whom = each.get("assignee") or each.get("worker") or ""
        why = f" · {each['reason']}" if each.get("reason") else ""
        when = moment(from_rfc3339(each["at"]) // 1000)[11:]
        out.append(
            ((f"{when}  ", "faint"), (fit(str(each["act"]), 11), "text"), (clip(f"{whom}{why}", width - 21), "muted"))
        )
    return out


def context(found: Mapping[str, Any] | None, width: int) -> list[Spans]:
    """What is known about it, and who stands behind each part."""
    if not found:
        return []
    out = section("context", width)
    for name, value in found["context"].items():
        by = (found.get("provenance") or {}).get(name) or {}
        said = f"  {by.get('source')} by {by.get('author')}" if by else ""
        gone = "  retracted" if by.get("retracted") else ""
        out.append(((clip(str(name), 24), "key"), (clip(f"{said}{gone}", max(4, width - 25)), "faint")))
        out += [(("  ", "text"), *line) for line in json_lines(value, max(4, width - 2))][:20]
    return out


def section(name: str, width: int) -> list[Spans]:
    """The head of a part."""
    return [(), ((f"{name} ", "accent bold"), ("─" * max(0, width - len(name) - 1), "rule"))]


def wrap(text: str, width: int, most: int) -> list[str]:
    """`text` harmless and broken into lines of `width` cells, `most` of them at most."""
    found: list[str] = []
    for paragraph in visible(text[:_LINE_LIMIT], keep_newlines=True).split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if cell_len(longer) <= width:
                line = longer
                continue
            if line:
                found.append(line)
            *broken, line = chop_cells(word, max(2, width)) or [""]
            found += broken
        found.append(line)
        if len(found) > most:
            return [*found[: most - 1], "…"]
    return found


def json_lines(value: object, width: int) -> Iterable[Spans]:
    """A document, indented, its names coloured."""
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    found: list[Spans] = []
    for line in text[: _LINE_LIMIT * 4].split("\n")[:_JSON_LINES]:
        name, colon, rest = line.partition('": ')
        shown = clip(visible(line), width)
        head = visible(name + '":')
        if colon and shown.startswith(head):
            found.append(((head, "key"), (shown[len(head) :], "done" if rest.lstrip().startswith('"') else "claimed")))
        else:
            found.append(((shown, "text"),))
    return found
