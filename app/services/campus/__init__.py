"""Use cases: settings, team, keys, dashboard."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.adapters.badge_pictures import BadgeArtist
from app.db.accounts import OwnAddressStore, SessionStore
from app.db.activities import ActivityStore
from app.db.awards import AwardStore
from app.db.badges import BadgeStore
from app.db.campus import CampusStore, Filter, HistoryStore, SubjectStore, TeamStore
from app.db.campus.operations import OperatorStore
from app.db.frameworks import CompetencyStore
from app.db.people import PeopleStore
from app.db.publishing.catalogue import CatalogueStore
from app.db.reports.facts import EditionStore
from app.domain.accounts.permissions import Operator
from app.domain.accounts.sign_in import Changed
from app.domain.activities import Activity
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.audit_log import Actor, HistoryEntry, service_subject_of, subject_of
from app.domain.campus.campus import (
    MOST_PICTURES,
    Campus,
    CampusPicture,
    CampusSettings,
    KeyPurpose,
    Label,
    LabelState,
    Network,
    NetworkMember,
    SealedKey,
    check_campus_name,
    check_network_name,
    check_short_name,
    check_slug,
    checked_alternative,
    faults_of,
    label_state,
    take_over,
)
from app.domain.campus.team import Invitation, check_administrator_stays, check_roles
from app.domain.core import Clock, check_as_shown, name_as_signed
from app.domain.frameworks import Competency, Framework
from app.domain.people import Person, Role, new_person
from app.domain.publishing import Addresses
from app.errors import AppError, Conflict, InvalidInput, NotFound, faults_of_fields
from app.language import known_locales
from app.services.accounts.invitations import InvitationService, Memberships, check_invited_address
from app.services.accounts.sessions import AccountNotices
from app.services.activity_log import LoggedEvents
from app.services.publishing.status import Signing
from sceau_credentials.dids import did_web

__all__ = ["Event", "Filter", "HistoryService"]

LATEST_ACTIVITIES = 60


@dataclass(frozen=True)
class LabelView:
    network: Network
    label: Label
    state: LabelState


@dataclass(frozen=True)
class CampusPage:
    """Content of a campus's public page."""

    campus: Campus
    networks: Sequence[Network]
    badges: Sequence[tuple[Badge, BadgeVersion]]
    competencies: Sequence[tuple[Competency, Framework]]


@dataclass(frozen=True)
class CampusDesk:
    """A trainer's start page: activities and badges of the campus."""

    campus: Campus
    activities: Sequence[tuple[Activity, int]]
    badges: Sequence[tuple[Badge, BadgeVersion]]


