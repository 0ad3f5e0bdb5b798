"""How `--help` names what stands behind an option: TEXT, N or FILE, and nothing behind a flag."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

_WORDS = {"<str>": "TEXT", "<list[str]>": "TEXT", "<int>": "N", "<float>": "N", "<path>": "FILE"}


def _worded(params: list[Any], context: Any) -> list[Any]:
    """`params`, those without a word of their own given one."""
    for param in params:
        if param.metavar is not None:
            continue
        if isinstance(param, TyperArgument):
            param.metavar = str(param.name).upper()
        elif isinstance(param, TyperOption):
            kind = param.display_type(context).replace(" range", "")
            param.metavar = "" if param.is_flag else _WORDS.get(kind)
    return params


class Command(TyperCommand):
    """A command with such help."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The command's options and arguments."""
        return _worded(super().get_params(ctx), ctx)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What stands in the usage: what must be given without brackets."""
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]


class Group(TyperGroup):
    """A group of commands with such help."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The group's options."""
        return _worded(super().get_params(ctx), ctx)


def word(app: typer.Typer) -> None:
    """Give all commands of `app`, and those in its groups, such help."""
    app.info.cls = Group
    for command in app.registered_commands:
        command.cls = Command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            word(group.typer_instance)
