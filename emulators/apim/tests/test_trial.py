"""`try`: one request through a policy, without a socket. What the caller got, what was sent on, and the trace."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from emulators.apim import trial
from emulators.apim.__main__ import main
from emulators.apim.errors import PolicyError, PolicyProblems
from emulators.apim.messages import ManyValues
from emulators.apim.tests.harness import policies
from emulators.apim.trial import Reply, Scripted, Sent, Setup

OPENID = "https://login.microsoftonline.com/{}.well-known/openid-configuration"
JWT = f"<validate-jwt header-name='Authorization'><openid-config url='{OPENID.format('t/v2.0/')}'/></validate-jwt>"
CALL = "<send-request response-variable-name='r'><set-url>https://a.example/x?y=1</set-url></send-request>"


def run(inbound: str = "", sent: Sent | None = None, **given: object) -> trial.Outcome:
    return trial.run(Setup(policies(inbound), **given), sent or Sent())  # type: ignore[arg-type]


def test_a_request_goes_through_and_all_of_it_is_told() -> None:
    """Reply, the backend's request with path, query and body, variables, and a trace with what each element did."""
    found = run(
        "<set-header name='X'><value>@((string)context.Variables[\"tier\"])</value></set-header>",
        Sent("POST", "/a?b=c", [("Host", "gw.test"), ("D", "e")], b"body"),
        variables={"tier": "admin"},
        backend=[Reply(201, ManyValues([("F", "g")]), b"made")],
    )
    assert (found.reply.status, found.reply.body, found.reply.headers["F"]) == (201, b"made", ["g"])
    (call,) = found.backend
    assert (call.method, call.url, call.body) == ("POST", f"{trial.BACKEND}/a?b=c", b"body")
    assert (call.headers["X"], call.headers["D"]) == (["admin"], ["e"])
    assert [entry["element"] for entry in found.trace["entries"]] == ["set-header", "forward-request"]
    assert "header X: admin" in trial.text(found)


def test_the_backend_s_answers_come_in_turn() -> None:
    """The last one for good, as `retry` needs it."""
    retry = "<retry condition='@(context.Response.StatusCode == 503)' count='3' interval='0'><forward-request/></retry>"
    answers = [Reply(503), Reply(503), Reply(200, body=b"up")]
    found = trial.run(Setup(policies(backend=retry), backend=answers), Sent())
    assert (found.reply.body, len(found.backend)) == (b"up", 3)


def test_repeated_requests_share_what_the_gateway_keeps() -> None:
    """The third call of two that are allowed is refused."""
    limit = "<rate-limit-by-key calls='2' renewal-period='60' counter-key='k'/>"
    assert run(limit, Sent(times=2)).reply.status == 200
    found = run(limit, Sent(times=3))
    assert (found.reply.status, len(found.backend)) == (429, 2)


def test_what_policies_call_answers_as_told_and_nothing_else_answers() -> None:
    """A call without an answer fails as an unreachable host does, and names itself."""
    answered = run(CALL, calls=[Scripted("https://a.example/*", Reply(204), "get")])
    assert (answered.reply.status, answered.calls[0].element, answered.shown("r")) == (
        200, "send-request", "response with status 204"
    )  # fmt: skip
    found = run(CALL, calls=[Scripted("https://a.example/x", Reply(204), "PUT")])
    assert found.reply.status == 500
    assert found.error is not None
    assert "no answer was given for GET https://a.example/x?y=1" in found.error.message


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        (None, 401),
        ({"sub": "me"}, 200),
        ({"iss": "https://stranger.example"}, 401),
        ({"exp": 1}, 401),
        ({"exp": None}, 401),
    ],
)
def test_tokens_are_signed_and_validated(claims: dict[str, object] | None, status: int) -> None:
    """By an issuer that is the one of the policy's openid-config; another `iss` is refused as it is on Azure."""
    assert run(JWT, claims=claims).reply.status == status


