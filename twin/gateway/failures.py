"""How a request leaves the ordinary path: with an answer of its own (Answer), or in an error (Failure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twin.gateway.messages import Response

if TYPE_CHECKING:
    from twin.gateway.pipeline import Step


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


class UpstreamError(Exception):
    """No answer; `reason` is BackendConnectionFailure or Timeout, as context.LastError names them."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
