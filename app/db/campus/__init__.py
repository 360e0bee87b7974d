"""Campuses, networks, labels and signing keys."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_
from sqlalchemy.orm import defer
from sqlmodel import Session as DatabaseSession
from sqlmodel import SQLModel, col, func, select

from app.db.activities import organised_by
from app.db.awards import AwardStore
from app.db.badges import BadgeStore
from app.db.engine.queries import RowStore, locked
from app.db.engine.row_level_security import rows_named
from app.db.engine.writes import insert_values
from app.domain.accounts.sessions import ApiToken, Session
from app.domain.accounts.sign_in import Passkey
from app.domain.activities import Activity, ActivityCampus, Participation
from app.domain.awards.batches import AwardBatch
from app.domain.campus.audit_log import DONE_TO_CAMPUSES, OF_THE_SERVICE, PERSONAL, Actor, HistoryEntry
from app.domain.campus.campus import (
    Campus,
    CampusPicture,
    KeyPurpose,
    KeyState,
    Label,
    Network,
    NetworkMember,
    SealedKey,
    is_slug,
)
from app.domain.campus.lti import LtiKey
from app.domain.campus.sender import CampusSender
from app.domain.campus.team import Invitation
from app.domain.frameworks import Competency, Framework
from app.domain.frameworks.pathways import Pathway
from app.domain.imports.calendars import CalendarSubscription
from app.domain.learners.requests import BadgeRequest
from app.domain.people import Membership, Person, Role
from app.domain.trust import FollowedList, NetworkKey, Recognition
from app.domain.trust.organisations import OrganisationKey
from app.errors import NotFound, Unavailable


class CampusStore(RowStore[SQLModel]):
    def get(self, slug: str) -> Campus:
        campus = self.find(slug)
        if campus is None:
            raise NotFound("Ce campus n’existe pas ici.")
        return campus

    def get_by_id(self, campus_id: uuid.UUID) -> Campus:
        if (campus := self.session.get(Campus, campus_id)) is None:
            raise NotFound("Ce campus n’existe pas ici.")
        return campus

    def find(self, slug: str) -> Campus | None:
        if not is_slug(slug):
            # An identifier in a URL may contain characters that PostgreSQL refuses to compare.
            return None
        return self.session.exec(select(Campus).where(Campus.slug == slug)).first()

    def find_by_did(self, did: str) -> Campus | None:
        return self.session.exec(select(Campus).where(Campus.did == did)).first()

    def lock(self, campus_id: uuid.UUID) -> Campus:
        """Lock the campus until the transaction ends: its awards are decided one request after the other.

        Who only writes a row that names the campus does not wait: they may hold what the holder of the lock asks for.
        """
        query = select(Campus).where(Campus.id == campus_id)
        return self.session.exec(locked(query, key_share=True)).one()

    def lock_all(self, campus_ids: Iterable[uuid.UUID]) -> None:
        """Always in the same order."""
        for campus_id in sorted(campus_ids):
            self.lock(campus_id)

    def list_all(self) -> Sequence[Campus]:
        return self.session.exec(select(Campus).order_by(col(Campus.short_name))).all()

    def pictures_of(self, campus_id: uuid.UUID) -> Sequence[CampusPicture]:
        """Without their content."""
        query = select(CampusPicture).where(CampusPicture.campus_id == campus_id)
        query = query.order_by(col(CampusPicture.added_at), col(CampusPicture.id))
        return self.session.exec(query.options(defer(CampusPicture.content))).all()  # type: ignore[arg-type]

    def picture(self, campus_id: uuid.UUID, picture_id: uuid.UUID) -> CampusPicture:
        picture = self.session.get(CampusPicture, picture_id)
        if picture is None or picture.campus_id != campus_id:
            raise NotFound("Cette image n’existe pas.")
        return picture

    def sender(self, campus_id: uuid.UUID) -> CampusSender | None:
        return self.session.get(CampusSender, campus_id)

    def sender_address(self, campus_id: uuid.UUID | None) -> str:
        """The address that the campus's e-mails leave from; empty for the service's."""
        sender = self.sender(campus_id) if campus_id else None
        return sender.address if sender and sender.in_use_since else ""

    def senders(self) -> Sequence[tuple[CampusSender, Campus]]:
        query = select(CampusSender, Campus).join(Campus, col(Campus.id) == col(CampusSender.campus_id))
        return self.session.exec(query.order_by(col(Campus.short_name))).all()

    def save_sender(self, sender: CampusSender) -> None:
        """Replaces the campus's former one."""
        self.session.merge(sender)
        self.session.flush()

    def remove_sender(self, campus_id: uuid.UUID) -> bool:
        """Returns whether there was one."""
        sender = self.session.get(CampusSender, campus_id)
        if sender is not None:
            self.session.delete(sender)
            self.session.flush()
        return sender is not None

    def networks_of(self, campus_id: uuid.UUID) -> Sequence[Network]:
        return self.session.exec(
            select(Network)
            .join(NetworkMember, col(NetworkMember.network_id) == col(Network.id))
            .where(NetworkMember.campus_id == campus_id)
            .order_by(col(Network.name))
        ).all()

    def labels_of(self, issuer: str) -> list[tuple[Label, Network]]:
        """The labels of this issuer identifier, here or elsewhere; the earliest first."""
        rows = self.session.exec(
            select(Label, Network)
            .join(Network, col(Network.id) == col(Label.network_id))
            .where(Label.issuer == issuer)
            .order_by(col(Label.starts_on))
        )
        return [(label, network) for label, network in rows]

    def keys_of(self, campus_id: uuid.UUID) -> Sequence[SealedKey]:
        query = select(SealedKey).where(SealedKey.campus_id == campus_id)
        with rows_named(self.session):
            return self.session.exec(
                query.order_by(col(SealedKey.created_at), col(SealedKey.method_id))
            ).all()

    def all_keys(self) -> list[tuple[SealedKey, Campus]]:
        rows = self.session.exec(
            select(SealedKey, Campus)
            .join(Campus, col(Campus.id) == col(SealedKey.campus_id))
            .order_by(col(Campus.slug), col(SealedKey.created_at))
        )
        return [(key, campus) for key, campus in rows]

    def active_key(self, campus_id: uuid.UUID) -> SealedKey:
        key = self.find_active_key(campus_id, KeyPurpose.CREDENTIAL)
        if key is None:
            raise Unavailable("Ce campus n’a pas de clé de signature active. Rien n’a été signé.")
        return key

    def sealed_under(self) -> set[str]:
        """The key-encryption keys of all active signing keys, and of followed calendars' addresses."""
        others = [select(LtiKey.kek_id), select(CalendarSubscription.kek_id)]
        for kind in (NetworkKey, OrganisationKey):
            others += [select(kind.kek_id).where(col(kind.retired_at).is_(None))]
        active = select(SealedKey.kek_id).where(SealedKey.state == KeyState.ACTIVE)
        return set(self.session.scalars(active.union(*others)))

    def active_keys(self) -> list[tuple[SealedKey, Campus]]:
        return [(key, campus) for key, campus in self.all_keys() if key.state is KeyState.ACTIVE]

    def find_active_key(self, campus_id: uuid.UUID, purpose: KeyPurpose) -> SealedKey | None:
        with rows_named(self.session, campus_id):
            return self.session.exec(
                select(SealedKey).where(
                    SealedKey.campus_id == campus_id,
                    SealedKey.purpose == purpose,
                    SealedKey.state == KeyState.ACTIVE,
                    SealedKey.algorithm == purpose.algorithm.value,
                )
            ).first()


