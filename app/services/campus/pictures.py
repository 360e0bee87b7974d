"""The gallery of a campus: its own pictures, checked and encoded again before they are stored."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app.adapters.badge_pictures import BadgeArtist
from app.db.campus.campus import CampusStore, HistoryStore
from app.db.reports.editions import EditionStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import MOST_PICTURES, Campus, CampusPicture, checked_alternative
from app.domain.core import Clock
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_


@dataclass(frozen=True)
class CampusPictures:
    campuses: CampusStore
    editions: EditionStore
    artist: BadgeArtist
    history: HistoryStore
    clock: Clock

    def list_of(self, campus: Campus) -> Sequence[CampusPicture]:
        return self.campuses.pictures_of(campus.id)

    def content(self, campus: Campus, picture_id: uuid.UUID) -> bytes:
        return self.campuses.picture(campus.id, picture_id).content

    def add(self, campus: Campus, content: bytes, *, alternative: str, agreed: bool, by: Actor) -> None:
        """`agreed`: every recognisable person agreed, or there is none."""
        if len(self.campuses.pictures_of(campus.id)) >= MOST_PICTURES:
            raise Conflict(N_("La galerie est pleine : retirez d’abord une image."))
        if not content:
            raise InvalidInput(N_("Choisissez le fichier de l’image."))
        text_of_picture = checked_alternative(alternative)
        if not agreed:
            raise InvalidInput(N_("Confirmez que chaque personne reconnaissable est d’accord."))
        art, (width, height) = self.artist.read_photograph(content)
        picture = CampusPicture(
            campus_id=campus.id,
            alternative=text_of_picture,
            content=art,
            width=width,
            height=height,
            added_at=self.clock(),
        )
        self.campuses.save_picture(picture)
        self.history.write(by, "add_picture", "campus", campus.id, at=self.clock(), campus_id=campus.id)

    def remove(self, campus: Campus, picture_id: uuid.UUID, *, from_reports: bool = False, by: Actor) -> None:
        """`from_reports`: an agreement was taken back, so that signed reports show it no more either."""
        picture = self.campuses.picture(campus.id, picture_id)
        if from_reports:
            self._forget(campus, _digest(picture.content), by)
        self.campuses.delete_picture(picture)
        self.history.write(by, "remove_picture", "campus", campus.id, at=self.clock(), campus_id=campus.id)

    def only_in_reports(self, campus: Campus) -> list[str]:
        """Digests of what signed versions keep and the gallery no longer shows."""
        shown = {_digest(each.content) for each in self.campuses.pictures_of(campus.id)}
        return [each for each in self.editions.digests(campus.id) if each not in shown]

    def content_in_reports(self, campus: Campus, digest: str) -> bytes:
        found = self.editions.pictures(campus.id, [digest])
        if digest not in found:
            raise NotFound(N_("Cette image n’est plus dans aucun rapport signé."))
        return found[digest]

    def remove_from_reports(self, campus: Campus, digest: str, *, by: Actor) -> None:
        """An agreement was taken back after the picture had left the gallery."""
        self.content_in_reports(campus, digest)
        self._forget(campus, digest, by)

    def _forget(self, campus: Campus, digest: str, by: Actor) -> None:
        self.editions.delete_picture(campus.id, digest)
        self.history.write(
            by, "remove_report_picture", "campus", campus.id, at=self.clock(), campus_id=campus.id
        )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
