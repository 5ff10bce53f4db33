"""`python -m tools.pages.gather FOLDER`: gathers what the pages are made of into FOLDER, for the static generator.

Pages are docs/*.md, the README, the decisions, the emulators' READMEs and those of Terraform's stages and
modules. A link to a file of the repository that is a page leads to that page; any other becomes the path, as code; one
that leads nowhere is refused.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)

# The order of the pages; what is in docs/ and not in here follows under "More".
NAV: dict[str, list[str]] = {
    "Start": ["index.md", "bootstrap.md", "architecture.md", "sign-in.md", "connect.md", "clients.md"],
    "Do": [
        "add-a-server.md",
        "server-settings.md",
        "gallery.md",
        "operate.md",
        "images.md",
        "pipelines.md",
        "private-deployment.md",
        "custom-domain.md",
        "troubleshooting.md",
    ],
    "Know": [
        "network.md",
        "controls.md",
        "sign-in-threats.md",
        "monitoring.md",
        "reliability.md",
        "scale.md",
        "costs.md",
        "newcomer.md",
        "terraform.md",
        "mutations.md",
    ],
}
NAMES = {
    "index.md": "Overview",
    "twin/fidelity.md": "Fidelity",
    "troubleshooting.md": "Troubleshooting",
    "operate.md": "Operate",
    "images.md": "Images",
    "pipelines.md": "Pipelines",
    "private-deployment.md": "Private deployer, landing zone",
    "network.md": "Network",
    "controls.md": "Security controls",
    "sign-in-threats.md": "Sign-in threats",
    "costs.md": "Costs",
    "newcomer.md": "A newcomer's transcript",
    "terraform.md": "Terraform",
}


class PageError(Exception):
    """A page links to something that is not in the repository."""


def pages() -> dict[Path, str]:
    """Files of the repository that are pages, with their paths in the site."""
    found = {path: path.name for path in sorted((ROOT / "docs").glob("*.md"))}
    found |= {path: f"adr/{path.name}" for path in sorted((ROOT / "docs" / "adr").glob("*.md"))}
    found |= {path: f"diagrams/{path.name}" for path in sorted((ROOT / "docs" / "diagrams").glob("*.svg"))}
    found |= {path: f"emulators/{path.parent.name}.md" for path in sorted((ROOT / "emulators").glob("*/README.md"))}
    found |= {path: f"servers/{path.parent.name}.md" for path in sorted((ROOT / "servers").glob("*/README.md"))}
    found |= {path: f"modules/{path.parent.name}.md" for path in sorted(ROOT.glob("terraform/modules/*/README.md"))}
    found |= {path: f"terraform/{path.parent.name}.md" for path in sorted(ROOT.glob("terraform/s*/README.md"))}
    return found | {
        ROOT / "README.md": "index.md",
        ROOT / "terraform" / "README.md": "terraform.md",
        ROOT / "twin" / "FIDELITY.md": "twin/fidelity.md",
    }


def relinked(text: str, source: Path, known: dict[Path, str]) -> str:
    """The text as a page; PageError for a link that leads nowhere. Code blocks stay as they are."""
    here = known[source]

    def link(match: re.Match[str]) -> str:
        mark, words, target = match.groups()
        if re.match(r"[a-z]+:|#", target):
            return match.group()
        path, _, anchor = target.partition("#")
        file = Path(os.path.normpath(source.parent / path))
        if not file.exists():
            raise PageError(f"{source.relative_to(ROOT)} links to {target}, which does not exist; correct the link")
        if file not in known:
            return f"{words} (`{file.relative_to(ROOT)}`)" if words.strip("`") != target else f"`{target}`"
        there = os.path.relpath(known[file], Path(here).parent)
        return f"{mark}[{words}]({there}{'#' if anchor else ''}{anchor})"

    # The generator's pages would fetch Mermaid from another host, and load nothing from there: the site shows its text.
    text = text.replace("```mermaid\n", "```text\n")
    # Python-Markdown reads what is inside an HTML element only where the element says so.
    parts = _FENCE.split(text.replace("<details>", '<details markdown="1">'))
    return "".join(part if part.startswith("```") else _LINK.sub(link, part) for part in parts)


def gather(folder: Path) -> None:
    """Writes docs/ and zensical.toml into the folder, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    known = pages()
    for source, place in known.items():
        target = folder / "docs" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".svg":
            shutil.copy(source, target)
            continue
        target.write_text(relinked(source.read_text(encoding="utf-8"), source, known), encoding="utf-8")
    for name, title in (("adr", "Decisions"), ("modules", "Modules")):
        (folder / "docs" / name / "index.md").write_text(_index(name, title, known), encoding="utf-8")
    shutil.copy(ROOT / "docs" / "pages.css", folder / "docs" / "pages.css")
    config = (ROOT / "docs" / "zensical.toml").read_text(encoding="utf-8")
    (folder / "zensical.toml").write_text(config.replace("nav = []", f"nav = {_nav(known)}"), encoding="utf-8")


def _in(folder: str, known: dict[Path, str]) -> list[str]:
    return sorted(place for place in known.values() if place.startswith(f"{folder}/"))


def _index(name: str, title: str, known: dict[Path, str]) -> str:
    titles = {place: _title(source) for source, place in known.items()}
    lines = [f"- [{titles[place]}]({Path(place).name})" for place in _in(name, known)]
    return "\n".join([f"# {title}", "", *lines, ""])


def _title(source: Path) -> str:
    first = source.read_text(encoding="utf-8").splitlines()[0] if source.suffix == ".md" else source.name
    return first.lstrip("# ")


def _nav(known: dict[Path, str]) -> str:
    """As TOML, on one line."""
    there = set(known.values())
    listed = {place for places in NAV.values() for place in places}
    more = sorted(place for place in there if place.endswith(".md") and "/" not in place and place not in listed)
    groups = [(title, [place for place in places if place in there]) for title, places in NAV.items()]
    groups += [("More", more)] if more else []
    groups += [
        ("Local platform", ["twin/fidelity.md", *_in("emulators", known)]),
        ("Servers", _in("servers", known)),
        ("Stages", _in("terraform", known)),
        ("Modules", ["modules/index.md", *_in("modules", known)]),
        ("Decisions", ["adr/index.md", *_in("adr", known)]),
    ]
    return "[" + ", ".join(f'{{"{title}" = [{", ".join(map(_entry, places))}]}}' for title, places in groups) + "]"


def _entry(place: str) -> str:
    return f'{{"{NAMES[place]}" = "{place}"}}' if place in NAMES else f'"{place}"'


if __name__ == "__main__":
    try:
        gather(Path(sys.argv[1]))
    except PageError as error:
        sys.exit(f"error: {error}")
