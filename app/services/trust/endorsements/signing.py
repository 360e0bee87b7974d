"""Somebody of an organisation answers: their words signed in its name, words signed elsewhere taken in, or no."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from app.db.campus.history import HistoryStore
from app.db.messages.letters import LetterStore
from app.db.trust.endorsements import EndorsementStore
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.core.signed_text import as_signed, name_as_signed
from app.domain.messages.letters import Occasion, letter_to
from app.domain.publishing.addresses import Addresses
from app.domain.trust.endorsements import (
    AGAIN,
    LONGEST_SIGNED,
    WORDINGS,
    DeadRequest,
    Endorsement,
    EndorsementRequest,
    Refusal,
    Words,
    check_open,
    named_token,
    number_in,
)
from app.domain.trust.organisations import Organisation, checked_name, checked_site
from app.errors import InvalidInput
from app.language import N_, speaking
from app.language import gettext as _
from app.services.trust.endorsements.subjects import EndorsementSubjects, Subject
from app.services.trust.organisations import OrganisationService
from sceau_credentials.errors import MalformedInput
from sceau_credentials.issuing.endorsing import issue_endorsement
from sceau_credentials.model import EndorsementCredential, EndorsementSubject
from sceau_credentials.values.documents import DocumentSource
from sceau_credentials.verification.endorsements import ENDORSES_ANOTHER
from sceau_credentials.verification.ladder import verify_endorsement
from sceau_credentials.verification.report import EndorsementAnswer, Outcome

AN_ORGANISATION = Actor(label="an organisation")
ASKED, WITHDRAW = "asked", "withdraw"


@dataclass(frozen=True)
class Told:
    """What whoever answers says of their organisation."""

    name: str
    site: str

    @staticmethod
    def checked(name: str, site: str) -> Told:
        return Told(checked_name(name), checked_site(site))


class EndorsementSigning:
    def __init__(
        self,
        endorsements: EndorsementStore,
        organisations: OrganisationService,
        subjects: EndorsementSubjects,
        letters: LetterStore,
        history: HistoryStore,
        documents: DocumentSource,
        addresses: Addresses,
        secret: bytes,
        clock: Clock,
    ) -> None:
        self.endorsements = endorsements
        self.organisations = organisations
        self.subjects = subjects
        self.letters = letters
        self.history = history
        self.documents = documents
        self.addresses = addresses
        self.secret = secret
        self.clock = clock

    def opened(self, token: str) -> tuple[EndorsementRequest, Subject]:
        """What a link asks for; raises DeadRequest once it was answered or is too old."""
        request = self.endorsements.find_request(number_in(self.secret, ASKED, token))
        if request is None:
            raise DeadRequest(N_("Cette demande a été retirée avec le badge dont elle parlait."))
        check_open(request, at=self.clock())
        return request, self.subjects.of(request)

    def sign(self, token: str, told: Told, words: Words, *, language: str) -> Endorsement:
        """In the organisation's name, with its own key; the link has then served."""
        request, subject = self._taken(token)
        at = self.clock()
        organisation = self.organisations.of_address(request.address, name=told.name, site=told.site, at=at)
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

    def take_in(self, token: str, told: Told, written: str, *, language: str) -> Endorsement:
        """Words that were signed elsewhere about this very thing, kept as they are."""
        request, subject = self._taken(token)
        at = self.clock()
        answer = self._judged(written.strip(), subject, at=at)
        organisation = self.organisations.of_address(request.address, name=told.name, site=told.site, at=at)
        endorsement = self._new(request, subject, organisation, language=language, at=at)
        endorsement.written, endorsement.foreign_issuer = written.strip(), (answer.issuer or "")[:400]
        endorsement.comment, endorsement.checked_at = answer.comment, at
        endorsement.check_again_at = at + AGAIN
        return self._kept(request, endorsement)

    def refuse(self, token: str, refusal: Refusal) -> None:
        request, _subject = self._taken(token)
        request.refusal, request.answered_at = refusal.value, self.clock()
        if refusal is Refusal.THIS:
            request.address = ""
        self.endorsements.save(request)
        self._write("decline", request.id, request.campus_id)

    def token_of(self, request_id: uuid.UUID) -> str:
        """What the link of a request ends with."""
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
        words: Words,
        *,
        at: datetime,
    ) -> EndorsementCredential:
        with speaking(subject.campus.language):
            name = _("Recommandation de {name}").format(name=organisation.name)
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

    def _judged(self, written: str, subject: Subject, *, at: datetime) -> EndorsementAnswer:
        """What was found; raises InvalidInput for anything that does not hold, now, about this."""
        if not written or len(written) > LONGEST_SIGNED:
            raise InvalidInput(
                N_("Collez le texte entier de la recommandation signée, ou joignez son fichier.")
            )
        try:
            answer = verify_endorsement(written, documents=self.documents, at=at, about=subject.iri)
        except MalformedInput as error:
            raise InvalidInput(
                N_(
                    "Ce texte n’est pas une recommandation signée : il en faut une entière, en JSON ou en JWT."
                )
            ) from error
        if answer.reason == ENDORSES_ANOTHER:
            raise InvalidInput(
                N_("Cette recommandation parle d’autre chose. Elle doit nommer exactement : {subject}"),
                subject=subject.iri,
            )
        if answer.outcome is Outcome.UNKNOWN:
            raise InvalidInput(
                N_(
                    "Cette recommandation n’a pas pu être vérifiée pour le moment : la clé ou la liste de qui l’a signée ne répond pas. Réessayez plus tard."
                )
            )
        if answer.outcome is not Outcome.PASSED or not answer.issuer:
            raise InvalidInput(
                N_(
                    "Cette recommandation ne compte pas : sa signature ne tient pas, ou elle n’est plus valable."
                )
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
        self.letters.promise_many([letter])
        self._write("sign", endorsement.id, endorsement.campus_id)
        return endorsement

    def _write(self, deed: str, number: uuid.UUID, campus_id: uuid.UUID) -> None:
        self.history.write(AN_ORGANISATION, deed, "endorsement", number, at=self.clock(), campus_id=campus_id)
