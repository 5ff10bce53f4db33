"""One typed `Settings` per environment.

Sources, first wins: flags (`--setting NAME=VALUE`), environment variables, then the environment's folder:
`settings.env` (dotenv) and `terraform.tfvars`. The names are the documented ones.

As an environment variable every name may have the prefix MCP_. The names in SHARED need it where a file or a default
says something: dev containers, build agents and other tools set them too, and mean something else.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from ops.errors import SettingError, UsageError


@dataclass(frozen=True)
class Rule:
    """What a value must look like; `text` completes the sentence "NAME must be …"."""

    pattern: str
    text: str
    tfvar: str | None = None


# Naming rules: "Naming rules and restrictions for Azure resources" and "Naming restrictions in Azure DevOps".
RULES: dict[str, Rule] = {
    "SUBSCRIPTION_ID": Rule(
        r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
        "a GUID such as 00000000-0000-0000-0000-000000000000",
        "subscription_id",
    ),
    "RESOURCE_GROUP": Rule(
        r"[\w().-]{0,89}[\w()-]",
        "1–90 letters, digits, underscores, hyphens, periods or parentheses, not ending in a period",
        "resource_group_name",
    ),
    "LOCATION": Rule(
        r"[a-z0-9]{2,40}", "a region's short name in lower-case letters and digits, e.g. uksouth", "location"
    ),
    "IDENTITY_NAME": Rule(
        r"[A-Za-z0-9][A-Za-z0-9_-]{2,127}",
        "3–128 letters, digits, hyphens or underscores, starting with a letter or digit",
    ),
    "ADO_ORG": Rule(
        r"[A-Za-z0-9]([A-Za-z0-9-]{0,48}[A-Za-z0-9])?",
        "1–50 letters, digits or hyphens, starting and ending with a letter or digit",
    ),
    "ADO_PROJECT": Rule(
        r"(?![_.])[^\\/:*?\"<>|;#$&{}(),+=\[\]]{1,64}(?<!\.)",
        'at most 64 characters, none of \\ / : * ? " < > | ; # $ & { } ( ) , + = [ ], not starting with _ or a period',
    ),
    "SERVICE_CONNECTION_NAME": Rule(r"[^/\s](?:[^/]{0,254}[^/\s])?", "1–256 characters without a slash"),
    "STORAGE_ACCOUNT": Rule(r"[a-z0-9]{3,24}", "3–24 lower-case letters and digits"),
    "CONTAINER_NAME": Rule(
        r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*",
        "3–63 lower-case letters, digits and single hyphens, starting and ending with a letter or digit",
    ),
    "ACR_NAME": Rule(r"[A-Za-z0-9]{5,50}", "5–50 letters and digits", "acr_name"),
    "KEY_VAULT_NAME": Rule(
        r"(?=.{3,24}$)[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*",
        "3–24 letters, digits and single hyphens, starting with a letter and ending with a letter or digit",
        "key_vault_name",
    ),
    "GATEWAY_PORT": Rule(r"\d+", "a port from 1 to 65535, or 0 for any free one"),
    "ENTRA_PORT": Rule(r"\d+", "a port from 1 to 65535, or 0 for any free one"),
    "CONSOLE_PORT": Rule(r"\d+", "a port from 1 to 65535, or 0 for any free one"),
    "TRACE": Rule(r"0|1", "1 (keep the policy traces of recent requests) or 0"),
    "MONGODB_URI": Rule(
        r"mongodb(\+srv)?://\S+", "a MongoDB connection string that starts with mongodb:// or mongodb+srv://"
    ),
    "MONGO": Rule(
        r"auto|docker|twin",
        "auto (a container where Docker has the image, else the stand-in), docker or twin (the stand-in)",
    ),
    "MONGO_IMAGE": Rule(r"[a-z0-9][\w./:@-]*", "an image of MongoDB, e.g. mongo:7.0"),
    "BASE_IMAGE": Rule(r"[a-z0-9][\w./:@-]*", "an image with Python 3.11 or later, e.g. python:3.12-slim@sha256:…"),
    "RUNTIME": Rule(r"process|docker", "process or docker (containers of the Docker engine on this machine)"),
    "REGISTRY": Rule(r"engine|acr", "engine (images stay in the Docker engine) or acr (pushed to ACR_NAME and pulled)"),
    "TWIN_HOME": Rule(r".+", "a folder"),
    "SERVERS_DIR": Rule(r".+", "a folder that holds the servers' folders"),
    "TERRAFORM_DIR": Rule(r".+", "a folder that holds stage1, stage2, modules and environments"),
}


#: What Azure and its pipelines are asked for; the rest is about this machine.
AZURE = (
    *("SUBSCRIPTION_ID", "RESOURCE_GROUP", "LOCATION", "IDENTITY_NAME", "ADO_ORG", "ADO_PROJECT"),
    *("SERVICE_CONNECTION_NAME", "STORAGE_ACCOUNT", "CONTAINER_NAME", "ACR_NAME", "KEY_VAULT_NAME"),
)
#: What only a pipeline's identity and service connection are made of.
OF_A_PIPELINE = frozenset({"IDENTITY_NAME", "ADO_ORG", "ADO_PROJECT", "SERVICE_CONNECTION_NAME"})
PREFIX = "MCP_"
SHARED = frozenset(
    {"CONTAINER_NAME", "LOCATION", "RESOURCE_GROUP", "STORAGE_ACCOUNT", "REGISTRY", "RUNTIME", "TRACE", "MONGO"}
)
_SECRETS = ("MONGODB_URI",)  # a connection string may hold a password, and what is printed ends up in logs
_FILE = "settings.env"


@dataclass(frozen=True)
class Given:
    """A setting's value as text, masked where it is secret, and where it comes from.

    `instead_of`: what other sources say that differs, each as "SOURCE says 'VALUE'".
    """

    name: str
    value: str
    source: str
    instead_of: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the source, and what it overrides."""
        return f"{self.source}; {', '.join(self.instead_of)}" if self.instead_of else self.source


