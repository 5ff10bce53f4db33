from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from mongo_db_server import settings
from mongo_db_server.database import connect
from mongo_db_server.errors import SettingsError

Use = Callable[[Mapping[str, str]], None]


def test_documented_defaults(environment: dict[str, str], use_environment: Use) -> None:
    """Only what identifies the deployment must be given."""
    use_environment(environment)
    given = settings.load()
    assert (given.host, given.port, given.mcp_server_name) == ("0.0.0.0", 8000, "mongodb")
    assert (given.mcp_documents_default, given.mcp_documents_ceiling) == (100, 10_000)
    assert (given.mcp_bytes_default, given.mcp_bytes_ceiling) == (1024**2, 16 * 1024**2)
    assert (given.mcp_time_ms_default, given.mcp_time_ms_ceiling) == (30_000, 600_000)


@pytest.mark.parametrize(
    "name",
    [
        "MCP_TIER",
        "MCP_AUTH_ISSUER",
        "MCP_AUTH_JWKS_URI",
        "MCP_AUTH_TENANT_ID",
        "MCP_AUTH_AUDIENCE",
        "MCP_AUTH_GATEWAY_OBJECT_ID",
        "MONGODB_URI",
    ],
)
@pytest.mark.parametrize("value", [None, ""])
def test_missing_setting_is_named(
    name: str, value: str | None, environment: dict[str, str], use_environment: Use
) -> None:
    """A missing or empty setting stops the start with one sentence that names it."""
    environment.pop(name)
    use_environment(environment if value is None else environment | {name: value})
    with pytest.raises(SettingsError, match=rf"^{name} is not set: .*\.$"):
        settings.load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "65536"),
        ("MCP_TIER", "Owner"),
        ("MCP_CONNECTION", "writes"),
        ("MCP_SERVER_NAME", "Mongo DB"),
        ("MCP_AUTH_ISSUER", "http://login.example/x"),
        ("MCP_AUTH_JWKS_URI", "login.example"),
        ("MCP_AUTH_TENANT_ID", "contoso"),
        ("MCP_AUTH_AUDIENCE", "api://x"),
        ("MCP_AUTH_GATEWAY_OBJECT_ID", "1"),
        ("MONGODB_URI", "postgres://user:s3cret@host"),
        ("MCP_DOCUMENTS_CEILING", "0"),
    ],
)
def test_malformed_setting_is_named(name: str, value: str, environment: dict[str, str], use_environment: Use) -> None:
    """A malformed setting stops the start with one sentence that names it and not its value."""
    use_environment(environment | {name: value})
    with pytest.raises(SettingsError, match=rf"^{name} is malformed: .*\.$") as raised:
        settings.load()
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("tier", "connection", "rights"),
    [
        ("admin", None, "admin"),
        ("reader", None, "reader"),
        ("payroll", "read-only", "reader"),
        ("payroll", "read-write", "admin"),
        ("admin", "read-only", "reader"),
    ],
)
def test_a_tier_of_another_name_is_told_what_it_may_do(
    tier: str, connection: str | None, rights: str, environment: dict[str, str], use_environment: Use
) -> None:
    """What is not said is what the two names of old mean."""
    given = environment | {"MCP_TIER": tier} | ({"MCP_CONNECTION": connection} if connection else {})
    use_environment(given)
    assert settings.load().rights == rights


def test_a_tier_of_another_name_that_is_told_nothing_does_not_start(
    environment: dict[str, str], use_environment: Use
) -> None:
    """A guess would be either too much or a server that lacks its tools."""
    use_environment(environment | {"MCP_TIER": "payroll"})
    with pytest.raises(SettingsError, match=r"^MCP_CONNECTION is malformed: must be read-write or read-only where"):
        settings.load()


def test_default_above_ceiling_is_refused(environment: dict[str, str], use_environment: Use) -> None:
    """A default that its own ceiling forbids is a mistake, not a preference."""
    use_environment(environment | {"MCP_BYTES_DEFAULT": "4096", "MCP_BYTES_CEILING": "2048"})
    with pytest.raises(SettingsError, match=r"^MCP_BYTES_DEFAULT must not exceed MCP_BYTES_CEILING"):
        settings.load()


def test_http_issuer_on_loopback(environment: dict[str, str], use_environment: Use) -> None:
    """A laptop's issuer needs no certificate."""
    use_environment(environment | {"MCP_AUTH_ISSUER": "http://127.0.0.1:8081/tenant/v2.0"})
    assert settings.load().mcp_auth_issuer == "http://127.0.0.1:8081/tenant/v2.0"


def test_allowed_hosts_are_a_comma_list(environment: dict[str, str], use_environment: Use) -> None:
    """Spaces and empty items mean nothing."""
    use_environment(environment | {"MCP_ALLOWED_HOSTS": "a.mcp.internal:8000, b.mcp.internal,"})
    assert settings.load().allowed_hosts == ["a.mcp.internal:8000", "b.mcp.internal"]


@pytest.mark.parametrize("uri", ["mongodb://user:s3cret@", "mongodb://user:s3cret@host/?ssl=perhaps&tls=true"])
async def test_driver_never_quotes_the_connection_string(
    uri: str, environment: dict[str, str], use_environment: Use
) -> None:
    """A connection string that the driver refuses is reported without any of it."""
    use_environment(environment | {"MONGODB_URI": uri})
    with pytest.raises(SettingsError, match=r"^MONGODB_URI is malformed") as raised:
        connect(settings.load())
    assert "s3cret" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_settings_hide_the_connection_string(environment: dict[str, str], use_environment: Use) -> None:
    """Printing the settings shows no secret."""
    use_environment(environment)
    assert "s3cret" not in repr(settings.load())
