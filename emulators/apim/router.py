"""Which operation a request is for.

An API is found by the longest path prefix, an operation by method and URL template. Literal segments are compared after
decoding percent-escapes and without case; `%2F` stays inside its segment. A trailing slash makes no difference, and
goes on to the backend as it came ("Manually add an API", azure-docs commit 5801a64).
Dot segments, empty segments and malformed escapes match nothing: no two parties must read one path in two ways.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from emulators.apim.messages import ApiInfo, OperationInfo
from emulators.apim.pipeline import Pipeline

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
#: A request for an operation with a `{*rest}` or `/*` tail.
_TAIL = "*"


@dataclass(frozen=True)
class Route:
    """One operation. `segments` are literals in lower case, `{name}` for a parameter, or `*name` for the tail."""

    operation: OperationInfo
    segments: tuple[str, ...]
    pipeline: Pipeline

    def match(self, given: Sequence[str]) -> dict[str, str] | None:
        parameters: dict[str, str] = {}
        if given and given[-1] == "" and not (self.segments and self.segments[-1].startswith(_TAIL)):
            given = given[:-1]
        for position, wanted in enumerate(self.segments):
            if wanted.startswith(_TAIL):
                parameters[wanted[1:] or _TAIL] = "/".join(given[position:])
                return parameters
            if position >= len(given) or not _segment(wanted, given[position], parameters):
                return None
        return parameters if len(given) == len(self.segments) else None

    @property
    def rank(self) -> tuple[int, ...]:
        """Literals before parameters before a tail, from the left."""
        return tuple(2 if s.startswith(_TAIL) else 1 if s.startswith("{") else 0 for s in self.segments)


def _segment(wanted: str, given: str, parameters: dict[str, str]) -> bool:
    if wanted.startswith("{"):
        parameters[wanted[1:-1]] = given
        return given != ""
    return given.lower() == wanted


@dataclass
class Api:
    """`routes` by upper-case method; `*` holds operations for every method."""

    info: ApiInfo
    segments: tuple[str, ...]
    subscription_required: bool
    pipeline: Pipeline
    routes: dict[str, list[Route]] = field(default_factory=dict)

    def add(self, route: Route) -> None:
        found = self.routes.setdefault(route.operation.method.upper(), [])
        found.append(route)
        found.sort(key=lambda known: known.rank)

    def find(self, method: str, given: Sequence[str]) -> tuple[Route, dict[str, str]] | None:
        for route in [*self.routes.get(method, ()), *self.routes.get("*", ())]:
            parameters = route.match(given)
            if parameters is not None:
                return route, parameters
        return None

    def answers(self, given: Sequence[str]) -> bool:
        """Whether any method has an operation there."""
        return any(route.match(given) is not None for routes in self.routes.values() for route in routes)


def template_segments(template: str) -> tuple[str, ...]:
    """`/a/{b}/{*c}` as Route wants it. ValueError for what the gateway does not match: queries, partial parameters."""
    if not template.startswith("/"):
        raise ValueError("it must begin with a slash")
    if "?" in template:
        raise ValueError("query parameters in the template are not supported by the local gateway")
    found = []
    for segment in template[1:].split("/"):
        if segment in ("*", "{*}") or (segment.startswith("{*") and segment.endswith("}")):
            found.append(_TAIL + segment.strip("{*}"))
        elif segment.startswith("{") and segment.endswith("}"):
            found.append(segment)
        elif "{" in segment or "*" in segment:
            raise ValueError(
                f"the segment {segment!r} mixes text and parameters, which the local gateway does not match"
            )
        else:
            found.append(segment.lower())
    return tuple(found[:-1]) if found[-1] == "" else tuple(found)


def split_path(raw_path: str) -> list[str] | None:
    """Decoded segments of a request path; None where it is not one that the gateway matches."""
    if not raw_path.startswith("/") or _BAD_ESCAPE.search(raw_path):
        return None
    raw = raw_path[1:].split("/")
    segments = [unquote_to_bytes(part).decode("utf-8", "replace") if "%" in part else part for part in raw]
    if any(s in (".", "..") or "\\" in s or "\0" in s for s in segments):
        return None
    return segments


@dataclass(frozen=True, slots=True)
class Match:
    """`rest` are the decoded segments after the API's prefix, `path` the same part as it was sent; no route: 404."""

    api: Api
    rest: Sequence[str]
    path: str
    route: Route | None
    parameters: Mapping[str, str]


class Router:
    def __init__(self, apis: Sequence[Api]) -> None:
        self._apis = sorted(apis, key=lambda api: len(api.segments), reverse=True)

    def match(self, method: str, raw_path: str) -> Match | None:
        """None where no API has this path, or it is none that the gateway matches."""
        segments = split_path(raw_path)
        api = self.find_api(segments) if segments is not None else None
        if api is None or segments is None:
            return None
        rest, path = relative(api, segments, raw_path)
        route, parameters = api.find(method, rest) or (None, {})
        return Match(api, tuple(rest), path, route, parameters)

    def find_api(self, segments: Sequence[str]) -> Api | None:
        lowered = [segment.lower() for segment in segments]
        for api in self._apis:
            if tuple(lowered[: len(api.segments)]) == api.segments:
                return api
        return None


def relative(api: Api, segments: Sequence[str], raw_path: str) -> tuple[list[str], str]:
    """The segments after the API's prefix, and the same part of the path as it was sent. An API's root is `/`."""
    count = len(api.segments)
    rest = list(segments[count:])
    raw = "/" + "/".join(raw_path[1:].split("/")[count:])
    return ([] if rest == [""] else rest), raw
