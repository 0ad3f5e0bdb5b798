"""A first start that is killed at any moment leaves a folder on which the next start works."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.server import environment, server

ROUNDS = 5
PATIENCE_S = 20.0


@pytest.mark.timeout(120)
async def test_the_admin_token_opens_the_deck_after_a_killed_first_start(tmp_path: Path) -> None:
    chance = random.Random(7337)
    for number in range(ROUNDS):
        data = tmp_path / f"data{number}"
        _kill_when_something_is_there(data, chance.random() * 0.02)
        async with server(data) as deck, deck.api() as api:
            assert (await api.get("/v1/me"))["role"] == "admin"
            assert (await api.create())["key"] == "T1"


def _kill_when_something_is_there(data: Path, later: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "taskdeck", "serve", "--data", str(data), "--port", "0"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(),
    )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not (data / "deck.db-wal").exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.0005)
        time.sleep(later)
    finally:
        process.kill()
        process.wait()
