"""Which of the database's two keys the servers use: `cosmos.active_key`.

On Azure terraform.tfvars says it: a committed file, as whoever applies next must know. A local platform's keys are its
own, made with it and gone with it, so its home remembers what `invoke rotate` changed to, and Terraform reads it in the
home's copy of the file. Once the committed file names another key than it did then, the committed file counts.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

from emulators.base.files import read_object, write_json
from ops.cli.steps import Step
from ops.config import tfvars
from ops.config.environment import Environment
from ops.errors import SettingError

OTHER = {"primary": "secondary", "secondary": "primary"}
_BLOCK = re.compile(r"^cosmos\s*=\s*\{\n", re.MULTILINE)
_ACTIVE = re.compile(r'^(\s*active_key\s*=\s*)"\w+"', re.MULTILINE)


def active(environment: Environment) -> str:
    """Return the key that the servers are to use, by the files as they are now."""
    written = _written(environment)
    remembered = _remembered(environment.home, written) if environment.is_local else None
    found = remembered or written or "primary"
    if found not in OTHER:
        raise SettingError(f"cosmos.active_key of {environment.name} is {found!r}; it must be primary or secondary")
    return found


def switch(environment: Environment, key: str, var_file: Path) -> Step[None]:
    """Return the step after which servers use that key; `var_file` is the terraform.tfvars that Terraform reads."""

    def act() -> None:
        if environment.is_local:
            write_json(_record(environment.home), {"active": key, "instead_of": _written(environment)})
        _rewrite(var_file, key)

    edit = f'/^cosmos *= *{{/a\\  active_key = "{key}"'
    if _written(environment) or (environment.is_local and _record(environment.home).exists()):
        edit = f's/^\\( *active_key *= *\\)"[a-z]*"/\\1"{key}"/'
    lines = [shlex.join(["sed", "-i", edit, str(var_file)])]
    if environment.is_local:
        record = json.dumps({"active": key, "instead_of": _written(environment)})
        lines.append(f"echo {shlex.quote(record)} > {shlex.quote(str(_record(environment.home)))}")
    return Step(act, None, tuple(lines))


def place(home: Path, var_file: Path) -> None:
    """Write what the home remembers into its own copy of terraform.tfvars, which was just made anew."""
    if _record(home).exists():
        remembered = _remembered(home, _active_in(var_file))
        if remembered:
            _rewrite(var_file, remembered)


def carry(source: Path, target: Path) -> None:
    """Let a copy of a home remember the same."""
    if _record(source).exists():
        shutil.copyfile(_record(source), _record(target))


def with_active(text: str, key: str) -> str:
    """Return terraform.tfvars with another active key, else unchanged; SettingError where it cannot be placed."""
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


def _rewrite(path: Path, key: str) -> None:
    text = with_active(path.read_text(encoding="utf-8"), key)
    partial = path.with_name("terraform.tfvars.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _record(home: Path) -> Path:
    return home / "active_key.json"


def _remembered(home: Path, written: str | None) -> str | None:
    found = read_object(_record(home))
    return str(found["active"]) if "active" in found and found.get("instead_of") == written else None


def _written(environment: Environment) -> str | None:
    return _active_in(environment.folder / "terraform.tfvars")


def _active_in(path: Path) -> str | None:
    found: dict[str, Any] = tfvars.read(path).get("cosmos") or {}
    return found.get("active_key")
