"""The filter of the event log: read, asked of the log page by page, and of events in memory, with one answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from support.api import Api

from taskdeck.domain.event_query import EventQuery, parse
from taskdeck.domain.query import QueryError
from taskdeck.http import events as routes
from taskdeck.store import event_listing

FILTERS = (
    "type:clai", "type:task.comp,proj", 'type:"task.claimed"', 'type:"task.claim"',
    "type:claimed", "type:task.*", "type:CLAIMED,completed", "-type:task.*", "actor:admin", "actor:a-*", "worker:w1",
    "worker:W*", "project:side", "key:T3", "key:T*", "-key:T1 type:created", 'worker:"w 2"', "T3", "w1",
    "-w1 type:claimed", "type:task.claimed actor:admin worker:w1", "nothing-like-it", "type:[x]", "key:T?", "",
)  # fmt: skip


async def _fill(api: Api) -> list[dict[str, Any]]:
    await api.post("/v1/projects", {"name": "side"})
    token = await api.token_for("agent", "a-bot")
    for number in range(6):
        await api.create(f"title {number}", project="side" if number % 2 else "default")
    for name in ("w1", "w 2", "W3"):
        held = await api.claim(name)
        await api.post(f"/v1/tasks/{held['task']['key']}/complete", {"fence": held["fence"]})
    await api.post("/v1/tasks", {"title": "by a bot"}, token=token)
    return (await api.get("/v1/events?limit=1000"))["events"]


def _admits(query: EventQuery, event: dict[str, Any]) -> bool:
    key = (event["task"] or {}).get("key", "")
    named = event["type"], event["actor"], event["worker"] or "", event["project"] or "", key
    return query.admits(*named, str(event))


async def _pages(api: Api, path: str, way: str) -> list[int]:
    found: list[int] = []
    place = "" if way == "after" else "&before=99999"
    while True:
        page = await api.get(f"{path}{place}")
        seqs = [event["seq"] for event in page["events"]]
        found = [*found, *seqs] if way == "after" else [*seqs, *found]
        following = page[f"next_{way}"]
        if following is None:
            return found
        place = f"&{way}={following}"


async def test_the_log_is_filtered_as_events_in_memory_are(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = await _fill(api)
    for looked in (50_000, 4):
        for module in (routes, event_listing):
            monkeypatch.setattr(module, "EVENTS_LOOKED", looked)
        for text in FILTERS:
            wanted = [event["seq"] for event in everything if _admits(parse(text), event)]
            assert (text in ('type:"task.claim"', "nothing-like-it", "type:[x]", "key:T?")) is (wanted == [])
            path = f"/v1/events?limit=3&q={quote(text)}"
            assert await _pages(api, path, "after") == wanted, text
            if text and looked == 4:
                monkeypatch.setattr(routes, "EVENTS_LOOKED", 99_990)
                monkeypatch.setattr(event_listing, "EVENTS_LOOKED", 99_990)
            if text:
                assert await _pages(api, path, "before") == wanted, text


@pytest.mark.parametrize(
    ("text", "column", "told"),
    [
        ("colour:red", 1, "there are type:"), ("typ:x", 1, "did you mean type:"), ("a type:", 3, "type"),
        ('a "b', 3, "quotation"), ('""', 1, "nothing stands"), ("type:,", 1, "what"), ("x " * 40, 65, "terms"),
        ("key:*****", 1, "stars"), ("x" * 501, 501, "characters"), ("key:" + "a," * 51 + "a", 1, "values"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_column(text: str, column: int, told: str) -> None:
    with pytest.raises(QueryError, match=f"column {column}: .*{told}"):
        parse(text)


async def test_a_page_of_a_filter_looks_at_so_many_events(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = await _fill(api)
    for module in (routes, event_listing):
        monkeypatch.setattr(module, "EVENTS_LOOKED", 5)
    last = everything[-1]["seq"]
    page = await api.get(f"/v1/events?before={last + 1}&q=nothing-like-it")
    assert page == {"events": [], "next_after": None, "next_before": last - 4}
    assert (await api.get("/v1/events?q=nothing-like-it")) == {"events": [], "next_after": 5}
    assert (await api.get("/v1/events?before=4&q=nothing-like-it"))["next_before"] is None
    assert "next_before" not in await api.get("/v1/events?before=4")


@pytest.mark.parametrize("narrow", ["type=task.cancelled", "project=side", "type=no.such"])
async def test_what_is_rare_in_the_log_is_read_in_short_pages(
    api: Api, monkeypatch: pytest.MonkeyPatch, narrow: str
) -> None:
    everything = await _fill(api)
    name, value = narrow.split("=")
    wanted = [event["seq"] for event in everything if event[name] == value]
    for module in (routes, event_listing):
        monkeypatch.setattr(module, "EVENTS_LOOKED", 4)
    forwards, after = list[int](), ""
    for _ in everything:
        page = await api.get(f"/v1/events?limit=2&{narrow}{after}")
        forwards += [event["seq"] for event in page["events"]]
        after = f"&after={page['next_after']}"
        if page["next_after"] is None:
            break
    backwards, before = list[int](), 2**40
    while before is not None:
        page = await api.get(f"/v1/events?limit=2&{narrow}&before={before}")
        backwards = [event["seq"] for event in page["events"]] + backwards
        before = page["next_before"]
    assert forwards == backwards == wanted
