"""The part of the settings that says where alerts go; `alerting.py` makes endpoints of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

AlertName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
"""Part of the name of a consumer group."""
LONGEST_INTERVAL_S = 3_600.0


class AlertSettings(BaseModel):
    """One endpoint that is told of findings and denials."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: Literal["alertmanager", "webhook"] = Field(description="what listens there")
    url: SecretStr | None = Field(None, description="its address")
    url_variable: str | None = Field(
        None, description="environment variable that holds the address"
    )
    token_file: Path | None = Field(None, description="file that holds a bearer token")
    token_variable: str | None = Field(
        None, description="environment variable that holds a bearer token"
    )
    key_file: Path | None = Field(None, description="file that holds the key of the signature")
    key_variable: str | None = Field(
        None, description="environment variable that holds the key of the signature"
    )
    ca_file: Path | None = Field(None, description="certificates of a private CA")
    messages: bool = Field(True, description="whether messages and remedies of records are told")
    interval_s: float = Field(
        60.0, ge=1, le=LONGEST_INTERVAL_S, description="what happens within is told together"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> AlertSettings:
        if (self.url is None) == (self.url_variable is None):
            raise ValueError("an alert endpoint has either `url` or `url_variable`")
        if self.token_file and self.token_variable:
            raise ValueError("an alert endpoint has one token, `token_file` or `token_variable`")
        keys = (self.key_file is not None) + (self.key_variable is not None)
        if keys != (1 if self.form == "webhook" else 0):
            raise ValueError(
                "a webhook has either `key_file` or `key_variable`, and an alertmanager has neither"
            )
        return self
