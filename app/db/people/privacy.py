"""All rows about one person, found, counted and erased by the register in `app/domain/people/personal_data.py`."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Table,
    Text,
    Uuid,
    and_,
    case,
    delete,
    false,
    func,
    literal,
    null,
    or_,
    true,
    tuple_,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy import select as sa_select
from sqlmodel import Session, SQLModel, col, select

from app.db.engine.queries import RowStore, Store, locked, plain
from app.db.engine.row_level_security import METADATA, leads_to_a_campus, rows_named
from app.db.engine.schema import check_knows_every_table
from app.db.engine.writes import IN_ONE_QUERY, insert_rows
from app.db.reports.counts import CountStore
from app.db.reports.tombstones import Counted, TombstoneStore
from app.domain.awards import Award
from app.domain.awards.signed_bytes import InDatabase, SignedBytes
from app.domain.campus.integration import KEPT_DELIVERIES
from app.domain.core import plain_text
from app.domain.learners.portfolios import Portfolio
from app.domain.learners.requests import RequestState
from app.domain.people import Person, personal_data
from app.domain.people.consents import (
    ERASED,
    AccessEvent,
    AccessRecord,
    Consent,
    ErasedAward,
    ErasedPortfolio,
    Erasure,
)
from app.domain.people.personal_data import HELD, HeldData, Link
from app.domain.trust import PEER_KINDS, READ_WITHIN
from app.domain.trust.organisations import Refusal, RequestKind
from app.errors import Gone, NotFound

NO_OWNER = uuid.UUID(int=0)
"""The `noun_id` of audit log entries about an erased person."""
GONE = "somebody forgotten"
"""The same, as text, for the actor."""
_SAYS_NOTHING_NEW = frozenset(("history_entry", "campus_person"))
"""Rows that do not make a campus know a person: stored people are derived, and stay in doubt once their rows are gone."""
Key = tuple[Any, ...]


@dataclass(frozen=True)
class DataOwner:
    """The data subject and the campuses concerned; None: all campuses, and rows that belong to none."""

    person_id: uuid.UUID
    given_name: str
    family_name: str
    addresses: frozenset[str] = frozenset()
    campus_ids: frozenset[uuid.UUID] | None = None


def owner_of(
    person: Person, addresses: Collection[str], campus_ids: Collection[uuid.UUID] | None = None
) -> DataOwner:
    return DataOwner(
        person.id,
        person.given_name,
        person.family_name,
        frozenset(addresses),
        None if campus_ids is None else frozenset(campus_ids),
    )


def held_tables() -> list[Table]:
    """In deletion order: referring rows before the rows they refer to."""
    return [table for table in reversed(METADATA.sorted_tables) if table.name in HELD]


class PersonalDataStore(Store):
    def __init__(self, session: Session, elsewhere: SignedBytes = InDatabase()) -> None:
        super().__init__(session)
        self.elsewhere = elsewhere

    def check_knows_every_table(self) -> None:
        """Before an erasure and an archive, which an older program would leave incomplete."""
        check_knows_every_table(self.session)

    # --- reading

    def rows(self, table: Table, owner: DataOwner) -> list[Mapping[str, Any]]:
        """The rows about the person, without columns that name others or are kept_back."""
        held = HELD[table.name]
        hidden = {*held.mentions, *held.kept_back}
        columns = [column for column in table.columns if column.name not in hidden]
        query = sa_select(*columns).where(_of(table, owner)).order_by(*table.primary_key)
        return [self._with_bytes(dict(row)) for row in self.session.execute(query).mappings()]

    def _with_bytes(self, row: dict[str, Any]) -> dict[str, Any]:
        """With signed bytes, wherever they are."""
        named = {"embedded", "token"} if "embedded_digest" in row else set[str]()
        away = [name for name in named if row[name] is None]
        if not away:
            return row
        award = self.session.get_one(Award, row["award_id"])
        found = {name: self.elsewhere.read(award.campus_id, row[f"{name}_digest"]) for name in away}
        return {**row, **{name: body.decode() if name == "token" else body for name, body in found.items()}}

    def counts(self, owner: DataOwner) -> dict[str, int]:
        """The number of rows about the person, by table."""
        return {
            table.name: self.session.execute(
                sa_select(func.count()).select_from(table).where(_of(table, owner))
            ).scalar_one()
            for table in held_tables()
        }

    def campuses_of(self, person_id: uuid.UUID) -> set[uuid.UUID]:
        """The campuses with any data about the person."""
        owner, found = DataOwner(person_id, "", ""), set[uuid.UUID]()
        for table in held_tables():
            if (
                table.name not in _SAYS_NOTHING_NEW
                and (query := _campus_ids(table, _of(table, owner))) is not None
            ):
                found.update(each for each in self.session.execute(query).scalars() if each)
        return found

    def works_at(
        self, person_id: uuid.UUID, campus_ids: Collection[uuid.UUID] | None, *, at: datetime
    ) -> bool:
        """Whether the person has a current role in one of these campuses; None: in any, in a network or as operator."""
        roles = METADATA.tables["membership"].c
        query = sa_select(roles.id).where(
            roles.person_id == person_id,
            roles.since <= at,
            or_(roles.until.is_(None), roles.until > at),
            true() if campus_ids is None else roles.campus_id.in_(campus_ids),
        )
        serves = [
            sa_select(METADATA.tables[name].c.person_id).where(
                METADATA.tables[name].c.person_id == person_id, true() if campus_ids is None else false()
            )
            for name in ("operator", "network_administrator")
        ]
        return any(self.session.execute(each.limit(1)).first() for each in (query, *serves))

    # --- erasing

    def erase(self, owner: DataOwner, *, leaves_totals: bool = True) -> dict[str, int]:
        """Deletes every row about the person; returns the count by table.

        Their status slots must be raised first. `leaves_totals`: reports still count what is gone.
        """
        self.check_knows_every_table()
        tombstones = TombstoneStore(self.session)
        counted = tombstones.count(owner.person_id) if leaves_totals else Counted()
        keys = {table: self._keys(table, owner) for table in held_tables()}
        self._stop_mentioning(owner)
        erased = {"history_entry": self._forget_in_history(owner, keys)}
        for table, found in keys.items():
            if table.name == "history_entry":
                continue
            held = HELD[table.name]
            empty = _is_empty(table, held.once_empty) if held.once_empty else true()
            erased[table.name] = self._delete(table, found, empty)
        self.session.expire_all()
        tombstones.write(counted)
        CountStore(self.session).forget_changed()
        return {name: number for name, number in erased.items() if number}

    def _keys(self, table: Table, owner: DataOwner) -> list[Key]:
        query = sa_select(*table.primary_key).where(_of(table, owner))
        return [tuple(row) for row in self.session.execute(query)]

    def _delete(self, table: Table, keys: Collection[Key], also: ColumnElement[bool]) -> int:
        deleted = 0
        for some in _in_pieces(keys):
            query = delete(table).where(one_of(table, some), also)
            deleted += cast(Any, self.session.execute(query)).rowcount
        return deleted

    def _stop_mentioning(self, owner: DataOwner) -> None:
        """Clears the columns of other people's rows that name this person as the actor."""
        for table in METADATA.sorted_tables:
            for name in HELD[table.name].mentions if table.name in HELD else ():
                column = table.c[name]
                of_theirs = _of_campuses(table, owner.campus_ids)
                query = update(table).where(column == owner.person_id, of_theirs)
                self.session.execute(query.values({column: None}))
        reviews = METADATA.tables["log_review"]
        asked = update(reviews).where(reviews.c.asked_by == f"person {owner.person_id}")
        self.session.execute(asked.values(asked_by=GONE))

    def _forget_in_history(self, owner: DataOwner, keys: Mapping[Table, Collection[Key]]) -> int:
        """Retains that something was done, and when; clears actor, subject and facts."""
        history = METADATA.tables["history_entry"]
        numbers = {
            key[0]
            for table, found in keys.items()
            if table.name != "history_entry" and _has_a_number(table)
            for key in found
        }
        here, forgotten = _of_campuses(history, owner.campus_ids), 0
        for some in _in_pieces([(each,) for each in {*numbers, owner.person_id}]):
            ids = [each for (each,) in some]
            # To whom a badge was shown on request belongs to no campus, and goes with the badge.
            shown = history.c.noun == "presentation"
            noun_here = or_(shown, and_(history.c.noun.in_(_NOUNS), here))
            about = and_(noun_here, history.c.noun_id.in_(ids))
            forgotten += self._empty(about, owner)
        acted = history.c.actor_id == owner.person_id
        names_them = sql_cast(history.c.facts, Text).contains(str(owner.person_id))
        named = and_(history.c.noun.in_(("membership", "badge")), names_them)
        return forgotten + self._empty(and_(or_(acted, named), here), owner)

    def _empty(self, which: ColumnElement[bool], owner: DataOwner) -> int:
        history = METADATA.tables["history_entry"]
        was_theirs, is_them = history.c.actor_id == owner.person_id, history.c.noun_id == owner.person_id
        emptied = update(history).where(which)
        emptied = emptied.values(
            facts={},
            actor_id=case((was_theirs, null()), else_=history.c.actor_id),
            actor_label=case((was_theirs, GONE), else_=history.c.actor_label),
            noun_id=case((is_them, literal(NO_OWNER, Uuid())), else_=history.c.noun_id),
        )
        return int(cast(Any, self.session.execute(emptied)).rowcount)


