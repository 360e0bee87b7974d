"""People, their addresses and roles."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Table, text, update
from sqlalchemy import select as select_rows
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, col, delete, func, or_, select

from app.db.activities import organised_by
from app.db.engine.queries import RowStore, Store, locked
from app.db.engine.schema import check_knows_every_table
from app.db.engine.writes import among
from app.domain.accounts.permissions import NetworkAdministrator, Operator
from app.domain.accounts.sessions import FormDraft, SetAside
from app.domain.accounts.sessions import Session as Sitting
from app.domain.accounts.sign_in import Challenge, FederatedAccount, Passkey, Password, SignInLink
from app.domain.activities import BY_NAME_ALONE, Activity, ActivityCampus, Participation, homonym_of
from app.domain.awards import Award, AwardState, Visibility
from app.domain.campus.audit_log import HistoryEntry
from app.domain.campus.campus import Campus
from app.domain.campus.integration import ExternalId
from app.domain.core import neighbouring_ids
from app.domain.learners.requests import BadgeRequest
from app.domain.people import (
    Membership,
    NameWish,
    Person,
    PersonAddress,
    PersonMerge,
    Role,
    Standing,
    name_key,
)
from app.domain.people.consents import ListAnswer, ParentAgreement, VisibleName
from app.errors import NotFound

THE_ADDRESS_FIRST: Final = (
    col(PersonAddress.is_main).desc(),
    col(PersonAddress.verified_at).is_(None),
    col(PersonAddress.address),
)
"""A person's first address is the one that messages go to."""


