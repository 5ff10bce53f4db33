"""Container groups that cannot start say what is missing, as a container host would."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.runtime.platform_state import ACCOUNT_URI, Edit, build, fill_image_store, identity_id
from twin.errors import RuntimeFailure
from twin.supervise import registry
from twin.supervise.containers import Container, PlanContext, plan_containers
from twin.supervise.registry import ImageReference

Resources = dict[str, dict[str, Any]]
ADMIN = "azurerm_container_group.admin"


def planned(home: Path, edit: Edit | None = None) -> tuple[list[Container], dict[str, str]]:
    fill_image_store(home)
    return plan_containers(build(edit), PlanContext(home, 21000, None, lambda _: 21001))


def reason(home: Path, edit: Edit) -> str:
    """Why the admin group was refused; the reader group is not affected."""
    containers, refused = planned(home, edit)
    assert [container.process.name for container in containers] == ["aci-mongodb-reader-a"]
    return refused["aci-mongodb-admin-a"]


def no_role(resources: Resources) -> None:
    del resources["azurerm_role_assignment.admin"]


def role_for_the_client_id(resources: Resources) -> None:
    client_id = resources["azurerm_user_assigned_identity.admin"]["client_id"]
    resources["azurerm_role_assignment.admin"]["principal_id"] = client_id


def role_elsewhere(resources: Resources) -> None:
    resources["azurerm_role_assignment.admin"]["scope"] += "other"


def wrong_role(resources: Resources) -> None:
    resources["azurerm_role_assignment.admin"]["role_definition_name"] = "Key Vault Reader"


def identity_not_attached(resources: Resources) -> None:
    resources[ADMIN]["identity"][0]["identity_ids"] = [identity_id("id-gateway")]


def no_credential(resources: Resources) -> None:
    resources[ADMIN]["image_registry_credential"] = []


def password_credential(resources: Resources) -> None:
    resources[ADMIN]["image_registry_credential"] = [{"server": "acrmcp.azurecr.io", "username": "u", "password": "p"}]


def foreign_registry(resources: Resources) -> None:
    resources[ADMIN]["container"][0]["image"] = "mcr.microsoft.com/hello:1"


def never_pushed(resources: Resources) -> None:
    resources[ADMIN]["container"][0]["image"] = "acrmcp.azurecr.io/mongodb-mcp:9.9.9"


def init_container(resources: Resources) -> None:
    resources[ADMIN]["init_container"] = [{"name": "first"}]


def volume(resources: Resources) -> None:
    resources[ADMIN]["container"][0]["volume"] = [{"name": "data", "mount_path": "/data"}]


def shell_command(resources: Resources) -> None:
    resources[ADMIN]["container"][0]["commands"] = ["/bin/sh", "-c", "true"]


def probing(**request: Any) -> Edit:
    """The admin's container has a liveness probe that asks like this."""

    def edit(resources: Resources) -> None:
        asked = [{"path": "/healthz", "port": 8000, **request}] if request else []
        resources[ADMIN]["container"][0]["liveness_probe"] = [{"http_get": asked, "exec": ["true"]}]

    return edit


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (probing(), "liveness probes by command .container server. are not supported"),
        (probing(scheme="https"), "liveness probes with https or headers"),
        (probing(http_headers={"X": "y"}), "liveness probes with https or headers"),
        (probing(port=9000), "asks port 9000 and the server listens on 8000, so it would be restarted for ever"),
        (no_role, "identity id-admin holds no AcrPull role on the registry"),
        (role_for_the_client_id, "holds no AcrPull"),
        (role_elsewhere, "holds no AcrPull"),
        (wrong_role, "holds no AcrPull"),
        (identity_not_attached, "pulls from acrmcp.azurecr.io as id-admin, which is not one of its identity_ids"),
        (no_credential, "has no image_registry_credential for that server"),
        (password_credential, "pulls by managed identity only"),
        (foreign_registry, "is in mcr.microsoft.com, which is no registry of the applied state"),
        (never_pushed, "mongodb-mcp:9.9.9 is not in the registry; run `invoke push`"),
        (init_container, r"init containers \(init_container\) are not supported"),
        (volume, r"volumes \(container server\) are not supported"),
        (shell_command, "command '/bin/sh' is not in the local image"),
    ],
)
def test_refusal_names_what_is_missing(tmp_path: Path, edit: Edit, says: str) -> None:
    found = reason(tmp_path, edit)
    assert found.startswith("container group aci-mongodb-admin-a does not start: ")
    with pytest.raises(RuntimeFailure, match=says):
        raise RuntimeFailure(found)


