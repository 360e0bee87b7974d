"""People's choices: each commit's changes are recorded for the recovery journal, and reapplied after a
restore.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    delete,
    event,
    false,
    inspect,
    null,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import ORMExecuteState, UOWTransaction
from sqlmodel import Session, SQLModel, col, func
from sqlmodel import select as one_of

from app.db.activity_log.integrity import typed_values
from app.db.engine.queries import Store
from app.db.engine.row_level_security import TenantScope
from app.db.engine.writes import among
from app.db.messages import LetterStore
from app.db.people import PeopleStore
from app.domain.accounts.sessions import ApiToken
from app.domain.activity_log.recovery import (
    CHOICES,
    DELETED_WITH,
    ENDED,
    NEVER_DELETED,
    SWEPT,
    ChoiceChange,
    as_json,
)
from app.domain.awards import Award, Visibility
from app.domain.campus.integration import Webhook, WebhookState
from app.domain.imports.calendars import CalendarState, CalendarSubscription
from app.domain.learners.portfolios import ImportedBadge, Portfolio
from app.domain.learners.ratings import BadgeRating
from app.domain.learners.ratings import SentenceState as RatingSentence
from app.domain.messages import QueuedMessage
from app.domain.people import NAMELESS, Person, PersonAddress
from app.domain.people.consents import ParentAgreement
from app.domain.reports.network import ReportSharing
from app.domain.reports.surveys import SentenceState as SurveySentence
from app.domain.reports.surveys import SurveyAnswer, SurveyLink
from app.domain.trust import PeerRecommendation
from app.domain.trust.organisations import Endorsement, EndorsementRequest

Key = tuple[Any, ...]
_ONE_AT_A_TIME: Final = text("SELECT pg_advisory_xact_lock(7215340018)")
_NAMES: Final = ("given_name", "family_name", "listed_as")
_BEYOND_ANY_SINCE: Final = 100_000
"""More than the links of a portfolio were stopped in what is lost."""


class ChoiceWatch:
    """Tracks one transaction. All changes to choices, by any statement, are stored in one row at its end."""

    def __init__(self, session: Session, journaled: Callable[[], int], refuse: Callable[[], None]) -> None:
        """`journaled`: the last number the journal has stored. `refuse` may raise before any write."""
        self.session = session
        self.journaled = journaled
        self.refuse = refuse
        self.has_noted = False
        self._found: dict[tuple[str, Key], None] = {}
        self._new_people: set[uuid.UUID] = set()
        event.listen(session, "after_flush", self._after_flush)
        event.listen(session, "do_orm_execute", self._before_statement)
        event.listen(session, "before_commit", self._before_commit)

    def _after_flush(self, session: Any, _context: UOWTransaction) -> None:
        self._new_people |= {row.id for row in session.new if isinstance(row, Person)}
        for row in session.new:
            if (choices := CHOICES.get(_table_of(row))) and choices.with_new and not self._is_of_new(row):
                self._note(row)
        for row in session.dirty:
            choices = CHOICES.get(_table_of(row))
            if choices is not None and choices.with_changes and self._is_changed(row, choices.columns):
                self._note(row)
        for row in session.deleted:
            if (name := _table_of(row)) in CHOICES and name not in NEVER_DELETED:
                self._note(row)

    def _is_of_new(self, row: Any) -> bool:
        """A list brings people with their addresses; a restore brings back no person without a badge."""
        return isinstance(row, PersonAddress) and row.person_id in self._new_people

    @staticmethod
    def _is_changed(row: Any, columns: Sequence[str]) -> bool:
        attributes = inspect(row).attrs
        names = columns or tuple(row.__table__.columns.keys())
        return any(attributes[name].history.has_changes() for name in names)

    def _note(self, row: Any) -> None:
        table: Table = row.__table__
        self._found[table.name, tuple(getattr(row, each.name) for each in table.primary_key)] = None

    def _before_statement(self, state: ORMExecuteState) -> None:
        if not (state.is_update or state.is_delete) or state.execution_options.get(SWEPT):
            return
        statement: Any = state.statement
        table: Table = statement.table
        choices = CHOICES.get(table.name)
        if choices is None or (state.is_delete and table.name in NEVER_DELETED):
            return
        if state.is_update:
            changed = {getattr(each, "name", each) for each in statement._values or ()}
            if not choices.with_changes or (choices.columns and not changed & set(choices.columns)):
                return
        query = select(*table.primary_key).where(*statement._where_criteria)
        for key in self.session.execute(query).all():
            self._found[table.name, tuple(key)] = None

    def _before_commit(self, session: Any) -> None:
        if session.in_nested_transaction():
            return
        session.flush()
        if not self._found:
            return
        self.refuse()
        TenantScope(session).bypass()
        changes = [_as_written(session, name, key) for name, key in self._found]
        if session.get_bind().dialect.name == "postgresql":
            session.execute(_ONE_AT_A_TIME)
        store = ChoiceStore(session)
        newest = store.newest()
        store.forget(self.journaled(), newest)
        store.add(newest + 1, orjson.dumps(changes, default=as_json))
        self._found.clear()
        self.has_noted = True


class ChoiceStore(Store):
    def newest(self) -> int:
        return self.session.exec(one_of(func.coalesce(func.max(ChoiceChange.sequence), 0))).one()

    def add(self, sequence: int, content: bytes = b"[]") -> None:
        self.session.execute(_table(ChoiceChange).insert().values(sequence=sequence, content=content))

    def forget(self, sequence: int, newest: int) -> None:
        """Deletes the changes up to this one, except the newest of all: its number is needed."""
        changes = _table(ChoiceChange).c
        gone = and_(changes.sequence <= sequence, changes.sequence < newest)
        self.session.execute(delete(ChoiceChange).where(gone))
        self.session.execute(update(ChoiceChange).where(changes.sequence <= sequence).values(content=b"[]"))

    def after(self, sequence: int) -> list[tuple[int, Any]]:
        query = select(col(ChoiceChange.sequence), col(ChoiceChange.content))
        rows = self.session.execute(
            query.where(col(ChoiceChange.sequence) > sequence).order_by(col(ChoiceChange.sequence))
        ).all()
        return [(number, orjson.loads(content)) for number, content in rows]

    # --- after a restore

    def put_back(self, changes: Iterable[Sequence[Any]]) -> int:
        """Restores the newest state of each changed row; returns the number of rows updated."""
        newest: dict[tuple[str, str], Sequence[Any]] = {}
        for change in changes:
            newest[change[0], orjson.dumps(change[1]).decode()] = change
        removed = self._addresses_removed(newest.values())
        # What was deleted first frees its unique values; once more for rows that others still referred to.
        done = self._delete_all(newest.values())
        for name in CHOICES:
            table = SQLModel.metadata.tables[name]
            chosen = [
                (key, values)
                for named, key, values in newest.values()
                if named == name and values is not None
            ]
            absent = [each for each in chosen if not self._change(table, *each)]
            # Update existing rows first: a replaced key must free its unique value for the restored one.
            done += len(chosen) - len(absent) + sum(self._insert(table, *each) for each in absent)
        done += self._delete_all(newest.values())
        self._redirect_letters(removed)
        return done

    def _delete_all(self, newest: Collection[Sequence[Any]]) -> int:
        done = 0
        for name in reversed(list(CHOICES)):
            table = SQLModel.metadata.tables[name]
            gone = [key for named, key, values in newest if named == name and values is None]
            done += sum(self._delete(table, _matches(table, key)) for key in gone)
        return done

    def _addresses_removed(self, newest: Iterable[Sequence[Any]]) -> set[tuple[uuid.UUID, str]]:
        """People, each with an address that the copy has again."""
        gone = [
            uuid.UUID(key["id"])
            for name, key, values in newest
            if name == "person_address" and values is None
        ]
        if not gone:
            return set()
        query = select(col(PersonAddress.person_id), col(PersonAddress.address))
        rows = self.session.execute(query.where(among(self.session, col(PersonAddress.id), gone)))
        return {(person_id, address) for person_id, address in rows}

    def _redirect_letters(self, removed: Iterable[tuple[uuid.UUID, str]]) -> None:
        """What waits in the copy takes a private link to none of these, but to the address that the person has now."""
        people, letters = PeopleStore(self.session), LetterStore(self.session)
        for person_id, address in removed:
            if address not in people.all_addresses(person_id):
                present = people.addresses_of([person_id]).get(person_id, "")
                letters.readdress_waiting(person_id, [address], present)

    def erase_withdrawn(self) -> None:
        """Texts and addresses that were erased with a withdrawal, and that the copy has again."""
        for row, over, erased in (
            (Endorsement, col(Endorsement.withdrawn_at).is_not(None), "written token comment address"),
            (
                PeerRecommendation,
                or_(
                    col(PeerRecommendation.withdrawn_at).is_not(None),
                    col(PeerRecommendation.declined_at).is_not(None),
                ),
                "words signature address",
            ),
        ):
            table = _table(row)
            gone = select(table.c.id).where(over)
            answered = select(col(EndorsementRequest.id)).where(
                col(EndorsementRequest.endorsement_id).in_(gone)
            )
            for about in (gone, answered):
                self.session.execute(delete(QueuedMessage).where(col(QueuedMessage.about_id).in_(about)))
            statement = update(table).where(over, table.c.address != "")
            self.session.execute(statement.values(dict.fromkeys(erased.split(), "")))

    def _change(self, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
        """Whether the restored database has the row."""
        written = typed_values(table, values)
        if table.name == "award" and not self._holds_edition(table, key, written.pop("edition")):
            # Signed again since, with less content, and that document is lost: the award stays closed.
            written |= {"visibility": Visibility.CLOSED}
        here = _matches(table, key)
        if self.session.execute(select(true()).select_from(table).where(here)).first() is None:
            return False
        for name in CHOICES[table.name].stays:
            written.pop(name)
        if table.name == "person" and NAMELESS in (
            written.get("family_name"),
            self._family_name(table, here),
        ):
            # Merges are as in the copy: a record that was merged, then or since, has the name that it has there.
            written = {name: value for name, value in written.items() if name not in _NAMES}
        if written:
            self._update(table, here, written)
        return True

    def _family_name(self, table: Table, here: ColumnElement[bool]) -> Any:
        return self.session.execute(select(table.c.family_name).where(here)).scalar()

    def _update(self, table: Table, here: ColumnElement[bool], written: Mapping[str, Any]) -> None:
        """Without its references if a row that they name is lost."""
        statement = update(table).where(here)
        own = {name: value for name, value in written.items() if not table.c[name].foreign_keys}
        try:
            with self.session.begin_nested() if own != written else nullcontext():
                self.session.execute(statement.values(written))
        except IntegrityError:
            if own == written:
                raise
            self.session.execute(statement.values(own))

    def _insert(self, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> int:
        if not CHOICES[table.name].with_new:
            return 0
        try:
            with self.session.begin_nested():
                self.session.execute(table.insert().values(typed_values(table, {**values, **key})))
        except IntegrityError:
            return 0  # the row it refers to no longer exists
        return 1

    def _delete(self, table: Table, here: ColumnElement[bool]) -> int:
        try:
            with self.session.begin_nested():
                if with_it := DELETED_WITH.get(table.name):
                    child = SQLModel.metadata.tables[with_it[0]]
                    gone = select(*table.primary_key).where(here)
                    self.session.execute(delete(child).where(child.c[with_it[1]].in_(gone)))
                return self.session.execute(delete(table).where(here)).rowcount  # type: ignore[attr-defined,no-any-return]
        except IntegrityError:
            return 0

    def _holds_edition(self, table: Table, key: Mapping[str, Any], edition: int) -> bool:
        held = self.session.execute(select(table.c.edition).where(_matches(table, key))).scalar()
        return held is not None and held >= edition

    def shut_everything(self, *, reason: str, at: datetime) -> list[Person]:
        """If later choices are unknown, close everything. Returns the people with open pages."""
        pages = col(Award.visibility) == Visibility.OPEN
        shown = (
            select(col(Award.person_id))
            .where(pages)
            .union(select(col(Portfolio.person_id)).where(col(Portfolio.is_open)))
        )
        keepers = set(self.session.execute(shown).scalars())
        with_account = select(col(PersonAddress.person_id)).where(col(PersonAddress.verified_at).is_not(None))
        for statement in (
            update(Award).where(pages).values(visibility=Visibility.CLOSED),
            update(Award)
            .values(is_findable=False, answers_checks=False)
            .where(col(Award.is_findable) | col(Award.answers_checks)),
            update(Person).where(col(Person.id).in_(with_account)).values(accepts_links=False),
            update(Portfolio).values(
                is_open=False,
                is_findable=False,
                link_generation=Portfolio.link_generation + _BEYOND_ANY_SINCE,
            ),
            update(ImportedBadge).where(col(ImportedBadge.is_shown)).values(is_shown=False),
            update(ParentAgreement)
            .where(col(ParentAgreement.agreed).is_(true()))
            .values(agreed=null(), answered_at=null()),
            update(Endorsement)
            .where(col(Endorsement.set_aside_at).is_(None))
            .values(set_aside_at=at, set_aside_reason=reason, changes=Endorsement.changes + 1),
            update(ApiToken).where(col(ApiToken.revoked_at).is_(None)).values(revoked_at=at),
            update(Webhook)
            .where(col(Webhook.state) == WebhookState.ACTIVE)
            .values(state=WebhookState.PAUSED),
            update(CalendarSubscription)
            .where(col(CalendarSubscription.state) == CalendarState.ACTIVE)
            .values(state=CalendarState.PAUSED),
            update(BadgeRating)
            .where(col(BadgeRating.sentence_state) == RatingSentence.SHOWN)
            .values(sentence_state=RatingSentence.WAITING),
            update(ReportSharing).values(actions=False, people=False, partners=False, changed_at=at),
            update(SurveyLink).where(col(SurveyLink.closed_at).is_(None)).values(closed_at=at),
            update(SurveyAnswer)
            .where(col(SurveyAnswer.sentence_state) == SurveySentence.APPROVED)
            .values(sentence_state=SurveySentence.PENDING),
        ):
            self.session.execute(statement.execution_options(synchronize_session=False))
        self.session.expire_all()
        query = select(Person).where(among(self.session, col(Person.id), keepers))
        return list(self.session.execute(query.order_by(col(Person.id))).scalars())

    def end_sessions(self) -> None:
        """A restored backup contains sessions, links, codes and tokens that were ended since."""
        for name in ENDED:
            self.session.execute(delete(SQLModel.metadata.tables[name]))
        self.session.expire_all()


def _as_written(session: Session, name: str, key: Key) -> list[Any]:
    """Table, key, and the current values of the chosen columns; None for a deleted row."""
    table, columns = SQLModel.metadata.tables[name], CHOICES[name].columns
    named = {column.name: value for column, value in zip(table.primary_key, key, strict=True)}
    everything = CHOICES[name].with_new
    chosen = [each for each in table.columns if each.name in columns or (everything and not each.primary_key)]
    query = select(true().label("is_there"), *chosen).where(_is(table, named))
    row = session.execute(query.select_from(table)).mappings().first()
    return [name, named, {each.name: row[each.name] for each in chosen} if row else None]


def _matches(table: Table, key: Mapping[str, Any]) -> ColumnElement[bool]:
    return _is(table, typed_values(table, key))


def _is(table: Table, key: Mapping[str, Any]) -> ColumnElement[bool]:
    return and_(false() if not key else true(), *(table.c[name] == value for name, value in key.items()))


def _table_of(row: Any) -> str:
    return str(row.__table__.name)


def _table(kind: type[SQLModel]) -> Table:
    found: Table = kind.__table__  # type: ignore[attr-defined]
    return found
