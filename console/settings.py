"""
Settings: everything that the operator may change, in one frozen model.

    flags > environment (SLUICEGATE_…) > settings file > defaults

INVARIANT: nothing is read from the working directory; an agent that works there cannot change whom
its executor trusts. `layers.py` reads the layers, `Settings.load` puts them together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from console.alert_settings import AlertName, AlertSettings
from console.layers import Schema, config_path, read_layers
from console.shipped import PRODUCTION_POLICY
from console.witness_settings import WitnessName, WitnessSettings
from enforcers.contract.action import PrincipalKind
from enforcers.contract.base import MAX_VALID_FOR_MS, Identifier
from enforcers.errors import SettingsError
from enforcers.executors.limits import DEFAULT_LIMITS, LONGEST_S

Zone = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{0,60}$")]
Session = Annotated[str, StringConstraints(pattern=r"^[!-~]{0,200}$")]

MAX_DAYS = 36_500
"""A hundred years."""
LONGEST_WAIT_S = 86_400.0
"""A day: whoever needs longer proposes it again."""
_SERVER = re.compile(r"(?:[^\s/:,@\[\]]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
"""A host or an IPv6 address in brackets, and a port."""


def _checked_servers(text: str) -> str:
    servers = [one.strip() for one in text.split(",")] if text.strip() else []
    for server in servers:
        found = _SERVER.fullmatch(server)
        if found is None or not 1 <= int(found[1]) <= 65_535:
            raise ValueError(
                f"`{server[:100]}` is not `host:port` with a port from 1 to 65535"
                " (several with commas)"
            )
    return ",".join(servers)


Servers = Annotated[str, AfterValidator(_checked_servers)]


def _default_home() -> Path:
    try:
        return Path.home() / ".local" / "state" / "sluicegate"
    except RuntimeError as error:
        raise SettingsError("this user has no home directory; set SLUICEGATE_HOME") from error


def _under_home(name: str) -> Callable[[dict[str, Any]], Path]:
    return lambda data: Path(data["home"]) / name


class TargetSettings(BaseModel):
    """A database that `sluicegate sql` can reach."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: Literal["sqlite", "duckdb", "postgres"] = Field(description="kind of database")
    path: Path | None = Field(None, description="the database's file; sqlite and duckdb")
    dsn: SecretStr | None = Field(None, description="the database's address; postgres")
    dsn_variable: str | None = Field(
        None, description="environment variable that holds the address"
    )
    environment: Identifier = Field("production", description="environment that policies see")
    dialect: Identifier | None = Field(None, description="SQL dialect; default: the system's")
    catalog: Identifier | None = Field(None, description="name of one of `catalogs`")
    timeout_s: float = Field(
        DEFAULT_LIMITS.timeout_s, gt=0, le=LONGEST_S, description="longest time of a statement"
    )
    max_rows: int = Field(DEFAULT_LIMITS.rows, ge=1, description="most rows of a result")
    max_bytes: int = Field(DEFAULT_LIMITS.bytes, ge=1, description="most bytes of a result")

    @model_validator(mode="after")
    def _has_one_place(self) -> TargetSettings:
        given = {name for name in ("path", "dsn", "dsn_variable") if getattr(self, name)}
        if self.system == "postgres" and given not in ({"dsn"}, {"dsn_variable"}):
            raise ValueError("a postgres target has either `dsn` or `dsn_variable`")
        if self.system != "postgres" and given != {"path"}:
            raise ValueError(f"a {self.system} target has a `path` and no address")
        return self


