"""READMEs of Terraform's modules and stages: tables of inputs and outputs, made from the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ops.clients.registrations import REGISTRATIONS
from tools.pages import clients, entries, reference

FOLDERS = [pytest.param(folder, id=folder.name) for folder in reference.folders()]


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_tables_are_those_of_the_code(folder: Path) -> None:
    """Who changes a variable or an output runs `python -m tools.pages.reference`."""
    present, wanted = reference.written(folder)
    assert present == wanted, f"{folder.name}/README.md is stale: python -m tools.pages.reference"


def test_the_page_of_clients_is_that_of_the_code() -> None:
    """Who changes what a client sends, or how it was tried, runs `python -m tools.pages.clients`."""
    assert clients.PAGE.read_text(encoding="utf-8") == clients.page()


def test_the_page_of_an_entry_is_that_of_the_code() -> None:
    """Who changes a setting of mcp_servers says what it is for, and runs `python -m tools.pages.entries`."""
    assert entries.PAGE.read_text(encoding="utf-8") == entries.page()


def test_every_setting_is_on_the_page_of_an_entry() -> None:
    """Nested ones too, by their whole path."""
    found = {path: (kind, default) for path, kind, default in entries.settings(entries.SOURCE.read_text("utf-8"))}
    assert found["tiers.<tier>.rate_limit.calls"] == ("number", "required")
    assert found["front.upstream.path"] == ("string", '"/mcp"')
    assert found["environment"] == ("map(string)", "{}")
    assert found["listing.version"] == ("string", "none")
    assert set(found) == set(entries.WORDS)


def test_every_client_has_a_source_and_is_served_or_has_a_remedy() -> None:
    for name, client in REGISTRATIONS.items():
        assert len(client.source) > 5, name
        assert bool(client.entry) != bool(client.remedy), name


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_variable_and_output_is_read(folder: Path) -> None:
    """Each has a description and, a variable, a type other than any."""
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.tf"))
    found = list(reference.blocks(text))
    assert len(found) == len(re.findall(r'^(?:variable|output) "', text, re.MULTILINE)) > 0
    assert [block.name for block in found if len(block.description) < 5] == []
    variables = [block for block in found if block.kind == "variable"]
    assert [block.name for block in variables if block.arguments.get("type", "any") == "any"] == []


def test_no_shared_input_is_read_by_nobody() -> None:
    """What neither stage lists among its inputs could go."""
    listed = "".join(reference.tables(stage) for stage in reference.STAGES)
    text = "".join(path.read_text(encoding="utf-8") for path in reference.SHARED.glob("*.tf"))
    assert [block.name for block in reference.blocks(text) if f"| `{block.name}` |" not in listed] == []


MODULE = """variable "size" {
  description = <<-EOT
    How large, as <width>,
    in `a|b`.
  EOT
  type = object({
    width = optional(string, "*")
  })
  default  = { width = 1 }
  nullable = false

  validation {
    condition     = var.size.width > 0
    error_message = "size.width must be \\"positive\\" (${join(", ", [for name in ["a"] : "${name}" if !(1 > 0)])})."
  }
}

variable "name" {
  description = "Its name."
  type        = string
}
"""


def test_hcl_is_read_as_terraform_writes_it() -> None:
    """A heredoc, a type of several lines, a default, a rule."""
    size, name = reference.blocks(MODULE)
    assert (size.name, size.description) == ("size", "How large, as <width>, in `a|b`.")
    assert size.arguments["type"] == 'object({\n    width = optional(string, "*")\n  })'
    assert (size.default, size.rules) == ("{ width = 1 }", ('size.width must be "positive".',))
    assert name.default is None


def test_a_table_is_markdown_whatever_the_code_holds(tmp_path: Path) -> None:
    """Bars, angle brackets and stars of HCL neither end a cell nor become elements or emphasis."""
    (tmp_path / "variables.tf").write_text(MODULE, encoding="utf-8")
    assert reference.tables(tmp_path).splitlines() == [
        "## Inputs",
        "",
        "| input | is | type | default |",
        "|---|---|---|---|",
        "| `size` | How large, as &lt;width&gt;, in `a\\|b`. "
        '| <pre>object({<br>  width = optional(string, "&#42;")<br>})</pre> | `{ width = 1 }` |',
        "| `name` | Its name. | `string` | required |",
        "",
        "<details><summary>What is refused (1 rules)</summary>",
        "",
        '- `size`: size.width must be "positive".',
        "",
        "</details>",
    ]


def test_a_readme_without_markers_is_refused(tmp_path: Path) -> None:
    """Otherwise a new module would go without its tables, unnoticed."""
    (tmp_path / "README.md").write_text("# module\n", encoding="utf-8")
    with pytest.raises(reference.TablesError, match="has no place for its inputs and outputs"):
        reference.written(tmp_path)


def test_check_names_what_is_stale_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` fails on a stale README; without it the README is written, once."""
    readme = tmp_path / "README.md"
    readme.write_text(f"# module\n\n{reference.BEGIN}{reference.END}", encoding="utf-8")
    (tmp_path / "variables.tf").write_text(MODULE, encoding="utf-8")
    monkeypatch.setattr(reference, "ROOT", tmp_path)
    monkeypatch.setattr(reference, "folders", lambda: [tmp_path])
    before = readme.read_text(encoding="utf-8")
    assert reference.main(["--check"]) == 1
    assert (readme.read_text(encoding="utf-8"), capsys.readouterr().out) == (before, "stale: README.md\n")
    assert reference.main([]) == 0
    assert "| `name` | Its name. |" in readme.read_text(encoding="utf-8")
    assert reference.main(["--check"]) == 0
