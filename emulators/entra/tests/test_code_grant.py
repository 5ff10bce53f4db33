"""Redeeming an authorization code."""

from __future__ import annotations

import base64

import pytest

from emulators.entra.tests.driver import (
    API,
    BACKEND,
    CLIENT,
    SCOPE,
    STRANGER,
    TENANT,
    VERIFIER,
    Driver,
    challenge,
    claims,
    refused,
)


def test_the_response_is_shaped_as_entras(driver: Driver) -> None:
    """Bearer, lifetimes, the granted scope with its resource, and no caching."""
    answer = driver.redeem(driver.code())
    body = answer.json()
    assert (body["token_type"], body["scope"], body["expires_in"]) == ("Bearer", SCOPE, 3599)
    assert {"access_token", "refresh_token", "id_token", "ext_expires_in"} <= set(body)
    assert "no-store" in answer.headers["cache-control"]


def test_only_what_was_asked_for_is_returned(driver: Driver) -> None:
    """No refresh token without offline_access, no ID token without openid, client_info on request."""
    assert set(driver.tokens(scope=SCOPE)) == {"token_type", "scope", "expires_in", "ext_expires_in", "access_token"}
    assert "client_info" in driver.redeem(driver.code(), client_info="1").json()


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"grant_type": None}, 900144, 400),
        ({"grant_type": "password"}, 70003, 400),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:saml2-bearer"}, 70003, 400),
        ({"client_id": None}, 900144, 400),
        ({"client_id": "aaaaaaaa-0000-4000-8000-00000000000f"}, 700016, 400),
        ({"client_id": STRANGER}, 70000, 400),
        ({"code": None}, 900144, 400),
        ({"code": "made-up"}, 70000, 400),
        ({"redirect_uri": None}, 900144, 400),
        ({"redirect_uri": "http://localhost/callback"}, 500112, 400),
        ({"code_verifier": None}, 50148, 400),
        ({"code_verifier": "w" * 43}, 501481, 400),
        ({"code_verifier": ""}, 50148, 400),
        ({"client_secret": "right-secret"}, 700025, 401),
        ({"client_assertion": "a.b.c", "client_assertion_type": "x"}, 700027, 401),
        ({"resource": "http://127.0.0.1:8080/mongodb/mcp"}, 9010010, 400),
        ({"scope": f"api://{BACKEND}/.default"}, 50105, 400),
        ({"scope": "Mcp.Access"}, 650053, 400),
    ],
)
def test_a_wrong_redemption_is_refused(driver: Driver, changes: dict[str, str | None], code: int, status: int) -> None:
    """Each with Entra's code and error shape."""
    answer = driver.redeem(driver.code(), **changes)
    assert (refused(answer), answer.status_code) == (code, status)
    assert "no-store" in answer.headers["cache-control"]


def test_a_code_works_once(driver: Driver) -> None:
    """The second redemption is AADSTS54005."""
    code = driver.code()
    assert driver.redeem(code).status_code == 200
    assert refused(driver.redeem(code)) == 54005


def test_a_failed_redemption_spends_the_code(driver: Driver) -> None:
    """A guess at the verifier has one attempt."""
    code = driver.code()
    assert refused(driver.redeem(code, code_verifier="w" * 43)) == 501481
    assert refused(driver.redeem(code)) == 54005


def test_a_code_lives_ten_minutes(driver: Driver) -> None:
    """Later it is AADSTS70008."""
    early, late = driver.code(), driver.code()
    driver.clock.now += 599
    assert driver.redeem(early).status_code == 200
    driver.clock.now += 1
    assert refused(driver.redeem(late)) == 70008


def test_plain_challenges_are_compared_as_they_are(driver: Driver) -> None:
    """`plain`, also where the method is left out (RFC 7636, 4.3)."""
    for method in ("plain", None):
        code = driver.code(code_challenge=VERIFIER, code_challenge_method=method)
        assert driver.redeem(code).status_code == 200


def test_a_challenge_as_verifier_does_not_pass_for_s256(driver: Driver) -> None:
    """Downgrading S256 to plain at the token endpoint is impossible."""
    assert refused(driver.redeem(driver.code(), code_verifier=challenge())) == 501481


def test_a_verifier_without_a_challenge_is_refused(driver: Driver) -> None:
    """Somebody stripped the challenge on the way (RFC 9700)."""
    code = driver.code(code_challenge=None, code_challenge_method=None)
    assert refused(driver.redeem(code)) == 501481
    code = driver.code(code_challenge=None, code_challenge_method=None)
    assert driver.redeem(code, code_verifier=None).status_code == 200


def test_a_public_client_may_not_come_from_a_browser(driver: Driver) -> None:
    """A forwarded Origin header is AADSTS9002326."""
    issued = driver.code()
    driver.http.headers["Origin"] = "http://127.0.0.1:6274"
    assert refused(driver.redeem(issued)) == 9002326


