"""The canonical form of credentials that come one at a time: by a template where their like was met before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sceau_credentials.canonical import canonical_bytes
from sceau_credentials.canonical.tables import NotCovered
from sceau_credentials.canonical.templates import MARK_SIGN, Template
from sceau_credentials.errors import CredentialError
from sceau_credentials.issuing.slots import Slotted
from sceau_credentials.values.json_text import JsonObject

_SIGN: Final = MARK_SIGN.encode()
_ANEW_EVERY: Final = 128


@dataclass
class _Kind:
    """Documents that differ in their values only."""

    met: int = 0
    template: Template | None = None


class TemplatedForms:
    """Keeps at most so many templates. One is made for what is met a second time, so that what comes once costs nothing.

    It is kept only where it says of that document what the general way says, which every hundred and twenty-eighth
    after it is left to again.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kinds: dict[bytes, _Kind] = {}

    def canonical_bytes(self, document: JsonObject, shared: bytes, placed: Slotted) -> bytes | None:
        """None if it has to be found in the general way. `shared` is what the marked part of the document is written as."""
        kind = self._kinds.get(shared)
        if kind is None:
            if len(self._kinds) >= self._most:
                self._kinds.clear()
            kind = self._kinds[shared] = _Kind()
        kind.met += 1
        try:
            if kind.met == 2 and shared.count(_SIGN) == placed.marks:
                # A text of its own that looks like a mark would be taken for one.
                kind.template = _template_of(document, placed)
            if kind.template is None or kind.met % _ANEW_EVERY == 0:
                return None
            return kind.template.canonical_bytes(placed.values)
        except NotCovered:
            return None


def _template_of(document: JsonObject, placed: Slotted) -> Template | None:
    template = Template(placed.marked)
    try:
        says_the_same = template.canonical_bytes(placed.values) == canonical_bytes(document)
    except CredentialError:
        return None
    return template if says_the_same else None
