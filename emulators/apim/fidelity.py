"""What the gateway runs, as Markdown made from the code. `python -m emulators.apim.fidelity` writes it into
twin/FIDELITY.md, between two comments; a test keeps it true.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from emulators.apim import documented, policies
from emulators.apim.csharp import members
from emulators.apim.csharp.library import Member, catalogue
from emulators.apim.elements import ELEMENTS, ElementSpec
from emulators.apim.pipeline import SECTIONS

_REGISTERED = (policies, members)  # importing them fills the tables


def elements_table() -> str:
    """One row per policy element: full, partial with what differs, or refused."""
    rows = ["| element | runs | sections | attributes | refused in it | differs |", "|---|---|---|---|---|---|"]
    return "\n".join([*rows, *(_element(ELEMENTS[tag]) for tag in sorted(ELEMENTS))])


def _element(spec: ElementSpec) -> str:
    allowed = [section for section in SECTIONS if section in spec.sections]
    where = "all" if len(allowed) == len(SECTIONS) else ", ".join(allowed)
    attributes = ", ".join(sorted(spec.attributes)) or "–"
    refused = documented.REFUSED_PARTS.get(spec.tag, "–")
    status = "partial" if spec.partial or refused != "–" else "full"
    return f"| `{spec.tag}` | {status} | {where} | {attributes} | {refused} | {spec.partial or '–'} |"


def refused_elements() -> str:
    """The documented elements that do not load."""
    missing = sorted(documented.ELEMENTS - set(ELEMENTS) - {"base"})
    return ", ".join(f"`{tag}`" for tag in missing)


def refused_types() -> str:
    """The documented types that do not compile."""
    missing = sorted(documented.TYPES - {member.owner for member in catalogue()})
    return ", ".join(f"`{name}`" for name in missing)


def members_table() -> str:
    """One row per C# type: the members that expressions may use; in brackets, how one differs."""
    rows = ["| type | runs | members |", "|---|---|---|"]
    for owner, found in groupby(_documented(), key=lambda member: member.owner):
        names = sorted({_shown(member) for member in found})
        rows.append(
            f"| `{owner}` | {'partial' if any('(' in n[1:] for n in names) else 'listed'} | {', '.join(names)} |"
        )
    return "\n".join(rows)


def _documented() -> list[Member]:
    """LINQ is registered once per sequence type; the table shows it once."""
    return [member for member in catalogue() if member.note != "LINQ" or member.owner == "IEnumerable"]


def _shown(member: Member) -> str:
    name = {"new": "(constructor)", "this[]": "[]", "this[]=": "[] ="}.get(member.name, member.name)
    remark = member.note if member.note != "LINQ" else ""
    return f"{name} ({remark})" if remark else name


BEGIN, END = "<!-- gateway: begin -->", "<!-- gateway: end -->"
DOCUMENT = Path(__file__).parents[2] / "twin" / "FIDELITY.md"


def section() -> str:
    """All of it, as it stands between BEGIN and END."""
    return f"""{BEGIN}
### Policy elements

*Full*: every documented attribute, with the documented effect. *Partial*: as the last two columns say. An attribute
or child that is not listed does not load.

{elements_table()}

Refused, at load, with name, line and scope: {refused_elements()}; and any name that is not documented.

### Types and members of expressions

*Listed*: these members and no others. *Partial*: one of them differs as the brackets say. Any other member or type is
an error at load.

{members_table()}

Refused, although documented: {refused_types()}.
{END}"""


def updated(text: str) -> str:
    """The document with its generated part made anew."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{section()}{rest.partition(END)[2]}"


if __name__ == "__main__":
    DOCUMENT.write_text(updated(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
