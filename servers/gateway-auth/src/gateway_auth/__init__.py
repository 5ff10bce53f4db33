"""What every MCP server behind the gateway stands behind: the check of the gateway's token, limits, and who calls.

    from gateway_auth import GateSettings, guard, read_settings

    settings = read_settings(GateSettings)          # MCP_TIER, MCP_AUTH_…; SettingsError names what is wrong
    app = guard(mcp_app, settings)                  # an ASGI application

Inside a request `CALLER.get()` is the caller whom the gateway named.
"""

from gateway_auth.caller import CALLER, Caller
from gateway_auth.errors import GatewayAuthError, KeysUnavailableError, SettingsError, TokenRefusedError
from gateway_auth.gate import Gate, guard
from gateway_auth.health import Readiness, live
from gateway_auth.settings import GateSettings, read_settings

__all__ = [
    "CALLER",
    "Caller",
    "Gate",
    "GateSettings",
    "GatewayAuthError",
    "KeysUnavailableError",
    "Readiness",
    "SettingsError",
    "TokenRefusedError",
    "guard",
    "live",
    "read_settings",
]
