"""Whose pipeline may sign in: both forms of Azure DevOps, and GitHub."""

from __future__ import annotations

from typing import Any

import pytest

from ops import bootstrap
from ops.bootstrap import Options, federation
from ops.bootstrap.federation import AUDIENCE, judge
from ops.bootstrap.options import GITHUB_ISSUER
from ops.cli.steps import Runner
from ops.config.environment import Environment
from ops.errors import AzError, BootstrapError, UsageError
from tests.unit.ops.bootstrap.conftest import RECORDED, Cloud, commands

TENANT = "https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0"
ORG = "https://vstoken.dev.azure.com/77777777-7777-4777-8777-777777777777"
HELD = {"name": "ado-federation", "issuer": ORG, "subject": "sc://contoso/mcp/sc-mcp", "audiences": [AUDIENCE]}


def credentials(dev: Environment, options: Options) -> list[tuple[str, str]]:
    """(issuer, subject) of what the commands make."""
    lines = commands(dev, options, ("federation",))
    made = [line for line in lines if "federated-credential create" in line]
    return [(_option(line, "--issuer"), _option(line, "--subject")) for line in made]


def _option(line: str, name: str) -> str:
    return line.split(f"{name} ")[1].split()[0]


def test_the_older_issuer_ends_in_the_organisations_id(dev: Environment) -> None:
    """Its subject is made of names."""
    options = Options(ado_org_id="77777777-7777-4777-8777-777777777777")
    assert credentials(dev, options) == [(ORG, "sc://contoso/mcp/sc-mcp")]


def test_the_organisations_id_can_be_asked_for(dev: Environment) -> None:
    """By az's own token, before the credential is made."""
    lines = commands(dev, Options(ado_org_id="ask"), ("federation",))
    assert lines[2].startswith("ADO_ORG_ID=$(az rest --method GET --resource 499b84ac-1321-427f-aa17-267ca6975798")
    assert credentials(dev, Options(ado_org_id="ask"))[0][0] == '"https://vstoken.dev.azure.com/${ADO_ORG_ID}"'


def test_the_newer_issuer_is_given(dev: Environment) -> None:
    """As the service connection shows it."""
    assert credentials(dev, Options(issuer=TENANT, subject="/eid1/c/pub/t/x")) == [(TENANT, "/eid1/c/pub/t/x")]


def test_a_connection_is_made_before_it_is_trusted(dev: Environment) -> None:
    """Its subject exists only once it does: create, read back, then the credential."""
    lines = commands(dev, Options(), ("federation",))
    post = next(i for i, line in enumerate(lines) if "--method POST" in line and "endpoints" in line)
    read = next(i for i, line in enumerate(lines) if line.startswith("SUBJECT=$("))
    made = next(i for i, line in enumerate(lines) if "federated-credential create" in line)
    assert post < read < made
    assert credentials(dev, Options()) == [('"${ISSUER}"', '"${SUBJECT}"')]


def test_github(dev: Environment) -> None:
    """Branch, environment and pull request, one credential each."""
    subjects = ("branch:main", "environment:prod", "pull_request")
    assert credentials(dev, Options(github="contoso/mcp", github_subjects=subjects)) == [
        (GITHUB_ISSUER, "repo:contoso/mcp:ref:refs/heads/main"),
        (GITHUB_ISSUER, "repo:contoso/mcp:environment:prod"),
        (GITHUB_ISSUER, "repo:contoso/mcp:pull_request"),
    ]


def test_github_by_ids(dev: Environment) -> None:
    """What a repository made since July 2026 sends; its name alone would not be trusted."""
    options = Options(github="octo-org@1234567/mcp@7654321", github_subjects=("environment:mcp-dev",))
    subject = "repo:octo-org@1234567/mcp@7654321:environment:mcp-dev"
    assert credentials(dev, options) == [(GITHUB_ISSUER, subject)]
    assert credentials(dev, Options(issuer=GITHUB_ISSUER, subject=subject)) == [(GITHUB_ISSUER, subject)]


