"""Policies of anywhere, judged without an applied state. samples/ holds what people write, good and bad."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from emulators.apim import sarif
from emulators.apim.check import report
from emulators.apim.errors import LocatedError, PolicyError

SAMPLES = Path(__file__).parent / "samples"
REFUSED = {
    "content-and-events.xml": [(4, "validate-content"), (8, "send-service-bus-message")],
    "files-and-sockets.xml": [
        (3, "System.IO.File.ReadAllText"),
        (4, "exists-action"),
        (6, "condition"),
        (8, "xsi-nil"),
    ],
    "not-closed.xml": [(4, "xml")],
    "template.xml.tftpl": [(0, "template.xml.tftpl")],
}


@pytest.mark.parametrize("path", sorted((SAMPLES / "good").iterdir()), ids=lambda path: path.name)
def test_what_people_write_runs(path: Path) -> None:
    """Typical policies load, whatever their named values hold; every element has its line."""
    (one,) = report([path])
    assert (one.problems, one.runs) == ((), True)
    text = path.read_text(encoding="utf-8").splitlines()
    assert [found for found in one.elements if f"<{found.tag}" not in text[found.line - 1]] == []


def test_each_bad_sample_is_expected() -> None:
    """No sample is left out."""
    assert {path.name for path in (SAMPLES / "bad").iterdir()} == set(REFUSED)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_does_not_run_is_named_with_its_line(name: str) -> None:
    """All of a file's problems at once, each with line and name."""
    (one,) = report([SAMPLES / "bad" / name])
    assert [(problem.where.line, problem.name) for problem in one.problems] == REFUSED[name]
    assert not one.runs


def test_several_paths_and_folders_are_one_report() -> None:
    """Files in order, folders below too."""
    found = report([SAMPLES / "bad", SAMPLES / "good" / "cache-a-token.xml"])
    assert [one.path.name for one in found] == [*sorted(REFUSED), "cache-a-token.xml"]


def test_nothing_to_check_is_an_error(tmp_path: Path) -> None:
    """An empty answer must not look like a good one."""
    for path, why in ((tmp_path / "none", "does not exist"), (tmp_path, "no policy")):
        with pytest.raises(PolicyError, match=why):
            report([path])


def test_lines_count_from_the_file_s_first(tmp_path: Path) -> None:
    """Blank lines before the root and tags of many lines move nothing; an attribute has its own line."""
    path = tmp_path / "p.xml"
    path.write_text("\n\n<policies>\n<inbound>\n<set-header\n  name='a'\n  other='b'/>\n</inbound></policies>")
    (one,) = report([path])
    assert {problem.where.line for problem in one.problems} == {7}


def test_a_fragment_that_needs_its_line_breaks_is_refused(tmp_path: Path) -> None:
    """A file does not say in which format Terraform sends it: as `xml`, the comment would eat the second condition."""
    path = tmp_path / "fragment.xml"
    path.write_text(
        "<fragment>\n<set-variable name='x'\n value='@(true // a\n &amp;&amp; false)'/></fragment>", "utf-8"
    )
    (one,) = report([path])
    assert [(problem.where.line, problem.name) for problem in one.problems] == [(3, "value")]


def test_a_fragment_that_is_no_xml_keeps_its_line_breaks(tmp_path: Path) -> None:
    """With quotes that are not escaped it is sent as `rawxml`, or not at all."""
    path = tmp_path / "fragment.xml"
    path.write_text('<fragment>\n<set-variable name="x"\n value="@("a" != "b" // c\n && true)"/></fragment>', "utf-8")
    (one,) = report([path])
    assert (one.problems, one.runs) == ((), True)


HEREDOC = """resource "azurerm_api_management_api_policy" "a" {
  xml_content = <<-XML
    <policies>
      <inbound>
        <set-header name="X" exists-action="${var.action}"><value>${join(",", ["{${var.x}}"])}</value></set-header>
        <set-variable name="v" value="$${x}" />
        <nonsense />
      </inbound>
    </policies>
  XML
}
locals { text = <<EOT
no policy
EOT
}
"""


def test_policies_in_terraform_are_checked_where_they_stand(tmp_path: Path) -> None:
    """Interpolations count as named values; lines are the file's."""
    path = tmp_path / "main.tf"
    path.write_text(HEREDOC, "utf-8")
    (one,) = report([path])
    assert [(problem.where.line, problem.name) for problem in one.problems] == [(7, "nonsense")]
    assert [(found.line, found.tag) for found in one.elements] == [(5, "set-header"), (6, "set-variable")]


