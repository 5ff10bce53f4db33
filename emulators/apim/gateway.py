"""The gateway: from a request to the response, by matching and policies. What is HTTP about it is in http_server.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emulators.apim.failures import Failure, log_bug
from emulators.apim.load import Loaded
from emulators.apim.messages import Context, Request, Response
from emulators.apim.pipeline import error_response, execute, fail, failure_of, internal_error
from emulators.apim.router import Api, Route, Router
from emulators.apim.services import Services

STATUS_PATH = "/status-0123456789abcdef"

_NOT_FOUND = "Resource not found"
_NO_KEY = (
    "Access denied due to missing subscription key. "
    "Make sure to include subscription key when making requests to an API."
)

#: The context is there where policies ran.
Responded = tuple[Context | None, Response]


class Gateway:
    """`variables`: what `context.Variables` holds before any policy ran; nothing, but in a trial of one request."""

    def __init__(self, loaded: Loaded, services: Services, variables: Mapping[str, Any] | None = None) -> None:
        self._loaded = loaded
        self._variables = variables or {}
        self._router = Router(loaded.apis)
        self.services = services

    async def respond(self, request: Request) -> Responded:
        """Answer a request, whatever happens. `request.path` is the whole path, and relative to the API afterwards."""
        try:
            return await self._respond(request)
        except Exception as error:  # noqa: BLE001 - a fault of the gateway is API Management's 500, not a cut connection
            log_bug("the gateway", error)
            return None, internal_error(None)

    async def _respond(self, request: Request) -> Responded:
        if request.path == STATUS_PATH:
            return None, Response(200, "OK")
        match = self._router.match(request.method, request.path)
        if match is None:
            return None, error_response(404, _NOT_FOUND)
        api, request.path, route = match.api, match.path, match.route
        if route is None:
            return await self._unmatched(api, match.rest, request)
        request.parameters, request.base = match.parameters, api.info.service_url
        context = Context(request, self.services, api.info, route.operation, self._loaded.deployment)
        context.variables.update(self._variables)
        if api.subscription_required:
            failure = Failure(401, "SubscriptionKeyNotFound", _NO_KEY, source="authorization")
            return context, await fail(route.pipeline, context, failure)
        try:
            return context, await execute(route.pipeline, context)
        finally:
            for after in context.after:
                after()

    async def _unmatched(self, api: Api, rest: Sequence[str], request: Request) -> Responded:
        """A preflight is answered by the `cors` policies of the operation it asks about ("CORS")."""
        asked = request.headers.joined("Access-Control-Request-Method")
        if request.method != "OPTIONS" or asked is None or "Origin" not in request.headers:
            return None, error_response(404, _NOT_FOUND)
        context = Context(request, self.services, api.info, None, self._loaded.deployment)
        found: tuple[Route, Any] | None = api.find(asked.strip().upper(), rest)
        pipeline = found[0].pipeline if found is not None else api.pipeline if api.answers(rest) else None
        if pipeline is None or not pipeline.cors:
            return None, error_response(404, _NOT_FOUND)
        for policy in pipeline.cors:
            try:
                answer = policy.preflight(context)
            except Exception as error:  # noqa: BLE001 - as in any other statement
                failure = failure_of(error)
                failure.source = "cors"
                return context, await fail(pipeline, context, failure)
            if answer is not None:
                return None, answer
        return None, Response(200, "OK")
