"""Public documents of a campus, byte for byte as signed."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, Protocol

import orjson

from app.db.awards import AwardRecord, AwardStore
from app.db.badges import BadgeStore
from app.db.campus import CampusStore
from app.db.publishing import PublishedStore, Standing, StoredKeys
from app.domain.activities import Activity
from app.domain.awards import (
    AwardState,
    DocumentsToAlign,
    Visibility,
    check_aligned,
    is_suspended,
)
from app.domain.awards.open_badges import hashed_recipient, profile_of
from app.domain.awards.signed_bytes import SignedBytes, StoreSilent
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.campus import Campus
from app.domain.core import UNSHARED, Clock, Snapshot
from app.domain.learners.presentations import published_request_key
from app.domain.people.consents import ERASED, needs_guardian_for
from app.domain.publishing import Addresses, SignedList
from app.errors import AppError, Gone, NotAllowed, NotFound
from app.language import N_
from app.services.publishing.status import ListAnchors, Signing, StatusService, published_key
from sceau_credentials.baking import PngMaster, bake_png, bake_svg
from sceau_credentials.dids import PublishedKey, did_document, did_web, jwk_set
from sceau_credentials.keys import VerificationKey
from sceau_credentials.values import CONTEXT_OB_3_0_3, CONTEXT_V2, JsonObject, dump_json, parse_json_object
from sceau_credentials.verification.legacy import (
    LegacyPointers,
    assertion_of,
    badge_class_of,
    issuer_of,
    revoked_assertion,
)

FORMS = {
    "json": "application/vc+ld+json",
    "jwt": "text/plain; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Published:
    """Bytes to serve unchanged; `digest`: cache validator."""

    body: bytes
    media_type: str
    digest: str

    @staticmethod
    def of(body: bytes, media_type: str) -> Published:
        return Published(body, media_type, hashlib.sha256(body).hexdigest()[:32])

    @staticmethod
    def of_list(signed: SignedList, form: str) -> Published:
        """A status list as `json`, `jwt` or `statuslist`; that of suspensions as `suspensions` or its `jwt`."""
        if form.startswith("suspensions"):
            if not signed.suspensions:
                raise NotFound("Cette liste de statuts n’existe pas encore sous cette forme.")
            if form == "suspensions.jwt":
                return Published.of(signed.suspensions_token.encode(), "application/vc+jwt")
            return Published.of(signed.suspensions, "application/vc")
        if form == "statuslist":
            if not signed.status_token:
                raise NotFound("Cette liste de statuts n’existe pas encore sous cette forme.")
            return Published.of(signed.status_token.encode(), "application/statuslist+jwt")
        if form == "jwt":
            return Published.of(signed.token.encode(), "application/vc+jwt")
        return Published.of(signed.embedded, "application/vc")


@dataclass(frozen=True)
class PublishedBadge:
    """One frozen version of a badge, among its other public versions."""

    campus: Campus
    badge: Badge
    version: BadgeVersion
    versions: Sequence[BadgeVersion]

    @property
    def newest(self) -> BadgeVersion:
        return self.versions[-1]


class ClosedAward(NotAllowed):
    """The holder set this award to private; this does not affect its validity."""


class PicturesOfAwards(Protocol):
    def svg(self, record: AwardRecord) -> str: ...

    def png(self, record: AwardRecord) -> bytes: ...


@dataclass(frozen=True, eq=False)
class PublicationService:
    campuses: CampusStore
    badges: BadgeStore
    awards: AwardStore
    pictures: Callable[[], PicturesOfAwards]
    status: StatusService
    signing: Signing
    addresses: Addresses
    renew_list: Callable[[uuid.UUID], SignedList]
    secret: bytes
    snapshot: Snapshot = UNSHARED

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

    def issuer_name(self, award_id: uuid.UUID) -> str:
        """As its badge names it."""
        return self.awards.document_of(award_id).issuer_name

    def open_award(self, award_id: uuid.UUID) -> AwardRecord:
        """The award, if its holder made it public."""
        record = self.record(award_id)
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
        raise NotFound("Ce badge n’existe pas sous cette forme.")

    def definition(self, badge_id: uuid.UUID, number: int | None) -> tuple[BadgeVersion, Published]:
        """The public definition of a frozen badge version: `number`, or the newest."""
        version = self._frozen(badge_id, number)
        return version, Published.of(version.definition, "application/ld+json")

    def badge(self, badge_id: uuid.UUID, number: int | None) -> PublishedBadge:
        """As `definition`, for pages: with its campus and the other frozen versions."""
        version = self._frozen(badge_id, number)
        badge = self.badges.get(badge_id)
        frozen = [each for each in self.badges.versions_of(badge_id) if each.frozen_at is not None]
        return PublishedBadge(self.campuses.get_by_id(badge.campus_id), badge, version, frozen)

    def picture(self, badge_id: uuid.UUID, number: int, form: str) -> Published:
        """For a public version."""
        return self._picture(self._frozen(badge_id, number), form)

    def draft_picture(
        self, badge_id: uuid.UUID, number: int, form: str, *, readers: Collection[uuid.UUID]
    ) -> Published:
        """For any version, for staff of one of the campuses `readers`."""
        version = self.badges.get_version(badge_id, number)
        if self.badges.get(badge_id).campus_id not in readers:
            raise NotFound("Cette version du badge n’existe pas.")
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
            raise NotFound("Cette version du badge n’existe pas.")
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
        """The service signs no credential: its only key is that of its requests for badges (OpenID4VP)."""
        asking = published_request_key(self.secret, self.addresses.base_url)
        document = did_document(did_web(self.addresses.base_url), (), authentication=[asking])
        return Published.of(dump_json(document), "application/did+json")

    def jwks(self) -> Published:
        """Every key ever published, each with its issuer (B-026, B-027)."""
        rows = [row for row, _ in self.campuses.all_keys() if row.purpose.is_published]
        keys = [published_key(row) for row in rows]
        return Published.of(dump_json(jwk_set(keys)), "application/jwk-set+json")

    def status_list(self, list_id: uuid.UUID, form: str = "json") -> Published:
        """The signed list; a due renewal runs in its own transaction, which a reader does not have."""
        signed = self.status.published(list_id)
        if signed.is_due(at=self.status.clock()):
            signed = self.renew_list(list_id)
        return Published.of_list(signed, form)

    def newest_number(self, record: AwardRecord) -> int:
        """The newest public version of the award's badge."""
        badge_id = record.badge.id
        newest = self.snapshot.until_commit(
            ("newest version", badge_id), lambda: self.badges.newest_frozen_number(badge_id)
        )
        return newest or record.version.number


