"""What to say where a data plane does not let this machine in: a vault's secrets, a registry's images."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from ops.config.environment import Environment
from ops.errors import AzError, ToolError

# Key Vault: "Client address: 1.2.3.4", or "Client address (1.2.3.4)" ("Azure Key Vault REST API Error Codes",
# 2024-02-20); the registry: "client with IP '1.2.3.4' is not allowed access" (docker/build-push-action#1214,
# 2024-08-19).
_ADDRESS = re.compile(r"(?:Client address(?::| \()|client with IP)\s*(?:'|\\u0027)?([0-9a-fA-F.:]+)")


def refusal(environment: Environment, what: str, error: AzError) -> ToolError:
    """Return what to do where a data plane does not let this machine in."""
    access = environment.variables.get("deployer_access")
    rules = [str(rule) for rule in environment.variables.get("deployer_ip_rules") or ()]
    found = _ADDRESS.search(str(error))
    seen = f", which Azure sees as {found[1]}" if found else ""
    apply = f"`invoke deploy --env {environment.name} --stage 1`"
    if access == "private":
        remedy = (
            'its public endpoint is closed (deployer_access = "private"): run this inside the network, see '
            "docs/private-deployment.md"
        )
    elif found and _holds(rules, found[1]):
        remedy = f"deployer_ip_rules has that address, so it was not applied yet: {apply}"
    else:
        held = ", ".join(rules) or "empty"
        remedy = f"deployer_ip_rules in terraform.tfvars is {held}: add the address, then {apply}"
    return ToolError(f"{what} does not let this machine in{seen}; {remedy}")


def _holds(rules: Sequence[str], address: str) -> bool:
    try:
        return any(ipaddress.ip_address(address) in ipaddress.ip_network(rule, strict=False) for rule in rules)
    except ValueError:
        return False
