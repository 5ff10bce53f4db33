"""The server's errors: one sentence each, safe to show, without any part of the connection string.

Outside a call, errors are those of `gateway_auth.errors`; this server raises its SettingsError too: the environment is
incomplete or malformed, and the process ends with exit code 2.

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
from gateway_auth import SettingsError

__all__ = [
    "BusyError",
    "CallError",
    "DatabaseError",
    "InvalidCallError",
    "RefusedError",
    "SettingsError",
    "ThrottledError",
    "TimeLimitError",
]


class CallError(ToolError):
    """Its text is a sentence of ours. `foreign` is what the database says about it: it may quote what is stored, so it
    reaches the model only behind the boundary of untrusted content."""

    outcome: ClassVar[str] = "failed"

    def __init__(self, message: str, *, foreign: str | None = None) -> None:
        super().__init__(message)
        self.foreign = foreign


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
