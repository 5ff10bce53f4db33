"""MONGODB-OIDC: which tokens sign in, who they are, and what each may do."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bson
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from emulators.mongodb import oidc
from emulators.mongodb.config import Config, Oidc, User
from emulators.mongodb.dispatch import Server, Session
from emulators.mongodb.errors import MongoError
from emulators.mongodb.scram import Credentials
from emulators.mongodb.storage.store import Store
from emulators.mongodb.tests.conftest import over_the_wire

AUDIENCE = "https://ossrdbms-aad.database.windows.net"
SETTINGS = Oidc("https://sts.windows.net/tenant/", AUDIENCE, "http://127.0.0.1:1/keys")
ADMINISTRATOR, WRITER, READER = (str(uuid.uuid5(uuid.NAMESPACE_DNS, name)) for name in ("admin", "writer", "reader"))
KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one"})


def token(key: RSAKey = KEY, algorithm: str = "RS256", **claims: Any) -> str:
    now = int(time.time())
    usual = {"iss": SETTINGS.issuer, "aud": AUDIENCE, "oid": ADMINISTRATOR, "nbf": now - 60, "exp": now + 7200}
    header = {"alg": algorithm, "kid": key.kid}
    return jwt.encode(header, {**usual, **claims}, key, algorithms=[algorithm])


@pytest.fixture
def server(tmp_path: Path) -> Server:
    tokens = oidc.Tokens(SETTINGS)
    tokens._keys = KeySet([KEY])
    return Server(Store(tmp_path), Credentials([User(ADMINISTRATOR, "", "root")]), tokens)


Call = Callable[..., dict[str, Any]]


@pytest.fixture
def call(server: Server) -> Call:
    def send(session: Session, command: dict[str, Any], db: str = "test") -> dict[str, Any]:
        return over_the_wire(server, session, {**command, "$db": db})

    return send


def sign_in(call: Call, text: str) -> tuple[Session, dict[str, Any]]:
    session = Session()
    payload = bson.encode({"jwt": text})
    reply = call(session, {"saslStart": 1, "mechanism": oidc.MECHANISM, "payload": payload}, "$external")
    return session, reply


def signed_in(call: Call, object_id: str) -> Session:
    session, reply = sign_in(call, token(oid=object_id))
    assert (reply["ok"], reply["done"]) == (1.0, True), reply
    return session


def create(name: str, *roles: str, principal: str = "servicePrincipal") -> dict[str, Any]:
    provider = {"type": "MicrosoftEntraID", "properties": {"principalType": principal}}
    granted = [{"role": role, "db": "admin"} for role in roles]
    return {"createUser": name, "roles": granted, "customData": {"IdentityProvider": provider}}


@pytest.fixture
def with_tiers(call: Call) -> Call:
    """The tiers' identities as an administrator makes them."""
    session = signed_in(call, ADMINISTRATOR)
    for command in (create(WRITER, "clusterAdmin", "readWriteAnyDatabase"), create(READER, "readAnyDatabase")):
        assert call(session, command, "admin")["ok"] == 1.0
    return call


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (token(iss="https://sts.windows.net/other/"), "another issuer"),
        (token(aud="https://management.azure.com"), "another audience"),
        (token(exp=int(time.time()) - 1), "not valid now"),
        (token(nbf=int(time.time()) + 86_400, exp=int(time.time()) + 90_000), "not valid now"),
        (token(OTHER_KEY), "not valid (BadSignatureError)"),
        (token(oid=str(uuid.UUID(int=7))), "is no user of this cluster"),
        (token(oid=None), "is no user of this cluster"),
        ("no.token.", "not valid"),
        ("", "holds no access token"),
    ],
)
def test_tokens_that_do_not_sign_in(call: Call, text: str, reason: str) -> None:
    session, reply = sign_in(call, text)
    assert (reply["code"], reply["codeName"]) == (18, "AuthenticationFailed")
    assert reason in reply["errmsg"]
    assert session.user is None
    assert call(session, {"find": "things"})["code"] == 13


def test_a_token_without_signature_does_not_sign_in(call: Call) -> None:
    unsigned = ".".join([*token().split(".")[:2], ""])
    assert sign_in(call, unsigned)[1]["code"] == 18


def test_object_ids_are_compared_without_case(call: Call) -> None:
    assert sign_in(call, token(oid=ADMINISTRATOR.upper()))[1]["ok"] == 1.0


def test_a_greeting_signs_in_too(call: Call) -> None:
    session = Session()
    speculative = {"mechanism": oidc.MECHANISM, "payload": bson.encode({"jwt": token()}), "db": "$external"}
    reply = call(session, {"hello": 1, "speculativeAuthenticate": speculative}, "admin")
    assert reply["speculativeAuthenticate"]["done"] is True
    assert session.user == User(ADMINISTRATOR, "", "root")
    speculative["payload"] = bson.encode({"jwt": token(aud="x")})
    assert "speculativeAuthenticate" not in call(
        Session(), {"hello": 1, "speculativeAuthenticate": speculative}, "admin"
    )


