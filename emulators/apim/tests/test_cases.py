"""`test`: cases in YAML. What is expected is compared, whatever is misspelt is refused, and a difference is shown."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from emulators.apim import cases
from emulators.apim.__main__ import main
from emulators.apim.errors import PolicyError
from emulators.apim.tests.harness import policies

POLICY = policies(
    "<set-variable name='role' value='@(context.Request.Headers.GetValueOrDefault(\"Role\", \"none\"))'/>"
    "<set-variable name='many' value='@(new JArray(1, \"a\"))'/>"
    '<choose><when condition=\'@((string)context.Variables["role"] == "none")\'><return-response>'
    "<set-status code='403' reason='No'/><set-header name='Why'><value>role</value></set-header>"
    "<set-body>no role</set-body></return-response></when></choose>"
    "<set-header name='X-Role'><value>@((string)context.Variables[\"role\"])</value></set-header>"
)
PASSES = """
  - name: refused
    request: GET /
    expect: {status: 403, headers: {Why: role, Not: null}, body: no role, backend: null, calls: [], error: null}
  - name: let through
    request: {method: POST, target: "/x?y=1", headers: {Role: admin}, json: {id: 1}}
    backend: [{status: 201, headers: {Set-Cookie: [a, b]}, json: {made: [true, 1]}}]
    variables: {before: 7}
    expect:
      status: 201
      json: {made: [true, 1]}
      headers: {Set-Cookie: [a, b], Content-Type: {contains: json}}
      backend: {method: POST, url: {matches: "/x[?]y=1$"}, headers: {X-Role: admin}, json: {id: 1}}
      variables: {role: admin, many: [1, a], before: 7, none: null}
"""


@pytest.fixture
def write(tmp_path: Path) -> object:
    (tmp_path / "policy.xml").write_text(POLICY)

    def written(text: str, head: str = "policy: policy.xml\ncases:") -> Path:
        path = tmp_path / "a.test.yaml"
        path.write_text(head + text, encoding="utf-8")
        return path

    return written


def failures(path: Path) -> list[str]:
    return [failure for one in cases.run(path) for failure in one.failures]


def test_cases_that_are_met_pass(write) -> None:  # type: ignore[no-untyped-def]
    """Every kind of expectation."""
    assert [(one.case, list(one.failures)) for one in cases.run(write(PASSES))] == [
        ("refused", []),
        ("let through", []),
    ]


@pytest.mark.parametrize(
    ("expected", "shown"),
    [
        ("status: 200", "status: expected 200, was 403"),
        ("body: yes", 'body: expected "true", was "no role"'),
        ("headers: {Why: x}", 'header Why: expected "x", was "role"'),
        ("headers: {Not: x}", 'header Not: expected "x", was not there'),
        ("headers: {Why: null}", 'header Why: expected none, was "role"'),
        ("json: {a: 1}", 'json: the body is no JSON: "no role"'),
        ("backend: {}", "backend: expected a call, was none"),
        ("calls: [{url: http://x}]", "calls: expected 1, were 0: none"),
        ("variables: {role: 1}", 'variable role: expected "1", was "none"'),
        ("variables: {gone: x}", 'variable gone: expected "x", was not there'),
        ("error: {reason: x}", "error: expected one, was none"),
        ("body: {matches: ^yes}", 'body: expected something that matches "^yes", was "no role"'),
        ("variables: {many: [1]}", "variable many:\n  --- expected\n  +++ was\n  @@ -1,3 +1,4 @@\n   [\n  -  1\n"),
    ],
)
def test_each_difference_is_shown(write, expected: str, shown: str) -> None:  # type: ignore[no-untyped-def]
    """What was expected and what was; JSON line by line."""
    (found,) = failures(write(f"\n  - {{name: a, request: GET /, expect: {{{expected}}}}}"))
    assert found.startswith(shown)


def test_bodies_of_several_lines_are_compared_line_by_line(write) -> None:  # type: ignore[no-untyped-def]
    """As JSON that differs."""
    case = "\n  - {name: a, request: {headers: {Role: x}}, backend: {json: {a: 1}}, expect: {json: {a: 2}}}"
    (found,) = failures(write(case))
    assert ('  -  "a": 2' in found, '  +  "a": 1' in found) == (True, True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("\n  - {name: a, request: GET /, expect: {statsu: 1}}", "unknown key 'statsu' (did you mean 'status'?)"),
        ("\n  - {name: a, request: GET /, expect: {}}", "a case that expects nothing always passes"),
        ("\n  - {name: a, request: GET /}", "'expect' is missing"),
        ("\n  - {request: GET /, expect: {status: 1}}", "'name' is missing"),
        ("\n  - {name: a, request: G(T /, expect: {status: 1}}", "'G(T' is no method"),
        ("\n  - {name: a, request: GET /a b, expect: {status: 1}}", "must be percent-encoded"),
        ('\n  - {name: a, request: {headers: {X: "a\\r\\nY: b"}}, expect: {status: 1}}', "'X' is no header"),
        ("\n  - {name: a, request: {headers: {X Y: a}}, expect: {status: 1}}", "'X Y' is no header"),
        ("\n  - {name: a, backend: {headers: {'X:': a}}, expect: {status: 1}}", "'X:' is no header"),
        ("\n  - {name: a, request: {times: 0}, expect: {status: 1}}", "'times' must be"),
        ("\n  - {name: a, request: {body: a, json: b}, expect: {status: 1}}", "are both bodies"),
        ("\n  - {name: a, backend: [], expect: {status: 1}}", "'backend' is an empty list"),
        ("\n  - {name: a, calls: [{status: 1}], expect: {status: 1}}", "'url' is missing"),
        ("\n  - {name: a, expect: {calls: [{utl: 1}]}}", "did you mean 'url'?"),
        ("\n  - &x {name: a, expect: {status: 403}}\n  - *x", "two cases are named 'a'"),
        (" []", "'cases' must be a list with a case or more"),
        (" [", "cannot be read as YAML"),
    ],
)
def test_what_a_file_says_wrong_is_refused(write, text: str, why: str) -> None:  # type: ignore[no-untyped-def]
    """With file, place and what is known; nothing has run then."""
    with pytest.raises(cases.CaseError) as refused:
        list(cases.run(write(text)))
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_policy_that_would_not_run_fails_its_cases(write) -> None:  # type: ignore[no-untyped-def]
    """With the loader's own words."""
    path = write("\n  - {name: a, request: GET /, expect: {status: 200}}", "policy: <policies><x/></policies>\ncases:")
    (found,) = failures(path)
    assert "<x> is not a policy section" in found