_READERS: Final = 8
_LONGEST_READ: Final = 10.0
"""Seconds, with the wait for a thread."""


class PublicDocuments:
    """Uses one set of connections per event loop: a waiter on another loop's connection is never woken."""

    def __init__(
        self,
        make_store: Callable[[], PublishedStore],
        anchors: ListAnchors,
        addresses: Addresses,
        clock: Clock,
        check_shown: Callable[[uuid.UUID], Awaitable[None]],
        elsewhere: SignedBytes,
    ) -> None:
        """`check_shown` raises if the award must not be shown."""
        self.check_shown = check_shown
        self.elsewhere = elsewhere
        self._make_store = make_store
        self.anchors = anchors
        self._stores: dict[asyncio.AbstractEventLoop, PublishedStore] = {}
        self.addresses = addresses
        self.clock = clock

    async def open(self) -> None:
        store = self._make_store()
        await store.open()
        self._stores[asyncio.get_running_loop()] = store

    async def close(self) -> None:
        await self._stores.pop(asyncio.get_running_loop()).close()

    @cached_property
    def _readers(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_READERS, "signed-bytes")

    @property
    def store(self) -> PublishedStore:
        return self._stores[asyncio.get_running_loop()]

    async def version(self) -> object:
        """Changes with every commit of any process; None if unknown."""
        store = self._stores.get(asyncio.get_running_loop())
        return await store.version() if store else None

    async def award(self, award_id: uuid.UUID, form: str) -> Published:
        """The signed credential of a public award, as `json` or `jwt`."""
        await self.check_shown(award_id)
        stored = await self.store.award(award_id, form)
        if stored is None:
            raise await self._not_shown(award_id)
        if not stored.is_aligned:
            raise DocumentsToAlign(award_id)
        body = stored.body
        if body is None:
            body = await self._read_elsewhere(stored.campus_id, stored.digest)
        return Published(body, FORMS[form], stored.digest[:32])

    async def _read_elsewhere(self, campus_id: uuid.UUID, digest: str) -> bytes:
        """In threads of their own: a slow object store delays nothing else."""
        read = asyncio.get_running_loop().run_in_executor(
            self._readers, self.elsewhere.read, campus_id, digest
        )
        try:
            return await asyncio.wait_for(read, _LONGEST_READ)
        except TimeoutError as error:
            raise StoreSilent("no thread in time") from error

    async def _not_shown(self, award_id: uuid.UUID) -> AppError:
        if await self.store.standing(award_id) is not None:
            return ClosedAward(
                N_("Cette page est fermée par son titulaire. Rien n’est dit de la valeur du badge.")
            )
        if await self.store.is_erased(award_id):
            return Gone(ERASED)
        return NotFound("Il n’y a pas de badge à cette adresse.")

    async def standing(self, award_id: uuid.UUID) -> Standing | None:
        """Current visibility and revocation from the rows; None if there is no such award."""
        await self.check_shown(award_id)
        return await self.store.standing(award_id)

    async def campus_did(self, slug: str) -> Published:
        """The campus's DID document, regenerated only when one of its keys changes."""
        stored = await self.store.keys_of(slug)
        if stored is None:
            raise NotFound("Ce campus n’existe pas ici.")
        return _did_document(stored, self.addresses.campus(slug))

    async def definition(self, badge_id: uuid.UUID, number: int) -> Published:
        """A frozen version of a badge."""
        body = await self.store.definition(badge_id, number)
        if body is None:
            raise NotFound("Cette version du badge n’existe pas.")
        return Published.of(body, "application/ld+json")

    async def status_list(self, list_id: uuid.UUID, form: str) -> Published | None:
        """The stored signed list; None if it must be signed again first, or may be of an older copy."""
        stored = await self.store.status_list(list_id)
        anchored = self.anchors.list_of(list_id)
        if anchored is not None and anchored.is_newer_than(stored):
            # An older copy of the database was restored: later revocations remain in force.
            return Published.of_list(anchored.signed, form)
        if stored is None:
            raise NotFound("Cette liste de statuts n’existe pas ici.")
        must_ask = anchored is None or stored.is_due(at=self.clock())
        return None if must_ask else Published.of_list(stored, form)


