"""Sign-in, from a first call without a token to an answer: what the policies and tests of sign-in do, in order."""

from __future__ import annotations

from tools.diagrams import sequence
from tools.diagrams.sequence import Message

CLIENT, GATEWAY, ENTRA, SERVER = range(4)


def draw() -> str:
    return sequence.draw(
        "Sign-in, from the first call to the first answer",
        "The client is told where to sign in, finds the façade, registers, sends the person to Entra ID, exchanges the "
        "code for a token, and calls again; the gateway then calls the server as itself.",
        [("MCP client", "person"), ("API Management", "gateway"), ("Entra ID", "identity"), ("MCP server", "server")],
        [
            "The client learns where to sign in",
            Message(CLIENT, GATEWAY, "POST /mongodb/mcp, without a token"),
            Message(GATEWAY, CLIENT, "401, and where the metadata is", answer=True),
            Message(CLIENT, GATEWAY, "asks for the metadata of this resource"),
            Message(CLIENT, GATEWAY, "asks for the metadata of the sign-in server"),
            Message(GATEWAY, CLIENT, "PKCE with S256; authorize, token and register of the façade", answer=True),
            Message(CLIENT, GATEWAY, "POST /oauth/register, with its redirect URIs"),
            Message(GATEWAY, CLIENT, "the client id of the entry in mcp_clients that has them all", answer=True),
            "A person signs in, in the browser",
            Message(CLIENT, GATEWAY, "GET /oauth/authorize, with the challenge"),
            Message(GATEWAY, ENTRA, "redirect to Entra ID, with the API's scope"),
            Message(ENTRA, ENTRA, "account, consent, conditional access"),
            Message(ENTRA, CLIENT, "redirect back to the client, with a code", answer=True),
            Message(CLIENT, GATEWAY, "POST /oauth/token, code and verifier"),
            Message(GATEWAY, ENTRA, "the same, without resource"),
            Message(ENTRA, CLIENT, "access token for this API, with the roles; passed on", answer=True),
            "Every call",
            Message(CLIENT, GATEWAY, "POST /mongodb/mcp, with the token"),
            Message(GATEWAY, GATEWAY, "signature, issuer, audience, tenant, lifetime; then the tier"),
            Message(GATEWAY, ENTRA, "a token of its own identity, cached"),
            Message(GATEWAY, SERVER, "the call, with the gateway's token and X-Mcp-* about the caller"),
            Message(SERVER, CLIENT, "the answer, streamed", answer=True),
        ],
    )
