"""The documented types and members, by topic. Importing this package registers all of them."""

from twin.gateway.csharp.members import collections, context, crypto, jsons, linq, numbers, regex, text, time, uris

__all__ = ["collections", "context", "crypto", "jsons", "linq", "numbers", "regex", "text", "time", "uris"]