@dataclass(frozen=True, eq=False)
class CampusService:
    campuses: CampusStore
    badges: BadgeStore
    competencies: CompetencyStore
    activities: ActivityStore
    awards: AwardStore
    history: HistoryStore
    signing: Signing
    logged_events: LoggedEvents
    addresses: Addresses
    clock: Clock

    def check_new_slug(self, slug: str) -> None:
        check_slug(slug)
        if self.campuses.find(slug):
            raise Conflict("Il y a déjà un campus à l’adresse « {slug} ».", slug=slug)

    def create(self, campus: Campus, *, by: Actor) -> Campus:
        """A campus with its first signing key; assigns `did` and `created_at`."""
        self.check_new_slug(campus.slug)
        at = self.clock()
        campus.did = did_web(self.addresses.base_url, "campus", campus.slug)
        campus.created_at = at
        self.campuses.add(campus)
        key = self.signing.make_key(campus, at=at)
        self.logged_events.key_changed(campus, key)
        self.history.write(by, "create", "campus", campus.id, at=at, campus_id=campus.id)
        self.history.write(by, "create", "key", key.id, at=at, campus_id=campus.id)
        return campus

    def change_settings(self, slug: str, settings: CampusSettings, *, by: Actor) -> Campus:
        """Existing signatures and pictures are unchanged."""
        campus = self.campuses.get(slug)
        faults = faults_of(settings, campus, languages=tuple(known_locales()))
        if faults:
            raise next(iter(faults.values()))
        changed = take_over(campus, settings)
        if campus.selective_disclosure:
            self._make_disclosure_key(campus, by=by)
        if changed:
            self.campuses.add(campus)
            self.history.write(
                by, "amend", "campus", campus.id, at=self.clock(), campus_id=campus.id, changed=changed
            )
        return campus

    def _make_disclosure_key(self, campus: Campus, *, by: Actor) -> None:
        """Once; published before anything is signed with it. It stays when this is switched off."""
        self.campuses.lock(campus.id)
        if self.campuses.find_active_key(campus.id, KeyPurpose.DISCLOSURE) is not None:
            return
        if self.signing.has_hsm:  # a key of the database that signs whole badges would undo it
            raise Conflict(
                "Ce service garde ses clés dans un module matériel. Montrer une partie d’un badge n’y est pas possible."
            )
        at = self.clock()
        key = self.signing.make_key(campus, at=at, purpose=KeyPurpose.DISCLOSURE)
        self.logged_events.key_changed(campus, key)
        self.history.write(by, "create", "key", key.id, at=at, campus_id=campus.id)

    def create_network(self, network: Network, members: Sequence[Campus], *, by: Actor) -> Network:
        check_slug(network.slug)
        check_network_name(network.name)
        network.name = name_as_signed(network.name)
        self.campuses.add(network)
        self.campuses.add(*(NetworkMember(network_id=network.id, campus_id=campus.id) for campus in members))
        self.history.write(by, "create", "network", network.id, at=self.clock())
        return network

    def get(self, slug: str) -> Campus:
        return self.campuses.get(slug)

    def find(self, slug: str) -> Campus | None:
        return self.campuses.find(slug)

    def find_by_issuer(self, issuer: str) -> Campus | None:
        """The campus of this service with this issuer identifier."""
        return self.campuses.find_by_did(issuer)

    def were_created(self, *, by: Actor) -> bool:
        """Whether one of the campuses was."""
        return self.history.has_campus_of(by.label)

    def list_all(self) -> Sequence[Campus]:
        return self.campuses.list_all()

    def page(self, slug: str) -> CampusPage:
        campus = self.campuses.get(slug)
        return CampusPage(
            campus,
            self.campuses.networks_of(campus.id),
            self.badges.list_published(campus.id),
            self.competencies.list_of(campus.id),
        )

    def networks_of(self, campus: Campus) -> Sequence[Network]:
        return self.campuses.networks_of(campus.id)

    def labels_of(self, campus: Campus, *, on: date) -> list[LabelView]:
        return [
            LabelView(network, label, label_state(label, on=on))
            for label, network in self.campuses.labels_of(campus.did)
        ]

    def desk(self, campus: Campus) -> CampusDesk:
        return CampusDesk(
            campus,
            self.activities.list_in_campus(campus.id, limit=LATEST_ACTIVITIES),
            self.badges.list_current(campus.id),
        )

    def keys_of(self, campus: Campus) -> Sequence[SealedKey]:
        return self.campuses.keys_of(campus.id)

    def keys(self) -> list[tuple[SealedKey, Campus]]:
        return self.campuses.all_keys()

    def now(self) -> datetime:
        return self.clock()


A_TABLE_PAGE = 1000


@dataclass(frozen=True)
class Event:
    """One history entry; `subject`: the current name of its object, empty if unnamed or deleted."""

    entry: HistoryEntry
    actor: Person | None
    subject: str
    program: str
    """The label of the API token, if a program acted."""


