"""Endorsements as the world reads them: beside what they are about, each verified now, and at their own addresses."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from app.db.awards.awards import AwardRecord, AwardStore
from app.db.trust.endorsements import EndorsementStore
from app.db.trust.organisations import OrganisationStore
from app.domain.awards.awards import AwardState, Visibility
from app.domain.badges.badges import BadgeVersion
from app.domain.campus.campus import Campus
from app.domain.core.clock import Clock
from app.domain.core.snapshots import UNSHARED, Snapshot
from app.domain.privacy.erasures import ERASED
from app.domain.trust.endorsements import MOST_SHOWN, Endorsed, Endorsement
from app.domain.trust.organisations import Organisation
from app.errors import Gone, NotFound
from app.language import N_
from app.services.publishing.publication import FORMS, ClosedAward, Published
from app.services.trust.endorsements.subjects import EndorsementSubjects, Subject
from sceau_credentials.errors import MalformedInput
from sceau_credentials.values.documents import DocumentSource
from sceau_credentials.verification.ladder import verify_endorsement
from sceau_credentials.verification.report import EndorsementAnswer, Outcome

_AT_A_TIME: Final = 500
WITHDRAWN = N_("Cette recommandation a été retirée par l’organisation qui l’avait écrite.")


@dataclass(frozen=True)
class Shown:
    """`answer`: what was found now; None of what was withdrawn, of which nothing is left to check."""

    endorsement: Endorsement
    organisation: Organisation
    answer: EndorsementAnswer | None
    version: int | None = None
    """The version of the badge it was given to, where it is shown beside a later one."""

    @property
    def state(self) -> Literal["shown", "withdrawn", "hidden", "set_aside"]:
        """Who took it back, the organisation before all others."""
        if self.endorsement.withdrawn_at is not None:
            return "withdrawn"
        if self.endorsement.set_aside_at is not None:
            return "set_aside"
        return "hidden" if self.endorsement.hidden_at is not None else "shown"

    @property
    def holds(self) -> bool:
        return self.answer is not None and self.answer.outcome is Outcome.PASSED


class EndorsementDocuments:
    """The bytes that organisations signed, as far as the world may read them."""

    def __init__(
        self, endorsements: EndorsementStore, organisations: OrganisationStore, awards: AwardStore
    ) -> None:
        self.endorsements = endorsements
        self.organisations = organisations
        self.awards = awards

    def document(self, endorsement_id: uuid.UUID, form: str) -> Published:
        """The bytes that were signed, as `json` or `jwt`."""
        endorsement = self.readable(endorsement_id)
        written = {"json": endorsement.written, "jwt": endorsement.token}
        if endorsement.foreign_issuer and not endorsement.written.startswith("{"):
            written = {"json": "", "jwt": endorsement.written}
        if not written[form]:
            raise NotFound(N_("Cette recommandation n’existe pas sous cette forme."))
        return Published.of(written[form].encode(), FORMS[form])

    def in_any_form(self, endorsement_id: uuid.UUID) -> Published:
        """As JSON where it was signed so, else as a token."""
        try:
            return self.document(endorsement_id, "json")
        except NotFound:
            return self.document(endorsement_id, "jwt")

    def readable(self, endorsement_id: uuid.UUID) -> Endorsement:
        """One that the world may read; Gone where it was withdrawn, ClosedAward where its badge is not shown."""
        endorsement = self.endorsements.find(endorsement_id)
        if endorsement is None:
            if self.organisations.find_place(endorsement_id):
                raise Gone(ERASED)
            raise NotFound(N_("Il n’y a pas de recommandation à cette adresse."))
        if endorsement.withdrawn_at is not None:
            raise Gone(WITHDRAWN)
        if not endorsement.is_shown:
            raise NotFound(N_("Cette recommandation n’est pas montrée."))
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


class EndorsementShowing:
    def __init__(
        self,
        signed: EndorsementDocuments,
        endorsements: EndorsementStore,
        organisations: OrganisationStore,
        subjects: EndorsementSubjects,
        documents: DocumentSource,
        near: DocumentSource,
        clock: Clock,
        snapshot: Snapshot = UNSHARED,
    ) -> None:
        """`near`: what this service holds itself, so that no page of a badge waits for somebody else's server."""
        self.signed = signed
        self.endorsements = endorsements
        self.organisations = organisations
        self.subjects = subjects
        self.documents = documents
        self.near = near
        self.clock = clock
        self.snapshot = snapshot

    # --- beside what they are about

    def about_award(self, record: AwardRecord) -> list[Shown]:
        """Of the award where its page is open, and of the badge in the version that was given or one before."""
        if record.award.state is AwardState.REVOKED:
            return []
        is_open = record.award.visibility is Visibility.OPEN
        if not self.snapshot.is_shared:
            found = self.endorsements.shown_about(
                award_id=record.award.id if is_open else None, version=record.version, limit=MOST_SHOWN
            )
            return self._beside(found, record.version)
        # All awards of the version share what was said of the badge.
        shown = self.snapshot.now(("said of", record.version.id), lambda: self.about_version(record.version))
        if is_open and self.signed.awards.is_endorsed(record.award.id):
            own = self.endorsements.shown_about_award(record.award.id, limit=MOST_SHOWN)
            shown = sorted([*self._beside(own, record.version), *shown], key=lambda each: each.endorsement.id)
            shown.sort(key=lambda each: each.endorsement.signed_at, reverse=True)
        return shown[:MOST_SHOWN]

    def about_version(self, version: BadgeVersion) -> list[Shown]:
        """What was written about an earlier version stays with those after it, marked with its own."""
        found = self.endorsements.shown_about(version=version, limit=MOST_SHOWN)
        return self._beside(found, version)

    def _beside(self, rows: Sequence[Endorsement], version: BadgeVersion) -> list[Shown]:
        return [replace(self._shown(each), version=self._number(each, version)) for each in rows]

    def _number(self, endorsement: Endorsement, shown_with: BadgeVersion) -> int | None:
        if endorsement.version_id in (None, shown_with.id):
            return None
        version = self.subjects.about(endorsement).version
        return version.number if version else None

    def about_campus(self, campus: Campus) -> list[Shown]:
        return self._told(self.endorsements.shown_about_campus(campus.id, limit=MOST_SHOWN))

    def by_organisation(self, organisation_id: uuid.UUID) -> list[tuple[Shown, Subject]]:
        """All that it said and that may be read: of awards, those whose page is open."""
        organisation = self.organisations.get(organisation_id)
        rows = [each for each in self.endorsements.of_organisation(organisation.id) if each.is_shown]
        return [
            (self._shown(each), self.subjects.about(each)) for each in rows if self.signed.is_readable(each)
        ]

    def readable_in(self, campus: Campus) -> Iterator[Endorsement]:
        """All about the campus, its badges and its awards that the world may read."""
        after = uuid.UUID(int=0)
        while page := self.endorsements.shown_in(campus.id, after=after, limit=_AT_A_TIME):
            yield from (each for each in page if self.signed.is_readable(each))
            after = page[-1].id

    def mine(self, award_id: uuid.UUID) -> list[Shown]:
        """For the holder: hidden ones too."""
        return self._told(self.endorsements.of_award(award_id))

    def of_campus(self, campus: Campus) -> list[Shown]:
        """For the campus: also what is not shown."""
        return self._told(self.endorsements.of_campus(campus.id))

    # --- at its own address

    def get(self, endorsement_id: uuid.UUID) -> tuple[Shown, Subject]:
        """One that may be read, checked now with all that others publish too."""
        endorsement = self.signed.readable(endorsement_id)
        return self._shown(endorsement, self.documents), self.subjects.about(endorsement)

    def look(self, endorsement: Endorsement) -> tuple[Shown, Subject]:
        """For those whose words they are, whoever else may read them."""
        return self._shown(endorsement), self.subjects.about(endorsement)

    def is_read(self, endorsement: Endorsement) -> bool:
        """Whether the world may read it now."""
        return endorsement.is_shown and self.signed.is_readable(endorsement)

    def document(self, endorsement_id: uuid.UUID, form: str) -> Published:
        return self.signed.document(endorsement_id, form)

    def _told(self, rows: Sequence[Endorsement]) -> list[Shown]:
        return [self._shown(each) for each in rows]

    def _shown(self, endorsement: Endorsement, documents: DocumentSource | None = None) -> Shown:
        about = "organisation", endorsement.organisation_id
        organisation = self.snapshot.until_commit(
            about, lambda: self.organisations.get(endorsement.organisation_id)
        )
        if not endorsement.written:
            return Shown(endorsement, organisation, None)
        try:
            answer = verify_endorsement(
                endorsement.written,
                documents=documents or self.near,
                at=self.clock(),
                about=endorsement.subject,
            )
        except MalformedInput as error:
            # Only of a row that somebody spoilt.
            answer = EndorsementAnswer("", endorsement.subject, None, "", Outcome.FAILED, error.reason)
        return Shown(endorsement, organisation, answer)
