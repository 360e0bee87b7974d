"""Rows of one record handed to another, each remembered, so that they can be handed back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Table, update
from sqlalchemy import select as select_rows
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, col, delete, select

from app.domain.accounts.federation import FederatedAccount
from app.domain.accounts.passkeys import Passkey
from app.domain.accounts.sessions import Session as Sitting
from app.domain.accounts.set_aside import SetAside
from app.domain.accounts.sign_in import Challenge, Password, SignInLink
from app.domain.activities.activities import ActivityCampus, Participation
from app.domain.awards.awards import Award
from app.domain.learners.requests import BadgeRequest
from app.domain.people.merging import PersonMerge, Standing
from app.domain.people.people import PersonAddress
from app.errors import NotFound
from app.language import N_

# What one signs in with is ended, not handed on; what was done stays said of who did it then.
_WAYS_IN = (Sitting, SignInLink, Challenge, Password, Passkey, FederatedAccount, SetAside)
_STAYS = frozenset(("history_entry", "award", *(str(kind.__tablename__) for kind in _WAYS_IN)))
# What had been merged into the record that goes is merged into the one that is kept; what went before stays said.
_COLUMNS_THAT_STAY = frozenset((("person_merge", "gone_id"), ("person_merge", "merged_by")))
Keys = dict[str, Any]


class MergeStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def standing(self, person_id: uuid.UUID, *, has_account: bool, works: bool) -> Standing:
        organised = (
            select(ActivityCampus.campus_id)
            .join(Participation, col(Participation.activity_id) == col(ActivityCampus.activity_id))
            .where(Participation.person_id == person_id)
        )
        queries = (
            select(Award.campus_id).where(Award.person_id == person_id),
            select(BadgeRequest.campus_id).where(BadgeRequest.person_id == person_id),
            organised,
        )
        campuses = {campus_id for query in queries for campus_id in self.session.exec(query.distinct())}
        return Standing(person_id, has_account, works, frozenset(campuses))

    def get(self, merge_id: uuid.UUID) -> PersonMerge:
        merge = self.session.get(PersonMerge, merge_id)
        if merge is None:
            raise NotFound(N_("Cette réunion de dossiers n’existe pas ici."))
        return merge

    def add(self, merge: PersonMerge) -> None:
        self.session.add(merge)
        self.session.flush()

    def list_of(self, person_id: uuid.UUID) -> list[PersonMerge]:
        """What was brought into this record and still is, the latest first."""
        query = select(PersonMerge).where(
            PersonMerge.kept_id == person_id, col(PersonMerge.undone_at).is_(None)
        )
        return list(self.session.exec(query.order_by(col(PersonMerge.at).desc(), col(PersonMerge.id))))

    def shared_activities(
        self, kept: uuid.UUID, gone: uuid.UUID
    ) -> list[tuple[Participation, Participation]]:
        """Both parts, where both records stand in one activity."""
        mine = {
            part.activity_id: part
            for part in self.session.exec(select(Participation).where(Participation.person_id == kept))
        }
        theirs = self.session.exec(
            select(Participation).where(Participation.person_id == gone).order_by(col(Participation.id))
        )
        return [(mine[part.activity_id], part) for part in theirs if part.activity_id in mine]

    def hand_over(self, kept: uuid.UUID, gone: uuid.UUID) -> dict[str, Any]:
        """Everything of `gone` that `kept` can take; what was moved, by table and column."""
        moved: dict[str, Any] = {"awards": self._hand_over_awards(kept, gone)}
        for table, column in _columns():
            keys = self._move(table, column, kept, gone)
            if keys:
                moved[f"{table.name}.{column.name}"] = keys
        self._end_ways_in(gone)
        self.session.flush()
        return moved

    def _hand_over_awards(self, kept: uuid.UUID, gone: uuid.UUID) -> list[Keys]:
        """The key that keeps a badge from being given twice names its person, and so does the batch."""
        mine = self.session.exec(select(Award).where(Award.person_id == kept)).all()
        taken, batches = {award.once_key for award in mine}, {award.batch_id for award in mine}
        moved = []
        for award in self.session.exec(select(Award).where(Award.person_id == gone)).all():
            moved.append(
                {"id": str(award.id), "key": award.once_key, "batch": str(award.batch_id or "") or None}
            )
            key = award.once_key.replace(str(gone), str(kept)) if award.once_key else None
            award.person_id = kept
            award.once_key = None if key in taken else key
            award.batch_id = None if award.batch_id in batches else award.batch_id
            taken.add(award.once_key)
            self.session.add(award)
        self.session.flush()
        return moved

    def _move(self, table: Table, column: Column[Any], kept: uuid.UUID, gone: uuid.UUID) -> list[Keys]:
        moved = []
        for keys in self._keys(table, column, gone):
            try:
                with self.session.begin_nested():
                    self.session.execute(
                        update(table)
                        .where(*_matching(table, keys), column == gone)
                        .values({column.name: kept})
                    )
            except IntegrityError:
                # The kept record has the like of it already.
                continue
            moved.append({name: str(value) for name, value in keys.items()})
        self.session.expire_all()
        return moved

    def _keys(self, table: Table, column: Column[Any], person_id: uuid.UUID) -> list[Keys]:
        others = [each for each in table.primary_key.columns if each.name != column.name]
        rows = self.session.execute(select_rows(column, *others).where(column == person_id)).all()
        return [{each.name: row[number + 1] for number, each in enumerate(others)} for row in rows]

    def _end_ways_in(self, gone: uuid.UUID) -> None:
        for kind in _WAYS_IN:
            self.session.exec(delete(kind).where(col(kind.person_id) == gone))

    def hand_back(self, merge: PersonMerge) -> None:
        """What was moved and is still the kept record's goes back where it was."""
        for each in merge.moved["awards"]:
            award = self.session.get(Award, uuid.UUID(each["id"]))
            if award is not None and award.person_id == merge.kept_id:
                award.person_id, award.once_key = (
                    merge.gone_id,
                    each["key"] if award.revoked_at is None else None,
                )
                award.batch_id = uuid.UUID(each["batch"]) if each["batch"] else None
                self.session.add(award)
        self.session.flush()
        for table, column in _columns():
            for keys in merge.moved.get(f"{table.name}.{column.name}", ()):
                found = _matching(table, {name: _read(table, name, value) for name, value in keys.items()})
                self.session.execute(
                    update(table).where(*found, column == merge.kept_id).values({column.name: merge.gone_id})
                )
        self.session.exec(delete(Sitting).where(col(Sitting.person_id) == merge.kept_id))
        self.session.flush()
        self.session.expire_all()

    def one_main(self, person_id: uuid.UUID) -> None:
        """Of two main addresses that came together, the one that was proved first stays so."""
        rows = self.session.exec(
            select(PersonAddress)
            .where(PersonAddress.person_id == person_id, col(PersonAddress.is_main).is_(True))
            .order_by(col(PersonAddress.verified_at), col(PersonAddress.id))
        ).all()
        for row in rows:
            row.is_main = row.address == rows[0].address
            self.session.add(row)
        self.session.flush()


def _columns() -> Iterator[tuple[Table, Column[Any]]]:
    """Every column that names a person, of tables that are handed on."""
    for table in SQLModel.metadata.sorted_tables:
        if table.name not in _STAYS:
            for column in table.columns:
                is_person = any(key.column.table.name == "person" for key in column.foreign_keys)
                if is_person and (table.name, column.name) not in _COLUMNS_THAT_STAY:
                    yield table, column


def _matching(table: Table, keys: Keys) -> list[Any]:
    return [table.c[name] == value for name, value in keys.items()]


def _read(table: Table, name: str, value: str) -> Any:
    kind = table.c[name].type.python_type
    return uuid.UUID(value) if kind is uuid.UUID else kind(value)
