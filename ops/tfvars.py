"""Reads `terraform.tfvars` the way the tasks need it: plain Python values, and errors with file and line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ops.errors import SettingError


def read(path: Path) -> dict[str, Any]:
    """The variables of one file; SettingError names file and line where the text is not HCL."""
    import hcl2  # 0.3 s to import: only the tasks that need an environment pay for it

    options = hcl2.SerializationOptions(
        with_comments=False, explicit_blocks=False, strip_string_quotes=True, preserve_heredocs=False
    )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} cannot be read ({error}); restore it from version control") from error
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
