"""CKV_MCP_15: see `guideline`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from compute import KINDS, containers, identities, plain, secure
from plan_documents import Plan, PlanPolicy, Values, same_id
from policy_base import blocks

CAN_WRITE = ("primary_key", "secondary_key")


class ReaderHasReadOnlyKey(PlanPolicy):
    id = "CKV_MCP_15"
    summary = "A tier for readers holds no key that can write to the database, and no identity that may"
    severity_name = "CRITICAL"
    resources = KINDS
    guideline = (
        "A bug in the server, or a prompt that tricks it, must not be able to write for people who may only read."
        " Scan both stages' plans together."
    )

    def holds(self, values: Values, plan: Plan) -> bool | None:
        if not _is_reader(values):
            return True
        given = {value for container in containers(values) for value in secure(container).values()}
        given |= set(_referred_to(values, plan))
        accounts = list(plan.resources("azurerm_cosmosdb_account"))
        keys = {account[name] for account in accounts for name in CAN_WRITE if account.get(name)}
        if any(key in str(value) for key in keys for value in given):
            return False
        return not (_principals(values, plan) & set(_writers(plan)))


def _is_reader(values: Values) -> bool:
    """Whether MCP_TIER or the tag says reader, or another setting that the tier only reads: one is enough."""
    tiers = [tags.get("tier") for tags in blocks(values, "tags")]
    for environment in map(plain, containers(values)):
        tiers.append(environment.get("MCP_TIER"))
        if (
            environment.get("MCP_CONNECTION") == "read-only"
            or str(environment.get("MCP_FRONT_READS")).lower() == "true"
        ):
            return True
    return "reader" in tiers


def _principals(values: Values, plan: Plan) -> set[str]:
    """The object ids of its identities."""
    attached = identities(values)
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
        for container in containers(group):
            users = json.loads(str(plain(container).get("MCP_DATABASE_USERS") or "{}"))
            yield from (object_id.lower() for object_id, role in users.items() if role != "read")


def _referred_to(values: Values, plan: Plan) -> Iterator[str]:
    """What the vault's secrets hold that an app refers to, by version or without; a vault's names know no case."""
    references = {str(secret.get("key_vault_secret_id")).lower() for secret in blocks(values, "secret")}
    for secret in plan.everywhere("azurerm_key_vault_secret"):
        if references & {str(secret.get(name)).lower() for name in ("id", "versionless_id")}:
            yield str(secret.get("value"))


check = ReaderHasReadOnlyKey()
