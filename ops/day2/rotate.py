"""`invoke rotate`: new database keys, without a moment at which a server holds an old one.

The key that nobody uses is regenerated first and stored in Key Vault; the servers change over to it, slot by slot; then
the other one is regenerated. Which one the servers use is `cosmos.active_key` in terraform.tfvars.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ops import az, images, output, tfvars, workspace
from ops.day2 import rolling, running
from ops.environment import Environment
from ops.errors import SettingError, UsageError
from twin.supervise.files import read_json, write_json

_OTHER = {"primary": "secondary", "secondary": "primary"}
_BLOCK = re.compile(r"^cosmos\s*=\s*\{\n", re.MULTILINE)
_ACTIVE = re.compile(r'^(\s*active_key\s*=\s*)"\w+"', re.MULTILINE)


def rotate(environment: Environment, *, dry_run: bool = False, yes: bool = False) -> None:
    """Repeating it after an interruption finishes what was begun; after that, it begins anew."""
    if environment.is_local:
        raise UsageError(
            f"the keys of {environment.name} are the twin's own, made with it and gone with it: "
            "there is nothing that could leak, and nothing to rotate"
        )
    old, new = _begun(environment) or (active(environment), _OTHER[active(environment)])
    if dry_run:
        for line in commands(environment, old, new):
            output.data(line)
        return
    output.table("", ("step", "what"), list(_steps(old, new)))
    output.confirm(f"Rotate the database keys of {environment.name}?", yes=yes)
    marker = _marker(environment)
    switched = active(environment) == new
    _apply(environment)  # what runs is what the files say, before a key changes
    if not switched:
        write_json(marker, {"old": old, "new": new})
        _regenerate(environment, new)
        _apply(environment)
        _switch(environment.folder / "terraform.tfvars", new)
        environment = _again(environment)
        _apply(environment)
    _regenerate(environment, old)
    _apply(environment)
    marker.unlink(missing_ok=True)
    output.say(
        f"both keys are new, and the servers use the {new} one; commit terraform.tfvars, whose active_key changed"
    )


def commands(environment: Environment, old: str, new: str) -> list[str]:
    """Everything in order; the applies go slot by slot where a server has several."""
    applies = workspace.described(environment, {}).terraform.commands(workspace.described(environment, {}).stage(2))[1:]
    edit = f"sed -i '{_edit(environment, new)}' {environment.folder / 'terraform.tfvars'}"
    return [
        *(az.command(*arguments) for arguments in _keys(environment, new)),
        *applies,
        edit,
        *applies,
        *(az.command(*arguments) for arguments in _keys(environment, old)),
        *applies,
    ]


def active(environment: Environment) -> str:
    """Which key the files give the servers."""
    found = (environment.variables.get("cosmos") or {}).get("active_key") or "primary"
    if found not in _OTHER:
        raise SettingError(f"cosmos.active_key of {environment.name} is {found!r}; it must be primary or secondary")
    return str(found)


def with_active(text: str, key: str) -> str:
    """terraform.tfvars with another active key, everything else as it was; SettingError where it cannot be placed."""
    start = _BLOCK.search(text)
    if not start:
        raise SettingError(
            f'terraform.tfvars has no `cosmos = {{` on a line of its own; add `cosmos = {{ active_key = "{key}" }}` '
            "there and run it again"
        )
    end = text.find("\n}", start.end())
    head, block, tail = text[: start.end()], text[start.end() : end + 1], text[end + 1 :]
    changed, count = _ACTIVE.subn(rf'\1"{key}"', block, count=1)
    return head + (changed if count else f'  active_key = "{key}"\n\n{block}') + tail


def _edit(environment: Environment, key: str) -> str:
    """For sed: what `with_active` does."""
    if (environment.variables.get("cosmos") or {}).get("active_key"):
        return f's/^\\( *active_key *= *\\)"[a-z]*"/\\1"{key}"/'
    return f'/^cosmos *= *{{/a\\  active_key = "{key}"'


def _steps(old: str, new: str) -> Iterator[tuple[str, str]]:
    yield "1", f"regenerate the {new} keys, which nobody uses, and store them in Key Vault"
    yield "2", f"change the servers over to the {new} key, one slot after the other"
    yield "3", f"regenerate the {old} keys, which nobody uses any more, and store them in Key Vault"


def _keys(environment: Environment, key: str) -> Iterator[tuple[str, ...]]:
    account = str(environment.variables.get("cosmos_account_name") or "")
    for kind in (key, f"{key}Readonly"):
        yield (
            *("cosmosdb", "keys", "regenerate", "--name", account),
            *("--resource-group", environment.need("RESOURCE_GROUP"), "--key-kind", kind),
        )


def _regenerate(environment: Environment, key: str) -> None:
    with output.step(f"regenerate {key}"):
        for arguments in _keys(environment, key):
            az.run(*arguments)


def _apply(environment: Environment) -> None:
    with running.opened(environment) as platform:
        before: dict[str, Any] = images.recorded(platform.space.images_file)
        rolling.apply_stage2(platform.space, before, platform.settle, yes=True)


def _switch(path: Path, key: str) -> None:
    text = with_active(path.read_text(encoding="utf-8"), key)
    partial = path.with_name("terraform.tfvars.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _again(environment: Environment) -> Environment:
    variables = tfvars.read(environment.folder / "terraform.tfvars")
    return replace(environment, variables=variables)


def _marker(environment: Environment) -> Path:
    return environment.home / "rotation.json"


def _begun(environment: Environment) -> tuple[str, str] | None:
    """The rotation that was interrupted, if there was one."""
    found = read_json(_marker(environment))
    return (found["old"], found["new"]) if isinstance(found, dict) else None
