"""What requests about tokens and passes may say."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from taskdeck.domain.principal import Role
from taskdeck.http.models import Body, Name, Names, ProjectName
from taskdeck.service.passes import DEFAULT_LIFE_S, MAX_LIFE_S


def _secret(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("a secret has printable ASCII characters and no spaces")
    return text


class CreatePass(Body):
    """For how long a pass is to hold."""

    life_seconds: Annotated[int, Field(ge=1, le=MAX_LIFE_S)] = DEFAULT_LIFE_S


class CreateToken(Body):
    """A token for a principal, who is made with these rights if new. `projects` null lets it into all.

    `secret` takes over one that clients have from elsewhere.
    """

    principal: Name
    role: Role
    projects: Annotated[frozenset[ProjectName], Field(max_length=100)] | None = None
    capabilities: Names = frozenset()
    groups: Names = frozenset()
    expires_in_seconds: Annotated[float, Field(ge=1, le=timedelta(days=3650).total_seconds())] | None = None
    secret: Annotated[str, Field(min_length=32, max_length=255), AfterValidator(_secret)] | None = None
