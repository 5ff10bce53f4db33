"""Judge an environment's values by Terraform's own rules, without providers, state or anybody signed in.

The variables of the stages stand in a root of their own, where `terraform console` takes a tenth of a second to tell
what each variable became: an attribute that its type does not have is dropped there without a word ("Type Constraints",
Terraform 1.11, "Structural Types"), and is found by its absence. Where a `validation` is broken, a plan says which.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ops.config.environment import Environment
from ops.config.tfvars import CACHE
from ops.errors import SettingError, ToolError
from ops.terraform import binary
from ops.terraform.messages import errors_of, shown

_UNSUITABLE = re.compile(r"The given value is not suitable for var\.(\w+) declared at \S+ (.*)")


def require_valid(environment: Environment, cache: Path = CACHE) -> None:
    """Raise SettingError with each value that a rule refuses, or each name that no type has.

    What was found valid is remembered in `cache`, until the values or the variables change.
    """
    environment.require_declared()
    var_file = environment.folder / "terraform.tfvars"
    files = sorted((environment.terraform_dir / "stage2").glob("variables*.tf"))
    memo = cache / f"valid-{_digest([var_file, *files])}"
    if not files or memo.exists():
        return
    program = binary.find().path
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for file in files:
            shutil.copy(file, root)  # what a link means, not the link
        became, sound = _became(program, root, var_file, sorted(environment.variables))
        broken = [] if sound else list(_refused(program, root, var_file, environment.variables))
        # What is misspelt comes first: a rule may miss the very name that it was meant for.
        refused = [f"{sentence} ({shown(var_file)})" for sentence in _dropped(environment.variables, became)] + broken
    if refused:
        raise SettingError("; ".join(refused))
    cache.mkdir(parents=True, exist_ok=True)
    memo.touch()


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:32]


def _refused(program: Path, root: Path, var_file: Path, given: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence per error, which names the entry, and terraform.tfvars, where its value is or should be."""
    for sentence in errors_of(_planned(program, root, var_file), root, root):
        # A variable that was left out has its place in the copy.
        said = re.sub(rf"\({re.escape(str(root))}[^)]*\)", f"({shown(var_file)})", sentence)
        found = _UNSUITABLE.search(said)
        if found:
            name, reason = found.groups()
            path = [] if '"' in reason else _culprit(program, root, var_file, name, given.get(name))
            yield f"{said[: found.start()]}{'.'.join([name, *map(str, path)])}: {reason}"
        else:
            yield said


def _planned(program: Path, root: Path, *var_files: Path) -> list[dict[str, Any]]:
    """Return the messages of a plan with these values, the last of which win; ToolError where it fails in silence."""
    values = [f"-var-file={file}" for file in var_files]
    done = _run(program, root, "plan", "-json", "-lock=false", "-input=false", *values)
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode and not any(message.get("diagnostic") for message in messages):
        raise ToolError(f"terraform cannot judge {var_files[0]}: {' '.join((done.stdout + done.stderr).split())}")
    return messages


def _culprit(program: Path, root: Path, var_file: Path, name: str, whole: Any) -> list[str | int]:
    """Return the path of the first value that its type does not take; Terraform says no more than why."""
    candidate = root / "candidate.tfvars.json"

    def is_refused(path: list[str | int]) -> bool:
        candidate.write_text(json.dumps({name: _alone(whole, path)}), encoding="utf-8")
        found = (one.get("diagnostic") or {} for one in _planned(program, root, var_file, candidate))
        return any(f"not suitable for var.{name} " in str(one.get("detail")) for one in found)

    path: list[str | int] = []
    value = whole
    while isinstance(value, Mapping | list):
        keys: list[str | int] = list(value) if isinstance(value, Mapping) else list(range(len(value)))
        key = next((one for one in keys if is_refused([*path, one])), None)
        if key is None:
            break
        path.append(key)
        value = value[key]  # type: ignore[index]
    return path


def _alone(value: Any, path: Sequence[str | int]) -> Any:
    """Return the value with only what is at this path; its siblings are null, which every type takes."""
    if not path:
        return value
    head, *rest = path
    if isinstance(value, Mapping):
        return {key: _alone(one, rest) if key == head else None for key, one in value.items()}
    return [_alone(value[int(head)], rest)]


def _became(program: Path, root: Path, var_file: Path, names: Sequence[str]) -> tuple[dict[str, Any], bool]:
    """Return each variable as its type has it, and whether Terraform found no fault.

    An attribute that was left out is there too, with its default; a variable that has no value of its type is not.
    """
    asked = ", ".join(f"{name} = try(nonsensitive(jsonencode(var.{name})), null)" for name in names)
    done = _run(program, root, "console", f"-var-file={var_file}", given=f"jsonencode({{{asked}}})\n")
    answer = [line for line in done.stdout.splitlines() if line.startswith('"{')]
    texts: dict[str, str | None] = json.loads(json.loads(answer[-1])) if answer else {}
    sound = bool(answer) and done.returncode == 0 and "Error:" not in done.stdout + done.stderr
    return {name: json.loads(text) for name, text in texts.items() if text}, sound


def _dropped(given: Mapping[str, Any], became: Mapping[str, Any]) -> Iterator[str]:
    for name, value in given.items():
        yield from _compare(name, value, became.get(name))


def _compare(path: str, given: Any, became: Any) -> Iterator[str]:
    """Yield a sentence for each key that is gone; a set has its own order, so its elements are taken together."""
    if isinstance(given, Mapping) and isinstance(became, Mapping):
        for name, value in given.items():
            if name in became:
                yield from _compare(f"{path}.{name}", value, became[name])
            else:
                yield _unknown(f"{path}.{name}", name, sorted(became))
    elif isinstance(given, list) and isinstance(became, list):
        whole: dict[str, Any] = {}
        for one in became:
            whole |= one if isinstance(one, Mapping) else {}
        for value in given:
            yield from _compare(f"{path}[]", value, whole if isinstance(value, Mapping) else None)


def _unknown(path: str, name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    remedy = f"did you mean {near[0]}?" if near else f"there is {', '.join(known)}"
    return f"{path} is unknown, and Terraform would leave it out without a word; {remedy}"


def _run(program: Path, root: Path, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    own = {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    return subprocess.run(
        [str(program), *arguments],
        cwd=root,
        env={**kept, **own},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
