"""Keys of the issuers whose assertions are believed: this one, and those of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from emulators.base.errors import ConfigError
from emulators.entra import strict_json
from emulators.entra.errors import EntraError
from emulators.entra.issuer import Issuer
from emulators.entra.rules import is_loopback

SECONDS = 5
MAX_BYTES = 256 * 1024


async def keys_of(issuer: Issuer, name: str) -> KeySet | None:
    """The keys of the issuer `name`, or None where it is not trusted. Raises AADSTS50166 where they cannot be read."""
    if name == f"{issuer.base_url}/{issuer.directory.tenant_id}/v2.0":
        return _key_set({"keys": issuer.keys.public()})
    source = issuer.trusted_issuers.get(name)
    if source is None:
        return None
    return _key_set(await _fetch(source) if isinstance(source, str) else source)


def check_trusted(trusted: Mapping[str, Any]) -> None:
    """Refuses a configured key address outside this machine: nothing is fetched from elsewhere."""
    for name, source in trusted.items():
        if isinstance(source, str) and not is_loopback(urlsplit(source).hostname or ""):
            raise ConfigError(
                f"trusted_issuers[{name!r}] is {source!r}: give a JWKS document or an address on 127.0.0.1"
            )


async def _fetch(url: str) -> Any:
    import aiohttp  # a third of the issuer's start, and needed only where a workload's issuer is trusted by address

    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(SECONDS), trust_env=False) as client,
            client.get(url, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise EntraError(50166, reason=f"the keys at {url} answered {answer.status}")
            return strict_json.loads(await answer.content.read(MAX_BYTES))
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise EntraError(50166, reason=f"the keys at {url} cannot be read ({type(error).__name__})") from error


def _key_set(document: Any) -> KeySet:
    try:
        return KeySet.import_key_set(document)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise EntraError(50166, reason="the trusted issuer's keys are no JWKS document") from error
