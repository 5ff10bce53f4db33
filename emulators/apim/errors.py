"""What the local gateway refuses, at load. Every message names the scope, the line and the thing.

PolicyError               anything that is wrong with policies, or with what says where they are
├── MalformedPolicy         not well-formed XML, or not of the shape `<policies><inbound>…`
├── UnknownElement          an element the gateway does not run, or not in that section
├── UnknownAttribute        an attribute the element does not take
├── InvalidAttribute        a missing or impossible attribute or text value
├── MissingReference        a fragment, backend, named value, API or secret that the applied state does not hold
├── UnsupportedExpression   C# outside the documented subset, or C# that would not compile
├── UnsupportedResource     an applied resource that would change requests and is not reproduced
└── PolicyProblems          all of the above that one load met, together
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from emulators.base.errors import PolicyError as PolicyError
from emulators.base.policy_xml import LocatedError as LocatedError
from emulators.base.policy_xml import MalformedPolicy as MalformedPolicy
from emulators.base.policy_xml import Where as Where

#: Where what a policy refers to comes from: Terraform's state, options of a command, a file of cases.
GivenBy = Literal["state", "options", "cases"]

_REMEDIES: dict[str, tuple[str, str, str]] = {
    "named value": ("azurerm_api_management_named_value", "--named-value NAME=TEXT", "'named_values' or 'secrets'"),
    "fragment": ("azurerm_api_management_policy_fragment", "--fragment NAME=FILE", "'fragments'"),
    "backend": ("azurerm_api_management_backend", "--backend NAME=URL", "'backends'"),
    "certificate": ("azurerm_api_management_certificate", "--certificate ID=FILE", "'certificates'"),
}


def missing(kind: str, shown: str, given_by: GivenBy) -> str:
    """The sentence for a named value, fragment, backend or certificate that there is not, with its remedy."""
    resource, option, key = _REMEDIES[kind]
    remedy = {"state": f"add an {resource}", "options": f"give {option}", "cases": f"add it to {key} of the cases"}
    return f"there is no {kind} {shown}: {remedy[given_by]}"


def unreadable(error: OSError | UnicodeDecodeError) -> str:
    """What keeps a file of text from being read, as the end of a sentence that begins with its name."""
    if isinstance(error, UnicodeDecodeError):
        return f"is not UTF-8 text (byte {error.start + 1}): save it as UTF-8"
    if isinstance(error, FileNotFoundError):
        return "does not exist: give a file that does"
    return f"cannot be read ({error.strerror})"


class UnknownElement(LocatedError):
    pass


class UnknownAttribute(LocatedError):
    pass


class UnsupportedAttribute(LocatedError):
    """Refused whatever its value is, which a named value may hide."""


class InvalidAttribute(LocatedError):
    pass


class MissingReference(LocatedError):
    pass


class UnsupportedExpression(LocatedError):
    pass


class UnsupportedResource(LocatedError):
    pass


class PolicyProblems(PolicyError):
    """Everything one load found; `problems` in document order."""

    def __init__(self, problems: Sequence[LocatedError]) -> None:
        self.problems = tuple(problems)
        listed = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"the local gateway cannot run these policies ({len(self.problems)}):\n{listed}")
