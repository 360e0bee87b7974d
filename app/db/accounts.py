"""Sign-in links, passwords, open challenges, and saved forms."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from math import floor
from typing import Any

from limits.storage import Storage
from limits.storage.base import SlidingWindowCounterSupport
from sqlalchemy import Connection, Engine, delete, text, tuple_
from sqlalchemy import select as sa_select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlmodel import Session as DatabaseSession
from sqlmodel import col, select, update

from app.db.campus.people import addresses_by_campus, forget_in_batches
from app.db.engine.queries import RowStore, locked
from app.db.engine.row_level_security import TenantScope, rows_named, rows_named_outside
from app.db.engine.writes import among
from app.db.people import MergeStore, PeopleStore
from app.domain.accounts.permissions import NetworkAdministrator, Operator
from app.domain.accounts.rate_limits import RateCount
from app.domain.accounts.sessions import FormDraft, Session, SessionKind, SetAside, digest_of
from app.domain.accounts.sign_in import (
    Challenge,
    FederatedAccount,
    Passkey,
    Password,
    SignInLink,
    SignInRequest,
)
from app.domain.awards import Award
from app.domain.campus.lti import LtiAccount, LtiLaunch
from app.domain.campus.team import Invitation
from app.domain.core import Clock
from app.domain.people import Membership, Person, PersonAddress, PersonMerge, name_key


class SignInStore(RowStore[Challenge | Password | SetAside | SignInLink]):
    def find_link(self, secret: str, *, to_use: bool = False) -> SignInLink | None:
        """With `to_use`, locked until the transaction ends: concurrent requests cannot use it twice."""
        query = select(SignInLink).where(SignInLink.secret_digest == digest_of(secret))
        return self.session.exec(locked(query) if to_use else query).first()

    def people_asked_in(self, browser_digest: str, at: datetime) -> Sequence[uuid.UUID]:
        """Those whom the still valid links that this browser asked for let in; not locked."""
        query = select(SignInLink.person_id).where(
            SignInLink.browser_digest == browser_digest, col(SignInLink.expires_at) > at
        )
        return self.session.exec(query).all()

    def links_asked_in(self, browser_digest: str, at: datetime) -> Sequence[SignInLink]:
        """The still valid links that this browser asked for, locked."""
        query = select(SignInLink).where(
            SignInLink.browser_digest == browser_digest,
            col(SignInLink.used_at).is_(None),
            col(SignInLink.expires_at) > at,
        )
        return self.session.exec(locked(query)).all()

    def find_password(self, person_id: uuid.UUID, *, to_use: bool = False) -> Password | None:
        """With `to_use`, locked until the transaction ends: who replaces it ends the session that it opens."""
        return self.find_locked(Password, person_id) if to_use else self.session.get(Password, person_id)

    def drop_password(self, person_id: uuid.UUID) -> None:
        self.session.exec(delete(Password).where(col(Password.person_id) == person_id))

    def find_challenge(self, secret: str) -> Challenge | None:
        return self.session.exec(
            select(Challenge).where(Challenge.secret_digest == digest_of(secret))
        ).first()

    def challenge(self, challenge_id: uuid.UUID) -> Challenge | None:
        return self.session.get(Challenge, challenge_id)

    def take_challenge(self, secret: str) -> Challenge | None:
        """Deletes and returns the challenge: of two concurrent answers, only one finds it."""
        query = select(Challenge).where(Challenge.secret_digest == digest_of(secret))
        challenge = self.session.exec(locked(query)).first()
        if challenge is not None:
            self.session.delete(challenge)
            self.session.flush()
        return challenge

    def challenges_of(
        self, person_id: uuid.UUID, asked: SignInRequest, *, at: datetime
    ) -> Sequence[Challenge]:
        """Open challenges, oldest first."""
        query = select(Challenge).where(
            Challenge.person_id == person_id, Challenge.asked == asked, col(Challenge.expires_at) > at
        )
        return self.session.exec(query.order_by(col(Challenge.expires_at), col(Challenge.id))).all()

    def drop_sign_in_of(self, person_id: uuid.UUID) -> None:
        """Deletes sign-in links of the person, sent or still to be written."""
        self.session.exec(delete(SignInLink).where(col(SignInLink.person_id) == person_id))
        self.session.exec(
            delete(Challenge).where(
                col(Challenge.person_id) == person_id, col(Challenge.asked) == SignInRequest.LINK
            )
        )

    def drop_links_of(self, person_id: uuid.UUID) -> None:
        """Deletes sign-in links and open challenges of the person."""
        self.session.exec(delete(SignInLink).where(col(SignInLink.person_id) == person_id))
        self.session.exec(delete(Challenge).where(col(Challenge.person_id) == person_id))

    def find_form(self, token: str) -> SetAside | None:
        query = select(SetAside).where(SetAside.secret_digest == digest_of(token))
        return self.session.exec(query).first()

    def drop_form(self, token: str) -> None:
        self.session.exec(delete(SetAside).where(col(SetAside.secret_digest) == digest_of(token)))

    def make_room_for_form(self, person_id: uuid.UUID, *, but: int) -> None:
        """Deletes all but the person's newest forms."""
        newest = select(SetAside.id).where(SetAside.person_id == person_id)
        older = self.session.exec(newest.order_by(col(SetAside.expires_at).desc()).offset(but)).all()
        self.session.exec(delete(SetAside).where(col(SetAside.id).in_(older)))

    def sweep(self, at: datetime) -> None:
        """Delete expired rows."""
        self.session.exec(delete(SignInLink).where(col(SignInLink.expires_at) <= at))
        self.session.exec(delete(Challenge).where(col(Challenge.expires_at) <= at))
        self.session.exec(delete(SetAside).where(col(SetAside.expires_at) <= at))


