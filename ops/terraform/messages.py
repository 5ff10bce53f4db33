"""What Terraform's JSON messages say of an error, with the file that a person edits."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ops.config.environment import ROOT

# Of the variables' own folder, which nobody looks into to mend a value.
_RULE = re.compile(r"\s*This was checked by the validation rule at \S+")
_KEPT = re.compile(r'terraform_data\.keep\["([^"]+)"\] has lifecycle\.prevent_destroy set')
_KEPT_WHOLE = {"account": "database account", "vault": "Key Vault"}


def errors_of(
    messages: Iterable[Mapping[str, Any]], folder: Path, root: Path, source: Path | None = None
) -> Iterator[str]:
    """Yield a sentence per error.

    `folder`: where Terraform ran, which its file names start from. `root`: a copy of `source`, whose files are named
    instead; a file that several stages share is named where it stands.
    """
    for message in messages:
        diagnostic = message.get("diagnostic") or {}
        if diagnostic.get("severity") == "error":
            start = (diagnostic.get("range") or {}).get("start") or {}
            file = (diagnostic.get("range") or {}).get("filename")
            place = f" ({shown(in_source(folder / file, root, source))}:{start.get('line')})" if file else ""
            detail = " ".join(_RULE.sub("", str(diagnostic.get("detail") or "")).split())
            said = said_of_source(f": {detail}", root, source)
            yield f"{diagnostic.get('summary', '')}{place}{said}".rstrip(": .")


def would_destroy(said: str) -> str:
    """Return what is kept and would be lost, and what to do, where one of our guards refused; else nothing.

    The guards are `terraform_data.keep` of the modules, named after what they keep: `account`, `registry`, `vault`,
    `database/NAME`, `collection/DATABASE/NAME`. Terraform says no more than that address.
    """
    kept = sorted(set(_KEPT.findall(said)))
    if not kept:
        return ""
    names = [" ".join(key.split("/", 1)) if "/" in key else f"the {_KEPT_WHOLE.get(key, key)}" for key in kept]
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return (
        f"this would destroy {listed}, with all that they hold, and data_protection.prevent_destroy forbids it; put "
        'the old values back, add the new beside them and copy what they hold ("Data in production" in '
        "terraform/README.md has the way to let the old ones go)"
    )


def in_source(file: Path, root: Path, source: Path | None) -> Path:
    """Return the file of `source` that this one is a copy of; itself where it is none."""
    whole = Path(os.path.normpath(file))
    if source is None or not whole.is_relative_to(root):
        return whole
    found = source / whole.relative_to(root)
    return found.resolve() if found.exists() else whole


def said_of_source(text: str, root: Path, source: Path | None) -> str:
    """Return the text with the folder of `source` wherever it names that of its copy."""
    return text.replace(f"{root}{os.sep}", f"{shown(source)}{os.sep}") if source else text


def shown(path: Path) -> str:
    """Return the path as a person in the project's folder types it."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
