"""Redeeming an authorization code."""

from __future__ import annotations

import base64

import pytest

from emulators.entra.tests.world import (
    API,
    BACKEND,
    CLIENT,
    SCOPE,
    STRANGER,
    TENANT,
    VERIFIER,
    World,
    challenge,
    claims,
    refused,
)


def test_the_response_is_shaped_as_entras(world: World) -> None:
    """Bearer, lifetimes, the granted scope with its resource, and no caching."""
    answer = world.redeem(world.code())
    body = answer.json()
    assert (body["token_type"], body["scope"], body["expires_in"]) == ("Bearer", SCOPE, 3599)
    assert {"access_token", "refresh_token", "id_token", "ext_expires_in"} <= set(body)
    assert "no-store" in answer.headers["cache-control"]


def test_only_what_was_asked_for_is_returned(world: World) -> None:
    """No refresh token without offline_access, no ID token without openid, client_info on request."""
    assert set(world.tokens(scope=SCOPE)) == {"token_type", "scope", "expires_in", "ext_expires_in", "access_token"}
    assert "client_info" in world.redeem(world.code(), client_info="1").json()


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"grant_type": None}, 900144, 400),
        ({"grant_type": "password"}, 70003, 400),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}, 70003, 400),
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
def test_a_wrong_redemption_is_refused(world: World, changes: dict[str, str | None], code: int, status: int) -> None:
    """Each with Entra's code and error shape."""
    answer = world.redeem(world.code(), **changes)
    assert (refused(answer), answer.status_code) == (code, status)
    assert "no-store" in answer.headers["cache-control"]


def test_a_code_works_once(world: World) -> None:
    """The second redemption is AADSTS54005."""
    code = world.code()
    assert world.redeem(code).status_code == 200
    assert refused(world.redeem(code)) == 54005


def test_a_failed_redemption_spends_the_code(world: World) -> None:
    """A guess at the verifier has one attempt."""
    code = world.code()
    assert refused(world.redeem(code, code_verifier="w" * 43)) == 501481
    assert refused(world.redeem(code)) == 54005


def test_a_code_lives_ten_minutes(world: World) -> None:
    """Later it is AADSTS70008."""
    early, late = world.code(), world.code()
    world.clock.now += 599
    assert world.redeem(early).status_code == 200
    world.clock.now += 1
    assert refused(world.redeem(late)) == 70008


def test_plain_challenges_are_compared_as_they_are(world: World) -> None:
    """`plain`, also where the method is left out (RFC 7636, 4.3)."""
    for method in ("plain", None):
        code = world.code(code_challenge=VERIFIER, code_challenge_method=method)
        assert world.redeem(code).status_code == 200


def test_a_challenge_as_verifier_does_not_pass_for_s256(world: World) -> None:
    """Downgrading S256 to plain at the token endpoint is impossible."""
    assert refused(world.redeem(world.code(), code_verifier=challenge())) == 501481


def test_a_verifier_without_a_challenge_is_refused(world: World) -> None:
    """Somebody stripped the challenge on the way (RFC 9700)."""
    code = world.code(code_challenge=None, code_challenge_method=None)
    assert refused(world.redeem(code)) == 501481
    code = world.code(code_challenge=None, code_challenge_method=None)
    assert world.redeem(code, code_verifier=None).status_code == 200


def test_a_public_client_may_not_come_from_a_browser(world: World) -> None:
    """A forwarded Origin header is AADSTS9002326."""
    issued = world.code()
    world.http.headers["Origin"] = "http://127.0.0.1:6274"
    assert refused(world.redeem(issued)) == 9002326


def test_a_web_client_must_authenticate(world: World) -> None:
    """Without, wrong, expired and right secret."""
    web = "https://web.example/callback"

    def attempt(**changes: str) -> int:
        answer = world.redeem(world.code(redirect_uri=web), redirect_uri=web, **changes)
        return 0 if answer.status_code == 200 else refused(answer)

    assert attempt() == 7000218
    assert attempt(client_secret="wrong") == 7000215
    assert attempt(client_secret="old-secret") == 7000222
    assert attempt(client_secret="right-secret") == 0


def test_client_secret_basic_is_accepted(world: World) -> None:
    """RFC 6749, 2.3.1; and azpacr says that a secret was used."""
    web = "https://web.example/callback"
    form = {"grant_type": "authorization_code", "code": world.code(redirect_uri=web), "redirect_uri": web}
    basic = base64.b64encode(f"{CLIENT}:right-secret".encode()).decode()
    answer = world.post("token", form | {"code_verifier": VERIFIER}, {"Authorization": f"Basic {basic}"})
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
def test_unclear_client_authentication_is_refused(world: World, header: str, extra: dict[str, str]) -> None:
    """One way of authenticating, well-formed."""
    form = {"grant_type": "client_credentials", "client_id": CLIENT, **extra}
    assert refused(world.post("token", form, {"Authorization": header})) == 9002313


def test_a_single_page_application_redeems_from_its_origin(world: World) -> None:
    """Its tokens need an Origin header, and the answer may be read there."""
    spa = "https://spa.example/callback"
    assert refused(world.redeem(world.code(redirect_uri=spa), redirect_uri=spa)) == 9002327
    issued = world.code(redirect_uri=spa)
    world.http.headers["Origin"] = "https://spa.example"
    answer = world.redeem(issued, redirect_uri=spa)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


def test_the_nonce_comes_back_in_the_id_token(world: World) -> None:
    """OpenID Connect Core, 3.1.2.1."""
    assert claims(world.tokens(nonce="n-1")["id_token"])["nonce"] == "n-1"


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
def test_a_body_that_is_no_small_form_is_refused(world: World, body: bytes, content_type: str) -> None:
    """And nothing crashes."""
    answer = world.http.post(f"/{TENANT}/oauth2/v2.0/token", content=body, headers={"Content-Type": content_type})
    assert refused(answer) == 9002313


def test_repeated_form_parameters_are_refused(world: World) -> None:
    """RFC 6749, 3.2: parameters must not be included more than once."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = world.http.post(f"/{TENANT}/oauth2/v2.0/token", content=b"grant_type=a&grant_type=b", headers=headers)
    assert refused(answer) == 9000411


def test_the_token_endpoint_takes_posts_only(world: World) -> None:
    """AADSTS900561, and a preflight is answered."""
    answer = world.http.get(f"/{TENANT}/oauth2/v2.0/token")
    assert (refused(answer), answer.status_code) == (900561, 405)
    assert world.http.options(f"/{TENANT}/oauth2/v2.0/token").status_code == 200


def test_the_callers_correlation_id_comes_back(world: World) -> None:
    """`client-request-id`, where it is a GUID."""
    sent = "12345678-1234-1234-1234-123456789abc"
    assert world.post("token", {}, {"client-request-id": sent}).json()["correlation_id"] == sent
    assert world.post("token", {}, {"client-request-id": "<b>"}).json()["correlation_id"] != "<b>"


def test_openid_scopes_alone_are_for_graph(world: World) -> None:
    """As in Entra ID the access token is then Microsoft Graph's."""
    body = world.tokens(scope="openid profile")
    assert claims(body["access_token"])["aud"] == "00000003-0000-0000-c000-000000000000"
    assert body["scope"] == "openid profile"


def test_the_redemption_may_repeat_only_openid_scopes(world: World) -> None:
    """The resource signed in for is still meant."""
    body = world.redeem(world.code(), scope="openid offline_access").json()
    assert claims(body["access_token"])["aud"] == API