class Settings(BaseSettings):
    """Every value is optional here; a task that needs one asks `need`, which says where to set it."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from `load` alone, which knows where each comes from."""
        return (init_settings,)

    subscription_id: str | None = None
    resource_group: str | None = None
    location: str | None = None
    identity_name: str | None = None
    ado_org: str | None = None
    ado_project: str | None = None
    service_connection_name: str | None = None
    storage_account: str | None = None
    container_name: str = "tfstate"
    acr_name: str | None = None
    key_vault_name: str | None = None
    base_image: str | None = None
    # only where the environment runs on this machine
    gateway_port: int | None = None
    entra_port: int | None = None
    console_port: int | None = None
    trace: Literal["0", "1"] = "1"
    mongodb_uri: SecretStr | None = None
    mongo: Literal["auto", "docker", "twin"] = "auto"
    mongo_image: str = "mongo:7.0"
    runtime: Literal["process", "docker"] = "process"
    registry: Literal["engine", "acr"] = "engine"
    twin_home: Path | None = None
    terraform_dir: Path | None = None
    servers_dir: Path | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _keeps_its_rule(cls, value: Any, info: ValidationInfo) -> Any:
        rule = RULES[str(info.field_name).upper()]
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        if value is not None and not re.fullmatch(rule.pattern, text):
            raise ValueError(rule.text)
        return value

    @field_validator("gateway_port", "entra_port", "console_port")
    @classmethod
    def _is_a_port(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and value > 65535:
            raise ValueError(RULES[str(info.field_name).upper()].text)
        return value

    def need(self, name: str, *, environment: str) -> str:
        """Return the value of a setting by its documented name; SettingError when it is nowhere set."""
        value = getattr(self, name.lower())
        if value is None:
            rule = RULES[name]
            raise SettingError(f"{name} is not set; it must be {rule.text}; {_where(name, environment)}", name=name)
        return str(value)


def load(folder: Path, tfvars: Mapping[str, Any], flags: Mapping[str, str] | None = None) -> Settings:
    """Load the settings of the environment in `folder`, which is `terraform/environments/<env>`."""
    return read(folder, tfvars, flags)[0]


def read(
    folder: Path, tfvars: Mapping[str, Any], flags: Mapping[str, str] | None = None
) -> tuple[Settings, dict[str, Given]]:
    """Return the settings, and of each that is set or has a default its source."""
    _require_known(folder / _FILE)
    file = DotEnvSettingsSource(Settings, env_file=folder / _FILE)()
    found = {name: list(_said(name, file, tfvars, flags or {})) for name in RULES}
    chosen = {name.lower(): said[0][1] for name, said in found.items() if said}
    try:
        settings = Settings(**chosen)
    except ValidationError as error:
        raise _translated(error, folder.name, {name: said[0][0] for name, said in found.items() if said}) from error
    defaults = {name: getattr(settings, name.lower()) for name in RULES}
    known = {name: said or [("default", defaults[name])] for name, said in found.items()}
    return settings, {name: _given(name, said) for name, said in known.items() if said[0][1] is not None}


def _require_known(path: Path) -> None:
    """Raise SettingError for each line of settings.env that sets nothing, which dotenv leaves out without a word."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    said = [
        f"{path.name}:{number}: {sentence}"
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#") and (sentence := _sets_nothing(line))
    ]
    if said:
        raise SettingError(f"in {path.parent.name}, {'; '.join(said)}")


def _sets_nothing(line: str) -> str:
    """Return what is wrong with a line, without its value, which may be secret; empty where it sets something."""
    name, equals, _ = re.sub(r"^\s*export\s+", "", line).partition("=")
    name = next(iter(name.split()), "") if not equals else name.strip()
    known = name.upper() in RULES
    if known and equals:
        return ""
    near = difflib.get_close_matches(name.upper().removeprefix(PREFIX), RULES, 1)
    remedy = f"did you mean {near[0]}?" if near else f"the settings are {', '.join(RULES)}"
    if equals:
        return f"{name or 'what stands before ='} is no setting; {remedy}"
    return f"{name} must be followed by = and its value" + ("" if known else f"; {remedy}")


def unused(given: Mapping[str, Given], environ: Mapping[str, str]) -> dict[str, str]:
    """Return, by name, a sentence for each variable of SHARED that is set, is not used, and differs from what counts.

    Of names that are not Azure's (REGISTRY, …) only those whose value could have been meant.
    """
    found = {}
    for name in sorted(SHARED):
        value, counts = environ.get(name), given.get(name)
        meant = name in AZURE or bool(value and re.fullmatch(RULES[name].pattern, value))
        if value and counts and value != counts.value and meant:
            found[name] = (
                f"the environment variable {name} ({value!r}) is not used, as other tools set it too: {counts.source} "
                f"says {counts.value!r}; set {PREFIX}{name} to mean this project"
            )
    return found


def conflicts(given: Mapping[str, Given], tfvars: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each setting that is not what terraform.tfvars says: Terraform would use the other one."""
    return [
        f"{name} is {one.value!r} ({one.source}), and {tfvar} in terraform.tfvars is {tfvars[tfvar]!r}, which "
        "Terraform goes by: make them the same"
        for name, one in given.items()
        if (tfvar := RULES[name].tfvar) and tfvars.get(tfvar) is not None and str(tfvars[tfvar]) != one.value
    ]


def _said(
    name: str, file: Mapping[str, Any], tfvars: Mapping[str, Any], flags: Mapping[str, str]
) -> Iterator[tuple[str, Any]]:
    """Yield (source, value) of each source that says something, the first of which counts."""
    if name in flags:
        yield "--setting", flags[name]
    if value := os.environ.get(f"{PREFIX}{name}"):
        yield f"the environment variable {PREFIX}{name}", value
    bare = os.environ.get(name)
    if bare and name not in SHARED:
        yield f"the environment variable {name}", bare
    written = file.get(name.lower())
    tfvar = RULES[name].tfvar
    variable = tfvars.get(tfvar) if tfvar else None
    if written:
        yield _FILE, written
    if variable is not None:
        yield "terraform.tfvars", variable
    default = Settings.model_fields[name.lower()].default
    gap = not written and variable is None and default is None
    if bare and name in SHARED and gap and re.fullmatch(RULES[name].pattern, bare):
        yield f"the environment variable {name}", bare


def _given(name: str, said: list[tuple[str, Any]]) -> Given:
    source, value = said[0]
    others = [f"{other} says {_shown(name, differing)!r}" for other, differing in said[1:] if differing != value]
    return Given(name, _shown(name, value), source, tuple(others))


def _shown(name: str, value: Any) -> str:
    return "***" if name in _SECRETS else str(value)


def parse_flags(pairs: list[str]) -> dict[str, str]:
    """Read `["ACR_NAME=acrmcp"]` as `{"ACR_NAME": "acrmcp"}`; UsageError for an unknown name."""
    flags: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name.upper() not in RULES:
            known = ", ".join(RULES)
            raise UsageError(f"--setting {name!r} must be NAME=VALUE with one of these names: {known}")
        flags[name.upper()] = value
    return flags


def _where(name: str, environment: str) -> str:
    folder = f"terraform/environments/{environment}"
    tfvar = RULES[name].tfvar
    also = f", or as {tfvar} in {folder}/terraform.tfvars" if tfvar else ""
    return f"set it in {folder}/{_FILE}, as the environment variable {PREFIX}{name}{also}"


def _translated(error: ValidationError, environment: str, sources: Mapping[str, str]) -> SettingError:
    sentences: list[str] = []
    first = ""
    for detail in error.errors():
        name = str(detail["loc"][0]).upper()
        first = first or name
        given = "" if name in _SECRETS else f" {detail['input']!r}"
        source = sources.get(name, "default")
        sentences.append(f"{name}{given} must be {RULES[name].text} (from {source}); {_where(name, environment)}")
    return SettingError("; ".join(sentences), name=first)
