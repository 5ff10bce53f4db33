"""The one HTTPS port behind every host name: finds the service, checks the token, answers in that service's way."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl

from joserfc.jwk import KeySet
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from emulators.arm import blobs, metadata, network, tokens
from emulators.arm.call import Answer, Call, Caller
from emulators.arm.cloud import Cloud
from emulators.arm.errors import AzureError, NotReproduced
from emulators.arm.faults import Fault, Faults
from emulators.arm.recorder import Recorder, blob_template, masked
from emulators.arm.routing import Route, Table, normal
from emulators.arm.services import (
    authorization,
    container_apps,
    databases,
    devops,
    graph,
    identities,
    registries,
    registry_tokens,
    storage,
    subscriptions,
    vault_secrets,
    vaults,
)
from emulators.arm.web import issuer, shapes

log = logging.getLogger("emulators.arm")


@dataclass(frozen=True)
class Service:
    """One host name, or every name with that ending."""

    host: str
    table: Table
    audiences: frozenset[str]
    error: shapes.Shape

    def serves(self, host: str) -> bool:
        return host.endswith(self.host) if self.host.startswith(".") else host == self.host


SERVICES = (
    Service(
        "management.azure.com",
        Table(
            metadata.ROUTES, subscriptions.ROUTES, identities.ROUTES, storage.ROUTES, vaults.ROUTES, registries.ROUTES,
            databases.ROUTES, container_apps.ROUTES, authorization.ROUTES,
        ),
        tokens.MANAGEMENT,
        shapes.resource_manager,
    ),
    Service("graph.microsoft.com", Table(graph.ROUTES), tokens.GRAPH, shapes.graph),
    Service("dev.azure.com", Table(devops.ROUTES), tokens.DEVOPS, shapes.devops),
    Service(".vault.azure.net", Table(vault_secrets.ROUTES), tokens.VAULT, shapes.key_vault),
    Service(".azurecr.io", Table(registry_tokens.ROUTES), tokens.REGISTRY, shapes.registry),
    Service(".blob.core.windows.net", Table(), tokens.STORAGE, shapes.blob),
)  # fmt: skip
HOSTS = (issuer.HOST, *(service.host for service in SERVICES))


class BlobStore(Protocol):
    """Azurite, one process per storage account."""

    async def forward(self, account: str, request: Request, body: bytes, *, versioned: bool) -> Response: ...


class Authority(Protocol):
    """The issuer, whose tokens every service takes."""

    async def forward(self, request: Request, body: bytes) -> Response: ...

    async def keys(self, key_id: str | None) -> KeySet: ...


class Front:
    """An ASGI application. Faults come first, then the service; everything is recorded.

    `addresses` are the callers', by the port from which the proxy passes their tunnel on.
    """

    def __init__(
        self, cloud: Cloud, authority: Authority, recorder: Recorder, faults: Faults, store: BlobStore,
        addresses: Mapping[int, str],
    ) -> None:  # fmt: skip
        self.cloud, self._authority, self._addresses = cloud, authority, addresses
        self._recorder, self._faults, self._store = recorder, faults, store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        host = request.headers.get("host", "").partition(":")[0].lower()
        path = normal(scope["path"])
        fault = self._faults.take(request.method, host, path)
        if fault is not None:
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.drop and not fault.after:
            await _hang_up(send)
            return
        if host == issuer.HOST:
            response = await self._sign_in(request, path, fault)
        else:
            service = next((s for s in SERVICES if s.serves(host)), None)
            if service is None:
                raise AssertionError(f"the proxy let {host} through, which no service serves")
            response = await self._answer(service, request, host, path, fault)
        if fault is not None and fault.drop:
            await _hang_up(send)
            return
        await response(scope, receive, send)

    async def _sign_in(self, request: Request, path: str, fault: Fault | None) -> Response:
        known = True
        try:
            if fault is not None:
                raise fault.error()
            response = await self._authority.forward(request, await request.body())
            known = response.status_code != 404
        except AzureError as error:
            response = shapes.resource_manager(error)
        self._recorder.add(request.method, issuer.HOST, masked(path), None, response.status_code, known)
        return response

    async def _answer(self, service: Service, request: Request, host: str, path: str, fault: Fault | None) -> Response:
        version = request.query_params.get("api-version")
        found = service.table.find(request.method, path, version)
        is_blob = not service.table.routes
        template = (
            blob_template(path, request.query_params) if is_blob else found[0].template if found else masked(path)
        )
        known = True
        try:
            if fault is not None and not fault.after:
                raise fault.error()
            body = await request.body()
            if is_blob:
                response = await self._blob(service, request, host, path, body)
            elif found is None:
                raise NotReproduced(request.method, host, path, version)
            else:
                response = shapes.plain(await self._serve(service, found, request, host, path, body))
            if fault is not None:
                raise fault.error()
        except AzureError as error:
            known = not isinstance(error, NotReproduced) and error.status != 501
            if not known:
                log.error("refused: %s", error.message)
            response = service.error(error)
        self._recorder.add(request.method, host, template, version, response.status_code, known)
        log.info("%s %s %s %s", request.method, host, template, response.status_code)
        return response

    async def _serve(
        self, service: Service, found: tuple[Route, dict[str, str]], request: Request, host: str, path: str, body: bytes
    ) -> Answer:
        route, params = found
        content, token = _content(request, body), request.headers.get("authorization")
        if host.endswith(".azurecr.io"):
            token = f"Bearer {content['access_token']}" if content and "access_token" in content else None
        if host.endswith(".vault.azure.net") and not token:
            raise vault_secrets.challenge(self.cloud)
        caller = await self._caller(service, token)
        if "subscription" in params and params["subscription"].lower() != self.cloud.subscription_id:
            raise AzureError(
                404, "SubscriptionNotFound", f"The subscription '{params['subscription']}' could not be found."
            )
        address = self._address_of(request)
        call = Call(request.method, host, path, params, dict(request.query_params), content, caller, address)
        if route.action is not None:
            self.cloud.require(call.who(), route.action.format(**params), route.scope_of(path, params), route.data)
        return route.handler(self.cloud, call)

    def _address_of(self, request: Request) -> str:
        """Where the tunnel came from, by the port at its inner end."""
        return self._addresses.get(request.client.port if request.client else 0, network.OUTSIDE)

    async def _caller(self, service: Service, token: str | None) -> Caller | None:
        if not token:
            return None
        keys, tenant = await self._authority.keys(tokens.key_id(token)), self.cloud.tenant
        return tokens.read(token, keys, tenant.tenant_id, service.audiences, self.cloud.clock(), tenant.name_of)

    async def _blob(self, service: Service, request: Request, host: str, path: str, body: bytes) -> Response:
        authorization = request.headers.get("authorization", "")
        blobs.check_network(self.cloud, host, self._address_of(request))
        if authorization.lower().startswith("bearer "):
            caller = await self._caller(service, authorization)
            if caller is not None:
                blobs.authorize(self.cloud, caller, request.method, host, path, request.query_params)
        else:
            blobs.check_shared_key(self.cloud, host)
        account = host.split(".")[0]
        return await self._store.forward(account, request, body, versioned=storage.keeps_versions(self.cloud, account))


def _content(request: Request, body: bytes) -> Any:
    if not body:
        return None
    text = body.decode("utf-8", "replace")
    if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
        form: Mapping[str, str] = dict(parse_qsl(text))
        return form
    try:
        return json.loads(text)
    except ValueError as error:
        raise AzureError(400, "InvalidRequestContent", f"The request content was not valid JSON: {error}") from error


async def _hang_up(send: Send) -> None:
    """An answer that breaks off: promised bytes never come, and the connection closes."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})
