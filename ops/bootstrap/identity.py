"""Step 1: the subscription, the resource group, and the identity that the pipeline signs in as."""

from __future__ import annotations

from ops.azure import az
from ops.bootstrap.command import Values, command
from ops.bootstrap.item import MISSING, THERE, Found, Item, Task
from ops.bootstrap.options import Options
from ops.config.environment import Environment
from ops.errors import BootstrapError


def task(environment: Environment, options: Options) -> Task:
    """Return step 1; without a pipeline nobody signs in as an identity, and none is made."""
    made = () if options.without_pipeline else (_identity(environment),)
    return Task("bootstrap.identity", (subscription(environment), _group(environment), *made))


def subscription(environment: Environment) -> Item:
    wanted = environment.need("SUBSCRIPTION_ID")

    def look(_: Values) -> Found:
        current = az.run("account", "show")
        if str(current["id"]).lower() != wanted.lower():
            return Found("differs", f"az works in {current['id']}")
        return Found("there", f"{current['name']}, as {current['user']['name']}")

    return Item("subscription", wanted, look, make=(command("account", "set", "--subscription", wanted),))


def _group(environment: Environment) -> Item:
    name, location = environment.need("RESOURCE_GROUP"), environment.need("LOCATION")

    def look(_: Values) -> Found:
        found = az.find("group", "show", "--name", name)
        if not found:
            return MISSING
        if found["location"] != location:  # a group cannot move, and need not: what is in it has its own location
            return Found("there", f"in {found['location']}, not in {location}; it stays there")
        return THERE

    made = command("group", "create", "--name", name, "--location", location)
    return Item("resource group", f"{name} in {location}", look, make=(made,))


def _identity(environment: Environment) -> Item:
    there = identity(environment)
    location = environment.need("LOCATION")
    name, group = environment.need("IDENTITY_NAME"), environment.need("RESOURCE_GROUP")
    made = command("identity", "create", "--name", name, "--resource-group", group, "--location", location)
    return Item(there.what, there.name, there.look, make=(made,), reads=there.reads)


def identity(environment: Environment) -> Item:
    """Return the pipeline's identity as later steps need it: there already, and its ids known."""
    name, group = environment.need("IDENTITY_NAME"), environment.need("RESOURCE_GROUP")
    show = ("identity", "show", "--name", name, "--resource-group", group)

    def look(_: Values) -> Found:
        found = az.find(*show)
        if not found:
            return MISSING
        if not found.get("principalId"):
            raise BootstrapError(f"identity {name} has no principal id yet; it is being made, so run it again")
        return THERE

    return Item(
        "identity",
        name,
        look,
        reads=(
            command(*show, saves="IDENTITY_CLIENT_ID", query="clientId"),
            command(*show, saves="IDENTITY_PRINCIPAL_ID", query="principalId"),
        ),
        remedy="run `invoke bootstrap.identity` first",
    )
