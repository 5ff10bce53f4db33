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

from emulators.base.errors import PolicyError as PolicyError
from emulators.base.policy_xml import LocatedError as LocatedError
from emulators.base.policy_xml import MalformedPolicy as MalformedPolicy
from emulators.base.policy_xml import Where as Where


class UnknownElement(LocatedError):
    pass


class UnknownAttribute(LocatedError):
    pass


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
