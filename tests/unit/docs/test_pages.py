"""What the pages say holds: sentences, commands, configurations and examples are those of the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from pathlib import Path

import pytest
import yaml

import tasks
from ops.clients import connect
from ops.clients.outputs import Platform
from tools.pages import gather

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "terraform" / "README.md", *sorted(DOCS.glob("*.md"))]
# Beside the code that they are about.
OTHERS = [path for pattern in ("*/README.md", "*/*/README.md") for path in sorted(ROOT.glob(pattern))]
ENDPOINT = "https://apim-mcp-dev.azure-api.net/mongodb/mcp"
GAP = "…"


def code(page: Path) -> list[str]:
    """What a page shows as code: blocks and spans."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return blocks + re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _tests() -> set[str]:
    """Functions and files of tests."""
    folders = [ROOT / "tests", *ROOT.glob("emulators/*/tests"), *ROOT.glob("servers/*/tests")]
    files = [file for folder in folders for file in folder.rglob("test_*.py") if "node_modules" not in file.parts]
    return {file.stem for file in files} | {
        name for file in files for name in re.findall(r"def (test_\w+)", _text(file))
    }


@cache
def sentences() -> str:
    """What the code can say to a person, one text per line, with a gap where something is filled in."""
    found: list[str] = []
    written = [
        *ROOT.glob("ops/**/*.py"),
        *ROOT.glob("twin/**/*.py"),
        *ROOT.glob("emulators/**/*.py"),
        *ROOT.glob("servers/*/src/**/*.py"),
    ]
    for path in sorted(path for path in written if not path.name.endswith("_pb2.py")):
        found += python_strings(path.read_text(encoding="utf-8"))
    for path in sorted([*ROOT.glob("terraform/**/*.tf"), *ROOT.glob("terraform/**/*.tftpl")]):
        plain = unescape(path.read_text(encoding="utf-8")).replace('\\"', '"')
        found += re.sub(r"\$\{.*?\}|\" \+ .*? \+ \"", GAP, plain).splitlines()
    return "\n".join(found)


