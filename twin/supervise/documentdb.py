"""Azure DocumentDB on a laptop: the same identities with the same tokens, at the MongoDB stand-in that is here."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from emulators.base.state import Resource, State

CLUSTER = "azurerm_mongo_cluster"
AUDIENCE = "https://ossrdbms-aad.database.windows.net"
_SUFFIX = "mongocluster.cosmos.azure.com"
# What only the real service understands: it has TLS.
_REMOTE_OPTIONS = {"tls", "ssl"}
_CLOSED_PORT = 1


def is_used(state: State) -> bool:
    return bool(state.of_type(CLUSTER))


def administrators(state: State) -> list[dict[str, str]]:
    """Whom Azure registered, as the stand-in's users file has them."""
    registered = state.of_type("azurerm_mongo_cluster_user")
    return [{"object_id": str(user["object_id"]).lower(), "role": "root"} for user in registered]


def oidc(state: State, entra_port: int) -> dict[str, str] | None:
    """Whose tokens the database takes: those of the local issuer; None where there is no cluster.

    Managed identities' tokens for a resource of version 1 have that issuer ("Access tokens in the Microsoft identity
    platform").
    """
    tenant = next((str(one["tenant_id"]) for one in state.of_type("azurerm_user_assigned_identity")), "")
    if not is_used(state) or not tenant:
        return None
    return {
        "issuer": f"https://sts.windows.net/{tenant}/",
        "audience": AUDIENCE,
        "keys_url": f"http://127.0.0.1:{entra_port}/{tenant}/discovery/v2.0/keys",
    }


@dataclass(frozen=True)
class KeylessUri:
    """A `mongodb+srv://` address that names an identity and holds no secret."""

    client_id: str
    host: str
    path: str
    options: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> KeylessUri | None:
        """None for anything else."""
        if not text.startswith("mongodb+srv://"):
            return None
        parts = urlsplit(text)
        options = parse_qsl(parts.query)
        mechanism = next((value for name, value in options if name.lower() == "authmechanism"), "")
        if mechanism.upper() != "MONGODB-OIDC" or not (parts.hostname or "").endswith(f".{_SUFFIX}"):
            return None
        return cls(parts.username or "", str(parts.hostname), parts.path or "/", tuple(options))

    def at(self, port: int) -> str:
        """The same identity, database and options at 127.0.0.1, without what only the real endpoint needs."""
        query = urlencode([(name, value) for name, value in self.options if name.lower() not in _REMOTE_OPTIONS])
        return f"mongodb://{self.client_id}@127.0.0.1:{port}{self.path}?{query}"

    def nowhere(self) -> str:
        """The same at a port where nothing listens: what a client meets that has no way to the cluster."""
        return self.at(_CLOSED_PORT)

    def cluster(self, state: State) -> Resource | None:
        """The applied cluster that the address names."""
        name = self.host.partition(".")[0]
        return next((one for one in state.of_type(CLUSTER) if one["name"].lower() == name), None)


def identity_environment(entra_port: int, secret: str) -> dict[str, str]:
    """Where a container asks for tokens, and with what ("How to use managed identities for App Service")."""
    return {"IDENTITY_ENDPOINT": f"http://127.0.0.1:{entra_port}/msi/token", "IDENTITY_HEADER": secret}
