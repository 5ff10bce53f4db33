"""Steps 1–3 decide on what az answered; nothing here runs az."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ops import bootstrap
from ops.bootstrap import Options, entra, federation, item, roles, state
from ops.cli.steps import Runner
from ops.config.environment import Environment
from ops.errors import AzError, BootstrapError, DeclinedError, UsageError
from tests.unit.ops.bootstrap.conftest import PRINCIPAL, RECORDED, Cloud
from tests.unit.ops.conftest import Make

ORG_ID = "77777777-7777-4777-8777-777777777777"
CLASSIC = Options(ado_org_id=ORG_ID)


def run(dev: Environment, options: Options = CLASSIC) -> None:
    bootstrap.bootstrap(dev, Runner(yes=True), options)


def test_everything_is_made_once(dev: Environment, cloud: Cloud) -> None:
    """The second run makes nothing."""
    run(dev)
    assert [" ".join(made[:3]) for made in cloud.made] == [
        "group create --name",
        "identity create --name",
        "identity federated-credential create",
        "role assignment create",
        "role assignment create",
        *["rest --method POST"] * 4,
        "storage account create",
        "role assignment create",
        "storage container create",
        "role assignment create",
    ]
    cloud.made.clear()
    run(dev)
    assert cloud.made == []


@pytest.mark.parametrize("done", range(13))
def test_an_interrupted_run_is_finished_by_the_next(dev: Environment, cloud: Cloud, done: int) -> None:
    """After any number of changes: each is made exactly once over both runs."""

    class Stop(BaseException):
        pass

    make, count = cloud._make, [0]

    def stops(arguments: tuple[str, ...], words: str) -> None:
        if count[0] == done:
            count[0] = -100
            cloud.made.pop()
            raise Stop
        count[0] += 1
        make(arguments, words)

    cloud._make = stops  # type: ignore[method-assign]
    with pytest.raises(Stop):
        run(dev)
    run(dev)
    assert len(cloud.made) == len(set(cloud.made)) == 13


def test_from_a_laptop_only_what_a_person_needs_is_made(
    make: Make, cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """No organisation, no identity, no directory permission: a resource group, and a state that the person opens."""
    settings = {"SUBSCRIPTION_ID": RECORDED["account show"]["id"], "STORAGE_ACCOUNT": "stmcptfstate"}
    environment = make("dev", **settings, CONTAINER_NAME="tfstate")
    run(environment, Options(without_pipeline=True))
    assert [" ".join(made[:3]) for made in cloud.made] == [
        "group create --name",
        "storage account create",
        "role assignment create",
        "storage container create",
    ]
    assert not (environment.home / "bootstrap.json").exists()
    said = " ".join(capsys.readouterr().err.split())
    assert entra.WARNING not in said
    cloud.made.clear()
    run(environment, Options(without_pipeline=True))
    assert cloud.made == []


@pytest.mark.parametrize("other", [{"github": "a/b"}, {"narrow": True}, {"minimal": True}, {"ado_org_id": "ask"}])
def test_without_a_pipeline_nothing_says_whose(other: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="--without-pipeline stands alone"):
        Options(without_pipeline=True, **other)  # type: ignore[arg-type]


def test_a_closed_account_is_told_of_and_nothing_is_changed(dev: Environment, cloud: Cloud) -> None:
    """Neither waited for like a new role, nor explained by the vault's settings."""
    run(dev)
    cloud.made.clear()
    cloud.refuse["storage container list"] = [AzError("not authorized by network rules", kind="network")]
    with pytest.raises(BootstrapError, match="storage account stmcptfstate does not let this machine in"):
        run(dev)
    assert cloud.made == []


