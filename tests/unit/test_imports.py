"""Modules import each other in no circle, the domain nothing else, and a server at once only what it needs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import taskdeck

ROOT = Path(taskdeck.__file__).parent


def test_modules_import_each_other_in_no_circle() -> None:
    modules = {_name(path): path for path in ROOT.rglob("*.py")}
    assert len(modules) > 100
    needs = {name: set(_needed(name, path, modules)) for name, path in modules.items()}
    assert "taskdeck.store.unit" in needs["taskdeck.store.writer"]
    assert list(TopologicalSorter(needs).static_order())  # a circle raises CycleError, which names it


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _needed(name: str, path: Path, modules: dict[str, Path]) -> Iterator[str]:
    """The modules that are imported when `name` is: not for types alone, nor later within a function."""
    for node in _at_once(ast.parse(path.read_text()).body):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        else:
            named = [f"{node.module}.{alias.name}" for alias in node.names]
            named = [one if one in modules else str(node.module) for one in named]
        yield from (one for one in named if one in modules and one != name)


def _at_once(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
            yield from _at_once(node.body + node.orelse)
        elif isinstance(node, ast.Try):
            yield from _at_once(node.body + node.orelse + node.finalbody)


def test_the_domain_needs_nothing_else() -> None:
    script = (
        "import pkgutil, importlib, sys, taskdeck.domain as d\n"
        "for found in pkgutil.iter_modules(d.__path__): importlib.import_module('taskdeck.domain.' + found.name)\n"
        "print([m for m in ('aiohttp', 'aiosqlite', 'sqlite3', 'textual', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_server_starts_without_what_few_need() -> None:
    script = (
        "import sys, taskdeck.cli.app, taskdeck.app, taskdeck.listening\n"
        "print([m for m in ('jwt', 'cryptography', 'jsonschema', 'rapidfuzz', 'textual') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
