"""What the policies share: a resource check with a severity, and reading of API Management policy XML.

Checkov hands every attribute wrapped in a list, as the HCL parser gives it. On code, an attribute that is an
expression is still text; such a resource is UNKNOWN here and judged on the plan, where values are final.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ElementTree
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from checkov.common.bridgecrew.severities import Severities
from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.terraform.checks.module.base_module_check import BaseModuleCheck
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck

sys.path.append(str(Path(__file__).parents[1]))  # Checkov has the folder of the policies on its path only
from emulators.base.raw_expressions import escape_expressions

# Resource types whose content is policy XML.
POLICY_DOCUMENTS = (
    "azurerm_api_management_api_operation_policy",
    "azurerm_api_management_api_policy",
    "azurerm_api_management_policy",
    "azurerm_api_management_policy_fragment",
    "azurerm_api_management_product_policy",
)
# What no plain value may look like: connection strings and keys of the services that the platform uses.
SECRET_VALUE = re.compile(r"(mongodb(\+srv)?://[^/]*:[^/]*@|AccountKey=|SharedAccessKey=|InstrumentationKey=)", re.I)
UNRESOLVED = re.compile(r"\$\{|^(var|local|module|data|each|templatefile|jsonencode)\b")

_LINES = {"start_line", "end_line", "__startline__", "__endline__"}  # where Checkov found a block


class Rule:
    """What a policy says of itself; subclasses say `passes(values)` and nothing else.

    `passes` gets plain values (lists of one unwrapped) and answers True, False, or None where it cannot know yet.
    """

    id: str
    summary: str
    severity_name = "HIGH"
    resources: Sequence[str]
    guideline: str
    category = CheckCategories.GENERAL_SECURITY
    details: list[str]

    def judge(self, conf: Mapping[str, Any]) -> CheckResult:
        try:
            verdict = self.passes({name: unwrap(value) for name, value in conf.items()})
        except Exception as error:  # noqa: BLE001  Checkov would drop it: a policy that cannot judge must not let pass
            self.details.append(f"{type(self).id} cannot judge this resource: {error}")
            return CheckResult.FAILED
        if verdict is None:
            return CheckResult.UNKNOWN
        return CheckResult.PASSED if verdict else CheckResult.FAILED

    @abstractmethod
    def passes(self, values: Mapping[str, Any]) -> bool | None:
        """Whether the resource keeps the rule; None where only a plan tells."""


class Policy(Rule, BaseResourceCheck):
    """One rule on one or more resource types."""

    def __init__(self) -> None:
        BaseResourceCheck.__init__(
            self, self.summary, type(self).id, [self.category], self.resources, type(self).guideline
        )
        self.severity = Severities[self.severity_name]

    def scan_resource_conf(self, conf: Mapping[str, Any]) -> CheckResult:
        return self.judge(conf)


class ModulePolicy(Rule, BaseModuleCheck):
    """One rule on calls of modules, which exist in code only: for what a plan's values no longer show."""

    resources = ("module",)

    def __init__(self) -> None:
        BaseModuleCheck.__init__(
            self, self.summary, type(self).id, [self.category], self.resources, type(self).guideline
        )
        self.severity = Severities[self.severity_name]

    def scan_module_conf(self, conf: Mapping[str, Any]) -> CheckResult:
        return self.judge(conf)


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


def blocks(values: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The nested blocks of a name, or a map's one block, each with plain values."""
    found = [block for block in many(values.get(name)) if isinstance(block, Mapping)]
    return [{key: unwrap(value) for key, value in block.items() if key not in _LINES} for block in found]


def true(value: Any) -> bool:
    """Booleans arrive as such from a plan and as text from code."""
    return str(value).lower() == "true"


def false(value: Any) -> bool:
    return str(value).lower() == "false"


def unresolved(value: Any) -> bool:
    """Whether this is still an expression, or not there at all: only a plan tells."""
    if not isinstance(value, str):
        return True  # Checkov's own evaluation of expressions turns some strings into numbers
    return bool(UNRESOLVED.search(value)) and not value.startswith("<")


def policy_xml(values: Mapping[str, Any], attribute: str | None = None) -> ElementTree.Element | None:
    """The policy document of a resource, or None where it is not known yet; malformed XML raises ParseError.

    A fragment has it in `value`, the other types in `xml_content`. In the plan of a platform that runs, policies stand
    as azurerm reads them: it un-escapes them (`api_management_api_policy_resource.go`).
    """
    text = values.get(attribute or ("value" if "value" in values else "xml_content"))
    if unresolved(text):
        return None
    return ElementTree.fromstring(escape_expressions(text))  # noqa: S314  our own files, and a parser without external entities


def includes(document: ElementTree.Element, fragment: str) -> bool:
    return any(element.get("fragment-id") == fragment for element in document.iter("include-fragment"))
