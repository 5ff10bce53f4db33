"""`--target-image`: an image that exists, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ops.azure import az
from ops.errors import AzError, ImageError, NotDeployedError, UsageError
from ops.images import images_json
from ops.rollout import plan, request, target_images
from ops.terraform import workspace
from ops.terraform.workspace import Workspace
from tests.unit.ops.conftest import Make

A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


@pytest.fixture
def space(make: Make) -> Workspace:
    """The local environment, with one image in its registry: A, tagged 0.1.0."""
    made = workspace.locate(make(), {})
    folder = made.home / "images" / "mongodb-mcp"
    (folder / A.removeprefix("sha256:")).mkdir(parents=True)
    (folder / A.removeprefix("sha256:") / "image.json").write_text("{}", encoding="utf-8")
    (folder / "tags.json").write_text(json.dumps({"0.1.0": A, "gone": B}), encoding="utf-8")
    return made


def test_digest_and_tag(make: Make) -> None:
    """Both forms, and `deployed` for every server."""
    assert target_images.parse([f"mongodb={A}"], make()) == {"mongodb": A}
    assert target_images.parse(["mongodb=0.1.0"], make()) == {"mongodb": "0.1.0"}
    assert target_images.parse(["deployed"], make()) == {"mongodb": "deployed"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["mongodb"], r"'mongodb' must be NAME=sha256:<64 hexadecimal digits>, NAME=TAG, or deployed"),
        (["mongodb="], "must be NAME="),
        (["mongodb=sha256:abc"], "must be NAME="),
        (["mongodb=two words"], "must be NAME="),
        (["nope=1"], "mcp_servers of local has no 'nope'; it holds: mongodb"),
        (["mongodb=1", "mongodb=2"], "names mongodb twice"),
        (["deployed", "mongodb=1"], "give it alone"),
    ],
)
def test_what_is_no_image_is_one_sentence(make: Make, given: list[str], sentence: str) -> None:
    """Before anything is looked up."""
    with pytest.raises(UsageError, match=sentence):
        target_images.parse(given, make())


def test_an_image_that_terraform_pins_is_not_overruled(make: Make, terraform_dir: Path) -> None:
    """image.digest in terraform.tfvars decides alone."""
    path = terraform_dir / "environments" / "local" / "terraform.tfvars"
    path.write_text(path.read_text(encoding="utf-8").replace('tag = "0.1.0"', f'digest = "{A}"'), encoding="utf-8")
    with pytest.raises(UsageError, match="pins the image of mongodb by digest"):
        target_images.parse(["mongodb=1"], make())
    assert target_images.parse(["deployed"], make()) == {}


def test_a_tag_becomes_its_digest(space: Workspace) -> None:
    """What runs is a digest, whatever it was named by."""
    assert target_images.resolve(space, {"mongodb": "0.1.0"}) == {
        "mongodb": {"repository": "mongodb-mcp", "digest": A, "tag": "0.1.0"}
    }
    assert target_images.resolve(space, {"mongodb": A}) == {"mongodb": {"repository": "mongodb-mcp", "digest": A}}


@pytest.mark.parametrize("reference", ["0.2.0", "gone", B])
def test_what_the_registry_does_not_hold_is_refused(space: Workspace, reference: str) -> None:
    """And the sentence says what it holds."""
    with pytest.raises(ImageError, match=rf"no image {reference} here; it holds 0\.1\.0, gone, sha256:a"):
        target_images.resolve(space, {"mongodb": reference})


def test_azures_registry_is_asked(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """By tag with a colon, by digest with an @; what it does not know is one sentence."""
    asked: list[str] = []

    def answer(*arguments: str) -> dict[str, str]:
        asked.append(" ".join(arguments))
        if "nope" in arguments[-1]:
            raise AzError("az failed", kind="not-found")
        return {"digest": B}

    monkeypatch.setattr(az, "run", answer)
    made = workspace.locate(make("dev", STORAGE_ACCOUNT="stmcptfstate"), {})
    assert target_images.resolve(made, {"mongodb": "1"})["mongodb"]["digest"] == B
    target_images.resolve(made, {"mongodb": A})
    assert asked == [
        "acr repository show --name acrmcp --image mongodb-mcp:1",
        f"acr repository show --name acrmcp --image mongodb-mcp@{A}",
    ]
    with pytest.raises(ImageError, match="registry acrmcp has no image mongodb-mcp:nope; `invoke push --env dev`"):
        target_images.resolve(made, {"mongodb": "nope"})


def group(slot: str, digest: str) -> dict[str, Any]:
    container = [{"image": f"acrmcp.azurecr.io/mongodb-mcp@{digest}"}]
    values = {"name": f"aci-mongodb-reader-{slot}", "container": container}
    return {"child_modules": [{"resources": [{"type": "azurerm_container_group", "values": values}]}]}


def shown(*groups: dict[str, Any]) -> dict[str, Any]:
    return {"values": {"root_module": {"child_modules": list(groups)}}}


def test_deployed_is_what_the_state_says(make: Make, terraform_dir: Path) -> None:
    """So a plan in a clean clone, where no image was pushed, finds no change."""
    path = terraform_dir / "environments" / "local" / "terraform.tfvars"
    text = path.read_text(encoding="utf-8").replace(
        'tag = "0.1.0" }', 'tag = "1" }, slots = ["a", "b"], tiers = {reader = {}}'
    )
    path.write_text(text, encoding="utf-8")
    entry = {"mongodb": {"repository": "mongodb-mcp", "digest": A}}
    assert target_images.deployed(make(), shown(group("a", A), group("b", A))) == entry
    with pytest.raises(NotDeployedError, match="the slots of mongodb run different images"):
        target_images.deployed(make(), shown(group("a", A), group("b", B)))
    with pytest.raises(NotDeployedError, match="runs no image by digest"):
        target_images.deployed(make(), {"format_version": "1.0"})


def test_rollback_finds_what_ran_before(space: Workspace) -> None:
    """A target image enters the history as a pushed one does."""
    images_json.write(space.images_file, {"mongodb": {"repository": "mongodb-mcp", "digest": B, "tag": "0.0.9"}})
    target_images.record(space, target_images.resolve(space, {"mongodb": A}))
    entry = images_json.read(space.images_file)["mongodb"]
    assert (entry["digest"], entry["history"]) == (A, [{"digest": B, "tag": "0.0.9"}])


@pytest.mark.parametrize("before", [None, {"mongodb": {"repository": "r", "digest": B}}])
def test_a_plan_leaves_images_as_they_were(space: Workspace, before: dict[str, Any] | None) -> None:
    """Terraform reads the named image while it plans, and not afterwards."""
    if before:
        images_json.write(space.images_file, before)
    with target_images.recorded_for_now(space, target_images.resolve(space, {"mongodb": A})):
        assert images_json.read(space.images_file)["mongodb"]["digest"] == A
    assert images_json.read(space.images_file) == (before or {})
    assert space.images_file.exists() == bool(before)


def test_stage_1_runs_no_image(make: Make) -> None:
    """For `deploy` and `plan` alike."""
    with pytest.raises(UsageError, match="--target-image is about stage 2"):
        request.parse(make(), "1", ["mongodb=1"], None)
    with pytest.raises(UsageError, match="--target-image is about stage 2"):
        plan.parse(make(), "1", ["mongodb=1"], None)
