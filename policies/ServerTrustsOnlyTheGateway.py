"""CKV_MCP_33: see `guideline`."""

from __future__ import annotations

from plan_documents import Plan, PlanPolicy, Values
from policy_base import blocks, true

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
    resources = ("azurerm_container_group",)
    guideline = (
        "The audience must be an app to which only assigned identities get tokens, and the gateway's must be "
        "assigned to it."
    )

    def holds(self, values: Values, plan: Plan) -> bool | None:
        settings = {
            name: str(value)
            for container in blocks(values, "container")
            for environment in blocks(container, "environment_variables")
            for name, value in environment.items()
        }
        if values.get("restart_policy") == "OnFailure" and "MCP_TIER" not in settings:
            return True  # a job, which runs to its end and serves nobody
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
