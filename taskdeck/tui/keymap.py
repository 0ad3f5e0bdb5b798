"""Keys of the user's own in place of those of the action table. A clash is told, and the entry does not count."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from textual.binding import Binding

from taskdeck.environment import nearest
from taskdeck.tui.actions import BY_ID, TABLE, Action

_NAME = re.compile(r"[a-z0-9_]{1,24}(\+[a-z0-9_]{1,24}){0,3}")
KEYS_MOST = 4
"""Most keys for one action."""


@dataclass(frozen=True)
class Keymap:
    """The user's keys by action, as they were written."""

    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def shown(self, action: Action) -> str:
        """How the keys of an action are listed."""
        return " ".join(self.own[action.id]) if action.id in self.own else action.shown

    def bindings(self) -> dict[str, str]:
        """For `App.set_keymap`: keys by the id of the binding."""
        return {f"deck.{action}": ",".join(map(key_name, keys)) for action, keys in self.own.items()}

    @classmethod
    def of(cls, told: Mapping[str, Any], fault: Callable[[str], None]) -> Keymap:
        """From a table of action to key or keys; `fault` is told what does not count."""
        own: dict[str, tuple[str, ...]] = {}
        bound = [action.id for action in TABLE if action.keys]
        for name, value in told.items():
            keys = tuple(value) if isinstance(value, list) else (value,)
            if name not in bound:
                fault(
                    f"no key leads to “{name}”; {nearest(name, bound) if len(name) > 2 else ':help lists the actions'}"
                )
            elif not 0 < len(keys) <= KEYS_MOST or not all(_is_key(key) for key in keys):
                fault(
                    f"keys.{name}: {value!r} is no key, such as “x”, “f9” or “ctrl+x”, nor a list of up to {KEYS_MOST}"
                )
            else:
                own[name] = keys
        while clash := _clash(own):
            name, key, other = clash
            del own[name]
            fault(f"keys.{name}: “{key}” means {BY_ID[other].id} already, so it stays {BY_ID[name].shown}")
        return cls(own)


_in_use: ContextVar[Keymap] = ContextVar("keymap", default=Keymap())  # noqa: B039 - it never changes


def use(keymap: Keymap) -> None:
    """From now on, in this context and those begun in it, these are the keys that hints name."""
    _in_use.set(keymap)


def key(action: str) -> str:
    """What a hint calls the key of an action, by its id: the user's own, or else the one of the table."""
    return _in_use.get().shown(BY_ID[action]).partition(" ")[0]


def key_name(key: str) -> str:
    """A key by the name under which it is pressed."""
    return next(iter(Binding.make_bindings([Binding(key if key != "," else "comma", "")]))).key


def _is_key(key: object) -> bool:
    return isinstance(key, str) and (_NAME.fullmatch(key) is not None or (len(key) == 1 and key.isprintable()))


def _clash(own: Mapping[str, tuple[str, ...]]) -> tuple[str, str, str] | None:
    """The last entry with a key that another action has, that key, and the other action."""
    taken: dict[str, str] = {}
    for action in TABLE:
        if action.id not in own:
            taken.update(dict.fromkeys(action.keys, action.id))
    for name, keys in own.items():
        for key in keys:
            other = taken.setdefault(key_name(key), name)
            if other != name:
                return name, key, other
    return None
