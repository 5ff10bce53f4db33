"""Metadata documents, and what is deliberately not there."""

from __future__ import annotations

import pytest

from emulators.entra.tests.driver import BASE, TENANT, Driver, refused


def test_the_v2_document_names_this_tenant(driver: Driver) -> None:
    """Issuer and endpoints, all below the authority, whatever the Host header says."""
    for host in ("127.0.0.1:8081", "localhost:1"):
        answer = driver.http.get(f"/{TENANT}/v2.0/.well-known/openid-configuration", headers={"Host": host})
        document = answer.json()
        assert document["issuer"] == f"{BASE}/{TENANT}/v2.0"
        assert document["authorization_endpoint"] == f"{BASE}/{TENANT}/oauth2/v2.0/authorize"
        assert document["token_endpoint"] == f"{BASE}/{TENANT}/oauth2/v2.0/token"
        assert document["jwks_uri"] == f"{BASE}/{TENANT}/discovery/v2.0/keys"
        assert "localhost" not in answer.text
        assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "[", ""])
def test_a_foreign_host_is_not_served(driver: Driver, host: str) -> None:
    """A page whose name resolves to this machine (DNS rebinding) gets nothing."""
    answer = driver.http.get(f"/{TENANT}/v2.0/.well-known/openid-configuration", headers={"Host": host})
    assert answer.status_code == 421


def test_what_entra_omits_is_omitted(driver: Driver) -> None:
    """No PKCE advertisement, no registration: two of the three reasons for the façade."""
    document = driver.http.get(f"/{TENANT}/v2.0/.well-known/openid-configuration").json()
    absent = {
        "code_challenge_methods_supported",
        "registration_endpoint",
        "authorization_response_iss_parameter_supported",
    }
    assert not absent & set(document)


@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/oauth-authorization-server",
        f"/.well-known/oauth-authorization-server/{TENANT}/v2.0",
        f"/{TENANT}/v2.0/.well-known/oauth-authorization-server",
        f"/.well-known/openid-configuration/{TENANT}/v2.0",
        "/.well-known/openid-configuration",
        f"/{TENANT}/oauth2/v2.0/register",
        "/",
    ],
)
def test_paths_that_entra_does_not_have_are_404(driver: Driver, path: str) -> None:
    """RFC 8414 metadata is the third reason."""
    assert driver.http.get(path).status_code == 404


def test_the_v1_document_has_the_old_issuer(driver: Driver) -> None:
    """`sts.windows.net`."""
    document = driver.http.get(f"/{TENANT}/.well-known/openid-configuration").json()
    assert document["issuer"] == f"https://sts.windows.net/{TENANT}/"


def test_the_shared_document_has_a_placeholder(driver: Driver) -> None:
    """`{tenantid}` in the issuer of /common."""
    document = driver.http.get("/common/v2.0/.well-known/openid-configuration").json()
    assert document["issuer"] == f"{BASE}/{{tenantid}}/v2.0"
    assert document["token_endpoint"] == f"{BASE}/common/oauth2/v2.0/token"


@pytest.mark.parametrize(
    "path", ["v2.0/.well-known/openid-configuration", ".well-known/openid-configuration", "discovery/v2.0/keys"]
)
def test_another_tenant_has_no_documents(driver: Driver, path: str) -> None:
    """AADSTS90002."""
    assert refused(driver.http.get(f"/11111111-0000-4000-8000-000000000001/{path}")) == 90002


def test_keys_are_public_and_named_as_entras(driver: Driver) -> None:
    """kid, use, x5t and issuer; no `alg`, and no private part."""
    keys = driver.http.get(f"/{TENANT}/discovery/v2.0/keys").json()["keys"]
    assert len(keys) >= 2
    for key in keys:
        assert set(key) == {"kty", "n", "e", "kid", "use", "x5t", "issuer"}
        assert (key["use"], key["issuer"]) == ("sig", f"{BASE}/{TENANT}/v2.0")


def test_instance_discovery_names_this_host(driver: Driver) -> None:
    """What MSAL asks before it trusts an authority."""
    document = driver.http.get("/common/discovery/instance").json()
    assert document["metadata"][0]["aliases"] == ["127.0.0.1:8081"]
    assert document["tenant_discovery_endpoint"].startswith(f"{BASE}/{TENANT}/")
