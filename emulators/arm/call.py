"""One request as a service sees it, and its answer: no sockets, so rules are tested without them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulators.arm.errors import bad_request, unauthenticated

Document = dict[str, Any]


@dataclass(frozen=True)
class Caller:
    """Who the token says is calling. `permissions` are Graph application permissions (the `roles` claim)."""

    object_id: str
    name: str
    client_id: str
    is_app: bool
    audience: str
    permissions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Call:
    """`params` are the path's parts by the names of the route's template; `address` the caller's."""

    method: str
    host: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    caller: Caller | None = None
    address: str = "198.51.100.1"

    def who(self) -> Caller:
        if self.caller is None:
            raise unauthenticated("Authentication failed. The 'Authorization' header is missing.")
        return self.caller

    def document(self) -> Document:
        """The body, which must be a JSON object."""
        if not isinstance(self.body, dict):
            raise bad_request("InvalidRequestContent", "The request content was invalid: a JSON object is expected.")
        return self.body

    def __getitem__(self, name: str) -> str:
        return self.params[name]


@dataclass(frozen=True)
class Answer:
    """`body` None sends no content. A text body is sent as it is, anything else as JSON."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
