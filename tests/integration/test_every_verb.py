"""Every verb in every state by every role, over the API: it does what the table says, or changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from support.api import Api, Reply
from support.clock import FakeClock

from taskdeck.domain.principal import Role
from taskdeck.domain.rules import RULES, Who
from taskdeck.domain.states import EVENT_OF, TRANSITIONS, UNSTARTED, State, Verb
from taskdeck.http.native import all_routes

CALLERS = {
    "reader": Role.READER,
    "stranger": Role.AGENT,
    "holder": Role.AGENT,
    "operator": Role.OPERATOR,
    "admin": Role.ADMIN,
}
CALLED = [verb for verb in Verb if RULES[verb].who is not Who.DECK and verb is not Verb.CREATE]
SITUATIONS = {state.value: state for state in State} | {"lapsed": State.CLAIMED, "spent": State.FAILED}
"""Every state; a claimed task whose lease lapsed, and one that failed because its last lease did."""
BODIES: dict[Verb, dict[str, Any]] = {
    Verb.ANSWER: {"answer": "a"},
    Verb.FAIL: {"error": "e"},
    Verb.REJECT: {"note": "n"},
    Verb.LOG: {"entries": [{"type": "t"}]},
    Verb.JUDGE: {"verdict": "rejected", "note": "n"},
    Verb.ASSIGN: {"assignee": "holder"},
    Verb.DELEGATE: {"title": "c"},
    Verb.OVERRIDE: {"reason": "r", "assignee": "holder"},
    Verb.REPRIORITIZE: {"priority": 1},
}


class Stage:
    """Makes tasks in every situation, claimed by the holder, and lets callers act on them."""

    def __init__(self, api: Api, clock: FakeClock, tokens: dict[str, str]) -> None:
        self.api = api
        self.clock = clock
        self.tokens = tokens

    async def task_in(self, situation: str, verb: Verb) -> Any:
        """A new task of that situation; for `skip` one that has turns, for `fill` a form, for `answer` a question."""
        turns: dict[str, Any] = {"assignees": [{"assignee": "holder"}] * 2} if verb is Verb.SKIP else {}
        if verb is Verb.FILL:
            await self.api.post("/v1/forms", {"name": "f", "version": 1, "schema": {}})
            turns = {"form": {"name": "f"}}
        parent = await self.api.create() if situation == "blocked" else None
        made: dict[str, dict[str, Any]] = {
            "backlog": {"backlog": True},
            "blocked": {"depends_on": [parent["key"]] if parent else []},
            "scheduled": {"not_before": "2999-01-01T00:00:00Z"},
            "review": {"review": "required"},
            "spent": {"max_attempts": 1},
        }
        task = await self.api.create(**turns, **made.get(situation, {}))
        path = f"/v1/tasks/{task['id']}"
        if situation in ("claimed", "review", "done", "failed", "lapsed", "spent"):
            wish = {"worker": "w-holder", "task": task["key"], "lease_seconds": 5}
            token = self.tokens["holder"]
            fence = (await self.api.post("/v1/claims", wish, token=token))["claims"][0]["fence"]
            if verb is Verb.ANSWER:
                asks = {"fence": fence, "state": "waiting_input", "question": "?"}
                await self.api.post(f"{path}/heartbeat", asks, token=token)
            if situation in ("review", "done"):
                await self.api.post(f"{path}/complete", {"fence": fence}, token=token)
            elif situation == "failed":
                await self.api.post(f"{path}/fail", {"fence": fence, "error": "e", "retry": False}, token=token)
            elif situation in ("lapsed", "spent"):
                self.clock.advance(6)
                await self.api.tick()
        elif situation == "cancelled":
            await self.api.post(f"{path}/cancel")
        if verb is Verb.HEED and situation == "review":
            await self.api.post(f"{path}/judge", {"verdict": "approved"})
        task = await self.api.get(path)
        assert task["state"] == SITUATIONS[situation]
        assert bool(task["claim"] and task["claim"]["lapsed"]) == (situation == "lapsed")
        return task

    async def act(self, verb: Verb, caller: str, task: Any) -> Reply:
        path, token = f"/v1/tasks/{task['id']}", self.tokens[caller]
        if verb is Verb.CLAIM:
            wish = {"worker": f"w-{caller}", "task": task["key"]}
            return await self.api.call("POST", "/v1/claims", wish, token=token)
        if verb is Verb.EDIT:
            return await self.api.call("PATCH", path, {"title": "x"}, token=token)
        if verb is Verb.DELETE:
            return await self.api.call("DELETE", path, token=token)
        if verb is Verb.FILL:
            fields = {"fence": _fence(task), "values": {"a": 1}}
            return await self.api.call("PATCH", f"{path}/draft", fields, token=token)
        body = dict(BODIES.get(verb, {}))
        who = RULES[verb].who
        if who is Who.HOLDER or (who in (Who.DELEGATOR, Who.CANCELLER) and CALLERS[caller] is Role.AGENT):
            body["fence"] = task["fence"]
        if who is Who.FINISHER:
            body["fence"] = _fence(task)
        return await self.api.call("POST", f"{path}/{verb}", body, token=token)


def _fence(task: Any) -> int | None:
    """The fence by which a task is completed: none if it was not begun."""
    return None if State(task["state"]) in UNSTARTED else task["fence"]


def expected(verb: Verb, situation: str, caller: str) -> bool:
    """Whether the table lets `caller` do `verb` to a task in that situation."""
    state, role, who = SITUATIONS[situation], CALLERS[caller], RULES[verb].who
    if not role.reaches(who.role) or state not in TRANSITIONS[verb]:
        return False
    operator = role.reaches(Role.OPERATOR)
    if verb is Verb.CLAIM:
        return situation != "claimed" or caller == "holder"
    if verb is Verb.COMPLETE and situation == "failed":
        return False
    if who in (Who.DELEGATOR, Who.CANCELLER):
        return operator or (caller == "holder" and state is State.CLAIMED)
    if who in (Who.EDITOR, Who.ASSIGNER, Who.STEWARD) or (who is Who.FINISHER and state in UNSTARTED):
        return operator
    return caller == "holder" or operator


@pytest.fixture
async def stage(api: Api, clock: FakeClock) -> Stage:
    return Stage(api, clock, {caller: await api.token_for(role, caller) for caller, role in CALLERS.items()})


@pytest.mark.parametrize("verb", CALLED)
async def test_a_verb_does_what_the_table_says_or_nothing(stage: Stage, verb: Verb) -> None:
    reached = set()
    for situation, state in SITUATIONS.items():
        for caller in CALLERS:
            task = await stage.task_in(situation, verb)
            before = await stage.api.last_seq()
            reply = await stage.act(verb, caller, task)
            case = (verb, situation, caller, reply)
            if expected(verb, situation, caller):
                assert reply.status in (200, 201), case
                await _check_done(stage, verb, situation, task, before)
                reached.add(state)
            else:
                assert reply.status in (403, 409), case
                assert await stage.api.last_seq() == before, case
                assert await stage.api.get(f"/v1/tasks/{task['id']}") == task, case
    assert reached == {before for before in TRANSITIONS[verb] if before is not None}


async def _check_done(stage: Stage, verb: Verb, situation: str, task: Any, before: int) -> None:
    """One event of the verb's own, and a state that the table leads to."""
    state = SITUATIONS[situation]
    about = [e for e in await stage.api.events(before) if e["task"] and e["task"]["id"] == task["id"]]
    again = verb is Verb.CLAIM and situation == "claimed"  # a holder that claims what it holds renews its lease
    assert [event["type"] for event in about] == [EVENT_OF[Verb.HEARTBEAT if again else verb]]
    reply = await stage.api.call("GET", f"/v1/tasks/{task['id']}")
    if verb is Verb.DELETE:
        assert reply.status == 404
        return
    assert State(reply.json()["state"]) in TRANSITIONS[verb][state]
    assert reply.json()["version"] == task["version"] + 1


def test_every_verb_has_its_rule_and_every_route_its_role() -> None:
    assert RULES.keys() == set(Verb)
    routes = {(route.method, route.path): route.role for route in all_routes()}
    found: dict[Verb, object] = {
        Verb.CREATE: routes["POST", "/v1/tasks"],
        Verb.CLAIM: routes["POST", "/v1/claims"],
        Verb.EDIT: routes["PATCH", "/v1/tasks/{ref}"],
        Verb.DELETE: routes["DELETE", "/v1/tasks/{ref}"],
        Verb.FILL: routes["PATCH", "/v1/tasks/{ref}/draft"],
    }
    for verb in CALLED:
        found.setdefault(verb, routes.get(("POST", f"/v1/tasks/{{ref}}/{verb}")))
    assert found == {verb: RULES[verb].who.role for verb in found}
    for verb in set(Verb) - found.keys():
        assert ("POST", f"/v1/tasks/{{ref}}/{verb}") not in routes