def test_an_image_whose_interpreter_is_gone_is_refused(tmp_path: Path) -> None:
    """It was installed into a folder of a checkout that was taken away: pushing again makes it whole."""
    fill_image_store(tmp_path)
    (tmp_path / "venv/bin/python").unlink()
    _, refused = plan_containers(build(None), PlanContext(tmp_path, 21000, None, lambda _: 21001))
    assert f"was installed into {tmp_path / 'venv'}, which is gone; run `invoke push`" in refused["aci-mongodb-admin-a"]


def test_a_role_on_the_resource_group_is_inherited(tmp_path: Path) -> None:
    def on_the_group(resources: Resources) -> None:
        assignment = resources["azurerm_role_assignment.admin"]
        assignment["scope"] = assignment["scope"].partition("/providers/")[0]

    assert planned(tmp_path, on_the_group)[1] == {}


def test_a_role_may_be_given_by_its_definition_id(tmp_path: Path) -> None:
    def by_id(resources: Resources) -> None:
        definition = (
            "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d"
        )
        resources["azurerm_role_assignment.admin"] |= {"role_definition_name": None, "role_definition_id": definition}

    assert planned(tmp_path, by_id)[1] == {}


def test_an_abac_registry_does_not_honour_acrpull(tmp_path: Path) -> None:
    def abac(resources: Resources) -> None:
        resources["azurerm_container_registry.this"]["role_assignment_mode"] = "AbacRepositoryPermissions"

    refused = planned(tmp_path, abac)[1]
    assert "Container Registry Repository Reader" in refused["aci-mongodb-admin-a"]


def test_a_closed_registry_needs_the_trusted_services_bypass(tmp_path: Path) -> None:
    def no_bypass(resources: Resources) -> None:
        resources["azurerm_container_registry.this"]["network_rule_bypass_option"] = "None"

    refused = planned(tmp_path, no_bypass)[1]
    assert set(refused) == {"aci-mongodb-admin-a", "aci-mongodb-reader-a"}
    assert "closed to public networks" in refused["aci-mongodb-admin-a"]


def test_a_uri_of_another_account_is_left_alone(tmp_path: Path) -> None:
    """Only accounts of this state have a local copy."""
    elsewhere = ACCOUNT_URI.format(key="k").replace("cosmos-mcp", "other")

    def another(resources: Resources) -> None:
        resources[ADMIN]["container"][0]["secure_environment_variables"] = {"MONGODB_URI": elsewhere, "TOKEN": "t"}

    containers, _ = planned(tmp_path, another)
    environment = containers[0].process.env
    assert (environment["MONGODB_URI"], environment["TOKEN"]) == (elsewhere, "t")


def test_commands_replace_the_entrypoint(tmp_path: Path) -> None:
    def module(resources: Resources) -> None:
        resources[ADMIN]["container"][0]["commands"] = ["python", "-m", "other"]

    containers, _ = planned(tmp_path, module)
    assert containers[0].process.argv == (str(tmp_path / "venv/bin/python"), "-m", "other")


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
def test_restart_policy_is_kept(tmp_path: Path, policy: str) -> None:
    def restart(resources: Resources) -> None:
        resources[ADMIN]["restart_policy"] = policy

    assert planned(tmp_path, restart)[0][0].process.restart == policy


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("r.azurecr.io/a/b:1", ImageReference("r.azurecr.io", "a/b", "1", "")),
        ("R.azurecr.io/a", ImageReference("r.azurecr.io", "a", "latest", "")),
        ("r.azurecr.io/a@sha256:00", ImageReference("r.azurecr.io", "a", "", "sha256:00")),
        ("r.azurecr.io/a:1@sha256:00", ImageReference("r.azurecr.io", "a", "1", "sha256:00")),
    ],
)
def test_image_references(text: str, expected: ImageReference) -> None:
    assert ImageReference.parse(text) == expected


def test_an_image_without_registry_is_refused() -> None:
    with pytest.raises(RuntimeFailure, match="must be <registry>/<repository>"):
        ImageReference.parse("mongodb-mcp:1")


def test_a_server_that_is_developed_runs_from_its_folder(tmp_path: Path) -> None:
    """Instead of its image, as long as whoever develops it lives; each change is another process."""
    image = planned(tmp_path)[0][0].process
    store = tmp_path / "images"
    entry = {"entrypoint": ["python", "-m", "other"], "python": sys.executable, "path": ["/folder/src"], "digest": "a"}
    registry.run_instead(store, "mongodb-mcp", entry)
    developed = planned(tmp_path)[0][0].process
    assert (developed.argv, developed.env["PYTHONPATH"]) == ((sys.executable, "-m", "other"), "/folder/src")
    assert developed.fingerprint != image.fingerprint
    told = store / "mongodb-mcp/dev.json"
    told.write_text(told.read_text(encoding="utf-8").replace(f'"pid": {os.getpid()}', '"pid": 0'), encoding="utf-8")
    assert planned(tmp_path)[0][0].process.fingerprint == image.fingerprint
    registry.run_images(store, "mongodb-mcp")
    assert not told.exists()
