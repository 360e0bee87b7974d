"""Absolute IRIs: the only identifiers that mean the same wherever a document is read."""

from __future__ import annotations

import re
from typing import Final

# Narrower than RFC 3987 where N-Quads is: none of these characters may stand between its angle brackets.
PATTERN: Final = r'^[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>"{}|\\^`\x7f]*$'
_ABSOLUTE: Final = re.compile(PATTERN)


def is_absolute_iri(text: str) -> bool:
    return _ABSOLUTE.fullmatch(text) is not None
