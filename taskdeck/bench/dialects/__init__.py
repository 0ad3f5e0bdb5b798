"""How each dialect claims and completes under load: one module a dialect.

A module has `TASK`, the document of the native API by which its tasks are made; `prepare(site, client)`, which sets up
what its claimers need; and `cycles(site, number)`, the script of one connection: claim a task, complete it, again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from taskdeck.bench.line import Script, Site
from taskdeck.client import Client


@dataclass(frozen=True, slots=True)
class Tongue:
    """What a module of this package offers."""

    name: str
    task: dict[str, Any]
    prepare: Callable[[Site, Client], Awaitable[None]]
    cycles: Callable[[Site, int], Script]


def tongue(name: str) -> Tongue:
    """The dialect `name` under load.

    Raises:
        ModuleNotFoundError: there is none of that name.
    """
    module = import_module(f"{__name__}.{name}")
    return Tongue(name, module.TASK, module.prepare, module.cycles)
