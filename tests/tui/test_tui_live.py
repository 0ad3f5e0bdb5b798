"""The dashboard on a real deck: what it shows, and that it goes on showing it."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from live import Seat, client_of, deck_in, screen, seat
from textual.geometry import Size
from textual.widgets import Input

from taskdeck.client import Client
from taskdeck.demo.cast import playing
from taskdeck.tui.app import DeckApp
from taskdeck.tui.model.window import PAGE


async def test_it_shows_the_deck_and_follows_it(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        await client.create_many([{"title": f"Early {number}", "priority": number} for number in range(10, 15)])
        claim = (await client.claim("robot"))["claims"][0]
        async with seat(deck) as at:
            await at.sees("Early 14")
            assert at.shows("robot") and at.shows("● claimed 1")
            await client.create(title="Late and urgent", priority=99)
            await at.sees("Late and urgent")
            await client.heartbeat(claim["task"]["key"], claim["fence"], progress=40, detail="nearly")
            await at.sees("40 % · nearly")
            await client.complete(claim["task"]["key"], claim["fence"])
            await at.until(lambda: not at.app.model.leases())
            await at.sees("✓ done 1")


async def test_an_empty_deck_says_how_to_begin(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, seat(deck) as at:
        await at.sees("Ways to begin")
        assert at.shows("/v1/tasks") and at.shows("taskdeck add")


async def test_only_what_is_looked_at_is_loaded(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        for start in range(0, 3000, 1000):
            await client.create_many([{"title": f"T{start + number}"} for number in range(1000)])
        async with seat(deck) as at:
            await at.sees("T0")
            assert len(at.app.model.rows) == PAGE
            await at.press("G")
            await at.until(lambda: len(at.app.model.rows) > PAGE, "a second page")
            assert len(at.app.model.rows) <= 3 * PAGE
            keys = [row.number for at_line in range(len(at.app.model.window)) if (row := at.app.model.row_at(at_line))]
            assert keys == sorted(keys), "claim order across pages"


async def test_a_flood_of_new_tasks_is_not_kept(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client, seat(deck) as at:
        for start in range(0, 7000, 1000):
            await client.create_many([{"title": f"T{start + number}"} for number in range(1000)])
        await at.until(lambda: at.app.model.last_seq >= 7000 and len(at.app.model.rows) < 2000, "a trimmed window")
        await at.press("G")
        await at.until(lambda: len(at.app.model.window) > 3 * PAGE, "pages read again behind what was kept")
        rows = [row.number for line in range(len(at.app.model.window)) if (row := at.app.model.row_at(line))]
        assert rows == list(range(1, len(rows) + 1)), "no hole where the tail was let go"


async def test_detail_shows_facts_why_history_and_payload(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        made = await client.create(title="Look inside", payload={"invoice": 42}, description="Line one\nline two")
        await client.reprioritize(made["key"], 80)
        async with seat(deck, (200, 50)) as at:
            for text in ('"invoice"', "line two", "you can claim it now", "reprioritized"):
                await at.sees(text)
        async with seat(deck, (80, 24)) as at:
            await at.sees("Look inside")
            await at.press("w")
            await at.sees("you can claim it now")


async def test_filter_counts_names_its_faults_and_restores(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        await client.create_many([{"title": f"Apple {n}"} for n in range(3)] + [{"title": "Pear", "labels": ["eu"]}])
        async with seat(deck) as at:
            await at.sees("Pear")
            await at.press("slash")
            await at.type("apple")
            await at.until(lambda: at.app.model.window.known() == (3, True), "three apples")
            assert not any("Pear" in line for line in screen(at.app)[4:20])
            await at.press("escape")
            await at.until(lambda: at.app.model.window.known()[0] == 4)
            await at.press("slash")
            await at.type("colour:red")
            await at.sees("column 1: no field “colour”")
            await at.press(*["backspace"] * 10)
            await at.type("label:eu")
            await at.press("enter")
            await at.until(lambda: at.app.model.window.known() == (1, True))
            await client.create(title="Plum", labels=["eu"])
            await at.until(lambda: at.app.model.window.known() == (2, True), "a match that is created later")
            await at.press("escape")
            await at.until(lambda: not at.app.model.window.filter.terms)


async def test_the_whole_filter_language_is_asked_of_the_server(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        await client.create_many(
            [{"title": "Ours", "payload": {"tenant": "acme"}}, {"title": "Urgent", "priority": 95}, {"title": "Other"}]
        )
        async with seat(deck) as at:
            await at.sees("Other")
            await at.press("slash")
            await at.type("payload.tenant:acme | (prio>90 -is:stuck)")
            await at.press("enter")
            await at.until(lambda: at.app.model.window.known() == (2, True), "two of three")
            await client.create(title="Later", priority=99)
            await at.until(lambda: at.app.model.window.known() == (3, True), "a match that is created later")
            await at.press("slash", "tab")
            await at.type("is:st")
            await at.press("tab")
            assert at.deck.prompt.query_one(Input).value.endswith("is:stuck ")


async def test_a_filter_without_match_says_so(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        await client.create(title="Only one")
        async with seat(deck) as at:
            await at.press("colon")
            await at.type("state failed")
            await at.press("enter")
            await at.sees("nothing matches state:failed")
            assert at.shows("esc clears · 1 task without it")


async def test_the_next_problem_comes_with_its_reason(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        await client.create_many([{"title": f"T{number}", "max_attempts": 1} for number in range(3)])
        asking = (await client.claim("robot"))["claims"][0]
        await client.heartbeat(asking["task"]["key"], asking["fence"], state="waiting_input", detail="which tenant?")
        broken = (await client.claim("other"))["claims"][0]
        await client.fail(broken["task"]["key"], broken["fence"], "boom")
        async with seat(deck) as at:
            await at.sees("▲ 2 need you")
            await at.press("exclamation_mark")
            await at.sees("robot asks: which tenant?")
            assert at.deck.queue.current is not None and at.deck.queue.current.key == asking["task"]["key"]
            await at.press("exclamation_mark")
            await at.sees("failed for good: boom")
            await at.press("exclamation_mark")
            await at.sees("robot asks")


async def test_an_idle_worker_that_is_heard_is_not_shown_as_silent(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        await client.register_worker("robot", heartbeat_seconds=5)
        async with seat(deck) as at:
            await at.until(lambda: "robot" in at.app.model.workers)
            model, read = at.app.model, at.app.model.workers["robot"]
            assert not model.doubtful(0)
            model.skew_ms = 3 * read.heartbeat_ms
            assert model.doubtful(3 * read.heartbeat_ms), "not silent when it was last read, now it seems so"
            assert not model.doubtful(0), "it was so when it was last read: nothing new to ask"


async def test_frozen_rests_and_thaws(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        await client.create(title="First")
        async with seat(deck) as at:
            await at.sees("First")
            await at.press("p")
            await client.create(title="Second", priority=90)
            await at.sees("1 changes waiting")
            assert not at.shows("Second")
            await at.press("p")
            await at.sees("Second")


async def test_it_resumes_after_the_server_was_away(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    async with deck_in(folder) as deck, client_of(deck) as client:
        await client.create(title="Before")
        port = int(deck.url.rpartition(":")[2])
    async with deck_in(folder, port) as deck:
        context = seat(deck)
        at = await context.__aenter__()
        await at.sees("Before")
    try:
        await at.sees("RECONNECTING")
        assert at.shows("actions off")
        await at.press("c")
        await at.sees("not connected")
        async with deck_in(folder, port) as deck, client_of(deck) as client:
            await client.create(title="While you were away")
            await at.press("ctrl+r")
            await at.sees("● live")
            await at.sees("While you were away")
            await client.create(title="And after")
            await at.sees("And after")
    finally:
        await context.__aexit__(None, None, None)


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (60, 16), (80, 24), (120, 36), (200, 50)])
async def test_a_storm_of_resizes_leaves_it_whole(tmp_path: Path, size: tuple[int, int]) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        await client.create_many([{"title": f"T{number}"} for number in range(50)])
        async with seat(deck, (250, 70)) as at:
            for width, height in ((200, 50), (20, 5), (110, 30), (109, 29), (1, 1), (160, 16), size):
                await at.pilot.resize_terminal(width, height)
            await at.press("j", "2", "3", "4", "5", "tab", "1", "z", "z")
            await at.until(lambda: at.app.size == Size(*size))
            lines = screen(at.app)
            assert len(lines) == size[1] and {len(line) for line in lines} == {size[0]}
            await at.sees("T1" if size[0] > 20 else "live")


async def test_the_demo_at_work_at_every_size(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck:
        token = (deck.data / "admin.token").read_text("ascii").strip()
        async with playing(deck.url, token, agents=3), seat(deck, (200, 50)) as at:
            await at.until(lambda: any(row.lease and row.lease.progress for row in at.app.model.leases()), "progress")
            for width, height in ((200, 50), (120, 36), (80, 24)):
                await at.pilot.resize_terminal(width, height)
                await at.until(lambda width=width: {len(line) for line in screen(at.app)} == {width})
                held = at.app.model.leases()[0]
                await at.until(lambda held=held: at.deck.queue.select(held.id))
                for told in ("● live", "○ ready", "Queue", held.key):
                    await at.sees(told)
                events = "\n".join(screen(at.app)[-12:])
                assert re.search(r"(?m)^ \d\d:\d\d:\d\d \S \w+", events), events


async def test_leaving_at_once_where_it_is_served_elsewhere(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, seat(deck) as at:
        await at.press("q")
        await at.until(lambda: at.app.return_value == 0)


async def test_leaving_asks_where_it_serves(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, seat(deck, serving=True) as at:
        await at.press("ctrl+c")
        await at.asked()
        await at.sees("quit and stop serving")
        await at.press("enter")
        await at.until(lambda: len(at.app.screen_stack) == 1)
        assert at.app.return_value is None
        await at.press("q")
        await at.asked()
        await at.press("right", "enter")
        await at.until(lambda: at.app.return_value == 0)


async def test_a_server_that_was_killed_is_found_again_where_it_left_off(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "taskdeck", "serve", "--data", str(tmp_path / "d"), "--port", str(port)]

    async def serve() -> asyncio.subprocess.Process:
        running = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert running.stdout is not None
        async with asyncio.timeout(30):
            while b"local socket" not in await running.stdout.readline():
                assert running.returncode is None
        return running

    server = await serve()
    try:
        url, token = f"http://127.0.0.1:{port}", (tmp_path / "d" / "admin.token").read_text("ascii").strip()
        app = DeckApp(Client(url, token=token), address=url)
        async with Client(url, token=token) as other, app.run_test(size=(120, 36)) as pilot:
            at = Seat(app, pilot, other)
            await other.create(title="Before")
            await at.sees("Before")
            loads: list[int] = []
            load_all = app.feed._load_all

            async def counted(seq: int) -> None:
                loads.append(seq)
                await load_all(seq)

            app.feed._load_all = counted  # type: ignore[method-assign]
            server.kill()
            await server.wait()
            await at.sees("RECONNECTING")
            assert at.shows("actions off") and at.deck.frame.palette_of(faded=True) is at.deck.queue._palette
            await at.press("X")
            await at.sees("not connected")
            server = await serve()
            await other.create(title="While it was away")
            await at.press("ctrl+r")
            await at.sees("While it was away")
            await other.create(title="And after")
            await at.sees("And after")
            assert at.shows("● live") and at.deck.queue._palette is at.deck.frame.palette_of()
            numbers = [app.model.events.at(place) for place in range(app.model.events.first, app.model.events.end)]
            seqs = [line.seq for line in numbers if line]
            assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), "no event twice, none left out"
    finally:
        server.kill()
        await server.wait()
    assert loads == [], "it went on behind the last event it had seen"


async def test_what_has_just_come_into_a_state_is_found_there_before_it_is_counted(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        made = await client.create(title="Soon gone")
        async with seat(deck) as at:
            await at.choose(made["key"])
            at.app.feed._stats_ms = at.app.model.clock.monotonic_ms() + 60_000  # no counts meanwhile
            await client.cancel(made["key"])
            await at.until(lambda: made["id"] not in at.app.model.rows, "the event")
            assert not at.app.model.counts.get("cancelled")
            at.deck.typed_line.filter("state:cancelled", final=True)
            await at.until(lambda: at.app.model.window.find(made["id"]) is not None, "its line")
