"""Client ID metadata documents, attacked: draft-ietf-oauth-client-id-metadata-document-02, security considerations.

What a document may say, and which addresses are trusted at all, is tried without sockets in
tests/plan/test_served_registration.py; here the documents are served.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from ops.clients.registrations import REGISTRATIONS
from tests.support.browser import Browser
from tests.support.document_server import DocumentServer
from tests.support.platform_under_test import Answer, Platform, request

VERIFIER = "d" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
CALLBACK = "http://127.0.0.1:52346/documented"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(autouse=True)
def no_documents_of_others(documents: DocumentServer) -> Iterator[None]:
    documents.asked.clear()
    yield
    documents.documents.clear()


def url(platform: Platform, client: str, **changes: Any) -> str:
    query = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": CALLBACK,
        "scope": f"{platform.status['scope']} offline_access",
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "resource": platform.endpoint,
        **changes,
    }
    return f"{platform.gateway}/oauth/authorize?{urlencode(query)}"


def redeem(platform: Platform, client: str, code: str, **changes: Any) -> Answer:
    form = {
        "grant_type": "authorization_code",
        "client_id": client,
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "resource": platform.endpoint,
        **changes,
    }
    return request(f"{platform.gateway}/oauth/token", urlencode(form).encode(), FORM)


def code_for(platform: Platform, client: str) -> str:
    browser = Browser()
    with contextlib.suppress(OSError):  # nobody serves the callback: the address is all that is wanted
        browser.sign_in(url(platform, client), "reader")
    return parse_qs(urlsplit(browser.opened[-1]).query)["code"][0]


def test_a_person_signs_in_to_a_client_that_nobody_registered(platform: Platform, documents: DocumentServer) -> None:
    """The honest way, first: document, page, code, token, call, refresh; each under the document's address."""
    client = documents.publish("/client.json", CALLBACK)
    bought = redeem(platform, client, code_for(platform, client))
    assert bought.status == 200, bought.text
    token = bought.json["access_token"]
    assert platform.call("tools/list", headers={"Authorization": f"Bearer {token}"}).status == 200
    form = {"grant_type": "refresh_token", "client_id": client, "refresh_token": bought.json["refresh_token"]}
    assert request(f"{platform.gateway}/oauth/token", urlencode(form).encode(), FORM).status == 200
    assert documents.asked == ["/client.json"]


def test_a_code_of_one_client_is_nothing_to_another(platform: Platform, documents: DocumentServer) -> None:
    """Neither a registered client nor another entry's document redeems it."""
    client = documents.publish("/client.json", CALLBACK)
    desktop = platform.status["client_id"]
    for thief in (desktop, "https://vscode.dev/oauth/client-metadata.json", f"{documents.url}/unlisted.json"):
        answer = redeem(platform, thief, code_for(platform, client))
        assert answer.status in (400, 401), answer.text
        assert "access_token" not in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "{url}/unlisted.json",
        "{url}/client.json?x=1",
        "{url}/client.json#x",
        "{url}/x/../client.json",
        "{url}//client.json",
        "{https}/client.json",
        "http://localhost:{port}/client.json",
        "http://127.0.0.2:{port}/client.json",
        "http://2130706433:{port}/client.json",
        "http://x@127.0.0.1:{port}/client.json",
        "https://chatgpt.com@127.0.0.1:{port}/client.json",
        "https://chatgpt.com:{port}/client.json",
        "https://127.0.0.1:{port}/client.json",
        "https://169.254.169.254/metadata/identity/oauth2/token",
        "https://mongodb-admin-a.mcp.internal/mcp",
        "file:///etc/passwd",
    ],
)
def test_the_gateway_calls_no_address_that_a_stranger_names(
    platform: Platform, documents: DocumentServer, address: str
) -> None:
    """Server-side request forgery: a server that listens right here hears nothing."""
    documents.publish("/client.json", CALLBACK)
    port = documents.url.rpartition(":")[2]
    named = address.format(url=documents.url, https=documents.url.replace("http:", "https:"), port=port)
    answer = request(url(platform, named))
    assert (answer.status, answer.json["error"]) == (400, "invalid_client")
    assert documents.asked == []


