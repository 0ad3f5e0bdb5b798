"""Tasks as text: what files of them hold."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from taskdeck.exporting import form_of, head, text_of

HOSTILE = '=HYPERLINK("http://evil")\x1b[2J\u202e'


def task(title: str, **fields: Any) -> dict[str, Any]:
    return {"key": "W1", "number": 1, "title": title, "state": "claimed", "labels": ["eu", "slow"], **fields}


def test_json_lines_hold_all_of_a_task_in_ascii() -> None:
    tasks = [task(HOSTILE, payload={"rows": [1, 2]}), task("line\nline\x7f")]
    text = text_of(tasks, "jsonl")
    assert text.isascii() and "\x1b" not in text and "\x7f" not in text
    assert [json.loads(line) for line in text.splitlines()] == tasks


def test_csv_is_a_table_that_no_program_obeys() -> None:
    tasks = [
        task(HOSTILE, claim={"worker": "render-02"}, error={"message": 'said "no", and\nleft'}),
        *(task(f"{sign}1+1") for sign in "=+-@"),
    ]
    text = head("csv") + text_of(tasks, "csv")
    assert "\x1b" not in text and "\u202e" not in text
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    assert rows[0]["title"].startswith("'=HYPERLINK")
    assert (rows[0]["holder"], rows[0]["labels"]) == ("render-02", "eu slow")
    assert rows[0]["error"] == 'said "no", and\nleft'
    assert [row["title"][:2] for row in rows[1:]] == ["'=", "'+", "'-", "'@"]


@pytest.mark.parametrize(("name", "form"), [("a.csv", "csv"), ("A.CSV", "csv"), ("a.jsonl", "jsonl"), ("a", "jsonl")])
def test_the_name_says_which_form(name: str, form: str) -> None:
    assert form_of(Path(name)) == form
