"""Read `terraform.tfvars` the way the tasks need it: plain Python values, and errors with file and line."""

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

CACHE = Path(__file__).resolve().parents[2] / ".twin" / "cache"


def read(path: Path, cache: Path = CACHE) -> dict[str, Any]:
    """Return the variables of one file; SettingError names file and line where the text is not HCL.

    What a text means is remembered in `cache`: loading the parser takes longer than most tasks.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} cannot be read ({error}); restore it from version control") from error
    memo = cache / f"values-{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
    try:
        known: dict[str, Any] = json.loads(memo.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = _parse(path, text)
        # In the order of the text, which says which server is the first.
        write_private(memo, json.dumps(known))
    return known


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
        # The grammar wants the last line closed.
        values: dict[str, Any] = hcl2.loads(text + "\n", serialization_options=options)
    except Exception as error:
        raise SettingError(_sentence(path, text, error)) from error
    return values


def _sentence(path: Path, text: str, error: Exception) -> str:
    line = getattr(error, "line", None)
    if not isinstance(line, int) or line < 1:
        found = re.search(r"line (\d+)", str(error))
        line = int(found.group(1)) if found else text.count("\n") + 1
    lines = text.splitlines() or [""]
    shown = lines[min(line, len(lines)) - 1].strip()
    return f"{path}:{line} is not valid HCL near {shown!r}; correct that line (`terraform fmt` points at it too)"
