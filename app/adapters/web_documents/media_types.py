"""Which kinds of answer may be a document for a verifier; a web page in its place means that it is not there."""

from __future__ import annotations

from typing import Final

_NAMED: Final = frozenset(
    {
        "",  # said nothing
        "application/json",
        "application/jwt",
        "application/octet-stream",  # what a plain file server says of a name without an ending
        "application/vc",
        "text/plain",
    }
)
_PICTURES: Final = frozenset({"image/png", "image/svg+xml"})
_STRUCTURED: Final = ("+json", "+jwt")


def carries_a_document(content_type: str, accept: str) -> bool:
    """Soft errors, captive portals and placeholders are HTML: they must not pass for a broken document.

    A picture may carry a badge, and nothing else: it is taken where the question named its kind.
    """
    media_type = media_type_of(content_type)
    if media_type in _PICTURES:
        return media_type in map(media_type_of, accept.split(","))
    return media_type in _NAMED or (
        media_type.startswith("application/") and media_type.endswith(_STRUCTURED)
    )


def media_type_of(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
