"""Policy elements: the table of those that exist, what their builders are given, and how documents of them are
compiled to pipelines. Loading, checking and FIDELITY.md use one table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from emulators.apim.errors import (
    InvalidAttribute,
    LocatedError,
    MalformedPolicy,
    UnknownAttribute,
    UnknownElement,
    Where,
)
from emulators.apim.messages import Context, Run, Step
from emulators.apim.pipeline import SECTIONS, Pipeline, run_steps
from emulators.apim.values import NamedValues, Value, compile_value
from emulators.base.policy_xml import Node, parse

ANYWHERE = frozenset({"inbound", "backend", "outbound", "on-error"})
INBOUND = frozenset({"inbound"})


@dataclass(frozen=True)
class ElementSpec:
    """`title` is the documentation page the element follows; `partial` says how it differs."""

    tag: str
    sections: frozenset[str]
    attributes: frozenset[str]
    build: Callable[[Element], Run]
    title: str
    partial: str = ""


ELEMENTS: dict[str, ElementSpec] = {}


def element(
    tag: str, *, title: str, sections: frozenset[str] = ANYWHERE, attributes: str = "", partial: str = ""
) -> Callable[[Callable[[Element], Run]], Callable[[Element], Run]]:
    """Registers the builder of a policy statement; `attributes` are separated by spaces."""

    def register(build: Callable[[Element], Run]) -> Callable[[Element], Run]:
        ELEMENTS[tag] = ElementSpec(tag, sections, frozenset(attributes.split()), build, title, partial)
        return build

    return register


class Element:
    """An XML element while it is being compiled. Problems are reported, not raised, so one load finds all of them."""

    def __init__(self, node: Node, builder: Builder) -> None:
        self.node = node
        self.builder = builder
        self.tag = node.tag
        self.where = Where(builder.place.label, node.line)

    def report(self, error: LocatedError) -> None:
        self.builder.report(error)

    def invalid(self, message: str, name: str) -> None:
        self.report(InvalidAttribute(message, where=self.where, name=name))

    def allow(self, attributes: frozenset[str] | set[str]) -> None:
        """Reports every attribute but these and `id`, which all policies take."""
        for name in self.node.attributes:
            if name not in attributes and name != "id":
                message = f"<{self.tag}> has no attribute {name!r} in the local gateway"
                self.report(UnknownAttribute(message, where=self.where, name=name))

    def has(self, name: str) -> bool:
        return name in self.node.attributes

    def raw(self, name: str) -> str | None:
        text = self.node.attributes.get(name)
        return None if text is None else self.builder.substitute(text, self.where)

    def where_of(self, name: str = "") -> Where:
        """Where an attribute's value begins; without a name, where the text does."""
        return Where(self.where.scope, self.node.lines.get(name, self.node.line))

    def compile(self, text: str, where: Where | None = None) -> Value:
        try:
            return compile_value(text, where or self.where)
        except LocatedError as error:
            self.report(error)
            return Value("")

    def value(self, name: str, default: str | None = None) -> Value:
        """An attribute that takes expressions; without a default it is required."""
        text = self.raw(name)
        if text is None:
            if default is None:
                self.invalid(f"<{self.tag}> needs the attribute {name!r}", name)
            return Value(default or "")
        return self.compile(text, self.where_of(name))

    def optional(self, name: str) -> Value | None:
        return self.value(name) if self.has(name) else None

    def literal(self, name: str, default: str | None = None, choices: Sequence[str] = ()) -> str:
        """An attribute for which "policy expressions aren't allowed"."""
        text = self.raw(name)
        if text is None:
            if default is None:
                self.invalid(f"<{self.tag}> needs the attribute {name!r}", name)
            return default or ""
        if text.strip().startswith(("@(", "@{")):
            self.invalid(f"{name!r} of <{self.tag}> takes no policy expression", name)
        if choices and text not in choices:
            self.invalid(f"{name!r} of <{self.tag}> must be one of {', '.join(choices)}, not {text!r}", name)
        return text

    def flag(self, name: str, *, default: bool) -> Callable[[Context], bool]:
        found = self.value(name, "true" if default else "false")
        if found.literal is not None:
            if found.literal not in ("true", "false"):
                self.invalid(f"{name!r} of <{self.tag}> must be true or false, not {found.literal!r}", name)
            constant = found.literal == "true"
            return lambda context: constant
        return lambda context: found.text(context).lower() == "true"

    def number(
        self, name: str, default: str | None = None, *, low: float = 0, high: float = 1e9
    ) -> Callable[[Context], float]:
        """A number, checked at load where it is a literal; an expression's bad number is InvalidNumber when it runs."""
        found = self.value(name, default)
        if found.literal is not None:
            constant = _number(found.literal)
            if constant is None or not low <= constant <= high:
                self.invalid(f"{name!r} of <{self.tag}> must be a number from {low:g} to {high:g}", name)
            fixed = constant or 0.0
            return lambda context: fixed
        return lambda context: _number(found.text(context)) or 0.0

    @property
    def text(self) -> Value:
        return self.compile(self.builder.substitute(self.node.text, self.where), self.where_of())

    def trimmed(self) -> Value:
        """Text where the white space around it means nothing."""
        found = self.text
        return Value(found.literal.strip()) if found.literal is not None else found

    def children(self, *tags: str) -> list[Element]:
        """The child elements; any tag but these is reported."""
        found = []
        for node in self.node.children:
            if node.tag in tags:
                found.append(Element(node, self.builder))
            else:
                where = Where(self.builder.place.label, node.line)
                message = f"<{node.tag}> is not allowed in <{self.tag}> by the local gateway"
                self.report(UnknownElement(message, where=where, name=node.tag))
        return found

    def child(self, tag: str) -> Element | None:
        """The one child of that name; a second one is reported."""
        self.once(tag)
        return next((Element(node, self.builder) for node in self.node.children if node.tag == tag), None)

    def once(self, *tags: str) -> None:
        """Reports children of these names that stand a second time."""
        for tag in tags:
            for node in [node for node in self.node.children if node.tag == tag][1:]:
                where = Where(self.builder.place.label, node.line)
                message = f"<{tag}> appears twice in <{self.tag}>: only one counts"
                self.report(MalformedPolicy(message, where=where, name=tag))

    def no_children(self) -> None:
        self.children()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def text_values(parent: Element | None, tag: str) -> list[Value]:
    """`<parent><tag>text</tag>…</parent>` as values."""
    return [child.trimmed() for child in parent.children(tag)] if parent is not None else []