_NOUNS = ("award", "request", "participation", "person", "password", "passkey", "reminders", "session",
          "account", "address", "membership", "invitation", "federated_account", "endorsement")  # fmt: skip
"""Audit log nouns that may be the person, or a thing of theirs."""


def _of(table: Table, owner: DataOwner) -> ColumnElement[bool]:
    """Whether a row is about the person, in the given campuses."""
    held = HELD[table.name]
    about = or_(*(_linked(table, link, owner) for link in held.links), _by_words(table, held, owner))
    return and_(about, _of_campuses(table, owner.campus_ids, held))


def _linked(table: Table, link: Link, owner: DataOwner) -> ColumnElement[bool]:
    column = table.c[link.column]
    if link.table == "person":
        return column == owner.person_id
    above = METADATA.tables[link.table]
    return column.in_(sa_select(above.c[link.to]).where(_of(above, owner)))


def _by_words(table: Table, held: HeldData, owner: DataOwner) -> ColumnElement[bool]:
    """A list line or request in the person's name, with one of their addresses or none; or what they signed."""
    if held.signed_as:
        return _signed_by(*(table.c[name] for name in held.signed_as), owner=owner)
    if not held.written_as:
        return false()
    given, family, address = (table.c[name] for name in held.written_as)
    at_home = func.lower(address).in_(["", *(each.lower() for each in owner.addresses)])
    names = and_(plain(given) == plain_text(owner.given_name), plain(family) == plain_text(owner.family_name))
    nobody = table.c.person_id.is_(None) if "person_id" in table.c else true()
    return and_(nobody, at_home, names)


