"""A new file: whole or not at all, and never over another unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from taskdeck.newfile import FileRefused, NewFile


def test_it_is_there_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with NewFile(path) as file:
        file.write("one\n")
        file.write("two\n")
        assert not path.exists()
        assert file.keep() == 8
    assert path.read_text() == "one\ntwo\n"
    assert path.stat().st_mode & 0o077 == 0, "its owner's alone"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), NewFile(tmp_path / "a") as file:
        file.write("one")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_it_never_goes_over_a_file_unasked(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with pytest.raises(FileRefused, match="is there already"), NewFile(path) as file:
        path.write_text("came meanwhile")
        file.keep()
    assert path.read_text() == "came meanwhile"
    with pytest.raises(FileRefused, match="is there already"), NewFile(path):
        raise AssertionError
    with NewFile(path, over=True) as file:
        file.keep()
    assert path.read_text() == ""
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no/a", "there is no folder"),
        (".", "is a folder"),
        ("x" * 300, "cannot be written: File name too long"),
        ("a\0b", "cannot be written"),
    ],
    ids=["no folder", "a folder", "long", "nul"],
)
def test_a_bad_path_is_told(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(FileRefused, match=why), NewFile(tmp_path / name) as file:
        file.keep()
    assert list(tmp_path.iterdir()) == []
