from __future__ import annotations

from pathlib import Path

import pytest

from ops.config import settings
from ops.errors import SettingError, UsageError

GOOD_AND_BAD = {
    "SUBSCRIPTION_ID": ("00000000-0000-4000-8000-000000000001", "my-subscription"),
    "RESOURCE_GROUP": ("rg-mcp_(1).x", "rg-mcp."),
    "LOCATION": ("uksouth", "UK South"),
    "IDENTITY_NAME": ("id-mcp-pipeline", "-id"),
    "ADO_ORG": ("contoso", "contoso-"),
    "ADO_PROJECT": ("Remote MCP", "a/b"),
    "SERVICE_CONNECTION_NAME": ("sc-mcp", "sc/mcp"),
    "STORAGE_ACCOUNT": ("stmcptfstate", "St_1"),
    "CONTAINER_NAME": ("tfstate", "tf--state"),
    "ACR_NAME": ("acrMcp1", "acr-mcp"),
    "KEY_VAULT_NAME": ("keyvault-mcp-dev", "1keyvault"),
    "GATEWAY_PORT": ("0", "65536"),
    "ENTRA_PORT": ("8081", "http"),
    "CONSOLE_PORT": ("8082", "http"),
    "TRACE": ("0", "on"),
    "MONGODB_URI": ("mongodb://127.0.0.1/", "http://127.0.0.1/"),
    "MONGO": ("docker", "podman"),
    "MONGO_IMAGE": ("registry.example:5000/mongo:8.0", "Mongo 7"),
}


@pytest.mark.parametrize(("name", "value"), [(name, good) for name, (good, _) in GOOD_AND_BAD.items()])
def test_accepts(tmp_path: Path, name: str, value: str) -> None:
    """A value that keeps its rule is taken as it is."""
    assert settings.load(tmp_path, {}, {name: value}).need(name, environment="dev") is not None


@pytest.mark.parametrize(("name", "value"), [(name, bad) for name, (_, bad) in GOOD_AND_BAD.items()])
def test_refuses(tmp_path: Path, name: str, value: str) -> None:
    """A value that breaks its rule is refused in one sentence: the setting, the rule, where to set it."""
    with pytest.raises(SettingError) as caught:
        settings.load(tmp_path / "dev", {}, {name: value})
    sentence = str(caught.value)
    assert sentence.startswith(name)
    assert settings.RULES[name].text in sentence
    assert "terraform/environments/dev/settings.env" in sentence
    assert caught.value.name == name
    assert "\n" not in sentence


@pytest.mark.parametrize("length", [2, 25])
def test_storage_account_length(tmp_path: Path, length: int) -> None:
    """A storage account has 3–24 characters."""
    with pytest.raises(SettingError, match="3–24 lower-case letters and digits"):
        settings.load(tmp_path, {}, {"STORAGE_ACCOUNT": "a" * length})


def test_connection_string_stays_secret(tmp_path: Path) -> None:
    """A refused MONGODB_URI is not repeated: it may hold a password."""
    with pytest.raises(SettingError) as caught:
        settings.load(tmp_path, {}, {"MONGODB_URI": "http://user:hunter2@host/"})
    assert "hunter2" not in str(caught.value)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """Two malformed settings are both named."""
    with pytest.raises(SettingError, match=r"ACR_NAME .*KEY_VAULT_NAME "):
        settings.load(tmp_path, {"acr_name": "a-b", "key_vault_name": "a--b"})


def test_first_source_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flags, then environment variables, then settings.env, then terraform.tfvars."""
    tfvars = {
        "acr_name": "fromtfvars",
        "location": "fromtfvars",
        "resource_group_name": "t",
        "key_vault_name": "tfvars",
    }
    (tmp_path / "settings.env").write_text("ACR_NAME=fromfile\nLOCATION=fromfile\nRESOURCE_GROUP=file\n")
    monkeypatch.setenv("ACR_NAME", "fromenv")
    monkeypatch.setenv("MCP_LOCATION", "fromenv")
    found = settings.load(tmp_path, tfvars, {"ACR_NAME": "fromflag"})
    assert (found.acr_name, found.location, found.resource_group, found.key_vault_name) == (
        "fromflag",
        "fromenv",
        "file",
        "tfvars",
    )


NONSENSE = {
    "CONTAINER_NAME": "devcontainer_1",
    "LOCATION": "West Europe",
    "RESOURCE_GROUP": "rg-of-another-tool",
    "STORAGE_ACCOUNT": "St_1",
    "REGISTRY": "ghcr.io/contoso",
    "RUNTIME": "python3.12",
    "TRACE": "true",
    "MONGO": "mongodb://elsewhere/",
}
FILES = {"resource_group_name": "rg-mcp", "location": "uksouth"}


def test_names_of_other_tools_need_the_prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What dev containers and agents set too does not count, whatever it is; with MCP_ it does."""
    (tmp_path / "settings.env").write_text("STORAGE_ACCOUNT=stmcp\n")
    before = settings.load(tmp_path, FILES)
    assert set(NONSENSE) == settings.SHARED
    for name, value in NONSENSE.items():
        monkeypatch.setenv(name, value)
    assert settings.load(tmp_path, FILES) == before
    for name, (good, _) in GOOD_AND_BAD.items():
        monkeypatch.setenv(f"MCP_{name}", good)
    _, given = settings.read(tmp_path, FILES)
    assert {name: given[name].source for name in GOOD_AND_BAD} == {
        name: f"the environment variable MCP_{name}" for name in GOOD_AND_BAD
    }


