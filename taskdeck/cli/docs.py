"""`taskdeck docs`: the documents that come with it, to be read where it is installed."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated

import typer

from taskdeck.cli.errors import ExitCode, Failure
from taskdeck.environment import nearest

PAGE_HELP = "Such as api, running or state-machine; without it, all are listed."


def register(app: typer.Typer) -> None:
    """Add this command to `app`."""
    app.command("docs", rich_help_panel="Deck")(docs)


def docs(page: Annotated[str | None, typer.Argument(metavar="PAGE", help=PAGE_HELP)] = None) -> int:
    """Print a document, as Markdown."""
    pages = _pages()
    if page is None:
        width = max(map(len, pages))
        for name, place in pages.items():
            print(f"{name:<{width}}  {_title(place)}")
        return 0
    name = page.removesuffix(".md")
    if name not in pages:
        raise Failure(
            f"there is no page {page[:80]!r}", nearest(page, pages), code="not_found", status=ExitCode.NOT_FOUND
        )
    print(pages[name].read_text(encoding="utf-8"), end="")
    return 0


def _pages() -> dict[str, Traversable]:
    """The documents by name; those of dialects bear the dialect's."""
    here = files("taskdeck.docs")
    found = {place.name.removesuffix(".md"): place for place in here.iterdir() if place.name.endswith(".md")}
    for place in (here / "dialects").iterdir():
        if place.name.endswith(".md"):
            found["dialects" if place.name == "README.md" else place.name.removesuffix(".md")] = place
    return dict(sorted(found.items()))


def _title(place: Traversable) -> str:
    return place.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