def test_a_policy_s_own_secret_signs_where_it_brings_one() -> None:
    """And its issuer is the one that is listed."""
    secret = base64.b64encode(b"s" * 32).decode()
    rules = "<issuer-signing-keys><key>{{k}}</key></issuer-signing-keys><issuers><issuer>me</issuer></issuers>"
    policy = f"<validate-jwt header-name='Authorization'>{rules}</validate-jwt>"
    assert run(policy, claims={}, secrets={"k": secret}).reply.status == 200
    assert run(policy, claims={"iss": "you"}, secrets={"k": secret}).reply.status == 401


def test_issuers_are_named_as_entra_names_them() -> None:
    """ "Access tokens in the Microsoft identity platform": v2.0 by its own URL, v1.0 as sts.windows.net."""
    assert trial.issuer_of(OPENID.format("t/v2.0/")) == "https://login.microsoftonline.com/t/v2.0"
    assert trial.issuer_of(OPENID.format("t/")) == "https://sts.windows.net/t/"
    assert trial.issuer_of("https://own.example/.well-known/openid-configuration") == "https://own.example"


def test_every_managed_identity_has_tokens() -> None:
    """Attached or not, whom the policy names: a trial knows no service."""
    policy = "<authentication-managed-identity resource='api://x' client-id='{{who}}'/>"
    (call,) = run(policy, named_values={"who": "me"}).backend
    token = call.headers["Authorization"][0].removeprefix("Bearer ")
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert (claims["aud"], claims["appid"]) == ("api://x", "me")


HEADER = "<fragment><set-header name='X'><value>{{a}} {{b}}</value></set-header></fragment>"


@pytest.mark.parametrize(
    ("policy", "fragments"), [(HEADER, {}), (policies("<include-fragment fragment-id='f'/>"), {"f": HEADER})]
)
def test_a_fragment_runs_alone_and_in_a_policy(policy: str, fragments: dict[str, str]) -> None:
    """With named values, of which the secret ones are masked in what is printed."""
    found = trial.run(Setup(policy, "x.xml", fragments, {"a": "plain"}, {"b": "hush-hush"}), Sent())
    assert found.backend[0].headers["X"] == ["plain hush-hush"]
    assert "hush-hush" not in trial.text(found)


def test_what_would_not_run_says_why() -> None:
    """As `check` does."""
    with pytest.raises(PolicyProblems, match="nonsense"):
        run("<nonsense/>")
    with pytest.raises(PolicyProblems, match="not well-formed"):
        trial.run(Setup("<policies>"), Sent())


