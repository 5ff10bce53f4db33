from __future__ import annotations

import pytest
from gateway_auth import GateSettings, SettingsError, read_settings
from gateway_auth.testing import AUTH_ENVIRONMENT


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("MCP_REQUEST_BYTES_CEILING", raising=False)
    for name, value in AUTH_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize("name", AUTH_ENVIRONMENT)
@pytest.mark.parametrize("empty", [True, False])
def test_each_is_required(name: str, empty: bool, environment: pytest.MonkeyPatch) -> None:
    """An empty variable is one that is not set."""
    environment.setenv(name, "") if empty else environment.delenv(name)
    with pytest.raises(SettingsError, match=f"^{name} is not set: give it to the container's environment"):
        read_settings(GateSettings)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MCP_AUTH_JWKS_URI", "http://issuer.example/keys", "must be an https URL (http only on loopback)"),
        ("MCP_AUTH_ISSUER", "issuer", "must be an https URL (http only on loopback)"),
        ("MCP_AUTH_AUDIENCE", "api://x", "must be a GUID such as 11111111-2222-4333-8444-555555555555"),
        ("MCP_REQUEST_BYTES_CEILING", "1", "input should be greater than or equal to 1024"),
    ],
)
def test_what_is_malformed_is_named(name: str, value: str, sentence: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsError) as raised:
        read_settings(GateSettings)
    assert str(raised.value) == f"{name} is malformed: {sentence}."