def all_texts(values: Sequence[Value]) -> Callable[[Context], list[str]]:
    """The texts of all values; fixed where every one is literal."""
    literals = [value.literal for value in values if value.literal is not None]
    if len(literals) == len(values):
        return lambda context: literals
    return lambda context: [value.text(context) for value in values]


@dataclass(frozen=True)
class Place:
    """Where compilation stands: `scope` as LastError reports it, `label` for people, `path` as "choose[1]/when[2]"."""

    scope: str
    label: str
    section: str = ""
    path: str = ""
    fragments: tuple[str, ...] = ()


class StepTracer(Protocol):
    """Wraps compiled steps and conditions, so that they tell what they do with a request that is traced."""

    def step(self, element: Element, run: Run) -> Run: ...

    def condition(self, element: Element, evaluate: Callable[[Context], Any]) -> Callable[[Context], Any]: ...


@dataclass
class References:
    """What policies may refer to, and what was found wrong so far."""

    named_values: NamedValues
    fragments: Mapping[str, Node] = field(default_factory=dict)
    backends: frozenset[str] = frozenset()
    identity_clients: frozenset[str] = frozenset()
    problems: list[LocatedError] = field(default_factory=list)
    #: Where requests are traced: steps and conditions that tell what they do.
    tracer: StepTracer | None = None


