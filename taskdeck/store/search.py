"""Searching what is said: in titles and descriptions, in comments, in contexts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from taskdeck.domain.comment import Comment
from taskdeck.domain.context import Entry, Source
from taskdeck.domain.errors import Invalid, Unsupported
from taskdeck.domain.states import State
from taskdeck.store import comments, contexts, words
from taskdeck.store.filters import TaskFilter, conditions
from taskdeck.store.reader import Reader

Part = Literal["task", "comment", "context"]
PARTS: tuple[Part, ...] = ("task", "comment", "context")

WINDOW = 200
"""How many of the newest finds of each part are weighed against each other; older ones are not looked at."""
LEAST_PREFIX = 3
"""Letters of a word that stands for all words beginning with it: fewer would name too many."""
_STATED_WEIGHT = 1.5
"""What a human said counts for more."""

_WORDS: dict[Part, str] = {"task": "task_words", "comment": "comment_words", "context": "context_words"}
# title and description, a key and its value: what is found in the first counts for more
_WEIGHED: dict[Part, str] = {
    "task": "bm25(task_words, 4.0, 1.0)",
    "comment": "bm25(comment_words)",
    "context": "bm25(context_words, 2.0, 1.0)",
}
_FROM: dict[Part, str] = {
    "task": "task_words w CROSS JOIN tasks t ON t.number = w.rowid",
    "comment": "comment_words w CROSS JOIN comments c ON c.number = w.rowid CROSS JOIN tasks t ON t.number = c.task",
    "context": "context_words w CROSS JOIN context_entries c ON c.number = w.rowid"
    " CROSS JOIN tasks t ON t.number = c.task",
}
_STANDS = "NOT EXISTS (SELECT 1 FROM context_entries n WHERE n.task = c.task AND n.key = c.key AND n.number > c.number)"


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: every word of `text`, in `parts`, of tasks in `project` (None for all of `projects`).

    With `any_word` one of them is enough; where more stand together comes first. `concerning` as in `TaskFilter`.
    With `superseded`, also in what contexts said once and say no more; `key` and `source` narrow what they say.
    """

    text: str
    parts: tuple[Part, ...] = PARTS
    project: str | None = None
    projects: frozenset[str] | None = None
    superseded: bool = False
    key: str | None = None
    source: Source | None = None
    any_word: bool = False
    concerning: tuple[str, frozenset[str]] | None = None


@dataclass(frozen=True, slots=True)
class Find:
    """Where the words stand: in a task's own text, or in its `comment` or `entry`. A higher `score` is better."""

    part: Part
    score: float
    excerpt: str
    number: int
    id: str
    key: str
    project: str
    state: State
    title: str
    comment: Comment | None = None
    entry: Entry | None = None


def match_of(text: str, *, any_word: bool = False) -> str:
    """The words of `text` in the language of the index, each quoted, so that none of it is taken for a command.

    With `any_word` one of them is enough. A word that ends with `*` stands for all that begin with it.

    Raises:
        Invalid: there is no word in it, or a beginning that is too short.
    """
    terms = []
    for word in dict.fromkeys(text.replace("\0", " ").split()):
        stem = word.rstrip("*")
        letters = sum(char.isalnum() for char in stem)
        if not letters:
            continue
        beginning = stem != word
        if beginning and letters < LEAST_PREFIX:
            raise Invalid(
                f"{word[:20]!r} stands for too many words",
                hint=f"Give at least {LEAST_PREFIX} letters before the star.",
                field="q",
            )
        quoted = stem.replace('"', '""')
        terms.append(f'"{quoted}" *' if beginning else f'"{quoted}"')
    if not terms:
        raise Invalid("there is no word to look for", hint="A word has letters or digits.", field="q")
    return (" OR " if any_word else " ").join(terms)


