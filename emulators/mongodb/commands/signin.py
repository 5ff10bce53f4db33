"""Meeting the client: `hello`, SCRAM or an access token, and what a client asks about its own connection."""

from __future__ import annotations

import datetime as dt

from emulators.mongodb import oidc
from emulators.mongodb.commands.users import identity
from emulators.mongodb.commands.write import MAX_BATCH
from emulators.mongodb.config import ADMINISTRATOR
from emulators.mongodb.dispatch import Call, command
from emulators.mongodb.errors import CommandError, bad_value
from emulators.mongodb.scram import MECHANISM, Conversation, failed
from emulators.mongodb.storage.collection import MAX_DOCUMENT
from emulators.mongodb.values import Document
from emulators.mongodb.wire import MAX_MESSAGE

VERSION = (7, 0, 0, 0)
WIRE_VERSION = 21  # MongoDB 7.0


# Drivers announce what they can do in fields of their own choosing; saying hello never fails over one.
@command("hello", "isMaster", "ismaster", fields="*", needs_user=False)
def hello(call: Call) -> Document:
    """A standalone server without sessions, so that drivers use no retryable writes and no transactions."""
    client = call.body.get("client")
    application = client.get("application") if isinstance(client, dict) else None
    if isinstance(application, dict):
        call.session.app_name = application.get("name", call.session.app_name)
    answer: Document = {
        "helloOk": True,
        ("isWritablePrimary" if call.name == "hello" else "ismaster"): True,
        "maxBsonObjectSize": MAX_DOCUMENT,
        "maxMessageSizeBytes": MAX_MESSAGE,
        "maxWriteBatchSize": MAX_BATCH,
        "localTime": dt.datetime.now(dt.UTC).replace(tzinfo=None),
        "connectionId": call.session.number,
        "minWireVersion": 0,
        "maxWireVersion": WIRE_VERSION,
        "readOnly": False,
        "ok": 1.0,
    }
    if "saslSupportedMechs" in call.body:
        answer["saslSupportedMechs"] = [MECHANISM]  # for any name: who exists is not told
    speculative = call.body.get("speculativeAuthenticate")
    if isinstance(speculative, dict):
        _speculate(call, speculative, answer)
    return answer


def _speculate(call: Call, request: Document, answer: Document) -> None:
    """The sign-in that a client begins with its greeting; one that fails is left out, and begun again by itself."""
    if request.get("mechanism") == MECHANISM and call.server.credentials:
        answer["speculativeAuthenticate"] = _start(call, request)
    elif request.get("mechanism") == oidc.MECHANISM and call.server.tokens:
        try:
            answer["speculativeAuthenticate"] = _by_token(call, call.server.tokens, request)
        except CommandError:
            return


@command("saslStart", fields="mechanism payload autoAuthorize options db", needs_user=False)
def sasl_start(call: Call) -> Document:
    if call.body.get("mechanism") == "SCRAM-SHA-1":
        raise failed()  # what a driver falls back to for a user it could not ask about
    if call.body.get("mechanism") == oidc.MECHANISM and call.server.tokens:
        return _by_token(call, call.server.tokens, call.body)
    if call.body.get("mechanism") != MECHANISM:
        offered = f"{MECHANISM} and {oidc.MECHANISM}" if call.server.tokens else MECHANISM
        raise CommandError(334, f"{call.body.get('mechanism')} is not available; this server offers {offered}")
    if not call.server.credentials:
        raise failed()
    return _start(call, call.body)


def _by_token(call: Call, tokens: oidc.Tokens, request: Document) -> Document:
    """One message is all: the token proves who it is."""
    proved = tokens.prove(request.get("payload", b""))
    user = identity(call.server, proved.object_id)
    if user is None:
        raise CommandError(18, f"Authentication failed: {proved.object_id} is no user of this cluster.")
    call.session.user, call.session.ends = user, proved.expires
    return {"conversationId": 1, "done": True, "payload": b"", "ok": 1.0}


def _start(call: Call, request: Document) -> Document:
    session = call.session
    session.conversation, session.signing_in = Conversation(call.server.credentials), None
    options = request.get("options")
    session.short_exchange = isinstance(options, dict) and bool(options.get("skipEmptyExchange"))
    return {
        "conversationId": 1,
        "done": False,
        "payload": session.conversation.first(request.get("payload", b"")),
        "ok": 1.0,
    }


@command("saslContinue", fields="conversationId payload", needs_user=False)
def sasl_continue(call: Call) -> Document:
    session = call.session
    if session.conversation is None:
        raise CommandError(17, "No SASL session state found")
    if session.signing_in is not None:  # the empty message that older drivers end with
        session.user, session.signing_in, session.conversation = session.signing_in, None, None
        session.ends = None
        return {"conversationId": 1, "done": True, "payload": b"", "ok": 1.0}
    try:
        user, payload = session.conversation.final(call.body.get("payload", b""))
    except CommandError:
        session.conversation = None
        raise
    if session.short_exchange:
        session.user, session.conversation, session.ends = user, None, None
    else:
        session.signing_in = user
    return {"conversationId": 1, "done": session.short_exchange, "payload": payload, "ok": 1.0}


@command("logout", needs_user=False)
def logout(call: Call) -> Document:
    call.session.user = None
    return {"ok": 1.0}


@command("connectionStatus", fields="showPrivileges", needs_user=False)
def connection_status(call: Call) -> Document:
    user = call.session.user
    users = [{"user": user.name, "db": "admin"}] if user else []
    role = user and (user.role if user.role == ADMINISTRATOR else f"{user.role}AnyDatabase")
    roles = [{"role": role, "db": "admin"}] if user else []
    information: Document = {"authenticatedUsers": users, "authenticatedUserRoles": roles}
    if call.body.get("showPrivileges"):
        raise bad_value("connectionStatus with showPrivileges is not supported by the MongoDB stand-in")
    return {"authInfo": information, "ok": 1.0}


@command("ping", needs_user=False)
def ping(_: Call) -> Document:
    return {"ok": 1.0}


@command("whatsmyuri", needs_user=False)
def whats_my_uri(call: Call) -> Document:
    return {"you": call.session.peer, "ok": 1.0}


@command("endSessions", "refreshSessions", "killSessions", needs_user=False)
def end_sessions(_: Call) -> Document:
    """There are no sessions to end; drivers say goodbye with this all the same."""
    return {"ok": 1.0}


@command("buildInfo", "buildinfo", needs_user=False)
def build_info(_: Call) -> Document:
    return {
        "version": ".".join(map(str, VERSION[:3])),
        "versionArray": list(VERSION),
        "gitVersion": "emulators.mongodb",
        "modules": [],
        "bits": 64,
        "debug": False,
        "maxBsonObjectSize": MAX_DOCUMENT,
        "storageEngines": ["emulators.mongodb"],
        "ok": 1.0,
    }
