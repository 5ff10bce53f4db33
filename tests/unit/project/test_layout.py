"""The folder tree explains the system: every part has its room."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[3]
MODULES = {
    "acr",
    "apim",
    "app-registration",
    "container-instance",
    "cosmosdb-mongodb",
    "entra-groups",
    "key-vault",
    "managed-identity",
    "monitoring",
    "private-endpoint",
    "rbac",
    "vnet",
}


def test_every_documented_module_exists_in_one_shape() -> None:
    folders = {path.name: path for path in (ROOT / "terraform" / "modules").iterdir()}
    assert set(folders) == MODULES
    for folder in folders.values():
        assert {"terraform.tf", "main.tf", "variables.tf", "outputs.tf", "README.md"} <= {
            p.name for p in folder.iterdir()
        }


def test_each_nox_session_has_its_folder() -> None:
    """Folder of tests = session = pipeline step."""
    pipeline = (ROOT / "pipelines" / "azure-pipelines.yml").read_text(encoding="utf-8")
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    for name in ("unit", "plan", "policy", "integration"):
        assert (ROOT / "tests" / name).is_dir()
        assert f"def {name}(session" in noxfile
        assert f"nox -s {name}" in pipeline
