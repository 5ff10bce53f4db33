"""What the policies share: a resource check with a severity, and reading of API Management policy XML.

Checkov hands every attribute wrapped in a list, as the HCL parser gives it. On code, an attribute that is an
expression is still text; such a resource is UNKNOWN here and judged on the plan, where values are final.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from checkov.common.bridgecrew.severities import Severities
from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck

UNRESOLVED = re.compile(r"\$\{|^(var|local|module|data|each|templatefile|jsonencode)\b")


class Policy(BaseResourceCheck):
    """One rule on one or more resource types; subclasses say `passes(values)` and nothing else.

    `passes` gets plain values (lists of one unwrapped) and answers True, False, or None where it cannot know yet.
    """

    id: str
    summary: str
    severity_name = "HIGH"
    resources: Sequence[str]
    guideline: str
    category = CheckCategories.GENERAL_SECURITY

    def __init__(self) -> None:
        super().__init__(
            name=self.summary,
            id=type(self).id,
            categories=[self.category],
            supported_resources=self.resources,
            guideline=type(self).guideline,
        )
        self.severity = Severities[self.severity_name]

    def scan_resource_conf(self, conf: Mapping[str, Any]) -> CheckResult:
        try:
            verdict = self.passes({name: unwrap(value) for name, value in conf.items()})
        except (AttributeError, KeyError, TypeError, ElementTree.ParseError) as error:
            # Checkov would log this and go on: a policy that cannot judge must not let pass.
            self.details.append(f"{type(self).id} cannot judge this resource: {error}")
            return CheckResult.FAILED
        if verdict is None:
            return CheckResult.UNKNOWN
        return CheckResult.PASSED if verdict else CheckResult.FAILED

    @abstractmethod
    def passes(self, values: Mapping[str, Any]) -> bool | None:
        """Whether the resource keeps the rule; None where only a plan tells."""


def unwrap(value: Any) -> Any:
    """Checkov's `[value]` without its wrapping; `[{...}]` of a block becomes the mapping."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value


def many(value: Any) -> list[Any]:
    """A value that may be a list of anything, nested or single, as a flat list; nothing is an empty list."""
    if value is None:
        return []
    if isinstance(value, list):
        return [inner for item in value for inner in many(item)]
    return [value]


def unresolved(value: Any) -> bool:
    """Whether this is still an expression, or not there at all: only a plan tells."""
    if not isinstance(value, str):
        return True  # Checkov's own evaluation of expressions turns some strings into numbers
    return bool(UNRESOLVED.search(value)) and not value.startswith("<")


def policy_xml(values: Mapping[str, Any], attribute: str = "xml_content") -> ElementTree.Element | None:
    """The policy document of a resource, or None where it is not known yet; malformed XML raises ParseError."""
    text = values.get(attribute)
    if unresolved(text):
        return None
    return ElementTree.fromstring(text)  # noqa: S314  our own files, and a parser without external entities


def includes(document: ElementTree.Element, fragment: str) -> bool:
    return any(element.get("fragment-id") == fragment for element in document.iter("include-fragment"))
