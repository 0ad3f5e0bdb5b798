"""What `--help` says: every command, argument and option is explained, and a flag takes no value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from taskdeck.cli.app import build


def _commands(command: Any, name: str = "taskdeck") -> Iterator[tuple[str, Any]]:
    yield name, command
    for inner, sub in getattr(command, "commands", {}).items():
        yield from _commands(sub, f"{name} {inner}")


COMMANDS = dict(_commands(get_command(build())))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    command = COMMANDS[name]
    context = command.make_context(name, [], resilient_parsing=True)
    assert command.help
    for param in command.get_params(context):
        shown = param.display_type_rich(ctx=context)
        if param.param_type_name == "option":
            assert param.help, f"{name} {param.opts[0]}"
            assert (shown == "") == param.is_flag, (param.opts, shown)
            assert "<str>" not in (shown or "")
            assert "bool" not in (shown or "")
    assert "{" not in command.get_usage(context)