def python_strings(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield " ".join(node.value.split())
        elif isinstance(node, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else GAP for part in node.values)
            yield " ".join("".join(parts).split())


def quoted() -> list[str]:
    return re.findall(r"^### (.+)$", (DOCS / "troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("sentence", quoted())
def test_a_quoted_sentence_is_one_that_the_code_says(sentence: str) -> None:
    """Somebody who searches the page for what they see finds it, word for word."""
    plain = re.sub(r"^AADSTS\d+: ", "", sentence)
    pattern = ".*".join(re.escape(part) for part in plain.split(GAP))
    assert re.search(pattern, sentences()), "correct the heading in docs/troubleshooting.md"


@pytest.mark.parametrize("page", sorted({*PAGES, *OTHERS}), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_is_shown_exists(page: Path) -> None:
    """Tasks with their options, sessions, and modules that run; none of the future."""
    known = tasks.namespace.task_names
    names = {*known, *(alias for aliases in known.values() for alias in aliases), *tasks.namespace.collections}
    sessions = set(re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE))
    for text in code(page):
        for name, rest in re.findall(r"\binvoke ([a-z][\w.-]*)([^\n`;&|]*)", text):
            assert name in names, f"invoke {name}"
            if name in known:
                arguments = tasks.namespace[name].get_arguments()
                options = {arg.replace("-", "_") for argument in arguments for arg in argument.names}
                unquoted = re.sub(r"'[^']*'", "", rest)  # what another program is given
                given = {option.replace("-", "_") for option in re.findall(r"--([a-z][\w-]*)", unquoted)}
                assert given <= {option.rstrip("_") for option in options} | {"help"}, f"invoke {name}{rest}"
        for given in re.findall(r"\bnox -s ([a-z ]+)", text):
            assert set(given.split()) <= sessions, f"nox -s {given}"
        for module in re.findall(r"\bpython -m ((?:ops|twin|emulators|tests|tools)\.[\w.]*\w)", text):
            path = ROOT.joinpath(*module.split("."))
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), f"python -m {module}"


def test_the_readme_has_every_documented_command_in_its_order() -> None:
    """Steps 1 to 3 as they are documented, word for word; the tasks are compared with the same list."""
    listed = yaml.safe_load((ROOT / "tests/unit/ops/bootstrap/data/seed.yaml").read_text(encoding="utf-8"))
    text = re.sub(r"\s*\\\n\s*", " ", (ROOT / "README.md").read_text(encoding="utf-8"))
    at = 0
    for command in [entry["seed"] for entry in listed if "seed" in entry]:
        if "Project Settings" not in command:
            assert command in text[at:], f"README.md lacks, or has too early: {command}"
            at = text.index(command, at)


@pytest.mark.parametrize("client", connect.CLIENTS)
def test_the_page_shows_what_connect_prints(client: str) -> None:
    text = (DOCS / "connect.md").read_text(encoding="utf-8")
    shown = re.search(rf"^<!-- {client} -->\n```\n(.*?)\n```", text, re.MULTILINE | re.DOTALL)
    platform = Platform("https://apim-mcp-dev.azure-api.net", {"mongodb": ENDPOINT}, "", "", "", {})
    assert shown, f"docs/connect.md has no block after <!-- {client} -->"
    assert shown.group(1) == connect.configuration(platform, client, options={"mongodb": " --env dev"})[1]


@pytest.mark.parametrize("client", [name for name, client in connect.CLIENTS.items() if client.links])
def test_the_page_shows_the_links_that_connect_prints(client: str) -> None:
    text = (DOCS / "connect.md").read_text(encoding="utf-8")
    shown = re.search(rf"^<!-- links: {client} -->\n```\n(.*?)\n```", text, re.MULTILINE | re.DOTALL)
    platform = Platform("https://apim-mcp-dev.azure-api.net", {"mongodb": ENDPOINT}, "", "", "", {})
    assert shown, f"docs/connect.md has no block after <!-- links: {client} -->"
    assert shown.group(1).splitlines() == [link for _, link in connect.install_links(platform, client)]


def examples() -> list[tuple[str, str]]:
    found = ((page.name, page.read_text(encoding="utf-8")) for page in PAGES)
    return [
        (name, block)
        for name, text in found
        for block in re.findall(r"^```hcl\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    ]


@pytest.mark.parametrize(("page", "block"), examples())
def test_an_example_is_part_of_values_that_are_planned(page: str, block: str) -> None:
    """Each stands in an environment or in a case of tests/plan, which are planned, line by line."""
    planned = [*ROOT.glob("terraform/environments/*/terraform.tfvars"), *ROOT.glob("tests/plan/cases/*.tfvars")]
    lines = [line.split() for line in block.splitlines() if line.strip()]
    texts = [
        [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()] for path in planned
    ]
    assert any(lines == text[at : at + len(lines)] for text in texts for at in range(len(text))), page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_test_that_a_page_names_exists(page: Path) -> None:
    """An auditor who looks for it finds it."""
    assert set(re.findall(r"`(test_\w+)`", _text(page))) - _tests() == set()


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *OTHERS], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_readme_links_to_what_exists(page: Path) -> None:
    """Those that are no page of the site too."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [target for target in re.findall(r"\]\(([^)\s#]+)", text) if not re.match(r"[a-z]+:", target)]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_pages_link_to_what_exists(tmp_path: Path) -> None:
    """All pages gather; each is in the order of the pages once."""
    gather.gather(tmp_path)
    config = (tmp_path / "zensical.toml").read_text(encoding="utf-8")
    for page in tmp_path.glob("docs/**/*.md"):
        assert config.count(f'"{page.relative_to(tmp_path / "docs")}"') == 1, page


def test_a_link_that_leads_nowhere_is_refused() -> None:
    page = DOCS / "network.md"
    with pytest.raises(gather.PageError, match=r"docs/network.md links to nowhere.md, which does not exist"):
        gather.relinked("[words](nowhere.md)", page, gather.pages())


def test_a_link_to_a_file_that_is_no_page_becomes_its_path() -> None:
    page = DOCS / "network.md"
    assert gather.relinked("[rules](../noxfile.py)", page, gather.pages()) == "rules (`noxfile.py`)"
    assert gather.relinked("[README](../README.md#limits)", page, gather.pages()) == "[README](index.md#limits)"
