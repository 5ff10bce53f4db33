"""The one typed settings object, read from the environment. Nothing else in the server reads the environment,
except the OpenTelemetry SDK, which reads `OTEL_*`."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from gateway_auth import GateSettings, read_settings
from gateway_auth.settings import HttpsUrl
from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator, model_validator

Tier = Literal["admin", "reader"]
Connection = Literal["read-write", "read-only"]
_TIERS: dict[Connection, Tier] = {"read-write": "admin", "read-only": "reader"}

_MIB = 1024 * 1024


def _mongodb_uri(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("mongodb://", "mongodb+srv://")):
        raise ValueError("must start with mongodb:// or mongodb+srv://")
    return value


class Settings(GateSettings):
    """Every setting; the environment variable is the field's name in capitals. Those of the gate are inherited."""

    host: str = "0.0.0.0"  # noqa: S104 - a container listens on its private address, which it does not know
    port: int = Field(8000, ge=0, le=65535)

    mcp_connection: Connection | None = Field(None, validate_default=True)
    mcp_server_name: str = Field("mongodb", pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    mcp_allowed_hosts: str = ""
    mcp_allowed_origins: str = ""

    mongodb_uri: Annotated[SecretStr, AfterValidator(_mongodb_uri)]

    mcp_documents_default: int = Field(100, ge=1)
    mcp_documents_ceiling: int = Field(10_000, ge=1)
    mcp_bytes_default: int = Field(_MIB, ge=1024)
    mcp_bytes_ceiling: int = Field(16 * _MIB, ge=1024)
    mcp_time_ms_default: int = Field(30_000, ge=1)
    mcp_time_ms_ceiling: int = Field(600_000, ge=1)
    mcp_sample_default: int = Field(50, ge=1)  # never more than the ceiling
    mcp_sample_ceiling: int = Field(1_000, ge=1)
    mcp_write_batch_ceiling: int = Field(1_000, ge=1, le=100_000)
    mcp_pipeline_stages_ceiling: int = Field(50, ge=1)
    mcp_nesting_depth_ceiling: int = Field(100, ge=1, le=100)
    mcp_regex_length_ceiling: int = Field(1_000, ge=1, le=32_764)
    mcp_concurrent_total: int = Field(64, ge=1)
    mcp_concurrent_per_caller: int = Field(16, ge=1)
    mcp_concurrent_waiting: int = Field(1_000, ge=0)
    mcp_request_bytes_ceiling: int = Field(20 * _MIB, ge=1024)

    # None is "not set", which admits everything; an empty allow-list admits nothing.
    mcp_tools_allow: str | None = None
    mcp_tools_deny: str = ""
    mcp_databases_allow: str | None = None
    mcp_databases_deny: str = ""
    mcp_collections_allow: str | None = None
    mcp_collections_deny: str = ""
    mcp_fields_allow: str | None = None
    mcp_fields_deny: str = ""

    # Which of them are set decides whether there is telemetry; the SDK reads these and all others of OTEL_* itself.
    otel_exporter_otlp_endpoint: HttpsUrl | None = None
    otel_exporter_otlp_traces_endpoint: HttpsUrl | None = None
    otel_exporter_otlp_metrics_endpoint: HttpsUrl | None = None

    mcp_confirmation_key: SecretStr | None = Field(None, min_length=32)
    mcp_confirmation_seconds: int = Field(300, ge=10, le=3600)
    mcp_confirm_updates: bool = False

    @model_validator(mode="after")
    def _defaults_stay_below_ceilings(self) -> Settings:
        for name in ("documents", "bytes", "time_ms"):
            if getattr(self, f"mcp_{name}_default") > getattr(self, f"mcp_{name}_ceiling"):
                raise ValueError(f"MCP_{name.upper()}_DEFAULT must not exceed MCP_{name.upper()}_CEILING")
        return self

    @field_validator("mcp_connection")
    @classmethod
    def _another_tier_says_what_it_may_do(cls, value: Connection | None, given: ValidationInfo) -> Connection | None:
        if value is None and given.data.get("mcp_tier", "reader") not in _TIERS.values():
            raise ValueError("must be read-write or read-only where MCP_TIER is neither admin nor reader")
        return value

    @property
    def rights(self) -> Tier:
        """What this process may do, whatever its tier is called: what `admin` may, or what `reader` may."""
        return _TIERS[self.mcp_connection or ("read-write" if self.mcp_tier == "admin" else "read-only")]

    @property
    def sends_telemetry(self) -> bool:
        return any(
            (
                self.otel_exporter_otlp_endpoint,
                self.otel_exporter_otlp_traces_endpoint,
                self.otel_exporter_otlp_metrics_endpoint,
            )
        )

    @property
    def allowed_hosts(self) -> list[str]:
        return _items(self.mcp_allowed_hosts)

    @property
    def allowed_origins(self) -> list[str]:
        return _items(self.mcp_allowed_origins)


def _empty_allow_lists() -> dict[str, str]:
    """Elsewhere an empty variable is one that is not set; an allow-list that somebody emptied must not open
    everything."""
    empty = {name.lower() for name, value in os.environ.items() if not value.strip()}
    return {name: "" for name in Settings.model_fields if name.endswith("_allow") and name in empty}


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def load() -> Settings:
    """Reads the environment. Raises SettingsError with one sentence that names the first setting that is wrong."""
    return read_settings(Settings, _empty_allow_lists())
