"""From policy documents to pipelines: sections, `base`, fragments, and where every statement stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from emulators.apim.document import Node, parse
from emulators.apim.elements import ELEMENTS, Element
from emulators.apim.errors import LocatedError, MalformedPolicy, UnknownElement, Where
from emulators.apim.messages import Context, Run
from emulators.apim.pipeline import SECTIONS, Pipeline, Step, run_steps
from emulators.apim.values import NamedValues

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulators.apim.tracing import Tracer


@dataclass(frozen=True)
class Place:
    """Where compilation stands: `scope` as LastError reports it, `label` for people, `path` as "choose[1]/when[2]"."""

    scope: str
    label: str
    section: str = ""
    path: str = ""
    fragments: tuple[str, ...] = ()
    #: In `return-response` and `send-request`, statements edit that message, not the request or response.
    nested: bool = False


@dataclass
class References:
    """What policies may refer to, and what was found wrong so far."""

    named_values: NamedValues
    fragments: Mapping[str, Node] = field(default_factory=dict)
    backends: frozenset[str] = frozenset()
    identity_clients: frozenset[str] = frozenset()
    problems: list[LocatedError] = field(default_factory=list)
    #: Where requests are traced: steps and conditions that tell what they do.
    tracer: Tracer | None = None


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
