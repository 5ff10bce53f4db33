"""The commands: what they print, their exit status, and one sentence for each thing that is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulators.apim import single_policy
from emulators.apim.__main__ import main, parser
from emulators.apim.load import load
from emulators.apim.named_values import secret_named_values
from emulators.apim.single_policy import Options
from emulators.apim.tests.harness import GatewayHarness, ok
from emulators.base.state import State

GOOD = "<policies><inbound/><backend><forward-request/></backend><outbound/><on-error/></policies>"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.xml"
    path.write_text(GOOD)
    return path


def test_check_says_what_would_run(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 0, line by line."""
    assert main(["check", str(policy)]) == 0
    first, second, last = capsys.readouterr().out.splitlines()
    assert first == f"{policy}: would run"
    assert second.startswith("  line 1: forward-request runs (partial: HTTP/1.1 only")
    assert last == "1 file: 1 would run, 0 would not (0 refused)"


def test_check_says_what_would_not(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1, with the line and the name."""
    policy.write_text("<policies>\n<inbound><validate-content/></inbound></policies>")
    assert main(["check", str(policy)]) == 1
    assert "  line 2: refused: <validate-content> is not supported by the local gateway" in capsys.readouterr().out


def test_check_for_programs(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same as JSON."""
    other = policy.with_name("other.xml")
    other.write_text("<policies>")
    assert main(["check", "--json", str(policy), str(other)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [one["runs"] for one in found["files"]] == [True, False]
    assert found["files"][1]["problems"][0]["kind"] == "MalformedPolicy"
    assert found["summary"] == {"files": 2, "would_run": 1, "would_not": 1, "refused": 1}


def test_check_writes_for_code_scanning(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file has SARIF, the terminal the text."""
    written = policy.parent / "policies.sarif"
    assert main(["check", "--format", "sarif", "--output", str(written), str(policy)]) == 0
    assert json.loads(written.read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert capsys.readouterr().out.startswith(f"{policy}: would run")
    assert main(["check", "--output", str(policy / "no" / "file"), str(policy)]) == 2
    assert "--output" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "option"), [("check", "--output"), ("test", "--junit")], ids=["findings", "results"]
)
def test_a_file_is_written_where_its_folder_is(
    policy: Path, command: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt path makes no folders; it is refused before anything is checked or run."""
    cases = policy.with_name("one.test.yaml")
    cases.write_text(f"policy: {policy.name}\ncases: [{{name: one, expect: {{status: 200}}}}]")
    nowhere = policy.parent / "no" / "such" / "file"
    assert main([command, str({"check": policy, "test": cases}[command]), option, str(nowhere)]) == 2
    said = capsys.readouterr()
    why = f"the folder {nowhere.parent} does not exist, make it first"
    assert (said.out, said.err) == ("", f"{option} {nowhere} cannot be written: {why}\n")
    assert not nowhere.parent.exists()


def test_a_folder_without_policies_beside_others(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The others are checked, the folder is named, and the exit status is that of a path without a policy."""
    empty, markdown = policy.parent / "empty", policy.parent / "empty.md"
    empty.mkdir()
    markdown.write_text("no policy")
    assert main(["check", str(empty), str(policy), str(markdown), str(policy.with_name("no.xml"))]) == 2
    said = capsys.readouterr()
    assert f"{policy}: would run" in said.out
    assert [line.split(" ")[0] for line in said.err.splitlines()] == [
        str(empty), str(markdown), str(policy.with_name("no.xml"))
    ]  # fmt: skip
    policy.write_text("<policies>")
    assert main(["check", str(policy), str(empty), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["summary"]["would_not"] == 1


def test_a_folder_without_cases_beside_others(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As for policies."""
    empty, cases = policy.parent / "empty", policy.with_name("one.test.yaml")
    empty.mkdir()
    cases.write_text(f"policy: {policy.name}\ncases: [{{name: one, expect: {{status: 200}}}}]")
    assert main(["test", str(empty), str(cases)]) == 2
    said = capsys.readouterr()
    assert said.out.endswith("1 cases: 1 passed, 0 failed\n")
    assert said.err.startswith(f"{empty} holds no cases")


def test_nothing_to_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2 and one sentence."""
    assert main(["check", str(tmp_path / "none.xml")]) == 2
    assert capsys.readouterr().err == f"{tmp_path}/none.xml does not exist: name a policy file, or a folder of them\n"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--backend", "backend.test"], "--backend 'backend.test' must be an absolute http or https URL"),
        (["--backend", "http://a.test", "--backend", "http://b.test"], "--backend gives the API its URL twice"),
        (["--backend", "a=http://a.test"], "--backend URL is missing"),
        (["--backend", "http://a.test", "--named-value", "x"], "--named-value 'x' must be NAME=VALUE"),
        (["--backend", "http://a.test", "--fragment", "x=/no/such.xml"], "/no/such.xml does not exist"),
        (["--backend", "http://a.test", "--named-values", "/no/x.json"], "--named-values /no/x.json does not exist"),
    ],
)
def test_serve_refuses_what_it_cannot_read(
    policy: Path, arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2 and one sentence that names the option; nothing is served."""
    assert main(["serve", "--policy", str(policy), *arguments]) == 2
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("text", ["[]", '{"a": 1}', "nonsense"])
def test_secrets_are_one_object_of_texts(policy: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is in the file is not shown."""
    secrets = policy.with_name("secrets.json")
    secrets.write_text(text)
    given = ["serve", "--policy", str(policy), "--backend", "http://a.test", "--named-values", str(secrets)]
    assert main(given) == 2
    assert f"--named-values {secrets} " in capsys.readouterr().err


def test_serve_refuses_what_cannot_run(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1, and everything that is wrong, with file and line."""
    policy.write_text("<policies>\n<inbound><set-header/>\n<validate-content/></inbound></policies>")
    assert main(["serve", "--policy", str(policy), "--backend", "http://a.test"]) == 1
    said = capsys.readouterr().err
    assert f"API '{policy}', line 2: <set-header> needs the attribute 'name'" in said
    assert f"API '{policy}', line 3: <validate-content> is not supported" in said


def test_a_template_is_not_served(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only what Terraform renders from it is a policy."""
    template = policy.rename(policy.with_name("policy.xml.tftpl"))
    assert main(["serve", "--policy", str(template), "--backend", "http://a.test"]) == 2
    assert "is a Terraform template: give the XML that Terraform renders from it" in capsys.readouterr().err


def with_everything(policy: Path) -> State:
    fragment, secrets = policy.with_name("fragment.xml"), policy.with_name("secrets.json")
    fragment.write_text('<fragment><set-header name="X-F"><value>{{plain}}/{{secret}}</value></set-header></fragment>')
    secrets.write_text('{"secret": "s3cret"}')
    policy.write_text(
        '<policies><inbound><include-fragment fragment-id="f"/>'
        '<choose><when condition="@(context.Request.Method == &quot;PUT&quot;)">'
        '<set-backend-service backend-id="other"/></when></choose></inbound>'
        "<backend><forward-request/></backend></policies>"
    )
    backends = ["http://own.test/base", "other=http://other.test"]
    return single_policy.applied(Options(policy, backends, [f"f={fragment}"], ["plain=p"], secrets))


async def test_one_policy_answers_at_every_path_and_method(policy: Path) -> None:
    """With the backends, fragments and named values that were given; the path goes to the backend as it is."""
    state = with_everything(policy)
    gateway = GatewayHarness(load(state))
    gateway.backends.answers = {"http://": ok()}
    for method, target in (("GET", "/"), ("DELETE", "/a%2Fb/?q=1"), ("PUT", "/x")):
        assert (await gateway.send(method, target)).status == 200
    assert [call.url for call in gateway.backends.calls] == [
        "http://own.test/base/", "http://own.test/base/a%2Fb/?q=1", "http://other.test/x"
    ]  # fmt: skip
    assert gateway.backends.last.headers["X-F"] == ["p/s3cret"]
    assert secret_named_values(state) == ["s3cret"]


@pytest.mark.parametrize(
    "arguments", [[], ["check"], ["try"], ["test"], ["serve"], ["run"], ["serve", "--policy", "x"]]
)
def test_what_is_missing_is_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Usage, and what is needed."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "required" in capsys.readouterr().err


def test_help_has_an_example() -> None:
    """And every command in a line of its own."""
    shown = parser().format_help()
    assert "python -m emulators.apim serve --policy policy.xml --backend http://127.0.0.1:9000 --trace" in shown
    assert all(f"    {command} " in shown for command in ("check", "try", "test", "serve", "run"))


def test_settings_that_are_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`run` names the file and the key."""
    config = tmp_path / "gateway.json"
    config.write_text('{"state": "x", "colour": "red"}')
    assert main(["run", "--config", str(config)]) == 2
    assert "the gateway's configuration has the unknown key 'colour'" in capsys.readouterr().err
