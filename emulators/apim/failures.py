"""How a request leaves the ordinary path: with an answer of its own (Answer), or in an error (Failure)."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence

from emulators.apim.messages import LastError, Response, Step

_log = logging.getLogger(__name__)


class Answer(Exception):
    """A policy answered: no other policy runs."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class Failure(Exception):
    """An error condition: control goes to on-error. `status` is what the caller gets unless a policy sets another.

    Sources and reasons: "Error handling in API Management policies", predefined errors.
    """

    def __init__(
        self,
        status: int,
        reason: str | None,
        message: str,
        *,
        source: str | None = None,
        body: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.source = source
        self.body = body
        self.headers = tuple(headers)
        self.step: Step | None = None


#: LastError.Message in the two cases of BackendConnectionFailure, in .NET's words, which Microsoft's guides to 5xx
#: errors quote. After the first nothing was sent; after the second the backend may have done its work.
NOT_CONNECTED = "Unable to connect to the remote server"
BROKEN_OFF = "The underlying connection was closed"


class UpstreamError(Exception):
    """No answer; `reason` is BackendConnectionFailure or Timeout, as context.LastError names them."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def last_error(failure: Failure) -> LastError:
    """What context.LastError says of it."""
    step = failure.step
    if step is None:
        return LastError(failure.source or "request-forwarder", failure.reason, failure.message)
    return LastError(
        source=failure.source or step.source,
        reason=failure.reason,
        message=failure.message,
        scope=step.scope,
        section=step.section,
        path=step.path,
        policy_id=step.policy_id,
    )


def log_bug(where: str, error: BaseException) -> None:
    """Log an exception that nobody foresaw: its type and its frames, not its text, which may hold a secret."""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    _log.error("%s failed: %s at %s", where, type(error).__name__, " < ".join(reversed(frames)))
