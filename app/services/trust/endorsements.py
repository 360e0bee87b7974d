"""Answers of an organisation: endorsement signed here in its name, imported endorsement, or refusal."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from app.db.awards import AwardRecord, AwardStore
from app.db.badges import BadgeStore
from app.db.campus import CampusStore, HistoryStore
from app.db.messages import LetterStore
from app.db.people import GuardianStore, PeopleStore
from app.db.trust import EndorsementStore, OrganisationStore
from app.domain.awards import AwardState, Visibility
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import UNSHARED, Clock, Snapshot, as_signed, name_as_signed
from app.domain.messages import Occasion, letter_to
from app.domain.people import is_own_address
from app.domain.people.consents import ERASED, check_tells_nothing_of, may_be_public
from app.domain.publishing import Addresses, ServiceDocuments
from app.domain.trust.organisations import (
    AGAIN,
    LONGEST_SIGNED,
    MOST_SHOWN,
    REQUEST_REMOVED,
    WORDINGS,
    Endorsed,
    Endorsement,
    EndorsementRequest,
    EndorsementText,
    Organisation,
    Refusal,
    check_open,
    checked_name,
    checked_site,
    named_token,
    number_in,
)
from app.errors import Conflict, DeadLink, Gone, InvalidInput, NotFound
from app.language import N_, filled, speaking
from app.language import gettext as _
from app.services.publishing import FORMS, ClosedAward, Published
from app.services.trust.organisations import OrganisationService
from sceau_credentials.errors import MalformedInput
from sceau_credentials.issuing.signing import issue_endorsement
from sceau_credentials.model import EndorsementCredential, EndorsementSubject
from sceau_credentials.values import DocumentSource
from sceau_credentials.verification.answers import FetchBudget
from sceau_credentials.verification.report import EndorsementAnswer, Outcome
from sceau_credentials.verification.run_checks import ENDORSES_ANOTHER, verify_endorsement


@dataclass(frozen=True)
class Subject:
    """`iri`: the signed subject identifier: the id of the credential, definition or campus."""

    about: Endorsed
    campus: Campus
    iri: str
    badge: Badge | None = None
    version: BadgeVersion | None = None
    record: AwardRecord | None = None

    @property
    def title(self) -> str:
        return self.version.name if self.version else self.campus.name


@dataclass(frozen=True, eq=False)
class EndorsementSubjects:
    awards: AwardStore
    badges: BadgeStore
    campuses: CampusStore
    addresses: Addresses

    def of_campus(self, campus: Campus) -> Subject:
        return Subject(Endorsed.CAMPUS, campus, campus.did)

    def of_award(self, record: AwardRecord) -> Subject:
        """Raises Conflict for a revoked award."""
        if record.award.state is AwardState.REVOKED:
            raise Conflict("Ce badge est retiré : il ne peut plus être recommandé.")
        return self._of_record(record)

    def of_badge(self, campus: Campus, badge_id: uuid.UUID) -> Subject:
        """A badge of the campus, in its newest version that was awarded."""
        self.badges.get_of(campus.id, badge_id)
        number = self.badges.newest_frozen_number(badge_id)
        if number is None:
            raise Conflict(
                "Personne n’a encore reçu ce badge : sa définition peut changer. Attribuez-le d’abord."
            )
        return self._of_version(campus, self.badges.get_version(badge_id, number))

    def of(self, request: EndorsementRequest) -> Subject:
        """The subject of the request, if it can still be endorsed."""
        if request.award_id is not None:
            return self.of_award(self.awards.get_record(request.award_id))
        return self.about(request)

    def about(self, row: EndorsementRequest | Endorsement) -> Subject:
        campus = self.campuses.get_by_id(row.campus_id)
        if row.award_id is not None:
            return self._of_record(self.awards.get_record(row.award_id))
        if row.version_id is not None:
            return self._of_version(campus, self.badges.get_version_by_id(row.version_id))
        return self.of_campus(campus)

    def readable(self, rows: Sequence[Endorsement]) -> Mapping[uuid.UUID, Subject]:
        """The subjects that anybody may read, by endorsement; awards are read together."""
        awards = self.awards.open_among({each.award_id for each in rows if each.award_id})
        records = {
            record.award.id: record for record in awards if record.award.state is not AwardState.REVOKED
        }
        found = dict[uuid.UUID, Subject]()
        for each in rows:
            if each.award_id is None:
                found[each.id] = self.about(each)
            elif each.award_id in records:
                found[each.id] = self._of_record(records[each.award_id])
        return found

    def _of_record(self, record: AwardRecord) -> Subject:
        iri = self.addresses.award(record.award.id)
        return Subject(Endorsed.AWARD, record.campus, iri, record.badge, record.version, record)

    def _of_version(self, campus: Campus, version: BadgeVersion) -> Subject:
        badge = self.badges.get(version.badge_id)
        iri = self.addresses.version(badge.id, version.number)
        return Subject(Endorsed.BADGE, campus, iri, badge, version)


AN_ORGANISATION = Actor(label="an organisation")
ASKED, WITHDRAW = "asked", "withdraw"


@dataclass(frozen=True)
class EndorsementOutcome:
    """Form: what the respondent enters about their organisation."""

    name: str
    site: str

    @staticmethod
    def checked(name: str, site: str) -> EndorsementOutcome:
        return EndorsementOutcome(checked_name(name), checked_site(site))


@dataclass(frozen=True, eq=False)
class EndorsementSigning:
    endorsements: EndorsementStore
    organisations: OrganisationService
    subjects: EndorsementSubjects
    people: PeopleStore
    guardians: GuardianStore
    letters: LetterStore
    history: HistoryStore
    documents: ServiceDocuments
    addresses: Addresses
    secret: bytes
    clock: Clock

    def opened(self, token: str) -> tuple[EndorsementRequest, Subject]:
        """The request of a link; raises DeadLink if answered or expired."""
        request = self.endorsements.find_request(number_in(self.secret, ASKED, token))
        if request is None:
            raise DeadLink(REQUEST_REMOVED)
        check_open(request, at=self.clock())
        subject = self.subjects.of(request)
        if subject.record is not None and not self._may_be_endorsed(subject.record, request.address):
            # Why is not for a stranger to read.
            raise DeadLink(N_("Ce lien n’ouvre plus rien : sa durée est passée. Demandez-en un autre."))
        return request, subject

    def _may_be_endorsed(self, record: AwardRecord, address: str) -> bool:
        """Not where a parent took back their agreement, nor by an address that is the learner's own by now."""
        agreement = self.guardians.decisive_about(record.award.id)
        return may_be_public(record.person, record.activity, agreement) and not is_own_address(
            address, self.people.all_addresses(record.person.id)
        )

    def sign(
        self, token: str, outcome: EndorsementOutcome, words: EndorsementText, *, language: str
    ) -> Endorsement:
        """Sign with the organisation's own key; the link becomes used."""
        request, subject = self._taken(token)
        self.check_words(subject, outcome, words.signed)
        at = self.clock()
        organisation = self.organisations.of_address(
            request.address, name=outcome.name, site=outcome.site, at=at
        )
        endorsement = self._new(request, subject, organisation, language=language, at=at)
        signers = self.organisations.signers_of(organisation, at=at)
        signed = issue_endorsement(
            self._credential(endorsement, subject, organisation, words, at=at),
            signer=signers.embedded,
            jwt_signer=signers.jwt,
            at=at,
        )
        endorsement.written, endorsement.token = signed.embedded.decode(), signed.token
        return self._kept(request, endorsement)

    def take_in(self, token: str, outcome: EndorsementOutcome, written: str, *, language: str) -> Endorsement:
        """Import an endorsement of this subject that was signed elsewhere; its bytes are stored unchanged."""
        request, subject = self._taken(token)
        at = self.clock()
        answer = self.checked_elsewhere(written, subject)
        self.check_words(subject, outcome, answer.comment)
        organisation = self.organisations.of_address(
            request.address, name=outcome.name, site=outcome.site, at=at
        )
        endorsement = self._new(request, subject, organisation, language=language, at=at)
        endorsement.written, endorsement.foreign_issuer = written.strip(), (answer.issuer or "")[:400]
        endorsement.comment, endorsement.checked_at = answer.comment, at
        endorsement.check_again_at = at + AGAIN
        return self._kept(request, endorsement)

    @staticmethod
    def check_words(subject: Subject, outcome: EndorsementOutcome, words: str) -> None:
        if subject.record is not None:
            text = f"{outcome.name}\n{outcome.site}\n{words}"
            check_tells_nothing_of(text, subject.record.person, subject.record.activity)

    def refuse(self, token: str, refusal: Refusal) -> None:
        request, _subject = self._taken(token)
        request.refusal, request.answered_at = refusal.value, self.clock()
        if refusal is Refusal.THIS:
            request.address = ""
        self.endorsements.save(request)
        self._write("decline", request.id, request.campus_id)

    def token_of(self, request_id: uuid.UUID) -> str:
        """The last part of a request's link."""
        return named_token(self.secret, ASKED, request_id)

    def withdraw_token(self, endorsement_id: uuid.UUID) -> str:
        return named_token(self.secret, WITHDRAW, endorsement_id)

    def _taken(self, token: str) -> tuple[EndorsementRequest, Subject]:
        self.endorsements.lock_request(number_in(self.secret, ASKED, token))
        return self.opened(token)

    def _new(
        self,
        request: EndorsementRequest,
        subject: Subject,
        organisation: Organisation,
        *,
        language: str,
        at: datetime,
    ) -> Endorsement:
        return Endorsement(
            organisation_id=organisation.id,
            campus_id=request.campus_id,
            about=request.about,
            version_id=request.version_id,
            award_id=request.award_id,
            subject=subject.iri,
            organisation_name=organisation.name,
            address=request.address,
            language=language,
            written="",
            wording=len(WORDINGS),
            signed_at=at,
        )

    def _credential(
        self,
        endorsement: Endorsement,
        subject: Subject,
        organisation: Organisation,
        words: EndorsementText,
        *,
        at: datetime,
    ) -> EndorsementCredential:
        with speaking(subject.campus.language):
            name = filled(_("Recommandation de {name}"), {"name": organisation.name})
            how = (
                _(
                    "Signée par le service {host} au nom de l’organisation, dont une adresse personnelle a été confirmée."
                )
                if organisation.is_personal
                else _(
                    "Signée par le service {host} au nom de l’organisation, dont une adresse en {domain} a été confirmée."
                )
            ).format(host=self.addresses.host, domain=organisation.domain)
        return EndorsementCredential(
            id=self.addresses.endorsement(endorsement.id),
            name=name_as_signed(name),
            description=as_signed(how),
            issuer=self.organisations.profile_of(organisation),
            valid_from=at,
            credential_subject=EndorsementSubject(
                id=subject.iri, endorsement_comment=as_signed(words.signed)
            ),
            credential_status=self.organisations.reserve(organisation, endorsement.id),
        )

    def checked_elsewhere(self, written: str, subject: Subject) -> EndorsementAnswer:
        """The verification result; raises InvalidInput unless it is valid now for this subject."""
        written, at = written.strip(), self.clock()
        if not written or len(written) > LONGEST_SIGNED:
            raise InvalidInput("Collez le texte entier de la recommandation signée, ou joignez son fichier.")
        try:
            answer = self.documents.endorsement_anew(
                lambda: verify_endorsement(written, documents=self.documents, at=at, about=subject.iri)
            )
        except MalformedInput as error:
            raise InvalidInput(
                "Ce texte n’est pas une recommandation signée : il en faut une entière, en JSON ou en JWT."
            ) from error
        if answer.reason == ENDORSES_ANOTHER:
            raise InvalidInput(
                "Cette recommandation parle d’autre chose. Elle doit nommer exactement : {subject}",
                subject=subject.iri,
            )
        if answer.outcome is Outcome.UNKNOWN:
            raise InvalidInput(
                "Cette recommandation n’a pas pu être vérifiée pour le moment : la clé ou la liste de qui l’a signée ne répond pas. Réessayez plus tard."
            )
        if answer.outcome is not Outcome.PASSED or not answer.issuer:
            raise InvalidInput(
                "Cette recommandation ne compte pas : sa signature ne tient pas, ou elle n’est plus valable."
            )
        return answer

    def _kept(self, request: EndorsementRequest, endorsement: Endorsement) -> Endorsement:
        self.endorsements.save(endorsement)
        request.answered_at, request.endorsement_id = endorsement.signed_at, endorsement.id
        self.endorsements.save(request)
        letter = letter_to(
            endorsement.address,
            Occasion.ENDORSEMENT_SIGNED,
            endorsement.id,
            campus_id=endorsement.campus_id,
            at=endorsement.signed_at,
        )
        self.letters.enqueue_many([letter])
        self._write("sign", endorsement.id, endorsement.campus_id)
        return endorsement

    def _write(self, action: str, number: uuid.UUID, campus_id: uuid.UUID) -> None:
        self.history.write(
            AN_ORGANISATION, action, "endorsement", number, at=self.clock(), campus_id=campus_id
        )


