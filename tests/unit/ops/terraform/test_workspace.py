from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from emulators import azurerm
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.datasources import read_data
from emulators.azurerm.errors import ProviderError
from emulators.base.errors import StateError
from emulators.base.store import Store
from ops.config.environment import Environment
from ops.errors import SettingError
from ops.terraform import workspace
from ops.terraform.binary import Binary
from tests.unit.ops.conftest import Make


def test_copy_equals_source(terraform_dir: Path, tmp_path: Path) -> None:
    """Changed, new and deleted files of the source arrive in the copy."""
    target = tmp_path / "copy"
    workspace.copy(terraform_dir, target)
    (terraform_dir / "stage1" / "terraform.tf").write_text("# changed\n", encoding="utf-8")
    (terraform_dir / "stage1" / "new.tf").touch()
    (terraform_dir / "stage2" / "terraform.tf").unlink()
    workspace.copy(terraform_dir, target)
    assert (target / "stage1" / "terraform.tf").read_text(encoding="utf-8") == "# changed\n"
    assert (target / "stage1" / "new.tf").exists()
    assert not (target / "stage2" / "terraform.tf").exists()


def test_copy_keeps_what_is_made_there(terraform_dir: Path, tmp_path: Path) -> None:
    """The backend override, pushed digests and Terraform's own folder survive a new copy."""
    target = tmp_path / "copy"
    workspace.copy(terraform_dir, target)
    ours = [
        target / "stage1" / "backend_override.tf",
        target / "stage1" / ".terraform" / "modules" / "modules.json",
        target / "environments" / "local" / "images.json",
    ]
    for path in ours[1:]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    workspace.copy(terraform_dir, target)
    assert all(path.exists() for path in ours)


def test_no_state_leaves_a_checkout(terraform_dir: Path, tmp_path: Path) -> None:
    """State and provider folders in the checkout are not the copy's."""
    (terraform_dir / "stage1" / ".terraform").mkdir()
    (terraform_dir / "stage1" / ".terraform" / "terraform.tfstate").touch()
    (terraform_dir / "stage1" / "terraform.tfstate").touch()
    workspace.copy(terraform_dir, tmp_path / "copy")
    assert not (tmp_path / "copy" / "stage1" / ".terraform").exists()
    assert not (tmp_path / "copy" / "stage1" / "terraform.tfstate").exists()


def test_state_stays_in_the_home(terraform_dir: Path, tmp_path: Path) -> None:
    """Both stages of a copy keep their state beside it."""
    workspace.copy(terraform_dir, tmp_path / "copy")
    text = (tmp_path / "copy" / "stage2" / "backend_override.tf").read_text(encoding="utf-8")
    assert 'path = "../../state/stage2.tfstate"' in text


def test_azure_uses_the_documented_backend(make: Make, terraform_dir: Path) -> None:
    """On Azure Terraform runs in the checkout, with the backend that the documentation configures."""
    space = workspace.locate(make("dev", STORAGE_ACCOUNT="stmcptfstate"), {})
    assert space.stage(2).folder == terraform_dir / "stage2"
    assert space.stage(2).backend == {
        "storage_account_name": "stmcptfstate",
        "resource_group_name": "rg-mcp",
        "container_name": "tfstate",
        "key": "stage2.tfstate",
    }


def test_a_home_of_its_own_keeps_azure_out(make: Make, tmp_path: Path) -> None:
    """A scratch plan of an Azure environment has no remote backend."""
    space = workspace.locate(make("dev"), {}, home=tmp_path / "scratch")
    assert space.stage(1).backend == {}
    assert space.root == tmp_path / "scratch" / "terraform"


def test_addresses_are_for_stage_2_only(make: Make) -> None:
    """Stage 1 declares the addresses without a type, so a plain string on the command line would not parse."""
    one, two = workspace.locate(make(), {"public_base_url": "http://127.0.0.1:9000"}).stages
    assert one.variables == {}
    assert two.variables == {"public_base_url": "http://127.0.0.1:9000"}


@pytest.mark.parametrize("content", ["", "null", "{}", "[1]", '{"lineage"', "\x00"])
@pytest.mark.parametrize("number", [1, 2])
def test_a_damaged_state_is_refused(make: Make, number: int, content: str) -> None:
    """Terraform would take it for no resources, and the cloud ask to import what is there: that is Azure's way out."""
    environment = make()
    path = environment.home / f"state/stage{number}.tfstate"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    Store(environment.home / "cloud.json").put("azurerm_virtual_network", {"id": "/made"})
    with (
        pytest.raises(StateError, match=rf"stage{number}.tfstate is empty or damaged.*`invoke destroy`"),
        workspace.opened(environment, {}, terraform=Binary(Path("terraform"), "1.9.0")),
    ):
        pass


@pytest.fixture
def _unserved(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def serve(*_: object, **__: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(env={})

    monkeypatch.setattr(azurerm, "serve", serve)


def secrets(environment: Environment) -> Path:
    environment.home.mkdir(parents=True, exist_ok=True)
    return environment.home.with_name(f"{environment.home.name}-secrets.json")


@pytest.mark.usefixtures("_unserved")
def test_an_empty_state_of_nothing_is_none(make: Make) -> None:
    """Terraform makes an empty file to lock it: a first plan that was killed leaves one, and nothing is lost by it."""

    environment = make()
    secrets(environment).write_text('{"shop-key": "s"}', encoding="utf-8")
    (environment.home / "state").mkdir(parents=True)
    for number in (1, 2):
        (environment.home / f"state/stage{number}.tfstate").touch()
    for _ in range(2):  # what is seeded at the first time counts for nothing
        with workspace.opened(environment, {}, terraform=Binary(Path("terraform"), "1.9.0")) as space:
            assert space.environment is environment


@pytest.mark.usefixtures("_unserved")
def test_the_local_vault_holds_what_a_file_says(make: Make) -> None:
    """A server's secret reaches the plan as on Azure; what is taken out of the file is gone, what is applied stays."""
    environment = make()
    cloud = Cloud(Store(environment.home / "cloud.json"))
    cloud.store.put("azurerm_key_vault_secret", {"id": "/a", "name": "applied", "key_vault_id": "/vault", "value": "a"})

    def look(text: str, name: str) -> object:
        secrets(environment).write_text(text, encoding="utf-8")
        with workspace.opened(environment, {}, terraform=Binary(Path("terraform"), "1.9.0")):
            assert secrets(environment).stat().st_mode & 0o777 == 0o600
            return read_data(cloud, "azurerm_key_vault_secret", {"name": name, "key_vault_id": "/vault"})["value"]

    assert look('{"shop-key": "one"}', "shop-key") == "one"
    assert look('{"shop-key": "two"}', "shop-key") == "two"
    assert look("{}", "applied") == "a"
    with pytest.raises(ProviderError, match="was not found"):
        look("{}", "shop-key")


@pytest.mark.usefixtures("_unserved")
@pytest.mark.parametrize("text", ["", "[]", '{"a_b": "c"}', '{"a": 1}', '{"a": ""}'])
def test_a_file_that_is_none_is_refused(make: Make, text: str) -> None:
    secrets(make()).write_text(text, encoding="utf-8")
    with (
        pytest.raises(SettingError, match=r"-secrets\.json must be a JSON object"),
        workspace.opened(make(), {}, terraform=Binary(Path("terraform"), "1.9.0")),
    ):
        pass
