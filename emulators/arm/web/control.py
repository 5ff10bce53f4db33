"""The control port, on loopback only and with a secret: what tests read and set. No part of Azure."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulators.arm import operations
from emulators.arm.cloud import Cloud
from emulators.arm.errors import AzureError
from emulators.arm.faults import Fault, Faults
from emulators.arm.recorder import Recorder
from emulators.base.errors import EmulatorError

HEADER = "X-Control"


class Control:
    """`cloud` gives the present cloud, `reset` replaces it by a fresh one."""

    def __init__(
        self, secret: str, recorder: Recorder, faults: Faults, cloud: Callable[[], Cloud], reset: Callable[[], None]
    ) -> None:
        self._secret, self._recorder, self._faults = secret, recorder, faults
        self._cloud, self._reset = cloud, reset

    def app(self) -> Starlette:
        routes = [
            Route("/requests", self._guarded(self._requests), methods=["GET", "DELETE"]),
            Route("/faults", self._guarded(self._fault), methods=["GET", "POST", "DELETE"]),
            Route("/delays", self._guarded(self._delays), methods=["PUT"]),
            Route("/authorize", self._guarded(self._authorize), methods=["POST"]),
            Route("/cloud", self._guarded(self._state), methods=["GET", "DELETE"]),
        ]
        return Starlette(routes=routes)

    def _guarded(self, handler: Callable[[Request, object], Response]) -> Callable[[Request], object]:
        async def endpoint(request: Request) -> Response:
            if not secrets.compare_digest(request.headers.get(HEADER, "").encode(), self._secret.encode()):
                return JSONResponse({"error": f"the header {HEADER} must hold the control secret"}, 403)
            try:
                return handler(request, await request.json() if request.method in ("POST", "PUT") else None)
            except (EmulatorError, ValueError, TypeError) as error:
                return JSONResponse({"error": str(error)}, 400)

        return endpoint

    def _requests(self, request: Request, _: object) -> Response:
        if request.method == "DELETE":
            self._recorder.clear()
        return JSONResponse({"requests": self._recorder.rows(), "refused": self._recorder.refused()})

    def _fault(self, request: Request, body: object) -> Response:
        if request.method == "DELETE":
            self._faults.clear()
        elif isinstance(body, list):
            for fault in [Fault.parse(entry) for entry in body]:
                self._faults.add(fault)
        elif request.method == "POST":
            raise EmulatorError("faults are a JSON list of objects")
        return JSONResponse({"waiting": self._faults.waiting()})

    def _delays(self, request: Request, body: object) -> Response:
        given = body if isinstance(body, dict) else {}
        delays = self._cloud().delays
        delays.roles = float(given.get("roles", delays.roles))
        delays.directory = float(given.get("directory", delays.directory))
        return JSONResponse({"roles": delays.roles, "directory": delays.directory})

    def _authorize(self, request: Request, body: object) -> Response:
        """Whether a principal may do to a resource of Terraform's what `verb` says; `refused` is empty where it may."""
        given: dict[str, Any] = body if isinstance(body, dict) else {}
        try:
            operations.authorize(
                self._cloud(), str(given["principal"]), str(given["verb"]), str(given["type"]), given["values"],
                str(given.get("address") or ""),
            )  # fmt: skip
        except KeyError as error:
            raise EmulatorError(f"the question lacks {error}") from error
        except AzureError as error:
            return JSONResponse({"refused": str(error)})
        return JSONResponse({"refused": ""})

    def _state(self, request: Request, _: object) -> Response:
        """What there is, without any secret's value."""
        if request.method == "DELETE":
            self._reset()
        cloud = self._cloud()
        shown = [{k: v for k, v in d.items() if k != "_deleted"} for d in cloud.resources.values()]
        held = [
            {"scope": a.scope, "role": a.role_id, "principal": a.principal_id, "condition": a.condition}
            for a in cloud.assignments.values()
        ]
        return JSONResponse(
            {
                "resources": shown,
                "assignments": held,
                "directory_roles": [
                    [a["principalId"], a["roleDefinitionId"]] for a in cloud.tenant.directory_roles.values()
                ],
                "app_roles": [[a["principalId"], a["appRoleId"]] for a in cloud.tenant.app_roles.values()],
                "providers": sorted(cloud.providers),
            }
        )