def test_a_web_client_must_authenticate(driver: Driver) -> None:
    """Without, wrong, expired and right secret."""
    web = "https://web.example/callback"

    def attempt(**changes: str) -> int:
        answer = driver.redeem(driver.code(redirect_uri=web), redirect_uri=web, **changes)
        return 0 if answer.status_code == 200 else refused(answer)

    assert attempt() == 7000218
    assert attempt(client_secret="wrong") == 7000215
    assert attempt(client_secret="old-secret") == 7000222
    assert attempt(client_secret="right-secret") == 0


def test_client_secret_basic_is_accepted(driver: Driver) -> None:
    """RFC 6749, 2.3.1; and azpacr says that a secret was used."""
    web = "https://web.example/callback"
    form = {"grant_type": "authorization_code", "code": driver.code(redirect_uri=web), "redirect_uri": web}
    basic = base64.b64encode(f"{CLIENT}:right-secret".encode()).decode()
    answer = driver.post("token", form | {"code_verifier": VERIFIER}, {"Authorization": f"Basic {basic}"})
    assert claims(answer.json()["access_token"])["azpacr"] == "1"


@pytest.mark.parametrize(
    ("header", "extra"),
    [
        ("Basic !!!", {}),
        ("Bearer abc", {}),
        ("Basic " + base64.b64encode(f"{CLIENT}:x".encode()).decode(), {"client_secret": "x"}),
        ("Basic " + base64.b64encode(b"other:x").decode(), {}),
    ],
)
def test_unclear_client_authentication_is_refused(driver: Driver, header: str, extra: dict[str, str]) -> None:
    """One way of authenticating, well-formed."""
    form = {"grant_type": "client_credentials", "client_id": CLIENT, **extra}
    assert refused(driver.post("token", form, {"Authorization": header})) == 9002313


def test_a_single_page_application_redeems_from_its_origin(driver: Driver) -> None:
    """Its tokens need an Origin header, and the answer may be read there."""
    spa = "https://spa.example/callback"
    assert refused(driver.redeem(driver.code(redirect_uri=spa), redirect_uri=spa)) == 9002327
    issued = driver.code(redirect_uri=spa)
    driver.http.headers["Origin"] = "https://spa.example"
    answer = driver.redeem(issued, redirect_uri=spa)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


def test_the_nonce_comes_back_in_the_id_token(driver: Driver) -> None:
    """OpenID Connect Core, 3.1.2.1."""
    assert claims(driver.tokens(nonce="n-1")["id_token"])["nonce"] == "n-1"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"grant_type": "client_credentials"}', "application/json"),
        (b"x", "multipart/form-data; boundary=b"),
        (b"a=%ff", "application/x-www-form-urlencoded"),
        (b"a=\xc3\xa4", "application/x-www-form-urlencoded"),
        (b"a=1&" * 200, "application/x-www-form-urlencoded"),
        (b"a=" + b"x" * 70_000, "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_is_no_small_form_is_refused(driver: Driver, body: bytes, content_type: str) -> None:
    """And nothing crashes."""
    answer = driver.http.post(f"/{TENANT}/oauth2/v2.0/token", content=body, headers={"Content-Type": content_type})
    assert refused(answer) == 9002313


def test_repeated_form_parameters_are_refused(driver: Driver) -> None:
    """RFC 6749, 3.2: parameters must not be included more than once."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = driver.http.post(f"/{TENANT}/oauth2/v2.0/token", content=b"grant_type=a&grant_type=b", headers=headers)
    assert refused(answer) == 9000411


def test_the_token_endpoint_takes_posts_only(driver: Driver) -> None:
    """AADSTS900561, and a preflight is answered."""
    answer = driver.http.get(f"/{TENANT}/oauth2/v2.0/token")
    assert (refused(answer), answer.status_code) == (900561, 405)
    assert driver.http.options(f"/{TENANT}/oauth2/v2.0/token").status_code == 200


def test_the_callers_correlation_id_comes_back(driver: Driver) -> None:
    """`client-request-id`, where it is a GUID."""
    sent = "12345678-1234-1234-1234-123456789abc"
    assert driver.post("token", {}, {"client-request-id": sent}).json()["correlation_id"] == sent
    assert driver.post("token", {}, {"client-request-id": "<b>"}).json()["correlation_id"] != "<b>"


def test_openid_scopes_alone_are_for_graph(driver: Driver) -> None:
    """As in Entra ID the access token is then Microsoft Graph's."""
    body = driver.tokens(scope="openid profile")
    assert claims(body["access_token"])["aud"] == "00000003-0000-0000-c000-000000000000"
    assert body["scope"] == "openid profile"


def test_the_redemption_may_repeat_only_openid_scopes(driver: Driver) -> None:
    """The resource signed in for is still meant."""
    body = driver.redeem(driver.code(), scope="openid offline_access").json()
    assert claims(body["access_token"])["aud"] == API
