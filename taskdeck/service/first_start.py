"""What a deck must have before anybody can use it: a project, and a token that lets an admin in."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.project import DEFAULT_PROJECT
from taskdeck.service.projects import create_project
from taskdeck.service.tokens import Keyring, create_token
from taskdeck.store.folder import ADMIN_TOKEN, write_private
from taskdeck.store.unit import Unit

ADMIN = "admin"


def local_principal() -> Principal:
    """Who calls over the local socket, which only the server's own user can open."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as containers have them
        name = f"uid{os.getuid()}"
    return Principal(name, Role.ADMIN)


def furnish(unit: Unit, keyring: Keyring, folder: Path) -> None:
    """Make the first project if there is none of its name, and an admin's token, into a file, if none is valid."""
    owner = Principal(ADMIN, Role.ADMIN)
    if DEFAULT_PROJECT not in unit.mirror.projects:
        create_project(unit, owner, DEFAULT_PROJECT, "T", {})
    if not any(token.valid(unit.now) and token.principal.role is Role.ADMIN for token in keyring.all()):
        _, secret = create_token(unit, keyring, owner, owner, None)
        # before the commit: a file without its token is mended at the next start, a token without its file never
        write_private(folder / ADMIN_TOKEN, f"{secret}\n")
