"""The server's errors: one sentence each, safe to show, without any part of the connection string.

ServerError
├── SettingsError            the environment is incomplete or malformed; the process ends with exit code 2
├── TokenRefusedError        the request does not come from the gateway (401 or 403)
└── KeysUnavailableError     the issuer's signing keys could not be fetched (503)

CallError (a FastMCP ToolError: its text reaches the model, its `outcome` the audit line)
├── InvalidCallError         arguments that no database would accept
├── RefusedError             a rule of this server; the text names the setting or argument that would allow it
├── BusyError                too many calls at once; retryable
├── ThrottledError           the database asked to slow down for longer than the call may last
├── TimeLimitError           the time limit passed
└── DatabaseError            the database answered with an error, or did not answer
"""

from typing import ClassVar

from fastmcp.exceptions import ToolError


class ServerError(Exception):
    """Base of what is raised outside a tool call; `str()` is one sentence for a person."""


class SettingsError(ServerError):
    pass


class TokenRefusedError(ServerError):
    """`status` is 401 for a missing or invalid token, 403 for a valid one that may not call this server."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class KeysUnavailableError(ServerError):
    pass


class CallError(ToolError):
    outcome: ClassVar[str] = "failed"


class InvalidCallError(CallError):
    outcome = "invalid"


class RefusedError(CallError):
    outcome = "refused"


class BusyError(CallError):
    outcome = "busy"


class ThrottledError(CallError):
    outcome = "throttled"


class TimeLimitError(CallError):
    outcome = "timeout"


class DatabaseError(CallError):
    outcome = "database-error"
