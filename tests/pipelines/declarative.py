"""Lints a declarative Jenkinsfile: Groovy's own grammar for the syntax, and the sections that Jenkins allows where.

Sections and directives: "Pipeline Syntax" of the Jenkins user handbook. What a plug-in's step takes is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

import tree_sitter_groovy
from groovy_parser.parser import parse_and_digest_groovy_content
from lark.exceptions import UnexpectedInput
from tree_sitter import Language, Node, Parser

_DIRECTIVES = {"agent", "environment", "options", "post", "stages", "tools", "triggers", "parameters", "libraries"}
_STAGE = {"agent", "environment", "input", "options", "tools", "when", "post", "failFast"}
_WORK = {"steps", "stages", "parallel", "matrix"}
_POST = {
    *("always", "changed", "fixed", "regression", "aborted", "failure", "success", "unstable", "unsuccessful"),
    "cleanup",
}
_WHEN = {
    *("branch", "buildingTag", "changelog", "changeset", "changeRequest", "environment", "equals", "expression"),
    *("tag", "not", "allOf", "anyOf", "triggeredBy", "beforeAgent", "beforeInput", "beforeOptions"),
}
_CALLS = {"method_invocation", "juxt_function_call"}


def syntax(text: str) -> list[str]:
    """Where Groovy's own grammar ends; takes ten seconds."""
    try:
        parse_and_digest_groovy_content(text)
    except UnexpectedInput as error:
        return [f"line {getattr(error, 'line', '?')}: Groovy does not parse it: {str(error).splitlines()[0]}"]
    return []


def structure(text: str) -> list[str]:
    """What Jenkins would refuse of its sections, one sentence each."""
    root = Parser(Language(tree_sitter_groovy.language())).parse(text.encode()).root_node
    if root.has_error:
        return ["the second grammar, which the sections are read with, does not parse it"]
    blocks = list(_blocks(root))
    if [name for name, _ in blocks] != ["pipeline"]:
        return ["a declarative Jenkinsfile is one pipeline block"]
    return list(_pipeline(blocks[0][1]))


def steps(text: str) -> list[str]:
    """The commands of every `sh` step, in the order of the file."""
    root = Parser(Language(tree_sitter_groovy.language())).parse(text.encode()).root_node
    return [_argument(node) for node in _walk(root) if node.type in _CALLS and _name(node) == "sh"]


def _pipeline(node: Node) -> Iterator[str]:
    found = dict(_blocks(node))
    yield from (f"pipeline holds no section {name}" for name in found if name not in _DIRECTIVES)
    for name in ("agent", "stages"):
        if name not in found:
            yield f"pipeline needs the section {name}"
    if "stages" in found:
        yield from _stages(found["stages"])
    if "post" in found:
        yield from _named(found["post"], _POST, "post")


def _stages(node: Node) -> Iterator[str]:
    inner = list(_blocks(node))
    if not inner:
        yield "stages needs at least one stage"
    for name, stage in inner:
        if name != "stage" or not _argument(stage):
            yield f"stages holds {name}, and may hold named stages only"
        else:
            yield from _stage(stage, _argument(stage))


def _stage(node: Node, title: str) -> Iterator[str]:
    found = dict(_blocks(node))
    yield from (f"stage {title} holds no section {name}" for name in found if name not in _STAGE | _WORK)
    work = [name for name in found if name in _WORK]
    if len(work) != 1:
        yield f"stage {title} needs exactly one of {', '.join(sorted(_WORK))}"
    if "stages" in found:
        yield from _stages(found["stages"])
    if "steps" in found and not list(_blocks(found["steps"])):
        yield f"stage {title} has no step"
    if "when" in found:
        yield from _named(found["when"], _WHEN, f"when of stage {title}")
    if "post" in found:
        yield from _named(found["post"], _POST, f"post of stage {title}")


def _named(node: Node, known: set[str], where: str) -> Iterator[str]:
    yield from (f"{where} holds no {name}" for name, _ in _blocks(node) if name not in known)


def _blocks(node: Node) -> Iterator[tuple[str, Node]]:
    """The calls directly inside a closure (or the file), by name."""
    closure = next((child for child in node.children if child.type == "closure"), node)
    for child in closure.named_children:
        for inner in [child, *child.named_children]:
            if inner.type in _CALLS:
                yield _name(inner), inner
                break


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _name(node: Node) -> str:
    name = node.child_by_field_name("name")
    return (name.text or b"").decode() if name else ""


def _argument(node: Node) -> str:
    given = node.child_by_field_name("arguments") or node.child_by_field_name("args")
    first = given.named_children[0] if given and given.named_children else None
    return (first.text or b"").decode().strip("'\"") if first else ""
