"""The documents tell the truth: what is generated is up to date, and nothing public is left out."""

from __future__ import annotations

import inspect
import re
from importlib.resources import files

import pytest

from taskdeck.client import Client
from taskdeck.domain import errors
from taskdeck.domain.query import FIELDS, FLAGS
from taskdeck.domain.states import EVENT_OF
from taskdeck.domain.tables import transitions_table
from taskdeck.http.codes import CODES, codes_table
from taskdeck.http.native import all_routes
from taskdeck.mcp.tools import tools_table
from taskdeck.tui.keys import keys_table

DOCS = files("taskdeck.docs")


def page(name: str) -> str:
    return DOCS.joinpath(name).read_text(encoding="utf-8")


def test_the_transition_table_is_that_of_the_code() -> None:
    shown = page("state-machine.md").partition("<!-- generated: transitions -->\n")[2].partition("<!-- end -->")[0]
    assert shown.strip() == transitions_table(), "run: python -m taskdeck.docs"


def test_the_keys_in_the_documents_are_those_of_the_dashboard() -> None:
    text = (DOCS / "keys.md").read_text(encoding="utf-8")
    shown = text.partition("<!-- generated: keys -->")[2].partition("<!-- end -->")[0]
    assert shown.strip() == keys_table(), "run: python -m taskdeck.docs"


def test_the_tools_in_the_documents_are_those_of_the_code() -> None:
    shown = page("mcp.md").partition("<!-- generated: tools -->")[2].partition("<!-- end -->")[0]
    assert shown.strip() == tools_table(), "run: python -m taskdeck.docs"


@pytest.mark.parametrize("route", all_routes(), ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_described(route) -> None:
    assert f"`{route.method} {route.path}`" in page("api.md")


@pytest.mark.parametrize("event", sorted(EVENT_OF.values()))
def test_every_event_of_a_task_is_described(event: str) -> None:
    assert f"`{event}`" in page("api.md")


def test_every_event_that_is_left_is_described() -> None:
    sources = [path.read_text("utf-8") for path in files("taskdeck.service").iterdir() if path.name.endswith(".py")]
    left = {
        name for source in sources for name in re.findall(r'"((?:task|project|worker|token|clock)\.[a-z_]+)"', source)
    }
    assert {"task.commented", "task.context_changed", "project.paused", "clock.jumped"} <= left
    assert sorted(name for name in left if f"`{name}`" not in page("api.md")) == []


def test_the_filter_language_is_described_whole() -> None:
    table = page("api.md").partition("#### The filter language")[2].partition("\n### ")[0]
    for name in FIELDS:
        assert f"`{name}" in table, name
    for flags in FLAGS.values():
        assert all(f"`{flag}`" in table for flag in flags)


def test_every_error_code_is_described() -> None:
    sources = [
        path.read_text(encoding="utf-8")
        for ring in ("http", "service")
        for path in files(f"taskdeck.{ring}").iterdir()
        if path.name.endswith(".py")
    ]
    codes = {cls.code for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, errors.DeckError)}
    for source in sources:
        codes |= set(re.findall(r'code="([a-z_]+)"', source))
        codes |= set(re.findall(r'Problem\(\s*\d{3},\s*"([a-z_]+)"', source))
    missing = sorted(code for code in codes - {"conflict"} if f"`{code}`" not in page("api.md"))
    assert not missing
    assert codes - {"conflict"} <= {code for known in CODES.values() for code in known}
    for source in sources:
        for status, code in re.findall(r'Problem\(\s*(\d{3}),\s*"([a-z_]+)"', source):
            assert code in CODES[int(status)], code


def test_the_codes_in_the_documents_are_those_of_the_code() -> None:
    shown = page("api.md").partition("<!-- generated: codes -->")[2].partition("<!-- end -->")[0]
    assert shown.strip() == codes_table(), "run: python -m taskdeck.docs"


def test_every_method_of_the_client_says_what_it_returns() -> None:
    methods = dict(inspect.getmembers(Client, inspect.isfunction))
    assert len(methods) > 80
    assert [name for name, method in methods.items() if not name.startswith("_") and not method.__doc__] == []