def _signed_by(signature: Any, address: Any, *, owner: DataOwner) -> ColumnElement[bool]:
    """From one of their addresses; under their whole name where another person has that address too."""
    known, at = METADATA.tables["person_address"].c, func.lower(address)
    others = sa_select(known.id).where(known.address == at, known.person_id != owner.person_id)
    names = map(plain_text, filter(None, (owner.given_name, owner.family_name)))
    is_named = and_(true(), *(plain(signature).contains(name, autoescape=True) for name in names))
    return and_(at.in_([each.lower() for each in owner.addresses]), or_(~others.exists(), is_named))


def _of_campuses(
    table: Table, campus_ids: Collection[uuid.UUID] | None, held: HeldData | None = None
) -> ColumnElement[bool]:
    if campus_ids is None:
        return true()
    if table.name == "activity":
        places = METADATA.tables["activity_campus"]
        organised = sa_select(places.c.activity_id).where(places.c.accepted_at.is_not(None))
        return table.c.id.in_(organised.where(places.c.campus_id.in_(campus_ids)))
    if "campus_id" in table.c:
        return table.c.campus_id.in_(campus_ids)
    column, above = _above(table, held)
    if column is None or above is None:
        return false()
    within: ColumnElement[bool] = column.in_(sa_select(above).where(_of_campuses(above.table, campus_ids)))
    return within


def _campus_ids(table: Table, which: ColumnElement[bool]) -> Any:
    """The campuses of these rows, as a query; None for rows without a campus."""
    if table.name == "activity":
        places = METADATA.tables["activity_campus"]
        return sa_select(places.c.campus_id).where(
            places.c.activity_id.in_(sa_select(table.c.id).where(which)), places.c.accepted_at.is_not(None)
        )
    if "campus_id" in table.c:
        return sa_select(table.c.campus_id).where(which).distinct()
    column, above = _above(table, HELD.get(table.name))
    if column is None or above is None:
        return None
    return _campus_ids(above.table, above.in_(sa_select(column).where(which)))


