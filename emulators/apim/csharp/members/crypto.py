"""Encoding, BitConverter and the hash algorithms. Ciphers, certificates and key generation are not reproduced."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from emulators.apim.csharp.clr import ClrError
from emulators.apim.csharp.clr_types import BYTE, STRING, T, array
from emulators.apim.csharp.library import constructor, method, static, static_prop

_BYTES = array(BYTE)
_CODECS = {"UTF8": "utf-8", "ASCII": "ascii", "Unicode": "utf-16-le"}
for _name, _codec in _CODECS.items():
    static_prop("Encoding", _name, T("Encoding"), lambda codec=_codec: codec)  # type: ignore[misc]


@method("Encoding", "GetBytes", _BYTES)
def _get_bytes(codec: Any, text: str) -> bytes:
    if text is None:
        raise ClrError("ArgumentNullException", "Value cannot be null.")
    return text.encode(codec, "replace")


method("Encoding", "GetString", STRING)(lambda codec, data: bytes(data).decode(codec, "replace"))
static("BitConverter", "ToString", STRING)(lambda data: "-".join(f"{byte:02X}" for byte in bytes(data)))


class Hash:
    """A hash algorithm object; `key` makes it an HMAC."""

    def __init__(self, algorithm: str, key: bytes | None = None) -> None:
        self.algorithm, self.key = algorithm, key

    def compute(self, data: Any) -> bytes:
        if self.key is not None:
            return hmac.digest(self.key, bytes(data), self.algorithm)
        return hashlib.new(self.algorithm, bytes(data), usedforsecurity=False).digest()


def _hash(type_name: str, algorithm: str) -> None:
    for name in (type_name,) if type_name == "MD5" else (type_name, f"{type_name}Managed"):
        static(type_name, "Create", T(type_name))(lambda: Hash(algorithm))
        constructor(name)(lambda: Hash(algorithm))
        method(name, "ComputeHash", _BYTES)(lambda made, data: made.compute(data))
    hmac_name = f"HMAC{type_name}"
    constructor(hmac_name)(lambda key: Hash(algorithm, bytes(key)))
    method(hmac_name, "ComputeHash", _BYTES)(lambda made, data: made.compute(data))


_ALGORITHMS: dict[str, str] = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}
for _type, _algorithm in _ALGORITHMS.items():
    _hash(_type, _algorithm)
