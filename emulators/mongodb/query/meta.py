"""What a search knows of documents beside their fields: scores and distances, for as long as a command runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulators.mongodb.errors import CommandError
from emulators.mongodb.values import MISSING, Document, type_name

Change = Callable[[Document], Document]
KINDS = {
    "textScore": "text score",
    "searchScore": "$search score",
    "vectorSearchScore": "vector search distance",
    "geoNearDistance": "geo distance",
    "geoNearPoint": "geo point",
}
ELSEWHERE = frozenset(
    {"indexKey", "recordId", "randVal", "sortKey", "searchHighlights", "searchSequenceToken", "score"}
)


class Meta:
    """Values by document. A stage that makes one document of another hands them on (`following`)."""

    def __init__(self) -> None:
        # The document is kept beside its values, so that its identity belongs to no other meanwhile.
        self._known: dict[int, tuple[Document, dict[str, Any]]] = {}
        self.offered: set[str] = set()
        # Set where the documents have to come in the order of their distances.
        self.near = False

    def put(self, document: Document, name: str, value: Any) -> None:
        self._known.setdefault(id(document), (document, {}))[1][name] = value

    def get(self, document: Document, name: str) -> Any:
        found = self._known.get(id(document))
        return MISSING if found is None or found[0] is not document else found[1].get(name, MISSING)

    def following(self, change: Change) -> Change:
        """The change, after which the new document has what was known of the old one."""

        def run(document: Document) -> Document:
            new = change(document)
            found = self._known.get(id(document))
            if found is not None and found[0] is document and new is not document:
                self._known[id(new)] = (new, found[1])
            return new

        return run if self.offered else change

    def check(self, name: Any) -> str:
        """The name of an operand of `$meta`; 17307, 17308 for what is none, 40218 for one that no search has filled."""
        if type(name) is not str:
            raise CommandError(17307, f"$meta only supports string arguments, not {type_name(name)}")
        if name not in KINDS and name not in ELSEWHERE:
            raise CommandError(17308, f"Unsupported argument to $meta: {name}")
        if name in KINDS and name not in self.offered:
            raise CommandError(40218, f"query requires {KINDS[name]} metadata, but it is not available")
        return name
