"""What is meant for people: who is given it, who directs it, and what needs no claim."""

from __future__ import annotations

from typing import Any

import pytest
from support.api import Api


@pytest.fixture
async def tokens(api: Api) -> dict[str, str]:
    """Agents by name: `maker` makes tasks, `ann` is of the group `desk`."""
    return {
        "maker": await api.token_for("agent", "maker"),
        "ann": await api.token_for("agent", "ann", groups=["desk"]),
        "bob": await api.token_for("agent", "bob"),
    }


async def _asked(api: Api, tokens: dict[str, str], **fields: Any) -> str:
    """The path of a task for people that `maker` made."""
    made = await api.post("/v1/tasks", {"title": "t", "capabilities": ["human"]} | fields, token=tokens["maker"])
    return f"/v1/tasks/{made['id']}"


async def test_what_is_for_people_is_given_to_people_and_to_who_names_it(api: Api, tokens: dict[str, str]) -> None:
    path = await _asked(api, tokens)
    nothing = await api.post("/v1/claims", {"worker": "agent"})
    assert [reason["code"] for reason in nothing["reasons"]] == ["capabilities_missing"]
    await api.post("/v1/workers", {"id": "person", "kind": "human"})
    claim = await api.claim("person", lease_seconds=None)
    assert (claim["task"]["id"], claim["expires_at"]) == (path.split("/")[-1], None)
    await api.post(f"{path}/release", {"fence": claim["fence"]})
    named = await api.post("/v1/claims", {"worker": "bob", "task": path.split("/")[-1]}, token=tokens["bob"])
    assert named["claims"][0]["task"]["claim"]["worker"] == "bob"


async def test_who_made_it_directs_it(api: Api, tokens: dict[str, str]) -> None:
    path = await _asked(api, tokens, assignee="bob")
    ref = path.split("/")[-1]
    maker, ann, bob = tokens["maker"], tokens["ann"], tokens["bob"]
    override = {"worker": "ann", "task": ref, "override": {"reason": "mine"}}
    assert (await api.call("POST", "/v1/claims", override, token=ann)).code == "forbidden"
    assert (await api.call("POST", f"{path}/assign", {"assignee": "ann"}, token=ann)).code == "forbidden"
    assert (await api.call("POST", f"{path}/cancel", {}, token=ann)).code == "forbidden"
    own = (await api.post("/v1/claims", override | {"worker": "maker"}, token=maker))["claims"][0]
    await api.post(f"{path}/release", {"fence": own["fence"]}, token=maker)
    held = (await api.post("/v1/claims", {"worker": "bob", "task": ref}, token=bob))["claims"][0]
    assert (await api.call("POST", "/v1/claims", override, token=ann)).code == "forbidden"
    assert (await api.post(f"{path}/release", {"fence": held["fence"]}, token=maker))["state"] == "ready"
    passed_on = await api.post(f"{path}/assign", {"assignee": "desk"}, token=bob)
    assert passed_on["assignee"] == "desk"
    assert (await api.post("/v1/claims", override, token=ann))["claims"]
    assert (await api.events())[-1]["facts"]["override_reason"] == "mine"
    assert (await api.post(f"{path}/cancel", {}, token=maker))["state"] == "cancelled"


async def test_who_made_a_task_for_agents_directs_nothing(api: Api, tokens: dict[str, str]) -> None:
    path = await _asked(api, tokens, capabilities=[])
    before = await api.last_seq()
    for verb, body in {
        "assign": {"assignee": "x"},
        "cancel": {},
        "complete": {"fence": None},
    }.items():
        assert (await api.call("POST", f"{path}/{verb}", body, token=tokens["maker"])).code == "forbidden", verb
    assert await api.last_seq() == before


async def test_a_claim_on_anothers_behalf(api: Api, tokens: dict[str, str]) -> None:
    path = await _asked(api, tokens, assignee="somebody outside")
    ref, maker = path.split("/")[-1], tokens["maker"]
    wish = {"worker": "front desk", "task": ref, "on_behalf_of": ["somebody outside"]}
    assert (await api.call("POST", "/v1/claims", wish, token=tokens["bob"])).code == "forbidden"
    other = await api.call("POST", "/v1/claims", wish | {"on_behalf_of": ["another"]}, token=maker)
    assert other.code == "not_eligible"
    assert (await api.call("POST", "/v1/claims", {"worker": "w", "on_behalf_of": ["x"]})).status == 422
    claim = (await api.post("/v1/claims", wish, token=maker))["claims"][0]
    assert claim["task"]["claim"]["worker"] == "front desk"


async def test_what_nobody_began_is_filled_in_and_completed(api: Api, tokens: dict[str, str]) -> None:
    path = await _asked(api, tokens)
    waiting = await api.create(depends_on=[path.split("/")[-1]])
    maker, bob = tokens["maker"], tokens["bob"]
    some = {"fence": None, "values": {"a": 1, "b": 1}}
    assert (await api.call("PATCH", f"{path}/draft", some, token=bob)).code == "forbidden"
    assert (await api.patch(f"{path}/draft", some, token=maker))["draft"] == {"a": 1, "b": 1}
    done = await api.post(f"{path}/complete", {"fence": None, "result": {"b": 2}}, token=maker)
    assert (done["state"], done["result"], done["draft"]) == ("done", {"a": 1, "b": 2}, None)
    assert (done["completed_by"]["by"], done["completed_by"]["worker"]) == ("maker", None)
    assert (await api.get(f"/v1/tasks/{waiting['id']}"))["state"] == "ready"
    for call in (("PATCH", f"{path}/draft", some), ("POST", f"{path}/complete", {"fence": None})):
        assert (await api.call(*call, token=maker)).code == "wrong_state"


async def test_a_draft_has_a_limit(api: Api, tokens: dict[str, str]) -> None:
    path = await _asked(api, tokens)
    await api.patch(f"{path}/draft", {"fence": None, "values": {"a": "x" * 200_000}})
    more = await api.call("PATCH", f"{path}/draft", {"fence": None, "values": {"b": "x" * 100_000}})
    assert (more.status, more.code) == (422, "form_invalid")


async def test_a_turn_may_say_that_it_is_a_groups(api: Api) -> None:
    turns = [{"assignee": "desk", "seconds": 60, "group": True}, {"assignee": "ann"}]
    task = await api.create(assignees=turns)
    assert task["assignees"] == [turns[0], {"assignee": "ann", "seconds": None}]