class Builder:
    """Compiles one document, knowing the pipeline of the scope above it."""

    def __init__(self, references: References, place: Place, parent: Pipeline) -> None:
        self.references = references
        self.place = place
        self.parent = parent
        self.reads_response_body = False
        self.cors: list[Any] = []

    def report(self, error: LocatedError) -> None:
        if all(str(error) != str(known) for known in self.references.problems):
            self.references.problems.append(error)

    def substitute(self, text: str, where: Where) -> str:
        return self.references.named_values.substitute(text, where, self.report)

    @contextmanager
    def at(self, **changes: Any) -> Iterator[None]:
        before = self.place
        self.place = replace(before, **changes)
        try:
            yield
        finally:
            self.place = before

    def steps(self, nodes: tuple[Node, ...]) -> list[Step]:
        """The statements of a section, branch or fragment."""
        counts: dict[str, int] = {}
        found: list[Step] = []
        for node in nodes:
            counts[node.tag] = counts.get(node.tag, 0) + 1
            prefix = f"{self.place.path}/" if self.place.path else ""
            with self.at(path=f"{prefix}{node.tag}[{counts[node.tag]}]"):
                found.extend(self._statement(node))
        return found

    def _statement(self, node: Node) -> list[Step]:
        if node.tag == "base":
            return self._base(node)
        spec = ELEMENTS.get(node.tag)
        where = Where(self.place.label, node.line)
        if spec is None:
            self.report(
                UnknownElement(f"<{node.tag}> is not supported by the local gateway", where=where, name=node.tag)
            )
            return []
        if self.place.section and self.place.section not in spec.sections:
            message = f"<{node.tag}> is not allowed in the {self.place.section} section"
            self.report(UnknownElement(message, where=where, name=node.tag))
            return []
        element = Element(node, self)
        element.allow(spec.attributes)
        return [self.step(element, spec.build(element))]

    def step(self, element: Element, run: Run) -> Step:
        place, tracer = self.place, self.references.tracer
        if tracer is not None:
            run = tracer.step(element, run)
        return Step(run, element.tag, place.scope, place.section, place.path, element.node.attributes.get("id"))

    def _base(self, node: Node) -> list[Step]:
        where = Where(self.place.label, node.line)
        if "/" in self.place.path or self.place.fragments:
            self.report(UnknownElement("<base> may stand only directly in a section", where=where, name="base"))
        elif self.place.scope == "global":
            self.report(UnknownElement("<base> has nothing to inherit at global scope", where=where, name="base"))
        if self.place.section == "inbound":
            self.cors.extend(self.parent.cors)
        return list(self.parent.section(self.place.section)) if self.place.section else []

    def block(self, nodes: tuple[Node, ...]) -> Callable[[Context], Any]:
        """Nested statements as one thing to run."""
        steps = self.steps(nodes)

        return lambda context: run_steps(steps, context)


def build_pipeline(source: str, place: Place, references: References, parent: Pipeline) -> Pipeline:
    """A policy document on top of its parent scope. Problems go to `references`; a section left out inherits."""
    builder = Builder(references, place, parent)
    try:
        root = parse(source, place.label)
    except MalformedPolicy as error:
        builder.report(error)
        return parent
    if root.tag != "policies":
        builder.report(
            MalformedPolicy(
                f"a policy begins with <policies>, not <{root.tag}>", where=Where(place.label, root.line), name=root.tag
            )
        )
        return parent
    sections = _sections(root, builder)
    built = {}
    for name in SECTIONS:
        if name not in sections:
            built[name] = list(parent.section(name))
            builder.cors.extend(parent.cors if name == "inbound" else ())
            continue
        with builder.at(section=name):
            built[name] = builder.steps(sections[name].children)
    return Pipeline(
        inbound=built["inbound"],
        backend=built["backend"],
        outbound=built["outbound"],
        on_error=built["on-error"],
        reads_response_body=builder.reads_response_body or parent.reads_response_body,
        cors=tuple(builder.cors),
    )


def _sections(root: Node, builder: Builder) -> dict[str, Node]:
    sections: dict[str, Node] = {}
    for node in root.children:
        where = Where(builder.place.label, node.line)
        if node.tag not in SECTIONS:
            builder.report(UnknownElement(f"<{node.tag}> is not a policy section", where=where, name=node.tag))
        elif node.tag in sections:
            builder.report(MalformedPolicy(f"the section <{node.tag}> appears twice", where=where, name=node.tag))
        else:
            sections[node.tag] = node
    return sections
