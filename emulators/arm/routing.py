"""Route tables. A request that fits no route is refused by name; so is an api-version the service was not seen with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from emulators.arm.call import Answer, Call
from emulators.arm.cloud import Cloud

Handler = Callable[[Cloud, Call], Answer]

ANY = frozenset({"*"})
_PART = re.compile(r"\{(\w+)(:path)?\}")


@dataclass(frozen=True)
class Route:
    """`page` is the page of the service's reference that the route was written from, and the version that it describes.

    `action` is the Azure action a caller needs; None where the handler itself decides (Graph, sign-in).

    `scope` names the template whose filled-in form is the scope of the check; None: the path itself.
    """

    method: str
    template: str
    handler: Handler
    action: str | None = None
    versions: frozenset[str] = ANY
    scope: str | None = None
    data: bool = False
    page: str = field(kw_only=True)

    def matches(self, method: str, path: str) -> dict[str, str] | None:
        found = self.pattern.fullmatch(path) if method == self.method else None
        return {name: unquote(value) for name, value in found.groupdict().items()} if found else None

    @property
    def pattern(self) -> re.Pattern[str]:
        return _pattern(self.template)

    def scope_of(self, path: str, params: Mapping[str, str]) -> str:
        """The scope an authorization check is about; a `{scope}` parameter wins, then the route's own."""
        if self.scope is not None:
            return _PART.sub(lambda part: params[part[1]], self.scope)
        return "/" + params["scope"].strip("/") if "scope" in params else path


class Table:
    """The routes of one host, in order; the first that fits is taken."""

    def __init__(self, *groups: Iterable[Route]) -> None:
        self.routes = tuple(route for group in groups for route in group)

    def find(self, method: str, path: str, version: str | None) -> tuple[Route, dict[str, str]] | None:
        for route in self.routes:
            params = route.matches(method, path)
            if params is not None and (route.versions is ANY or version in route.versions):
                return route, params
        return None


def normal(path: str) -> str:
    """One slash between parts and none at the end: clients write `//subscriptions` too."""
    return "/" + "/".join(part for part in path.split("/") if part)


_patterns: dict[str, re.Pattern[str]] = {}


def _pattern(template: str) -> re.Pattern[str]:
    if template not in _patterns:
        pieces, end = [], 0
        for part in _PART.finditer(template):
            pieces.append(re.escape(template[end : part.start()]))
            pieces.append(f"(?P<{part[1]}>{'.*?' if part[2] else '[^/]+'})")
            end = part.end()
        pieces.append(re.escape(template[end:]))
        _patterns[template] = re.compile("".join(pieces), re.IGNORECASE)
    return _patterns[template]
