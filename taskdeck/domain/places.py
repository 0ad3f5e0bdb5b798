"""Templates: text with places for what a document says, such as `{{ issue.title }}`. Nothing in them is run.

A path is names and list positions parted by dots. What is put in is never looked at for places again.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

_NAME = r"[A-Za-z0-9_@$-]+"
PATH = re.compile(rf"{_NAME}(\.{_NAME}){{0,15}}")
_PLACE = re.compile(rf"\{{\{{[ ]*({PATH.pattern})[ ]*\}}\}}")
MAX_PLACES = 50
"""Places in one template."""
MAX_DEPTH = 20


class _Missing:
    """What a path leads to that leads nowhere."""


MISSING: Final = _Missing()


def refuse_odd(template: Any, depth: int = 0) -> int:
    """The number of places in a template: text, or a document with text in it.

    Raises:
        ValueError: it has braces that are no place, too many places, or is nested too deeply.
    """
    if depth > MAX_DEPTH:
        raise ValueError("is nested too deeply")
    if isinstance(template, dict):
        count = sum(refuse_odd(part, depth + 1) for part in template.values())
    elif isinstance(template, list):
        count = sum(refuse_odd(part, depth + 1) for part in template)
    elif isinstance(template, str):
        rest, count = _PLACE.subn("", template)
        if "{{" in rest or "}}" in rest:
            raise ValueError("has braces that name no place; places look like {{ issue.title }}")
    else:
        return 0
    if count > MAX_PLACES:
        raise ValueError(f"has more than {MAX_PLACES} places")
    return count


def paths_in(template: str) -> list[str]:
    """What the places of a text name, in their order."""
    return [place[1] for place in _PLACE.finditer(template)]


def look_up(document: Any, path: str) -> Any:
    """What stands in `document` at `path`; `MISSING` if nothing does."""
    for part in path.split("."):
        if isinstance(document, dict):
            document = document.get(part, MISSING)
        elif isinstance(document, list) and part.isascii() and part.isdigit() and int(part[:9]) < len(document):
            document = document[int(part[:9])]
        else:
            return MISSING
    return document


def fill(template: str, document: Any, limit: int) -> str:
    """`template` with its places filled in, cut to `limit` characters. What is missing or null leaves nothing."""
    return _PLACE.sub(lambda place: _text(look_up(document, place[1]))[:limit], template)[:limit].replace("\0", "")


def fill_in(template: Any, document: Any) -> Any:
    """A document with its places filled in; a text that is one place alone becomes what stands there."""
    if isinstance(template, dict):
        return {name: fill_in(part, document) for name, part in template.items()}
    if isinstance(template, list):
        return [fill_in(part, document) for part in template]
    if not isinstance(template, str):
        return template
    whole = _PLACE.fullmatch(template)
    if whole is None:
        return _PLACE.sub(lambda place: _text(look_up(document, place[1])), template)
    found = look_up(document, whole[1])
    return None if found is MISSING else found


def _text(value: Any) -> str:
    if value is None or value is MISSING:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
