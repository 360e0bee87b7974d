"""What each award rests on, and how much of it is shown."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam
from sqlalchemy import select as select_rows
from sqlmodel import Session, col, select

from app.db.awards.pages import at_hand
from app.db.engine.bulk import insert_rows
from app.domain.activities.activities import Activity
from app.domain.awards.awards import Award, Visibility
from app.domain.awards.evidence import AwardEvidence, EvidenceDisclosure, Shown
from app.domain.people.guardians import is_minor_for
from app.domain.people.people import Person
from app.domain.privacy.erasures import ErasedAward
from app.tenancy.scope import found_by_name, rows_named_outside

_SHOWN = select_rows(col(EvidenceDisclosure.number), col(EvidenceDisclosure.shown)).where(
    col(EvidenceDisclosure.award_id) == bindparam("award_id")
)
"""Written once: composing a query takes longer than the database takes to answer it."""


class AwardEvidenceStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add_all(self, rows: Sequence[AwardEvidence]) -> None:
        insert_rows(self.session, rows)

    def find(self, award_id: uuid.UUID) -> AwardEvidence | None:
        if page := at_hand(self.session, award_id):
            return page.evidence
        return found_by_name(self.session, lambda: self.session.get(AwardEvidence, award_id))

    def is_erased(self, award_id: uuid.UUID) -> bool:
        """Whether that was the number of an award that its holder had erased."""
        return self.session.get(ErasedAward, award_id) is not None

    def is_of_minor(self, award_id: uuid.UUID) -> bool:
        """Whether the award's holder is a minor as far as anything public is concerned."""
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
        """Without a question to the database where the page of the award was read."""
        page = at_hand(self.session, award_id)
        return (page.award, page.person) if page else None

    def find_activity(self, activity_id: uuid.UUID) -> Activity | None:
        return found_by_name(self.session, lambda: self.session.get(Activity, activity_id))

    def replace(self, row: AwardEvidence) -> None:
        """Of an award that was signed again: what was chosen to be shown of it stays."""
        self.session.merge(row)
        self.session.flush()

    def shown_of(self, award_id: uuid.UUID) -> dict[int, Shown]:
        """What was chosen, by number of the line."""
        read = partial(self.session.execute, _SHOWN, {"award_id": award_id})
        award = self.session.get(Award, award_id)
        if award is not None and award.visibility is Visibility.OPEN:
            rows = read().all()
        else:
            with rows_named_outside(self.session):
                rows = read().all()
        return {row.number: row.shown for row in rows}

    def choose(self, award_id: uuid.UUID, number: int, shown: Shown, *, at: datetime) -> None:
        row = self.session.get(EvidenceDisclosure, (award_id, number))
        if row is None:
            row = EvidenceDisclosure(award_id=award_id, number=number, shown=shown, set_at=at)
        row.shown, row.set_at = shown, at
        self.session.add(row)
        self.session.flush()
