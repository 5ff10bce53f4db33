"""Whatever is sent, the issuer answers on purpose."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulators.entra.tests.driver import API, CLIENT, GATEWAY, SCOPE, SECRET, TENANT, Driver

NAMES = (
    "client_id redirect_uri response_type response_mode scope resource state nonce prompt login_hint code_challenge "
    "code_challenge_method claims grant_type code code_verifier refresh_token client_secret client_assertion "
    "client_assertion_type device_code user_code transaction user accept api-version"
)
KNOWN = (
    f"{CLIENT} {API} {GATEWAY} {SCOPE} code http://localhost/callback http://[ http://localhost:99999/callback / // "
    "api:// authorization_code refresh_token client_credentials urn:ietf:params:oauth:grant-type:device_code /.default "
    "a.b.c e30.e30.e30 [] null 2019-08-01 \x00"
)
VALUES = st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.sampled_from(KNOWN.split()))
FIELDS = st.dictionaries(st.sampled_from(NAMES.split()), VALUES, max_size=8)
# The issuer keeps nothing between examples that could change an answer's class.
THOROUGH = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("path", [f"{TENANT}/oauth2/v2.0/authorize", "msi/token"])
@THOROUGH
@given(fields=FIELDS)
def test_no_query_is_a_crash(driver: Driver, path: str, fields: dict[str, str]) -> None:
    """An answer below 500, and a redirect only to what the client registered."""
    answer = driver.http.get(f"/{path}", params=fields, headers={"X-IDENTITY-HEADER": SECRET})
    assert answer.status_code < 500
    if answer.status_code == 302:
        assert answer.headers["location"].startswith("http://localhost")


@pytest.mark.parametrize(
    "path",
    [
        f"{TENANT}/oauth2/v2.0/token",
        f"{TENANT}/oauth2/v2.0/devicecode",
        f"{TENANT}/login",
        f"{TENANT}/consent",
        "devicelogin",
    ],
)
@THOROUGH
@given(fields=FIELDS)
def test_no_form_is_a_crash(driver: Driver, path: str, fields: dict[str, str]) -> None:
    """An answer below 500."""
    assert driver.http.post(f"/{path}", data=fields).status_code < 500
