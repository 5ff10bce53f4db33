"""Which policies would run: for files anywhere, without an applied state."""

from __future__ import annotations

from pathlib import Path

from twin.gateway import policies
from twin.gateway.builder import Builder, Place, References, build_pipeline
from twin.gateway.document import parse
from twin.gateway.errors import LocatedError, MalformedPolicy
from twin.gateway.pipeline import Pipeline
from twin.gateway.values import NamedValues

_REGISTERED = policies


class _AnyName(dict[str, str]):
    """References are not judged here: a file alone does not say what is applied beside it."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return "x"


class _AnyValue(NamedValues):
    def __init__(self) -> None:
        super().__init__({})
        self._values = _AnyName()


def check(path: Path) -> list[LocatedError]:
    """The problems of one policy file, or of every `.xml` file below a folder. None: all of it would run."""
    files = sorted(path.rglob("*.xml")) if path.is_dir() else [path]
    return [problem for file in files for problem in _check_file(file)]


def _check_file(file: Path) -> list[LocatedError]:
    source, label = file.read_text(encoding="utf-8"), str(file)
    references = References(_AnyValue())
    try:
        root = parse(source, label)
    except MalformedPolicy as error:
        return [error]
    if root.tag == "fragment":
        Builder(references, Place("api", label), Pipeline()).steps(root.children)
    else:
        build_pipeline(source, Place("api", label), references, Pipeline())
    return [problem for problem in references.problems if type(problem).__name__ != "MissingReference"]
