"""The documented types and members, by topic. Importing this package registers all of them."""

from emulators.apim.csharp.members import containers, crypto, dates, jsons, linq, numeric, regex, request, text, uris

__all__ = ["containers", "crypto", "dates", "jsons", "linq", "numeric", "regex", "request", "text", "uris"]
