"""Who an issuer is: trusted registers take precedence over the issuer's own claims."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Lock
from typing import Final

from app.db.trust import RecognitionStore
from app.domain.core import UNSHARED, Clock, Snapshot
from app.services.trust.labels import NetworkSigning
from app.services.verification.answers import IssuerStanding, standing_in, trusting
from sceau_credentials.errors import CredentialError
from sceau_credentials.keys import VerificationKey
from sceau_credentials.trust import Entry, PinnedNetwork, TrustList, TrustListRefused, read_trust_list
from sceau_credentials.verification.answers import Policy
from sceau_credentials.verification.report import Report

_NO_END: Final = datetime.max.replace(tzinfo=UTC)
_MOST_KEPT: Final = 32


class ListShelf:
    """Cache of parsed and verified lists, by edition: a list is large and needed for every badge."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[uuid.UUID, str], TrustList | None] = OrderedDict()
        self._lock = Lock()

    def find(
        self, edition: tuple[uuid.UUID, str], read: Callable[[uuid.UUID], TrustList | None]
    ) -> TrustList | None:
        with self._lock:
            if edition in self._kept:
                self._kept.move_to_end(edition)
                return self._kept[edition]
        found = read(edition[0])
        with self._lock:
            self._kept[edition] = found
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return found


@dataclass(frozen=True, eq=False)
class IssuerStandings:
    store: RecognitionStore
    signing: NetworkSigning
    shelf: ListShelf
    clock: Clock
    snapshot: Snapshot = UNSHARED

    def lists(self) -> list[TrustList]:
        """Lists of our own networks, then the followed ones."""
        return self.snapshot.until_commit("trust lists", self._lists)

    def _lists(self) -> list[TrustList]:
        found = [self.shelf.find(edition, self._own) for edition in self.store.editions()]
        found += [self.shelf.find(edition, self._followed) for edition in self.store.followed_editions()]
        return [each for each in found if each is not None]

    def of(self, report: Report | None, *, campuses: Iterable[Entry] = ()) -> IssuerStanding | None:
        """`campuses`: our own, which a stranger may imitate too.

        None without any register here if the issuer resembles no entry, or if the badge is not signed by a
        key of the issuer.
        """
        if report is None or report.document is None or not report.issuer:
            return None
        lists = self.lists()
        found = standing_in(lists, report, beside=campuses)
        return found if lists or found.alike else None

    def trusting(self, policy: Policy) -> Policy:
        """The policy with recognised keys, which need no URL to identify their issuer."""
        return trusting(policy, self.lists(), at=self.clock())

    def _own(self, network_id: uuid.UUID) -> TrustList | None:
        edition = self.store.edition_of(network_id)
        key = self.signing.public_key_of(self.store.network_by_id(network_id))
        found = _read(edition.body, key, edition.signed_at) if edition and key else None
        # Our own register cannot be stale here: each change is an edition.
        return replace(found, valid_until=_NO_END) if found else None

    def _followed(self, list_id: uuid.UUID) -> TrustList | None:
        row = self.store.followed_by_id(list_id)
        try:
            key = VerificationKey.from_multikey(row.key)
        except CredentialError:
            return None
        return _read(row.body, key, row.read_at or row.added_at)


def _read(body: bytes, key: VerificationKey, at: datetime) -> TrustList | None:
    """Verify a stored list again: the database is not trusted."""
    try:
        return read_trust_list(body, PinnedNetwork(key), at=at)
    except TrustListRefused:
        return None
