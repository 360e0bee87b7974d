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
_STRUCTURED: Final = ("+json", "+jwt")


def carries_a_document(content_type: str) -> bool:
    """Soft errors, captive portals and placeholders are HTML: they must not pass for a broken document."""
    media_type = media_type_of(content_type)
    return media_type in _NAMED or (
        media_type.startswith("application/") and media_type.endswith(_STRUCTURED)
    )


def media_type_of(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