def test_the_command_counts_and_writes_junit(write, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    """Exit status 1 where a case fails; the trace where it was asked for."""
    path: Path = write(PASSES + "  - {name: wrong, request: GET /, expect: {status: 200}}\n")
    junit = path.parent / "junit.xml"
    assert main(["test", str(path.parent), "--trace", "--junit", str(junit)]) == 1
    said = capsys.readouterr().out
    assert said.endswith("3 cases: 2 passed, 1 failed\n")
    assert f"FAIL {path}: wrong\n     status: expected 200, was 403\n" in said
    assert "return-response (line 1)" in said
    suite = ElementTree.parse(junit).getroot()[0]
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("3", "1")
    assert main(["test", str(path), "--only", "refused"]) == 0
    assert main(["test", str(path), "--only", "nobody"]) == 2


def test_nothing_to_run_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty folder must not look like cases that pass."""
    for path, why in ((tmp_path, "holds no cases"), (tmp_path / "none", "does not exist")):
        assert main(["test", str(path)]) == 2
        assert why in capsys.readouterr().err


WRITES = policies(
    "<get-authorization-context provider-id='git' authorization-id='own' context-variable-name='auth'/>"
    "<set-header name='Authorization'>"
    '<value>@(((Authorization)context.Variables["auth"]).AccessToken)</value></set-header>'
    "<emit-metric name='calls' value='2'><dimension name='API ID'/></emit-metric>"
    "<send-one-way-request><set-url>http://hook.example/</set-url><set-method>POST</set-method></send-one-way-request>"
    "<log-to-eventhub logger-id='hub'>@(context.Request.Method)</log-to-eventhub>"
)


def test_connections_events_and_hooks_are_expected_too(write) -> None:  # type: ignore[no-untyped-def]
    """What a policy writes and sends without waiting; of each event what the case names."""
    (write("").parent / "writes.xml").write_text(WRITES)
    head = (
        "policy: writes.xml\nauthorizations: {git: {own: {access_token: t}}}\n"
        "calls: [{url: http://hook.example/}]\ncases:"
    )
    case = """
  - name: {}
    request: GET /
    expect:
      backend: {{headers: {{Authorization: t}}}}
      calls: [{{url: http://hook.example/, method: POST}}]
      events: [{{kind: metric, name: calls, value: {}}}, {{kind: event, logger: hub, message: GET}}]"""
    assert failures(write(case.format("right", 2), head)) == []
    assert failures(write(case.format("wrong", 3), head)) == ["events[1] value: expected 3, was 2.0"]
    (found,) = failures(write("\n  - {name: a, request: GET /, expect: {events: []}}", head))
    assert found.startswith("events: expected 0, were 2")
    with pytest.raises(PolicyError, match="authorizations must hold providers"):
        cases.load(write(case.format("x", 1), head.replace("{own: {access_token: t}}", "nothing")))


def test_certificates_come_from_files_beside_the_cases(write) -> None:  # type: ignore[no-untyped-def]
    """One that is not there, or is none, is said with its name."""
    case = "\n  - {name: a, request: GET /, expect: {status: 200}}"
    with pytest.raises(cases.CaseError, match=r"the certificate 'none\.pem' does not exist"):
        cases.load(write(case, "policy: policy.xml\ncertificates: {mine: none.pem}\ncases:"))
    path = write(case, "policy: policy.xml\ncertificates: {mine: policy.xml}\ncases:")
    (found,) = failures(path)
    assert "certificate 'mine'" in found
