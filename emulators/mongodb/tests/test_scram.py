"""SCRAM-SHA-256: several passwords for one name; the proof decides."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from emulators.mongodb.config import User
from emulators.mongodb.errors import CommandError
from emulators.mongodb.scram import Conversation, Credentials

USERS = [
    User("acct", "read-write key", "readWrite"),
    User("acct", "read-only key", "read"),
    User("o,=x", "pass", "read"),
]


@pytest.fixture(scope="module")
def credentials():
    return Credentials(USERS)


def client(conversation, name, password, *, nonce=None, channel="biws"):
    """A client written from RFC 5802, section 3: the user, and whether the server proved itself too."""
    bare = f"n={name.replace('=', '=3D').replace(',', '=2C')},r=clientnonce"
    first = conversation.first(f"n,,{bare}".encode()).decode()
    fields = dict(part.split("=", 1) for part in first.split(","))
    assert fields["r"].startswith("clientnonce")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    final = f"c={channel},r={nonce or fields['r']}"
    message = f"{bare},{first},{final}".encode()
    signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature, strict=True))).decode()
    user, answer = conversation.final(f"{final},p={proof}".encode())
    expected = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256")
    return user, answer == b"v=" + base64.b64encode(expected)


@pytest.mark.parametrize(("password", "role"), [("read-write key", "readWrite"), ("read-only key", "read")])
def test_the_password_picks_the_role(credentials, password, role):
    user, proved = client(Conversation(credentials), "acct", password)
    assert (user.role, proved) == (role, True)


def test_a_regenerated_key_opens_at_once_and_the_old_one_no_more():
    """Who has signed in is not asked again; a sign-in under way with a key that stays goes on."""
    held = Credentials(USERS)
    under_way = Conversation(held)
    begun = under_way.first(b"n,,n=acct,r=clientnonce")
    held.replace([User("acct", "regenerated", "readWrite"), *USERS[1:]])
    assert client(Conversation(held), "acct", "regenerated")[0].role == "readWrite"
    assert client(Conversation(held), "acct", "read-only key")[0].role == "read"
    with pytest.raises(CommandError):
        client(Conversation(held), "acct", "read-write key")
    under_way.first = lambda _: begun
    assert client(under_way, "acct", "read-only key")[0].role == "read"


def test_without_users_left_nobody_gets_in():
    """An account that is gone must not open its data to everybody."""
    held = Credentials(USERS)
    held.replace([])
    assert held
    with pytest.raises(CommandError):
        client(Conversation(held), "acct", "read-only key")
    assert not Credentials([])


def test_a_name_with_a_comma_and_an_equals_sign(credentials):
    assert client(Conversation(credentials), "o,=x", "pass")[0].role == "read"


@pytest.mark.parametrize(
    ("name", "password"), [("acct", "wrong"), ("nobody", "read-only key"), ("o,=x", "read-only key"), ("acct", "")]
)
def test_wrong_passwords_and_unknown_names_fail_alike(credentials, name, password):
    with pytest.raises(CommandError) as caught:
        client(Conversation(credentials), name, password)
    assert (caught.value.code, str(caught.value)) == (18, "Authentication failed.")


def test_an_unknown_name_gets_a_challenge_like_any_other(credentials):
    known = Conversation(credentials).first(b"n,,n=acct,r=abc").decode()
    unknown = Conversation(credentials).first(b"n,,n=nobody,r=abc").decode()
    assert known.split(",")[1:] == unknown.split(",")[1:]


def test_a_proof_for_another_nonce_fails(credentials):
    with pytest.raises(CommandError):
        client(Conversation(credentials), "acct", "read-only key", nonce="clientnoncereplayed")


@pytest.mark.parametrize(
    "payload", [b"", b"y,,n=acct,r=x", b"n,a=admin,n=acct,r=x", b"n,,m=1,n=acct,r=x", b"n,,r=x", b"\xff"]
)
def test_malformed_first_messages_fail(credentials, payload):
    with pytest.raises(CommandError):
        Conversation(credentials).first(payload)


@pytest.mark.parametrize("payload", [b"", b"c=biws,r=x", b"c=biws,r=x,p=!!!", b"p=AAAA"])
def test_malformed_proofs_fail(credentials, payload):
    conversation = Conversation(credentials)
    conversation.first(b"n,,n=acct,r=x")
    with pytest.raises(CommandError):
        conversation.final(payload)


def test_passwords_are_not_shown():
    assert "read-write key" not in repr(USERS[0])
