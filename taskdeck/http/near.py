"""The fields that somebody may have meant who named one that is not there."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel


def fields_beside(model: type[BaseModel], place: Sequence[int | str]) -> list[str]:
    """What fields `model` knows at the last step of `place`, names and positions; none if it leads elsewhere."""
    current: type[BaseModel] | None = model
    for part in place[:-1]:
        if isinstance(part, int):
            continue
        if current is None or part not in current.model_fields:
            return []
        current = _model_in(current.model_fields[part].annotation)
    if current is None:
        return []
    return [field.alias or name for name, field in current.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The one model that an annotation such as `list[M] | None` speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in typing.get_args(annotation) if (found := _model_in(inner)) is not None), None)
