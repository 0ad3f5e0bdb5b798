"""Every module can be imported alone, in a process of its own, whichever comes first."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import taskdeck

PACKAGES = sorted(found.name for found in pkgutil.iter_modules(taskdeck.__path__) if found.name != "__main__")

# each module of a package is imported first once, all others forgotten before
_SCRIPT = """
import importlib, pkgutil, sys
top = importlib.import_module("taskdeck." + sys.argv[1])
names = [top.__name__]
if hasattr(top, "__path__"):
    names += [found.name for found in pkgutil.walk_packages(top.__path__, top.__name__ + ".")]
for name in names:
    for known in [module for module in sys.modules if module.split(".")[0] == "taskdeck"]:
        del sys.modules[known]
    importlib.import_module(name)
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_each_module_stands_alone(package: str) -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT, package], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_domain_needs_nothing_else() -> None:
    script = (
        "import pkgutil, importlib, sys, taskdeck.domain as d\n"
        "for found in pkgutil.iter_modules(d.__path__): importlib.import_module('taskdeck.domain.' + found.name)\n"
        "print([m for m in ('aiohttp', 'aiosqlite', 'sqlite3', 'textual', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
