"""How long Azure usually takes, by what a plan does: said before a long step, so that nobody takes waiting for a hang.

Only what takes minutes and has a source stands here. The sources are Microsoft's where there is one, else reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ops.config.environment import Environment
from ops.config.servers import COSMOS, has_database
from ops.terraform.cli import ANYTHING, Plan


@dataclass(frozen=True)
class Usual:
    """`type` is a resource's type in Terraform; `shortest` and `longest` are minutes; `note` qualifies them.

    Both are 0 where the source says "minutes" and no number. `generation`: of the gateway, where it matters.
    """

    type: str
    actions: tuple[str, ...]
    what: str
    shortest: int
    longest: int
    source: str
    note: str = ""
    generation: str = ""

    def text(self) -> str:
        """Return what is said to a person."""
        note = f", {self.note}" if self.note else ""
        number = f"{self.shortest}–{self.longest} " if self.longest else ""
        return f"{self.what} usually takes {number}minutes{note} ({self.source})"


_NEW = ("create", "replace")
_V2_TIERS = "“Azure API Management v2 tiers”, 2024-09-12"
USUAL: tuple[Usual, ...] = (
    Usual(
        "azurerm_api_management",
        _NEW,
        "creating API Management",
        30,
        45,
        "“Quickstart: Create Azure API Management Instance using the Portal”, 2026-03-27",
        "now and then 90",
        "classic",
    ),
    Usual("azurerm_api_management", _NEW, "creating API Management in a v2 tier", 0, 0, _V2_TIERS, "", "v2"),
    Usual(
        "azurerm_api_management",
        ("update",),
        "changing API Management's tier, units, zones or network",
        15,
        45,
        "“Upgrade and scale an Azure API Management instance”, 2018-08-18",
        "other changes seconds",
        "classic",
    ),
    Usual(
        "azurerm_api_management_custom_domain",
        (*_NEW, "update"),
        "a domain of the gateway's own",
        15,
        45,
        "azurerm#18047, 2022-08-23",
        generation="classic",
    ),
    Usual("azurerm_cosmosdb_account", _NEW, "creating a Cosmos DB account", 10, 15, "azurerm#4271, 2019-09-06"),
)
#: A role that was given a moment ago reaches a data plane after this many minutes at most.
ROLE = Usual("", (), "a new role's way to the vault", 1, 10, "“Troubleshoot Azure RBAC”, 2023-09-20")


def of(actions: Mapping[str, str], gateway: str = "classic") -> list[Usual]:
    """Return what takes long of a plan's actions, the longest first; `gateway` is the generation of the tier."""
    usuals = [usual for usual in USUAL if usual.generation in ("", gateway)]
    found = (usual for usual in usuals for address, action in actions.items() if _is_about(usual, address, action))
    return sorted(dict.fromkeys(found), key=lambda usual: (-usual.longest, -usual.shortest))


def sentences(environment: Environment, plan: Plan) -> Iterator[str]:
    """Yield what to say before a plan is applied on Azure; the parts of an apply run side by side where they can.

    A dry run does not know what the plan will find, so it names what a first deployment makes in that stage.
    """
    if environment.is_local:
        return
    if not ANYTHING.keys() & plan.actions.keys():
        yield from (usual.text() for usual in of(plan.actions, environment.gateway_generation))
    elif plan.stage.number == 2:
        first = {address: action for address, action in FIRST.items() if _is_made(environment, address)}
        yield from (f"the first time, {usual.text()}" for usual in of(first, environment.gateway_generation))


#: What is new in the first deployment of a stage 2, as far as it takes long.
FIRST = {
    "module.apim.azurerm_api_management.this": "create",
    'module.database["this"].azurerm_cosmosdb_account.this': "create",
}


def first_deployment(environment: Environment) -> str:
    """Return how long a first deployment of that environment takes as a whole."""
    first = {address: action for address, action in FIRST.items() if _is_made(environment, address)}
    found = of(first, environment.gateway_generation)
    gateway = next(usual for usual in found if usual.type == "azurerm_api_management")
    number = f"{gateway.shortest}–{gateway.longest}, {gateway.note}" if gateway.longest else "some minutes"
    return (
        f"{_whole(found[0])} for the first deployment, of which API Management alone {number}; one that changes "
        "neither gateway nor database takes a few minutes"
    )


def minutes() -> str:
    """Return the first deployment's time in few words, as README says it too: with a gateway of a classic tier."""
    return _whole(of(FIRST)[0])


def _whole(longest: Usual) -> str:
    """What takes longest, and what stands before and after it: images, the vault's role, policies, the smoke test."""
    return f"{longest.shortest + 15}–{longest.longest + 45} minutes"


#: Of `invoke bootstrap`.
BOOTSTRAP = f"some minutes for bootstrap, up to {ROLE.longest} more for each new role"


def _is_made(environment: Environment, address: str) -> bool:
    return ".azurerm_cosmosdb_" not in address or has_database(environment, COSMOS)


def _is_about(usual: Usual, address: str, action: str) -> bool:
    return action in usual.actions and f"{usual.type}." in address and f"_{usual.type}." not in address
