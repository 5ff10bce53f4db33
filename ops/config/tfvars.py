"""Read `terraform.tfvars` the way the tasks need it: plain Python values, and errors with file and line. And what is
written into it, laid out as `terraform fmt` would.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emulators.base.files import write_private
from ops.errors import SettingError

_ARGUMENT = re.compile(r"(?P<indent> *)(?P<name>[A-Za-z_][\w-]*) *= (?P<value>.*)")
CACHE = Path(__file__).resolve().parents[2] / ".twin" / "cache"


def read(path: Path, cache: Path = CACHE) -> dict[str, Any]:
    """Return the variables of one file; SettingError names file and line where the text is not HCL.

    What a text means is remembered in `cache`: loading the parser takes longer than most tasks.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} cannot be read ({error}); restore it from version control") from error
    memo = cache / f"values-once-{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
    try:
        known: dict[str, Any] = json.loads(memo.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = _parse(path, text)
        # In the order of the text, which says which server is the first.
        write_private(memo, json.dumps(known))
    return known


def aligned(text: str) -> str:
    """Return HCL with the equals signs of consecutive arguments below each other, as `terraform fmt` has it.

    An argument whose value goes on in the next line stands alone ("Style Guide" of Terraform, Code formatting).
    """
    done: list[str] = []
    run: list[re.Match[str]] = []

    def close() -> None:
        width = max((len(one["name"]) for one in run), default=0)
        done.extend(f"{one['indent']}{one['name']:{width}} = {one['value']}" for one in run)
        run.clear()

    for line in text.split("\n"):
        found = _ARGUMENT.fullmatch(line)
        whole = found is not None and all(line.count(a) == line.count(b) for a, b in ("{}", "[]", "()"))
        if found is None or not whole or (run and run[0]["indent"] != found["indent"]):
            close()
        if found is not None and whole:
            run.append(found)
        else:
            done.append(line)
    close()
    return "\n".join(done)


def require_declared(path: Path, variables: Mapping[str, Any], stage: Path) -> None:
    """Raise SettingError for a name that no variable of the stage has: Terraform only warns, and goes on without it.

    What is misspelt inside a variable's object is dropped by Terraform's type conversion, and not seen here.
    """
    texts = (file.read_text(encoding="utf-8") for file in sorted(stage.glob("variables*.tf")))
    declared = {name for text in texts for name in re.findall(r'^variable "(\w+)"', text, re.MULTILINE)}
    for name in variables if declared else ():
        if name not in declared:
            near = difflib.get_close_matches(name, declared, 1)
            remedy = f"did you mean {near[0]}?" if near else "terraform/shared/README.md lists the variables"
            raise SettingError(f"{name} in {path} is no variable of this platform; {remedy}")


def _parse(path: Path, text: str) -> dict[str, Any]:
    import hcl2

    options = hcl2.SerializationOptions(
        with_comments=False, explicit_blocks=False, strip_string_quotes=True, preserve_heredocs=False
    )
    try:
        tree = hcl2.parses_to_tree(text + "\n")  # the grammar wants the last line closed
        values: dict[str, Any] = hcl2.serialize(hcl2.transform(tree), serialization_options=options)
    except Exception as error:
        raise SettingError(_sentence(path, text, error)) from error
    _require_once(path, tree)
    return values


def _require_once(path: Path, tree: Any) -> None:
    """Raise SettingError for a name that an object has twice: Terraform takes the last one, without a word."""
    for found in tree.find_data("object"):
        seen: dict[str, int] = {}
        for element in found.children:
            if getattr(element, "data", "") != "object_elem":
                continue
            tokens = list(element.children[0].scan_values(lambda _: True))
            name, line = "".join(map(str, tokens)).strip('"'), int(tokens[0].line)
            if name in seen:
                raise SettingError(
                    f"{path}:{line} has {name} a second time, after line {seen[name]}; Terraform would take the last "
                    "one without a word: keep one of them"
                )
            seen[name] = line


def _sentence(path: Path, text: str, error: Exception) -> str:
    line = getattr(error, "line", None)
    if not isinstance(line, int) or line < 1:
        found = re.search(r"line (\d+)", str(error))
        line = int(found.group(1)) if found else text.count("\n") + 1
    lines = text.splitlines() or [""]
    shown = lines[min(line, len(lines)) - 1].strip()
    return f"{path}:{line} is not valid HCL near {shown!r}; correct that line (`terraform fmt` points at it too)"
