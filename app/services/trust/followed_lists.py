"""Lists of other services' networks: each believed under the key it was entrusted with, read every hour, never set back."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from app.db.campus.history import HistoryStore
from app.db.trust.recognition import RecognitionStore
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.trust.recognition import FOLLOWED_EVERY, FollowedList
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_
from sceau_credentials.errors import CredentialError, DocumentUnavailable
from sceau_credentials.keys import VerificationKey
from sceau_credentials.trust.lists import TrustList
from sceau_credentials.trust.reading import PinnedNetwork, TrustListRefused, read_trust_list
from sceau_credentials.values.documents import DocumentSource

logger = structlog.get_logger(__name__)
_ACCEPT: Final = "application/vc+ld+json, application/vc, application/json"
_ADDRESS: Final = re.compile(r"https?://[!-~]{4,590}")

FOLLOWING_TROUBLES: Final = {
    "other_network": N_("elle est d’un autre réseau qu’avant."),
    "not_signed_by_the_network": N_("elle n’est pas signée par la clé confiée pour ce réseau."),
    "older_than_known": N_("elle est plus ancienne que l’édition déjà lue."),
    "from_the_future": N_("elle est datée d’un moment à venir."),
    "too_large": N_("elle est trop grande."),
    "too_many": N_("elle nomme trop de campus."),
    "named_twice": N_("elle nomme deux fois le même campus."),
    "malformed": N_("ce n’est pas une liste de campus reconnus."),
}
"""Why a list was not taken, by the reason; whatever is not here is trouble on the way."""


@dataclass(frozen=True)
class Fetched:
    """What one reading brought: a list with its bytes, or the word for what went wrong."""

    listed: TrustList | None
    body: bytes = b""
    trouble: str = ""


class FollowedLists:
    def __init__(
        self, store: RecognitionStore, history: HistoryStore, documents: DocumentSource, clock: Clock
    ) -> None:
        self.store = store
        self.history = history
        self.documents = documents
        self.clock = clock

    def list_all(self) -> Sequence[FollowedList]:
        return self.store.followed()

    def follow(self, url: str, key: str, *, by: Actor) -> FollowedList:
        """`key` came from the network by another way than the list itself; the worker reads the list at once."""
        if not _ADDRESS.fullmatch(url):
            raise InvalidInput(N_("L’adresse de la liste commence par « https:// »."))
        pinned = _key(key)
        if self.store.find_followed(url) is not None:
            raise Conflict(
                N_("Cette liste est déjà suivie. Cessez d’abord de la suivre pour changer sa clé.")
            )
        row = FollowedList(url=url, key=pinned.to_multikey(), added_at=self.clock())
        self.store.add(row)
        self.history.write(by, "follow", "followed_list", row.id, at=self.clock())
        return row

    def unfollow(self, url: str, *, by: Actor) -> None:
        row = self.store.find_followed(url)
        if row is None:
            raise NotFound(N_("Cette liste n’est pas suivie."))
        self.store.remove(row)
        self.history.write(by, "unfollow", "followed_list", row.id, at=self.clock())

    def due(self) -> Sequence[uuid.UUID]:
        return self.store.followed_due(tried_before=self.clock() - FOLLOWED_EVERY)

    def fetch(self, list_id: uuid.UUID) -> Fetched:
        """Ask the other service; in a transaction that nobody waits for."""
        row = self.store.followed_by_id(list_id)
        pinned = PinnedNetwork(_key(row.key), row.issuer)
        try:
            body = self.documents.fetch(row.url, accept=_ACCEPT).body
            listed = read_trust_list(body, pinned, at=self.clock(), not_below=row.sequence)
        except DocumentUnavailable as error:
            return Fetched(None, trouble=error.reason[:60])
        except TrustListRefused as error:
            logger.warning("a followed list was refused", url=row.url, reason=error.reason)
            return Fetched(None, trouble=error.reason)
        return Fetched(listed, body)

    def note(self, list_id: uuid.UUID, fetched: Fetched) -> None:
        """Keep a newer edition; where reading failed, what was known stays and the trouble is told."""
        row, at = self.store.followed_by_id(list_id), self.clock()
        row.tried_at, row.trouble = at, fetched.trouble
        listed = fetched.listed
        if listed is not None and listed.sequence >= row.sequence:
            row.issuer, row.name, row.sequence = listed.issuer, listed.name, listed.sequence
            row.body, row.valid_until, row.read_at = fetched.body, listed.valid_until, at
            if listed.key not in ("", row.key) and self._is_signed_by(listed.key, fetched.body):
                # The key that was entrusted to us has signed this list, which names the one that follows it.
                logger.warning("a followed network has another key", url=row.url, before=row.key)
                row.key = listed.key
        self.store.add(row)

    def _is_signed_by(self, key: str, body: bytes) -> bool:
        try:
            read_trust_list(body, PinnedNetwork(_key(key)), at=self.clock())
        except TrustListRefused:
            return False
        return True


def _key(written: str) -> VerificationKey:
    try:
        return VerificationKey.from_multikey(written.strip())
    except CredentialError as error:
        raise InvalidInput(
            N_("Ce n’est pas une clé de réseau : elle commence par « z6Mk » et sa page la donne.")
        ) from error
