"""Import of external badges: verified on import, checked for ownership, verified again every week."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from app.db.awards.batches import HolderStore
from app.db.engine.row_level_security import TenantScope
from app.db.learners import ImportedBadgeStore
from app.db.people import PeopleStore
from app.domain.core import Clock
from app.domain.learners.connected_apps import identity_of
from app.domain.learners.portfolios import (
    MOST_BY_APPLICATIONS,
    MOST_OF_ONE_PERSON,
    Belonging,
    ImportedBadge,
    names_person,
    next_check,
)
from app.domain.people import Person
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_
from app.services.verification.answers import Answer
from app.services.verification.verdicts import HeadlineKind, Sentence, claims_of, headline
from app.services.verification.verdicts.kinds import OF_UNKNOWN_ISSUER, WORDING
from app.services.verification.verification import VerificationService
from sceau_credentials.verification.answers import Identity, Policy
from sceau_credentials.verification.findings import Reason
from sceau_credentials.verification.report import CheckId

_MOST_ADDRESSES = 8
_NO_ADDRESS = "nobody@invalid"
"""Belongs to no one: a badge with any address differs from it, even if the person has verified none."""
_OPEN = frozenset({HeadlineKind.UNVERIFIABLE, HeadlineKind.NOT_CHECKABLE, HeadlineKind.OUT_OF_DATE_UNPROVEN})


class NotImported(InvalidInput):
    """The input must not be stored as a badge; `answer`: the verification result."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(N_("Ce badge n’a pas été ajouté."))
        self.answer = answer


@dataclass(frozen=True)
class Verdict:
    """A verification result at one point in time, ready to be stored."""

    kind: HeadlineKind
    place: str
    belongs: Belonging
    holder_name: str


@dataclass(frozen=True)
class BadgeToAdd:
    """A genuine badge, verified and not stored yet."""

    badge: ImportedBadge
    verdict: Verdict


class Upserted(Enum):
    CREATED = auto()
    REPLACED = auto()
    """Also where these very bytes are held already."""
    NOT_NEWER = auto()


def heading_of(badge: ImportedBadge) -> tuple[str, Sentence]:
    """State and heading of the badge's last verification."""
    kind = HeadlineKind(badge.verdict)
    state, _, heading, _ = WORDING[kind]
    heading = OF_UNKNOWN_ISSUER.get(kind, heading)
    return state, Sentence(heading, {"place": badge.place})