def test_ids_are_printed_and_saved(dev: Environment, cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """Machines read them from stdout, the next day's person from the file."""
    run(dev)
    assert f"IDENTITY_PRINCIPAL_ID={PRINCIPAL}" in capsys.readouterr().out
    assert PRINCIPAL in (dev.home / "bootstrap.json").read_text(encoding="utf-8")


def test_a_person_can_decline(dev: Environment, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without "yes" nothing is made."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(DeclinedError):
        bootstrap.bootstrap(dev, Runner(), CLASSIC)
    assert cloud.made == []


def test_dry_run_asks_nothing_of_azure(dev: Environment, cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """Only commands, and no file."""
    cloud.refuse["a"] = [AzError("asked")] * 99
    bootstrap.bootstrap(dev, Runner(dry_run=True), CLASSIC)
    assert all(
        line.split()[0] in ("az", "terraform", "until") or "=$(az " in line
        for line in capsys.readouterr().out.splitlines()
    )
    assert not dev.home.exists()


def test_a_step_says_which_comes_before_it(dev: Environment, cloud: Cloud) -> None:
    """`bootstrap.entra` without an identity."""
    with pytest.raises(
        BootstrapError, match=r"identity id-mcp-pipeline does not exist; run `invoke bootstrap.identity`"
    ):
        bootstrap.bootstrap(dev, Runner(yes=True), Options(), ("entra",))


def test_local_needs_none_of_it(make: Make) -> None:
    """One sentence, exit code 2."""
    with pytest.raises(UsageError, match="local needs none of it"):
        bootstrap.bootstrap(make("local"), Runner(), Options())


def test_a_taken_name_is_said_before_anything_is_made(dev: Environment, cloud: Cloud) -> None:
    """The setting is named, and Azure's own words follow."""
    taken = {"nameAvailable": False, "reason": "AlreadyExists", "message": "stmcptfstate is already taken."}
    reading = cloud._read
    cloud._read = lambda a, w: taken if "check-name" in w else reading(a, w)  # type: ignore[method-assign]
    bootstrap.bootstrap(dev, Runner(yes=True), CLASSIC, ("identity",))
    with pytest.raises(BootstrapError, match=r"STORAGE_ACCOUNT 'stmcptfstate' is taken.*is already taken\.$"):
        bootstrap.bootstrap(dev, Runner(yes=True), CLASSIC, ("state",))
    assert "storage account" not in cloud.there


def test_a_new_role_is_waited_for(dev: Environment, cloud: Cloud) -> None:
    """Data planes refuse for minutes after the role was given."""
    young = AzError("You do not have the required permissions", kind="missing-role")
    cloud.refuse["storage container list"] = [young] * 4
    run(dev)
    assert cloud.refuse["storage container list"] == []
    assert "storage container" in cloud.there


def test_waiting_ends(dev: Environment, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a sentence that says what is missing and that the next run goes on."""
    monkeypatch.setattr(item, "PROPAGATION", 0.0)
    clock = iter(range(0, 10_000_000, 400))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    cloud.refuse["storage container list"] = [AzError("no", kind="missing-role")] * 1000
    with pytest.raises(BootstrapError, match=r"access .* is still missing after .* run it again"):
        run(dev)


def test_what_was_made_a_moment_ago_may_be_unknown(dev: Environment, cloud: Cloud) -> None:
    """A directory replica that does not know the new identity yet is asked again."""
    cloud.refuse["role assignment create"] = [AzError("Principal does not exist", kind="not-found")] * 2
    run(dev)
    assert len(cloud.lists["role"]) == 4


def test_other_refusals_end_the_run(dev: Environment, cloud: Cloud) -> None:
    """A missing role does not go away by waiting."""
    cloud.refuse["role assignment create"] = [AzError("AuthorizationFailed", kind="missing-role")]
    with pytest.raises(AzError, match="AuthorizationFailed"):
        run(dev)


def test_the_wrong_subscription_is_left(dev: Environment, cloud: Cloud) -> None:
    """az is told which one, first of all."""
    other = {**RECORDED["account show"], "id": "99999999-9999-4999-8999-999999999999"}
    reading = cloud._read

    def first_other(arguments: tuple[str, ...], words: str) -> object:
        return other if words == "account show" and not cloud.there else reading(arguments, words)

    cloud._read = first_other  # type: ignore[method-assign]
    run(dev)
    assert cloud.made[0] == ("account", "set", "--subscription", RECORDED["account show"]["id"])


def test_the_narrower_role(dev: Environment, cloud: Cloud) -> None:
    """--narrow gives no User Access Administrator, and its condition names exactly Terraform's roles."""
    run(dev, Options(ado_org_id=ORG_ID, narrow=True))
    given = {made[made.index("--role") + 1]: made for made in cloud.made if "--role" in made}
    assert "User Access Administrator" not in given
    condition = given["Role Based Access Control Administrator"]
    assert roles.only_terraforms_roles() in condition
    assert "Locks Contributor" in given  # neither of the two others makes the locks of data_protection
    assert all(roles.only_terraforms_roles().count(id_) == 2 for id_ in roles.GIVEN_BY_TERRAFORM.values())


def test_the_condition_lists_what_terraform_gives(project_roles: set[str]) -> None:
    """A role that terraform/ begins to give would be refused to a narrow pipeline."""
    assert set(roles.GIVEN_BY_TERRAFORM) == project_roles


@pytest.fixture
def project_roles() -> set[str]:
    import re

    from ops.config.environment import ROOT

    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "terraform").glob("stage*/*.tf")]
    given = [re.findall(r'^\s+role\s+= "([A-Z][A-Za-z ]+)"$', text, re.MULTILINE) for text in texts]
    return {role for found in given for role in found}


def test_minimal_gives_what_is_owned_only(dev: Environment, cloud: Cloud) -> None:
    """No directory role; what it makes it owns, and it reads users."""
    run(dev, Options(ado_org_id=ORG_ID, minimal=True))
    assert cloud.lists["directory"] == []
    assert {given["appRoleId"] for given in cloud.lists["permission"]} == set(entra.MINIMAL.values())


@pytest.mark.parametrize("minimal", [False, True])
def test_consent_to_sign_in_takes_a_permission_of_its_own(
    dev: Environment, cloud: Cloud, capsys: pytest.CaptureFixture[str], minimal: bool
) -> None:
    """Given where terraform.tfvars has Terraform consent, with a warning of what it allows besides."""
    asked = replace(dev, variables={**dev.variables, "grant_sign_in_consent": True})
    wanted = {*(entra.MINIMAL if minimal else entra.FULL).values(), *entra.CONSENT.values()}
    run(asked, Options(ado_org_id=ORG_ID, minimal=minimal))
    assert {given["appRoleId"] for given in cloud.lists["permission"]} == wanted
    assert entra.CONSENT_WARNING in " ".join(capsys.readouterr().err.split())


def test_what_the_rights_allow_is_said_first(
    dev: Environment, cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """A clear warning for the directory and for the subscription."""
    run(dev)
    said = " ".join(capsys.readouterr().err.split())
    assert entra.WARNING in said
    assert federation.WARNING in said


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"minimumTlsVersion": "TLS1_0"}, "minimum TLS is TLS1_0"),
        ({"allowBlobPublicAccess": None}, "blobs may be made public"),
        ({"allowSharedKeyAccess": None}, "keys of the account open it"),
    ],
)
def test_an_account_that_differs(changes: dict[str, object], text: str) -> None:
    """It is changed, not made again."""
    found = state.judge_account({**RECORDED["storage account show"], **changes})
    assert (found.state, found.text) == ("differs", text)


def test_an_account_without_recovery() -> None:
    """What az answers where nobody has switched anything on."""
    found = state.judge_recovery(
        {"isVersioningEnabled": None, "deleteRetentionPolicy": {"enabled": False, "days": None}}
    )
    assert found.text == "no versions, deleted blobs are kept 0 days, deleted containers are kept 0 days"
