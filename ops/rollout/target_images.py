"""`--target-image`: run an image that exists already, without building anything.

    NAME=sha256:<hex>   that digest of the server's repository
    NAME=TAG            the digest that the tag has in the registry now
    deployed            for every server what it runs, as the applied state says

NAME is a key of `mcp_servers`. Each is looked up before anything is changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ops.azure import az
from ops.cli.steps import Step
from ops.config.environment import Environment
from ops.config.servers import apps, is_pinned, is_remote, slots
from ops.errors import AzError, ImageError, NotDeployedError, UsageError
from ops.images import images_json, local_store
from ops.images.images_json import Entries
from ops.terraform.workspace import Workspace

DEPLOYED = "deployed"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)  # "OCI Distribution Specification", Pulling manifests
_RUNS = re.compile(r".*/([^/@]+)@(sha256:[0-9a-f]{64})")


def parse(given: Sequence[str], environment: Environment) -> dict[str, str]:
    """Read `["mongodb=0.1.0"]` as `{"mongodb": "0.1.0"}`, `["deployed"]` as `{server: "deployed"}` for each server."""
    if DEPLOYED in given:
        if len(given) > 1:
            raise UsageError("--target-image deployed is about every server; give it alone, or name images one by one")
        return {
            name: DEPLOYED
            for name, entry in environment.servers.items()
            if not is_pinned(entry) and not is_remote(entry)
        }
    found: dict[str, str] = {}
    for text in given:
        name, _, reference = text.partition("=")
        _check(text, name, reference, environment)
        if name in found:
            raise UsageError(f"--target-image names {name} twice; give one image for it")
        found[name] = reference
    return found


def resolve(space: Workspace, wanted: Mapping[str, str]) -> Entries:
    """Return entries of images.json; ImageError where the registry has no such image.

    In a dry run `deployed` stands for no change, and a tag of Azure's registry for a new digest.
    """
    if DEPLOYED in wanted.values():
        shown: Step[Entries] = Step(lambda: deployed(space.environment, space.terraform.show(space.stage(2))), {})
        running = space.runner.run(shown)
        return {name: running[name] for name in wanted if name in running}
    return {name: _entry(space, name, reference) for name, reference in wanted.items()}


def record(space: Workspace, entries: Entries) -> None:
    """Write them where Terraform reads digests; what was there goes into the history that `invoke rollback` reads."""
    if entries:
        images_json.update(space.images_file, entries, space.runner)


@contextmanager
def recorded_for_now(space: Workspace, entries: Entries) -> Iterator[None]:
    """Let Terraform read these entries within the block; then images.json is as it was: a plan changes nothing."""
    path = space.images_file
    before = path.read_bytes() if path.exists() else None
    try:
        record(space, entries)
        yield
    finally:
        if before is not None:
            path.write_bytes(before)
        else:
            path.unlink(missing_ok=True)


def deployed(environment: Environment, shown: Mapping[str, Any]) -> Entries:
    """Return what each server runs, from `terraform show -json` of stage 2."""
    known = slots(environment)
    found: dict[str, set[tuple[str, str]]] = {}
    for group in _of_type((shown.get("values") or {}).get("root_module") or {}, "azurerm_container_group"):
        slot = known.get(str(group["name"]).removeprefix("aci-"))
        match = _RUNS.fullmatch(str(group["container"][0]["image"]))
        if slot and match:
            found.setdefault(slot.server, set()).add((match[1], match[2]))
    for app in _of_type((shown.get("values") or {}).get("root_module") or {}, "azurerm_container_app"):
        of = apps(environment).get(str(app["name"]))
        match = _RUNS.fullmatch(str(app["template"][0]["container"][0]["image"]))
        if of and any(w["percentage"] and not w.get("latest_revision") for w in app["ingress"][0]["traffic_weight"]):
            raise NotDeployedError(
                f"the calls of {of.server} go to an earlier revision than the newest, as after a rollback; name its "
                f"image with --target-image {of.server}=… instead of {DEPLOYED}"
            )
        if of and match:
            found.setdefault(of.server, set()).add((match[1], match[2]))
    if not found:
        raise NotDeployedError(
            f"{environment.name} runs no image by digest, so --target-image deployed names nothing; deploy it first"
        )
    return {server: _only(server, pairs) for server, pairs in found.items()}


def _only(server: str, pairs: set[tuple[str, str]]) -> dict[str, Any]:
    if len(pairs) > 1:
        raise NotDeployedError(
            f"the slots of {server} run different images, as after an interrupted deployment; finish it with "
            "`invoke deploy`, or go back with `invoke rollback`"
        )
    repository, digest = next(iter(pairs))
    return {"repository": repository, "digest": digest}


def _of_type(module: Mapping[str, Any], type_: str) -> Iterator[Mapping[str, Any]]:
    for resource in module.get("resources") or ():
        if resource["type"] == type_ and resource.get("mode", "managed") == "managed":
            yield resource["values"]
    for child in module.get("child_modules") or ():
        yield from _of_type(child, type_)


def _check(text: str, name: str, reference: str, environment: Environment) -> None:
    if not _DIGEST.fullmatch(reference) and not _TAG.fullmatch(reference):
        raise UsageError(
            f"--target-image {text!r} must be NAME=sha256:<64 hexadecimal digits>, NAME=TAG, or {DEPLOYED}"
        )
    if name not in environment.servers:
        known = ", ".join(sorted(environment.servers)) or "none"
        raise UsageError(
            f"--target-image {text!r}: mcp_servers of {environment.name} has no {name!r}; it holds: {known}"
        )
    if is_remote(environment.servers[name]):
        raise UsageError(f"--target-image {text!r}: {name} runs elsewhere (remote), so it has no image here")
    if is_pinned(environment.servers[name]):
        raise UsageError(
            f"--target-image {text!r}: terraform.tfvars pins the image of {name} by digest; change it there, or give "
            "the server image.tag instead"
        )


def _entry(space: Workspace, name: str, reference: str) -> dict[str, Any]:
    repository = str(space.environment.servers[name]["image"]["repository"])
    look = _local_digest if space.environment.is_local else _azure_digest
    digest = look(space, repository, reference)
    tag = {} if _DIGEST.fullmatch(reference) else {"tag": reference}
    return {"repository": repository, "digest": digest, **tag}


def _local_digest(space: Workspace, repository: str, reference: str) -> str:
    return local_store.find_digest(space.home, repository, reference)


def _azure_digest(space: Workspace, repository: str, reference: str) -> str:
    registry = space.environment.need("ACR_NAME")
    image = f"{repository}{'@' if _DIGEST.fullmatch(reference) else ':'}{reference}"
    new = {"digest": reference if _DIGEST.fullmatch(reference) else "sha256:(new)"}
    look = az.look("acr", "repository", "show", "--name", registry, "--image", image, expected=new)
    try:
        return str(space.runner.run(look)["digest"])
    except AzError as error:
        if error.kind != "not-found":
            raise
        raise ImageError(
            f"registry {registry} has no image {image}; `invoke push --env {space.environment.name}` builds one"
        ) from error