class PeopleStore(RowStore[Person]):
    def get(self, person_id: uuid.UUID) -> Person:
        person = self.session.get(Person, person_id)
        if person is None:
            raise NotFound("Cette personne n’existe pas ici.")
        return person

    def list_by_id(self, person_ids: Iterable[uuid.UUID]) -> list[Person]:
        ids = list(person_ids)
        if not ids:
            return []
        return list(self.session.exec(select(Person).where(among(self.session, col(Person.id), ids))))

    def lock_all(self, person_ids: Iterable[uuid.UUID], *, to_erase: bool = False) -> set[uuid.UUID]:
        """In the order of identifiers; returns those still there. `to_erase`: writers of rows that name them wait."""
        query = select(Person).where(among(self.session, col(Person.id), person_ids)).order_by(col(Person.id))
        return {person.id for person in self.session.exec(locked(query, key_share=not to_erase))}

    def find_named_at(self, address: str, key: str) -> Person | None:
        """The person of that name at that address, if known."""
        return self.session.exec(
            select(Person)
            .join(PersonAddress, col(PersonAddress.person_id) == col(Person.id))
            .where(PersonAddress.address == address, PersonAddress.name_key == key)
        ).first()

    def list_named_at(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Person]:
        """The known people of many (address, name key) pairs, in few queries."""
        wanted = set(pairs)
        addresses = sorted({address for address, _ in wanted if address})
        if not addresses:
            return {}
        query = select(PersonAddress, Person).join(Person, col(Person.id) == col(PersonAddress.person_id))
        rows = self.session.exec(query.where(among(self.session, col(PersonAddress.address), addresses)))
        found = {(address.address, address.name_key): person for address, person in rows}
        return {pair: person for pair, person in found.items() if pair in wanted}

    def get_or_add(self, person: Person, address: str) -> Person:
        """Stores `person` unless that name at that address exists, even if inserted concurrently."""
        key = _key_of(person)
        known = self.find_named_at(address, key) if address else None
        if known is not None:
            return known
        try:
            with self.session.begin_nested():
                self.session.add(person)
                self.session.flush()
                if address:
                    self.session.add(_address_row(person, address))
                    self.session.flush()
        except IntegrityError:
            first = self.find_named_at(address, key)
            if first is None:
                raise
            return first
        return person

    def get_or_add_all(self, asked: Sequence[tuple[Person, str]]) -> list[Person]:
        """`get_or_add` for many (person, address) pairs, in few statements unless a concurrent write interferes."""
        known = self.list_named_at((address, _key_of(person)) for person, address in asked if address)
        found = [known.get((address, _key_of(person))) for person, address in asked]
        new = [pair for pair, person in zip(asked, found, strict=True) if person is None]
        for (person, _), number in zip(new, neighbouring_ids(len(new)), strict=True):
            person.id = number
        try:
            with self.session.begin_nested():
                self.session.add_all([person for person, _ in new])
                self.session.flush()
                self.session.add_all([_address_row(person, address) for person, address in new if address])
                self.session.flush()
        except IntegrityError:
            return [self.get_or_add(person, address) for person, address in asked]
        return [known_person or person for known_person, (person, _) in zip(found, asked, strict=True)]

    def add_address(self, person: Person, address: str) -> None:
        """Adds an address to a person; no change if it exists, or belongs to a person of the same name."""
        if self.find_named_at(address, _key_of(person)) is None:
            self.session.add(_address_row(person, address))
            self.session.flush()

    def forget_unverified(self, person: Person, addresses: Iterable[str]) -> None:
        """Deletes unverified addresses from lists that turned out to belong to no known person."""
        self.session.exec(
            delete(PersonAddress).where(
                col(PersonAddress.person_id) == person.id,
                col(PersonAddress.address).in_(list(addresses)),
                col(PersonAddress.verified_at).is_(None),
            )
        )

    def addresses_of(self, person_ids: Iterable[uuid.UUID], *which: Any) -> dict[uuid.UUID, str]:
        """One address per person, of `which`: the main one, else a verified one. A campus sees `is_known_at` alone."""
        found, ids = dict[uuid.UUID, str](), list(person_ids)
        query = select(PersonAddress.person_id, PersonAddress.address).where(
            among(self.session, col(PersonAddress.person_id), ids), *which
        )
        for person_id, address in self.session.exec(query.order_by(*THE_ADDRESS_FIRST)) if ids else ():
            found.setdefault(person_id, address)
        return found

    def all_addresses(self, person_id: uuid.UUID) -> list[str]:
        rows = self.session.exec(select(PersonAddress.address).where(PersonAddress.person_id == person_id))
        return sorted(set(rows))

    def name_keys_of(self, person_id: uuid.UUID) -> set[str]:
        """Keys of every name by which lists have named the person."""
        keys = select(PersonAddress.name_key).where(PersonAddress.person_id == person_id)
        return set(self.session.exec(keys))

    def find_staff_at(self, address: str, *, at: datetime) -> Person | None:
        """A person with a current role in a campus, a network or the service, with a verified address.

        An address listed by a trainer proves nothing: unverified addresses cannot sign in.
        """
        return next(iter(self.all_staff_at(address, at=at)), None)

    def all_staff_at(self, address: str, *, at: datetime) -> Sequence[Person]:
        """The same if several people share an address, the one known longest first."""
        works = select(Membership.person_id).where(
            col(Membership.since) <= at,
            (col(Membership.until).is_(None)) | (col(Membership.until) > at),
        )
        return self.session.exec(
            select(Person)
            .join(PersonAddress, col(PersonAddress.person_id) == col(Person.id))
            .where(
                PersonAddress.address == address,
                col(PersonAddress.verified_at).is_not(None),
                col(Person.id).in_(works)
                | col(Person.id).in_(select(Operator.person_id))
                | col(Person.id).in_(select(NetworkAdministrator.person_id)),
            )
            .order_by(col(Person.created_at), col(Person.id))
            .distinct()
        ).all()

    def memberships_of(self, person_id: uuid.UUID) -> list[tuple[Membership, Campus]]:
        rows = self.session.exec(
            select(Membership, Campus)
            .join(Campus, col(Campus.id) == col(Membership.campus_id))
            .where(Membership.person_id == person_id)
            .order_by(col(Campus.short_name), col(Membership.role))
        )
        return [(membership, campus) for membership, campus in rows]

    def first_with_role(self, campus_id: uuid.UUID, role: Role, *, at: datetime) -> Person | None:
        return self.session.exec(
            select(Person)
            .join(Membership, col(Membership.person_id) == col(Person.id))
            .where(
                Membership.campus_id == campus_id,
                Membership.role == role,
                (col(Membership.until).is_(None)) | (col(Membership.until) > at),
            )
            .order_by(col(Membership.since), col(Person.id))
        ).first()


def _key_of(person: Person) -> str:
    return name_key(person.given_name, person.family_name)


def _address_row(person: Person, address: str) -> PersonAddress:
    return PersonAddress(person_id=person.id, address=address, name_key=_key_of(person))