def test_a_document_that_moved_is_not_followed(platform: Platform, documents: DocumentServer) -> None:
    """A redirect of a trusted address leads nowhere: not to this machine, not to the identity endpoint."""
    documents.publish("/client.json", CALLBACK)
    for target in (f"{documents.url}/client.json", "http://169.254.169.254/metadata/identity/oauth2/token"):
        documents.documents["/moved.json"] = (302, {"Location": target})
        answer = request(url(platform, f"{documents.url}/moved.json"))
        assert (answer.status, answer.json["error"]) == (400, "invalid_client")
    assert set(documents.asked) == {"/moved.json"}


def test_a_document_speaks_for_its_own_address_only(platform: Platform, documents: DocumentServer) -> None:
    """Spoofing: what says that it is another client is none."""
    documents.documents["/broken.json"] = {
        "client_id": "https://vscode.dev/oauth/client-metadata.json",
        "redirect_uris": [CALLBACK],
    }
    answer = request(url(platform, f"{documents.url}/broken.json"))
    assert (answer.status, answer.json["error"]) == (400, "invalid_client")


SWAPPED = [
    "https://evil.example/callback",
    "http://localhost:1/callback",
    "https://vscode.dev/redirect",
    "javascript:x",
]


@pytest.mark.parametrize("number", range(len(SWAPPED)), ids=SWAPPED)
def test_a_document_admits_no_address_of_its_own(platform: Platform, documents: DocumentServer, number: int) -> None:
    """Whatever a vendor's site is made to say: a code goes to addresses that the entry has, and to no other entry's."""
    client = documents.publish(f"/swapped-{number}.json", CALLBACK, SWAPPED[number])
    answer = request(url(platform, client, redirect_uri=SWAPPED[number]))
    assert (answer.status, "location" in answer.headers) == (400, False)
    assert documents.asked == [f"/swapped-{number}.json"]


def test_what_is_kept_is_nobody_else_s_to_change(platform: Platform, documents: DocumentServer) -> None:
    """Cache poisoning: for its time the document that was checked holds, whatever its site is made to say meanwhile.

    Another of the entry's own addresses, which it did not list, gets no code either.
    """
    client = documents.publish("/cached.json", CALLBACK)
    other = f"{CALLBACK}/other"
    assert request(url(platform, client)).status == 302
    assert (request(url(platform, client, redirect_uri=other)).status, documents.asked) == (400, ["/cached.json"])
    documents.publish("/cached.json", other, "https://evil.example/callback")
    for redirect in (other, "https://evil.example/callback"):
        answer = request(url(platform, client, redirect_uri=redirect, prompt="none"))
        assert (answer.status, "location" in answer.headers) == (400, False)
    documents.documents["/cached.json"] = (302, {"Location": "https://evil.example/client.json"})
    assert request(url(platform, client)).status == 302
    assert documents.asked == ["/cached.json"]


def _place(redirect: str) -> str:
    """An address without what is free in it."""
    return re.sub(r"^http://(localhost|127\.0\.0\.1)(:\d+)?/?", "loopback/", redirect)


def test_redirect_uris_are_not_swapped_between_entries(platform: Platform) -> None:
    """Each entry's client id with two addresses of each other entry: more would meet the limit of a minute."""
    addresses: dict[str, set[str]] = {}
    ids: dict[str, str] = {}
    for client in REGISTRATIONS.values():
        if client.entry:
            sent = client.at(platform.endpoint)
            if client.entry not in ids:  # once each: an address may ask so often a minute
                body = f'{{"redirect_uris": ["{sent.redirect_uris[0]}"]}}'.encode()
                answer = request(f"{platform.gateway}/oauth/register", body, {"Content-Type": "application/json"})
                ids[client.entry] = answer.json["client_id"]
            addresses.setdefault(client.entry, set()).update(sent.redirect_uris)
    assert len(set(ids.values())) == len(ids) == 5
    places = {entry: {_place(uri) for uri in uris} for entry, uris in addresses.items()}
    tried = 0
    for one, other in itertools.permutations(ids, 2):
        for redirect in sorted(uri for uri in addresses[other] if _place(uri) not in places[one])[:2]:
            tried += 1
            assert request(url(platform, ids[one], redirect_uri=redirect)).status == 400, (one, redirect)
    assert tried > 12
