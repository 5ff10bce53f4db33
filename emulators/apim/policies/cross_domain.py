"""Cross-origin requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emulators.apim.elements import Element, element, text_values
from emulators.apim.failures import Answer
from emulators.apim.messages import Context, ManyValues, Response, Run
from emulators.apim.values import Value


@dataclass(frozen=True)
class Cors:
    """One `cors` policy. It answers preflights before any other policy and marks responses of requests it ran for."""

    origins: tuple[str, ...]
    methods: tuple[Value, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    credentials: Callable[[Context], bool]
    terminate: Callable[[Context], bool]
    max_age: Value

    def allows(self, origin: str) -> bool:
        return "*" in self.origins or _normal(origin) in self.origins

    def preflight(self, context: Context) -> Response | None:
        """The answer to an OPTIONS request that asks for permission, or None where this policy does not match."""
        request = context.request
        origin, method = (
            request.headers.joined("Origin", ""),
            request.headers.joined("Access-Control-Request-Method", ""),
        )
        methods = [value.text(context).strip().upper() for value in self.methods] or ["GET", "POST"]
        asked = [
            name.strip()
            for name in request.headers.joined("Access-Control-Request-Headers", "").split(",")
            if name.strip()
        ]
        if not self.allows(origin) or not ("*" in methods or method.upper() in methods):
            return None
        if "*" not in self.headers and any(name.lower() not in self.headers for name in asked):
            return None
        headers = self._origin_headers(context, origin)
        headers += [("Access-Control-Allow-Methods", method if "*" in methods else ",".join(methods))]
        headers += [("Access-Control-Allow-Headers", ",".join(asked))] if asked else []
        headers += [("Access-Control-Max-Age", self.max_age.text(context))] if self.max_age.text(context) != "0" else []
        return Response(200, "OK", ManyValues(headers))

    def _origin_headers(self, context: Context, origin: str) -> list[tuple[str, str]]:
        credentials = self.credentials(context)
        anyone = "*" in self.origins and not credentials
        headers = [("Access-Control-Allow-Origin", "*" if anyone else origin)]
        headers += [] if anyone else [("Vary", "Origin")]
        return headers + ([("Access-Control-Allow-Credentials", "true")] if credentials else [])

    def run(self, context: Context) -> None:
        origin = context.request.headers.joined("Origin")
        if origin is None:
            return
        if self.allows(origin):
            headers = self._origin_headers(context, origin)
            headers += [("Access-Control-Expose-Headers", ",".join(self.exposed))] if self.exposed else []
            context.cors_headers = headers
        elif self.terminate(context) and context.request.method in ("GET", "HEAD"):
            raise Answer(Response(200, "OK"))


def _normal(origin: str) -> str:
    """Origins are compared without case, default port and trailing slash."""
    text = origin.strip().rstrip("/").lower()
    return text.removesuffix(":80") if text.startswith("http://") else text.removesuffix(":443")


@element("cors")
def cors(element: Element) -> Run:
    methods = element.child("allowed-methods")
    policy = Cors(
        origins=tuple(
            _normal(text) if text != "*" else text for text in _literals(element, "allowed-origins", "origin")
        ),
        methods=tuple(text_values(methods, "method")),
        headers=tuple(text.lower() for text in _literals(element, "allowed-headers", "header")),
        exposed=_literals(element, "expose-headers", "header"),
        credentials=element.flag("allow-credentials"),
        terminate=element.flag("terminate-unmatched-request"),
        max_age=methods.value("preflight-result-max-age") if methods is not None else Value("0"),
    )
    if all(step.startswith("include-fragment") for step in element.builder.place.path.split("/")[:-1]):
        element.builder.cors.append(policy)
    return policy.run


def _literals(element: Element, parent: str, tag: str) -> tuple[str, ...]:
    return tuple(value.literal or "" for value in text_values(element.child(parent), tag))