@dataclass(frozen=True, eq=False)
class HistoryService:
    history: HistoryStore
    subjects: SubjectStore
    team: TeamStore
    clock: Clock

    def page(self, campus: Campus, wanted: Filter, *, before: int | None, limit: int) -> list[Event]:
        """Newest first; one more than `limit` if there are older ones."""
        team = [person.id for person in self.people_of(campus)]
        rows = self.history.page(campus.id, wanted, team=team, before=before, limit=limit)
        names = self.subjects.names(campus.id, {subject_of(entry) for entry, _ in rows})
        programs = self.subjects.programs(campus.id, [entry.actor_label for entry, _ in rows])
        return [
            Event(entry, actor, names.get(subject_of(entry), ""), programs.get(entry.actor_label, ""))
            for entry, actor in rows
        ]

    def all(self, campus: Campus, wanted: Filter) -> Iterator[Event]:
        """Every matching entry, read in batches of a thousand, for an export."""
        before: int | None = None
        while True:
            found = self.page(campus, wanted, before=before, limit=A_TABLE_PAGE)
            yield from found[:A_TABLE_PAGE]
            if len(found) <= A_TABLE_PAGE:
                return
            before = found[A_TABLE_PAGE - 1].entry.id

    def page_of_service(self, *, before: int | None, limit: int) -> list[Event]:
        """Actions of operators and commands on the service and its campuses; no campus data."""
        rows = self.history.page_of_service(before=before, limit=limit)
        names = self.subjects.names_of_service({service_subject_of(entry) for entry, _ in rows})
        return [Event(entry, actor, names.get(service_subject_of(entry), ""), "") for entry, actor in rows]

    def people_of(self, campus: Campus) -> Sequence[Person]:
        """Current and former staff, by name."""
        return self.team.ever(campus.id)

    def note_export(self, campus: Campus, table: str, *, by: Actor) -> None:
        """Record the export of a table with personal data."""
        self.history.write(
            by, "export", "table", campus.id, at=self.clock(), campus_id=campus.id, table=table
        )


@dataclass(frozen=True)
class Member:
    person: Person
    roles: tuple[Role, ...]
    since: datetime
    address: str
    seen_at: datetime | None
    has_passkey: bool


@dataclass(frozen=True, eq=False)
class TeamService:
    team: TeamStore
    people: PeopleStore
    sessions: SessionStore
    own_addresses: OwnAddressStore
    memberships: Memberships
    invitations: InvitationService
    notices: AccountNotices
    clock: Clock

    def members(self, campus: Campus) -> list[Member]:
        found: dict[uuid.UUID, tuple[Person, dict[Role, datetime]]] = {}
        for membership, person in self.team.members(campus.id, at=self.clock()):
            found.setdefault(person.id, (person, {}))[1][membership.role] = membership.since
        people = list(found)
        addresses, seen = self.people.addresses_of(people), self.team.last_seen(people)
        with_passkey = self.team.with_passkey(people)
        return [
            Member(
                person,
                tuple(role for role in Role if role in roles),
                min(roles.values()),
                addresses.get(person.id, ""),
                seen.get(person.id),
                person.id in with_passkey,
            )
            for person, roles in found.values()
        ]

    def administrators(self, campus: Campus) -> set[uuid.UUID]:
        return self.team.administrators(campus.id, at=self.clock())

    def member(self, campus: Campus, person_id: uuid.UUID) -> Member:
        """Raises NotFound for staff of other campuses and former staff (T01)."""
        member = next((each for each in self.members(campus) if each.person.id == person_id), None)
        if member is None:
            raise NotFound("Cette personne n’est pas dans l’équipe.")
        return member

    def set_roles(
        self, campus: Campus, person_id: uuid.UUID, roles: Collection[Role], *, by: Actor, seen: str = ""
    ) -> None:
        """Set exactly these roles. `seen`: the mark of those that the page showed."""
        self.memberships.lock_as(campus, by)
        member = self.member(campus, person_id)
        if set(roles) != set(member.roles):
            check_as_shown(seen, *member.roles)
        check_roles(roles)
        if Role.CAMPUS_ADMIN not in roles:
            self._check_administrator_stays(campus, person_id)
        self._check_not_oneself(member, roles, by)
        for role in Role:
            if role in roles:
                self.memberships.give(campus, member.person, role, by=by)
            elif role in member.roles:
                self.memberships.take_back(campus, member.person, role, by=by)
        if Role.CAMPUS_ADMIN not in roles:
            self.invitations.withdraw_those_by(campus, person_id, by=by)
        if set(roles) != set(member.roles):
            self._tell(campus, member.person, Changed.ROLES_CHANGED, by)

    def _check_not_oneself(self, member: Member, roles: Collection[Role], by: Actor) -> None:
        """People cannot give themselves a role, such as data protection, which oversees their own work."""
        if by.person_id is None or set(roles) <= set(member.roles):
            return
        with self.own_addresses.tenant_scope.across_campuses():
            same = self.own_addresses.same_person(by.person_id)
        if member.person.id in same:
            raise Conflict(
                "On ne se donne pas un rôle à soi-même : une autre personne de l’administration le donne."
            )

    def remove(self, campus: Campus, person_id: uuid.UUID, *, by: Actor) -> Person:
        self.memberships.lock_as(campus, by)
        self.people.lock_all([person_id])
        member = self.member(campus, person_id)
        self._check_administrator_stays(campus, person_id)
        for role in member.roles:
            self.memberships.take_back(campus, member.person, role, by=by)
        self.invitations.withdraw_those_by(campus, person_id, by=by)
        if not self.team.works_anywhere(person_id, at=self.clock()):
            self.sessions.end_all_of(person_id)
        self._tell(campus, member.person, Changed.LEFT_TEAM, by)
        return member.person

    def _tell(self, campus: Campus, person: Person, changed: Changed, by: Actor) -> None:
        if by.person_id != person.id:
            self.notices.tell(person, changed, named=[campus.name], campus_id=campus.id)

    def _check_administrator_stays(self, campus: Campus, leaving: uuid.UUID) -> None:
        check_administrator_stays(self.team.administrators(campus.id, at=self.clock()), leaving)


