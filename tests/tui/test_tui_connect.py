"""Looking at another deck: asked who one is there, let in or not, and home again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from live import Seat, client_of, deck_in, screen, seat
from textual.widgets import Input

from taskdeck.app import RunningDeck


@pytest.fixture
async def decks(tmp_path: Path) -> AsyncIterator[tuple[RunningDeck, RunningDeck]]:
    async with deck_in(tmp_path / "a") as here, deck_in(tmp_path / "b") as there:
        async with client_of(here) as client:
            await client.create(title="Task of here")
        async with client_of(there) as client:
            await client.create(title="Task of there")
        yield here, there


def text(at: Seat) -> str:
    return "\n".join(screen(at.app))


async def connect(at: Seat, place: str, token: str | None = None) -> None:
    """`:connect`, as far as the answer; without a token the form is left open."""
    await at.press("colon")
    at.deck.prompt.query_one(Input).value = f"connect {place}"
    await at.press("enter")
    await at.asked()
    if token is not None:
        at.app.screen.query_one("#f-token", Input).value = token
        await at.press("enter")


async def test_to_another_deck_and_home_again(decks: tuple[RunningDeck, RunningDeck]) -> None:
    here, there = decks
    async with client_of(there) as other:
        token = (await other.create_token("robin", "reader"))["secret"]
    async with seat(here) as at:
        await at.sees("Task of here")
        await at.press("space", "T")
        theme, feed = at.app.theme, at.app.feed
        await connect(at, there.url)
        assert at.app.screen.query_one("#f-place", Input).value == there.url
        assert at.app.focused is at.app.screen.query_one("#f-token", Input)
        at.app.screen.query_one("#f-token", Input).value = token
        await at.pilot.pause()
        assert token not in text(at) and here.url in text(at), "the token is not shown; where one is, is"
        await at.press("enter")
        await at.sees("Task of there")
        await at.until(lambda: at.app.model.link.state == "live")
        assert at.app.feed is not feed and not at.app.model.marks and at.app.theme == theme
        assert there.url in screen(at.app)[0] and at.app.model.me == "robin"

        await at.press("n")
        await at.sees("robin is reader: create needs agent")
        async with client_of(there) as client:
            await client.create(title="Later there")
        await at.sees("Later there")

        await at.press("colon")
        at.deck.prompt.query_one(Input).value = "connect home"
        await at.press("enter")
        await at.sees("Task of here")
        await at.until(lambda: at.app.model.link.state == "live")
        assert len(at.app.screen_stack) == 1 and at.app.model.role == "admin"
        workers = [worker for worker in at.app.workers if worker.group == "feed" and worker.is_running]
        assert len(workers) == 1, "one deck is followed"


async def test_a_deck_of_this_machine_needs_its_folder_alone(decks: tuple[RunningDeck, RunningDeck]) -> None:
    here, there = decks
    async with seat(here) as at:
        await at.sees("Task of here")
        await connect(at, str(there.data), "")
        await at.sees("Task of there")


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("http://127.0.0.1:1", "no deck answers at http://127.0.0.1:1"),
        ("ftp://x", "ftp://x: a deck's address looks like http://127.0.0.1:7337"),
        ("/nowhere", "no deck serves /nowhere"),
        ("~nobody-at-all/x", "Could not determine home directory"),
        ("THERE", "unauthorized"),
    ],
)
async def test_where_no_deck_lets_one_in_it_stays_and_says_why(
    decks: tuple[RunningDeck, RunningDeck], place: str, why: str
) -> None:
    here, there = decks
    async with seat(here) as at:
        await at.sees("Task of here")
        await connect(at, there.url if place == "THERE" else place, "td_wrong")
        await at.until(lambda: len(at.app.screen_stack) == 2 and why in text(at).replace("\n", ""), why)
        await at.press("escape")
        await at.sees("Task of here")
        assert "still at" in screen(at.app)[-1]
        async with client_of(here) as client:
            await client.create(title="Still followed")
        await at.sees("Still followed")


async def test_home_is_where_it_is_and_a_serving_process_says_what_leaving_means(
    decks: tuple[RunningDeck, RunningDeck],
) -> None:
    here, there = decks
    async with seat(here, serving=True) as at:
        at.deck.outside.connect("home")
        assert at.shows("this is the deck it was opened on")
        at.deck.outside.connect("")
        await at.asked()
        assert "The deck of this process is served on" in text(at)
        await at.press("escape")
        await connect(at, str(there.data), "")
        await at.sees("Task of there")
        await at.press("q")
        await at.asked()
        assert f"also serves the deck at {here.url}" in text(at)
        await at.press("escape")


def demos(folder: Path) -> list[Path]:
    return list(folder.glob("taskdeck-demo-*"))


def script(file: Path, text: str) -> None:
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o700)


async def test_a_throw_away_deck_is_opened_beside_an_empty_one_and_gone_when_it_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("TASKDECK_PORT", "1")  # meant for the deck of this process, not for the other
    async with deck_in(tmp_path / "own") as own, client_of(own) as client:
        async with seat(own, serving=True) as at:
            await at.sees("An empty deck")
            assert ":demo" in text(at)
            before = (await client.stats())["last_seq"]
            at.deck.outside.demo()
            await at.asked()
            assert "nothing of it is touched; it is served on" in text(at) and own.url in text(at)
            await at.press("enter")
            await at.until(lambda: len(at.app.screen_stack) == 1, "whose first choice is to stay")
            assert not demos(tmp_path)

            at.deck.outside.demo()
            await at.asked()
            await at.press("right", "enter")
            await at.until(lambda: at.app.model.throwaway and at.app.model.link.state == "live", "the other deck")
            await at.until(lambda: at.app.model.counts.get("ready", 0) > 100 and at.app.model.leases(), "life on it")
            await at.until(lambda: "throw-away deck" in screen(at.app)[0])
            (folder,) = demos(tmp_path)
            at.deck.outside.demo()
            await at.sees("this is a throw-away deck already")
            await at.press("n")
            await at.asked()
            await at.press("escape")

            at.deck.outside.connect("home")
            await at.sees("An empty deck")
            await at.until(lambda: not folder.exists(), "nothing left of it")
            assert not at.app.model.throwaway and (await client.stats())["last_seq"] == before

            at.deck.outside.demo()
            await at.asked()
            await at.press("right", "enter")
            await at.until(lambda: at.app.model.throwaway and at.app.model.link.state == "live", "another one")
        assert not demos(tmp_path), "leaving the dashboard ends it too"


async def test_a_demo_that_cannot_begin_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with deck_in(tmp_path / "own") as own, seat(own) as at:
        script(tmp_path / "python", "echo taskdeck: no room for it >&2; exit 1")
        monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
        at.deck.outside.demo()
        await at.asked()
        await at.press("right", "enter")
        await at.sees("the demo did not begin: taskdeck: no room for it")
        assert at.app.model.link.state == "live" and not at.app.model.throwaway
