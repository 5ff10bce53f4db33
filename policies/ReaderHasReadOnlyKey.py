"""CKV_MCP_15: see `guideline`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from plan_documents import Plan, PlanPolicy, Values, same_id
from policy_base import blocks, many, unwrap

CAN_WRITE = ("primary_key", "secondary_key")


class ReaderHasReadOnlyKey(PlanPolicy):
    id = "CKV_MCP_15"
    summary = "A tier for readers holds no key that can write to the database, and no identity that may"
    severity_name = "CRITICAL"
    resources = ("azurerm_container_group",)
    guideline = (
        "A bug in the server, or a prompt that tricks it, must not be able to write for people who may only read."
        " Scan both stages' plans together."
    )

    def holds(self, values: Values, plan: Plan) -> bool | None:
        if not _is_reader(values):
            return True
        given = {value for container in blocks(values, "container") for value in _secure(container).values()}
        accounts = list(plan.resources("azurerm_cosmosdb_account"))
        keys = {account[name] for account in accounts for name in CAN_WRITE if account.get(name)}
        if any(key in str(value) for key in keys for value in given):
            return False
        return not (_principals(values, plan) & set(_writers(plan)))


def _is_reader(values: Values) -> bool:
    """Whether MCP_TIER or the tag says reader, or another setting that the tier only reads: one is enough."""
    tiers = [tags.get("tier") for tags in blocks(values, "tags")]
    for environment in _plain(values):
        tiers.append(environment.get("MCP_TIER"))
        if (
            environment.get("MCP_CONNECTION") == "read-only"
            or str(environment.get("MCP_FRONT_READS")).lower() == "true"
        ):
            return True
    return "reader" in tiers


def _principals(values: Values, plan: Plan) -> set[str]:
    """The object ids of the group's identities."""
    attached = [id_ for block in blocks(values, "identity") for id_ in many(block.get("identity_ids"))]
    return {
        str(identity.get("principal_id")).lower()
        for identity in plan.everywhere("azurerm_user_assigned_identity")
        if any(same_id(identity.get("id"), id_) for id_ in attached)
    }


def _writers(plan: Plan) -> Iterator[str]:
    """Who may write to a DocumentDB: its administrators, and whom a job makes a user with another role than `read`."""
    for user in plan.everywhere("azurerm_mongo_cluster_user"):
        yield str(user.get("object_id")).lower()
    for group in plan.everywhere("azurerm_container_group"):
        for environment in _plain(group):
            users = json.loads(str(environment.get("MCP_DATABASE_USERS") or "{}"))
            yield from (object_id.lower() for object_id, role in users.items() if role != "read")


def _plain(group: Values) -> Iterator[Values]:
    for container in blocks(group, "container"):
        yield from blocks(container, "environment_variables")


def _secure(container: Values) -> dict[str, str]:
    return {
        name: str(unwrap(value))
        for environment in blocks(container, "secure_environment_variables")
        for name, value in environment.items()
    }


check = ReaderHasReadOnlyKey()
