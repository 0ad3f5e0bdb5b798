"""Templates: filled in as they say, and nothing in them or in what fills them is run."""

from __future__ import annotations

from typing import Any

import pytest

from taskdeck.domain.places import MAX_PLACES, MISSING, fill, fill_in, look_up, refuse_odd
from taskdeck.domain.source import Filter, Op

EVENT: dict[str, Any] = {
    "action": "opened",
    "issue": {
        "number": 7,
        "title": "It {{ action }} breaks",
        "labels": [{"name": "bug"}, {"name": "ui"}],
        "open": True,
    },
    "none": None,
    "ratio": 1.0,
    "one": 1,
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("{{ issue.number }}: {{issue.labels.1.name}}", "7: ui"),
        ("{{ issue.title }}", "It {{ action }} breaks"),
        ("<{{ none }}{{ issue.gone.deeper }}{{ issue.labels.9 }}>", "<>"),
        ("{{ issue.open }} {{ ratio }}", "true 1.0"),
        ("{{ issue.labels }}", '[{"name": "bug"}, {"name": "ui"}]'),
        ("{ issue.number } {{", "{ issue.number } {{"),
        ("{{ action.__class__ }}{{ issue.__len__ }}{{ issue.labels.-1 }}{{ action.0 }}", ""),
    ],
)
def test_places_are_filled_in_once(template: str, text: str) -> None:
    assert fill(template, EVENT, 100) == text


def test_text_has_its_limit() -> None:
    assert fill("{{ x }}" * 3, {"x": "y" * 1000}, 10) == "y" * 10
    assert fill("a" * 20, {}, 10) == "a" * 10


def test_a_document_keeps_what_stands_there() -> None:
    template = {"n": "{{ issue.number }}", "l": ["{{issue.labels.0}}", "no {{ action }}", 5, None], "gone": "{{ x }}"}
    assert fill_in(template, EVENT) == {"n": 7, "l": [{"name": "bug"}, "no opened", 5, None], "gone": None}


@pytest.mark.parametrize(
    "template",
    ["{{", "}}", "{{ }}", "{{ a b }}", "{{ a. }}", "{{ .a }}", "{{ a['b'] }}", "{{ a() }}", "{{ a|b }}",
     "{{ " + ".".join("a" * 17) + " }}", "{{a}}" * (MAX_PLACES + 1), {"x": ["{{ ( }}"]},
     ["{{a}}"] * (MAX_PLACES + 1)],
    ids=lambda template: str(template)[:20],
)  # fmt: skip
def test_an_odd_template_is_refused(template: Any) -> None:
    with pytest.raises(ValueError, match="place"):
        refuse_odd(template)


def test_a_deep_template_is_refused() -> None:
    template: Any = "x"
    for _ in range(30):
        template = [template]
    with pytest.raises(ValueError, match="deep"):
        refuse_odd(template)


def test_a_path_leads_through_names_and_positions_alone() -> None:
    assert look_up(EVENT, "issue.labels.1.name") == "ui"
    assert look_up([[1, 2]], "0.1") == 2
    for path in ("gone", "issue.labels.2", "issue.labels.name", "action.upper", "issue.labels.٣", "none.x"):
        assert look_up(EVENT, path) is MISSING, path
    assert look_up(EVENT, "none") is None


@pytest.mark.parametrize(
    ("rule", "admitted"),
    [
        (Filter("action", Op.EQUALS, "opened"), True),
        (Filter("action", Op.EQUALS, "closed"), False),
        (Filter("gone", Op.EQUALS, None), False),
        (Filter("none", Op.EQUALS, None), True),
        (Filter("one", Op.EQUALS, True), False),
        (Filter("issue.open", Op.EQUALS, 1), False),
        (Filter("ratio", Op.EQUALS, 1), True),
        (Filter("action", Op.DIFFERS, "closed"), True),
        (Filter("gone", Op.DIFFERS, "x"), True),
        (Filter("action", Op.DIFFERS, "opened"), False),
        (Filter("action", Op.IN, ["closed", "opened"]), True),
        (Filter("action", Op.IN, []), False),
        (Filter("issue.title", Op.CONTAINS, "breaks"), True),
        (Filter("issue.title", Op.CONTAINS, 5), False),
        (Filter("issue.labels", Op.CONTAINS, {"name": "ui"}), True),
        (Filter("one", Op.CONTAINS, 1), False),
        (Filter("issue", Op.EXISTS), True),
        (Filter("none", Op.EXISTS), True),
        (Filter("gone", Op.EXISTS), False),
        (Filter("gone", Op.ABSENT), True),
        (Filter("issue", Op.ABSENT), False),
    ],
)
def test_filters_say_what_they_say(rule: Filter, admitted: bool) -> None:
    assert rule.admits(EVENT) is admitted
