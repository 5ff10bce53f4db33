"""A mistake in terraform/ shows: each case breaks one thing in a copy, deploys it, and sees a promise broken.

The cases share one deployment: each is one more `invoke deploy`, as a person would who edits and tries again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.support import own_platform
from tests.support.platform_under_test import Platform

pytestmark = [pytest.mark.minutes(3)]

Break = Callable[[str, str, str], AbstractContextManager[str]]

POLICIES = "modules/apim/policies"
GATEWAY_ROLE = """    gateway = {
      role                = "Gateway.Invoke"
      principal_object_id = local.gateway_identity.principal_id
    }
"""


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A deployed platform whose Terraform is a copy that may be broken."""
    with own_platform.deployed(own_platform.copied(tmp_path_factory.mktemp("broken"))) as platform:
        yield platform


@pytest.fixture
def broken(copied: Platform) -> Break:
    """Replaces text in one file and deploys: what the failing deployment says. The file is mended afterwards."""

    @contextmanager
    def replaced(file: str, old: str, new: str) -> Iterator[str]:
        path = Path(copied.variables["TERRAFORM_DIR"]) / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} no longer holds {old!r}: correct this test"
        path.write_text(text.replace(old, new), encoding="utf-8")
        try:
            deployed = copied.invoke("deploy", check=False)
            assert deployed.returncode != 0, deployed.stderr
            yield deployed.stderr.splitlines()[-1]
        finally:
            path.write_text(text, encoding="utf-8")

    return replaced


def test_a_policy_that_lets_anybody_in_is_caught(copied: Platform, broken: Break) -> None:
    """Policy: a caller without a role falls through to the reader tier."""
    with broken(f"{POLICIES}/mcp-api.xml.tftpl", "return &quot;&quot;;", "return &quot;reader&quot;;") as said:
        assert "403 is right" in said
        assert copied.call("tools/list", user="outsider").status == 200


def test_a_policy_without_its_identity_is_caught(copied: Platform, broken: Break) -> None:
    """Policy: without a token of its own the gateway is nobody to the servers."""
    element = (
        '<authentication-managed-identity resource="{{backend-app-id}}" client-id="{{gateway-identity-client-id}}" />'
    )
    with broken(f"{POLICIES}/fragment-mcp-upstream.xml.tftpl", element, "") as said:
        assert "does not accept this gateway" in said
        assert copied.call("tools/list", user="admin").status == 502


def test_a_misspelt_element_is_refused_by_name_and_line(copied: Platform, broken: Break) -> None:
    """Policy: what the gateway does not know stops the deployment before it is applied, and the gateway stays."""
    with broken(f"{POLICIES}/mcp-api.xml.tftpl", "<rate-limit-by-key ", "<rate-limit-by-keys ") as said:
        assert 'module.apim.azurerm_api_management_api_policy.mcp["mongodb"], line ' in said
        assert "<rate-limit-by-keys> is no policy of API Management's reference; correct it in" in said
        assert copied.call("tools/list", user="outsider").status == 403


def test_a_misnamed_app_role_is_caught(copied: Platform, broken: Break) -> None:
    """App role: named otherwise in the registration than where the policy reads it."""
    value = "value                = "
    renamed = f'{value}replace(app_role.key, "Mcp.Admin", "Mcp.Administrator")'
    with broken("modules/app-registration/main.tf", f"{value}app_role.key", renamed):
        copied._tokens.clear()  # roles stand in the token: sign in again
        assert copied.call("tools/list", user="admin").status == 403
        assert copied.call("tools/list", user="reader").status == 200


def test_a_missing_role_assignment_is_caught(copied: Platform, broken: Break) -> None:
    """Role assignment: the gateway's identity without Gateway.Invoke gets no token for the servers."""
    with broken("stage2/sign-in.tf", GATEWAY_ROLE, ""):
        assert copied.call("tools/list", user="reader").status >= 500


def test_a_dns_record_that_leads_elsewhere_is_named(copied: Platform, broken: Break) -> None:
    """Private DNS: the call only meets a 5xx, but deploy and status name the backend and the address."""
    with broken(
        "modules/container-instance/dns.tf", "[data.azurerm_container_group.this.ip_address]", '["10.9.9.9"]'
    ) as said:
        cause = "backend mongodb-admin-a cannot be reached: mongodb-admin-a.mcp.internal is 10.9.9.9"
        assert cause in said
        assert cause in copied.invoke("status", "--json", check=False).stdout


def test_mended_it_deploys_again(copied: Platform) -> None:
    """Nothing is left half-applied by the failures before: the next deployment of the right files is healthy."""
    copied.invoke("deploy")
    assert copied.call("tools/list", user="reader").status == 200
