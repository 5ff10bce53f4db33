"""Policy elements: what their builders are given, and how documents of them are compiled to pipelines.

What may stand where is said by `reference.py`; every node is checked against its row there, before it is built.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from emulators.apim.csharp.clr import ClrError
from emulators.apim.errors import (
    GivenBy,
    InvalidAttribute,
    LocatedError,
    MalformedPolicy,
    UnknownAttribute,
    UnknownElement,
    UnsupportedAttribute,
    Where,
)
from emulators.apim.messages import Context, Run, Step, parse_url
from emulators.apim.pipeline import Pipeline, run_steps
from emulators.apim.reference import BY_TAG, NOT_RUN
from emulators.apim.schema import SCOPES, SECTIONS, Attribute, Child, Policy, Shape
from emulators.apim.token_keys import Certificate
from emulators.apim.values import NamedValues, Value, compile_value
from emulators.base.policy_xml import Node, parse


@dataclass(frozen=True)
class ElementSpec:
    """A policy that runs; `partial` says how it differs from its page."""

    policy: Policy
    build: Callable[[Element], Run]
    partial: str = ""


ELEMENTS: dict[str, ElementSpec] = {}


def element(tag: str, *, partial: str = "") -> Callable[[Callable[[Element], Run]], Callable[[Element], Run]]:
    """Registers the builder of a policy statement."""

    def register(build: Callable[[Element], Run]) -> Callable[[Element], Run]:
        ELEMENTS[tag] = ElementSpec(BY_TAG[tag], build, partial)
        return build

    return register


#: What stands for a value that did not compile: its problem is reported already, so nothing more is said of it.
_FAILED = Value(None)


class Element:
    """An XML element that has been checked against its shape, with its values compiled.

    Problems are reported, not raised, so one load finds all of them.
    """

    def __init__(self, node: Node, shape: Shape, builder: Builder) -> None:
        self.node, self.shape, self.builder = node, shape, builder
        self.tag = node.tag
        self.where = Where(builder.place.label, node.line)
        self._values = dict(self._attributes())
        self.text = self._text()
        self._parts = [] if shape.statements else list(self._children())

    def report(self, error: LocatedError) -> None:
        self.builder.report(error)

    def invalid(self, message: str, name: str) -> None:
        self.report(InvalidAttribute(message, where=self.where_of(name), name=name))

    def where_of(self, name: str) -> Where:
        """Where an attribute's value begins, "" for the text; where the element does, if it has neither."""
        return Where(self.where.scope, self.node.lines.get(name, self.node.line))

    @property
    def is_template(self) -> bool:
        """Whether the text is a Liquid template: its braces are no named values, and it is no expression."""
        return self.tag == "set-body" and self.node.attributes.get("template") == "liquid"

    # What stands in it, checked

    def _attributes(self) -> Iterator[tuple[str, Value]]:
        takes_id = isinstance(self.shape, Policy)
        for name in self.node.attributes:
            if self.shape.attribute(name) is None and not (takes_id and name == "id"):
                message = f"<{self.tag}> has no attribute {name!r}"
                self.report(UnknownAttribute(message, where=self.where_of(name), name=name))
        for attribute in self.shape.attributes:
            text = self.node.attributes.get(attribute.name)
            if text is not None:
                yield attribute.name, self._value(attribute, self.builder.substitute(text, self.where))
            elif attribute.required:
                self.invalid(f"<{self.tag}> needs the attribute {attribute.name!r}", attribute.name)

    def _value(self, attribute: Attribute, text: str) -> Value:
        name = attribute.name
        if attribute.refused:
            message = f"{name!r} of <{self.tag}> is not supported by the local gateway: {attribute.refused}"
            self.report(UnsupportedAttribute(message, where=self.where_of(name), name=name))
            return _FAILED
        if not attribute.expression and is_expression(text):
            self.invalid(f"{name!r} of <{self.tag}> takes no policy expression", name)
            return _FAILED
        value = self.compile(text, self.where_of(name))
        problem = _problem(attribute, value.literal) if value.literal is not None else ""
        if problem:
            self.invalid(f"{name!r} of <{self.tag}> must be {problem}, not {value.literal!r}", name)
            return _FAILED
        return value

    def _text(self) -> Value:
        if self.is_template:
            return Value(self.builder.references.named_values.known(self.node.text))
        text = self.builder.substitute(self.node.text, self.where)
        if self.shape.text == "none":
            if text.strip():
                message = f"text stands in <{self.tag}>, which has none: {text.strip()[:40]!r}"
                self.report(MalformedPolicy(message, where=self.where_of(""), name=self.tag))
            return Value("")
        if self.shape.text == "literal" and is_expression(text):
            self.invalid(f"<{self.tag}> takes no policy expression", self.tag)
            return _FAILED
        return self.compile(text, self.where_of(""))

    def _children(self) -> Iterator[Element]:
        places = {child.tag: (place, child) for place, child in enumerate(self.shape.children)}
        counts, last = Counter[str](), 0
        for node in self.node.children:
            where = Where(self.where.scope, node.line)
            place, child = places.get(node.tag, (0, None))
            if child is None:
                message = f"<{node.tag}> is not allowed in <{self.tag}>"
                self.report(UnknownElement(message, where=where, name=node.tag))
                continue
            counts[node.tag] += 1
            if child.most is not None and counts[node.tag] > child.most:
                times = "once" if child.most == 1 else f"{child.most} times"
                message = f"<{node.tag}> may stand in <{self.tag}> {times} at most"
                self.report(MalformedPolicy(message, where=where, name=node.tag))
            if self.shape.ordered and place < last:
                order = ", ".join(child.tag for child in self.shape.children)
                message = f"<{node.tag}> stands too late in <{self.tag}>, whose order is {order}"
                self.report(MalformedPolicy(message, where=where, name=node.tag))
            last = max(last, place)
            shape = shape_of(child)
            if shape.refused:
                message = f"<{node.tag}> in <{self.tag}> is not supported by the local gateway: {shape.refused}"
                self.report(UnknownElement(message, where=where, name=node.tag))
                continue
            yield Element(node, shape, self.builder)
        for child in self.shape.children:
            if counts[child.tag] < child.least:
                self.invalid(f"<{self.tag}> needs <{child.tag}>", child.tag)

    def compile(self, text: str, where: Where) -> Value:
        try:
            return compile_value(text, where)
        except LocatedError as error:
            self.report(error)
            return _FAILED

    # What builders ask for

    def has(self, name: str) -> bool:
        return name in self.node.attributes

    def value(self, name: str) -> Value:
        """The attribute's value, or its default."""
        found = self._values.get(name)
        if found is not None:
            return found
        attribute = self.shape.attribute(name)
        return Value(attribute.default if attribute is not None else "")

    def optional(self, name: str) -> Value | None:
        return self._values.get(name)

    def literal(self, name: str) -> str:
        return self.value(name).literal or ""

    def flag(self, name: str) -> Callable[[Context], bool]:
        """True or false; an expression yields a Boolean, or the text of one."""
        value = self.value(name)
        if value.expression is None:
            constant = value.literal == "true"
            return lambda context: constant
        return lambda context: value.text(context).lower() == "true"

    def number(self, name: str) -> Callable[[Context], float]:
        """An expression's number is checked when it runs, against what the attribute allows."""
        value, attribute = self.value(name), self.shape.attribute(name)
        if value.expression is None:
            constant = _number(value.literal or "") or 0.0
            return lambda context: constant

        def read(context: Context) -> float:
            text = value.text(context)
            problem = _problem(attribute, text) if attribute is not None else ""
            if problem:
                raise ClrError("FormatException", f"{name!r} of {self.tag} must be {problem}, not {text!r}")
            return _number(text) or 0.0

        return read

    def choice(self, name: str) -> Callable[[Context], str]:
        """One of an attribute's choices, without case where an expression chose it."""
        value, attribute = self.value(name), self.shape.attribute(name)
        if value.expression is None:
            constant = value.literal or ""
            return lambda context: constant

        def read(context: Context) -> str:
            text = value.text(context)
            if attribute is not None and text.lower() not in attribute.choices:
                message = f"{name!r} of {self.tag} must be one of {', '.join(attribute.choices)}, not {text!r}"
                raise ClrError("ArgumentException", message)
            return text.lower()

        return read

    def trimmed(self) -> Value:
        """Text where the white space around it means nothing."""
        found = self.text
        return Value(found.literal.strip()) if found.literal is not None else found

    def children(self, *tags: str) -> list[Element]:
        """The child elements of these names, in document order; without names, all."""
        return [part for part in self._parts if not tags or part.tag in tags]

    def child(self, tag: str) -> Element | None:
        return next(iter(self.children(tag)), None)