class DraftStore(RowStore[FormDraft]):
    def find(self, draft_id: uuid.UUID) -> FormDraft | None:
        return self.session.get(FormDraft, draft_id)

    def make_room(self, campus_id: uuid.UUID, person_id: uuid.UUID, *, but: int) -> None:
        """Deletes older drafts of the person in the campus by their ids: another process may save one meanwhile."""
        own = (FormDraft.campus_id == campus_id, FormDraft.person_id == person_id)
        newest = (
            select(FormDraft.id).where(*own).order_by(col(FormDraft.expires_at).desc(), col(FormDraft.id))
        )
        older = self.session.exec(newest.offset(but)).all()
        self.session.exec(delete(FormDraft).where(col(FormDraft.id).in_(older)))

    def sweep(self, at: datetime) -> int:
        """Deletes expired drafts; returns how many."""
        return self.session.exec(delete(FormDraft).where(col(FormDraft.expires_at) <= at)).rowcount


class FederationStore(RowStore[FederatedAccount]):
    def link(self, account: FederatedAccount) -> bool:
        """False if the account, or its person, was linked concurrently."""
        try:
            with self.session.begin_nested():
                self.session.add(account)
                self.session.flush()
        except IntegrityError:
            return False
        return True

    def holder_of(self, issuer: str, subject: str) -> uuid.UUID | None:
        """Nothing is locked."""
        query = select(FederatedAccount.person_id).where(
            FederatedAccount.issuer == issuer, FederatedAccount.subject == subject
        )
        return self.session.exec(query).first()

    def find(self, issuer: str, subject: str) -> FederatedAccount | None:
        """Locked until the transaction ends: who unlinks it ends the session that it opens."""
        query = select(FederatedAccount).where(
            FederatedAccount.issuer == issuer, FederatedAccount.subject == subject
        )
        return self.session.exec(locked(query)).first()

    def list_of(self, person_id: uuid.UUID) -> Sequence[FederatedAccount]:
        query = select(FederatedAccount).where(FederatedAccount.person_id == person_id)
        return self.session.exec(query.order_by(FederatedAccount.issuer)).all()

    def invitation_to(self, address: str, *, at: datetime) -> Invitation | None:
        """The newest unanswered one, of any campus."""
        query = select(Invitation).where(
            Invitation.address == address,
            col(Invitation.accepted_at).is_(None),
            col(Invitation.withdrawn_at).is_(None),
            col(Invitation.expires_at) > at,
        )
        return self.session.exec(
            query.order_by(col(Invitation.created_at).desc(), col(Invitation.id))
        ).first()


