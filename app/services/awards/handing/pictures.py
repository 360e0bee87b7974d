"""The picture of one award: its badge's, with its own short address in it, to read and to scan: a stripped one leads home."""

from __future__ import annotations

from collections.abc import Sequence

from app.adapters.badge_pictures import BadgeArtist, CardWords, PictureOrder
from app.db.awards.awards import AwardRecord
from app.domain.publishing.addresses import Addresses
from app.services.badges.badges import BadgeService
from app.services.badges.pictures import picture_order

__all__ = ["AwardPictures", "CardWords"]


class AwardPictures:
    def __init__(self, badges: BadgeService, artist: BadgeArtist, addresses: Addresses) -> None:
        self.badges = badges
        self.artist = artist
        self.addresses = addresses

    def svg(self, record: AwardRecord) -> str:
        return self.artist.draw(self._order(record))

    def png(self, record: AwardRecord) -> bytes:
        return self.artist.rasterise_quickly(self.svg(record))

    def card(self, record: AwardRecord, words: CardWords) -> bytes:
        """What a link to the award unfolds into, 1200 × 630, as PNG."""
        return self.artist.card(self._order(record), words)

    def portfolio_card(self, records: Sequence[AwardRecord], words: CardWords) -> bytes:
        """The same for a link to several, under the picture of the first; an empty one has none."""
        return self.artist.card(self._order(records[0]) if records else None, words)

    def _order(self, record: AwardRecord) -> PictureOrder:
        return picture_order(
            record.campus,
            record.version,
            self.badges.competencies_of(record.version),
            address=self.addresses.short_in_print(record.award.id),
            code=self.addresses.short(record.award.id),
        )
