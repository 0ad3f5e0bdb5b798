"""`taskdeck events --follow`: nothing missed, nothing twice, across a server that goes and comes back."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from processes import PATIENCE, TASKDECK, environment, serving

pytestmark = pytest.mark.acceptance


@contextmanager
def _following(*args: str, **env: str) -> Iterator[queue.Queue[dict[str, Any]]]:
    lines: queue.Queue[dict[str, Any]] = queue.Queue()
    process = subprocess.Popen(
        [*TASKDECK, "events", "--follow", "--json", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(**env),
    )

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(json.loads(line))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield lines
    finally:
        process.terminate()
        process.wait(PATIENCE)
        reader.join(PATIENCE)
        assert process.stdout is not None
        process.stdout.close()


def test_following_begins_with_the_past_and_filters(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as deck:
        key = deck.ask("create", title="first")["key"]
        deck.ask("create", title="second")
        with _following(key, "--type", "reprioritized", TASKDECK_DATA=str(deck.data)) as lines:
            deck.json("reprioritize", key, "51")
            deck.json("cancel", key)
            deck.json("reprioritize", deck.ask("create", title="third")["key"], "52")
            event = lines.get(timeout=PATIENCE)
            assert (event["task"]["key"], event["facts"]["to"]) == (key, 51)
            assert lines.empty()


def test_following_resumes_after_a_restart_of_the_server(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as deck:
        deck.ask("create", title="before")
        token, port = deck.token("reader"), deck.url.rsplit(":", 1)[1]
        following = _following("--after", "0", TASKDECK_URL=deck.url, TASKDECK_TOKEN=token)
        lines = following.__enter__()
        first = lines.get(timeout=PATIENCE)
    try:
        with serving(data, "--port", port) as deck:
            key = deck.ask("create", title="after")["key"]
            seen = [first["seq"]]
            while True:
                event = lines.get(timeout=PATIENCE)
                seen.append(event["seq"])
                if event["task"] and event["task"]["key"] == key:
                    break
            assert seen == list(range(1, len(seen) + 1))
    finally:
        following.__exit__(None, None, None)