def test_a_variable_that_is_not_used_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence: the variable, what counts instead and where it stands, and how to mean this project."""
    for name, value in NONSENSE.items():
        monkeypatch.setenv(name, value)
    said = settings.unused(settings.read(tmp_path, FILES)[1], NONSENSE)
    assert said["CONTAINER_NAME"] == (
        "the environment variable CONTAINER_NAME ('devcontainer_1') is not used, as other tools set it too: default "
        "says 'tfstate'; set MCP_CONTAINER_NAME to mean this project"
    )
    assert "terraform.tfvars says 'uksouth'" in said["LOCATION"]
    assert "RUNTIME" not in said  # python3.12 was never meant for this project
    assert "RUNTIME" in settings.unused(settings.read(tmp_path, FILES)[1], {"RUNTIME": "docker"})
    assert settings.unused(settings.read(tmp_path, FILES)[1], {"LOCATION": "uksouth", "TRACE": "1"}) == {}


def test_a_documented_name_fills_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no file and no default says anything, the documented name is enough."""
    monkeypatch.setenv("STORAGE_ACCOUNT", "stmcp")
    assert settings.load(tmp_path, {}).storage_account == "stmcp"


def test_sources_say_what_they_override(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that goes before a file is shown as such; a password is not."""
    (tmp_path / "settings.env").write_text("ADO_ORG=contoso\n")
    monkeypatch.setenv("ADO_ORG", "fabrikam")
    monkeypatch.setenv("MONGODB_URI", "mongodb://user:hunter2@host/")
    _, given = settings.read(tmp_path, FILES)
    assert given["ADO_ORG"].text() == "the environment variable ADO_ORG; settings.env says 'contoso'"
    assert given["LOCATION"].text() == "terraform.tfvars"
    assert "hunter2" not in repr(given)


def test_terraform_goes_by_its_own_file(tmp_path: Path) -> None:
    """A setting that differs from terraform.tfvars would have az work on one thing and Terraform on another."""
    _, given = settings.read(tmp_path, FILES, {"LOCATION": "westeurope", "RESOURCE_GROUP": "rg-mcp"})
    (said,) = settings.conflicts(given, FILES)
    assert said.startswith("LOCATION is 'westeurope' (--setting), and location in terraform.tfvars is 'uksouth'")


def test_empty_variable_is_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ACR_NAME=` in the environment does not hide what the files say."""
    monkeypatch.setenv("ACR_NAME", "")
    assert settings.load(tmp_path, {"acr_name": "fromtfvars"}).acr_name == "fromtfvars"


def test_missing_names_its_tfvar(tmp_path: Path) -> None:
    """What is nowhere set is asked for where it can be set."""
    with pytest.raises(SettingError, match=r"ACR_NAME is not set; .* or as acr_name in .*/dev/terraform.tfvars"):
        settings.load(tmp_path, {}).need("ACR_NAME", environment="dev")


@pytest.mark.parametrize("pair", ["ACR_NAME", "NOPE=1", "=x"])
def test_unknown_flag(pair: str) -> None:
    """`--setting` takes documented names only."""
    with pytest.raises(UsageError, match="SUBSCRIPTION_ID"):
        settings.parse_flags([pair])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("STORAGE_ACOUNT=stmcp", r"settings\.env:3: STORAGE_ACOUNT is no setting; did you mean STORAGE_ACCOUNT\?"),
        ("export MCP_TRACE=1", r"MCP_TRACE is no setting; did you mean TRACE\?"),
        ("colour=blue", r"colour is no setting; the settings are SUBSCRIPTION_ID, "),
        ("MONGODB_URI mongodb://me:secret@host/", r"settings\.env:3: MONGODB_URI must be followed by = and its value"),
        ("ADO_ORGG", r"settings\.env:3: ADO_ORGG must be followed by .*; did you mean ADO_ORG\?"),
    ],
)
def test_a_line_of_the_file_that_says_nothing_is_refused(tmp_path: Path, line: str, sentence: str) -> None:
    """By its name and line, never its value; the rest of the file's form is dotenv's."""
    (tmp_path / "settings.env").write_text(f"# ours\n\n{line}\n", encoding="utf-8")
    with pytest.raises(SettingError, match=sentence) as caught:
        settings.load(tmp_path, {})
    assert "secret" not in str(caught.value)


def test_the_file_is_dotenv_s(tmp_path: Path) -> None:
    """Comments, blanks, export, quotes and lower case are fine."""
    text = "# a=b\n\n  export ADO_ORG = 'org'  # ours\nado_project=p\nTRACE=\n"
    (tmp_path / "settings.env").write_text(text, encoding="utf-8")
    found = settings.load(tmp_path, {})
    assert (found.ado_org, found.ado_project, found.trace) == ("org", "p", "1")
