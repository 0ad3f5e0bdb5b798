"""The rules of what is said beside tasks a second time, as plainly as they can be said, to hold the real ones against.

Nothing of `taskdeck` is used here. Each verb returns the code of the refusal it expects, or None when it has changed
the model; `events` counts what must have been left.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Speaker:
    """A principal."""

    name: str
    operator: bool = False
    projects: frozenset[str] | None = None


@dataclass
class Said:
    """All that is said beside one task; `holder` and `detail` are of its claim, `handoff` its note and whose it is."""

    project: str
    comments: dict[int, tuple[str, str]] = field(default_factory=dict)
    links: dict[tuple[str, str | None, str], int] = field(default_factory=dict)
    attachments: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    version: int = 0
    ledger: list[tuple[int, str, str, Any, str, str]] = field(default_factory=list)
    holder: str | None = None
    detail: str | None = None
    handoff: tuple[str, str] | None = None


@dataclass
class AsideModel:
    """What is said, by the task's key."""

    tasks: dict[str, Said] = field(default_factory=dict)
    events: int = 0

    def _refuse(self, who: Speaker, key: str) -> str | None:
        unseen = who.projects is not None and self.tasks[key].project not in who.projects
        return "unknown_task" if unseen else None

    def _happened(self) -> None:
        self.events += 1

    def comment(self, who: Speaker, key: str, number: int, text: str) -> str | None:
        refused = self._refuse(who, key)
        if refused is None:
            self.tasks[key].comments[number] = (who.name, text)
            self._happened()
        return refused

    def change_comment(self, who: Speaker, key: str, number: int, text: str | None) -> str | None:
        """Mend it, or take it back with None."""
        refused = self._refuse(who, key)
        if refused:
            return refused
        comments = self.tasks[key].comments
        if number not in comments:
            return "unknown_comment"
        author, before = comments[number]
        if author != who.name and not who.operator:
            return "forbidden"
        if text is None:
            del comments[number]
        elif text == before:
            return None
        else:
            comments[number] = (author, text)
        self._happened()
        return None

    def link(self, who: Speaker, key: str, name: tuple[str, str | None, str], number: int) -> str | None:
        refused = self._refuse(who, key)
        if refused is None and name not in self.tasks[key].links:
            self.tasks[key].links[name] = number
            self._happened()
        return refused

    def unlink(self, who: Speaker, key: str, number: int) -> str | None:
        refused = self._refuse(who, key)
        if refused:
            return refused
        links = self.tasks[key].links
        found = next((name for name, known in links.items() if known == number), None)
        if found is None:
            return "unknown_link"
        del links[found]
        self._happened()
        return None

    def attach(self, who: Speaker, key: str, name: str, value: Any) -> str | None:
        refused = self._refuse(who, key)
        if refused is None:
            self.tasks[key].attachments[name] = value
            self._happened()
        return refused

    def detach(self, who: Speaker, key: str, name: str) -> str | None:
        refused = self._refuse(who, key)
        if refused:
            return refused
        if name not in self.tasks[key].attachments:
            return "unknown_attachment"
        del self.tasks[key].attachments[name]
        self._happened()
        return None

    def tell(
        self, who: Speaker, key: str, patch: dict[str, Any], remove: list[str], source: str, version: int | None
    ) -> str | None:
        refused = self._refuse(who, key)
        if refused:
            return refused
        if source in ("stated", "imported") and not who.operator:
            return "forbidden"
        said = self.tasks[key]
        if version not in (None, said.version):
            return "version_conflict"
        if set(remove) & set(patch):
            return "invalid_request"
        gone = sorted(set(remove) & set(said.context))
        if not patch and not gone:
            return None
        said.version += 1
        for name, value in patch.items():
            _lay(said.context, name, value)
            told = copy.deepcopy(said.context[name])
            said.ledger.append((said.version, name, "set", told, source, who.name))
        for name in gone:
            del said.context[name]
            said.ledger.append((said.version, name, "removed", None, source, who.name))
        self._happened()
        return None

    def retract(self, who: Speaker, key: str, name: str) -> str | None:
        refused = self._refuse(who, key)
        if refused:
            return refused
        said = self.tasks[key]
        acts = [entry[2] for entry in said.ledger if entry[1] == name]
        if not acts or acts[-1] != "set":
            return "unknown_key"
        said.ledger.append((said.version, name, "retracted", None, "inferred", who.name))
        self._happened()
        return None

    def claim(self, key: str, worker: str) -> None:
        said = self.tasks[key]
        if said.holder is not None and said.detail:
            said.handoff = (said.detail, said.holder)
        said.holder, said.detail = worker, None
        self._happened()

    def report(self, key: str, detail: str) -> None:
        self.tasks[key].detail = detail
        self._happened()

    def give_up(self, key: str, note: str | None) -> None:
        """Released or failed."""
        said = self.tasks[key]
        words = note or said.detail
        if words and said.holder is not None:
            said.handoff = (words, said.holder)
        said.holder = said.detail = None
        self._happened()


def _lay(target: dict[str, Any], name: str, value: Any) -> None:
    if isinstance(value, dict):
        if not isinstance(target.get(name), dict):
            target[name] = {}
        for inner, below in value.items():
            _lay(target[name], inner, below)
    else:
        target[name] = value
