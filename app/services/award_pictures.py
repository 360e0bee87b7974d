"""The picture of one award: its badge's, with the award's own short address in it, so that a stripped one leads home."""

from __future__ import annotations

from app.adapters.badge_pictures import BadgeArtist
from app.db.awards import AwardRecord
from app.domain.addresses import Addresses
from app.services.badges import BadgeService
from app.services.pictures import picture_order


class AwardPictures:
    def __init__(self, badges: BadgeService, artist: BadgeArtist, addresses: Addresses) -> None:
        self.badges = badges
        self.artist = artist
        self.addresses = addresses

    def svg(self, record: AwardRecord) -> str:
        order = picture_order(
            record.campus,
            record.version,
            self.badges.competencies_of(record.version),
            address=self.addresses.short_in_print(record.award.id),
        )
        return self.artist.draw(order)

    def png(self, record: AwardRecord) -> bytes:
        return self.artist.rasterise_quickly(self.svg(record))