class TeamStore(RowStore[Invitation | Membership]):
    def members(self, campus_id: uuid.UUID, *, at: datetime) -> list[tuple[Membership, Person]]:
        """Every current role there, by the person's name."""
        rows = self.session.exec(
            select(Membership, Person)
            .join(Person, col(Person.id) == col(Membership.person_id))
            .where(
                Membership.campus_id == campus_id,
                col(Membership.since) <= at,
                (col(Membership.until).is_(None)) | (col(Membership.until) > at),
            )
            .order_by(col(Person.listed_as), col(Person.id))
        )
        return [(membership, person) for membership, person in rows]

    def ever(self, campus_id: uuid.UUID) -> Sequence[Person]:
        """Everyone who has or had a role there, by name."""
        had = select(Membership.person_id).where(Membership.campus_id == campus_id)
        query = select(Person).where(col(Person.id).in_(had))
        return self.session.exec(query.order_by(col(Person.listed_as), col(Person.id))).all()

    def memberships(self, campus_id: uuid.UUID, person_id: uuid.UUID) -> Sequence[Membership]:
        """All roles that one person has or had there."""
        return self.session.exec(
            select(Membership).where(Membership.campus_id == campus_id, Membership.person_id == person_id)
        ).all()

    def administrators(self, campus_id: uuid.UUID, *, at: datetime) -> set[uuid.UUID]:
        return {
            person.id
            for membership, person in self.members(campus_id, at=at)
            if membership.role is Role.CAMPUS_ADMIN
        }

    def works_anywhere(self, person_id: uuid.UUID, *, at: datetime) -> bool:
        query = select(Membership.id).where(
            Membership.person_id == person_id,
            col(Membership.since) <= at,
            (col(Membership.until).is_(None)) | (col(Membership.until) > at),
        )
        return self.session.exec(query.limit(1)).first() is not None

    def last_seen(self, people: Sequence[uuid.UUID]) -> dict[uuid.UUID, datetime]:
        """The last sign-in or activity of each; ended sessions are deleted, sign-in dates are not."""
        seen: dict[uuid.UUID, datetime] = {}
        living = (
            select(Session.person_id, func.max(Session.seen_at))
            .where(col(Session.person_id).in_(people), col(Session.award_id).is_(None))
            .group_by(col(Session.person_id))
        )
        begun = (
            select(HistoryEntry.actor_id, func.max(HistoryEntry.at))
            .where(col(HistoryEntry.actor_id).in_(people), HistoryEntry.noun == "session")
            .group_by(col(HistoryEntry.actor_id))
        )
        for query in (living, begun):
            for person_id, moment in self.session.exec(query):
                if person_id is not None:
                    seen[person_id] = max(moment, seen.get(person_id, moment))
        return seen

    def with_passkey(self, people: Sequence[uuid.UUID]) -> set[uuid.UUID]:
        return set(self.session.exec(select(Passkey.person_id).where(col(Passkey.person_id).in_(people))))

    # --- invitations

    def find_invitation(self, invitation_id: uuid.UUID) -> Invitation | None:
        return self.session.get(Invitation, invitation_id)

    def lock_invitation(self, invitation_id: uuid.UUID) -> Invitation | None:
        """Locked until the transaction ends: an invitation is answered once."""
        return self.find_locked(Invitation, invitation_id, key_share=True)

    def unanswered(self, campus_id: uuid.UUID) -> Sequence[Invitation]:
        """Pending and expired ones, the newest first."""
        return self.session.exec(
            select(Invitation)
            .where(
                Invitation.campus_id == campus_id,
                col(Invitation.accepted_at).is_(None),
                col(Invitation.withdrawn_at).is_(None),
            )
            .order_by(col(Invitation.created_at).desc(), col(Invitation.id))
        ).all()