def test_a_trust_by_name_says_where_it_ends(dev: Environment, cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    bootstrap.bootstrap(dev, Runner(yes=True), Options(), ("identity",))
    for repository, warned in (("contoso/mcp", True), ("contoso@1/mcp@2", False)):
        bootstrap.bootstrap(dev, Runner(yes=True), Options(github=repository), ("federation",))
        assert (federation.BY_NAME in " ".join(capsys.readouterr().err.split())) is warned


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"issuer": TENANT}, "--issuer was given without --subject"),
        ({"subject": "x"}, "--subject was given without --issuer"),
        (
            {"issuer": "https://vstoken.dev.azure.com/contoso", "subject": "x"},
            "must be https://vstoken.dev.azure.com/<org",
        ),
        ({"issuer": TENANT.replace("https", "http"), "subject": "x"}, "must be https"),
        ({"ado_org_id": "contoso"}, "--ado-org-id 'contoso' must be the organisation's GUID"),
        ({"github": "contoso"}, "must be OWNER/REPOSITORY"),
        ({"github": "contoso@12/mcp"}, "has one id of two"),
        ({"github": "contoso@x/mcp@7"}, "must be OWNER/REPOSITORY"),
        ({"github_subjects": ("branch:main",)}, "needs --github"),
        ({"github": "a/b", "github_subjects": ("branch:*",)}, "takes no wildcard"),
        ({"github": "a/b", "github_subjects": ("main",)}, "must be branch:NAME"),
        ({"github": "a/b", "issuer": TENANT, "subject": "x"}, "--github stands alone"),
    ],
)
def test_bad_input(given: dict[str, Any], sentence: str) -> None:
    """One sentence with input, rule and remedy."""
    with pytest.raises(UsageError, match=sentence.replace("*", r"\*")):
        Options(**given)


def test_a_credential_is_found_by_what_it_trusts() -> None:
    """Azure takes one of each issuer and subject, whatever its name."""
    assert judge([HELD], "ado-federation", ORG, HELD["subject"]).state == "there"
    assert judge([{**HELD, "name": "made-by-hand"}], "ado-federation", ORG, HELD["subject"]).text == (
        "under the name made-by-hand"
    )


def test_a_credential_that_trusts_another_is_changed() -> None:
    """The documented issuer with the organisation's name never worked."""
    named = {**HELD, "issuer": "https://vstoken.dev.azure.com/contoso"}
    found = judge([named], "ado-federation", ORG, HELD["subject"])
    assert (found.state, found.text) == ("differs", f"trusts {named['issuer']} for {named['subject']}")
    assert judge([{**HELD, "audiences": ["other"]}], "ado-federation", ORG, HELD["subject"]).state == "differs"
    assert judge([], "ado-federation", ORG, HELD["subject"]).state == "missing"


def _devops(cloud: Cloud, connections: list[Any]) -> None:
    reading = cloud._read

    def read(arguments: tuple[str, ...], words: str) -> Any:
        if "_apis/projects" in words:
            return {"id": "p"}
        return {"value": connections} if "serviceendpoint" in words else reading(arguments, words)

    cloud._read = read  # type: ignore[method-assign]


def _connection(**changes: Any) -> dict[str, Any]:
    parameters = {"serviceprincipalid": RECORDED["identity show"]["clientId"]}
    return {"authorization": {"scheme": "WorkloadIdentityFederation", "parameters": parameters, **changes}}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"scheme": "ServicePrincipal"}, "signs in by ServicePrincipal, which needs a secret"),
        ({"parameters": {"serviceprincipalid": "other"}}, "is for client other"),
    ],
)
def test_a_connection_of_somebody_else(dev: Environment, cloud: Cloud, changes: dict[str, Any], sentence: str) -> None:
    """It is never trusted, nor changed."""
    bootstrap.bootstrap(dev, Runner(yes=True), Options(), ("identity",))
    _devops(cloud, [_connection(**changes)])
    with pytest.raises(BootstrapError, match=sentence):
        bootstrap.bootstrap(dev, Runner(yes=True), Options(), ("federation",))
    assert cloud.lists["credential"] == []


def test_without_access_to_azure_devops_the_portal_is_explained(dev: Environment, cloud: Cloud) -> None:
    """Every value is filled in, and az's own words are there."""
    bootstrap.bootstrap(dev, Runner(yes=True), Options(), ("identity",))
    cloud.refuse["dev.azure.com"] = [AzError("az says: TF400813")]
    with pytest.raises(BootstrapError) as caught:
        bootstrap.bootstrap(dev, Runner(yes=True), Options(), ("federation",))
    assert all(
        word in str(caught.value) for word in ("TF400813", "id-mcp-pipeline", "sc-mcp", "--issuer and --subject")
    )


def test_what_azure_devops_does_not_make_is_explained_too(dev: Environment, cloud: Cloud) -> None:
    """Whoever may read connections may not create them: the same sentence, and nothing is trusted."""
    bootstrap.bootstrap(dev, Runner(yes=True), Options(), ("identity",))
    _devops(cloud, [])
    cloud.refuse["--method POST"] = [AzError("az says: Access denied: needs Administer permissions")]
    with pytest.raises(BootstrapError, match=r"cannot be made \(az says: Access denied.*New service connection"):
        bootstrap.bootstrap(dev, Runner(yes=True), Options(), ("federation",))
    assert cloud.lists["credential"] == []


def test_the_subject_of_the_older_form(dev: Environment) -> None:
    """sc://organisation/project/connection."""
    assert federation.documented_subject(dev) == "sc://contoso/mcp/sc-mcp"
