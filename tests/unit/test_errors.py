"""Every refusal has a status, a code and words that are safe to act on."""

from __future__ import annotations

import orjson
import pytest

from taskdeck.domain import errors
from taskdeck.domain.errors import DeckError, RateLimited, Unavailable
from taskdeck.http.wire import STATUS, Problem, problem_response, status_of

REFUSALS = sorted(
    (kind for kind in vars(errors).values() if isinstance(kind, type) and DeckError in kind.__mro__[1:]),
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_each_refusal_has_a_status_and_a_code(kind: type[DeckError]) -> None:
    error = kind("what", hint="do that")
    status = status_of(error)
    assert 400 <= status < 600
    assert status != 500
    assert kind.retryable == issubclass(kind, Unavailable | RateLimited) == (status in (429, 503, 507))
    reply = problem_response(error, "r-1")
    assert reply.content_type == "application/problem+json"
    assert isinstance(reply.body, bytes)
    body = orjson.loads(reply.body)
    assert (body["status"], body["code"], body["retryable"]) == (status, kind.code, kind.retryable)
    assert (body["detail"], body["hint"], body["request_id"]) == ("what", "do that", "r-1")
    assert ("Retry-After" in reply.headers) == kind.retryable


def test_every_family_stands_in_the_table() -> None:
    assert {kind for kind in REFUSALS if kind.__base__ is DeckError} <= STATUS.keys()


def test_a_problem_carries_its_fields_and_holder() -> None:
    error = errors.StaleFence("late", holder={"worker": "w", "fence": 3})
    assert orjson.loads(problem_response(error, "r").body)["task"] == {"worker": "w", "fence": 3}
    wrong = errors.Invalid("bad", field="priority")
    assert orjson.loads(problem_response(wrong, "r").body)["errors"] == [{"field": "priority", "message": "bad"}]
    refused = Problem(405, "method_not_allowed", "no", headers={"Allow": "GET"})
    assert problem_response(refused, "r").headers["Allow"] == "GET"


def test_what_is_no_refusal_of_ours_is_internal() -> None:
    assert status_of(DeckError("x")) == 500
