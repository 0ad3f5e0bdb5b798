"""What messages on a worker's socket say: the verbs of holders, each as its route takes it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from taskdeck.http.gate import MAX_KEY
from taskdeck.http.holding_models import Claim, Complete, Fail, Heartbeat, Release
from taskdeck.http.models import Body, Line, Ref

Id = Annotated[int, Field(ge=0, le=2**53)] | Annotated[str, Field(min_length=1, max_length=64)]
Key = Annotated[Line, Field(min_length=1, max_length=MAX_KEY)]


class _Asked(Body):
    """`id` comes back with the answer; under `key` a repetition changes nothing and gets the first answer."""

    id: Id
    key: Key | None = None


class ClaimAsked(_Asked):
    verb: Literal["claim"]
    body: Claim


class _OfTask(_Asked):
    task: Ref


class HeartbeatAsked(_OfTask):
    verb: Literal["heartbeat"]
    body: Heartbeat


class ReleaseAsked(_OfTask):
    verb: Literal["release"]
    body: Release


class CompleteAsked(_OfTask):
    verb: Literal["complete"]
    body: Complete


class FailAsked(_OfTask):
    verb: Literal["fail"]
    body: Fail


Asked = ClaimAsked | HeartbeatAsked | ReleaseAsked | CompleteAsked | FailAsked
ASKED: TypeAdapter[Asked] = TypeAdapter(Annotated[Asked, Field(discriminator="verb")])
"""Reads what arrives on a worker's socket."""
