"""What the gateway runs, as Markdown made from the code. `python -m emulators.apim.fidelity` writes it into
twin/FIDELITY.md, between two comments; a test keeps it true.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from emulators.apim import documented, policies
from emulators.apim.csharp import members
from emulators.apim.csharp.library import Member, catalogue, is_documented
from emulators.apim.elements import ELEMENTS, ElementSpec, shape_of
from emulators.apim.reference import NOT_RUN
from emulators.apim.schema import SECTIONS, Shape
from emulators.apim.usage_notes import NOTES, unheld

_REGISTERED = (policies, members)  # importing them fills the tables


def elements_table() -> str:
    """One row per policy element: full, partial with what differs, or refused; and the page that says so."""
    rows = ["| element | page | runs | sections | attributes and parts | refused in it | differs |"]
    return "\n".join([*rows, "|---|---|---|---|---|---|---|", *(_element(ELEMENTS[tag]) for tag in sorted(ELEMENTS))])


def _element(spec: ElementSpec) -> str:
    policy, refused = spec.policy, ", ".join(_refused(spec.policy)) or "–"
    where = "all" if len(policy.sections) == len(SECTIONS) else ", ".join(policy.sections)
    where += f" (and {', '.join(policy.also_in)}: Microsoft's toolkit)" if policy.also_in else ""
    differs = spec.partial or unheld(policy.tag)
    status = "partial" if differs or refused != "–" else "full"
    parts = ", ".join(_parts(policy)) or "–"
    page = f"“{policy.title}”, {policy.date}"
    return f"| `{policy.tag}` | {page} | {status} | {where} | {parts} | {refused} | {differs or '–'} |"


def _parts(shape: Shape, prefix: str = "") -> Iterator[str]:
    """What is read of an element: attributes, and parts with theirs."""
    yield from (f"{prefix}{one.name}" for one in shape.attributes if not one.refused)
    for child in shape.children:
        if isinstance(child.shape, Shape) and not child.shape.refused:
            yield f"{prefix}<{child.tag}>"
            yield from _parts(child.shape, f"{prefix}{child.tag}/")


def _refused(shape: Shape) -> Iterator[str]:
    yield from (one.name for one in shape.attributes if one.refused)
    yield from (f"<{child.tag}>" for child in shape.children if shape_of(child).refused)


def counts() -> str:
    """How much of the reference runs."""
    run = [spec.policy for spec in ELEMENTS.values()]
    parts = [part for policy in run for part in _parts(policy)]
    refused = [part for policy in run for part in _refused(policy)]
    total, whole = len(ELEMENTS) + len(NOT_RUN), sum("| full |" in _element(spec) for spec in ELEMENTS.values())
    notes = [note for held in NOTES.values() for note in held]
    members = {(member.owner, member.name) for member in catalogue() if is_documented(member.owner)}
    types = {owner for owner, _ in members}
    return (
        f"Of {total} elements of the reference {len(run)} run, {whole} of them in full, and {len(NOT_RUN)} are refused;"
        f" of those that run {len(parts)} attributes and parts are read, and {len(refused)} are refused by name."
        f" {sum(note.test != '' for note in notes)} of {len(notes)} notes of the pages of full elements have a test."
        f" Of {len(documented.TYPES)} types of expressions {len(types & documented.TYPES)} are here, with"
        f" {len(members)} members; {len(documented.REFUSED_MEMBERS)} documented members of them are refused."
    )


def refused_elements() -> str:
    """The documented elements that do not load."""
    return ", ".join(f"`{tag}`" for tag in sorted(NOT_RUN))


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
    """Without exceptions, which Microsoft's table lacks: expressions cannot write their names."""
    return [m for m in catalogue() if not m.owner.endswith("Exception") or is_documented(m.owner)]


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

{counts()} *Full*: every documented attribute and every note of
the page has a test (emulators/apim/usage_notes.py). *Partial*: as the last two columns say.
What is not listed does not load, nor what stands in another order, too often, or where text has no place. `<x>` is a
part; `x/y` an attribute or part of it. Page and date: Microsoft's policy reference.

{elements_table()}

Refused, at load, with name, line and scope: {refused_elements()}; and any name that is not documented.

### Types and members of expressions

*Listed*: these members and no others. *Partial*: one of them differs as the brackets say. Any other member or type is
an error at load.

{members_table()}

Refused, although documented: {refused_types()}; and the members {", ".join(documented.REFUSED_MEMBERS)}.
{END}"""


def updated(text: str) -> str:
    """The document with its generated part made anew."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{section()}{rest.partition(END)[2]}"


if __name__ == "__main__":
    DOCUMENT.write_text(updated(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
