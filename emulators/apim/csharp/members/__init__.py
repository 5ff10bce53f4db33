"""The documented types and members, by topic. Importing this package registers all of them."""

from emulators.apim.csharp.members import collections, crypto, jsons, linq, numbers, regex, request, text, time, uris

__all__ = ["collections", "crypto", "jsons", "linq", "numbers", "regex", "request", "text", "time", "uris"]
