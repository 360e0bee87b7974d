"""What the public page of one award needs of rows that are the award's own: read in one round, as rows that nobody follows."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, exists, literal_column
from sqlalchemy import select as select_rows
from sqlmodel import Session, SQLModel, col

from app.db.engine.bulk import bare_rows
from app.db.engine.quick_reads import QuickRead
from app.db.engine.session import check_row
from app.db.trust.endorsements import is_shown
from app.domain.awards.awards import Award, SignedDocument
from app.domain.awards.evidence import AwardEvidence
from app.domain.people.people import Person
from app.domain.trust.endorsements import Endorsement
from app.tenancy.scope import found_by_name

_AT_HAND: Final = "page of an award"
_KINDS: Final[tuple[type[SQLModel], ...]] = (Award, Person, SignedDocument, AwardEvidence)
_PAGE: Final = QuickRead(
    lambda _: (
        select_rows(
            *(column for kind in _KINDS for column in kind.__table__.c),  # type: ignore[attr-defined]
            exists(
                select_rows(literal_column("1")).where(
                    col(Endorsement.award_id) == bindparam("award_id"), is_shown()
                )
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
    """Whether anything is shown that was said of this very award."""


def read_page(session: Session, award_id: uuid.UUID) -> AwardPage | None:
    """For a transaction that only reads; the other stores over it find the rows `at_hand`."""
    session.info.pop(_AT_HAND, None)
    rows = found_by_name(session, lambda: _PAGE.rows(session, {"award_id": award_id}) or None)
    if not rows:
        return None
    page = _made(rows[0])
    check_row(session, page.award)
    session.info[_AT_HAND] = page
    return page


def at_hand(session: Session, award_id: uuid.UUID) -> AwardPage | None:
    """What was read of this award for its page, in the same transaction."""
    page: AwardPage | None = session.info.get(_AT_HAND)
    return page if page is not None and page.award.id == award_id else None


def _made(row: Sequence[Any]) -> AwardPage:
    award, person, document, evidence = bare_rows(row, _KINDS)
    return AwardPage(award, person, document, evidence if evidence.award_id else None, bool(row[-1]))