_OF_ACCOUNTS = (Password, Passkey, FederatedAccount, Membership, Operator, NetworkAdministrator)


class OwnAddressStore:
    def __init__(self, session: DatabaseSession, people: PeopleStore) -> None:
        self.session = session
        self.people = people
        self.tenant_scope = TenantScope(session)

    def list_of(self, person_id: uuid.UUID) -> list[PersonAddress]:
        """One row per address, the main one first; a person known under two names has two rows of each."""
        rows = self.session.exec(
            select(PersonAddress)
            .where(PersonAddress.person_id == person_id)
            .order_by(
                col(PersonAddress.is_main).desc(),
                col(PersonAddress.verified_at).is_(None),
                col(PersonAddress.verified_at),
                col(PersonAddress.address),
            )
        )
        found: dict[str, PersonAddress] = {}
        for row in rows:
            found.setdefault(row.address, row)
        return list(found.values())

    def has_account(self, person_id: uuid.UUID) -> bool:
        """Whether the person verified an address: from then on only they can add others."""
        query = select(PersonAddress.id).where(
            PersonAddress.person_id == person_id, col(PersonAddress.verified_at).is_not(None)
        )
        return self.session.exec(query.limit(1)).first() is not None

    def is_plain(self, person_id: uuid.UUID) -> bool:
        """False for anyone who ever worked for a campus, or serves a network or the service: no claiming from lists."""
        worked = select(Membership.id).where(Membership.person_id == person_id).limit(1)
        with self.tenant_scope.across_campuses():
            has_worked = self.session.exec(worked).first() is not None
        return not has_worked and not self._serves(person_id)

    def _serves(self, person_id: uuid.UUID) -> bool:
        """Whether the person operates the service or administers a network."""
        query = select(NetworkAdministrator.person_id).where(NetworkAdministrator.person_id == person_id)
        return (
            self.session.get(Operator, person_id) is not None
            or self.session.exec(query.limit(1)).first() is not None
        )

    def same_person(
        self, person_id: uuid.UUID, addresses: Sequence[PersonAddress] | None = None
    ) -> set[uuid.UUID]:
        """All records of that person: merged with theirs, or opened from an address verified by both.

        `addresses`: those of `list_of`, where the caller has them.
        """
        merged = select(PersonMerge.gone_id).where(
            PersonMerge.kept_id == person_id, col(PersonMerge.undone_at).is_(None)
        )
        found = {person_id, *self.session.exec(merged)}
        person = self.people.get(person_id)
        for row in self.list_of(person_id) if addresses is None else addresses:
            mine = row.verified_at is not None
            for other, proved in self.people_at(row.address):
                is_same = (mine and self._may_enter(other, proved)) or (
                    proved and self._may_enter(person, mine)
                )
                if other.id not in found and is_same:
                    found.add(other.id)
        return found

    def with_account_or_role(self, person_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
        """People with an account, or who ever had a role at a campus: only they can access their badges."""
        if not person_ids:
            return set()
        accounts = (
            select(col(kind.person_id)).where(among(self.session, col(kind.person_id), person_ids))
            for kind in (PersonAddress, *_OF_ACCOUNTS)
        )
        proved = next(accounts).where(col(PersonAddress.verified_at).is_not(None))
        with self.tenant_scope.across_campuses():
            return set(self.session.scalars(proved.union(*accounts)))

    def is_proved_by(self, person_id: uuid.UUID, address: str) -> bool:
        return any(row.verified_at is not None for row in self.rows_of(person_id, address))

    def works(self, person_id: uuid.UUID, *, at: datetime) -> bool:
        query = select(Membership.id).where(
            Membership.person_id == person_id,
            col(Membership.since) <= at,
            (col(Membership.until).is_(None)) | (col(Membership.until) > at),
        )
        return self.session.exec(query.limit(1)).first() is not None or self._serves(person_id)

    def people_at(self, address: str) -> list[tuple[Person, bool]]:
        """Everyone known at that address, with whether they verified it."""
        rows = self.session.exec(
            select(Person, PersonAddress)
            .join(PersonAddress, col(PersonAddress.person_id) == col(Person.id))
            .where(PersonAddress.address == address)
            .order_by(col(Person.created_at), col(Person.id))
        )
        people, proved = dict[uuid.UUID, Person](), dict[uuid.UUID, bool]()
        for person, row in rows:
            people[person.id] = person
            proved[person.id] = proved.get(person.id, False) or row.verified_at is not None
        return [(person, proved[person.id]) for person in people.values()]

    def may_enter(self, person: Person, address: str) -> bool:
        """Whether an e-mail to `address` may open the account of `person`.

        An address listed by a trainer is a first sign-in method only for a person who has none.
        """
        proved = next((proved for one, proved in self.people_at(address) if one.id == person.id), None)
        return proved is not None and self._opens(person, address, proved)

    def _opens(self, person: Person, address: str, proved: bool) -> bool:
        return proved or (self._may_enter(person, proved) and self._is_agreed_on(person, address))

    def _is_agreed_on(self, person: Person, address: str) -> bool:
        """Whether every campus that gave one of the addresses gave this one: no campus opens badges of another."""
        if len({row.address for row in self.list_of(person.id)}) < 2:
            return True
        with self.tenant_scope.across_campuses():
            campuses = addresses_by_campus(self.session, person.id)
        return len(campuses) < 2 or all(address in given for given in campuses.values())

    def may_name_first(self, person: Person) -> bool:
        """Whether a private link lets its holder name the person's first address.

        Only what one campus knows: the staff who hand over its links would otherwise open badges of another.
        """
        if self.has_account(person.id) or not self.is_plain(person.id):
            return False
        with self.tenant_scope.across_campuses():
            standing = MergeStore(self.session).standing(person.id, has_account=False, works=False)
            awarding = select(Award.campus_id).where(Award.person_id == person.id).distinct()
            # Without an address of their own, no campus can open the badges of a joint activity for them.
            known_by = standing.meets if self.list_of(person.id) else set(self.session.exec(awarding))
        return len(known_by) <= 1

    def entered_from(self, address: str, *, at: datetime) -> list[Person]:
        """People with visible content and an account that an e-mail to that address opens."""
        return [
            person
            for person, proved in self.people_at(address)
            if self._opens(person, address, proved)
            and (self.works(person.id, at=at) or self.holds(person.id))
        ]

    def _may_enter(self, person: Person, proved: bool) -> bool:
        return proved or (not self.has_account(person.id) and self.is_plain(person.id))

    def holds(self, person_id: uuid.UUID, *, claimed: bool = False) -> bool:
        """Whether the person has a badge of any campus; with `claimed`, one that was claimed."""
        query = select(Award.id).where(Award.person_id == person_id)
        if claimed:
            query = query.where(col(Award.claimed_at).is_not(None))
        with rows_named_outside(self.session):
            return self.session.exec(query.limit(1)).first() is not None

    def rows_of(self, person_id: uuid.UUID, address: str) -> Sequence[PersonAddress]:
        query = select(PersonAddress).where(
            PersonAddress.person_id == person_id, PersonAddress.address == address
        )
        return self.session.exec(query).all()

    def verify(self, person: Person, address: str, *, at: datetime) -> bool:
        """Marks the address as verified, and as main if it is the first; returns whether that is new."""
        rows, first = self.rows_of(person.id, address), not self.has_account(person.id)
        is_new = all(row.verified_at is None for row in rows)
        for row in rows:
            row.verified_at = row.verified_at or at
            row.is_main = row.is_main or first
            self.session.add(row)
        self.session.flush()
        return is_new

    def make_main(self, person_id: uuid.UUID, address: str) -> bool:
        """Returns whether anything changed."""
        rows = self.session.exec(select(PersonAddress).where(PersonAddress.person_id == person_id)).all()
        changed = any(row.is_main != (row.address == address) for row in rows)
        for row in rows:
            row.is_main = row.address == address
            self.session.add(row)
        self.session.flush()
        return changed

    def remove(self, person_id: uuid.UUID, address: str) -> None:
        """If it was the main address, the oldest other verified one becomes main."""
        was_main = any(row.is_main for row in self.rows_of(person_id, address))
        for row in self.rows_of(person_id, address):
            self.session.delete(row)
        self.session.flush()
        with self.tenant_scope.across_campuses():
            forget_in_batches(self.session, person_id, address)
        left = [row for row in self.list_of(person_id) if row.verified_at is not None]
        if was_main and left:
            self.make_main(person_id, left[0].address)

    def owner_of(self, person: Person, address: str, *, at: datetime) -> Person:
        """The verified owner of `address`, under the name of `person`.

        If a list had linked that address and name to a person who verified other addresses, or who works for
        a campus, it is removed from them: a trainer's entry must never give access to another person's
        account.
        """
        key = name_key(person.given_name, person.family_name)
        known = self.people.find_named_at(address, key)
        if known is None or self.may_enter(known, address):
            owner = known or self.people.get_or_add(person, address)
        else:
            self.people.save(person)
            for row in self.rows_of(known.id, address):
                if row.name_key == key:
                    row.person_id, row.is_main = person.id, False
                    self.session.add(row)
            owner = person
        self.verify(owner, address, at=at)
        return owner


class PasskeyStore(RowStore[Passkey]):
    def has_any(self, person_id: uuid.UUID) -> bool:
        query = select(Passkey.id).where(Passkey.person_id == person_id)
        return self.session.exec(query.limit(1)).first() is not None

    def list_of(self, person_id: uuid.UUID) -> Sequence[Passkey]:
        query = select(Passkey).where(Passkey.person_id == person_id)
        return self.session.exec(query.order_by(col(Passkey.created_at), col(Passkey.id))).all()

    def holder_of(self, credential_id: str) -> uuid.UUID | None:
        """Nothing is locked."""
        return self.session.exec(
            select(Passkey.person_id).where(Passkey.credential_id == credential_id)
        ).first()

    def find(self, credential_id: str) -> Passkey | None:
        """Locked until the transaction ends: concurrent answers increment its counter one at a time."""
        query = select(Passkey).where(Passkey.credential_id == credential_id)
        return self.session.exec(locked(query)).first()

    def remove_all_of(self, person_id: uuid.UUID) -> int:
        return self.session.exec(delete(Passkey).where(col(Passkey.person_id) == person_id)).rowcount


_TABLE: Any = RateCount.__table__  # type: ignore[attr-defined]


class DatabaseCounts(Storage, SlidingWindowCounterSupport):
    """A storage for `limits`: the last two windows per key, weighted for a sliding window counter."""

    STORAGE_SCHEME = ("sceau-database",)  # type: ignore[assignment]

    def __init__(self, engine: Engine, clock: Clock) -> None:
        super().__init__(wrap_exceptions=True)
        self.engine = engine
        self.clock = clock

    @property
    def base_exceptions(self) -> type[Exception]:
        return SQLAlchemyError

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        with self.engine.begin() as connection:
            self._lock(connection, key)
            before, before_ends, now, _ = self._windows(connection, key, expiry)
            if floor(before * before_ends / expiry) + now + amount > limit:
                return False
            self._add(connection, key, expiry, amount)
            return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        with self.engine.execution_options(reading=True).connect() as connection:
            return self._windows(connection, key, expiry)

    def clear_sliding_window(self, key: str, expiry: int) -> None:  # noqa: ARG002
        self.clear(key)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        with self.engine.begin() as connection:
            self._lock(connection, key)
            self._add(connection, key, expiry, amount)
            return self._windows(connection, key, expiry)[2]

    def get(self, key: str) -> int:
        with self.engine.connect() as connection:
            counts = connection.execute(sa_select(_TABLE.c.count).where(_TABLE.c.key == key)).scalars()
            return sum(counts)

    def get_expiry(self, key: str) -> float:
        with self.engine.connect() as connection:
            ends = (
                connection.execute(sa_select(_TABLE.c.expires_at).where(_TABLE.c.key == key)).scalars().all()
            )
        return max((end.timestamp() for end in ends), default=self.clock().timestamp())

    def check(self) -> bool:
        with self.engine.connect() as connection:
            return bool(connection.execute(text("SELECT 1")).scalar_one())

    def reset(self) -> int | None:
        with self.engine.begin() as connection:
            return connection.execute(delete(_TABLE)).rowcount

    def clear(self, key: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(delete(_TABLE).where(_TABLE.c.key == key))

    def _lock(self, connection: Connection, key: str) -> None:
        # SQLite has one writer; on PostgreSQL two workers must not both take the last slot.
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": key})

    def _windows(self, connection: Connection, key: str, expiry: int) -> tuple[int, float, int, float]:
        at = self.clock().timestamp()
        window, into = divmod(at, expiry)
        rows = connection.execute(
            sa_select(_TABLE.c.window, _TABLE.c.count).where(
                _TABLE.c.key == key, _TABLE.c.window.in_([int(window) - 1, int(window)])
            )
        )
        counts: dict[int, int] = {each.window: int(each[1]) for each in rows}
        left = expiry - into
        return counts.get(int(window) - 1, 0), left, counts.get(int(window), 0), left + expiry

    def _add(self, connection: Connection, key: str, expiry: int, amount: int) -> None:
        at = self.clock()
        connection.execute(delete(_TABLE).where(_TABLE.c.expires_at <= at))
        insert: Callable[..., Any] = (
            postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        )
        kept = insert(_TABLE).values(
            key=key,
            window=int(at.timestamp() // expiry),
            count=amount,
            expires_at=at + timedelta(seconds=2 * expiry),
        )
        connection.execute(
            kept.on_conflict_do_update(
                index_elements=["key", "window"], set_={"count": _TABLE.c.count + kept.excluded.count}
            )
        )


class SessionStore(RowStore[Session]):
    def find(self, secret: str, kind: SessionKind) -> Session | None:
        """The session of that secret, if it is of that kind."""
        query = select(Session).where(Session.secret_digest == digest_of(secret), Session.kind == kind)
        return self.session.exec(query).first()

    def list_living(self, person_id: uuid.UUID, *, idle: timedelta, at: datetime) -> Sequence[Session]:
        """The person's active sessions, including those opened by a private link; last used first."""
        query = select(Session).where(
            Session.person_id == person_id,
            col(Session.expires_at) > at,
            (col(Session.kind) == SessionKind.AWARD_LINK) | (col(Session.seen_at) > at - idle),
        )
        return self.session.exec(query.order_by(col(Session.seen_at).desc(), col(Session.id))).all()

    def see(self, session_id: uuid.UUID, *, at: datetime) -> None:
        """With concurrent requests, the later datetime wins."""
        seen = update(Session).where(col(Session.id) == session_id, col(Session.seen_at) < at)
        self.session.exec(seen.values(seen_at=at))

    def end(self, session_id: uuid.UUID) -> None:
        self.session.exec(delete(Session).where(col(Session.id) == session_id))

    def end_all_of(self, person_id: uuid.UUID, *, but: uuid.UUID | None = None) -> int:
        """How many sessions of that person ended, whatever opened them; their launches from courses end too."""
        theirs = select(LtiAccount.platform_id, LtiAccount.subject).where(LtiAccount.person_id == person_id)
        launch = tuple_(col(LtiLaunch.platform_id), col(LtiLaunch.subject))
        with rows_named(self.session):
            self.session.exec(delete(LtiLaunch).where(launch.in_(theirs)))
        ended = delete(Session).where(col(Session.person_id) == person_id)
        if but is not None:
            ended = ended.where(col(Session.id) != but)
        return self.session.exec(ended).rowcount

    def end_links_of(self, person_id: uuid.UUID) -> None:
        """Ends sessions opened by private links of that person's badges."""
        self.session.exec(
            delete(Session).where(
                col(Session.person_id) == person_id, col(Session.kind) == SessionKind.AWARD_LINK
            )
        )

    def end_learners_of(self, award_id: uuid.UUID) -> None:
        """Ends sessions that a private link opened before it was renewed."""
        self.session.exec(delete(Session).where(col(Session.award_id) == award_id))

    def sweep(self, at: datetime) -> None:
        """Delete expired rows."""
        self.session.exec(delete(Session).where(col(Session.expires_at) <= at).execution_options(swept=True))
