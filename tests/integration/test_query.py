"""The filter language: read, refused with the place of the fault, and the same in the database as by the definition."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.api import Api
from support.clock import FakeClock

from taskdeck.domain.clock import from_rfc3339
from taskdeck.domain.matching import holds
from taskdeck.domain.query import (
    FIELDS,
    FLAGS,
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_TERMS,
    MAX_VALUES,
    STATES,
    All,
    QueryError,
    parse,
    states_of,
)


def look_into(wire: dict[str, Any]) -> Any:
    """What the language may ask, of a task as the API shows it."""
    claim = wire["claim"] or {}

    def ms(text: str | None) -> int | None:
        return None if text is None else from_rfc3339(text)

    known = {
        "state": wire["state"], "project": wire["project"], "key": wire["key"], "label": tuple(wire["labels"]),
        "cap": tuple(wire["capabilities"]), "holder": claim.get("worker"), "principal": claim.get("principal"),
        "assignee": wire["assignee"], "by": wire["created_by"], "title": wire["title"],
        "error": (wire["error"] or {}).get("message"), "prio": wire["priority"], "attempt": wire["attempt"],
        "number": wire["number"], "age": ms(wire["created_at"]), "created": ms(wire["created_at"]),
        "due": ms(wire["due"]), "wait": ms(wire["ready_at"]) if wire["state"] == "ready" else None,
        "lease": ms(claim.get("expires_at")), "heartbeat": ms(claim.get("heartbeat_at")),
        "lapsed": claim.get("lapsed", False), "work": claim.get("state"), "description": wire["description"],
        "result": wire["result"], "payload": wire["payload"], "meta": wire["metadata"],
    }  # fmt: skip
    return lambda field: known[field]


async def fill(api: Api, clock: FakeClock) -> list[dict[str, Any]]:
    """Tasks in many states, with all that can be asked."""
    rng = random.Random(11)
    await api.post("/v1/projects", {"name": "web"})
    await api.post("/v1/projects", {"name": "ops"})
    titles = ("Fix the Login", "write [docs]", "100% *done*_", "Ärger mit Öl", "invoice #7 (late)", "a?b")
    for number in range(60):
        payload: Any = rng.choice([{}, {"tenant": "Acme", "n": number}, {"deep": {"ok": True, "x": None}}, [1], "s", 7])
        wish: dict[str, Any] = {
            "project": rng.choice(["default", "web", "ops"]), "priority": rng.randint(0, 100), "payload": payload,
            "labels": rng.sample(["bug", "UI", "nightly", "a-b"], rng.randint(0, 3)), "max_attempts": rng.randint(1, 3),
            "capabilities": rng.sample(["gpu", "eu"], rng.randint(0, 1)), "metadata": {"source": rng.choice("xyz")},
            "description": rng.choice(["", "It FAILS at night"]), "assignee": rng.choice([None, None, "ann", "w1"]),
        }  # fmt: skip
        if rng.random() < 0.3:
            wish["due"] = f"2026-0{rng.randint(1, 9)}-11T10:00:00Z"
        await api.create(f"{rng.choice(titles)} {number}", **wish)
        clock.advance(rng.randint(1, 900))
        worker = f"w{rng.randint(1, 3)}"
        got = await api.call(
            "POST", "/v1/claims",
            {"worker": worker, "capabilities": ["gpu", "eu"], "lease_seconds": rng.choice([60, 4000, 80_000])},
        )  # fmt: skip
        for claimed in got.json()["claims"] if got.status == 200 else []:
            key, fence = claimed["task"]["key"], {"fence": claimed["fence"]}
            match rng.randint(0, 4):
                case 0:
                    await api.post(f"/v1/tasks/{key}/complete", fence | {"result": {"x": number}})
                case 1:
                    await api.post(f"/v1/tasks/{key}/fail", fence | {"error": "Timeout of the farm"})
                case 2:
                    await api.post(f"/v1/tasks/{key}/heartbeat", fence | {"state": "waiting_input", "detail": "?"})
    await api.tick()
    return list((await api.get("/v1/tasks?limit=200"))["tasks"])


QUERIES = [
    "", "login", "fix login", '"fix the"', "-login", "state:ready", "state:re", "-state:ready", "state:open",
    "project:web,ops", "PROJECT:WEB", "label:bug -label:nightly", "label:a-b|label:ui", "label:n*", "label:*b*",
    "cap:gpu", "holder:w1", "holder:w*", "-holder:w1", "assignee:ann", "is:mine", "by:*", "title:login",
    'title:"*done*"', "title:write*", "title:[docs]", "a?b", "*", "öl", "Ärger", "error:timeout", "error:*farm",
    "-error:timeout", "prio>=70", "prio:10..20,90..", "prio<30 | prio>90", "prio=50", "attempt>1", "number<=5",
    "age>2h", "age:1h..3h", "wait<1h", "lease<10m", "lease>0s", "lease>1h", "heartbeat>30m", "created<2026-01-01",
    "created:2026-01-01", "created>2026-01-01T02:00", "due<0s", "due>1d", "due:2026-03-11", "-due>0s",
    "has:due -has:error", "has:error,result", "has:label has:assignee", "-has:cap", "is:lapsed", "is:asks", "is:stuck",
    "is:open", "payload.tenant:acme", "payload.tenant:a*", "payload.n>30", "payload.n:3,4", "payload.deep.ok:true",
    "payload.deep.x:*", "payload.deep:*", "-payload.n>30", "meta.source:x,y", "payload.no:1",
    "(login | docs) prio>40", "-(login docs)", "-(state:ready | is:lapsed)", "state:claimed (prio<50 | lease<1h)",
    "key:t1", "key:T*", "key:zz", "invoice (late)", "state:done is:lapsed", "- x", "a|b|c",
]  # fmt: skip


async def test_the_database_agrees_with_the_definition(api: Api, clock: FakeClock) -> None:
    everything = await fill(api, clock)
    assert len({task["state"] for task in everything}) >= 4
    assert any((task["claim"] or {}).get("lapsed") for task in everything)
    me = (await api.get("/v1/me"))["principal"]
    answered = 0
    for text in QUERIES:
        node = parse(text)
        found = (await api.get(f"/v1/tasks?limit=200&q={quote(text)}"))["tasks"]
        wanted = [task["key"] for task in everything if holds(node, look_into(task), clock.now_ms(), me)]
        assert [task["key"] for task in found] == wanted, text
        assert all(task["state"] in states_of(node) for task in found), text
        answered += bool(wanted)
    assert answered > len(QUERIES) * 0.7, "questions that find nothing show little"


async def test_it_pages_and_combines_with_the_other_parameters(api: Api) -> None:
    wishes = [{"title": f"t{n}", "priority": n, "labels": ["x"] * (n % 2)} for n in range(20)]
    await api.post("/v1/tasks", {"tasks": wishes})
    first = await api.get("/v1/tasks?q=prio%3E=5%20label:x&sort=priority&limit=3&state=ready")
    assert [task["priority"] for task in first["tasks"]] == [19, 17, 15]
    second = await api.get(
        f"/v1/tasks?q=prio%3E=5%20label:x&sort=priority&limit=9&state=ready&cursor={first['next_cursor']}"
    )
    assert [task["priority"] for task in second["tasks"]] == [13, 11, 9, 7, 5]


FAULTS = [
    ("stat:x", 1, "no field “stat”; did you mean state:?"),
    ("a wxyz:1", 3, "no field “wxyz”; there are state"),
    ("a state:nowhere", 9, "no state “nowhere”; there are"),
    ("ok project:", 4, "“project:” needs a value"),
    ('title "open', 7, "the quote is not closed"),
    ("(a b", 1, "the bracket is not closed"),
    ("a )", 3, "this bracket closes nothing"),
    ("a | ", 3, "nothing stands after this |"),
    ("| a", 1, "nothing stands before this |"),
    ("x ()", 3, "nothing stands between the brackets"),
    ("prio>high", 6, "“prio”: “high” is no number"),
    ("prio:9..1", 6, "“prio”: “9..1” is an empty range"),
    ("prio:..", 6, "“prio”: a range needs an end"),
    ("age:5m", 5, "“age”: write < or >, or a range"),
    ("age>soon", 5, "“age”: “soon” is no length of time"),
    ("created>5m", 9, "“created”: write a day or a time"),
    ("created>2026-13-01", 9, "“created”: “2026-13-01” is no time"),
    ("is:happy", 4, "no “is:happy”; there are open"),
    ("has:legs", 5, "no “has:legs”; there are assignee"),
    ("project>web", 1, "“project” is asked with “:”"),
    ("payload:x", 1, "“payload” needs the name of a member"),
    ("state.x:y", 1, "“state” has no members"),
    ("label:*a*b*c*d*", 7, "up to 4 stars"),
    ("x " * MAX_TERMS + "y", 2 * MAX_TERMS + 1, f"up to {MAX_TERMS} terms"),
    ("(" * (MAX_DEPTH + 1) + "a", MAX_DEPTH + 2, f"up to {MAX_DEPTH} deep"),
    ("label:" + "a," * MAX_VALUES + "b", 1, f"up to {MAX_VALUES} values"),
    ("x" * (MAX_LENGTH + 1), MAX_LENGTH + 1, f"up to {MAX_LENGTH} characters"),
]


@pytest.mark.parametrize(("text", "column", "told"), FAULTS)
def test_a_fault_is_named_with_its_place(text: str, column: int, told: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert caught.value.column == column and told in caught.value.message


async def test_the_api_names_the_place_too(api: Api) -> None:
    refused = await api.call("GET", "/v1/tasks?q=a%20stat:x")
    assert (refused.status, refused.code) == (422, "invalid_request")
    assert refused.json()["detail"] == "q: column 3: no field “stat”; did you mean state:?"


def test_words_with_colons_and_brackets_stay_words() -> None:
    assert parse("12:30") == parse('"12:30"')
    assert parse("fix(ui)") == parse('"fix(ui)"')
    assert parse("-") == parse('"-"')
    assert parse('"state:ready"').parts != parse("state:ready").parts
    assert parse("  ") == All(())


def test_a_comparison_may_stand_behind_a_colon() -> None:
    assert parse("prio:>=70 age:<1h") == parse("prio>=70 age<1h") and parse("-attempt:>1,5") == parse("-attempt>1,5")
    assert parse("title:>70").parts == parse('title:">70"').parts, "of a text it is a part of what is looked for"


PIECES = st.sampled_from([
    *(f"{name}:" for name in FIELDS), *(f"is:{flag}" for flag in FLAGS["is"]), *STATES, "payload.a.b:", "(", ")", "|",
    "-", '"', ",", " ", " ", "*", "..", ">", "<=", "=", "5m", "7", "2026-11-20", "-2h", "x", "é", "\u202e", "\t", "[",
])  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str) -> None:
    try:
        node = parse(text)
    except QueryError as error:
        assert 1 <= error.column <= len(text) + 1
        return
    assert states_of(node) <= set(STATES)
    assert holds(node, lambda field: None, 0) in (True, False)


@pytest.mark.parametrize("number", range(4))
async def test_any_filter_that_can_be_read_can_be_asked(api: Api, number: int) -> None:
    rng = random.Random(number)
    await api.create("one", labels=["x"], payload={"a": {"b": 5}})
    pieces = ["prio>5", "-has:due", "payload.a.b:*", "(x | -y)", "is:stuck", "lease<5m", "meta.q>1", "holder:a*b",
              "due<2h", "error:x", "key:T1", "cap:g,h", "wait>1s", "title:o*", "|", "-(one | two)"]  # fmt: skip
    for _ in range(25):
        text = " ".join(rng.choices(pieces, k=rng.randint(1, 8)))
        try:
            parse(text)
        except QueryError:
            continue
        assert (await api.call("GET", f"/v1/tasks?q={quote(text)}")).status == 200, text