def _above(table: Table, held: HeldData | None) -> tuple[Any, Any]:
    """The column that leads towards a campus, and the column it refers to."""
    if held is not None and held.campus_by is not None:
        return table.c[held.campus_by.column], METADATA.tables[held.campus_by.table].c[held.campus_by.to]
    column = next(filter(leads_to_a_campus, table.columns), None)
    return (None, None) if column is None else (column, next(iter(column.foreign_keys)).column)


def _is_empty(table: Table, lines: Link) -> ColumnElement[bool]:
    theirs = METADATA.tables[lines.table]
    return ~sa_select(theirs.c[lines.to]).where(theirs.c[lines.to] == table.c[lines.column]).exists()


def one_of(table: Table, keys: Collection[Key]) -> ColumnElement[bool]:
    columns = list(table.primary_key)
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_(keys)


def _has_a_number(table: Table) -> bool:
    (first, *others) = table.primary_key
    return not others and isinstance(first.type, Uuid)


def _in_pieces(keys: Collection[Key]) -> Iterator[list[Key]]:
    whole = list(keys)
    for start in range(0, len(whole), IN_ONE_QUERY // 2):
        yield whole[start : start + IN_ONE_QUERY // 2]


class ConsentStore(Store):
    def add(self, consent: Consent) -> None:
        with rows_named(self.session):
            self.session.add(consent)
            self.session.flush()

    def of_person(self, person_id: uuid.UUID) -> Sequence[Consent]:
        """The latest first; a withdrawal precedes a consent of the same second."""
        query = (
            select(Consent)
            .where(Consent.person_id == person_id)
            .order_by(col(Consent.at).desc(), col(Consent.given), col(Consent.id))
        )
        with rows_named(self.session):
            return self.session.exec(query).all()


class ErasureStore(RowStore[SQLModel]):
    def get(self, erasure_id: uuid.UUID) -> Erasure:
        found = self.session.get(Erasure, erasure_id)
        if found is None:
            raise NotFound("Il n’y a pas d’effacement sous cette référence.")
        return found

    def of_request(self, request_id: uuid.UUID) -> Sequence[Erasure]:
        """One per campus reached by one request."""
        query = select(Erasure).where(Erasure.request_id == request_id)
        return self.session.exec(query.order_by(col(Erasure.id))).all()

    def list_of(self, campus_id: uuid.UUID, *, limit: int) -> Sequence[Erasure]:
        """The campus's, the latest first."""
        query = select(Erasure).where(Erasure.campus_id == campus_id)
        return self.session.exec(
            query.order_by(col(Erasure.done_at).desc(), col(Erasure.id)).limit(limit)
        ).all()

    def count(self, campus_id: uuid.UUID) -> int:
        query = select(func.count()).select_from(Erasure).where(Erasure.campus_id == campus_id)
        return self.session.exec(query).one()

    def awards_of(
        self, person_id: uuid.UUID, campus_ids: Collection[uuid.UUID]
    ) -> dict[uuid.UUID, uuid.UUID]:
        """The campus of each of the person's awards there; writers of rows that name them wait."""
        query = select(Award.id, Award.campus_id).where(
            Award.person_id == person_id, col(Award.campus_id).in_(campus_ids)
        )
        return dict(self.session.exec(locked(query.order_by(col(Award.id)))).all())

    def bury(self, awards: dict[uuid.UUID, uuid.UUID], *, at: datetime) -> None:
        """Must run before an award's signed credential may be deleted."""
        insert_rows(
            self.session,
            [
                ErasedAward(award_id=award_id, campus_id=campus_id, erased_at=at)
                for award_id, campus_id in awards.items()
            ],
        )

    def bury_portfolios(self, person_id: uuid.UUID, *, at: datetime) -> None:
        found = self.session.exec(select(Portfolio.id).where(Portfolio.person_id == person_id)).all()
        insert_rows(self.session, [ErasedPortfolio(portfolio_id=each, erased_at=at) for each in found])


def check_not_erased(session: Session, award_id: uuid.UUID, campus_id: uuid.UUID | None = None) -> None:
    """Raises Gone for the id of an erased award, of `campus_id` if given."""
    found = session.get(ErasedAward, award_id)
    if found is not None and campus_id in (None, found.campus_id):
        raise Gone(ERASED)


def erased_between(session: Session, first: uuid.UUID, last: uuid.UUID) -> uuid.UUID | None:
    query = select(ErasedAward.award_id).where(
        col(ErasedAward.award_id) >= first, col(ErasedAward.award_id) <= last
    )
    return session.exec(query.limit(1)).first()


class AccessLogStore(Store):
    def note(
        self,
        campus_id: uuid.UUID,
        person_id: uuid.UUID,
        viewer_id: uuid.UUID,
        looked_at: AccessRecord,
        day: date,
    ) -> None:
        """Once a day; of two concurrent requests, one fails."""
        query = select(AccessEvent.id).where(
            AccessEvent.campus_id == campus_id,
            AccessEvent.person_id == person_id,
            AccessEvent.viewer_id == viewer_id,
            AccessEvent.looked_at == looked_at,
            AccessEvent.day == day,
        )
        if self.session.exec(query).first() is None:
            self.session.add(
                AccessEvent(
                    campus_id=campus_id,
                    person_id=person_id,
                    viewer_id=viewer_id,
                    looked_at=looked_at,
                    day=day,
                )
            )
            self.session.flush()

    def of(
        self, campus_id: uuid.UUID, person_id: uuid.UUID, *, limit: int
    ) -> list[tuple[AccessEvent, Person | None]]:
        """The latest first, with the viewer."""
        rows = self.session.exec(
            select(AccessEvent, Person)
            .join(Person, col(Person.id) == col(AccessEvent.viewer_id), isouter=True)
            .where(AccessEvent.campus_id == campus_id, AccessEvent.person_id == person_id)
            .order_by(col(AccessEvent.day).desc(), col(AccessEvent.looked_at), col(AccessEvent.id))
            .limit(limit)
        )
        return [(look, viewer) for look, viewer in rows]

    def forget_before(self, day: date) -> None:
        self.session.exec(delete(AccessEvent).where(col(AccessEvent.day) < day))


AT_A_TIME = 500


class RetentionStore(Store):
    def overdue(self, at: datetime) -> Iterator[tuple[Table, ColumnElement[bool]]]:
        """Rows by table, referring rows before the rows they refer to."""
        table = METADATA.tables
        enrolment = table["pathway_enrolment"]
        left = enrolment.c.changed_at < at - personal_data.PATHWAYS
        for each in (table["pathway_stage_state"], table["pathway_decision"]):
            yield each, each.c.enrolment_id.in_(sa_select(enrolment.c.id).where(left))
        yield enrolment, left
        room, link, challenge = table["room_entry"], table["sign_in_link"], table["challenge"]
        session, letter, invitation = table["session"], table["letter"], table["invitation"]
        yield room, room.c.signed_at < at - personal_data.ROOM_ENTRIES
        waiting, answer = table["waiting_signature"], table["list_answer"]
        yield waiting, waiting.c.signed_at < at - personal_data.ROOM_ENTRIES
        turnout, survey = table["survey_turnout"], table["survey_link"]
        closed = or_(survey.c.closed_at.is_not(None), survey.c.closes_on < (at - timedelta(days=1)).date())
        yield turnout, turnout.c.activity_id.in_(sa_select(survey.c.activity_id).where(closed))
        views = table["page_view_count"]
        yield views, views.c.day < (at - personal_data.PAGE_VIEWS).date()
        phone = table["remembered_phone"]
        yield phone, phone.c.expires_at < at
        launch = table["lti_launch"]
        yield launch, launch.c.expires_at < at
        yield answer, answer.c.answered_at < at - personal_data.LIST_ANSWERS
        for each in (link, challenge, session):
            yield each, each.c.expires_at < at - personal_data.WAYS_IN
        aside = table["set_aside"]
        yield aside, aside.c.expires_at < at
        secret, grant, known = table["app_secret"], table["app_grant"], table["connected_app"]
        yield secret, secret.c.expires_at < at - personal_data.WAYS_IN
        yield grant, ~sa_select(secret.c.id).where(secret.c.grant_id == grant.c.id).exists()
        unused = ~sa_select(grant.c.id).where(grant.c.app_id == known.c.id).exists()
        registered = and_(known.c.registered_itself, known.c.registered_at < at - personal_data.UNUSED_APPS)
        yield known, and_(registered, unused)
        lines, batch = table["award_batch_line"], table["award_batch"]
        done = sa_select(batch.c.id).where(batch.c.done_at < at - personal_data.REFUSED_LINES)
        yield lines, and_(lines.c.person_id.is_(None), lines.c.award_id.is_(None), lines.c.batch_id.in_(done))
        over = self._closed_requests(at)
        file, content, step = table["stored_file"], table["stored_file_content"], table["request_step"]
        files = sa_select(file.c.id).where(file.c.noun == "request", file.c.noun_id.in_(over))
        yield content, content.c.file_id.in_(files)
        yield file, and_(file.c.noun == "request", file.c.noun_id.in_(over))
        yield step, step.c.request_id.in_(over)
        yield letter, letter.c.about_id.in_(over)
        request = table["badge_request"]
        yield request, request.c.id.in_(over)
        unanswered = and_(
            invitation.c.accepted_at.is_(None), invitation.c.expires_at < at - personal_data.INVITATIONS
        )
        yield letter, letter.c.about_id.in_(sa_select(invitation.c.id).where(unanswered))
        yield invitation, unanswered
        asked = table["endorsement_request"]
        # Refusals of all further requests are retained.
        unheeded = and_(
            asked.c.endorsement_id.is_(None),
            asked.c.refusal != Refusal.EVER.value,
            or_(
                asked.c.expires_at < at - personal_data.ASKED_ORGANISATIONS,
                and_(
                    asked.c.kind == RequestKind.PEER_PROOF.value,
                    asked.c.expires_at < at - personal_data.TYPED_ADDRESSES,
                ),
            ),
        )
        yield letter, letter.c.about_id.in_(sa_select(asked.c.id).where(unheeded))
        yield asked, unheeded
        # Never accepted, or empty since its author or the learner withdrew it.
        peers = table["peer_recommendation"]
        unread = and_(
            or_(
                peers.c.accepted_at.is_(None),
                peers.c.declined_at.is_not(None),
                peers.c.withdrawn_at.is_not(None),
            ),
            peers.c.written_at < at - READ_WITHIN,
        )
        yield letter, letter.c.about_id.in_(sa_select(peers.c.id).where(unread))
        yield peers, unread
        # Requests that were answered go with the recommendation, and so do the e-mails about both.
        over = or_(peers.c.declined_at.is_not(None), peers.c.withdrawn_at.is_not(None))
        stands = sa_select(peers.c.id).where(peers.c.id == asked.c.endorsement_id, ~over).exists()
        of_peers = asked.c.kind.in_([each.value for each in PEER_KINDS])
        unneeded = and_(of_peers, asked.c.endorsement_id.is_not(None), asked.c.expires_at < at, ~stands)
        yield letter, letter.c.about_id.in_(sa_select(peers.c.id).where(over))
        yield letter, letter.c.about_id.in_(sa_select(asked.c.id).where(unneeded))
        yield asked, unneeded
        answer = table["api_answer"]
        yield answer, answer.c.expires_at < at
        sent = table["webhook_delivery"]
        over = and_(sent.c.state != "waiting", sent.c.attempted_at < at - KEPT_DELIVERIES)
        yield sent, over
        yield (
            letter,
            and_(letter.c.state != "waiting", letter.c.promised_at < at - personal_data.LETTERS),
        )

    def delete_some(self, at: datetime) -> int:
        """Returns the number deleted; below AT_A_TIME for each table, nothing is left."""
        deleted = 0
        for table, which in self.overdue(at):
            keys = list(table.primary_key)
            found = self.session.execute(sa_select(*keys).where(which).limit(AT_A_TIME)).all()
            if found:
                query = delete(table).where(one_of(table, [tuple(row) for row in found]))
                deleted += int(cast(Any, self.session.execute(query)).rowcount)
        return deleted

    def is_due(self, at: datetime) -> bool:
        return any(
            self.session.execute(sa_select(*table.primary_key).where(which).limit(1)).first()
            for table, which in self.overdue(at)
        )

    @staticmethod
    def _closed_requests(at: datetime) -> Any:
        request = METADATA.tables["badge_request"]
        closed = [RequestState.REFUSED.value, RequestState.WITHDRAWN.value]
        return sa_select(request.c.id).where(
            or_(*(request.c.state == each for each in closed)),
            request.c.decided_at < at - personal_data.CLOSED_REQUESTS,
        )
