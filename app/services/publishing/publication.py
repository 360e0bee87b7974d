"""Every document the campus shows the world, byte for byte as signed."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.db.awards.awards import AwardRecord, AwardStore
from app.db.badges.badges import BadgeStore
from app.db.campus.campus import CampusStore
from app.domain.activities.activities import Activity
from app.domain.awards.awards import AwardState, Visibility, check_aligned
from app.domain.awards.open_badges import profile_of
from app.domain.badges.badges import Badge, BadgeVersion
from app.domain.campus.campus import Campus
from app.domain.campus.keys import KeyPurpose
from app.domain.core.snapshots import UNSHARED, Snapshot
from app.domain.publishing.addresses import Addresses
from app.domain.publishing.status import SignedList
from app.errors import NotAllowed, NotFound
from app.language import N_
from app.services.publishing.signing import Signing, published_key
from app.services.publishing.status import StatusService
from sceau_credentials.baking import bake_png, bake_svg
from sceau_credentials.dids import did_document, did_web, jwk_set
from sceau_credentials.values.json_text import JsonObject, dump_json
from sceau_credentials.values.vocabulary import CONTEXT_OB_3_0_3, CONTEXT_V2

FORMS = {
    "json": "application/vc+ld+json",
    "jwt": "text/plain; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Published:
    """Bytes to serve as they are; `digest` names them for caches."""

    body: bytes
    media_type: str
    digest: str

    @staticmethod
    def of(body: bytes, media_type: str) -> Published:
        return Published(body, media_type, hashlib.sha256(body).hexdigest()[:32])

    @staticmethod
    def of_list(signed: SignedList, form: str) -> Published:
        """A status list as `json` or `jwt`."""
        if form == "jwt":
            return Published.of(signed.token.encode(), "application/vc+jwt")
        return Published.of(signed.embedded, "application/vc")


@dataclass(frozen=True)
class PublishedBadge:
    """One frozen version of a badge, among the others that the world may read."""

    campus: Campus
    badge: Badge
    version: BadgeVersion
    versions: Sequence[BadgeVersion]

    @property
    def newest(self) -> BadgeVersion:
        return self.versions[-1]


class ClosedAward(NotAllowed):
    """The holder keeps this award to themselves; it says nothing of its worth."""


class PicturesOfAwards(Protocol):
    def svg(self, record: AwardRecord) -> str: ...

    def png(self, record: AwardRecord) -> bytes: ...


class PublicationService:
    def __init__(
        self,
        campuses: CampusStore,
        badges: BadgeStore,
        awards: AwardStore,
        pictures: Callable[[], PicturesOfAwards],
        status: StatusService,
        signing: Signing,
        addresses: Addresses,
        renew_list: Callable[[uuid.UUID], SignedList],
        snapshot: Snapshot = UNSHARED,
    ) -> None:
        self.snapshot = snapshot
        self.renew_list = renew_list
        self.campuses = campuses
        self.badges = badges
        self.awards = awards
        self.pictures = pictures
        self.status = status
        self.signing = signing
        self.addresses = addresses

    def record(self, award_id: uuid.UUID) -> AwardRecord:
        """Any award, for a page that checks its visibility itself."""
        if not self.snapshot.is_shared:
            return self.awards.get_record(award_id)
        award, person = self.awards.get_with_holder(award_id)

        def shared() -> tuple[Badge, BadgeVersion, Campus, Activity | None]:
            record = self.awards.get_record(award_id)
            return record.badge, record.version, record.campus, record.activity

        about = "given", award.badge_id, award.version_id, award.campus_id, award.activity_id
        badge, version, campus, activity = self.snapshot.until_commit(about, shared)
        return AwardRecord(award, badge, version, campus, person, activity)

    def open_award(self, award_id: uuid.UUID) -> AwardRecord:
        """The award, if its holder opened it to the world."""
        record = self.awards.get_record(award_id)
        if record.award.visibility is not Visibility.OPEN:
            raise ClosedAward(
                N_("Cette page est fermée par son titulaire. Rien n’est dit de la valeur du badge.")
            )
        check_aligned(record.award)
        return record

    def award_file(self, record: AwardRecord, form: str) -> Published:
        """The signed credential as `json`, `jwt`, or baked into a `png` or `svg` picture."""
        document = self.awards.document_of(record.award.id)
        match form:
            case "json":
                return Published(document.embedded, FORMS[form], document.embedded_digest[:32])
            case "jwt":
                return Published(document.token.encode(), FORMS[form], document.token_digest[:32])
            case "png":
                png = bake_png(self.pictures().png(record), document.embedded.decode())
                return Published.of(png, FORMS[form])
            case "svg":
                svg = bake_svg(self.pictures().svg(record).encode(), document.embedded.decode())
                return Published.of(svg, FORMS[form])
        raise NotFound(N_("Ce badge n’existe pas sous cette forme."))

    def definition(self, badge_id: uuid.UUID, number: int | None) -> tuple[BadgeVersion, Published]:
        """A frozen version of a badge as the world reads it; the newest frozen one unless `number` says which."""
        version = self._frozen(badge_id, number)
        return version, Published.of(version.definition, "application/ld+json")

    def badge(self, badge_id: uuid.UUID, number: int | None) -> PublishedBadge:
        """The same as `definition`, for people: with its campus and the other frozen versions."""
        version = self._frozen(badge_id, number)
        badge = self.badges.get(badge_id)
        frozen = [each for each in self.badges.versions_of(badge_id) if each.frozen_at is not None]
        return PublishedBadge(self.campuses.get_by_id(badge.campus_id), badge, version, frozen)

    def picture(self, badge_id: uuid.UUID, number: int, form: str) -> Published:
        """Of a version that the world may read."""
        return self._picture(self._frozen(badge_id, number), form)

    def draft_picture(
        self, badge_id: uuid.UUID, number: int, form: str, *, readers: Collection[uuid.UUID]
    ) -> Published:
        """Of any version, for people who work in one of the campuses `readers`."""
        version = self.badges.get_version(badge_id, number)
        if self.badges.get(badge_id).campus_id not in readers:
            raise NotFound(N_("Cette version du badge n’existe pas."))
        return self._picture(version, form)

    @staticmethod
    def _picture(version: BadgeVersion, form: str) -> Published:
        body = version.picture_png if form == "png" else version.picture_svg.encode()
        return Published.of(body, FORMS[form])

    def _frozen(self, badge_id: uuid.UUID, number: int | None) -> BadgeVersion:
        if number is not None:
            version = self.badges.get_version(badge_id, number)
            if version.frozen_at is not None:
                return version
        frozen = [version for version in self.badges.versions_of(badge_id) if version.frozen_at is not None]
        if number is not None or not frozen:
            raise NotFound(N_("Cette version du badge n’existe pas."))
        return frozen[-1]

    def profile(self, slug: str) -> Published:
        profile = profile_of(self.campuses.get(slug), self.addresses).to_document()
        return Published.of(
            dump_json({"@context": [CONTEXT_V2, CONTEXT_OB_3_0_3], **profile}), "application/ld+json"
        )

    def campus_did(self, slug: str) -> Published:
        campus = self.campuses.get(slug)
        return Published.of(dump_json(self.did_of(campus)), "application/did+json")

    def did_of(self, campus: Campus) -> JsonObject:
        return did_document(
            campus.did,
            self.signing.published_keys(campus),
            also_known_as=(self.addresses.campus(campus.slug),),
        )

    def host_did(self) -> Published:
        """The service itself signs nothing: its document says only that it exists."""
        document = did_document(did_web(self.addresses.base_url), ())
        return Published.of(dump_json(document), "application/did+json")

    def jwks(self) -> Published:
        """Every key ever published, each with the issuer it belongs to (B-026, B-027)."""
        rows = [row for row, _ in self.campuses.all_keys() if row.purpose is KeyPurpose.CREDENTIAL]
        keys = [published_key(row) for row in rows]
        return Published.of(dump_json(jwk_set(keys)), "application/jwk-set+json")

    def status_list(self, list_id: uuid.UUID, form: str = "json") -> Published:
        """The signed list; one due for signing is renewed in a transaction of its own, which a reader lacks."""
        signed = self.status.published(list_id)
        if signed.is_due(at=self.status.clock()):
            signed = self.renew_list(list_id)
        return Published.of_list(signed, form)

    def state_of(self, record: AwardRecord, *, at: datetime) -> str:
        """One word for the award's state: valid, expired, revoked, superseded."""
        if record.award.state is AwardState.REVOKED:
            return "revoked"
        if record.award.valid_until is not None and at >= record.award.valid_until:
            return "expired"
        newest = self.newest_number(record)
        return "superseded" if newest > record.version.number else "valid"

    def newest_number(self, record: AwardRecord) -> int:
        """The newest version of the award's badge that the world may read."""
        badge_id = record.badge.id
        newest = self.snapshot.until_commit(
            ("newest version", badge_id), lambda: self.badges.newest_frozen_number(badge_id)
        )
        return newest or record.version.number