@dataclass(frozen=True)
class Filter:
    """Search criteria; `until` is exclusive."""

    nouns: Sequence[str] = ()
    actor_id: uuid.UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, eq=False)
class HistoryStore:
    session: DatabaseSession

    def write(
        self,
        actor: Actor,
        action: str,
        noun: str,
        noun_id: uuid.UUID,
        *,
        at: datetime,
        campus_id: uuid.UUID | None = None,
        **facts: Any,
    ) -> None:
        self.write_all(actor, action, noun, [noun_id], at=at, campus_id=campus_id, **facts)

    def write_all(
        self,
        actor: Actor,
        action: str,
        noun: str,
        noun_ids: Sequence[uuid.UUID],
        *,
        at: datetime,
        campus_id: uuid.UUID | None = None,
        **facts: Any,
    ) -> None:
        """One entry for each of many objects of the same change."""
        entry = {
            "campus_id": campus_id,
            "at": at,
            "actor_id": actor.person_id,
            "actor_label": actor.label,
            "action": action,
            "noun": noun,
            "facts": facts,
        }
        insert_values(self.session, HistoryEntry, [{**entry, "noun_id": noun_id} for noun_id in noun_ids])

    def page(
        self,
        campus_id: uuid.UUID,
        wanted: Filter,
        *,
        team: Sequence[uuid.UUID],
        before: int | None,
        limit: int,
    ) -> list[tuple[HistoryEntry, Person | None]]:
        """The newest first, one more than `limit` if there are older ones; with `team`'s own sign-in changes."""
        own = (col(HistoryEntry.actor_id).in_(team)) | (
            (col(HistoryEntry.noun) == "password") & col(HistoryEntry.noun_id).in_(team)
        )
        personal = [
            col(HistoryEntry.campus_id).is_(None),
            col(HistoryEntry.noun).in_(set(PERSONAL) & set(wanted.nouns or PERSONAL)),
            own,
        ]
        found: list[tuple[HistoryEntry, Person | None]] = []
        for place in ([HistoryEntry.campus_id == campus_id], personal):
            query = (
                select(HistoryEntry, Person)
                .join(Person, col(Person.id) == col(HistoryEntry.actor_id), isouter=True)
                .where(*place, *self._conditions(wanted, before))
                .order_by(col(HistoryEntry.at).desc(), col(HistoryEntry.id).desc())
                .limit(limit + 1)
            )
            found += [(entry, person) for entry, person in self.session.exec(query)]
        return sorted(found, key=lambda row: (row[0].at, row[0].id), reverse=True)[: limit + 1]

    def page_of_service(self, *, before: int | None, limit: int) -> list[tuple[HistoryEntry, Person | None]]:
        """About the whole service, or about a campus in the operator's view; the newest first."""
        noun, campus_id = col(HistoryEntry.noun), col(HistoryEntry.campus_id)
        from_outside = or_(
            *(and_(noun == each, col(HistoryEntry.action) == action) for each, action in DONE_TO_CAMPUSES)
        )
        query = (
            select(HistoryEntry, Person)
            .join(Person, col(Person.id) == col(HistoryEntry.actor_id), isouter=True)
            .where(
                or_(
                    and_(campus_id.is_(None), noun.in_(OF_THE_SERVICE)),
                    and_(campus_id.is_not(None), from_outside),
                ),
                *self._conditions(Filter(), before),
            )
            .order_by(col(HistoryEntry.at).desc(), col(HistoryEntry.id).desc())
            .limit(limit)
        )
        return [(entry, person) for entry, person in self.session.exec(query)]

    def _conditions(self, wanted: Filter, before: int | None) -> list[Any]:
        conditions: list[Any] = []
        if wanted.nouns:
            conditions.append(col(HistoryEntry.noun).in_(wanted.nouns))
        if wanted.actor_id is not None:
            conditions.append(HistoryEntry.actor_id == wanted.actor_id)
        if wanted.since is not None:
            conditions.append(col(HistoryEntry.at) >= wanted.since)
        if wanted.until is not None:
            conditions.append(col(HistoryEntry.at) < wanted.until)
        if before is not None:
            at = select(HistoryEntry.at).where(HistoryEntry.id == before).scalar_subquery()
            earlier = (col(HistoryEntry.at) == at) & (col(HistoryEntry.id) < before)
            conditions.append((col(HistoryEntry.at) < at) | earlier)
        return conditions

    def has_campus_of(self, actor_label: str) -> bool:
        """Whether that actor created a campus."""
        query = (
            select(HistoryEntry.id)
            .join(Campus, col(Campus.id) == col(HistoryEntry.noun_id))
            .where(
                HistoryEntry.noun == "campus",
                HistoryEntry.action == "create",
                HistoryEntry.actor_label == actor_label,
            )
        )
        return self.session.exec(query.limit(1)).first() is not None

    def list_of(self, noun: str, noun_id: uuid.UUID) -> list[tuple[HistoryEntry, Person | None]]:
        """Everything that happened to one object, in order, with the person who did it."""
        rows = self.session.exec(
            select(HistoryEntry, Person)
            .join(Person, col(Person.id) == col(HistoryEntry.actor_id), isouter=True)
            .where(HistoryEntry.noun == noun, HistoryEntry.noun_id == noun_id)
            .order_by(col(HistoryEntry.id))
        )
        return [(entry, person) for entry, person in rows]


