"""Every scenario of `taskdeck bench --scale` runs at its smallest. What it measures is not asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from taskdeck.bench.scenarios.run import SCENARIOS, run


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_scenario_runs(name: str, tmp_path: Path) -> None:
    outcome = await run([name], scale=0.01, seconds=1, cache=tmp_path, progress=lambda _what: None)
    assert not outcome.failed
    assert any(finding.must is not None for finding in outcome.findings)
    assert all(finding.value >= 0 for finding in outcome.findings)
