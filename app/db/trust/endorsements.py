"""Endorsements, and the letters by which they were asked for."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam
from sqlalchemy import select as select_rows
from sqlmodel import Session, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from app.db.engine.bulk import bare_rows
from app.db.engine.quick_reads import QuickRead
from app.domain.badges.badges import BadgeVersion
from app.domain.trust.endorsements import Endorsed, Endorsement, EndorsementRequest, Refusal
from app.errors import NotFound
from app.language import N_
from app.tenancy.scope import found_by_name

_AT_MOST = 500


def is_shown() -> Any:
    """Nobody took it back."""
    return (
        col(Endorsement.withdrawn_at).is_(None)
        & col(Endorsement.hidden_at).is_(None)
        & col(Endorsement.set_aside_at).is_(None)
    )


def _newest(*conditions: Any) -> SelectOfScalar[Endorsement]:
    query = select(Endorsement).where(*conditions)
    return query.order_by(col(Endorsement.signed_at).desc(), col(Endorsement.id))


@cache
def _shown_about(*, award: bool, version: bool) -> SelectOfScalar[Endorsement]:
    """Written once for every page of a badge: composing it takes longer than the database takes to answer it."""
    wanted: list[Any] = []
    if award:
        wanted.append(col(Endorsement.award_id) == bindparam("award_id"))
    if version:
        up_to_it = select(BadgeVersion.id).where(
            col(BadgeVersion.badge_id) == bindparam("badge_id"),
            col(BadgeVersion.number) <= bindparam("number"),
        )
        wanted.append(col(Endorsement.version_id).in_(up_to_it) & col(Endorsement.award_id).is_(None))
    return _newest(or_(*wanted), is_shown()).limit(bindparam("at_most"))


_OF_AWARD: Final = QuickRead(
    lambda _: (
        select_rows(*Endorsement.__table__.c)  # type: ignore[attr-defined]
        .where(col(Endorsement.award_id) == bindparam("award_id"), is_shown())
        .order_by(col(Endorsement.signed_at).desc(), col(Endorsement.id))
        .limit(bindparam("at_most"))
    )
)


class EndorsementStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def save(self, row: Endorsement | EndorsementRequest) -> None:
        self.session.add(row)
        self.session.flush()

    # --- requests

    def find_request(self, request_id: uuid.UUID) -> EndorsementRequest | None:
        return self.session.get(EndorsementRequest, request_id)

    def lock_request(self, request_id: uuid.UUID) -> EndorsementRequest | None:
        """For one answer at a time: a link serves once."""
        query = select(EndorsementRequest).where(EndorsementRequest.id == request_id).with_for_update()
        return self.session.exec(query.execution_options(populate_existing=True)).first()

    def requests_about(
        self,
        campus_id: uuid.UUID,
        *,
        award_id: uuid.UUID | None = None,
        version_id: uuid.UUID | None = None,
    ) -> Sequence[EndorsementRequest]:
        """The newest first: about one award, one version of a badge, or the campus itself."""
        query = select(EndorsementRequest).where(EndorsementRequest.campus_id == campus_id)
        if award_id is not None:
            query = query.where(EndorsementRequest.award_id == award_id)
        elif version_id is not None:
            query = query.where(EndorsementRequest.version_id == version_id)
        else:
            query = query.where(EndorsementRequest.about == Endorsed.CAMPUS)
        return self._requests(query)

    def requests_of(self, campus_id: uuid.UUID) -> Sequence[EndorsementRequest]:
        """What the campus itself asked for; what learners ask for is theirs."""
        query = select(EndorsementRequest).where(
            EndorsementRequest.campus_id == campus_id, EndorsementRequest.about != Endorsed.AWARD
        )
        return self._requests(query)

    def refuses_all(self, address: str) -> bool:
        query = select(EndorsementRequest.id).where(
            EndorsementRequest.address == address, EndorsementRequest.refusal == Refusal.EVER.value
        )
        return self.session.exec(query.limit(1)).first() is not None

    def _requests(self, query: SelectOfScalar[EndorsementRequest]) -> Sequence[EndorsementRequest]:
        newest = query.order_by(col(EndorsementRequest.asked_at).desc(), col(EndorsementRequest.id))
        return self.session.exec(newest.limit(_AT_MOST)).all()

    # --- endorsements

    def find(self, endorsement_id: uuid.UUID) -> Endorsement | None:
        return found_by_name(self.session, lambda: self.session.get(Endorsement, endorsement_id))

    def get(self, endorsement_id: uuid.UUID) -> Endorsement:
        found = self.find(endorsement_id)
        if found is None:
            raise NotFound(N_("Il n’y a pas de recommandation à cette adresse."))
        return found

    def shown_about(
        self, *, award_id: uuid.UUID | None = None, version: BadgeVersion | None = None, limit: int
    ) -> Sequence[Endorsement]:
        """What stands about an award, or a badge up to a version of it, or both; the newest first."""
        given: dict[str, Any] = {"at_most": limit}
        if award_id is not None:
            given["award_id"] = award_id
        if version is not None:
            given |= {"badge_id": version.badge_id, "number": version.number}
        query = _shown_about(award=award_id is not None, version=version is not None)
        return self.session.exec(query, params=given).all()

    def shown_about_award(self, award_id: uuid.UUID, *, limit: int) -> list[Endorsement]:
        """What stands about this award alone, as rows that nobody follows; the newest first."""
        rows = _OF_AWARD.rows(self.session, {"award_id": award_id, "at_most": limit})
        return [row for each in rows for row in bare_rows(each, (Endorsement,))]

    def shown_about_campus(self, campus_id: uuid.UUID, *, limit: int) -> Sequence[Endorsement]:
        is_about = Endorsement.about == Endorsed.CAMPUS
        return self._list(Endorsement.campus_id == campus_id, is_about, is_shown(), limit=limit)

    def of_award(self, award_id: uuid.UUID) -> Sequence[Endorsement]:
        return self._list(Endorsement.award_id == award_id)

    def of_campus(self, campus_id: uuid.UUID) -> Sequence[Endorsement]:
        """About the campus, its badges and the awards it gave."""
        return self._list(Endorsement.campus_id == campus_id)

    def shown_in(self, campus_id: uuid.UUID, *, after: uuid.UUID, limit: int) -> Sequence[Endorsement]:
        """What nobody took back about the campus, its badges and its awards, in the order of their numbers."""
        query = select(Endorsement).where(
            Endorsement.campus_id == campus_id, is_shown(), col(Endorsement.id) > after
        )
        return self.session.exec(query.order_by(col(Endorsement.id)).limit(limit)).all()

    def of_organisation(self, organisation_id: uuid.UUID) -> Sequence[Endorsement]:
        return self._list(Endorsement.organisation_id == organisation_id)

    def due(self, *, at: datetime, limit: int) -> Sequence[uuid.UUID]:
        """Signed elsewhere and to be checked again, the longest waiting first."""
        query = select(Endorsement.id).where(
            col(Endorsement.check_again_at) <= at, col(Endorsement.withdrawn_at).is_(None)
        )
        return self.session.exec(query.order_by(col(Endorsement.check_again_at)).limit(limit)).all()

    def ids_of_awards(self, award_ids: Collection[uuid.UUID]) -> Sequence[uuid.UUID]:
        query = select(Endorsement.id).where(col(Endorsement.award_id).in_(list(award_ids)))
        return self.session.exec(query).all()

    def _list(self, *conditions: Any, limit: int = _AT_MOST) -> Sequence[Endorsement]:
        return self.session.exec(_newest(*conditions).limit(limit)).all()
