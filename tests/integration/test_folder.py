"""The data folder: whose it is, what lies in it, and what is refused before anything is changed."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.api import Api
from support.clock import FakeClock
from support.ids import CountingIds

from taskdeck.app import RunningDeck, running_deck
from taskdeck.client import local
from taskdeck.config import Settings
from taskdeck.logs import FILE as LOG
from taskdeck.store.connect import open_writer, refusal
from taskdeck.store.errors import StoreRefused
from taskdeck.store.folder import ADMIN_TOKEN, DATABASE, LOCK, FolderLock, prepare


def _settings(data: Path) -> Settings:
    return Settings(data=data, port=0)


async def _started(data: Path) -> str:
    """Start and stop a deck; its admin token."""
    async with running_deck(_settings(data)) as running:
        async with Api(running.url, (data / ADMIN_TOKEN).read_text().strip()) as api:
            await api.post("/v1/tasks", {"tasks": [{"title": "t", "description": "x" * 500}] * 200})
        return (data / ADMIN_TOKEN).read_text()


async def _refused(data: Path) -> StoreRefused:
    before = (data / DATABASE).read_bytes()
    with pytest.raises(StoreRefused) as refused:
        async with running_deck(_settings(data)):
            pass
    assert refused.value.hint
    assert refused.value.code.startswith("data_")
    assert (data / DATABASE).read_bytes() == before
    assert not [thread for thread in threading.enumerate() if "aiosqlite" in repr(thread)]
    FolderLock.take(data).release()
    return refused.value


async def test_everything_is_its_owners_alone(tmp_path: Path) -> None:
    async with running_deck(_settings(tmp_path / "data")) as running:
        modes = {path.name: path.stat().st_mode & 0o777 for path in running.data.iterdir()}
        assert running.data.stat().st_mode & 0o777 == 0o700
    assert {DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", LOCK, ADMIN_TOKEN, "deck.sock"} <= modes.keys()
    assert set(modes.values()) == {0o600}, modes


async def test_a_second_deck_is_refused_and_told_who_has_the_folder(served: RunningDeck) -> None:
    with pytest.raises(StoreRefused) as refused:
        async with running_deck(_settings(served.data)):
            pass
    assert f"process {os.getpid()}" in refused.value.detail
    assert served.url in refused.value.detail


async def test_a_restart_keeps_everything(tmp_path: Path, clock: FakeClock) -> None:
    data = tmp_path / "data"
    async with running_deck(_settings(data), clock=clock, ids=CountingIds()) as running:
        token = (data / ADMIN_TOKEN).read_text().strip()
        async with Api(running.url, token) as api:
            await api.post("/v1/tasks", {"tasks": [{"title": "a"}, {"title": "b"}]})
            claim = await api.claim(lease_seconds=60)
            log = await api.events()
    clock.advance(30)
    again = running_deck(_settings(data), clock=clock, ids=CountingIds(1000))
    async with again as running, Api(running.url, token) as api:
        assert await api.events() == log
        await api.post(f"/v1/tasks/{claim['task']['id']}/heartbeat", {"fence": claim["fence"]})
        assert (await api.get("/v1/stats"))["counts"]["ready"] == 1
        assert (await api.create())["key"] == "T3"


@pytest.mark.parametrize("name", [DATABASE, LOCK, ADMIN_TOKEN])
@pytest.mark.parametrize("dangling", [True, False])
async def test_a_symbolic_link_is_refused(tmp_path: Path, name: str, dangling: bool) -> None:
    data, target = tmp_path / "data", tmp_path / "elsewhere"
    prepare(data)
    if not dangling:
        target.write_bytes(b"")
    (data / name).symlink_to(target)
    with pytest.raises(StoreRefused, match="symbolic link"):
        async with running_deck(_settings(data)):
            pass
    assert not target.exists() or target.read_bytes() == b""


async def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine")
    with pytest.raises(StoreRefused, match="cannot be used"):
        async with running_deck(_settings(tmp_path / "data")):
            pass
    assert (tmp_path / "data").read_text() == "mine"


def _foreign(path: Path) -> None:
    path.write_bytes(b"this is no database, but some notes\n" * 200)


def _cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


def _header_gone(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(100))


def _every_page_but_the_first_torn(path: Path) -> None:
    noise = random.Random(7337)
    with path.open("r+b") as file:
        for page in range(1, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(noise.randbytes(64))


def _changed(statement: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path)) as database:
            database.executescript(f"PRAGMA foreign_keys = OFF; {statement}")

    return damage


DAMAGES = {
    "foreign": _foreign,
    "cut short": _cut_short,
    "header gone": _header_gone,
    "torn pages": _every_page_but_the_first_torn,
    "no events": _changed("DROP TABLE events"),
    "no tokens": _changed("DROP TABLE tokens"),
    "other events": _changed("ALTER TABLE events RENAME COLUMN project TO topic"),
    "no tasks": _changed("DROP TABLE tasks"),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_database_is_refused_and_left_as_it_is(tmp_path: Path, damage: str) -> None:
    data = tmp_path / "data"
    await _started(data)
    DAMAGES[damage](data / DATABASE)
    refused = await _refused(data)
    assert str(data / DATABASE) in refused.detail


async def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    """Somebody else's SQLite file is not ours to add tables to."""
    data = tmp_path / "data"
    prepare(data)
    with closing(sqlite3.connect(data / DATABASE)) as other:
        other.execute("CREATE TABLE tasks (mine)")
        other.commit()
    refused = await _refused(data)
    assert refused.code == "data_foreign"


