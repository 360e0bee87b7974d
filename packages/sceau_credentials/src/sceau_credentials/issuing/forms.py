"""The canonical form of credentials that come one at a time: by a template where similar ones came before."""

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
    """Caches a limited number of templates, each made for the second document of its kind, so single ones
    cost nothing.

    A template is stored only where it agrees with the general path for that document; the general path is
    used again for every 128th after it.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kinds: dict[bytes, _Kind] = {}

    def canonical_bytes(self, document: JsonObject, shared: bytes, placed: Slotted) -> bytes | None:
        """None if the general path must be used. `shared` is the serialised marked part of the document."""
        kind = self._kinds.get(shared)
        if kind is None:
            if len(self._kinds) >= self._most:
                self._kinds.clear()
            kind = self._kinds[shared] = _Kind()
        kind.met += 1
        try:
            if kind.met == 2 and shared.count(_SIGN) == placed.marks:
                # Its own text resembling a mark would be taken for one.
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
