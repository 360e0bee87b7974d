"""Our awards for platforms that only know Open Badges 2.0: hosted documents, and a picture that carries one."""

from __future__ import annotations

import uuid

from app.db.awards.awards import AwardRecord
from app.domain.awards.awards import AwardState, hashed_recipient
from app.domain.publishing.addresses import Addresses
from app.errors import NotFound
from app.language import N_
from app.services.publishing.publication import FORMS, PublicationService, Published
from sceau_credentials.baking import PngMaster
from sceau_credentials.values.json_text import JsonObject, dump_json, parse_json_object
from sceau_credentials.verification.legacy.rendition import (
    Places,
    assertion_of,
    badge_class_of,
    issuer_of,
    revoked_assertion,
)

_LINKED_DATA = "application/ld+json"


class Withdrawn(NotFound):
    """The award was withdrawn; `body` is what is served with 410 Gone."""

    def __init__(self, body: bytes) -> None:
        super().__init__(N_("Ce badge a été retiré."))
        self.body = body


class OlderBadges:
    """Only what its holder opened is shown, as with every other form of an award."""

    def __init__(self, publication: PublicationService, addresses: Addresses) -> None:
        self.publication = publication
        self.addresses = addresses

    def assertion(self, award_id: uuid.UUID) -> Published:
        return Published.of(self._assertion(self.publication.open_award(award_id)), _LINKED_DATA)

    def picture(self, award_id: uuid.UUID) -> Published:
        record = self.publication.open_award(award_id)
        text = self._assertion(record).decode()
        return Published.of(PngMaster(record.version.picture_png).bake_older(text), FORMS["png"])

    def badge_class(self, badge_id: uuid.UUID, number: int) -> Published:
        version, definition = self.publication.definition(badge_id, number)
        campus = self.publication.badge(badge_id, number).campus
        places = self._places(campus.slug, badge_id, version.number)
        return _published(badge_class_of(parse_json_object(definition.body), places))

    def issuer(self, slug: str) -> Published:
        profile = parse_json_object(self.publication.profile(slug).body)
        if not profile.get("email"):
            raise NotFound(
                N_("Open Badges 2.0 demande une adresse de contact, et ce campus n’en publie pas.")
            )
        return _published(issuer_of(profile, self._places(slug, uuid.UUID(int=0), 0)))

    def _assertion(self, record: AwardRecord) -> bytes:
        award = record.award
        _check_contact(record.campus.contact_email)
        places = self._places(record.campus.slug, record.badge.id, record.version.number, award.id)
        if award.state is AwardState.REVOKED:
            raise Withdrawn(dump_json(revoked_assertion(places)))
        credential = parse_json_object(self.publication.award_file(record, "json").body)
        recipient = hashed_recipient(award.older_recipient) if award.older_recipient else None
        return dump_json(
            assertion_of(credential, places, image=f"{places.assertion}.png", recipient=recipient)
        )

    def _places(
        self, slug: str, badge_id: uuid.UUID, number: int, award_id: uuid.UUID | None = None
    ) -> Places:
        return Places(
            assertion=self.addresses.older_award(award_id) if award_id else "",
            badge_class=self.addresses.older_version(badge_id, number),
            issuer=self.addresses.older_campus(slug),
            all_assertions=self.addresses.older_awards,
        )


def _check_contact(email: str) -> None:
    if not email:
        raise NotFound(N_("Open Badges 2.0 demande une adresse de contact, et ce campus n’en publie pas."))


def _published(document: JsonObject) -> Published:
    return Published.of(dump_json(document), _LINKED_DATA)
