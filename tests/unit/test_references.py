"""What the documents refer to is there: links and their headings, files, commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from taskdeck.cli.app import build

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "taskdeck" / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
FILE = re.compile(r"`((?:taskdeck|tests|screenshots|\.ci)/[\w./-]*)`")
COMMAND = re.compile(r"(?:^|`|\$ |bin/|&& )taskdeck ([a-z]+)", re.MULTILINE)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def test_the_pages_are_found() -> None:
    assert len(PAGES) > 10
    assert "operating.md" in {page.name for page in PAGES}


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text("utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


@each_page
def test_files_that_are_named_exist(page: Path) -> None:
    for name in FILE.findall(page.read_text("utf-8")):
        assert (ROOT / name).exists(), name


@each_page
def test_commands_that_are_shown_exist(page: Path) -> None:
    app = build()
    known = {one.name for one in (*app.registered_commands, *app.registered_groups)}
    assert "serve" in known
    for name in COMMAND.findall(page.read_text("utf-8")):
        assert name in known, name
