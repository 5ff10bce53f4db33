"""Whether this machine reaches the data planes that a deployment writes to: the vault's secrets, the registry's images.

The control plane answers everybody who is signed in; a data plane asks for the caller's address first. Azure says that
address when it refuses: there is no need to ask somebody else for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ops.azure import az, network
from ops.checks.prerequisites import Note
from ops.config.environment import Environment
from ops.errors import AzError


def vault(environment: Environment) -> str:
    name = environment.need("KEY_VAULT_NAME")
    if az.find("keyvault", "show", "--name", name) is None:
        return _not_yet(environment, f"vault {name}")
    return _ask(environment, f"vault {name}", list_secrets(name))


def registry(environment: Environment) -> str:
    name = environment.need("ACR_NAME")
    if az.find("acr", "show", "--name", name) is None:
        return _not_yet(environment, f"registry {name}")
    return _ask(environment, f"registry {name}", ("acr", "repository", "list", "--name", name, "--top", "1"))


def list_secrets(vault: str) -> tuple[str, ...]:
    """Return the az command that asks a vault's data plane and changes nothing."""
    return ("keyvault", "secret", "list", "--vault-name", vault, "--maxresults", "1")


def _ask(environment: Environment, what: str, command: Sequence[str]) -> str:
    try:
        az.run(*command)
    except AzError as error:
        if error.kind == "network":
            raise network.refusal(environment, what, error) from error
        if error.kind == "missing-role":
            return f"{what} answers this machine; the role comes with `invoke deploy`"
        raise
    return f"{what} answers this machine"


def _not_yet(environment: Environment, what: str) -> str:
    """Say what will be asked of this machine once the thing is there."""
    rules = ", ".join(map(str, environment.variables.get("deployer_ip_rules") or ()))
    wanted = {
        "private": "then it answers inside the network only: see docs/private-deployment.md",
        "allow-list": f"then it answers {rules or 'nobody'} only (deployer_ip_rules); `deploy` looks before stage 2",
    }.get(str(environment.variables.get("deployer_access")), "then it answers any address")
    return Note(f"{what} is made by stage 1; {wanted}")
