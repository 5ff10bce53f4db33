"""`invoke bootstrap --dry-run` beside the documented commands, step by step."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from ops.bootstrap import Options
from ops.config.environment import ROOT, Environment
from ops.config.settings import RULES
from tests.unit.ops.bootstrap.conftest import commands

STEPS: list[dict[str, str]] = yaml.safe_load((Path(__file__).parent / "data" / "seed.yaml").read_text(encoding="utf-8"))
# The documentation fetches the same id twice, under two names.
SYNONYMS = {"MI_OBJECT_ID": "IDENTITY_PRINCIPAL_ID"}


def words(line: str, environment: Environment) -> list[str]:
    """A command's words with the settings filled in: quotes and braces make no difference."""
    found = re.sub(r"\$\{?([A-Z_]+)\}?", lambda match: _value(match[1], environment), line)
    return ["--output" if word == "-o" else word for word in shlex.split(found.replace("$(", "$( "))]


def _value(name: str, environment: Environment) -> str:
    if name in RULES:
        return environment.need(name)
    return f"[{SYNONYMS.get(name, name)}]"


def printed(environment: Environment) -> list[str]:
    """The dry run, without the folder that the checkout is in."""
    return [
        line.replace(f"-chdir={environment.terraform_dir}", "-chdir=terraform")
        for line in commands(environment, Options())
    ]


def test_every_line_is_accounted_for(dev: Environment) -> None:
    """What is printed is the list's right side, in its order: nothing added or changed without a reason beside it."""
    wanted = [words(step["ours"], dev) for step in STEPS if "ours" in step]
    assert [words(line, dev) for line in printed(dev)] == wanted


def documented() -> list[str]:
    """The commands of Steps 1 to 3 as `nox -s az` runs them, one per line."""
    folder = ROOT / "tests" / "az" / "documented"
    text = "".join((folder / f"step{number}.sh").read_text(encoding="utf-8") for number in (1, 2, 3))
    found, open_quote = [""], False
    for line in text.replace("\\\n", " ").splitlines():
        if not open_quote and (not line.strip() or line.startswith("#")):
            continue
        found[-1] += f"{line} "
        open_quote ^= line.replace('\\"', "").count('"') % 2 == 1
        if not open_quote:
            found.append("")
    return found[:-1]


def test_no_documented_command_is_left_out(dev: Environment) -> None:
    """What the list has beside them happens in the portal, or belongs to Terraform."""
    listed = [step["seed"] for step in STEPS if not step.get("seed", "Project").startswith(("Project", "terraf"))]
    assert [_spoken(line, dev) for line in listed] == [_spoken(line, dev) for line in documented()]


def _spoken(line: str, environment: Environment) -> str:
    """Blanks do not count: a JSON body is on several lines there."""
    return "".join("".join(words(line, environment)).split())


@pytest.mark.parametrize("step", STEPS, ids=lambda step: str(step.get("seed") or step.get("ours"))[:50])
def test_a_step_is_the_documented_one_or_says_why_not(dev: Environment, step: dict[str, str]) -> None:
    """Word for word, unless there is a reason."""
    if "why" in step:
        assert step.get("seed") != step.get("ours")
    else:
        assert words(step["seed"], dev) == words(step["ours"], dev)


def test_commands_can_be_pasted(dev: Environment) -> None:
    """A shell reads each as one command, and every name is set before it is used."""
    known: set[str] = set()
    for line in commands(dev, Options()):
        assert shlex.split(line), line
        assert set(re.findall(r"\$\{([A-Z_]+)\}", line)) <= known, line
        known |= set(re.findall(r"^([A-Z_]+)=\$\(", line))


def table(steps: list[dict[str, str]]) -> str:
    """The list as docs/bootstrap.md shows it."""
    rows = ["| documented | here | why |", "|---|---|---|"]
    rows += [f"| {_cell(step.get('seed'))} | {_here(step)} | {step.get('why', '')} |" for step in steps]
    return "\n".join(rows)


def _here(step: dict[str, str]) -> str:
    if "why" not in step:
        return "the same"
    return _cell(step.get("ours")) if "ours" in step else "left out"


def _cell(text: str | None) -> str:
    return "`" + text.replace("|", "\\|") + "`" if text else "–"


def test_the_page_shows_the_same_list() -> None:
    """docs/bootstrap.md, between its two marks."""
    page = (ROOT / "docs" / "bootstrap.md").read_text(encoding="utf-8")
    shown = page.partition("<!-- steps: begin -->\n")[2].partition("\n<!-- steps: end -->")[0]
    assert shown == table(STEPS)
