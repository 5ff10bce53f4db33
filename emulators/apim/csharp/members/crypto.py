"""Encoding, BitConverter and the hash algorithms. Ciphers, certificates and key generation are not reproduced."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from emulators.apim.csharp.clr import ClrError
from emulators.apim.csharp.library import declare

_CODECS = {"UTF8": "utf-8", "ASCII": "ascii", "Unicode": "utf-16-le"}
for _name, _codec in _CODECS.items():
    declare("Encoding", f"static Encoding {_name}")(lambda codec=_codec: codec)


@declare("Encoding", "byte[] GetBytes(string s)")
def _get_bytes(codec: Any, text: str) -> bytes:
    if text is None:
        raise ClrError("ArgumentNullException", "Value cannot be null.")
    return text.encode(codec, "replace")


declare("Encoding", "string GetString(byte[] bytes)")(lambda codec, data: bytes(data).decode(codec, "replace"))
declare("BitConverter", "static string ToString(byte[] value)")(
    lambda data: "-".join(f"{byte:02X}" for byte in bytes(data))
)


class Hash:
    """A hash algorithm object; `key` makes it an HMAC."""

    def __init__(self, algorithm: str, key: bytes | None = None) -> None:
        self.algorithm, self.key = algorithm, key

    def compute(self, data: Any) -> bytes:
        if self.key is not None:
            return hmac.digest(self.key, bytes(data), self.algorithm)
        return hashlib.new(self.algorithm, bytes(data), usedforsecurity=False).digest()


def _hash(type_name: str, algorithm: str) -> None:
    hmac_name = f"HMAC{type_name}"
    for name in (type_name,) if type_name == "MD5" else (type_name, f"{type_name}Managed"):
        declare(type_name, f"static {type_name} Create()")(lambda: Hash(algorithm))
        declare(name, f"{name}()")(lambda: Hash(algorithm))
    declare(hmac_name, f"{hmac_name}(byte[] key)")(lambda key: Hash(algorithm, bytes(key)))
    for name in (type_name, f"{type_name}Managed", hmac_name):
        declare(name, "byte[] ComputeHash(byte[] buffer)")(Hash.compute)


_ALGORITHMS: dict[str, str] = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}
for _type, _algorithm in _ALGORITHMS.items():
    _hash(_type, _algorithm)
