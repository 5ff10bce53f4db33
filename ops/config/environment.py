"""An environment: a folder under `terraform/environments/`, its variables and settings, and where its files go."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ops.config import settings as settings_module
from ops.config import tfvars
from ops.config.settings import AZURE, Given, Settings
from ops.errors import SettingError, UsageError

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Environment:
    """`variables` is terraform.tfvars as written; whatever a variable leaves out has the default of its `.tf` file.

    `given`: where each setting's value comes from.
    """

    name: str
    terraform_dir: Path
    variables: Mapping[str, Any]
    settings: Settings
    given: Mapping[str, Given] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.terraform_dir / "environments" / self.name

    @property
    def is_local(self) -> bool:
        """Whether the issuer is on this machine: then the twin stands in for Azure."""
        host = urlsplit(str(self.variables.get("entra_authority") or "")).hostname
        return host in ("127.0.0.1", "localhost", "::1")

    @property
    def home(self) -> Path:
        """The folder of generated files: never in version control, safe to delete after `invoke destroy`."""
        return self.settings.twin_home or ROOT / ".twin" / self.name

    @property
    def servers_dir(self) -> Path:
        """The servers' sources, one folder each."""
        return (self.settings.servers_dir or ROOT / "servers").resolve()

    @property
    def gateway_generation(self) -> str:
        """`v2` or `classic`, by the tier of API Management: the two do not become one another."""
        sku = str((self.variables.get("apim") or {}).get("sku_name") or "")
        return "v2" if "V2_" in sku else "classic"

    @property
    def servers(self) -> Mapping[str, Any]:
        """The `mcp_servers` map."""
        return self.variables.get("mcp_servers") or {}

    @property
    def sources(self) -> list[Given]:
        """The settings that count here, each with its source: Azure's, or this machine's where they were chosen."""
        if not self.is_local:
            return [self.given[name] for name in AZURE if name in self.given]
        return [one for name, one in self.given.items() if name not in AZURE and one.source != "default"]

    @property
    def unused(self) -> list[str]:
        """A sentence for each environment variable that looks like one of these settings and does not count."""
        found = settings_module.unused(self.given, os.environ)
        return [sentence for name, sentence in found.items() if (name in AZURE) != self.is_local]

    def require_declared(self) -> None:
        """Raise SettingError for a misspelt variable in terraform.tfvars."""
        tfvars.require_declared(self.folder / "terraform.tfvars", self.variables, self.terraform_dir / "stage2")

    def need(self, name: str) -> str:
        return self.settings.need(name, environment=self.name)


def load(name: str, flags: Mapping[str, str] | None = None) -> Environment:
    """Read one environment; UsageError for an unknown one, SettingError for what it holds."""
    terraform_dir = _terraform_dir(flags or {})
    folder = terraform_dir / "environments" / name
    if name not in known(terraform_dir):
        names = ", ".join(known(terraform_dir)) or "none"
        raise UsageError(f"environment {name!r} does not exist; {terraform_dir / 'environments'} holds: {names}")
    variables = tfvars.read(folder / "terraform.tfvars")
    return Environment(name, terraform_dir, variables, *settings_module.read(folder, variables, flags))


def env_option(name: str) -> str:
    """Return ` --env NAME` for a command that is shown to a person; nothing for local, which is the default."""
    return "" if name == "local" else f" --env {name}"


def known(terraform_dir: Path) -> list[str]:
    """Return the environments that have a terraform.tfvars, in alphabetical order."""
    return sorted(path.parent.name for path in terraform_dir.glob("environments/*/terraform.tfvars"))


def _terraform_dir(flags: Mapping[str, str]) -> Path:
    # Needed before there is an environment whose settings could be read.
    variable = os.environ.get(f"{settings_module.PREFIX}TERRAFORM_DIR") or os.environ.get("TERRAFORM_DIR")
    given = flags.get("TERRAFORM_DIR") or variable
    if not given:
        return ROOT / "terraform"
    path = Path(given).resolve()
    if not (path / "stage1").is_dir():
        rule = settings_module.RULES["TERRAFORM_DIR"].text
        raise SettingError(f"TERRAFORM_DIR {given!r} must be {rule}; correct the environment variable")
    return path