_AT_A_TIME: Final = 500
WITHDRAWN = N_("Cette recommandation a été retirée par l’organisation qui l’avait écrite.")


@dataclass(frozen=True)
class ShownEndorsement:
    """`answer`: the current verification result; None if withdrawn, with nothing left to check."""

    endorsement: Endorsement
    organisation: Organisation
    answer: EndorsementAnswer | None
    version: int | None = None
    """The endorsed badge version, if it is shown next to a later one."""

    @property
    def state(self) -> Literal["shown", "withdrawn", "hidden", "set_aside"]:
        """Who withdrew it; withdrawal by the organisation takes precedence."""
        if self.endorsement.withdrawn_at is not None:
            return "withdrawn"
        if self.endorsement.set_aside_at is not None:
            return "set_aside"
        return "hidden" if self.endorsement.hidden_at is not None else "shown"

    @property
    def holds(self) -> bool:
        return self.answer is not None and self.answer.outcome is Outcome.PASSED


@dataclass(frozen=True, eq=False)
class EndorsementDocuments:
    """The signed bytes of organisations, as far as they are public."""

    endorsements: EndorsementStore
    organisations: OrganisationStore
    awards: AwardStore

    def document(self, endorsement_id: uuid.UUID, form: str) -> Published:
        """The signed bytes, as `json` or `jwt`."""
        endorsement = self.readable(endorsement_id)
        written = {"json": endorsement.written, "jwt": endorsement.token}
        if endorsement.foreign_issuer and not endorsement.written.startswith("{"):
            written = {"json": "", "jwt": endorsement.written}
        if not written[form]:
            raise NotFound("Cette recommandation n’existe pas sous cette forme.")
        return Published.of(written[form].encode(), FORMS[form])

    def in_any_form(self, endorsement_id: uuid.UUID) -> Published:
        """As JSON if it was signed as JSON, else as a JWT."""
        try:
            return self.document(endorsement_id, "json")
        except NotFound:
            return self.document(endorsement_id, "jwt")

    def readable(self, endorsement_id: uuid.UUID) -> Endorsement:
        """A public endorsement; raises Gone if withdrawn, ClosedAward if its badge is not public."""
        endorsement = self.endorsements.find(endorsement_id)
        if endorsement is None:
            if self.organisations.find_place(endorsement_id):
                raise Gone(ERASED)
            raise NotFound("Il n’y a pas de recommandation à cette adresse.")
        if endorsement.withdrawn_at is not None:
            raise Gone(WITHDRAWN)
        if not endorsement.is_shown:
            raise NotFound("Cette recommandation n’est pas montrée.")
        if not self.is_readable(endorsement):
            raise ClosedAward(
                N_("Cette page est fermée par son titulaire. Rien n’est dit de la valeur du badge.")
            )
        return endorsement

    def is_readable(self, endorsement: Endorsement) -> bool:
        if endorsement.about is not Endorsed.AWARD:
            return True
        award = self.awards.find(endorsement.award_id) if endorsement.award_id else None
        return (
            award is not None
            and award.visibility is Visibility.OPEN
            and award.state is not AwardState.REVOKED
        )