def is_expression(text: str) -> bool:
    return text.strip().startswith(("@(", "@{"))


def shape_of(child: Child) -> Shape:
    return BY_TAG[child.shape] if isinstance(child.shape, str) else child.shape


def _problem(attribute: Attribute, text: str) -> str:
    """What a literal must be, where it is not; else nothing."""
    if attribute.choices:
        return "" if text in attribute.choices else f"one of {', '.join(attribute.choices)}"
    if attribute.kind == "name":
        return "" if text.strip() else "a name"
    if attribute.kind == "flag":
        return "" if text in ("true", "false") else "true or false"
    if attribute.kind == "url":
        return "" if parse_url(text) is not None else "an absolute http or https URL"
    if attribute.kind == "number":
        return _not_in_range(attribute, _number(text))
    return ""


def _not_in_range(attribute: Attribute, found: float | None) -> str:
    if found is not None and (attribute.low <= found <= attribute.high or found == attribute.besides):
        return ""
    upper = f" to {attribute.high:g}" if attribute.high < 1e12 else " or more"
    besides = f"{attribute.besides:g}, or " if attribute.besides is not None else ""
    between = f"from {attribute.low:g}{upper}" if attribute.high < 1e12 else f"{attribute.low:g}{upper}"
    return f"a number: {besides}{between}"