Names = dict[uuid.UUID, str]
PROGRAM = "token "


@dataclass(frozen=True, eq=False)
class SubjectStore:
    """For one campus; other campuses' subjects have no name here."""

    session: DatabaseSession

    def names(
        self, campus_id: uuid.UUID, subjects: Iterable[tuple[str, uuid.UUID]]
    ) -> dict[tuple[str, uuid.UUID], str]:
        """A few queries for a page of entries, whatever their number."""
        wanted: dict[str, list[uuid.UUID]] = defaultdict(list)
        for noun, noun_id in subjects:
            wanted[noun].append(noun_id)
        found = {}
        for noun, ids in wanted.items():
            named = self._ways.get(noun)
            for noun_id, name in (named(campus_id, ids) if named else {}).items():
                found[noun, noun_id] = name
        return found

    def names_of_service(self, subjects: Iterable[tuple[str, uuid.UUID]]) -> dict[tuple[str, uuid.UUID], str]:
        """The same for subjects that belong to no campus, and for campuses themselves."""
        wanted: dict[str, list[uuid.UUID]] = defaultdict(list)
        for noun, noun_id in subjects:
            wanted[noun].append(noun_id)
        found = {}
        for noun, ids in wanted.items():
            query = self._of_service.get(noun)
            for noun_id, name in self.session.exec(query(ids)) if query else ():
                found[noun, noun_id] = name
        return found

    @property
    def _of_service(self) -> dict[str, Callable[[Sequence[uuid.UUID]], Any]]:
        name = col(Person.given_name) + " " + col(Person.family_name)
        of_key = select(NetworkKey.id, Network.name).join(
            Network, col(Network.id) == col(NetworkKey.network_id)
        )
        return {
            "operator": lambda ids: select(Person.id, name).where(col(Person.id).in_(ids)),
            "campus": lambda ids: select(Campus.id, Campus.name).where(col(Campus.id).in_(ids)),
            "network": lambda ids: select(Network.id, Network.name).where(col(Network.id).in_(ids)),
            "network_key": lambda ids: of_key.where(col(NetworkKey.id).in_(ids)),
            "recognition": lambda ids: select(Recognition.id, Recognition.name).where(
                col(Recognition.id).in_(ids)
            ),
            "label": lambda ids: select(Label.id, Label.issuer).where(col(Label.id).in_(ids)),
            "followed_list": lambda ids: select(FollowedList.id, FollowedList.url).where(
                col(FollowedList.id).in_(ids)
            ),
        }

    def programs(self, campus_id: uuid.UUID, labels: Iterable[str]) -> dict[str, str]:
        """Each program's name, by the label under which it acts."""
        ids = {label: _id_in(label.removeprefix(PROGRAM)) for label in labels if label.startswith(PROGRAM)}
        named = self._tokens(campus_id, [one for one in ids.values() if one])
        return {label: named[one] for label, one in ids.items() if one in named}

    @property
    def _ways(self) -> dict[str, Callable[[uuid.UUID, Sequence[uuid.UUID]], Names]]:
        return {
            "person": self._people,
            "award": self._awards,
            "award_batch": self._batches,
            "badge": self._badges,
            "request": self._requests,
            "framework": self._frameworks,
            "competency": self._competencies,
            "pathway": self._pathways,
            "activity": self._activities,
            "participation": self._participations,
            "invitation": self._invitations,
            "token": self._tokens,
        }

    def _people(self, _: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        return {
            person.id: person.name
            for person in self.session.exec(select(Person).where(col(Person.id).in_(ids)))
        }

    def _awards(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        return {
            record.award.id: f"{record.person.name}, {record.version.name}"
            for record in AwardStore(self.session).records_among(ids, campus_id)
        }

    def _batches(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        batches = self.session.exec(
            select(AwardBatch).where(col(AwardBatch.id).in_(ids), AwardBatch.campus_id == campus_id)
        )
        badges = BadgeStore(self.session)
        return {batch.id: badges.get_version_by_id(batch.version_id).name for batch in batches}

    def _badges(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        wanted = set(ids)
        return {
            badge.id: version.name
            for badge, version in BadgeStore(self.session).list_newest(campus_id)
            if badge.id in wanted
        }

    def _requests(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        """The badge alone: the requester is known only to themselves and the reviewers."""
        query = select(BadgeRequest.id, BadgeRequest.badge_id).where(
            col(BadgeRequest.id).in_(ids), BadgeRequest.campus_id == campus_id
        )
        asked = dict(self.session.exec(query).all())
        names = self._badges(campus_id, list(asked.values()))
        return {request_id: names[badge_id] for request_id, badge_id in asked.items() if badge_id in names}

    def _frameworks(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        query = select(Framework).where(col(Framework.id).in_(ids), Framework.campus_id == campus_id)
        return {framework.id: framework.name for framework in self.session.exec(query)}

    def _competencies(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        query = (
            select(Competency)
            .join(Framework, col(Framework.id) == col(Competency.framework_id))
            .where(col(Competency.id).in_(ids), Framework.campus_id == campus_id)
        )
        return {each.id: f"{each.code} {each.statement}" for each in self.session.exec(query)}

    def _pathways(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        query = select(Pathway).where(col(Pathway.id).in_(ids), Pathway.campus_id == campus_id)
        return {pathway.id: pathway.title for pathway in self.session.exec(query)}

    def _activities(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        query = (
            select(Activity)
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(col(Activity.id).in_(ids), ActivityCampus.campus_id == campus_id)
        )
        return {activity.id: activity.title for activity in self.session.exec(query)}

    def _participations(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        query = (
            select(Participation, Person, Activity)
            .join(Person, col(Person.id) == col(Participation.person_id))
            .join(Activity, col(Activity.id) == col(Participation.activity_id))
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(col(Participation.id).in_(ids), organised_by(campus_id))
        )
        return {
            participation.id: f"{person.name}, {activity.title}"
            for participation, person, activity in self.session.exec(query)
        }

    def _invitations(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        query = select(Invitation).where(col(Invitation.id).in_(ids), Invitation.campus_id == campus_id)
        return {invitation.id: invitation.address for invitation in self.session.exec(query)}

    def _tokens(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        query = select(ApiToken).where(col(ApiToken.id).in_(ids), ApiToken.campus_id == campus_id)
        return {token.id: token.label for token in self.session.exec(query)}


def _id_in(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
