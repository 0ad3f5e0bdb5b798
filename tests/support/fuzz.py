"""Requests that schemathesis makes up from the API's own description, good ones and bad ones, and what is asked of the
replies: no fault of the server's, and nothing that the description does not tell of.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDLESS = frozenset({"/v1/events/stream", "/v1/events/ws", "/v1/claims/ws"})
"""What answers for as long as somebody reads."""
PATIENCE_S = 20.0

TASKS = [
    {"title": "ready", "key": "READY", "labels": ["a"], "payload": {"n": 1}},
    {"title": "held", "key": "HELD", "capabilities": ["py"]},
    {"title": "goal", "key": "GOAL", "kind": "goal"},
    {"title": "child", "key": "CHILD", "parent": "GOAL"},
    {"title": "waits", "key": "WAITS", "depends_on": ["READY"]},
    {"title": "in turn", "key": "TURNS", "assignees": [{"assignee": "ann", "seconds": 600}, {"assignee": "bob"}]},
    {"title": "to look at", "key": "LOOK", "review": "required"},
    {"title": "form", "key": "FORM", "form": {"name": "form"}},
]
KNOWN: dict[str, list[Any]] = {
    "ref": [task["key"] for task in TASKS],
    "name": ["default", "form", "rule", "plan", "source"],
    "worker": ["w"],
    "id": ["w", "1"],
    "project": ["default"],
    "fence": [1],
    "session": ["s"],
}
"""Names that mean something, by what a parameter or a field is called; some requests are given one of them."""


@dataclass
class Found:
    """What the replies were, by operation, and what was wrong with some."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def furnish(url: str, token: str) -> None:
    """Put a little of everything into the deck, so that some requests find what they name."""
    headers = {"Authorization": f"Bearer {token}"}
    rule = {"events": ["task.retried"], "acts": [{"act": "reprioritize", "priority": 9}]}
    for path, document in [
        ("/v1/forms", {"name": "form", "schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}),
        ("/v1/tasks", {"tasks": TASKS}),
        ("/v1/claims", {"worker": "w", "task": "HELD", "capabilities": ["py"], "lease_seconds": 86_400}),
        ("/v1/claims", {"worker": "w", "task": "FORM", "lease_seconds": 86_400}),
        ("/v1/tasks/READY/comments", {"text": "said"}),
        ("/v1/rules", {"name": "rule", **rule}),
        ("/v1/tokens", {"principal": "ann", "role": "agent"}),
        ("/v1/webhooks", {"url": "https://example.org/", "events": ["never.*"]}),
        ("/v1/sources", {"name": "source", "task": {"title": "{{ a }}"}}),
        ("/v1/schedules", {"name": "plan", "when": "every 2 hours", "task": {"title": "t"}}),
    ]:
        reply = requests.post(url + path, json=document, headers=headers, timeout=PATIENCE_S)
        assert reply.ok, reply.text


def fuzz(url: str, token: str, examples: int, chance: int | None = None) -> Iterator[tuple[str, Found]]:
    """Try every operation `examples` times with good and as often with bad requests; yields what was found so far.

    The same requests each time, unless `chance` seeds others.
    """
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    found = Found()
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path in ENDLESS:
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _try(operation, mode, url, token, examples, chance, found)
        yield operation.label, found


def _try(
    operation: Any, mode: GenerationMode, url: str, token: str, examples: int, chance: int | None, found: Found
) -> None:
    seen = found.statuses.setdefault(operation.label, Counter())

    def call(case: Case) -> None:
        _make_sense(case)
        with requests.Session() as session:
            reply = case.call(
                base_url=url, session=session, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_S
            )
        seen[reply.status_code] += 1
        case.validate_response(reply, checks=CHECKS)
        if reply.status_code < 400:
            known = operation.definition.raw["responses"]
            assert str(reply.status_code) in known, f"{reply.status_code} is not among {sorted(known)}"

    run = given(case=operation.as_strategy(generation_mode=mode))(call)
    run = settings(
        max_examples=examples,
        derandomize=chance is None,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )(run if chance is None else seed(chance)(run))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run()
    except Unsatisfiable:
        pass  # what takes nothing cannot be asked badly
    except Exception as fault:
        found.faults.append(f"{operation.label} ({mode.value}): {_told(fault)}")


def _make_sense(case: Case) -> None:
    """Let about every second request name what there is, and none wait for long."""
    if case.operation.path == "/v1/tokens/{id}" and case.path_parameters:
        case.path_parameters["id"] = 2  # the first one is in use here
    for values in (case.path_parameters, case.query, case.body):
        if not isinstance(values, dict):
            continue
        for name, value in list(values.items()):
            known = KNOWN.get(name)
            if known and _number(value) % 2:
                values[name] = known[_number(value) // 2 % len(known)]
        if isinstance(values.get("wait_seconds"), int | float):
            values["wait_seconds"] = 0


def _number(value: Any) -> int:
    """The same for the same value, in every process."""
    return sum(repr(value).encode())


def _told(fault: BaseException) -> str:
    parts = getattr(fault, "exceptions", None) or [fault]
    return "\n".join(str(part)[:2_000] for part in parts)