@dataclass(frozen=True, eq=False)
class ImportedBadgeService:
    store: ImportedBadgeStore
    people: PeopleStore
    holders: HolderStore
    verification: VerificationService
    tenant_scope: TenantScope
    clock: Clock

    def read(self, person: Person, presented: bytes | str, *, app_id: uuid.UUID | None = None) -> BadgeToAdd:
        """Only if its issuer verifiably signed it; raises NotBrought otherwise. May be slow, writes nothing."""
        answer = self.verification.verify(presented)
        report = answer.report
        if answer.campus is not None or answer.closed:
            raise Conflict(
                "Ce badge a été donné ici : ouvrez-le avec son lien privé, il n’est pas d’ailleurs."
            )
        if (
            report is None
            or report.document is None
            or not headline(answer).kind.is_genuine
            or not answer.text
        ):
            raise NotImported(answer)
        claims = claims_of(report.document)
        badge = ImportedBadge(
            person_id=person.id,
            digest=hashlib.sha256(answer.text.encode()).hexdigest(),
            content=answer.text,
            title=claims.title[:250],
            issuer_name=claims.issuer_name[:250],
            awarded_at=claims.awarded_at,
            verdict="",
            belongs=Belonging.UNSAID,
            app_id=app_id,
            brought_at=self.clock(),
            checked_at=self.clock(),
            check_again_at=self.clock(),
        )
        return BadgeToAdd(badge, self._verdict(badge, answer))

    def add(self, found: BadgeToAdd) -> ImportedBadge:
        held = self.store.list_of(found.badge.person_id)
        if any(each.digest == found.badge.digest for each in held):
            raise Conflict("Vous avez déjà ajouté ce badge.")
        if len(held) >= MOST_OF_ONE_PERSON:
            raise Conflict("Il n’y a plus de place : {most} au plus.", most=MOST_OF_ONE_PERSON)
        self._note(found.badge, found.verdict)
        return found.badge

    def upsert(self, found: BadgeToAdd) -> Upserted:
        """A newer version replaces the one held: same issuer and identifier, later `validFrom`.

        The person has not seen it yet: they choose again whether their portfolio shows it.
        """
        new = identity_of(found.badge.content)
        if new is None:
            raise InvalidInput("Ce n’est pas un Open Badge 3.0.")
        if found.verdict.belongs is Belonging.ANOTHERS:
            raise InvalidInput("Ce badge nomme une autre personne.")
        every = self.store.list_of(found.badge.person_id)
        for held in every:
            known = identity_of(held.content)
            if known is None or known.key != new.key:
                continue
            if held.digest == found.badge.digest:
                return Upserted.REPLACED
            if new.issued_at <= known.issued_at:
                return Upserted.NOT_NEWER
            held.digest, held.content = found.badge.digest, found.badge.content
            held.title, held.issuer_name = found.badge.title, found.badge.issuer_name
            held.awarded_at, held.is_shown = found.badge.awarded_at, False
            self._note(held, found.verdict)
            return Upserted.REPLACED
        if sum(each.app_id is not None for each in every) >= MOST_BY_APPLICATIONS:
            raise Conflict(
                "Il n’y a plus de place pour les badges d’applications : {most} au plus.",
                most=MOST_BY_APPLICATIONS,
            )
        self.add(found)
        return Upserted.CREATED

    def of(self, person_id: uuid.UUID) -> Sequence[ImportedBadge]:
        return self.store.list_of(person_id)

    def shown_by(self, person_id: uuid.UUID) -> list[ImportedBadge]:
        """Those in the person's portfolio."""
        return [each for each in self.of(person_id) if each.is_shown and each.may_be_shown]

    def get(self, badge_id: uuid.UUID) -> ImportedBadge:
        badge = self.store.find(badge_id)
        if badge is None:
            raise NotFound("Ce badge n’est plus ici.")
        return badge

    def show(self, badge: ImportedBadge, is_shown: bool) -> None:
        if is_shown and not badge.may_be_shown:
            raise Conflict(
                "Ce badge nomme une autre personne : il ne se montre pas tant que vous n’avez pas prouvé qu’il est à vous."
            )
        badge.is_shown = is_shown
        self.store.save(badge)

    def remove(self, badge: ImportedBadge) -> None:
        self.store.remove(badge)

    def check(self, badge: ImportedBadge) -> Answer:
        """Verify it now, as any visitor would; read-only."""
        return self.verification.verify(badge.content)

    # --- periodic verification

    def due(self, *, limit: int) -> list[uuid.UUID]:
        return self.store.due(at=self.clock(), limit=limit)

    def evaluate(self, badge_id: uuid.UUID) -> Verdict | None:
        """Verify it now; may be slow, writes nothing. None if the badge was removed meanwhile."""
        badge = self.store.find(badge_id)
        return self._verdict(badge, self.check(badge)) if badge else None

    def note(self, badge_id: uuid.UUID, verdict: Verdict) -> None:
        badge = self.store.find(badge_id)
        if badge is not None:
            self._note(badge, verdict)

    def _note(self, badge: ImportedBadge, verdict: Verdict) -> None:
        at = self.clock()
        badge.verdict, badge.place, badge.belongs = verdict.kind.value, verdict.place, verdict.belongs
        badge.holder_name = verdict.holder_name
        badge.checked_at = at
        badge.check_again_at = next_check(badge.id, is_open=verdict.kind in _OPEN, at=at)
        self.store.save(badge)

    def _verdict(self, badge: ImportedBadge, answer: Answer) -> Verdict:
        head = headline(answer)
        place = str(head.heading.values.get("place", ""))[:200]
        document = answer.report.document if answer.report else None
        named = claims_of(document).holder[:250] if document is not None else badge.holder_name or ""
        return Verdict(head.kind, place, self._belonging(badge, named), named)

    def _belonging(self, badge: ImportedBadge, named: str) -> Belonging:
        """Theirs if it contains one of their verified addresses, another person's if it names someone else by
        name or address; otherwise unknown.
        """
        verified = self.store.verified_addresses(badge.person_id)[:_MOST_ADDRESSES]
        reasons = {self._asked(badge, Identity(address)) for address in verified or (_NO_ADDRESS,)}
        if Reason.RECIPIENT_MATCHES in reasons:
            return Belonging.THEIRS
        if Reason.RECIPIENT_DIFFERS in reasons:
            return Belonging.ANOTHERS
        person = self.people.get(badge.person_id)
        if named and not self._is_named(named, person):
            return Belonging.ANOTHERS
        if not named and self._asked(badge, Identity(person.name, "name")) == Reason.RECIPIENT_DIFFERS:
            return Belonging.ANOTHERS
        return Belonging.UNSAID

    def _is_named(self, named: str, person: Person) -> bool:
        """By the name of the record, which the person may change alone, and one that a campus here knows them by.

        A person without an award here has only names of lists: all of them have to fit.
        """
        if not names_person(named, person.name):
            return False
        with self.tenant_scope.across_campuses():
            known = [name for _campus, name in self.holders.names_of(person.id)]
        if known:
            return any(names_person(named, name) for name in known)
        return all(names_person(named, key) for key in self.people.name_keys_of(person.id))

    def _asked(self, badge: ImportedBadge, identity: Identity) -> str:
        report = self.verification.verify(
            badge.content, Policy(recipient=identity, check_status=False)
        ).report
        return report.check(CheckId.RECIPIENT).reason if report else ""