def test_a_heredoc_with_directives_is_not_rendered(tmp_path: Path) -> None:
    """Only Terraform can say what stands there."""
    path = tmp_path / "main.tf"
    path.write_text(HEREDOC.replace("<nonsense />", "%{ if var.x }<set-method>GET</set-method>%{ endif }"), "utf-8")
    (one,) = report([path])
    assert [(type(problem).__name__, problem.where.line) for problem in one.problems] == [("NotRendered", 3)]


def test_policies_in_markdown_are_checked_where_they_stand(tmp_path: Path) -> None:
    """Fenced blocks that begin with <policies> or <fragment>; other blocks are none of ours."""
    text = "# A\n```xml\n<fragment>\n<nonsense/></fragment>\n```\n```xml\n<set-body/>\n```\n~~~\n<policies/>\n~~~\n"
    (tmp_path / "a.md").write_text(text, "utf-8")
    (tmp_path / "b.md").write_text("nothing here", "utf-8")
    first, second = report([tmp_path])
    assert ([problem.where.line for problem in first.problems], second.runs) == ([4], True)
    with pytest.raises(PolicyError, match="holds no policy"):
        report([tmp_path / "b.md"])


BICEP = r"""param tier string
// '''<policies><not-this/></policies>'''
resource policy 'Microsoft.ApiManagement/service/apis/policies@2024-05-01' = {
  properties: {
    value: '''
<policies>
  <inbound>
    <set-header name="X-$" exists-action="override"><value>${left} {{named}}</value></set-header>
    <nonsense />
  </inbound>
</policies>
'''
    other: $'''<fragment>
<set-header name="a" exists-action="${tier}"/><nonsense/></fragment>'''
    single: '<fragment>\n<set-header name="${tier}"/>\n<nonsense value=\'a\'/></fragment>'
    no: 'no policy'
  }
}
"""


def test_policies_in_bicep_are_checked_where_they_stand(tmp_path: Path) -> None:
    """Texts in three quotes as they are, with `$` interpolated; texts in one quote with their escapes."""
    path = tmp_path / "main.bicep"
    path.write_text(BICEP, "utf-8")
    found = [[(p.where.line, p.name) for p in one.problems] for one in report([path])]
    assert found == [[(9, "nonsense")], [(14, "nonsense")], [(15, "nonsense")]]


def notebook(*cells: tuple[str, str]) -> str:
    made = [
        {"cell_type": kind, "metadata": {"a": "b"}, "source": source.splitlines(keepends=True)}
        for kind, source in cells
    ]
    return json.dumps({"cells": made, "nbformat": 4}, indent=1)


def test_policies_in_notebooks_are_checked_where_they_stand(tmp_path: Path) -> None:
    """Fenced blocks, texts of Python, what a cell writes to a file; the lines are those of the notebook's file."""
    text = notebook(
        ("markdown", "# A\n```xml\n<fragment>\n<first/></fragment>\n```"),
        (
            "code",
            "import x\npolicy = f'''<policies>\n<inbound><set-header name='{x}'/>\n<second/></inbound></policies>'''",
        ),
        ("code", "%%writefile policy.xml\n<fragment><set-header name='{{n}}'/>\n<third/></fragment>\n"),
        ("code", "text = '''nothing'''"),
    )
    path = tmp_path / "lab.ipynb"
    path.write_text(text, "utf-8")
    lines = text.splitlines()
    found = [[(lines[p.where.line - 1].strip(), p.name) for p in one.problems] for one in report([path])]
    assert found == [
        [('"<first/></fragment>\\n",', "first")],
        [("\"<second/></inbound></policies>'''\"", "second")],
        [('"<third/></fragment>\\n"', "third")],
    ]


@pytest.mark.parametrize("before", ["policy = ", "policy=", "call(", "f(a, ", "", "policy = r", "policy = f"])
@pytest.mark.parametrize("quotes", ["'''", '"""'])
def test_texts_in_three_quotes_are_found_whatever_stands_before(tmp_path: Path, before: str, quotes: str) -> None:
    """A prefix of Python's or none."""
    path = tmp_path / "lab.ipynb"
    path.write_text(notebook(("code", f"import x\n{before}{quotes}<fragment><nonsense/></fragment>{quotes}")), "utf-8")
    assert [[problem.name for problem in one.problems] for one in report([path])] == [["nonsense"]]


