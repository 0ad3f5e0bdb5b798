"""The filter language as SQL, over tasks `t` joined with their bodies `b`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any as Anything

from taskdeck.domain.query import OPEN, All, Any, Node, Not, Term, states_of
from taskdeck.domain.query_values import Range

Clause = tuple[str, list[Anything]]

_TEXT = {"key": "t.key", "holder": "t.worker", "by": "b.created_by", "title": "b.title",
         "error": "json_extract(b.error, '$.message')"}  # fmt: skip
_OF_BUCKET = {"project": "k.project", "assignee": "k.assignee"}
_IN_LISTS = {"label": "k.labels", "cap": "k.capabilities"}
_VALUES = {
    "prio": "t.priority", "attempt": "t.attempt", "number": "t.number", "created": "t.created_at", "due": "t.due",
    "age": "(:now - t.created_at)", "wait": "CASE WHEN t.state = 'ready' THEN :now - t.ready_at END",
    "lease": "CASE WHEN t.state = 'claimed' THEN t.expires_at - :now END",
    "heartbeat": "CASE WHEN t.state = 'claimed' THEN :now - t.heartbeat_at END",
}  # fmt: skip
_ASKS, _ERRORED, _LAPSED = "t.work_state = 'waiting_input'", "t.work_state = 'errored'", "t.lapsed = 1"
_FLAGS = {"asks": _ASKS, "errored": _ERRORED, "lapsed": _LAPSED, "stuck": f"({_LAPSED} OR {_ASKS} OR {_ERRORED})"}
_GIVEN = {
    "due": "t.due IS NOT NULL", "error": "b.error IS NOT NULL", "result": "b.result IS NOT NULL",
    "assignee": "k.assignee IS NOT NULL", "label": "k.labels != '[]'", "cap": "k.capabilities != '[]'",
}  # fmt: skip
_DOCUMENTS = {"payload": "b.payload", "meta": "b.metadata"}


@dataclass(frozen=True, slots=True)
class Query:
    """A filter, when it is asked and by whom."""

    node: All
    now_ms: int
    me: str

    def where(self) -> tuple[list[str], list[Anything]]:
        """Clauses that all must hold, and their values in order; those that lead to an index stand by themselves."""
        clauses, values = [], []
        possible = states_of(self.node)
        if len(possible) < len(_ALL_STATES):
            named = [f"t.state = '{state}'" for state in sorted(possible)]
            clauses.append(f"({' OR '.join(named)})" if named else "0")
        for part in self.node.parts:
            clause, more = self._clause(part)
            clauses.append(clause)
            values += more
        return clauses, values

    def names_keys(self) -> bool:
        """Whether it asks for tasks by their keys, of which an index has each."""
        return any(isinstance(part, Term) and part.field == "key" and _are_keys(part) for part in self.node.parts)

    def _clause(self, node: Node) -> Clause:
        match node:
            case All(parts) | Any(parts):
                found = [self._clause(part) for part in parts]
                word = " AND " if isinstance(node, All) else " OR "
                return f"({word.join(sql for sql, _ in found)})", [value for _, values in found for value in values]
            case Not(part):
                sql, values = self._clause(part)
                return f"NOT ({sql} IS TRUE)", values
            case Term():
                return self._term(node)

    def _term(self, term: Term) -> Clause:
        field = term.field
        if field == "state":
            # literals of our own, so that SQLite can tell that a partial index serves
            return f"t.state IN ({', '.join(repr(name) for name in term.patterns)})", []
        if field == "word":
            return _word(term.patterns[0])
        if field == "is":
            return _or([self._flag(flag) for flag in term.patterns])
        if field == "has":
            return _or([(_bucket(_GIVEN[f]) if "k." in _GIVEN[f] else _GIVEN[f], []) for f in term.patterns])
        if field in _DOCUMENTS:
            return _document(_DOCUMENTS[field], term)
        if field in _VALUES:
            return _or([self._range(_VALUES[field], each) for each in term.ranges])
        if field == "key" and _are_keys(term):
            forms = sorted({form for pattern in term.patterns for form in (pattern, pattern.upper())})
            return f"t.key IN ({', '.join('?' * len(forms))})", list(forms)
        inside = field in ("title", "error")
        if field in _TEXT:
            return _or([_like(_TEXT[field], pattern, inside=inside) for pattern in term.patterns])
        if field in _OF_BUCKET:
            found = _or([_like(_OF_BUCKET[field], pattern) for pattern in term.patterns])
        else:
            found = _or([_like("m.value", pattern) for pattern in term.patterns])
            listed = f"SELECT 1 FROM json_each({_IN_LISTS[field]}) m"  # noqa: S608  (our own texts)
            found = (f"EXISTS ({listed} WHERE {found[0]})", found[1])
        return _bucket(found[0]), found[1]

    def _flag(self, flag: str) -> Clause:
        if flag == "open":
            return f"t.state IN ({', '.join(repr(name) for name in OPEN)})", []
        if flag == "mine":
            return f"(t.worker = ? OR t.principal = ? OR {_bucket('k.assignee = ?')})", [self.me] * 3
        return _FLAGS[flag], []

    def _range(self, value: str, each: Range) -> Clause:
        value = f"({value} - :now)" if each.relative else value
        value = value.replace(":now", str(self.now_ms))
        parts, values = [], []
        for bound, sign, is_open in ((each.low, ">", each.low_open), (each.high, "<", each.high_open)):
            if bound is not None:
                parts.append(f"{value} {sign}{'' if is_open else '='} ?")
                values.append(bound)
        return f"({' AND '.join(parts)})", values


_ALL_STATES = states_of(All(()))


def _are_keys(term: Term) -> bool:
    """Whether small and capital letters cannot be mixed in keys like these: each is a prefix and a number."""
    return all(
        pattern.isascii() and pattern.rstrip("0123456789").isalpha() and pattern[-1:].isdigit() and len(pattern) <= 20
        for pattern in term.patterns
    )


def _or(found: Sequence[Clause]) -> Clause:
    return f"({' OR '.join(sql for sql, _ in found)})", [value for _, values in found for value in values]


def _bucket(sql: str) -> str:
    return f"t.bucket IN (SELECT k.number FROM buckets k WHERE {sql})"  # noqa: S608  (our own texts)


def _like(column: str, pattern: str, *, inside: bool = False) -> Clause:
    if "*" not in pattern:
        return (f"instr(lower({column}), ?)" if inside else f"lower({column}) = ?"), [pattern]
    escaped = pattern.replace("[", "[[]").replace("?", "[?]")
    return f"lower({column}) GLOB ?", [escaped]


def _word(word: str) -> Clause:
    columns = ("b.title", "t.key", "b.description", "t.worker")
    sql = " OR ".join(f"instr(lower({column}), ?)" for column in columns)
    labels = _bucket("EXISTS (SELECT 1 FROM json_each(k.labels) m WHERE instr(lower(m.value), ?))")
    return f"({sql} OR {labels})", [word] * (len(columns) + 1)


def _document(column: str, term: Term) -> Clause:
    path = "$" + "".join(f'."{name}"' for name in term.path)
    if term.ranges:
        number = f"CASE WHEN json_type({column}, ?) IN ('integer', 'real') THEN json_extract({column}, ?) END"
        clauses = []
        for each in term.ranges:
            for bound, sign, is_open in ((each.low, ">", each.low_open), (each.high, "<", each.high_open)):
                if bound is not None:
                    clauses.append((f"{number} {sign}{'' if is_open else '='} ?", [path, path, bound]))
        return _or(clauses)
    text = (
        f"CASE json_type({column}, ?) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' WHEN 'object' THEN NULL"
        f" WHEN 'array' THEN NULL ELSE CAST(json_extract({column}, ?) AS TEXT) END"
    )
    found = [_like(text, pattern) for pattern in term.patterns]
    return _or([(sql, [path, path, *values]) for sql, values in found])
