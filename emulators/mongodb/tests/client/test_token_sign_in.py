"""Real PyMongo signs in with access tokens (MONGODB-OIDC), as a server with a managed identity does."""

from __future__ import annotations

import http.server
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pymongo
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from pymongo.auth_oidc import OIDCCallback, OIDCCallbackContext, OIDCCallbackResult
from pymongo.errors import OperationFailure

from emulators.mongodb.tests.client.conftest import Standin

ISSUER, AUDIENCE = "https://sts.windows.net/tenant/", "https://ossrdbms-aad.database.windows.net"
ADMINISTRATOR, READER = str(uuid.uuid4()), str(uuid.uuid4())


class Issuer:
    """Publishes its keys on a port of its own, and signs tokens with the newest."""

    def __init__(self) -> None:
        self.keys = [RSAKey.generate_key(2048, {"kid": "one"})]
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(KeySet(issuer.keys).as_dict(private=False)).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self, object_id: str, seconds: float) -> str:
        now = time.time()
        claims = {"iss": ISSUER, "aud": AUDIENCE, "oid": object_id, "nbf": int(now) - 60, "exp": now + seconds}
        return jwt.encode({"alg": "RS256", "kid": self.keys[-1].kid}, claims, self.keys[-1])


class Tokens(OIDCCallback):
    """What a managed identity's credential does: a fresh token whenever the driver asks."""

    def __init__(self, issuer: Issuer, object_id: str, seconds: float) -> None:
        self.issuer, self.object_id, self.seconds = issuer, object_id, seconds
        self.asked = 0

    def fetch(self, _: OIDCCallbackContext) -> OIDCCallbackResult:
        self.asked += 1
        return OIDCCallbackResult(access_token=self.issuer.token(self.object_id, self.seconds))


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    found = Issuer()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def standin(tmp_path: Path, issuer: Issuer) -> Iterator[Standin]:
    users = tmp_path / "users.json"
    users.write_text(json.dumps([{"object_id": ADMINISTRATOR, "role": "root"}]))
    oidc = {"issuer": ISSUER, "audience": AUDIENCE, "keys_url": issuer.url}
    found = Standin(tmp_path, users_file=str(users), oidc=oidc)
    yield found
    found.stop()


Connect = Callable[..., tuple[pymongo.MongoClient, Tokens]]


@pytest.fixture
def connect(standin: Standin, issuer: Issuer) -> Iterator[Connect]:
    clients: list[pymongo.MongoClient] = []

    def open_as(object_id: str, seconds: float = 3600) -> tuple[pymongo.MongoClient, Tokens]:
        tokens = Tokens(issuer, object_id, seconds)
        client: pymongo.MongoClient = pymongo.MongoClient(
            f"mongodb://127.0.0.1:{standin.port}/?authMechanism=MONGODB-OIDC&retryWrites=false",
            authMechanismProperties={"OIDC_CALLBACK": tokens},
            serverSelectionTimeoutMS=5000,
        )
        clients.append(client)
        return client, tokens

    yield open_as
    for client in clients:
        client.close()


def make_reader(client: pymongo.MongoClient) -> None:
    provider = {"type": "MicrosoftEntraID", "properties": {"principalType": "servicePrincipal"}}
    roles = [{"role": "readAnyDatabase", "db": "admin"}]
    client.admin.command("createUser", READER, roles=roles, customData={"IdentityProvider": provider})


def test_identities_sign_in_and_keep_to_their_roles(connect: Connect) -> None:
    administrator, _ = connect(ADMINISTRATOR)
    administrator.shop.orders.insert_one({"_id": 1})
    make_reader(administrator)
    reader, tokens = connect(READER)
    assert reader.shop.orders.find_one() == {"_id": 1}
    with pytest.raises(OperationFailure) as refused:
        reader.shop.orders.insert_one({"_id": 2})
    assert refused.value.code == 13
    assert tokens.asked == 1
    stranger, _ = connect(str(uuid.uuid4()))
    with pytest.raises(OperationFailure, match="is no user of this cluster"):
        stranger.shop.orders.find_one()


def test_a_client_outlives_its_token(connect: Connect) -> None:
    client, tokens = connect(ADMINISTRATOR, seconds=1)
    client.shop.orders.insert_one({"_id": 1})
    time.sleep(1.2)
    assert client.shop.orders.count_documents({}) == 1
    assert tokens.asked == 2


def test_keys_that_the_issuer_rolls_are_fetched(connect: Connect, issuer: Issuer) -> None:
    first, _ = connect(ADMINISTRATOR)
    first.admin.command("usersInfo", 1)
    time.sleep(1.1)  # keys are fetched once a second at most
    issuer.keys.append(RSAKey.generate_key(2048, {"kid": "two"}))
    second, _ = connect(ADMINISTRATOR)
    assert [user["user"] for user in second.admin.command("usersInfo", 1)["users"]] == [ADMINISTRATOR]


def test_users_outlive_the_server(connect: Connect, standin: Standin) -> None:
    administrator, _ = connect(ADMINISTRATOR)
    make_reader(administrator)
    standin.kill()
    standin.start()
    reader, _ = connect(READER)
    assert reader.shop.orders.count_documents({}) == 0


def test_without_the_issuer_nobody_new_signs_in(connect: Connect, issuer: Issuer) -> None:
    issuer.server.shutdown()
    issuer.server.server_close()
    client, _ = connect(ADMINISTRATOR)
    with pytest.raises(OperationFailure, match="the issuer's keys cannot be read"):
        client.shop.orders.find_one()
