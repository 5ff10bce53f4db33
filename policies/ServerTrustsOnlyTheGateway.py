"""CKV_MCP_33: see `guideline`."""

from __future__ import annotations

from compute import KINDS, containers, is_job, plain
from plan_documents import Plan, PlanPolicy, Values
from policy_base import true

NEEDED = (
    "MCP_AUTH_AUDIENCE",
    "MCP_AUTH_GATEWAY_OBJECT_ID",
    "MCP_AUTH_ISSUER",
    "MCP_AUTH_JWKS_URI",
    "MCP_AUTH_TENANT_ID",
    "MCP_ALLOWED_HOSTS",
)


class ServerTrustsOnlyTheGateway(PlanPolicy):
    id = "CKV_MCP_33"
    summary = "A server knows whose tokens to trust: issuer, keys, tenant, audience, and the gateway's identity"
    severity_name = "CRITICAL"
    resources = KINDS
    guideline = (
        "The audience must be an app to which only assigned identities get tokens, and the gateway's must be "
        "assigned to it."
    )

    def holds(self, values: Values, plan: Plan) -> bool | None:
        settings = {name: str(value) for one in containers(values) for name, value in plain(one).items()}
        if is_job(values, settings):
            return True
        if not all(settings.get(name) for name in NEEDED):
            return False
        guarded = {
            app["object_id"]
            for app in plan.resources("azuread_service_principal")
            if app.get("client_id") == settings["MCP_AUTH_AUDIENCE"] and true(app.get("app_role_assignment_required"))
        }
        principals = {
            assignment.get("principal_object_id")
            for assignment in plan.resources("azuread_app_role_assignment")
            if assignment.get("resource_object_id") in guarded
        }
        return principals == {settings["MCP_AUTH_GATEWAY_OBJECT_ID"]}


check = ServerTrustsOnlyTheGateway()