@lru_cache(maxsize=256)
def _did_document(stored: StoredKeys, page: str) -> Published:
    keys = [
        PublishedKey(each.method_id, VerificationKey.from_jwk(orjson.loads(each.public_jwk)), each.revoked_at)
        for each in stored.keys
    ]
    return Published.of(
        dump_json(did_document(stored.did, keys, also_known_as=(page,))), "application/did+json"
    )


_LINKED_DATA = "application/ld+json"


class Withdrawn(NotFound):
    """The award was revoked; `body` is served with 410 Gone."""

    def __init__(self, body: bytes) -> None:
        super().__init__(N_("Ce badge a été retiré."))
        self.body = body


@dataclass(frozen=True, eq=False)
class OlderBadges:
    """Open Badges 2.0 renditions; only public awards, as in every other format."""

    publication: PublicationService
    addresses: Addresses

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
            raise NotFound("Open Badges 2.0 demande une adresse de contact, et ce campus n’en publie pas.")
        return _published(issuer_of(profile, self._places(slug, uuid.UUID(int=0), 0)))

    def _assertion(self, record: AwardRecord) -> bytes:
        award = record.award
        _check_contact(record.campus.contact_email)
        places = self._places(record.campus.slug, record.badge.id, record.version.number, award.id)
        if award.state is AwardState.REVOKED:
            raise Withdrawn(dump_json(revoked_assertion(places)))
        if is_suspended(award, at=self.publication.status.clock()):
            raise NotFound(
                "Ce badge est suspendu. Le format Open Badges 2.0 ne peut pas l’indiquer : "
                "il n’est pas proposé pendant la suspension."
            )
        credential = parse_json_object(self.publication.award_file(record, "json").body)
        is_said = award.older_recipient and not needs_guardian_for(record.person, record.activity)
        recipient = hashed_recipient(award.older_recipient) if is_said else None
        return dump_json(
            assertion_of(credential, places, image=f"{places.assertion}.png", recipient=recipient)
        )

    def _places(
        self, slug: str, badge_id: uuid.UUID, number: int, award_id: uuid.UUID | None = None
    ) -> LegacyPointers:
        return LegacyPointers(
            assertion=self.addresses.older_award(award_id) if award_id else "",
            badge_class=self.addresses.older_version(badge_id, number),
            issuer=self.addresses.older_campus(slug),
            all_assertions=self.addresses.older_awards,
        )


def _check_contact(email: str) -> None:
    if not email:
        raise NotFound("Open Badges 2.0 demande une adresse de contact, et ce campus n’en publie pas.")


def _published(document: JsonObject) -> Published:
    return Published.of(dump_json(document), _LINKED_DATA)
