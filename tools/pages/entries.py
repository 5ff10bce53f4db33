"""`python -m tools.pages.entries [--check]`: writes docs/server-settings.md, every setting of an entry of mcp_servers.

Names, types, defaults and rules are those of terraform/shared/variables-servers.tf; what each is for stands in
entries.yaml, and one without words is refused. The MongoDB server's own settings are those of its README. `--check`
writes nothing, and fails where the page is stale.
"""

from __future__ import annotations

import argparse
import html
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from tools.pages import reference

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "server-settings.md"
SOURCE = ROOT / "terraform" / "shared" / "variables-servers.tf"
MONGODB = ROOT / "servers" / "mongo-db-server" / "README.md"
_LINE = re.compile(r"^ +(?P<name>\w+) += (?P<rest>.+)$")
_OPENS = re.compile(r"(?:optional\()?(?:map\()?object\(\{$")
_OPTIONAL = re.compile(r"optional\((?P<type>.+?)(?:, (?P<default>[^,()]+|\[.*\]|\{.*\}))?\)$")
_HEAD = """<!-- Generated: python -m tools.pages.entries -->
# Every setting of a server's entry

An entry of `mcp_servers` in `terraform.tfvars` is one MCP server. `invoke add-server` ([how](add-a-server.md)) writes
it; what it may hold is here. `invoke plan` shows what a change replaces, and `invoke deploy` takes it over.

| setting | type | default | what it is for |
|---|---|---|---|
"""
#: What each setting is for, by its path below the entry.
WORDS: dict[str, str] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
# Of the MongoDB server's settings, those of which its README says no more than their values.
_ALSO = {
    "MCP_DATABASES_ALLOW": "databases that are seen, by patterns",
    "MCP_COLLECTIONS_ALLOW": "collections that are seen, by patterns",
    "MCP_FIELDS_ALLOW": "fields that are shown; others are redacted, and filters on them refused",
}


class EntriesError(Exception):
    """A setting has no words, words have no setting, or the file is written otherwise than is read here."""


def settings(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield path, type and default of each setting of `mcp_servers`, as they are written."""
    lines = text.split("type = map(object({\n", 1)[1].split("\n  }))\n", 1)[0].splitlines()
    path: list[str] = []
    for line in lines:
        found = _LINE.match(line)
        if found is None:
            path.pop()  # the end of an object
            continue
        name, rest = found["name"], found["rest"]
        if _OPENS.match(rest):
            path.append(f"{name}.<{name.removesuffix('s')}>" if rest.startswith("map(") else name)
            if ".".join(path) in WORDS:
                yield ".".join(path), "object", "none"
            continue
        optional = _OPTIONAL.match(rest)
        kind, default = (optional["type"], optional["default"] or "none") if optional else (rest, "required")
        yield ".".join([*path, name]), kind, default


def page() -> str:
    """Return the page; EntriesError where a setting is new or gone."""
    source = SOURCE.read_text(encoding="utf-8")
    found = list(settings(source))
    if wrong := {path for path, _, _ in found} ^ set(WORDS):
        raise EntriesError(f"{', '.join(sorted(wrong))}: correct tools/pages/entries.yaml")
    rows = [
        f"| `{path}` | `{kind}` | {default if default in ('none', 'required') else f'`{default}`'} | {WORDS[path]} |\n"
        for path, kind, default in found
    ]
    (block,) = (block for block in reference.blocks(source) if block.name == "mcp_servers")
    rules = [f"- {html.escape(rule, quote=False)}\n" for rule in block.rules]
    return "".join([_HEAD, *rows, "\n## What is refused when it is planned\n\n", *rules, *_mongodb(source)])


def _mongodb(source: str) -> Iterator[str]:
    """Yield the settings of the MongoDB server that an entry may give: all but those that the platform sets."""
    found = re.search(r'keys\(server\.environment\) : !can\(regex\("(\^.+?\$)"', source)
    if found is None:
        raise EntriesError("variables-servers.tf no longer says what the platform sets itself: correct _mongodb")
    yield (
        "\n## The MongoDB server's own settings\n\nIn `environment` of its entry, and secrets in `secrets`. What the "
        "platform sets itself is left out.\n\n| setting | default | |\n|---|---|---|\n"
    )
    for line in MONGODB.read_text(encoding="utf-8").splitlines():
        names = re.findall(r"`([A-Z][A-Z_]+)`", line.partition(" | ")[0])
        if line.startswith("| `") and names and not all(re.match(found[1], name) for name in names):
            yield (f"{line[:-2]} {_ALSO[names[0]]} |\n" if names[0] in _ALSO else f"{line}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.pages.entries", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the page is stale")
    given = parser.parse_args(arguments)
    try:
        wanted = page()
    except EntriesError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != wanted
    if stale and not given.check:
        PAGE.write_text(wanted, encoding="utf-8")
    if stale:
        sys.stdout.write(f"{'stale' if given.check else 'written'}: {PAGE.relative_to(ROOT)}\n")
    return 1 if given.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