async def search(reader: Reader, wanted: Search, limit: int) -> list[Find]:
    """Up to `limit` finds, best first; equally good ones newest first.

    Raises:
        Invalid: see `match_of`.
        Unsupported: there is no index to look into.
    """
    matches = [match_of(wanted.text)]
    if wanted.any_word:  # those where all stand are found however old they are
        matches.append(match_of(wanted.text, any_word=True))
    row = await reader.row(words.KEPT)
    if row is None or not words.kept(row[0]):
        raise Unsupported(
            "this deck cannot be searched: its Python's SQLite has no FTS5",
            hint="Let it run with a Python whose SQLite has it; lists filter with q meanwhile.",
        )
    scored: dict[tuple[int, Part], float] = {}
    for match in matches:
        for part in wanted.parts:
            scored |= {(place, part): score for score, place in await _weigh(reader, wanted, part, match)}
    best = sorted(((score, place, part) for (place, part), score in scored.items()), reverse=True)[:limit]
    found: dict[tuple[Part, int], Find] = {}
    for part in wanted.parts:
        scores = {place: score for score, place, of in best if of == part}
        if scores:
            read = await _read(reader, part, matches[-1], scores)
            found |= {(part, place): find for place, find in read.items()}
    # one that went meanwhile is left out
    return [found[part, place] for _, place, part in best if (part, place) in found]


async def _weigh(reader: Reader, wanted: Search, part: Part, match: str) -> list[tuple[float, int]]:
    """Score and place in the index of the newest finds in `part`."""
    clauses, values = [f"w.{_WORDS[part]} MATCH ?"], [match]
    seen = wanted.projects
    if wanted.project is not None:
        seen = frozenset({wanted.project}) if seen is None or wanted.project in seen else frozenset()
    if seen is not None:
        clauses.append(f"t.bucket IN (SELECT number FROM buckets WHERE project IN ({', '.join('?' * len(seen))}))")  # noqa: S608
        values += sorted(seen)
    more, asked = conditions(TaskFilter(concerning=wanted.concerning))
    clauses, values = clauses + more, values + asked
    if part == "context":
        if not wanted.superseded:
            clauses.append(_STANDS)
        for clause, value in (("c.key = ?", wanted.key), ("c.source = ?", wanted.source)):
            if value is not None:
                clauses.append(clause)
                values.append(value)
    source = "c.source" if part == "context" else "NULL"
    rows = await reader.rows(
        f"SELECT w.rowid, -{_WEIGHED[part]}, {source} FROM {_FROM[part]} WHERE {' AND '.join(clauses)}"  # noqa: S608
        " ORDER BY w.rowid DESC LIMIT ?",
        [*values, WINDOW],
    )
    return [(score * (_STATED_WEIGHT if source == Source.STATED else 1.0), place) for place, score, source in rows]


async def _read(reader: Reader, part: Part, match: str, scores: dict[int, float]) -> dict[int, Find]:
    """What stands at these places of the index, with a piece of the text around the words."""
    rows = await reader.rows(
        f"SELECT w.rowid, t.bucket, t.state, snippet({_WORDS[part]}, -1, '', '', '…', 24),"  # noqa: S608
        f" t.number, t.id, t.key, b.title FROM json_each(?) j CROSS JOIN {_FROM[part]}"
        f" CROSS JOIN bodies b ON b.task = t.number WHERE w.rowid = j.value AND w.{_WORDS[part]} MATCH ?",
        (json.dumps(sorted(scores)), match),
    )
    buckets = await reader.buckets({row[1] for row in rows})
    said = await comments.numbered(reader, scores) if part == "comment" else {}
    entries = await contexts.numbered(reader, scores) if part == "context" else {}
    finds = {}
    for place, bucket, state, excerpt, number, id_, key, title in rows:
        comment, entry = said.get(place), entries.get(place)
        if part == "task" or comment is not None or entry is not None:
            finds[place] = Find(
                part=part, score=scores[place], excerpt=excerpt, number=number, id=id_, key=key,
                project=buckets[bucket].project, state=State(state), title=title, comment=comment, entry=entry,
            )  # fmt: skip
    return finds
