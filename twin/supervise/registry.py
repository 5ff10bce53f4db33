"""Pulling an image, as Azure Container Instances would: registry, identity, role, and only then the image.

The image itself is a folder of the twin's home that `invoke push` filled:
`images/<repository>/tags.json` {tag: digest} and `images/<repository>/<digest hex>/image.json`. While somebody works on
a server with `invoke dev`, `images/<repository>/dev.json` says what runs instead of any image of that repository.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulators.base.files import read_object, write_json
from emulators.base.state import Resource, State
from twin.errors import RuntimeFailure
from twin.supervise import arm, lock

_DEVELOPED = "dev.json"

# "Azure Container Registry roles and permissions": who may pull, by the registry's role assignment mode.
_PULL_ROLES = {
    "LegacyRegistryPermissions": {
        "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
        "AcrPush": "8311e382-0749-4cb8-b61a-304f252e45ec",
        "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    },
    "AbacRepositoryPermissions": {
        "Container Registry Repository Reader": "b93aa761-3e63-49ed-ac28-beffa264f7ac",
        "Container Registry Repository Writer": "2a1e307c-b015-4ebd-883e-5b7698a07328",
    },
}


@dataclass(frozen=True)
class ImageReference:
    """`registry/repository:tag` or `registry/repository@sha256:…`."""

    registry: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> ImageReference:
        registry, _, rest = text.partition("/")
        name, _, digest = rest.partition("@")
        repository, _, tag = name.partition(":")
        if "." not in registry or not repository:
            raise RuntimeFailure(f"image {text!r} must be <registry>/<repository>:<tag> or …@sha256:<digest>")
        return cls(registry.lower(), repository, tag if tag or digest else "latest", digest)


@dataclass(frozen=True)
class Image:
    """What `invoke push` stored: the command, the interpreter that stands for the image's, and its import path.

    `reference`: what a Docker engine calls it, where it was built for one; then there is no interpreter. `programs`:
    where the front of a server that somebody else publishes looks for that server. `foreign`: somebody else's image,
    which nothing was built into; it is started as it is.
    """

    digest: str
    entrypoint: tuple[str, ...]
    python: str
    path: tuple[str, ...]
    reference: str = ""
    programs: tuple[str, ...] = ()
    foreign: bool = False


def pull(state: State, group: Resource, reference: str, store: Path) -> Image:
    """The image a container group asks for, if the group may have it; else RuntimeFailure saying what is missing."""
    image = ImageReference.parse(reference)
    registry = next((r for r in state.of_type("azurerm_container_registry") if _serves(r, image.registry)), None)
    if registry is None:
        raise RuntimeFailure(
            f"image {reference} is in {image.registry}, which is no registry of the applied state;"
            " the local platform runs images of its own registries only"
        )
    _authorise(state, group, registry)
    return _stored(image, reference, store)


def _serves(registry: Resource, host: str) -> bool:
    return str(registry.get("login_server", "")).lower() == host


def _authorise(state: State, group: Resource, registry: Resource) -> None:
    server = registry["login_server"]
    identity = _pull_identity(state, group, server)
    if registry.get("public_network_access_enabled", True) is False:
        _require_bypass(registry, server)
    mode = registry.get("role_assignment_mode", "LegacyRegistryPermissions")
    roles = _PULL_ROLES[mode]
    if not any(_grants(r, identity, registry["id"], roles) for r in state.of_type("azurerm_role_assignment")):
        wanted = next(iter(roles))
        raise RuntimeFailure(
            f"{server} refuses the image: identity {arm.name_of(identity['id'])} holds no {wanted} role on the"
            " registry; add an azurerm_role_assignment for its principal_id"
        )


def _pull_identity(state: State, group: Resource, server: str) -> Resource:
    credentials = [c for c in group.get("image_registry_credential", ()) if c["server"].lower() == server.lower()]
    if not credentials:
        raise RuntimeFailure(f"{server} refuses the image: the group has no image_registry_credential for that server")
    identity_id = credentials[0].get("user_assigned_identity_id")
    if not identity_id:
        raise RuntimeFailure(
            f"the image_registry_credential for {server} has no user_assigned_identity_id;"
            " the local platform pulls by managed identity only"
        )
    if not arm.contains(group.block("identity").get("identity_ids"), identity_id):
        raise RuntimeFailure(
            f"the group pulls from {server} as {arm.name_of(identity_id)}, which is not one of its"
            " identity_ids; attach it"
        )
    identity = arm.find(state, "azurerm_user_assigned_identity", identity_id)
    if identity is None:
        raise RuntimeFailure(f"identity {identity_id} is not in the applied state; apply stage 1")
    return identity


def _require_bypass(registry: Resource, server: str) -> None:
    """A closed registry lets Container Instances in only as a trusted service, which is a Premium feature."""
    if registry.get("sku") == "Premium" and registry.get("network_rule_bypass_option") == "AzureServices":
        return
    raise RuntimeFailure(
        f"{server} is closed to public networks, so container groups can pull only if it is Premium"
        ' with network_rule_bypass_option = "AzureServices"'
    )


def _grants(assignment: Resource, identity: Resource, registry_id: str, roles: dict[str, str]) -> bool:
    if assignment.get("principal_id") != identity["principal_id"]:
        return False
    if not arm.within(registry_id, assignment["scope"]):
        return False
    definition = arm.name_of(str(assignment.get("role_definition_id", ""))).lower()
    return assignment.get("role_definition_name") in roles or definition in roles.values()


def run_instead(store: Path, repository: str, entry: Mapping[str, Any]) -> None:
    """Let this run (see `Image`) instead of the repository's images, for as long as this process lives."""
    holder = {"pid": os.getpid(), "identity": lock.identity(os.getpid())}
    write_json(store / repository / _DEVELOPED, {**entry, **holder})


def run_images(store: Path, repository: str) -> None:
    """Undo `run_instead`."""
    (store / repository / _DEVELOPED).unlink(missing_ok=True)


def _developed(folder: Path) -> Mapping[str, Any]:
    found = read_object(folder / _DEVELOPED)
    return found if lock.is_same(int(found.get("pid") or 0), found.get("identity")) else {}


def _stored(image: ImageReference, reference: str, store: Path) -> Image:
    folder = store / image.repository
    digest = image.digest or str(read_object(folder / "tags.json").get(image.tag, ""))
    stored = read_object(folder / digest.removeprefix("sha256:") / "image.json") if digest else {}
    found = _developed(folder) or stored
    if not {"digest", "entrypoint", "python", "path"} <= found.keys():
        raise RuntimeFailure(f"image {reference} is not in the registry; run `invoke push`")
    python, programs = found["python"], tuple(found.get("programs", ()))
    if gone := next((path for path in (*([python] if python else []), *programs) if not Path(path).exists()), ""):
        place = Path(gone).parents[1] if gone == python else Path(gone).parent
        raise RuntimeFailure(
            f"image {reference} was installed into {place}, which is gone; run `invoke push`, which installs it again"
        )
    reference = str(found.get("reference", ""))
    return Image(
        *(found["digest"], tuple(found["entrypoint"]), found["python"], tuple(found["path"]), reference, programs),
        foreign=bool(found.get("foreign", False)),
    )