def test_what_each_identity_may(with_tiers: Call) -> None:
    writer, reader = signed_in(with_tiers, WRITER), signed_in(with_tiers, READER)
    insert = {"insert": "things", "documents": [{"_id": 1}]}
    assert with_tiers(writer, insert)["n"] == 1
    assert with_tiers(reader, insert)["code"] == 13
    assert with_tiers(reader, {"find": "things"})["cursor"]["firstBatch"] == [{"_id": 1}]
    for session in (writer, reader):
        for command in (create(str(uuid.uuid4()), "readAnyDatabase"), {"dropUser": READER}):
            assert with_tiers(session, command, "admin")["code"] == 13
        assert len(with_tiers(session, {"usersInfo": 1}, "admin")["users"]) == 3


def test_users_are_listed_with_their_roles(with_tiers: Call) -> None:
    session = signed_in(with_tiers, ADMINISTRATOR)
    users = with_tiers(session, {"usersInfo": 1}, "admin")["users"]
    assert {user["user"]: [role["role"] for role in user["roles"]] for user in users} == {
        ADMINISTRATOR: ["root"],
        WRITER: ["clusterAdmin", "readWriteAnyDatabase"],
        READER: ["readAnyDatabase"],
    }
    assert [user["user"] for user in with_tiers(session, {"usersInfo": READER}, "admin")["users"]] == [READER]


def test_users_stay_and_go(with_tiers: Call, server: Server, tmp_path: Path) -> None:
    session = signed_in(with_tiers, ADMINISTRATOR)
    assert with_tiers(session, create(READER, "readAnyDatabase"), "admin")["code"] == 51003
    assert with_tiers(session, {"dropUser": WRITER}, "admin")["ok"] == 1.0
    assert with_tiers(session, {"dropUser": WRITER}, "admin")["code"] == 11
    server.store.close()
    again = Store(tmp_path)  # from the log, and then from the compacted one
    assert [name for name, _ in again.users_by_name()] == [READER]
    again.close()
    assert [name for name, _ in Store(tmp_path).users_by_name()] == [READER]
    assert sign_in(with_tiers, token(oid=WRITER))[1]["code"] == 18


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (create(READER, "readWriteAnyDatabase"), "together"),
        (create(READER, "clusterAdmin"), "together"),
        (create(READER, "root"), "cannot be given"),
        (create(READER), "none cannot be given"),
        (create(READER, "readAnyDatabase", principal="group"), "principalType"),
        (create("somebody", "readAnyDatabase"), "no object id"),
        ({**create(READER, "readAnyDatabase"), "pwd": "secret"}, "with a password"),
        ({"createUser": READER, "roles": [{"role": "readAnyDatabase", "db": "admin"}]}, "IdentityProvider"),
        ({**create(READER), "roles": [{"role": "readAnyDatabase", "db": "shop"}]}, 'db: "admin"'),
        ({**create(READER), "roles": ["readAnyDatabase"]}, 'db: "admin"'),
        ({"dropUser": ADMINISTRATOR}, "registered in Azure"),
    ],
)
def test_users_that_cannot_be(call: Call, command: dict[str, Any], says: str) -> None:
    reply = call(signed_in(call, ADMINISTRATOR), command, "admin")
    assert reply["ok"] == 0.0
    assert says in reply["errmsg"]


def test_no_document_command_reaches_the_users(with_tiers: Call) -> None:
    writer = signed_in(with_tiers, WRITER)
    forged = {"_id": f"admin.{READER}", "role": "readWrite"}
    assert with_tiers(writer, {"insert": "system.users", "documents": [forged]}, "admin")["ok"] == 0.0
    with_tiers(writer, {"dropDatabase": 1}, "admin")
    reader = signed_in(with_tiers, READER)
    assert with_tiers(reader, {"insert": "things", "documents": [{}]})["code"] == 13


def test_a_session_ends_with_its_token(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    session = signed_in(call, ADMINISTRATOR)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 7201)
    assert call(session, {"find": "things"})["code"] == 391
    assert call(session, {"hello": 1}, "admin")["ok"] == 1.0


def test_without_oidc_the_mechanism_is_not_offered(run: Callable[..., dict[str, Any]]) -> None:
    reply = over_the_wire(
        Server(Store(), Credentials([])), Session(), {"saslStart": 1, "mechanism": oidc.MECHANISM, "payload": b""}
    )
    assert reply["code"] == 334


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"issuer": "a"}, "needs exactly audience, issuer, keys_url"),
        ({"issuer": "a", "audience": "b", "keys_url": "http://example.com/keys"}, "must be https, or on this machine"),
        ({"issuer": "", "audience": "b", "keys_url": "https://example.com/keys"}, "each a text"),
    ],
)
def test_a_configuration_that_says_too_little(given: dict[str, str], says: str) -> None:
    with pytest.raises(MongoError, match=says):
        Config.parse({"users": [], "oidc": given})


def test_only_administrators_are_registered(tmp_path: Path) -> None:
    users = tmp_path / "users.json"
    users.write_text(json.dumps([{"object_id": READER, "role": "readAnyDatabase"}]))
    with pytest.raises(MongoError, match="createUser"):
        Config.parse({"users_file": str(users)})
