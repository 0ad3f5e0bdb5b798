"""What is logged: one line of JSON a record, and nothing in it that a terminal would act upon."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from taskdeck.logs import FILE, start_logging, stop_logging

LOG = logging.getLogger("taskdeck.somewhere")


@pytest.mark.parametrize("to_terminal", [False, True])
def test_a_record_is_a_line_of_json(tmp_path: Path, to_terminal: bool, capsys: pytest.CaptureFixture[str]) -> None:
    file = start_logging(tmp_path, "info", to_terminal=to_terminal)
    try:
        LOG.debug("not asked for")
        LOG.info("came with %s", "\x1b[2J\x07 and\nmore")
        try:
            raise ValueError("made to fail")
        except ValueError:
            LOG.exception("failed")
    finally:
        stop_logging(file)
    LOG.warning("nobody listens")
    text = (tmp_path / FILE).read_text("ascii")
    assert all(character.isprintable() or character == "\n" for character in text)
    first, second = (json.loads(line) for line in text.splitlines())
    assert first["event"] == "came with \x1b[2J\x07 and\nmore"
    assert (first["level"], first["logger"], first["timestamp"][-1]) == ("info", "taskdeck.somewhere", "Z")
    assert second["level"] == "error"
    assert "ValueError: made to fail" in second["exception"]
    said = capsys.readouterr().err
    assert said == (text.splitlines(keepends=True)[1] if to_terminal else "")


def test_only_its_owner_may_read_the_log(tmp_path: Path) -> None:
    stop_logging(start_logging(tmp_path, "info", to_terminal=False))
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_a_full_disk_leaves_records_out_and_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / FILE).symlink_to("/dev/full")
    file = start_logging(tmp_path, "info", to_terminal=False)
    try:
        LOG.error("no room for this")
    finally:
        stop_logging(file)
    assert capsys.readouterr().err == ""