class GuardianStore(RowStore[SQLModel]):
    def find(self, agreement_id: uuid.UUID) -> ParentAgreement | None:
        return self.session.get(ParentAgreement, agreement_id)

    def lock(self, agreement_id: uuid.UUID) -> None:
        """The child first, as a merge, an erasure and an age that is noted do."""
        child = select(ParentAgreement.person_id).where(ParentAgreement.id == agreement_id).scalar_subquery()
        self.session.exec(locked(select(Person).where(Person.id == child), key_share=True)).first()
        self.find_locked(ParentAgreement, agreement_id)

    def get(self, agreement_id: uuid.UUID) -> ParentAgreement:
        found = self.find(agreement_id)
        if found is None:
            raise NotFound("Ce lien ne mène à aucune demande. Vérifiez qu’il est entier.")
        return found

    def decisive_about(self, award_id: uuid.UUID) -> ParentAgreement | None:
        return next(iter(self.about(award_id)), None)

    def about(self, award_id: uuid.UUID) -> Sequence[ParentAgreement]:
        """A consent first, then the newest request: asking another parent takes back no consent."""
        query = select(ParentAgreement).where(ParentAgreement.award_id == award_id)
        agreed, asked = col(ParentAgreement.agreed).is_(True), col(ParentAgreement.asked_at)
        return self.session.exec(query.order_by(agreed.desc(), asked.desc(), col(ParentAgreement.id))).all()

    def agreed_about(self, award_id: uuid.UUID, *, but: uuid.UUID) -> Sequence[ParentAgreement]:
        query = select(ParentAgreement).where(ParentAgreement.award_id == award_id, ParentAgreement.id != but)
        return self.session.exec(query.where(col(ParentAgreement.agreed).is_(True))).all()

    def of_person(self, person_id: uuid.UUID) -> Sequence[ParentAgreement]:
        return self.session.exec(select(ParentAgreement).where(ParentAgreement.person_id == person_id)).all()

    def open_awards_of(self, person_id: uuid.UUID) -> Sequence[Award]:
        query = select(Award).where(Award.person_id == person_id, Award.visibility == Visibility.OPEN)
        return self.session.exec(query.order_by(col(Award.id))).all()


# Sign-in methods are deleted, not moved; past actions stay attributed to who did them.
_WAYS_IN = (Sitting, SignInLink, Challenge, Password, Passkey, FederatedAccount, SetAside, FormDraft)
_STAYS = frozenset(("history_entry", "award", "campus_person", *(str(kind.__tablename__) for kind in _WAYS_IN)))  # fmt: skip
# Earlier merges into the merged record move to the surviving one; who was merged, and by whom, stays.
_COLUMNS_THAT_STAY = frozenset((("person_merge", "gone_id"), ("person_merge", "merged_by")))
Keys = dict[str, Any]


class MergeStore(RowStore[SQLModel]):
    def standing(self, person_id: uuid.UUID, *, has_account: bool, works: bool) -> Standing:
        organised = (
            select(ActivityCampus.campus_id)
            .join(Participation, col(Participation.activity_id) == col(ActivityCampus.activity_id))
            .where(Participation.person_id == person_id, col(ActivityCampus.accepted_at).is_not(None))
        )
        queries = (
            select(Award.campus_id).where(Award.person_id == person_id),
            select(BadgeRequest.campus_id).where(BadgeRequest.person_id == person_id),
            organised,
        )
        meets = frozenset(each for query in queries for each in self.session.exec(query.distinct()))
        numbered = select(ExternalId.campus_id).where(ExternalId.person_id == person_id)
        return Standing(person_id, has_account, works, meets.union(self.session.exec(numbered)), meets)

    def noted_age(self, person_id: uuid.UUID) -> set[uuid.UUID | None]:
        """The campuses that noted an age group; None where no campus did."""
        query = select(HistoryEntry.campus_id).where(
            HistoryEntry.noun == "person",
            HistoryEntry.noun_id == person_id,
            HistoryEntry.action == "age_band",
        )
        return set(self.session.exec(query.distinct()))

    def get(self, merge_id: uuid.UUID) -> PersonMerge:
        merge = self.session.get(PersonMerge, merge_id, populate_existing=True)
        if merge is None:
            raise NotFound("Cette fusion de fiches n’existe pas ici.")
        return merge

    def list_of(self, person_id: uuid.UUID) -> list[PersonMerge]:
        """Records merged into this one and not undone, latest first."""
        query = select(PersonMerge).where(
            PersonMerge.kept_id == person_id, col(PersonMerge.undone_at).is_(None)
        )
        return list(self.session.exec(query.order_by(col(PersonMerge.at).desc(), col(PersonMerge.id))))

    def shared_activities(
        self, kept: uuid.UUID, gone: uuid.UUID
    ) -> list[tuple[Participation, Participation]]:
        """Both participations in activities where both records appear."""
        mine = {
            part.activity_id: part
            for part in self.session.exec(select(Participation).where(Participation.person_id == kept))
        }
        theirs = self.session.exec(
            select(Participation).where(Participation.person_id == gone).order_by(col(Participation.id))
        )
        return [(mine[part.activity_id], part) for part in theirs if part.activity_id in mine]

    def hand_over(self, kept: uuid.UUID, gone: uuid.UUID) -> dict[str, Any]:
        """Moves everything that `kept` can accept from `gone`; returns moved rows by table and column."""
        check_knows_every_table(self.session)
        moved: dict[str, Any] = {"awards": self._hand_over_awards(kept, gone)}
        for table, column in _columns():
            keys = self._move(table, column, kept, gone)
            if keys:
                moved[f"{table.name}.{column.name}"] = keys
        self._end_ways_in(gone)
        self.session.flush()
        return moved

    def _hand_over_awards(self, kept: uuid.UUID, gone: uuid.UUID) -> list[Keys]:
        """The key that prevents a duplicate award contains the person, and so does the batch."""
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
        """All rows at once; one by one where the surviving record already has an equivalent of some."""
        found, here = self._keys(table, column, gone), column == gone
        if found and not self._is_moved(table, column, kept, here):
            found = [
                each for each in found if self._is_moved(table, column, kept, here, *_matching(table, each))
            ]
        if found:
            self.session.expire_all()
        return [{name: str(value) for name, value in each.items()} for each in found]

    def _is_moved(self, table: Table, column: Column[Any], kept: uuid.UUID, *which: Any) -> bool:
        try:
            with self.session.begin_nested():
                self.session.execute(update(table).where(*which).values({column.name: kept}))
        except IntegrityError:
            return False
        return True

    def _keys(self, table: Table, column: Column[Any], person_id: uuid.UUID) -> list[Keys]:
        others = [each for each in table.primary_key.columns if each.name != column.name]
        rows = self.session.execute(select_rows(column, *others).where(column == person_id)).all()
        return [{each.name: row[number + 1] for number, each in enumerate(others)} for row in rows]

    def _end_ways_in(self, gone: uuid.UUID) -> None:
        for kind in _WAYS_IN:
            self.session.exec(delete(kind).where(col(kind.person_id) == gone))

    def hand_back(self, merge: PersonMerge) -> None:
        """Moved rows that still belong to the surviving record return to the other one."""
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
        """Of two main addresses, the one verified first stays main."""
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
    """Every column that refers to a person, of tables that are moved."""
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
    # The type of plain text columns does not name `str`.
    return value if kind is object else kind(value)


