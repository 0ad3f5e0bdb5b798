"""What all tests share: a marker by folder, Hypothesis's settings, and the deck that most of them need."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from support.api import Api
from support.clock import FakeClock
from support.fresh import fresh
from support.ids import CountingIds
from support.receiver import Receiver, receiver

from taskdeck.app import RunningDeck, running_deck
from taskdeck.config import Settings
from taskdeck.service.deck import Deck
from taskdeck.store.folder import ADMIN_TOKEN

_HERE = Path(__file__).parent
_FOLDERS = frozenset({"unit", "integration", "acceptance", "tui", "dialects", "bench"})

settings.register_profile(
    "ours", max_examples=120, stateful_step_count=50, deadline=None, print_blob=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
settings.load_profile("ours")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test by its folder; measurements run only when they are named or marked for.

    What may take long begins first: were it to begin last, one processor would run it while the others are idle.
    """
    asked = bool(config.option.markexpr) or any("bench" in argument for argument in config.args)
    kept, left_out = [], []
    for item in items:
        folder = item.path.relative_to(_HERE).parts[0] if item.path.is_relative_to(_HERE) else ""
        if folder in _FOLDERS:
            item.add_marker(folder)
        (left_out if folder == "bench" and not asked else kept).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    items[:] = sorted(kept, key=_may_take_s, reverse=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Whoever is done early takes over what another has not begun, so that no processor is idle at the end."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


def _may_take_s(item: pytest.Item) -> float:
    allowed = item.get_closest_marker("timeout")
    return float(allowed.args[0]) if allowed else 0.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ids() -> CountingIds:
    return CountingIds()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A prepared data folder."""
    return fresh(tmp_path / "data")


@pytest.fixture
async def deck(folder: Path, clock: FakeClock, ids: CountingIds) -> AsyncIterator[Deck]:
    """A deck without an interface, on a clock that stands."""
    opened = await Deck.open(folder, clock, ids)
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
async def served(tmp_path: Path, clock: FakeClock, ids: CountingIds) -> AsyncIterator[RunningDeck]:
    """A deck on a free port, on a clock that stands."""
    async with running_deck(Settings(data=fresh(tmp_path / "data"), port=0), clock=clock, ids=ids) as running:
        yield running


@pytest.fixture
async def api(served: RunningDeck) -> AsyncIterator[Api]:
    """A caller with the admin token."""
    async with Api(served.url, (served.data / ADMIN_TOKEN).read_text().strip()) as caller:
        yield caller


@pytest.fixture
async def there() -> AsyncIterator[Receiver]:
    """Where webhooks are sent to."""
    async with receiver() as made:
        yield made