@pytest.mark.parametrize("text", ["", " \n", "\ufeff", "<!-- nothing -->"])
def test_an_empty_file_is_no_policy(policy: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`try` and `check` have one verdict."""
    policy.write_text(text)
    for command in ("check", "try"):
        assert main([command, str(policy)]) == 1
        said = capsys.readouterr()
        assert "not well-formed XML" in said.out + said.err


@pytest.mark.parametrize(
    ("inside", "option", "key"),
    [
        ("<set-header name='X'><value>{{tenant}}</value></set-header>", "--named-value", "'named_values'"),
        ("<include-fragment fragment-id='f'/>", "--fragment", "'fragments'"),
        ("<set-backend-service backend-id='b'/>", "--backend", "'backends'"),
        (
            "<validate-jwt header-name='A'><issuer-signing-keys><key certificate-id='c'/></issuer-signing-keys>"
            "</validate-jwt>",
            "--certificate",
            "'certificates'",
        ),
    ],
)
def test_what_a_policy_refers_to_is_given_as_the_command_takes_it(
    policy: Path, inside: str, option: str, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An option of `try` and `serve`, a key of a file of cases; resources of Terraform are no remedy for a file."""
    policy.write_text(policies(inside))
    cases = policy.with_name("x.test.yaml")
    cases.write_text(f"policy: {policy.name}\ncases: [{{name: one, expect: {{status: 200}}}}]")
    for command, remedy in (
        (["try", str(policy)], option),
        (["serve", "--policy", str(policy), "--backend", "http://a.test"], option),
        (["test", str(cases)], key),
    ):
        assert main(command) == 1
        said = "".join(capsys.readouterr())
        assert remedy in said
        assert "azurerm" not in said.partition("there is no")[2]


@pytest.mark.parametrize("command", [["try"], ["serve", "--backend", "http://a.test", "--policy"], ["check"]])
def test_a_file_that_cannot_be_read(policy: Path, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence without Python's own, for each way in which it cannot."""
    binary = policy.with_name("binary.xml")
    binary.write_bytes(b"\xff\xfe\x00")
    for path, why in ((policy.with_name("no.xml"), "does not exist"), (binary, "is not UTF-8 text")):
        assert main([*command, str(path)]) != 0
        said = "".join(capsys.readouterr())
        assert why in said
        assert "Errno" not in said
        assert "codec" not in said


def test_claims_come_as_json_or_as_a_token() -> None:
    """A token from elsewhere gives its claims; it is signed anew."""
    encoded = base64.urlsafe_b64encode(b'{"sub":"me"}').decode().rstrip("=")
    assert trial.claims_of(f"h.{encoded}.s\n", "f") == trial.claims_of('{"sub": "me"}', "f") == {"sub": "me"}
    for text in ("[]", "{", "a.b.c"):
        with pytest.raises(PolicyError, match=r"^--token x"):
            trial.claims_of(text, "--token x")


# the command


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.xml"
    path.write_text(policies("<set-backend-service backend-id='@((string)context.Variables[\"to\"])'/>" + CALL))
    return path


def test_the_command_takes_all_of_it(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files and texts; JSON for programs."""
    request, answer = policy.with_name("request.yaml"), policy.with_name("answer.yaml")
    request.write_text("{method: put, target: /x, json: {a: 1}, headers: {X: [1, 2]}}")
    answer.write_text("{status: 202, body: good}")
    options = [
        "try", str(policy), "--request", str(request), "--header", "Y: z", "--backend", "orders=https://orders.example/api",
        "--backend", str(answer), "--call", f"https://a.example/*={answer}", "--variable", "to=orders", "--variable",
        "n=1", "--format", "json",
    ]  # fmt: skip
    assert main(options) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["reply"]["status"], found["reply"]["body"]) == (202, "good")
    (backend,) = found["backend"]
    assert (backend["method"], backend["url"], backend["body"]) == ("PUT", "https://orders.example/api/x", '{"a": 1}')
    assert [pair for pair in backend["headers"] if pair[0] in ("X", "Y")] == [["X", "1"], ["X", "2"], ["Y", "z"]]
    assert (found["variables"]["n"], found["variables"]["to"], len(found["calls"])) == (1, "orders", 1)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--request", "GET orders"], "--request 'GET orders': the target must begin with a slash"),
        (["--request", "no/such.yaml"], "--request no/such.yaml does not exist"),
        (["--header", "X"], "--header 'X' must be 'NAME: VALUE'"),
        (["--header", "X: a\r\nY: b"], "--header: 'X' is no header"),
        (["--header", "X Y: a"], "--header: 'X Y' is no header"),
        (["--body", "@no/such"], "no/such does not exist"),
        (["--token", "no/such"], "--token no/such does not exist"),
        (["--backend", "99"], "--backend 99: 'status' must be a number from 200 to 599"),
        (["--backend", "http://x", "--backend", "200"], "--backend gives a real backend and an answer"),
        (["--call", "204"], "--call '204' must be URL=ANSWER"),
        (["--variable", "x"], "--variable 'x' must be NAME=VALUE"),
    ],
)
def test_wrong_options_are_named(
    policy: Path, options: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, exit status 2."""
    assert main(["try", str(policy), *options]) == 2
    assert capsys.readouterr().err.startswith(why)
