"""Every page that a person meets at sign-in, looked at in light and dark, narrow and wide; none of them runs a script.

Where a page comes with a status of 400, the browser notes that: it is no complaint.
"""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from tests.browser.looks import look_at
from tests.support.chromium import Chromium
from tests.support.platform_under_test import Platform, request

CHALLENGE = "c" * 43
LONG = "https://global.consent.azure-apim.net/redirect/" + "cr1a2-5fmongodb-5f0123456789abcdef" * 5
#: What assistive technology needs of a page, of those too that API Management writes.
STRUCTURE = """
(() => ({
  lang: document.documentElement.lang,
  headings: document.querySelectorAll('h1').length,
  main: document.querySelectorAll('main').length,
  titled: document.title.length > 5,
  scripts: document.querySelectorAll('script').length,
  nameless: [...document.querySelectorAll('a, button')].filter(e => !(e.innerText || '').trim()).length,
}))()
"""
SOUND = {"lang": "en", "headings": 1, "main": 1, "titled": True, "scripts": 0, "nameless": 0}


def desktop(platform: Platform) -> str:
    """The client id that the façade gives a client of this machine."""
    body = json.dumps({"redirect_uris": ["http://localhost/callback"]}).encode()
    answer = request(f"{platform.gateway}/oauth/register", body, {"Content-Type": "application/json"})
    return str(answer.json["client_id"])


def authorize(platform: Platform, at: str, **changes: str) -> str:
    """An authorization request of a client that has registered, to the façade or to the issuer."""
    query = {
        "response_type": "code",
        "client_id": desktop(platform),
        "redirect_uri": "http://localhost:51234/callback",
        "scope": platform.status["scope"],
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }
    return f"{at}?{urlencode(query)}"


def inspect(browser: Chromium, name: str) -> None:
    assert browser.run(STRUCTURE) == SOUND
    look_at(browser, f"sign-in-{name}")
    browser.problems.clear()


@pytest.fixture
def facade(platform: Platform) -> str:
    return f"{platform.gateway}/oauth/authorize"


@pytest.fixture
def issuer(platform: Platform) -> str:
    return f"{platform.status['authority'].removesuffix('/v2.0')}/oauth2/v2.0/authorize"


def test_the_account_is_picked_and_consent_is_given(
    browser: Chromium, platform: Platform, facade: str, issuer: str
) -> None:
    """Through the façade the first; the consent, which ours have in advance, as another client meets it."""
    browser.open(authorize(platform, facade, resource=platform.endpoint))
    inspect(browser, "account")
    browser.open(authorize(platform, issuer, prompt="consent"))
    browser.click("button", "Rae Reader")
    assert "Permissions requested" in browser.text()
    inspect(browser, "consent")


REFUSALS = {
    "address": ({"redirect_uri": LONG}, "This redirect_uri is not registered for this client."),
    "client": ({"client_id": "unknown"}, "This client_id is not registered: register first."),
    "document": (
        {"client_id": "https://evil.example/client.json"},
        "This client's metadata document is not trusted here: ask the platform team to add it to mcp_clients.",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_who_the_facade_refuses_sees_why(name: str, browser: Chromium, platform: Platform, facade: str) -> None:
    changes, words = REFUSALS[name]
    browser.open(authorize(platform, facade, resource=platform.endpoint, **changes))
    assert words in browser.text()
    inspect(browser, f"refused-{name}")


def test_who_the_issuer_refuses_sees_why(browser: Chromium, platform: Platform, issuer: str) -> None:
    browser.open(authorize(platform, issuer, redirect_uri="https://evil.example/callback"))
    assert "AADSTS50011" in browser.text()
    inspect(browser, "refused-by-the-issuer")