@pytest.mark.parametrize(
    "text",
    [
        "<policies>{{a}}</policies>",
        "<policies><inbound>{{a}}</inbound></policies>",
        "<policies><inbound><base>{{a}}</base></inbound></policies>",
        "<policies><inbound><rewrite-uri template='/x'>{{a}}</rewrite-uri></inbound></policies>",
    ],
)
def test_a_named_value_is_text_too(tmp_path: Path, text: str) -> None:
    """Nobody knows which, but where no text may stand there is none."""
    (tmp_path / "p.xml").write_text(text)
    (one,) = report([tmp_path])
    assert [type(problem).__name__ for problem in one.problems] == ["MalformedPolicy"]


def test_a_named_value_inside_an_expression_is_not_judged(tmp_path: Path) -> None:
    """A number, perhaps; what is wrong beside it is said all the same."""
    retry = "<retry condition='@(context.Response.StatusCode == {{code}})' count='@({{n}} + 1)' interval='{}'/>"
    for other, runs in (("1", True), ("often", False)):
        (tmp_path / "p.xml").write_text(f"<policies><outbound>{retry.replace('{}', other)}</outbound></policies>")
        (one,) = report([tmp_path])
        assert one.runs is runs, one.problems


def test_an_attribute_that_is_not_supported_is_refused_whatever_its_value(tmp_path: Path) -> None:
    """A named value, which is not known here, does not make it good."""
    (tmp_path / "p.xml").write_text(
        "<policies><inbound><set-body xsi-nil='{{unknown}}'>x</set-body></inbound></policies>", encoding="utf-8"
    )
    (one,) = report([tmp_path])
    assert [(type(found).__name__, found.name) for found in one.problems] == [("UnsupportedAttribute", "xsi-nil")]


def test_a_folder_s_other_files_are_none_of_ours(tmp_path: Path) -> None:
    """Project files, other people's code, hidden folders and templates of other things are not judged."""
    for name, text in {
        "pom.xml": "<project/>",
        ".hidden/p.xml": "<policies><x/></policies>",
        "node_modules/a/p.xml": "<policies><x/></policies>",
        "book.json.tftpl": "{}",
        "p.xml": "<policies/>",
        "bare.xml": "<inbound/>",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert [(one.path.name, one.runs) for one in report([tmp_path])] == [("bare.xml", False), ("p.xml", True)]


def test_a_notebook_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    """In a folder as by its name: it may hold policies, and nothing is skipped in silence."""
    (tmp_path / "p.xml").write_text("<policies/>")
    (tmp_path / "broken.ipynb").write_text("{")
    for path in (tmp_path, tmp_path / "broken.ipynb"):
        (broken, *_) = report([path])
        assert (broken.path.name, broken.runs) == ("broken.ipynb", False)
        assert "the notebook is no JSON" in str(broken.problems[0])


def test_sarif_names_rule_file_and_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sections 3.14, 3.27 and 3.4.3: one result for each problem, rules by index, files below the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b.xml").write_text("<policies>\n<inbound><nonsense/></inbound></policies>")
    shutil.copy(SAMPLES / "bad" / "template.xml.tftpl", tmp_path)
    log = sarif.document(report([Path("a b.xml"), Path("template.xml.tftpl")]))
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    driver, (first, second) = log["runs"][0]["tool"]["driver"], log["runs"][0]["results"]
    assert [driver["rules"][one["ruleIndex"]]["id"] for one in (first, second)] == ["UnknownElement", "NotRendered"]
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b.xml"},
        "region": {"startLine": 2},
    }
    assert "region" not in second["locations"][0]["physicalLocation"]
    assert sarif.uri(Path("/elsewhere/a b.xml")) == "file:///elsewhere/a%20b.xml"


def test_every_kind_of_problem_is_a_rule() -> None:
    """What `check` can find has a rule, so that no result points nowhere."""
    queue, kinds = [LocatedError], set[type[LocatedError]]()
    while queue:
        found = queue.pop().__subclasses__()
        queue += found
        kinds.update(found)
    assert {one["id"] for one in sarif.document([])["runs"][0]["tool"]["driver"]["rules"]} == {
        k.__name__ for k in kinds
    }