INVITATION_DAYS = 30


@dataclass(frozen=True, eq=False)
class OperatorService:
    operators: OperatorStore
    own_addresses: OwnAddressStore
    campuses: CampusStore
    campus_service: CampusService
    invitations: InvitationService
    catalogue: CatalogueStore
    history: HistoryStore
    clock: Clock

    def is_operator(self, person_id: uuid.UUID) -> bool:
        return self.operators.find(person_id) is not None

    def add(self, given_name: str, family_name: str, address: str, *, by: Actor) -> Person:
        """The operator who runs the command vouches for the address."""
        at = self.clock()
        newcomer, address = new_person(given_name, family_name, address, at=at)
        person = self.own_addresses.owner_of(newcomer, address, at=at)
        if self.operators.find(person.id) is None:
            self.operators.add(Operator(person_id=person.id, since=at))
            self.history.write(by, "join", "operator", person.id, at=at)
        return person

    def remove(self, person_id: uuid.UUID, *, by: Actor) -> None:
        operator = self.operators.find(person_id)
        if operator is None:
            raise NotFound("Cette personne n’exploite pas ce service.")
        self.operators.remove(operator)
        self.history.write(by, "leave", "operator", person_id, at=self.clock())

    def faults_of(self, *, slug: str, name: str, short_name: str, administrator: str) -> dict[str, AppError]:
        """What is wrong with a campus to open, by parameter."""
        return faults_of_fields(
            {
                "name": lambda: check_campus_name(name),
                "short_name": lambda: check_short_name(short_name),
                "slug": lambda: self.campus_service.check_new_slug(slug),
                "administrator": lambda: check_invited_address(administrator),
            }
        )

    def open_campus(
        self, *, slug: str, name: str, short_name: str, administrator: str, by: Actor
    ) -> tuple[Campus, Invitation]:
        """Create a campus with its keys, and invite its administrator by e-mail."""
        check_campus_name(name)
        check_short_name(short_name)
        campus = self.campus_service.create(
            Campus(slug=slug, did="", name=name, short_name=short_name, created_at=self.clock()), by=by
        )
        return campus, self.invite(campus, administrator, by=by)

    def invite(self, campus: Campus, address: str, *, by: Actor) -> Invitation:
        """Invite one more administrator: recovery for a campus that lost its own."""
        invitation = self.invitations.invite(
            campus, address, [Role.CAMPUS_ADMIN], days=INVITATION_DAYS, by=by
        )
        self.history.write(
            by, "invite_administrator", "campus", campus.id, at=self.clock(), campus_id=campus.id
        )
        return invitation

    def suspend(self, slug: str, *, by: Actor) -> None:
        """Block staff and API tokens; signatures stay valid and public pages stay online, listed nowhere."""
        campus = self.campuses.lock(self.campuses.get(slug).id)
        if campus.suspended_at is None:
            campus.suspended_at = self.clock()
            self.catalogue.drop_campus(campus.id)
            self._keep(campus, "suspend", by)

    def resume(self, slug: str, *, by: Actor) -> None:
        campus = self.campuses.lock(self.campuses.get(slug).id)
        if campus.suspended_at is not None:
            campus.suspended_at = None
            self._keep(campus, "resume", by)

    def _keep(self, campus: Campus, action: str, by: Actor) -> None:
        self.campuses.add(campus)
        self.history.write(by, action, "campus", campus.id, at=self.clock(), campus_id=campus.id)


