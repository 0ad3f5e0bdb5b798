"""Who is authenticated, and how far they reach."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from taskdeck.domain.errors import Forbidden
from taskdeck.domain.via import NATIVE


class Role(StrEnum):
    """What a principal may do; each role may do all that those before it may."""

    READER = "reader"
    AGENT = "agent"
    OPERATOR = "operator"
    ADMIN = "admin"

    def reaches(self, needed: Role) -> bool:
        """Whether this role is `needed` or above it."""
        return _RANK[self] >= _RANK[needed]


_RANK = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Principal:
    """A token's owner. `projects` is None for all projects; `via` is the interface this call came by.

    `worker` is the one worker that it may act as; None for any of its own. `token` is the number of the token that was
    shown, if one was: the same principal by whichever.
    """

    name: str
    role: Role
    capabilities: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    projects: frozenset[str] | None = None
    via: str = NATIVE
    worker: str | None = None
    token: int | None = field(default=None, compare=False)

    def sees(self, project: str) -> bool:
        """Whether the principal is let into `project`."""
        return self.projects is None or project in self.projects

    def speaks_for(self, worker: str | None) -> bool:
        """Whether the principal's token lets it act as `worker`, as far as that goes by itself."""
        return self.worker is None or self.worker == worker

    def is_operator(self) -> bool:
        return self.role.reaches(Role.OPERATOR)

    def require(self, role: Role, act: str) -> None:
        """Refuse `act` unless the principal's role reaches `role`.

        Raises:
            Forbidden: it does not.
        """
        if not self.role.reaches(role):
            raise Forbidden(
                f"{act} needs the role {role}; {self.name} has {self.role}",
                hint="Ask an operator, or use a token with that role.",
            )
