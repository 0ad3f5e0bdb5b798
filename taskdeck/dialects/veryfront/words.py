"""What things are called on either side: ids made of ours, states, projects, and who a task is for."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson

from taskdeck.domain.errors import Invalid
from taskdeck.domain.refs import KEY, PROJECT, parse_ref
from taskdeck.domain.task import Json, Task
from taskdeck.service.extra import extra_of

NAME: Final = "veryfront"
SPACE: Final = UUID("4522e9f5-0bc9-5684-a062-1394a144aec9")
"""Of all ids that are made here: uuid5 of `taskdeck:veryfront` among addresses."""
_SPACE = SPACE.bytes
_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
IMPLEMENTATION = re.compile(r"[a-zA-Z0-9_-]{1,64}")
WORKER_KEY = re.compile(r"[a-zA-Z0-9_.:-]{1,128}")
UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
SHOWN_UUID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE
)
"""Such a one as clients take in replies; they throw at others when the run is theirs already."""
_RUN = re.compile(r"run_([0-9]{1,18})(?:\.([0-9]{1,15}))?", re.ASCII)
TYPE_LABEL: Final = "task:"
"""Begins the label that says of which type a task is, and so what its runs are aimed at."""


def made_of(kind: str, name: str) -> str:
    """The id of a thing of ours that has none of this form: uuid5 of `kind:name` in `SPACE`.

    Reckoned here (RFC 9562 section 5.5), for a claim needs several and the standard library takes its time.
    """
    text = hashlib.sha1(_SPACE + f"{kind}:{name}".encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANTS[text[16]]}{text[17:20]}-{text[20:32]}"


@lru_cache(maxsize=1024)
def project_id(name: str) -> str:
    return made_of("project", name)


def project_name(reference: str) -> str:
    """The name of the project that `reference` names; one that cannot be such a name becomes one, always the same."""
    if PROJECT.fullmatch(reference):
        return reference
    readable = re.sub(r"[^a-z0-9]+", "-", reference.lower()).strip("-")[:48]
    return f"{readable or 'project'}-{project_id(reference)[:8]}"


def worker_id(project: str, implementation: str, key: str) -> str:
    """One worker for each kind and key in a project."""
    return made_of("worker", f"{project}/{implementation}/{key}")


def conversation_id(task: Task) -> str:
    """The same for all attempts at a task: as whoever made it said, or its own."""
    own: str = extra_of(task, NAME).get("conversation") or made_of("conversation", str(task.number))
    return own


def session_id(task: Task, key: str) -> str:
    return made_of("session", f"{task.number}/{key}")


def run_id(task: Task, fence: int) -> str:
    """One attempt: each claim has a fence of its own, so that no two of them are ever the same run."""
    return f"run_{task.number}.{fence}"


def canonical_id(task: Task) -> str:
    """The task itself, as who made it named it."""
    own: str = extra_of(task, NAME).get("public_id") or f"run_{task.number}"
    return own


class RunName(NamedTuple):
    """What a run's id says: which task, and which of its claims (None for the task itself).

    `public` is the id as its maker chose it, where that is what names the task.
    """

    ref: str
    fence: int | None
    public: str | None


def named(text: str) -> RunName:
    """What the id `text` of a run says."""
    own = _RUN.fullmatch(text)
    if own is not None:
        return RunName(own[1], None if own[2] is None else int(own[2]), None)
    return RunName(key_of(text), None, text)


def is_ours(text: str) -> bool:
    """Whether `text` looks like an id that this deck gives, so that nobody else may."""
    return _RUN.fullmatch(text) is not None


def key_of(public_id: str) -> str:
    """The key of the task that was made under `public_id`: that itself, where it can be a key."""
    if KEY.fullmatch(public_id) and parse_ref(public_id).column == "key":
        return public_id
    return f"run-{made_of('run', public_id)}"


def type_of(task: Task) -> str | None:
    """Of which type a task is, where a label says so."""
    return next(
        (label[len(TYPE_LABEL) :] for label in sorted(task.bucket.labels) if label.startswith(TYPE_LABEL)), None
    )


def asked_in(payload: Any) -> dict[str, Any]:
    """What a payload says for this dialect's workers alone."""
    asked = payload.get(NAME) if isinstance(payload, dict) else None
    return asked if isinstance(asked, dict) else {}


def abilities(implementation: str, key: str) -> frozenset[str]:
    """What a worker of that kind and key is able to do that others are not."""
    return frozenset({f"{NAME}.kind:{implementation}", f"{NAME}.key:{key}"})


def needs(payload: Json) -> frozenset[str]:
    """The capabilities that a payload asks for by naming a kind or key of worker.

    Raises:
        Invalid: no worker can be of that kind or key.
    """
    if f'"{NAME}"' not in payload:
        return frozenset()
    asked = asked_in(orjson.loads(payload))
    found = set()
    for field, pattern, ability in (
        ("implementation_kind", IMPLEMENTATION, f"{NAME}.kind"),
        ("worker_key", WORKER_KEY, f"{NAME}.key"),
    ):
        value = asked.get(field)
        if value is None:
            continue
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise Invalid(
                f"payload.{NAME}.{field} is none that a worker can have",
                hint=f"It is text of the form {pattern.pattern}; leave it out to let any worker have the task.",
                field="payload",
            )
        found.add(f"{ability}:{value}")
    return frozenset(found)