@dataclass(frozen=True)
class CampusPictures:
    campuses: CampusStore
    editions: EditionStore
    artist: BadgeArtist
    history: HistoryStore
    clock: Clock

    def list_of(self, campus: Campus) -> Sequence[CampusPicture]:
        return self.campuses.pictures_of(campus.id)

    def content(self, campus: Campus, picture_id: uuid.UUID) -> bytes:
        return self.campuses.picture(campus.id, picture_id).content

    @staticmethod
    def faults_of(content: bytes, *, alternative: str, agreed: bool) -> dict[str, AppError]:
        """By parameter; whether the content is a picture is found when it is read."""
        return faults_of_fields(
            {
                "content": lambda: _check_chosen(content),
                "alternative": lambda: checked_alternative(alternative),
                "agreed": lambda: _check_agreed(agreed),
            }
        )

    def read(self, campus: Campus, content: bytes, *, alternative: str, agreed: bool) -> CampusPicture:
        """Checked and made smaller, which takes a second of a large one: before any writing transaction. `agreed`:
        every recognisable person agreed, or there is none."""
        self._check_room(campus)
        for fault in self.faults_of(content, alternative=alternative, agreed=agreed).values():
            raise fault
        art, (width, height) = self.artist.read_photograph(content)
        return CampusPicture(
            campus_id=campus.id,
            alternative=checked_alternative(alternative),
            content=art,
            width=width,
            height=height,
            added_at=self.clock(),
        )

    def add(self, campus: Campus, picture: CampusPicture, *, by: Actor) -> None:
        self._check_room(campus)
        self.campuses.save(picture)
        self.history.write(by, "add_picture", "campus", campus.id, at=self.clock(), campus_id=campus.id)

    def _check_room(self, campus: Campus) -> None:
        if len(self.campuses.pictures_of(campus.id)) >= MOST_PICTURES:
            raise Conflict("La galerie est pleine : retirez d’abord une image.")

    def remove(self, campus: Campus, picture_id: uuid.UUID, *, from_reports: bool = False, by: Actor) -> None:
        """`from_reports`: an agreement was taken back, so that signed reports show it no more either."""
        picture = self.campuses.picture(campus.id, picture_id)
        if from_reports:
            self._forget(campus, _digest(picture.content), by)
        self.campuses.remove(picture)
        self.history.write(by, "remove_picture", "campus", campus.id, at=self.clock(), campus_id=campus.id)

    def only_in_reports(self, campus: Campus) -> list[str]:
        """Digests of what signed versions keep and the gallery no longer shows."""
        shown = {_digest(each.content) for each in self.campuses.pictures_of(campus.id)}
        return [each for each in self.editions.digests(campus.id) if each not in shown]

    def content_in_reports(self, campus: Campus, digest: str) -> bytes:
        found = self.editions.pictures(campus.id, [digest])
        if digest not in found:
            raise NotFound("Cette image n’est plus dans aucun rapport signé.")
        return found[digest]

    def remove_from_reports(self, campus: Campus, digest: str, *, by: Actor) -> None:
        """An agreement was taken back after the picture had left the gallery."""
        self.content_in_reports(campus, digest)
        self._forget(campus, digest, by)

    def _forget(self, campus: Campus, digest: str, by: Actor) -> None:
        self.editions.delete_picture(campus.id, digest)
        self.history.write(
            by, "remove_report_picture", "campus", campus.id, at=self.clock(), campus_id=campus.id
        )


def _check_chosen(content: bytes) -> None:
    if not content:
        raise InvalidInput("Choisissez le fichier de l’image.")


def _check_agreed(agreed: bool) -> None:
    if not agreed:
        raise InvalidInput("Confirmez que chaque personne reconnaissable est d’accord.")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
