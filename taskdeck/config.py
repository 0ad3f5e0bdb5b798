"""A server's settings: flag, else environment, else `taskdeck.toml` in the data folder, else default."""

from __future__ import annotations

import json
import os
import tomllib
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from taskdeck.choices import ConductorChoices, StrideChoices
from taskdeck.domain.order import DEFAULT_AGEING_DAYS, MAX_AGEING_DAYS
from taskdeck.domain.project import DEFAULT_KEEP_EVENTS_DAYS, MAX_KEEP_DAYS
from taskdeck.domain.via import DIALECTS
from taskdeck.environment import PREFIX, ConfigError, check_environment, data_folder, nearest

__all__ = ["ConfigError", "Settings"]

FILE_NAME = "taskdeck.toml"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Address(NamedTuple):
    """Where a server listens; port 0 takes any free one."""

    host: str
    port: int


def _dialect(name: str) -> str:
    if name not in DIALECTS:
        raise ValueError(f"{name[:40]!r} is no dialect; {nearest(name, DIALECTS)}")
    return name


def _address(text: str) -> Address:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{text[:80]!r} is not written HOST:PORT")
    return Address(host.strip("[]"), int(port))


class Settings(BaseModel):
    """What a server may be told. Immutable; `Settings.load` reads all sources."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path
    """The folder that holds the database and all that belongs to it."""
    host: str = Field("127.0.0.1", min_length=1, max_length=253)
    port: int = Field(7337, ge=0, le=65535)
    """0 takes any free port; the deck's lock file and its first line of output name it."""
    listen: dict[str, Address] = Field(default_factory=dict)
    """Addresses at which dialects are served at the root, beside their prefix on the main port: name to HOST:PORT."""
    open: tuple[str, ...] = ()
    """Dialects that take calls without a token, from this machine."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    allowed_hosts: tuple[str, ...] = ()
    """Names, beside the loopback ones and `host`, under which requests may address the deck."""
    body_limit: int = Field(1024 * 1024, ge=1024, le=64 * 1024 * 1024)
    """The longest request body, in bytes."""
    claims_per_minute_per_worker: int = Field(0, ge=0, le=1_000_000)
    """How many claims a worker is given in any minute; 0 for no limit."""
    claims_per_minute_per_principal: int = Field(0, ge=0, le=1_000_000)
    """The same for all workers of a principal, whatever token they show."""
    claims_per_minute_per_token: int = Field(0, ge=0, le=1_000_000)
    """The same for whoever shows one token."""
    request_deadline_seconds: float = Field(15, ge=0.1, le=300)
    """How long a request may take to arrive."""
    keep_events_days: float = Field(DEFAULT_KEEP_EVENTS_DAYS, ge=1, le=MAX_KEEP_DAYS)
    """Events older than that are removed, oldest first."""
    ageing_days: float = Field(DEFAULT_AGEING_DAYS, ge=0, le=MAX_AGEING_DAYS)
    """How long a task of priority 0 may stand behind newer ones of priority 100; 0: without end."""
    projects_in_turn: bool = False
    """Whether claims that name no project take from the projects in turn, among equal priorities."""

    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks of one's own in which webhooks may be called, over http too; all else is the open internet by https."""

    stride: StrideChoices = StrideChoices()
    """Choices of the Stride dialect."""
    conductor: ConductorChoices = ConductorChoices()
    """Choices of the Conductor dialect."""

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("listen", mode="before")
    @classmethod
    def _addresses(cls, value: object) -> object:
        """From `NAME=HOST:PORT,…`, a list of such, or a table of NAME to HOST:PORT."""
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        if isinstance(value, (list, tuple)):
            value = dict(str(part).partition("=")[::2] for part in value)
        if not isinstance(value, dict):
            raise ValueError("is not written NAME=HOST:PORT")  # noqa: TRY004  (pydantic tells of ValueErrors)
        return {_dialect(str(name)): _address(str(address)) for name, address in value.items()}

    @field_validator("open", mode="after")
    @classmethod
    def _dialects(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_dialect(name) for name in value)

    @model_validator(mode="after")
    def _open_on_loopback_alone(self) -> Self:
        for name in self.open:
            host = self.listen[name].host if name in self.listen else self.host
            if host not in LOOPBACK:
                raise ValueError(f"{name} takes calls without a token, so it may listen on a loopback address alone")
        return self

    @field_validator("allowed_hosts", "webhook_networks", "open", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value

    @field_validator("stride", "conductor", mode="before")
    @classmethod
    def _from_json(cls, value: object) -> object:
        return json.loads(value) if isinstance(value, str) else value

    def dialects(self) -> dict[str, Any]:
        """What was chosen about dialects, by name."""
        return {"stride": self.stride, "conductor": self.conductor}

    @classmethod
    def load(cls, **flags: Any) -> Self:
        """Settings from all sources. A flag that is None counts as not given.

        Raises:
            ConfigError: a value is out of range or of the wrong kind, or a name is not known.
        """
        check_environment()
        given = {name: value for name, value in flags.items() if value is not None}
        given["data"] = data_folder(given.get("data"))
        file = given["data"] / FILE_NAME
        try:
            return cls(**(_of_file(file) | _of_environment() | given))
        except ValidationError as error:
            raise _explained(error, given, file) from None


def _of_environment() -> dict[str, str]:
    """What variables say; an empty one says nothing."""
    told = {name: os.environ.get(PREFIX + name.upper()) for name in Settings.model_fields}
    return {name: text for name, text in told.items() if text}


def _of_file(file: Path) -> dict[str, Any]:
    try:
        told = tomllib.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):  # what is wrong with the folder is said by who opens it
        return {}
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not valid TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from None
    if "data" in told:
        raise ConfigError(f"{file} sets data, but is itself found through it", "use --data or TASKDECK_DATA")
    return told


def _explained(error: ValidationError, given: dict[str, Any], file: Path) -> ConfigError:
    """The first thing wrong, with the place where the user wrote it."""
    first = error.errors(include_url=False)[0]
    if not first["loc"]:
        return ConfigError(first["msg"].removeprefix("Value error, "))
    name = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        known = [field for field in Settings.model_fields if field != "data"]
        return ConfigError(f"{file} sets {name}, which taskdeck does not know", nearest(name, known))
    variable = PREFIX + name.upper()
    if name in given:
        place = f"--{name.replace('_', '-')}"
    else:
        place = variable if os.environ.get(variable) else f"{name} in {file}"
    return ConfigError(f"{place}: {first['msg']} (it is {first['input']!r})")