async def test_a_database_that_another_program_holds_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    await _started(data)
    monkeypatch.setattr("taskdeck.store.connect.LOCK_WAIT_S", 0.01)
    with closing(sqlite3.connect(data / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = await _refused(data)
    assert refused.code == "data_locked"


def _full() -> sqlite3.OperationalError:
    """What SQLite says when a database has no page left; made by one that may have no more."""
    with closing(sqlite3.connect(":memory:")) as small:
        small.execute("CREATE TABLE t (x)")
        small.execute("PRAGMA max_page_count = 3")
        with pytest.raises(sqlite3.OperationalError) as full:
            small.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 100)
    return full.value


def test_a_full_disk_is_not_called_damage(tmp_path: Path) -> None:
    assert refusal(tmp_path / DATABASE, _full()).code == "data_full"


@pytest.mark.parametrize("name", [LOCK, DATABASE, LOG])
async def test_a_file_that_is_not_ours_to_open_is_named(tmp_path: Path, name: str) -> None:
    data = tmp_path / "data"
    prepare(data)
    (data / name).mkdir()
    with pytest.raises(StoreRefused) as refused:
        async with running_deck(_settings(data)):
            pass
    assert (refused.value.code, str(data / name) in refused.value.detail) == ("data_unusable", True)


async def test_a_user_without_a_name_may_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs under a bare number."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    async with running_deck(_settings(tmp_path / "data")) as running, local(running.data) as owner:
        assert (await owner.me())["principal"] == f"uid{os.getuid()}"


async def test_a_lost_admin_token_file_does_not_stop_the_deck(tmp_path: Path) -> None:
    data = tmp_path / "data"
    await _started(data)
    (data / ADMIN_TOKEN).unlink()
    async with running_deck(_settings(data)) as running:
        assert running.socket is not None
    assert not (data / ADMIN_TOKEN).exists()


def test_the_lock_is_given_back_by_a_process_that_ends(tmp_path: Path) -> None:
    data = tmp_path / "data"
    prepare(data)
    child = os.fork()
    if child == 0:
        try:
            FolderLock.take(data)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    lock = FolderLock.take(data)
    with pytest.raises(StoreRefused, match="in use"):
        FolderLock.take(data)
    lock.release()
    FolderLock.take(data).release()


async def test_a_copy_of_a_stopped_deck_is_a_deck(tmp_path: Path) -> None:
    token = await _started(tmp_path / "data")
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    async with running_deck(_settings(tmp_path / "copy")) as running, Api(running.url, token.strip()) as api:
        assert len((await api.get("/v1/tasks?limit=200"))["tasks"]) == 200


def test_the_database_is_made_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        open_writer(tmp_path / DATABASE, 1).close()
    finally:
        os.umask(before)
    assert (tmp_path / DATABASE).stat().st_mode & 0o777 == 0o600