def _number(text: str) -> float | None:
    """A decimal number; what Python takes for one beside that (`inf`, `nan`, `1_0`) is none."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if "_" not in text and found - found == 0 else None


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
    certificates: Mapping[str, Certificate] = field(default_factory=dict)
    problems: list[LocatedError] = field(default_factory=list)
    #: Where requests are traced: steps and conditions that tell what they do.
    tracer: StepTracer | None = None
    given_by: GivenBy = "state"


_BASE = Shape("base")
_SECTION = {name: Shape(name, statements=True) for name in SECTIONS}
#: Documents and fragments hold sections and statements, which are looked at one by one.
_ROOT = {name: Shape(name, statements=True) for name in ("policies", "fragment")}


class Builder:
    """Compiles one document, knowing the pipeline of the scope above it."""

    def __init__(self, references: References, place: Place, parent: Pipeline) -> None:
        self.references = references
        self.place = place
        self.parent = parent
        self.reads_response_body = False
        self.cors: list[Any] = []
        #: How often each policy stood in each section.
        self.counts: Counter[tuple[str, str]] = Counter()

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
        if spec is None:
            known = node.tag in NOT_RUN
            message = "is not supported by the local gateway" if known else "is no policy of API Management's reference"
            self._refuse(node, f"<{node.tag}> {message}")
            return []
        if self._misplaced(node, spec.policy):
            return []
        element = Element(node, spec.policy, self)
        return [self.step(element, spec.build(element))]

    def _misplaced(self, node: Node, policy: Policy) -> bool:
        """Whether a policy stands in a section or scope that its page does not list, or again where once is all."""
        place = self.place
        if place.section and place.section not in policy.allowed_in:
            return self._refuse(node, f"<{node.tag}> is not allowed in the {place.section} section")
        if place.section and place.scope in SCOPES and place.scope not in policy.scopes:
            return self._refuse(node, f"<{node.tag}> is not allowed at {place.scope} scope")
        self.counts[node.tag, place.section] += 1
        sections = SECTIONS if policy.once == "document" else (place.section,)
        if policy.once and sum(self.counts[node.tag, section] for section in sections) > 1:
            return self._refuse(node, f"<{node.tag}> may stand once in a {policy.once}")
        return False

    def _refuse(self, node: Node, message: str) -> bool:
        self.report(UnknownElement(message, where=Where(self.place.label, node.line), name=node.tag))
        return True

    def step(self, element: Element, run: Run) -> Step:
        place, tracer = self.place, self.references.tracer
        if tracer is not None:
            run = tracer.step(element, run)
        return Step(run, element.tag, place.scope, place.section, place.path, element.node.attributes.get("id"))

    def _base(self, node: Node) -> list[Step]:
        Element(node, _BASE, self)
        if "/" in self.place.path or self.place.fragments:
            self._refuse(node, "<base> may stand only directly in a section")
        elif self.place.scope == "global":
            self._refuse(node, "<base> has nothing to inherit at global scope")
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
    Element(root, _ROOT["policies"], builder)
    sections = _sections(root, builder)
    built = {}
    for name in SECTIONS:
        if name not in sections:
            built[name] = list(parent.section(name))
            builder.cors.extend(parent.cors if name == "inbound" else ())
            continue
        with builder.at(section=name):
            built[name] = builder.steps(sections[name].children)
    _require_one_backend_policy(sections, builder)
    return Pipeline(
        inbound=built["inbound"],
        backend=built["backend"],
        outbound=built["outbound"],
        on_error=built["on-error"],
        reads_response_body=builder.reads_response_body or parent.reads_response_body,
        cors=tuple(builder.cors),
    )


def _require_one_backend_policy(sections: Mapping[str, Node], builder: Builder) -> None:
    """As API Management answers: "backend section allows only one policy to be specified" (a ValidationError)."""
    node = sections.get("backend")
    if node is not None and len(node.children) > 1:
        message = f"<backend> allows one policy, and here are {len(node.children)}; wrap them, or move all but one"
        builder.report(MalformedPolicy(message, where=Where(builder.place.label, node.line), name="backend"))


def _sections(root: Node, builder: Builder) -> dict[str, Node]:
    sections: dict[str, Node] = {}
    for node in root.children:
        where = Where(builder.place.label, node.line)
        if node.tag not in SECTIONS:
            builder.report(UnknownElement(f"<{node.tag}> is not a policy section", where=where, name=node.tag))
        elif node.tag in sections:
            builder.report(MalformedPolicy(f"the section <{node.tag}> appears twice", where=where, name=node.tag))
        else:
            Element(node, _SECTION[node.tag], builder)
            sections[node.tag] = node
    return sections


def build_fragment(root: Node, place: Place, references: References) -> None:
    """Compiles a fragment that stands alone, so that what is wrong with it goes to `references`."""
    builder = Builder(references, place, Pipeline())
    if root.tag != "fragment":
        builder.report(
            MalformedPolicy(
                f"a fragment begins with <fragment>, not <{root.tag}>",
                where=Where(place.label, root.line),
                name=root.tag,
            )
        )
        return
    Element(root, _ROOT["fragment"], builder)
    builder.steps(root.children)
