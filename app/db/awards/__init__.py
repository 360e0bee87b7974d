"""Awards, their signed bytes, and their batches."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    bindparam,
    case,
    exists,
    false,
    literal_column,
    or_,
    update,
)
from sqlalchemy import select as select_rows
from sqlmodel import Session, SQLModel, col, func, select

from app.db.awards.signed_bytes import forget_objects, superseded
from app.db.badges import WITHOUT_PICTURES
from app.db.engine.changes import changed_since
from app.db.engine.queries import QuickRead, RowStore, Store, are_in_force, locked
from app.db.engine.row_level_security import found_by_name, rows_named_outside
from app.db.engine.session import check_campus
from app.db.engine.writes import IN_ONE_QUERY, among, bare_rows, insert_rows
from app.db.people.privacy import check_not_erased, erased_between
from app.db.trust import is_shown, peer_is_shown
from app.domain.activities import Activity
from app.domain.awards import Award, AwardState, NewerDocument, SignedDocument, Visibility
from app.domain.awards.open_badges import AwardEvidence, DisclosedContent, EvidenceDisclosure
from app.domain.awards.signed_bytes import InDatabase, SignedBytes, StoredDocument
from app.domain.badges import Badge, BadgeVersion, Repeat
from app.domain.campus.campus import Campus
from app.domain.learners.requests import BadgeRequest
from app.domain.messages import Handed, LetterState, Occasion, QueuedMessage
from app.domain.people import AgeGroup, Person, is_gone
from app.domain.people.consents import ErasedAward, is_minor_for
from app.domain.trust import PeerRecommendation
from app.domain.trust.organisations import Endorsement
from app.errors import NotFound

_AT_HAND: Final = "page of an award"
_KINDS: Final[tuple[type[SQLModel], ...]] = (Award, Person, SignedDocument, AwardEvidence)
_PAGE: Final = QuickRead(
    lambda _: (
        select_rows(
            *(column for kind in _KINDS for column in kind.__table__.c),  # type: ignore[attr-defined]
            *(
                exists(
                    select_rows(literal_column("1")).where(
                        col(kind.award_id) == bindparam("award_id"), shown()
                    )
                )
                for kind, shown in ((Endorsement, is_shown), (PeerRecommendation, peer_is_shown))
            ),
        )
        .select_from(Award)
        .join(Person, col(Person.id) == col(Award.person_id))
        .join(SignedDocument, col(SignedDocument.award_id) == col(Award.id))
        .join(AwardEvidence, col(AwardEvidence.award_id) == col(Award.id), isouter=True)
        .where(col(Award.id) == bindparam("award_id"))
    )
)


@dataclass(frozen=True)
class AwardPage:
    award: Award
    person: Person
    document: SignedDocument
    """The first edition."""
    evidence: AwardEvidence | None
    is_endorsed: bool
    """Whether any endorsement of this very award is shown."""
    is_recommended: bool


def read_page(session: Session, award_id: uuid.UUID) -> AwardPage | None:
    """For a read-only transaction; the other stores use its rows through `at_hand`."""
    session.info.pop(_AT_HAND, None)
    rows = found_by_name(session, lambda: _PAGE.rows(session, {"award_id": award_id}) or None)
    if not rows:
        return None
    page = _made(rows[0])
    check_campus(session, page.award.campus_id)
    session.info[_AT_HAND] = page
    return page


def at_hand(session: Session, award_id: uuid.UUID) -> AwardPage | None:
    """The rows loaded for this award's page, in the same transaction."""
    page: AwardPage | None = session.info.get(_AT_HAND)
    return page if page is not None and page.award.id == award_id else None


def _made(row: Sequence[Any]) -> AwardPage:
    award, person, document, evidence = bare_rows(row, _KINDS)
    return AwardPage(award, person, document, evidence if evidence.award_id else None, *map(bool, row[-2:]))


MOST_OF_ONE_PERSON = 500


