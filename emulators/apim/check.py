"""Which policies would run: for files anywhere, without an applied state.

A file alone does not say what is applied beside it, so what a policy refers to (fragments, backends, named values,
identities) is taken to exist, and an attribute that holds a named value is taken to be right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from emulators.apim import policies
from emulators.apim.elements import ELEMENTS, Place, References, build_fragment, build_pipeline
from emulators.apim.errors import (
    InvalidAttribute,
    LocatedError,
    MalformedPolicy,
    MissingReference,
    PolicyError,
    UnsupportedExpression,
    Where,
    unreadable,
)
from emulators.apim.pipeline import Pipeline
from emulators.apim.policy_sources import (
    SUFFIXES,
    Document,
    broken_notebook,
    documents,
    files,
    has_directives,
    is_other_xml,
)
from emulators.apim.values import NamedValues
from emulators.base.policy_xml import Node, breaks_matter, is_raw, parse

_REGISTERED = policies


class NotRendered(LocatedError):
    """A Terraform template: only what Terraform makes of it is a policy."""


#: A name that no expression declares: where a value is put into C# itself, the missing name is this one.
_UNKNOWN = "named_value"


class _AnyValue(NamedValues):
    """Every name has a value, a text that nobody knows: it is never empty, so that it stands out where no text may."""

    def __init__(self) -> None:
        super().__init__({})

    def substitute(self, text: str, where: Where, report: Callable[[LocatedError], None]) -> str:
        return self.each(text, lambda name: _UNKNOWN)

    def known(self, text: str) -> str:
        return text


@dataclass(frozen=True)
class Found:
    """One policy element of a file; `remark` says how it differs from API Management, where it does."""

    line: int
    tag: str
    remark: str


@dataclass(frozen=True)
class Report:
    """One policy of a file. `elements` are those that would run, `problems` all that keeps it from loading."""

    path: Path
    elements: tuple[Found, ...]
    problems: tuple[LocatedError, ...]

    @property
    def runs(self) -> bool:
        return not self.problems

    def as_text(self) -> Iterator[str]:
        """The verdict, then what is refused, then what would run, elements of one name together."""
        yield f"{self.path}: {'would run' if self.runs else 'would not run'}"
        for problem in self.problems:
            where = f"line {problem.where.line}" if problem.where.line else "the file"
            yield f"  {where}: refused: {problem.reason}"
        by_name = sorted(self.elements, key=lambda element: (element.tag, element.line))
        for tag, group in groupby(by_name, lambda element: element.tag):
            elements = list(group)
            lines = ", ".join(str(element.line) for element in elements)
            remark = f" (partial: {elements[0].remark})" if elements[0].remark else ""
            yield f"  line {lines}: {tag} runs{remark}"

    def as_json(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "runs": self.runs,
            "elements": [{"line": one.line, "name": one.tag, "differs": one.remark} for one in self.elements],
            "problems": [
                {"line": one.where.line, "name": one.name, "kind": type(one).__name__, "message": one.reason}
                for one in self.problems
            ],
        }


def report(paths: Sequence[Path]) -> list[Report]:
    """One for each policy of each file, and of the files below a folder. PolicyError for a path that holds none."""
    found, without = judge(paths)
    if without:
        raise without[0]
    return found


def judge(paths: Sequence[Path]) -> tuple[list[Report], list[PolicyError]]:
    """One report for each policy, and an error for each path that holds none: the others are judged nevertheless."""
    found, without = list[Report](), list[PolicyError]()
    for path in paths:
        try:
            below = [one for file in _files(path) for one in _reports(file, named=path.is_file())]
            if not below:
                raise PolicyError(f"{path} holds no policy: no <policies> or <fragment> in any file below it")
        except PolicyError as error:
            without.append(error)
        else:
            found += below
    return found, without


def check(path: Path) -> list[LocatedError]:
    """The problems of one policy file, or of a folder's. None: all of it would run."""
    return [problem for one in report([path]) for problem in one.problems]


def problems(text: str, label: str) -> list[LocatedError]:
    """What keeps a rendered policy or fragment from loading, by its own lines; `label` says where it stands."""
    return sorted(_judged(Path(label), text).problems, key=lambda one: one.where.line)


def document(reports: Sequence[Report]) -> dict[str, Any]:
    """All reports for programs."""
    return {
        "files": [one.as_json() for one in reports],
        "summary": {
            "files": len(reports),
            "would_run": sum(one.runs for one in reports),
            "would_not": sum(not one.runs for one in reports),
            "refused": sum(len(one.problems) for one in reports),
        },
    }


def text(reports: Sequence[Report]) -> str:
    """All reports for people."""
    return "\n".join([*(line for one in reports for line in one.as_text()), summary(reports)])