class NameStore(RowStore[SQLModel]):
    def find(self, wish_id: uuid.UUID) -> NameWish | None:
        return self.session.get(NameWish, wish_id)

    def lock_in_campus(self, wish_id: uuid.UUID, campus_id: uuid.UUID) -> NameWish:
        query = select(NameWish).where(NameWish.id == wish_id, NameWish.campus_id == campus_id)
        wish = self.session.exec(locked(query)).first()
        if wish is None:
            raise NotFound("Cette demande n’existe pas ici.")
        return wish

    def waiting_in(self, campus_id: uuid.UUID) -> Sequence[tuple[NameWish, Person]]:
        query = (
            select(NameWish, Person)
            .join(Person, col(Person.id) == col(NameWish.person_id))
            .where(NameWish.campus_id == campus_id, col(NameWish.decided_at).is_(None))
            .order_by(col(NameWish.asked_at), col(NameWish.id))
            .limit(200)
        )
        return self.session.exec(query).all()

    def count_waiting(self, campus_id: uuid.UUID, *, limit: int) -> int:
        few = (
            select(NameWish.id)
            .where(NameWish.campus_id == campus_id, col(NameWish.decided_at).is_(None))
            .limit(limit)
        )
        return self.session.exec(select(func.count()).select_from(few.subquery())).one()

    def of_person(self, person_id: uuid.UUID) -> Sequence[NameWish]:
        """The latest first."""
        query = select(NameWish).where(NameWish.person_id == person_id)
        return self.session.exec(query.order_by(col(NameWish.asked_at).desc(), col(NameWish.id))).all()

    def standing_awards(self, person_id: uuid.UUID, campus_id: uuid.UUID | None = None) -> list[Award]:
        """Valid badges of this person; of every campus unless one is given."""
        query = select(Award).where(Award.person_id == person_id, Award.state == AwardState.ISSUED)
        if campus_id is not None:
            query = query.where(Award.campus_id == campus_id)
        return list(self.session.exec(locked(query.order_by(col(Award.campus_id), col(Award.id)))))

    def rename(self, person: Person, given_name: str, family_name: str) -> None:
        """Lists with the former name and lists with the new one both find the person."""
        person.given_name, person.family_name = given_name, family_name
        self.session.add(person)
        self.session.flush()
        key = name_key(given_name, family_name)
        known: dict[str, PersonAddress] = {}
        for row in self.session.exec(select(PersonAddress).where(PersonAddress.person_id == person.id)):
            known.setdefault(row.address, row)
        for address, row in known.items():
            taken = select(PersonAddress.id).where(
                PersonAddress.address == address, PersonAddress.name_key == key
            )
            if self.session.exec(taken).first() is None:
                self.session.add(
                    PersonAddress(
                        person_id=person.id,
                        address=address,
                        name_key=key,
                        verified_at=row.verified_at,
                        is_main=row.is_main,
                    )
                )
        self.session.flush()