@dataclass(frozen=True)
class AwardRecord:
    """An award with the rows needed to display it."""

    award: Award
    badge: Badge
    version: BadgeVersion
    campus: Campus
    person: Person
    activity: Activity | None


class AwardStore(RowStore[Award]):
    def __init__(self, session: Session, elsewhere: SignedBytes = InDatabase()) -> None:
        super().__init__(session)
        self.elsewhere = elsewhere

    def forget_objects(self, award_ids: Collection[uuid.UUID]) -> None:
        """Of erased awards; without an object store there is nothing else that bears their digests."""
        forget_objects(self.session, award_ids if isinstance(self.elsewhere, InDatabase) else ())

    def add_all(self, awards: Sequence[Award]) -> None:
        insert_rows(self.session, awards)

    def add_documents(self, documents: Sequence[SignedDocument]) -> None:
        insert_rows(self.session, documents)

    def find(self, award_id: uuid.UUID) -> Award | None:
        if page := at_hand(self.session, award_id):
            return page.award
        return found_by_name(self.session, lambda: self.session.get(Award, award_id))

    def get_record(self, award_id: uuid.UUID) -> AwardRecord:
        record = self.find_record(award_id)
        if record is None:
            self.check_not_erased(award_id)
            raise NotFound("Il n’y a pas de badge à cette adresse.")
        return record

    def check_not_erased(self, award_id: uuid.UUID) -> None:
        """Raises Gone for the id of an award erased at its holder's request."""
        check_not_erased(self.session, award_id)

    def get_with_holder(self, award_id: uuid.UUID) -> tuple[Award, Person]:
        """For the award's page: its other rows are loaded in the same query, and returned when requested."""
        page = at_hand(self.session, award_id) or read_page(self.session, award_id)
        if page is None:
            self.check_not_erased(award_id)
            raise NotFound("Il n’y a pas de badge à cette adresse.")
        return page.award, page.person

    def is_endorsed(self, award_id: uuid.UUID) -> bool:
        """Whether endorsements may be shown; False only if its page was loaded and has none."""
        page = at_hand(self.session, award_id)
        return page is None or page.is_endorsed

    def is_recommended(self, award_id: uuid.UUID) -> bool:
        """The same for what peers wrote."""
        page = at_hand(self.session, award_id)
        return page is None or page.is_recommended

    def find_record(self, award_id: uuid.UUID) -> AwardRecord | None:
        query = self.records().where(col(Award.id) == award_id)
        row = found_by_name(self.session, lambda: self.session.execute(query).first())
        return AwardRecord(*row) if row else None

    def find_between(self, first: uuid.UUID, last: uuid.UUID) -> uuid.UUID | None:
        """The award with an id from `first` to `last`, erased or not; None for no match, or several."""
        query = select(Award.id).where(col(Award.id) >= first, col(Award.id) <= last).limit(2)
        with rows_named_outside(self.session):
            found = self.session.exec(query).all()
        if not found:
            return erased_between(self.session, first, last)
        return found[0] if len(found) == 1 else None

    def find_open_among(
        self, ranges: Sequence[tuple[uuid.UUID, uuid.UUID]], *, limit: int
    ) -> Sequence[AwardRecord]:
        """Awards with an open page and an id in any of these ranges."""
        within = [col(Award.id).between(first, last) for first, last in ranges]
        query = (
            self.records().where(or_(false(), *within), col(Award.visibility) == Visibility.OPEN).limit(limit)
        )
        return [AwardRecord(*row) for row in self.session.execute(query)]

    def find_open(self, *, at: datetime) -> Award | None:
        """Any open award that is still valid."""
        query = select(Award).where(Award.visibility == Visibility.OPEN, *are_in_force(at))
        return self.session.exec(query.order_by(col(Award.id)).limit(1)).first()

    def open_ids(self, campus_id: uuid.UUID, *, after: uuid.UUID, limit: int) -> Sequence[uuid.UUID]:
        """The campus's open, publishable awards, ordered by id."""
        query = select(Award.id).where(
            Award.campus_id == campus_id,
            Award.visibility == Visibility.OPEN,
            col(Award.align_due_at).is_(None),
            col(Award.id) > after,
        )
        return self.session.exec(query.order_by(col(Award.id)).limit(limit)).all()

    def count_found_by_search(self) -> int:
        query = select(func.count()).where(
            Award.visibility == Visibility.OPEN, col(Award.is_findable).is_(True)
        )
        return self.session.exec(query).one()

    def found_by_search(self, *, limit: int, start: int = 0) -> list[uuid.UUID]:
        query = select(Award.id).where(Award.visibility == Visibility.OPEN, col(Award.is_findable).is_(True))
        query = query.order_by(col(Award.awarded_at).desc(), col(Award.id)).limit(limit).offset(start)
        return list(self.session.exec(query))

    def get_record_in_campus(self, award_id: uuid.UUID, campus_id: uuid.UUID) -> AwardRecord:
        """Awards of other campuses raise NotFound (T01)."""
        record = self.find_record(award_id)
        if record is None or record.award.campus_id != campus_id:
            check_not_erased(self.session, award_id, campus_id)
            raise NotFound("Il n’y a pas de badge à cette adresse.")
        return record

    def lock(self, award_id: uuid.UUID) -> Award:
        """The holder first, as who notes an age or a name: what they may show is decided on as it is now."""
        query = select(Award).where(Award.id == award_id)
        with rows_named_outside(self.session):
            self._lock_holders([award_id])
            return self.session.exec(locked(query, key_share=True)).one()

    def _lock_holders(self, award_ids: Sequence[uuid.UUID]) -> None:
        holders = select(Award.person_id).where(among(self.session, col(Award.id), award_ids))
        query = select(Person).where(col(Person.id).in_(holders))
        held = locked(query.order_by(col(Person.id)), key_share=True)
        if any(is_gone(person) for person in self.session.exec(held).all()):  # a merge was waited for
            self.session.exec(held).all()

    @staticmethod
    def records() -> Select[Award, Badge, BadgeVersion, Campus, Person, Activity]:
        return (
            select_rows(Award, Badge, BadgeVersion, Campus, Person, Activity)
            .join(Badge, col(Badge.id) == col(Award.badge_id))
            .join(BadgeVersion, col(BadgeVersion.id) == col(Award.version_id))
            .join(Campus, col(Campus.id) == col(Award.campus_id))
            .join(Person, col(Person.id) == col(Award.person_id))
            .join(Activity, col(Activity.id) == col(Award.activity_id), isouter=True)
        )

    def lock_all(
        self, award_ids: Sequence[uuid.UUID], campus_id: uuid.UUID | None = None
    ) -> dict[uuid.UUID, Award]:
        """The campus's awards among these, locked until the transaction ends, always in the same order. Of every campus
        by campus: who signs them again takes the logs of several in one order."""
        query = select(Award).where(among(self.session, col(Award.id), award_ids))
        if campus_id is not None:
            query = query.where(Award.campus_id == campus_id)
        with rows_named_outside(self.session) if campus_id is None else nullcontext():
            self._lock_holders(award_ids)
            held = locked(query.order_by(col(Award.campus_id), col(Award.id)), key_share=True)
            return {award.id: award for award in self.session.exec(held)}

    def records_among(self, award_ids: Sequence[uuid.UUID], campus_id: uuid.UUID) -> list[AwardRecord]:
        """The campus's awards among these."""
        found: list[AwardRecord] = []
        for start in range(0, len(award_ids), IN_ONE_QUERY):
            query = self.records().where(
                col(Award.id).in_(award_ids[start : start + IN_ONE_QUERY]), col(Award.campus_id) == campus_id
            )
            found += [AwardRecord(*row) for row in self.session.execute(query.options(*WITHOUT_PICTURES))]
        return found

    def open_among(self, award_ids: Collection[uuid.UUID]) -> list[AwardRecord]:
        """Those among these that have a public page, of any campus."""
        return self.by_holder(award_ids, col(Award.visibility) == Visibility.OPEN)

    def by_holder(self, award_ids: Collection[uuid.UUID], *which: ColumnElement[bool]) -> list[AwardRecord]:
        """These awards, by the names of their holders."""
        query = self.records().where(among(self.session, col(Award.id), award_ids), *which)
        query = query.order_by(col(Person.listed_as), col(Award.id)).options(*WITHOUT_PICTURES)
        return [AwardRecord(*row) for row in self.session.execute(query)] if award_ids else []

    def standing_ids(
        self, campus_id: uuid.UUID, wanted: Mapping[str, uuid.UUID | None], *, limit: int
    ) -> list[uuid.UUID]:
        """Valid awards with these values of columns, None for any; by the names of their holders."""
        query = select(Award.id).join(Person, col(Person.id) == col(Award.person_id))
        query = query.where(Award.campus_id == campus_id, Award.state == AwardState.ISSUED)
        given = (getattr(Award, name) == value for name, value in wanted.items() if value is not None)
        query = query.where(*given).order_by(col(Person.listed_as), col(Award.id)).limit(limit)
        return list(self.session.exec(query))

    def list_in_campus(
        self,
        campus_id: uuid.UUID,
        *,
        before: tuple[datetime, uuid.UUID] | None = None,
        wanted: Mapping[str, object],
        updated_since: datetime | None = None,
        limit: int = 50,
    ) -> list[AwardRecord]:
        """Latest first; `before` is the (awarded_at, id) of the previous page's last record, `wanted` the values
        of columns."""
        # Awards first, alone: PostgreSQL would otherwise join each of the campus before it sorts them.
        query = select(col(Award.id)).where(col(Award.campus_id) == campus_id)
        query = query.where(*(getattr(Award, name) == value for name, value in wanted.items()))
        if updated_since is not None:
            query = query.where(changed_since(self.session, campus_id, col(Award.id), updated_since))
        if before is not None:
            moment, last = before
            query = query.where(
                (col(Award.awarded_at) < moment)
                | ((col(Award.awarded_at) == moment) & (col(Award.id) < last))
            )
        latest = (col(Award.awarded_at).desc(), col(Award.id).desc())
        ids = self.session.scalars(query.order_by(*latest).limit(limit)).all()
        records = self.records().where(among(self.session, col(Award.id), ids)).options(*WITHOUT_PICTURES)
        return [AwardRecord(*row) for row in self.session.execute(records.order_by(*latest))] if ids else []

    def standing_of_person(self, person_id: uuid.UUID, campus_id: uuid.UUID) -> Sequence[Award]:
        query = select(Award).where(
            Award.person_id == person_id, Award.campus_id == campus_id, Award.state == AwardState.ISSUED
        )
        return self.session.exec(locked(query.order_by(col(Award.id)), key_share=True)).all()

    def list_of_person(self, person_id: uuid.UUID) -> list[AwardRecord]:
        """From every campus, latest first; without awards undone before delivery."""
        query = (
            self.records()
            .where(col(Award.person_id) == person_id, col(Award.undone_at).is_(None))
            .options(*WITHOUT_PICTURES)
            .order_by(col(Award.awarded_at).desc(), col(Award.id))
            .limit(MOST_OF_ONE_PERSON)
        )
        with rows_named_outside(self.session):
            return [AwardRecord(*row) for row in self.session.execute(query)]

    def given_in(
        self, activity_id: uuid.UUID, campus_id: uuid.UUID
    ) -> list[tuple[uuid.UUID, uuid.UUID, str, AwardState]]:
        """This campus's awards for an activity, in the order they were given, without undone ones.

        The award, its holder, the badge's name, and its state. An activity may have thousands.
        """
        query = (
            select_rows(col(Award.id), col(Award.person_id), col(BadgeVersion.name), col(Award.state))
            .join(BadgeVersion, col(BadgeVersion.id) == col(Award.version_id))
            .where(
                col(Award.activity_id) == activity_id,
                col(Award.campus_id) == campus_id,
                col(Award.undone_at).is_(None),
            )
            .order_by(col(Award.awarded_at), col(Award.id))
        )
        return [tuple(row) for row in self.session.execute(query)]

    def holders_in(self, activity_id: uuid.UUID) -> set[uuid.UUID]:
        """People with an award of any campus for an activity, without undone ones."""
        query = select(Award.person_id).where(
            Award.activity_id == activity_id, col(Award.undone_at).is_(None)
        )
        return set(self.session.exec(query))

    def unclaimed_of(self, campus_id: uuid.UUID, person_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
        """This campus's issued awards of these people that were not claimed."""
        query = select_rows(col(Award.id)).where(
            among(self.session, col(Award.person_id), person_ids),
            col(Award.campus_id) == campus_id,
            col(Award.state) == AwardState.ISSUED,
            col(Award.claimed_at).is_(None),
        )
        return list(self.session.scalars(query.order_by(col(Award.awarded_at), col(Award.id))))

    def document_of(self, award_id: uuid.UUID) -> StoredDocument:
        """The newest edition."""
        award, page = self.find(award_id), at_hand(self.session, award_id)
        named: tuple[Any, Any] = SignedDocument, award_id
        if award is not None and award.edition > 1:
            named, page = (NewerDocument, (award_id, award.edition)), None
        row = page.document if page else found_by_name(self.session, lambda: self.session.get(*named))
        if award is None or row is None:
            raise NotFound("Il n’y a pas de badge à cette adresse.")
        return StoredDocument(row, award.campus_id, self.elsewhere)

    def open_of_activity(self, activity_id: uuid.UUID) -> list[tuple[Award, Person]]:
        query = select_rows(Award, Person).join(Person, col(Person.id) == col(Award.person_id))
        query = query.where(col(Award.activity_id) == activity_id, col(Award.visibility) == Visibility.OPEN)
        return [(award, person) for award, person in self.session.execute(query.order_by(col(Award.id)))]

    def campuses_to_align(self, at: datetime) -> list[uuid.UUID]:
        query = select(Award.campus_id).where(col(Award.align_due_at) <= at).distinct()
        return list(self.session.exec(query.order_by(col(Award.campus_id))))

    def count_to_align(self) -> int:
        return self.session.exec(select(func.count()).where(col(Award.align_due_at).is_not(None))).one()

    def to_align(self, campus_id: uuid.UUID, at: datetime, *, limit: int) -> Sequence[uuid.UUID]:
        """Awards with documents to compare with their holders' disclosure, the longest due first."""
        query = select(Award.id).where(Award.campus_id == campus_id, col(Award.align_due_at) <= at)
        return self.session.exec(query.order_by(col(Award.align_due_at), col(Award.id)).limit(limit)).all()

    def release_closed(self, campus_id: uuid.UUID, *, limit: int) -> int:
        """Clears the mark on closed awards of adults: their documents are compared when they are opened."""
        some = (
            select(Award.id)
            .join(Person, col(Person.id) == col(Award.person_id))
            .where(
                Award.campus_id == campus_id,
                col(Award.align_due_at).is_not(None),
                Award.visibility == Visibility.CLOSED,
                col(Person.under_15_on).is_(None),
                or_(col(Person.age_group).is_(None), col(Person.age_group) == AgeGroup.ADULT),
            )
            .limit(limit)
        )
        query = (
            update(Award)
            .where(col(Award.id).in_(some), col(Award.visibility) == Visibility.CLOSED)
            .values(align_due_at=None)
        )
        found = self.session.execute(query.execution_options(synchronize_session="fetch"))
        return int(cast("CursorResult[Any]", found).rowcount)

    def mark_to_align(
        self, at: datetime, *, campus_id: uuid.UUID | None = None, activity_id: uuid.UUID | None = None
    ) -> None:
        """All awards of a campus or an activity: documents are not published until compared again."""
        query = update(Award).where(col(Award.undone_at).is_(None))
        if campus_id is not None:
            query = query.where(col(Award.campus_id) == campus_id)
        if activity_id is not None:
            query = query.where(col(Award.activity_id) == activity_id)
        # Invalidates cached pages.
        values = {"align_due_at": at, "disclosures": Award.disclosures + 1}
        self.session.execute(query.values(values).execution_options(synchronize_session="fetch"))

    def earlier_editions(self, award: Award) -> list[tuple[int, StoredDocument]]:
        """The superseded editions by number, the oldest first."""
        of = (StoredDocument(row, award.campus_id, self.elsewhere) for row in superseded(self.session, award))
        return [(document.edition, document) for document in of]

    def add_newer(self, award: Award, document: NewerDocument) -> None:
        self.session.add(award)
        self.session.add(document)
        self.session.flush()

    def held(
        self,
        badge: Badge,
        person_ids: Iterable[uuid.UUID],
        activity_id: uuid.UUID | None,
        state: AwardState = AwardState.ISSUED,
    ) -> dict[uuid.UUID, Award]:
        """Which of these people already hold the badge, according to its repeat rule; or had it withdrawn."""
        if badge.repeat is Repeat.ALWAYS:
            return {}
        query = select(Award).where(Award.badge_id == badge.id, Award.state == state)
        query = query.where(
            among(self.session, col(Award.person_id), person_ids), col(Award.undone_at).is_(None)
        )
        if badge.repeat is Repeat.ONCE_PER_ACTIVITY:
            query = query.where(Award.activity_id == activity_id)
        return {award.person_id: award for award in self.session.exec(query)}

    def withdrawn_among(self, award_ids: Sequence[uuid.UUID]) -> list[Award]:
        """Those revoked after delivery."""
        query = select(Award).where(
            among(self.session, col(Award.id), award_ids),
            col(Award.revoked_at).is_not(None),
            col(Award.undone_at).is_(None),
        )
        return list(self.session.exec(query))

    def delivery_counts(self, batch_id: uuid.UUID) -> dict[Handed, int]:
        """Standing awards of a batch by their most relevant state, without loading them."""
        awarded = (QueuedMessage.award_id == Award.id, QueuedMessage.occasion == Occasion.AWARDED.value)

        def has(state: LetterState) -> Any:
            return select(QueuedMessage.id).where(*awarded, QueuedMessage.state == state).exists()

        state = case(
            (col(Award.claimed_at).is_not(None), Handed.CLAIMED.value),
            (col(Award.link_opened_at).is_not(None), Handed.OPENED.value),
            (has(LetterState.WAITING), Handed.WAITING.value),
            (has(LetterState.SENT), Handed.SENT.value),
            (has(LetterState.REFUSED), Handed.REFUSED.value),
            else_=Handed.SLIP.value,
        )
        query = select(state, func.count()).where(
            Award.batch_id == batch_id, col(Award.undone_at).is_(None), col(Award.revoked_at).is_(None)
        )
        return {Handed(one): count for one, count in self.session.execute(query.group_by(state))}

    def count_withdrawn(self, batch_id: uuid.UUID) -> int:
        query = select(func.count()).where(
            Award.batch_id == batch_id, col(Award.revoked_at).is_not(None), col(Award.undone_at).is_(None)
        )
        return self.session.exec(query).one()

    def given_within(self, people: Collection[uuid.UUID]) -> list[Award]:
        """Valid awards that one of these records gave to one of them, or two decided on a request."""
        giver = col(Award.awarded_by).in_(people)
        reviewer = col(BadgeRequest.first_reviewer_id).in_(people)
        query = (
            select(Award)
            .join(BadgeRequest, col(BadgeRequest.award_id) == col(Award.id), isouter=True)
            .where(
                Award.state == AwardState.ISSUED,
                (col(Award.person_id).in_(people) & (giver | reviewer)) | (giver & reviewer),
            )
            .order_by(col(Award.id))
        )
        return list(self.session.exec(query))

    def holders_of(self, award_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[uuid.UUID, int]]:
        """The person and the private link's generation, by award."""
        found: dict[uuid.UUID, tuple[uuid.UUID, int]] = {}
        for start in range(0, len(award_ids), 500):
            query = select(Award.id, Award.person_id, Award.link_generation).where(
                col(Award.id).in_(award_ids[start : start + 500])
            )
            rows = self.session.exec(query)
            found.update({award_id: (person_id, generation) for award_id, person_id, generation in rows})
        return found

    def generations_of(self, award_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
        """The generation of each award's private link."""
        found: dict[uuid.UUID, int] = {}
        for start in range(0, len(award_ids), 500):
            query = select(Award.id, Award.link_generation).where(
                col(Award.id).in_(award_ids[start : start + 500])
            )
            found.update(dict(self.session.exec(query).all()))
        return found


_SHOWN = select_rows(col(EvidenceDisclosure.number), col(EvidenceDisclosure.shown)).where(
    col(EvidenceDisclosure.award_id) == bindparam("award_id")
)
"""Composed once: composing a query takes longer than the database's answer."""


class AwardEvidenceStore(Store):
    def add_all(self, rows: Sequence[AwardEvidence]) -> None:
        insert_rows(self.session, rows)

    def find(self, award_id: uuid.UUID) -> AwardEvidence | None:
        if page := at_hand(self.session, award_id):
            return page.evidence
        return found_by_name(self.session, lambda: self.session.get(AwardEvidence, award_id))

    def is_erased(self, award_id: uuid.UUID) -> bool:
        """Whether that is the id of an award erased at its holder's request."""
        return self.session.get(ErasedAward, award_id) is not None

    def is_of_minor(self, award_id: uuid.UUID) -> bool:
        """Whether the holder counts as a minor for anything public."""
        query = (
            select(Person, Activity)
            .select_from(Award)
            .join(Person, col(Award.person_id) == col(Person.id))
            .join(Activity, col(Award.activity_id) == col(Activity.id), isouter=True)
            .where(Award.id == award_id)
        )
        found = found_by_name(self.session, lambda: self.session.exec(query).first())
        return found is not None and is_minor_for(*found)

    def holder_read(self, award_id: uuid.UUID) -> tuple[Award, Person] | None:
        """Without a query if the award's page was loaded."""
        page = at_hand(self.session, award_id)
        return (page.award, page.person) if page else None

    def find_activity(self, activity_id: uuid.UUID) -> Activity | None:
        return found_by_name(self.session, lambda: self.session.get(Activity, activity_id))

    def replace(self, row: AwardEvidence) -> None:
        """For an award signed again: the holder's disclosure choices stay."""
        self.session.merge(row)
        self.session.flush()

    def shown_of(self, award_id: uuid.UUID) -> dict[int, DisclosedContent]:
        """The choices, by entry number."""
        award = self.session.get(Award, award_id)
        is_open = award is not None and award.visibility is Visibility.OPEN
        with nullcontext() if is_open else rows_named_outside(self.session):
            rows = self.session.execute(_SHOWN, {"award_id": award_id}).all()
        return {row.number: row.shown for row in rows}

    def choose(self, award_id: uuid.UUID, number: int, shown: DisclosedContent, *, at: datetime) -> None:
        row = self.session.get(EvidenceDisclosure, (award_id, number))
        row = row or EvidenceDisclosure(award_id=award_id, number=number, shown=shown, set_at=at)
        row.shown, row.set_at = shown, at
        self.session.add(row)
        self.session.flush()
