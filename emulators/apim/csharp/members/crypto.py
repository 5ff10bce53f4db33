"""Encoding, BitConverter, hash algorithms, Encrypt and Decrypt. Certificates and key generation are not reproduced."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import ciphers, padding
from cryptography.hazmat.primitives.ciphers import algorithms, modes

from emulators.apim.csharp.clr import ClrError, EvaluationLimit, utf8
from emulators.apim.csharp.library import declare

_CODECS = {"UTF8": "utf-8", "ASCII": "ascii", "Unicode": "utf-16-le"}
for _name, _codec in _CODECS.items():
    declare("Encoding", f"static Encoding {_name}")(lambda codec=_codec: codec)


@declare("Encoding", "byte[] GetBytes(string s)")
def _get_bytes(codec: Any, text: str) -> bytes:
    if text is None:
        raise ClrError("ArgumentNullException", "Value cannot be null.")
    return utf8(text) if codec == "utf-8" else text.encode(codec, "replace")


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


#: By the names that .NET's SymmetricAlgorithm.Create takes, without case: the cipher and the bytes of its block.
_CIPHERS: dict[str, tuple[Callable[[bytes], Any], int]] = {
    "aes": (algorithms.AES, 16),
    "rijndael": (algorithms.AES, 16),
    "tripledes": (TripleDES, 8),
    "3des": (TripleDES, 8),
}


class Cipher:
    """A SymmetricAlgorithm with .NET's defaults, CBC and PKCS7 padding; key and vector come from the call."""

    def __init__(self, name: str) -> None:
        found = _CIPHERS.get((name or "").removeprefix("System.Security.Cryptography.").lower())
        if found is None:
            raise EvaluationLimit(f"the local gateway does not know the cipher {name!r}: use AES or TripleDES")
        self.make, self.block = found

    def _modes(self, key: Any, vector: Any) -> Any:
        try:
            return ciphers.Cipher(self.make(bytes(key)), modes.CBC(bytes(vector)))
        except (ValueError, TypeError) as error:
            raise ClrError(
                "CryptographicException", "Specified key or initialization vector has no valid size."
            ) from error

    def encrypt(self, data: Any, key: Any, vector: Any) -> bytes:
        padder, encryptor = padding.PKCS7(self.block * 8).padder(), self._modes(key, vector).encryptor()
        filled = padder.update(bytes(data)) + padder.finalize()
        return bytes(encryptor.update(filled) + encryptor.finalize())

    def decrypt(self, data: Any, key: Any, vector: Any) -> bytes:
        decryptor, unpadder = self._modes(key, vector).decryptor(), padding.PKCS7(self.block * 8).unpadder()
        try:
            filled = decryptor.update(bytes(data)) + decryptor.finalize()
            return bytes(unpadder.update(filled) + unpadder.finalize())
        except ValueError as error:
            raise ClrError("CryptographicException", "Padding is invalid and cannot be removed.") from error


# "API Management policy expressions": byte[] Encrypt(input: this byte[], alg: string, key: byte[], iv: byte[]).
_NAMED = "string alg, byte[] key, byte[] iv"
_MADE = "SymmetricAlgorithm alg, byte[] key, byte[] iv"
_BYTES = "AES and TripleDES, CBC with PKCS7 padding"
declare("SymmetricAlgorithm", "static SymmetricAlgorithm Create(string algName)", note=_BYTES)(Cipher)
declare("Array<T>", f"byte[] Encrypt({_NAMED})", elements="byte", note=_BYTES)(
    lambda data, name, key, vector: Cipher(name).encrypt(data, key, vector)
)
declare("Array<T>", f"byte[] Decrypt({_NAMED})", elements="byte", note=_BYTES)(
    lambda data, name, key, vector: Cipher(name).decrypt(data, key, vector)
)
declare("Array<T>", f"byte[] Encrypt({_MADE})", elements="byte", note=_BYTES)(
    lambda data, cipher, key, vector: cipher.encrypt(data, key, vector)
)
declare("Array<T>", f"byte[] Decrypt({_MADE})", elements="byte", note=_BYTES)(
    lambda data, cipher, key, vector: cipher.decrypt(data, key, vector)
)


_ALGORITHMS: dict[str, str] = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}
for _type, _algorithm in _ALGORITHMS.items():
    _hash(_type, _algorithm)