_MOST_OF_A_NAME = 4
"""How many numbers of one name are searched in other activities."""


class NamesakeStore(Store):
    def answers(self, activity_id: uuid.UUID, list_digest: str) -> Sequence[ListAnswer]:
        return self.session.exec(
            select(ListAnswer).where(
                ListAnswer.activity_id == activity_id, ListAnswer.list_digest == list_digest
            )
        ).all()

    def keep(self, answers: Iterable[ListAnswer]) -> None:
        for answer in answers:
            self.session.merge(answer)
        self.session.flush()

    def seen_in(
        self, campus_id: uuid.UUID, name_keys: Collection[str]
    ) -> Sequence[tuple[Person, str, VisibleName]]:
        """People who took part in an activity of the campus on a line with such a name and no address.

        With the key of that name, the latest activity first.
        """
        keys = [
            f"|{key}" if number == 1 else f"|{key}#{number}"
            for key in name_keys
            for number in range(1, _MOST_OF_A_NAME + 1)
        ]
        rows = self.session.exec(
            select(Person, Participation, Activity)
            .join(Participation, col(Participation.person_id) == col(Person.id))
            .join(Activity, col(Activity.id) == col(Participation.activity_id))
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(
                organised_by(campus_id),
                text(BY_NAME_ALONE),
                among(self.session, col(Participation.line_key), keys),
                col(Participation.is_present),
            )
            .order_by(col(Activity.starts_on).desc(), col(Participation.id))
        )
        return [
            (
                person,
                part.line_key[1:].partition("#")[0],
                VisibleName(each.title, each.starts_on, homonym_of(part)),
            )
            for person, part, each in rows
        ]

    def addressed(
        self, campus_id: uuid.UUID, name_keys: Collection[str], addresses: Collection[str] = ()
    ) -> Sequence[tuple[Person, str, str, VisibleName | None]]:
        """People of the campus with an address and such a name, or with such an address: person, key, address,
        latest activity first.

        Those who only have an award come last.
        """
        is_meant = among(self.session, col(PersonAddress.name_key), name_keys)
        if addresses:
            is_meant = or_(is_meant, among(self.session, col(PersonAddress.address), addresses))
        awarded = self.session.exec(
            select(Person, PersonAddress)
            .join(PersonAddress, col(PersonAddress.person_id) == col(Person.id))
            .where(is_meant, col(Person.id).in_(select(Award.person_id).where(Award.campus_id == campus_id)))
            .order_by(col(PersonAddress.is_main).desc(), col(PersonAddress.id))
        )
        rows = self.session.exec(
            select(Person, PersonAddress, Participation, Activity)
            .join(PersonAddress, col(PersonAddress.person_id) == col(Person.id))
            .join(Participation, col(Participation.person_id) == col(Person.id))
            .join(Activity, col(Activity.id) == col(Participation.activity_id))
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(organised_by(campus_id), is_meant, col(Participation.is_present))
            .order_by(
                col(Activity.starts_on).desc(),
                col(PersonAddress.is_main).desc(),
                col(PersonAddress.verified_at).desc(),
                col(PersonAddress.id),
            )
        )
        found: list[tuple[Person, str, str, VisibleName | None]] = [
            (person, address.name_key, address.address, VisibleName(each.title, each.starts_on))
            for person, address, _, each in rows
        ]
        return [*found, *((person, one.name_key, one.address, None) for person, one in awarded)]

    def seen_elsewhere(
        self, campus_id: uuid.UUID, person_ids: Collection[uuid.UUID], *, but: uuid.UUID
    ) -> dict[uuid.UUID, VisibleName]:
        """The latest activity of the campus in which each took part, other than `but`."""
        rows = self.session.exec(
            select(Participation, Activity)
            .join(Activity, col(Activity.id) == col(Participation.activity_id))
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(
                organised_by(campus_id),
                among(self.session, col(Participation.person_id), person_ids),
                col(Participation.is_present),
                Participation.activity_id != but,
            )
            .order_by(col(Activity.starts_on), col(Participation.id))
        )
        return {part.person_id: VisibleName(each.title, each.starts_on) for part, each in rows}
