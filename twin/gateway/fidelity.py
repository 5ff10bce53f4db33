"""What the gateway runs, as Markdown tables made from the code: README.md holds them, a test keeps them true."""

from __future__ import annotations

from itertools import groupby

from twin.gateway import policies
from twin.gateway.csharp import members
from twin.gateway.csharp.library import Member, catalogue
from twin.gateway.elements import ELEMENTS, ElementSpec
from twin.gateway.pipeline import SECTIONS

_REGISTERED = (policies, members)  # importing them fills the tables


def elements_table() -> str:
    """One row per policy element: where it may stand, which attributes it takes, how it differs."""
    rows = ["| element | sections | attributes | differs |", "|---|---|---|---|"]
    return "\n".join([*rows, *(_element(ELEMENTS[tag]) for tag in sorted(ELEMENTS))])


def _element(spec: ElementSpec) -> str:
    allowed = [section for section in SECTIONS if section in spec.sections]
    where = "all" if len(allowed) == len(SECTIONS) else ", ".join(allowed)
    attributes = ", ".join(sorted(spec.attributes)) or "–"
    return f"| `{spec.tag}` | {where} | {attributes} | {spec.partial or '–'} |"


def members_table() -> str:
    """One row per C# type: the members that expressions may use."""
    rows = ["| type | members |", "|---|---|"]
    for owner, found in groupby(_documented(), key=lambda member: member.owner):
        names = sorted({_shown(member) for member in found})
        rows.append(f"| `{owner}` | {', '.join(names)} |")
    return "\n".join(rows)


def _documented() -> list[Member]:
    """LINQ is registered once per sequence type; the table shows it once."""
    return [member for member in catalogue() if member.note != "LINQ" or member.owner == "IEnumerable"]


def _shown(member: Member) -> str:
    name = {"new": "(constructor)", "this[]": "[]", "this[]=": "[] ="}.get(member.name, member.name)
    remark = member.note if member.note not in ("LINQ", "extension: null is null") else ""
    return f"{name} ({remark})" if remark else name
