"""Conductor's entries hold together whatever is done to tasks, through the dialect and beside it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from office import (
    GROUP,
    JANE,
    JANE_USER,
    JOHN,
    SAM,
    TASKS,
    Answer,
    Office,
    context_of,
    log_of,
    opened_office,
    user,
)

STEPS = 60
OFFERED_TO = [JOHN, JANE, SAM, GROUP, "external:bob", "external-group:abc"]
HERE = ["claim", "claim?overrideAssignment=true", "externalUser/bob", "externalUser/a%2Fb?overrideAssignment=true",
        "release", "skip", "reassign", "update", "update?complete=true"]  # fmt: skip
BESIDE = ["claim", "override", "assign", "retry", "release", "fail", "time"]
NEW = [{"assignee": JANE_USER, "slaMinutes": 1}, {"assignee": user(GROUP, "CONDUCTOR_GROUP")}]


@pytest.mark.parametrize("seed", range(3))
async def test_entries_and_logs_hold_together(speaking: Any, seed: int) -> None:
    chance = random.Random(seed)
    async with opened_office(speaking) as office:
        tasks = [await _made(office, chance) for _ in range(4)]
        for _ in range(STEPS):
            task, reply = chance.choice(tasks), None
            if chance.random() < 0.65:
                act = chance.choice(HERE)
                reply = await _act(office, chance, task, act)
                assert reply.status in (200, 400, 403), (act, reply)
            else:
                await _act_beside(office, chance, task, chance.choice(BESIDE))
            entry = await office.entry(task)
            _check(entry, await office.native.get(f"/v1/tasks/{task}"))
            if reply is not None and reply.body and reply.status == 200:
                told = reply.json() | {"updatedOn": entry["updatedOn"]}
                assert told == entry


async def _made(office: Office, chance: random.Random) -> str:
    turns = [
        {"assignee": name, "group": name == GROUP} | ({"seconds": 60} if chance.random() < 0.6 else {})
        for name in chance.sample(OFFERED_TO, chance.randint(0, 3))
    ]
    end = {"at_end": chance.choice(["open", "give_up", "stay"])} if turns else {}
    return await office.loan(*turns, by=chance.choice([JOHN, SAM]), **end)


async def _act(office: Office, chance: random.Random, task: str, act: str) -> Answer:
    body: Any = {"comments": "c", "approve": chance.choice(["Yes", "?"])} if act.startswith("update") else None
    if act == "reassign":
        body = NEW[: chance.randint(0, 2)]
    return await office.call("POST", f"{TASKS}/{task}/{act}", body, as_=chance.choice([JOHN, JOHN, JANE, SAM]))


async def _act_beside(office: Office, chance: random.Random, task: str, act: str) -> None:
    """Do something through the deck's own API, if it can be done, or let time pass."""
    fence = (await office.native.get(f"/v1/tasks/{task}"))["fence"]
    if act == "time":
        office.clock.advance(chance.choice([5, 61, 200]))
        return
    bodies: dict[str, Any] = {
        "override": {"reason": "r"} | chance.choice([{"worker": "bot"}, {"assignee": JANE}, {"release": True}]),
        "assign": {"assignee": chance.choice([None, JANE, SAM])},
        "retry": {},
        "release": {"fence": fence},
        "fail": {"fence": fence, "error": "e", "delay_seconds": chance.choice([0, 30])},
    }
    if act == "claim":
        await office.native.call("POST", "/v1/claims", {"worker": "bot", "task": task, "lease_seconds": 5})
    else:
        await office.native.call("POST", f"/v1/tasks/{task}/{act}", bodies[act])


def _check(entry: Any, native: Any) -> None:
    """The entry says what the deck's own API says, and its log ends where the task stands."""
    log, context = log_of(entry), context_of(entry)
    held = native["claim"] is not None and not native["claim"]["lapsed"]
    assert (entry["state"] == "IN_PROGRESS") == held
    if held:
        assert (log[-1]["action"], log[-1]["claimant"]) == ("CLAIM", entry["claimant"])
    if entry["state"] == "ASSIGNED":
        assert "claimant" not in entry
        assert log[-1]["action"] in ("ASSIGNMENT", "ASSIGNMENTS_COMPLETED")
        assert log[-1].get("assignee") == entry.get("assignee")
        assert (entry.get("assignee") is None) == (native["assignee"] is None)
    assert context["assignmentsCompleted"] == ("assigneeIndex" not in context)
    times = [one["stateStart"] for one in log]
    assert times == sorted(times)
    assert context["lastUpdated"] <= entry["updatedOn"]
    assert len({one["id"] for one in log}) == len(log)