def summary(reports: Sequence[Report]) -> str:
    run = sum(one.runs for one in reports)
    problems = sum(len(one.problems) for one in reports)
    files = "1 file" if len(reports) == 1 else f"{len(reports)} files"
    return f"{files}: {run} would run, {len(reports) - run} would not ({problems} refused)"


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise PolicyError(f"{path} does not exist: name a policy file, or a folder of them")
    if path.is_file():
        return [path]
    found = files(path)
    if not found:
        raise PolicyError(f"{path} holds no policy: no file below it ends in {', '.join(SUFFIXES)}")
    return found


def _reports(file: Path, *, named: bool) -> Iterator[Report]:
    """One for each policy that the file holds; a file that was named and holds none is a problem."""
    if file.name.endswith(".tftpl") and (named or ".xml" in file.suffixes):
        message = "a Terraform template: check the XML that Terraform renders from it (see `terraform show`)"
        yield Report(file, (), (NotRendered(message, where=Where(str(file)), name=file.name),))
        return
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problem = MalformedPolicy(unreadable(error), where=Where(str(file)), name=file.name)
        yield Report(file, (), (problem,))
        return
    if broken := broken_notebook(file, text):
        yield Report(file, (), (MalformedPolicy(broken, where=Where(str(file)), name=file.name),))
        return
    if not named and (is_other_xml(file, text) or file.suffix == ".tftpl"):
        return
    found = list(documents(file, text))
    if not found and named:
        raise PolicyError(f"{file} holds no policy: neither <policies> nor <fragment> in {_HOLDERS[file.suffix]}")
    yield from (_report(file, source) for source in found)


_HOLDERS = {
    ".tf": "a heredoc",
    ".bicep": "a text",
    ".md": "a fenced block",
    ".ipynb": "a cell",
}


def _report(file: Path, source: Document) -> Report:
    found = _judged(file, source.text)
    problems = (_moved(problem, source) for problem in found.problems)
    elements = (replace(element, line=source.line(element.line)) for element in found.elements)
    return Report(file, tuple(elements), tuple(sorted(problems, key=lambda one: one.where.line)))


def _moved(problem: LocatedError, source: Document) -> LocatedError:
    where = Where(problem.where.scope, source.line(problem.where.line))
    return type(problem)(problem.reason, where=where, name=problem.name)


def _judged(file: Path, source: str) -> Report:
    """A report whose lines are the policy's own."""
    label = str(file)
    if file.suffix == ".tf" and has_directives(source):
        message = "it has Terraform's directives: check the XML that Terraform renders from it (see `terraform show`)"
        line = source[: len(source) - len(source.lstrip())].count("\n") + 1
        return Report(file, (), (NotRendered(message, where=Where(label, line), name=file.name),))
    try:
        root = parse(source, label)
    except MalformedPolicy as error:
        return Report(file, (), (error,))
    references = References(_AnyValue())
    if root.tag == "fragment":
        build_fragment(root, Place("", label, fragments=(label,)), references)
        references.problems.extend([] if is_raw(source) else _eaten(root, label))
    else:
        build_pipeline(source, Place("", label), references, Pipeline())
    unknown = set(_with_named_values(root))
    problems = tuple(one for one in references.problems if _is_the_file_s(one, unknown))
    bad_lines = {one.where.line for one in problems}
    runs = tuple(one for one in _elements(root) if one.line not in bad_lines)
    return Report(file, runs, problems)


def _eaten(root: Node, label: str) -> Iterator[LocatedError]:
    """Expressions of a fragment that mean something else in its two formats: its text does not say which it has."""
    for node in _walk(root):
        for name, value in node.attributes.items():
            if value.lstrip()[:2] in ("@(", "@{") and breaks_matter(value):
                message = (
                    f"{name!r} of <{node.tag}> holds a comment or text that ends at a line break, which a fragment of"
                    " format xml (the default) loses: write /* … */ and \\n, or put the expression on one line"
                )
                yield MalformedPolicy(message, where=Where(label, node.lines[name]), name=name)


def _is_the_file_s(problem: LocatedError, unknown: set[tuple[int, str]]) -> bool:
    if isinstance(problem, MissingReference):
        return False
    if isinstance(problem, UnsupportedExpression) and problem.name == _UNKNOWN:
        return False
    return not (isinstance(problem, InvalidAttribute) and (problem.where.line, problem.name) in unknown)


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _with_named_values(root: Node) -> Iterator[tuple[int, str]]:
    """Lines and names of attributes and texts whose value only the applied state knows."""
    for node in _walk(root):
        if "{{" in node.text:
            yield node.line, node.tag
            yield node.lines[""], ""
        yield from ((node.lines[name], name) for name, value in node.attributes.items() if "{{" in value)


def _elements(root: Node) -> Iterator[Found]:
    for node in _walk(root):
        spec = ELEMENTS.get(node.tag)
        if spec is not None:
            yield Found(node.line, node.tag, spec.partial)