class Settings(BaseSettings):
    """What the operator chose. `load` reads the layers; the constructor takes what it is given."""

    model_config = SettingsConfigDict(env_prefix="SLUICEGATE_", frozen=True, extra="forbid")

    home: Path = Field(default_factory=_default_home, description="state directory")
    bootstrap: Servers = Field("", description="Kafka servers; empty: the embedded broker")
    zone: Zone = Field(
        "", description="trust zone, a prefix of every topic and part of every signature"
    )
    policy: Path = Field(PRODUCTION_POLICY, description="policy bundle; default: the shipped one")
    principals: Path = Field(
        default_factory=_under_home("principals.yaml"), description="who is enrolled"
    )
    trust: Path = Field(default_factory=_under_home("trust.json"), description="whom we trust")
    keys: Path = Field(default_factory=_under_home("keys"), description="directory of private keys")
    archive: Path = Field(default_factory=_under_home("archive"), description="archive's directory")
    archive_days: int | None = Field(
        None, ge=1, le=MAX_DAYS, description="days that the archive keeps; empty: for ever"
    )
    anomalies_every_s: float = Field(
        60.0, ge=5, le=86_400, description="seconds between two looks of the detections"
    )
    executor: Identifier = Field("executor-1", description="this executor's id in the trust file")
    principal: Identifier = Field("agent:local", description="who proposes in `run` and `sql`")
    principal_kind: PrincipalKind = Field(PrincipalKind.AGENT, description="kind of that principal")
    principal_key: Path | None = Field(
        None, description="that principal's private key; empty: it does not sign"
    )
    session: Session = Field("", description="session that actions belong to; may be empty")
    environment: Identifier = Field("production", description="environment of `sluicegate run`")
    valid_for_ms: int = Field(
        1_000, ge=1, le=MAX_VALID_FOR_MS, description="longest wait for a verdict, milliseconds"
    )
    approval_wait_s: float = Field(
        0.0, ge=0, le=LONGEST_WAIT_S, description="longest wait for people's approval, seconds"
    )
    catalogs: dict[Identifier, Path] = Field(default={}, description="catalog files by name")
    targets: dict[Identifier, TargetSettings] = Field(default={}, description="databases by name")
    alerts: dict[AlertName, AlertSettings] = Field(
        default={}, description="who is told of findings and denials, by name"
    )
    witnesses: dict[WitnessName, WitnessSettings] = Field(
        default={}, description="who cosigns the archive's heads, by name"
    )

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def load(cls, flags: Mapping[str, Any] | None = None) -> Settings:
        """Read every layer; `flags` are the strongest. Raises SettingsError."""
        tables: dict[str, type[BaseModel]] = {
            "targets": TargetSettings,
            "alerts": AlertSettings,
            "witnesses": WitnessSettings,
        }
        layers = read_layers(Schema(cls, tables, _default_home), flags or {})
        origins = {key: layer.origin(key) for layer in layers for key in layer.values}
        merged = {key: value for layer in layers for key, value in layer.values.items()}
        try:
            settings = cls(**merged)
        except ValidationError as error:
            raise _refusal(error, origins) from error
        settings._origins = origins
        settings._check_catalogs()
        return settings

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Constructor arguments only: `load` has read the layers already."""
        return (init_settings,)

    def sources(self) -> tuple[Sourced, ...]:
        """Every setting with its value and where that came from."""
        return tuple(
            Sourced(key, getattr(self, key), self._origins.get(key, "default"))
            for key in type(self).model_fields
        )

    @property
    def file(self) -> Path:
        """The settings file, whether it is there or not. Raises SettingsError."""
        return config_path(self.home)

    def target(self, name: str) -> TargetSettings:
        """A declared target. Raises SettingsError where there is none of this name."""
        found = self.targets.get(name)
        if found is None:
            known = ", ".join(sorted(self.targets)) or "none is"
            raise SettingsError(
                f"target `{name}` is not declared ({known}); add [targets.{name}] to `{self.file}`"
            )
        return found

    def _check_catalogs(self) -> None:
        for name, target in self.targets.items():
            if target.catalog is not None and target.catalog not in self.catalogs:
                raise SettingsError(
                    f"target `{name}` names catalog `{target.catalog}`, which is not declared;"
                    f" add it to [catalogs] in `{self.file}`"
                )


@dataclass(frozen=True, slots=True)
class Sourced:
    """One setting."""

    name: str
    value: Any
    origin: str
    """`flag`, `environment VARIABLE`, `file PATH` or `default`."""


def _refusal(error: ValidationError, origins: Mapping[str, str]) -> SettingsError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    origin = origins.get(str(first["loc"][0]), "default")
    what = f"{where}` ({origin}) refused: {in_lower_case(first['msg'])}"
    return SettingsError(f"setting `{what}; correct it")


def in_lower_case(message: str) -> str:
    """A message of pydantic's as one of ours begins."""
    # Its first letter alone: a pattern or a value that it names is to stay as it is.
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
