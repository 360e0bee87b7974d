"""What one transaction works with: its stores, and what the process lends it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from app.adapters.badge_pictures import BadgeArtist
from app.adapters.folders.log_anchors import FolderAnchors
from app.adapters.folders.recovery_journal import RecoveryJournal
from app.adapters.papers import Papers
from app.adapters.picture_codes import PictureCodes
from app.adapters.secrets.key_vault import KeyVault
from app.container.made_once import made_once
from app.container.stores import Stores
from app.domain.awards.signing_clock import Counter
from app.domain.core.clock import Clock
from app.domain.core.snapshots import UNSHARED, Snapshot
from app.domain.publishing.addresses import Addresses
from app.domain.publishing.status import SignedList
from app.services.awards.issuing.signing_clock import SigningClockService
from app.services.verification.issuer_standing import ListShelf
from app.settings import Settings
from sceau_credentials.values.documents import DocumentSource


@dataclass(frozen=True)
class Lent:
    """What lives as long as the process and every unit of work uses."""

    settings: Settings
    clock: Clock
    addresses: Addresses
    secret: bytes
    vault: KeyVault
    anchors: FolderAnchors
    journal: RecoveryJournal
    artist: Callable[[], BadgeArtist]
    papers: Callable[[], Papers]
    codes: PictureCodes
    beyond: DocumentSource
    """Documents of others."""
    renew_list: Callable[[uuid.UUID], SignedList]
    shelf: ListShelf
    counter: Counter | None
    """Seconds that no change of the clock touches; None where the time is given."""
    label_of_service: Callable[[str], str]
    """What the sign-in service of an issuer is called."""


class Parts:
    def __init__(self, stores: Stores, lent: Lent, snapshot: Snapshot = UNSHARED) -> None:
        self.stores = stores
        self.snapshot = snapshot
        self.lent = lent
        self.clock = lent.clock
        self.addresses = lent.addresses

    @made_once
    def signing_clock(self) -> SigningClockService:
        return SigningClockService(
            self.stores.signing_clock, self.stores.history, self.lent.counter, self.clock
        )

    @made_once
    def vault(self) -> KeyVault:
        """Opens no key while the clock cannot be trusted."""
        return self.lent.vault.guarded(self.signing_clock.check)