@dataclass(frozen=True, eq=False)
class EndorsementShowing:
    signed: EndorsementDocuments
    endorsements: EndorsementStore
    organisations: OrganisationStore
    subjects: EndorsementSubjects
    documents: ServiceDocuments
    clock: Clock
    snapshot: Snapshot = UNSHARED

    # --- shown next to their subject

    def about_award(self, record: AwardRecord) -> list[ShownEndorsement]:
        """Endorsements of a public award, and of its badge in the awarded version or an earlier one."""
        if record.award.state is AwardState.REVOKED:
            return []
        is_open = record.award.visibility is Visibility.OPEN
        if not self.snapshot.is_shared:
            found = self.endorsements.shown_about(
                award_id=record.award.id if is_open else None, version=record.version, limit=MOST_SHOWN
            )
            return self._beside(found, record.version)
        # All awards of a version share the endorsements of the badge.
        shown = self.snapshot.now(("said of", record.version.id), lambda: self.about_version(record.version))
        if is_open and self.signed.awards.is_endorsed(record.award.id):
            own = self.endorsements.shown_about_award(record.award.id, limit=MOST_SHOWN)
            shown = sorted([*self._beside(own, record.version), *shown], key=lambda each: each.endorsement.id)
            shown.sort(key=lambda each: each.endorsement.signed_at, reverse=True)
        return shown[:MOST_SHOWN]

    def about_version(self, version: BadgeVersion) -> list[ShownEndorsement]:
        """Endorsements of an earlier version also apply to later ones, marked with their own version."""
        found = self.endorsements.shown_about(version=version, limit=MOST_SHOWN)
        return self._beside(found, version)

    def _beside(self, rows: Sequence[Endorsement], version: BadgeVersion) -> list[ShownEndorsement]:
        return [replace(self._shown(each), version=self._number(each, version)) for each in rows]

    def _number(self, endorsement: Endorsement, shown_with: BadgeVersion) -> int | None:
        if endorsement.version_id in (None, shown_with.id):
            return None
        version = self.subjects.about(endorsement).version
        return version.number if version else None

    def about_campus(self, campus: Campus) -> list[ShownEndorsement]:
        return self._show(self.endorsements.shown_about_campus(campus.id, limit=MOST_SHOWN))

    def by_organisation(
        self, organisation_id: uuid.UUID, campus: Campus | None = None
    ) -> list[tuple[ShownEndorsement, Subject]]:
        """All public endorsements by the organisation, or those about one campus, its badges and its awards; for
        awards, only those with a public page."""
        organisation = self.organisations.get(organisation_id)
        rows = [
            each
            for each in self.endorsements.of_organisation(organisation.id)
            if each.is_shown and (campus is None or each.campus_id == campus.id)
        ]
        readable = self.subjects.readable(rows)
        # Keys and status list are the same for all that it signed here.
        documents = FetchBudget(self.documents.alone(), 3 * len(rows))
        return [(self._shown(each, documents), readable[each.id]) for each in rows if each.id in readable]

    def readable_in(self, campus: Campus) -> Iterator[Endorsement]:
        """All public endorsements of the campus, its badges and its awards."""
        after = uuid.UUID(int=0)
        while page := self.endorsements.readable_in(campus.id, after=after, limit=_AT_A_TIME):
            yield from page
            after = page[-1].id

    def mine(self, award_id: uuid.UUID) -> list[ShownEndorsement]:
        """For the holder: includes hidden ones."""
        return self._show(self.endorsements.of_award(award_id))

    def of_campus(self, campus: Campus) -> list[ShownEndorsement]:
        """For the campus: includes those not public."""
        return self._show(self.endorsements.of_campus(campus.id))

    # --- single endorsement

    def get(self, endorsement_id: uuid.UUID) -> tuple[ShownEndorsement, Subject]:
        """A public endorsement, verified now including remote documents."""
        endorsement = self.signed.readable(endorsement_id)
        return self._shown(endorsement, self.documents), self.subjects.about(endorsement)

    def look(self, endorsement: Endorsement) -> tuple[ShownEndorsement, Subject]:
        """For its author, public or not."""
        return self._shown(endorsement), self.subjects.about(endorsement)

    def is_read(self, endorsement: Endorsement) -> bool:
        """Whether it is public now."""
        return endorsement.is_shown and self.signed.is_readable(endorsement)

    def document(self, endorsement_id: uuid.UUID, form: str) -> Published:
        return self.signed.document(endorsement_id, form)

    def _show(self, rows: Sequence[Endorsement]) -> list[ShownEndorsement]:
        return [self._shown(each) for each in rows]

    def _shown(self, endorsement: Endorsement, documents: DocumentSource | None = None) -> ShownEndorsement:
        about = "organisation", endorsement.organisation_id
        organisation = self.snapshot.until_commit(
            about, lambda: self.organisations.get(endorsement.organisation_id)
        )
        if not endorsement.written:
            return ShownEndorsement(endorsement, organisation, None)

        def judge() -> EndorsementAnswer:
            return verify_endorsement(
                endorsement.written,
                documents=documents or self.documents.alone(),  # a badge page never waits for a remote server
                at=self.clock(),
                about=endorsement.subject,
            )

        try:
            answer = self.documents.endorsement_anew(judge) if documents is self.documents else judge()
        except MalformedInput as error:
            # Only for a corrupted row.
            answer = EndorsementAnswer("", endorsement.subject, None, "", Outcome.FAILED, error.reason)
        return ShownEndorsement(endorsement, organisation, answer)
