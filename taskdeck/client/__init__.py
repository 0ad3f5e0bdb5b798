"""The async client of a deck: one method per route, named by its verb."""

from __future__ import annotations

import os
from pathlib import Path

import orjson

from taskdeck.client.beside import BesideCalls
from taskdeck.client.operating import OperatingCalls
from taskdeck.client.tasks import TaskCalls
from taskdeck.client.transport import BEAT, ApiError, Beat, Json, Unreachable, one_act
from taskdeck.client.worker_socket import SocketCalls, WorkerSocket

__all__ = ["BEAT", "ApiError", "Beat", "Client", "Json", "Unreachable", "WorkerSocket", "local", "one_act"]


class Client(TaskCalls, BesideCalls, OperatingCalls, SocketCalls):
    """Every route of a deck as a method; see `transport.Transport` for what all of them may raise."""


def local(data: Path, *, token: str | None = None, timeout: float = 30, attempts: int = 1) -> Client:
    """A client of the deck that serves the folder `data`: over its socket, else by address and admin token.

    A `token` is used where given, in place of the socket, on which every caller is the deck's administrator.

    Raises:
        Unreachable: no deck serves that folder now, or this user may not read how to reach it.
    """
    hint = "start one with `taskdeck serve`, or name a deck elsewhere with --url and --token"
    try:
        lock = orjson.loads((data / "deck.lock").read_bytes())
        pid, url, socket = int(lock["pid"]), str(lock["url"]), lock.get("socket")
    except (FileNotFoundError, NotADirectoryError):
        raise Unreachable(f"no deck serves {data}", hint) from None
    except OSError as error:
        raise Unreachable(f"{data}/deck.lock cannot be read ({error.strerror})", hint) from None
    except (ValueError, KeyError, TypeError):
        raise Unreachable(f"no deck serves {data} now", hint) from None
    if not _alive(pid):
        raise Unreachable(f"no deck serves {data}: the last one (process {pid}) has ended", hint)
    if token is None:
        if socket and Path(socket).exists():
            return Client(socket=Path(socket), timeout=timeout, attempts=attempts)
        try:
            token = (data / "admin.token").read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Unreachable(f"{data}/admin.token cannot be read ({error})", hint) from None
    return Client(url, token=token, timeout=timeout, attempts=attempts)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
