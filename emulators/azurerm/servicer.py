"""The protocol's calls for one provider: each takes a request and returns a response, and none raises.

What goes wrong becomes a diagnostic of one sentence, because Terraform shows nothing else. EMULATOR_DEBUG=1 also prints
the traceback.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from emulators.azurerm import lifecycle
from emulators.azurerm.catalog import Catalog, Values
from emulators.azurerm.cloud import Cloud, known_of
from emulators.azurerm.datasources import read_data
from emulators.azurerm.planning import plan_or_refuse
from emulators.azurerm.proto import tfplugin5_pb2 as pb
from emulators.azurerm.validate import Problem, validate
from emulators.azurerm.values import Path, decode, empty, encode, has_unknown
from emulators.base.errors import EmulatorError

Request = TypeVar("Request")
Response = TypeVar("Response")


def answers(
    response: type[Response],
) -> Callable[[Callable[[Any, Request], Response]], Callable[[Any, Request], Response]]:
    """Turns an exception into that response with one diagnostic."""

    def wrap(method: Callable[[Any, Request], Response]) -> Callable[[Any, Request], Response]:
        @wraps(method)
        def call(self: Any, request: Request) -> Response:
            try:
                return method(self, request)
            except Exception as error:  # noqa: BLE001 - Terraform must get an answer, whatever happened
                return response(diagnostics=[_diagnostic_of(error, getattr(request, "type_name", ""))])  # type: ignore[call-arg]

        return call

    return wrap


def _diagnostic_of(error: Exception, type_: str) -> pb.Diagnostic:
    if os.environ.get("EMULATOR_DEBUG"):
        traceback.print_exception(error, file=sys.stderr)
    where = f"{type_}: " if type_ else ""
    if isinstance(error, EmulatorError):
        return pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=f"{where}{error}")
    summary = (
        f"{where}the stand-in provider failed ({type(error).__name__}: {error}); set EMULATOR_DEBUG=1 to see where"
    )
    return pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=summary)


def attribute_path(path: Path) -> pb.AttributePath:
    steps = [pb.Step(element_key_int=s) if isinstance(s, int) else pb.Step(attribute_name=s) for s in path]
    return pb.AttributePath(steps=steps)


def _reported(problems: list[Problem]) -> list[pb.Diagnostic]:
    return [
        pb.Diagnostic(
            severity=pb.Diagnostic.ERROR, summary=p.summary, detail=p.detail, attribute=attribute_path(p.path)
        )
        for p in problems
    ]


class Servicer:
    """One provider; `cloud` is shared with the other one."""

    def __init__(self, catalog: Catalog, cloud: Cloud) -> None:
        self.catalog = catalog
        self.cloud = cloud

    @answers(pb.PrepareProviderConfigResponse)
    def prepare(self, request: pb.PrepareProviderConfigRequest) -> pb.PrepareProviderConfigResponse:
        return pb.PrepareProviderConfigResponse(prepared_config=request.config)

    @answers(pb.ConfigureResponse)
    def configure(self, request: pb.ConfigureRequest) -> pb.ConfigureResponse:
        """Who deploys, and where to. All instances (aliases) of a provider share one process: the last one counts."""
        config = decode(request.config) or {}
        self.cloud.begin(self.catalog.name)
        self.cloud.tenant_id = _text(config, "tenant_id") or self.cloud.tenant_id
        self.cloud.client_id = _text(config, "client_id") or self.cloud.client_id
        if self.catalog.name == "azurerm":
            subscription = _text(config, "subscription_id") or os.environ.get("ARM_SUBSCRIPTION_ID")
            if not subscription:
                return pb.ConfigureResponse(
                    diagnostics=[pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=NO_SUBSCRIPTION)]
                )
            self.cloud.subscription_id = subscription
            self.cloud.features = _features(config)
        return pb.ConfigureResponse()

    @answers(pb.ValidateConfigResponse)
    def validate_resource(self, request: pb.ValidateConfigRequest) -> pb.ValidateConfigResponse:
        schema, rules = self.catalog.resource(request.type_name), self.catalog.rules(request.type_name)
        found = validate(schema["block"], rules, decode(request.config) or {})
        return pb.ValidateConfigResponse(diagnostics=_reported(found))

    @answers(pb.ValidateConfigResponse)
    def validate_data(self, request: pb.ValidateConfigRequest) -> pb.ValidateConfigResponse:
        found = validate(self.catalog.data_source(request.type_name)["block"], {}, decode(request.config) or {})
        return pb.ValidateConfigResponse(diagnostics=_reported(found))

    @answers(pb.UpgradeResourceStateResponse)
    def upgrade(self, request: pb.UpgradeResourceStateRequest) -> pb.UpgradeResourceStateResponse:
        """State of an older schema: names that are gone are dropped, new ones start as null."""
        nothing = empty(self.catalog.resource(request.type_name)["block"])
        state = json.loads(request.raw_state.json) if request.raw_state.json else None
        if state is None:
            return pb.UpgradeResourceStateResponse(upgraded_state=encode(None))
        self.cloud.claim(request.type_name, state.get("id"))
        kept = {**nothing, **{name: value for name, value in state.items() if name in nothing}}
        return pb.UpgradeResourceStateResponse(upgraded_state=pb.DynamicValue(json=json.dumps(kept).encode()))

    @answers(pb.ReadResourceResponse)
    def read(self, request: pb.ReadResourceRequest) -> pb.ReadResourceResponse:
        current = decode(request.current_state) or {}
        self.cloud.authorize("read", request.type_name, current)
        found = lifecycle.read(self.cloud, request.type_name, current.get("id") or "")
        if found is not None and "timeouts" in current:
            found["timeouts"] = current["timeouts"]  # an instruction to the provider, not part of the object
        return pb.ReadResourceResponse(new_state=encode(found), private=request.private)

    @answers(pb.PlanResourceChangeResponse)
    def plan(self, request: pb.PlanResourceChangeRequest) -> pb.PlanResourceChangeResponse:
        prior, proposed = decode(request.prior_state), decode(request.proposed_new_state)
        self.cloud.claim(request.type_name, (prior or {}).get("id"))
        result = plan_or_refuse(request.type_name, prior, proposed)
        return pb.PlanResourceChangeResponse(
            planned_state=encode(result.planned),
            requires_replace=[attribute_path(path) for path in result.replace],
            planned_private=request.prior_private,
            legacy_type_system=result.legacy,
        )

    def apply(self, request: pb.ApplyResourceChangeRequest) -> pb.ApplyResourceChangeResponse:
        """On failure the prior state is what remains: Terraform must not forget an object that still exists."""
        try:
            new = self._apply(
                request.type_name, decode(request.prior_state), decode(request.planned_state), decode(request.config)
            )
        except Exception as error:  # noqa: BLE001 - as in `answers`
            problem = _diagnostic_of(error, request.type_name)
            return pb.ApplyResourceChangeResponse(new_state=request.prior_state, diagnostics=[problem])
        # Azure rewrites policies and gives an object an identity in an update: what was planned is not what is there.
        # azurerm, on its older plugin SDK, may say so; Terraform takes it then.
        return pb.ApplyResourceChangeResponse(
            new_state=encode(new), private=request.planned_private, legacy_type_system=self.catalog.name == "azurerm"
        )

    def _apply(self, type_: str, prior: Values | None, planned: Values | None, config: Values | None) -> Values | None:
        verb = "delete" if planned is None else "update" if prior else "create"
        self.cloud.authorize(verb, type_, known_of(planned or prior or {}))
        if planned is None:
            lifecycle.destroy(self.cloud, type_, prior or {})
            return None
        return lifecycle.apply(self.cloud, type_, prior, planned, config)

    @answers(pb.ImportResourceStateResponse)
    def import_state(self, request: pb.ImportResourceStateRequest) -> pb.ImportResourceStateResponse:
        found = lifecycle.imported(self.cloud, request.type_name, request.id)
        resource = pb.ImportedResource(type_name=request.type_name, state=encode(found))
        return pb.ImportResourceStateResponse(imported_resources=[resource])

    @answers(pb.ReadDataSourceResponse)
    def read_data(self, request: pb.ReadDataSourceRequest) -> pb.ReadDataSourceResponse:
        config = decode(request.config) or {}
        if has_unknown(config):
            raise EmulatorError("Terraform asked for a data source before its arguments are known")
        self.cloud.authorize("read", request.type_name, config)
        return pb.ReadDataSourceResponse(state=encode(read_data(self.cloud, request.type_name, config)))

    def functions(self, _: pb.GetFunctionsRequest) -> pb.GetFunctionsResponse:
        return pb.GetFunctionsResponse()

    def stop(self, _: pb.StopRequest) -> pb.StopResponse:
        return pb.StopResponse()


NO_SUBSCRIPTION = "`subscription_id` is a required provider property when performing a plan/apply operation"


def _features(config: Values) -> Values:
    """The blocks inside `features {}`, each of which can stand once."""
    written = (config.get("features") or [{}])[0] or {}
    return {name: block[0] for name, block in written.items() if isinstance(block, list) and block}


def _text(config: Values, name: str) -> str | None:
    value = config.get(name)
    return value if isinstance(value, str) and value else None
