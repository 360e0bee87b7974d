"""Course platforms (LTI 1.3): registration, launches, linked accounts, rosters and results."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from urllib.parse import urlsplit

from app.adapters.lti import deep_link_response, make_tool_key
from app.adapters.secrets import KeyVault
from app.db.accounts import SignInStore
from app.db.campus import CampusStore, HistoryStore
from app.db.campus.integration import LtiStore
from app.db.people import PeopleStore
from app.domain.accounts.permissions import Permission, Role, check_may
from app.domain.accounts.sessions import digest_of
from app.domain.accounts.sign_in import Challenge, Changed, SignInRequest, answer_challenge
from app.domain.activities import IMPORTED_RESULTS, Activity, ActivityKind, holds_results_alone
from app.domain.activities.listed_people import ListedPerson
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.integration import LineRefused, NamedKind, Receipt, UpsertOutcome
from app.domain.campus.lti import (
    LAUNCH_LIFE,
    LOGIN_LIFE,
    OLD_KEY_SHOWN,
    GrantedToken,
    Launch,
    LaunchKind,
    LaunchRefused,
    LtiAccount,
    LtiCourse,
    LtiKey,
    LtiLaunch,
    LtiLogin,
    LtiPlatform,
    LtiRegistration,
    Member,
    PlatformDown,
    PlatformRefused,
    ToolKey,
    learns,
    member_id,
)
from app.domain.core import Clock
from app.domain.imports.lists.vocabulary.names import NameDoubt, from_account, readings
from app.domain.people import Person, roles_at
from app.domain.publishing import Addresses
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn
from app.services.accounts.sessions import AccountNotices, SignedIn
from app.services.activities.activities import ActivityService
from app.services.activities.line_faults import fault_of
from app.services.activities.upserts import ParticipantReceipt, ParticipantUpserts
from app.services.badges import BadgeService

_NONE = frozenset[Role]()


@dataclass(frozen=True)
class Launched:
    """A browser on the pages of a course, and who that is where the account was linked."""

    launch: LtiLaunch
    platform: LtiPlatform
    course: LtiCourse | None
    person: Person | None = None
    roles: frozenset[Role] = _NONE

    @property
    def actor(self) -> Actor:
        assert self.person is not None, "checked by `check_may`"
        return Actor(self.person.id)

    @property
    def works(self) -> bool:
        """A linked person who teaches in the course and works in the campus today."""
        return self.launch.teaches and self.person is not None and bool(self.roles)

    def check_may(self, permission: Permission) -> None:
        if not self.works:
            raise NotAllowed("Reliez d’abord votre compte Sceau à ce cours.")
        check_may(self.roles, permission)


@dataclass(frozen=True)
class CourseAccess:
    """What a request to the platform needs, outside any transaction."""

    platform_id: uuid.UUID
    registration: LtiRegistration
    key: ToolKey
    memberships_url: str
    line_items_url: str


@dataclass(frozen=True)
class KeyAge:
    key_id: str
    since: datetime


@dataclass(frozen=True, eq=False)
class LtiService:
    store: LtiStore
    campuses: CampusStore
    sign_in: SignInStore
    people: PeopleStore
    history: HistoryStore
    activities: ActivityService
    badges: BadgeService
    participants: ParticipantUpserts
    notices: AccountNotices
    vault: KeyVault
    addresses: Addresses
    secret: bytes
    clock: Clock

    # --- platforms and keys

    def platforms(self, campus: Campus) -> Sequence[LtiPlatform]:
        return self.store.platforms(campus.id)

    def platform(self, campus: Campus, platform_id: uuid.UUID) -> LtiPlatform:
        found = self.store.platform(campus.id, platform_id)
        if found is None:
            raise NotFound("Cette plateforme n’est pas inscrite ici.")
        return found

    def linked(self, platform: LtiPlatform) -> int:
        return len(self.store.accounts(platform.id))

    def faults_of(self, registration: LtiRegistration) -> dict[str, InvalidInput]:
        is_local = urlsplit(self.addresses.base_url).hostname in ("localhost", "127.0.0.1")
        return registration.faults(allows_local=is_local)

    def register(self, campus: Campus, registration: LtiRegistration, *, by: Actor) -> LtiPlatform:
        for fault in self.faults_of(registration).values():
            raise fault
        if self._known(campus, registration.issuer, registration.client_id):
            raise Conflict("Cette plateforme est déjà inscrite avec cet identifiant de client.")
        row = LtiPlatform(
            campus_id=campus.id,
            label=registration.label.strip(),
            issuer=registration.issuer,
            client_id=registration.client_id,
            deployments=list(dict.fromkeys(registration.deployments)),
            keys_url=registration.keys_url,
            token_url=registration.token_url,
            authorization_url=registration.authorization_url,
            created_at=self.clock(),
        )
        self.store.save(row)
        if not self.store.keys(campus.id):
            self._add_key(campus)
        self._note(campus, "add_platform", by, platform=row.issuer)
        return row

    def remove(self, campus: Campus, platform_id: uuid.UUID, *, by: Actor) -> None:
        """Its links and launches end; courses keep their activity."""
        row = self.platform(campus, platform_id)
        row.removed_at = self.clock()
        self.store.save(row)
        self.store.forget_people_of(row.id)
        self._note(campus, "remove_platform", by, platform=row.issuer)

    def _known(self, campus: Campus, issuer: str, client_id: str) -> LtiPlatform | None:
        """With an empty client id: the only platform of that issuer."""
        found = [each for each in self.store.platforms(campus.id) if each.issuer == issuer]
        if client_id:
            found = [each for each in found if each.client_id == client_id]
        return found[0] if len(found) == 1 else None

    def renew_key(self, campus: Campus, *, by: Actor, shown: str | None = None) -> None:
        """The older one stays in the published set for a month: platforms keep that set for a while. With the
        identifier of the key that a page showed: once for each."""
        at = self.clock()
        self.campuses.lock(campus.id)
        keys = self.store.keys(campus.id)
        if shown is not None and keys and keys[0].public_jwk["kid"] != shown:
            return
        for replaced, key in pairwise(keys):
            if at - replaced.created_at > OLD_KEY_SHOWN:
                self.store.remove(key)
        self._add_key(campus)
        self._note(campus, "renew_lti_key", by)

    def _add_key(self, campus: Campus) -> None:
        pem, public = make_tool_key()
        newest = next((key.created_at for key in self.store.keys(campus.id)), None)
        self.store.save(
            LtiKey(
                campus_id=campus.id,
                sealed=self.vault.seal_bytes(pem.encode(), _bound_to(campus.id)),
                kek_id=self.vault.kek.id,
                public_jwk=public,
                created_at=max(self.clock(), newest + timedelta(seconds=1)) if newest else self.clock(),
            )
        )

    def rewrap(self) -> int:
        """Seals every key under the current key-encryption key; returns how many changed."""
        count = 0
        for key in self.store.all_keys():
            if key.kek_id != self.vault.kek.id:
                bound = _bound_to(key.campus_id)
                key.sealed = self.vault.seal_bytes(self.vault.open_bytes(key.sealed, bound), bound)
                key.kek_id = self.vault.kek.id
                self.store.save(key)
                count += 1
        return count

    def key_set(self, campus: Campus) -> Mapping[str, Any]:
        """Public: the current key, and those it replaced less than a month ago."""
        keys, at = self.store.keys(campus.id), self.clock()
        shown = [
            key
            for number, key in enumerate(keys)
            if not number or at - keys[number - 1].created_at <= OLD_KEY_SHOWN
        ]
        return {"keys": [key.public_jwk for key in shown]}

    def key_age(self, campus: Campus) -> KeyAge | None:
        key = next(iter(self.store.keys(campus.id)), None)
        return KeyAge(str(key.public_jwk["kid"]), key.created_at) if key else None

    def _tool_key(self, campus: Campus) -> ToolKey:
        key = next(iter(self.store.keys(campus.id)))
        pem = self.vault.open_bytes(key.sealed, _bound_to(campus.id)).decode()
        return ToolKey(str(key.public_jwk["kid"]), pem)

    def note_token(self, campus: Campus, platform_id: uuid.UUID, token: GrantedToken) -> None:
        row = self.platform(campus, platform_id)
        row.token_at, row.token_until = self.clock(), token.until
        row.trouble, row.trouble_at = "", None
        self.store.save(row)

    def note_trouble(
        self, campus: Campus, platform_id: uuid.UUID, error: PlatformDown | PlatformRefused
    ) -> None:
        row = self.platform(campus, platform_id)
        row.trouble, row.trouble_at = error.why[:60], self.clock()
        self.store.save(row)

    def access(self, campus: Campus, platform_id: uuid.UUID) -> CourseAccess:
        """To try the platform without a course."""
        row = self.platform(campus, platform_id)
        return CourseAccess(row.id, row.registration, self._tool_key(campus), "", "")

    # --- login and launch

    def login(
        self, campus: Campus, issuer: str, client_id: str, browser_digest: str
    ) -> tuple[LtiPlatform, LtiLogin]:
        """The request to send to the platform, bound to this browser."""
        platform = self._known(campus, issuer, client_id)
        if platform is None:
            raise NotFound("Cette plateforme n’est pas inscrite ici.")
        state, at = secrets.token_urlsafe(32), self.clock()
        self.sign_in.sweep(at)
        self.sign_in.add(
            Challenge(
                asked=SignInRequest.LTI,
                secret_digest=digest_of(state),
                browser_digest=browser_digest,
                facts={"platform": str(platform.id)},
                expires_at=at + LOGIN_LIFE,
            )
        )
        return platform, LtiLogin(platform.id, state, self._nonce(state))

    def take(self, campus: Campus, state: str, browser_digest: str) -> tuple[LtiPlatform, LtiLogin]:
        """What this browser was redirected for. Single use: a second launch with it is refused."""
        challenge = answer_challenge(
            self.sign_in.take_challenge(state),
            asked=SignInRequest.LTI,
            at=self.clock(),
            browser_digest=browser_digest,
        )
        platform = self.store.platform(campus.id, uuid.UUID(str(challenge.facts["platform"])))
        if platform is None:
            raise LaunchRefused("platform")
        return platform, LtiLogin(platform.id, state, self._nonce(state))

    def _nonce(self, state: str) -> str:
        return hmac.new(self.secret, b"nonce of a launch|" + state.encode(), hashlib.sha256).hexdigest()

    def open(self, campus: Campus, platform_id: uuid.UUID, launch: Launch) -> str:
        """The secret of the course's pages, for the browser that launched."""
        platform, at = self.store.platform(campus.id, platform_id), self.clock()
        if platform is None or launch.deployment not in platform.deployments:
            raise LaunchRefused("platform")
        self.store.sweep(campus.id, at)
        course = self._course(campus, platform, launch)
        badge_id = launch.badge_id
        if badge_id is not None and badge_id not in {badge.id for badge, _ in self._offered(campus)}:
            badge_id = None
        secret = secrets.token_urlsafe(32)
        self.store.save(
            LtiLaunch(
                campus_id=campus.id,
                platform_id=platform.id,
                secret_digest=digest_of(secret),
                kind=launch.kind,
                subject=launch.subject,
                teaches=launch.teaches,
                course_id=course.id if course else None,
                deployment=launch.deployment,
                badge_id=badge_id,
                return_url=launch.deep_link.return_url
                if launch.deep_link and launch.deep_link.takes_links
                else "",
                return_data=launch.deep_link.data if launch.deep_link else "",
                expires_at=at + LAUNCH_LIFE,
            )
        )
        return secret

    def _course(self, campus: Campus, platform: LtiPlatform, launch: Launch) -> LtiCourse | None:
        """Only who teaches changes what is known of a course."""
        if not launch.context:
            return None
        course = self.store.find_course(platform.id, launch.deployment, launch.context)
        if course is None:
            course = self.store.add_course(
                LtiCourse(
                    campus_id=campus.id,
                    platform_id=platform.id,
                    deployment=launch.deployment,
                    context=launch.context,
                    title=launch.title,
                    memberships_url=launch.memberships_url,
                    line_items_url=launch.line_items_url,
                    seen_at=self.clock(),
                )
            )
        if not launch.teaches:
            return course
        course.title = launch.title or course.title
        course.memberships_url = launch.memberships_url or course.memberships_url
        course.line_items_url = launch.line_items_url or course.line_items_url
        course.seen_at = self.clock()
        self.store.save(course)
        return course

    def launched(self, campus: Campus, secret: str) -> Launched:
        """The launch that this secret opens in this campus; raises NotSignedIn for any other secret."""
        launch = self.store.launch(campus.id, secret) if secret else None
        at = self.clock()
        platform = self.store.platform(campus.id, launch.platform_id) if launch else None
        if launch is None or platform is None or at >= launch.expires_at:
            raise NotSignedIn("Ouvrez cette page depuis votre cours.")
        course = self.store.course(launch.course_id) if launch.course_id else None
        account = self.store.account(platform.id, launch.subject)
        if account is None:
            return Launched(launch, platform, course)
        person = self.people.get(account.person_id)
        rows = [membership for membership, _ in self.people.memberships_of(person.id)]
        return Launched(launch, platform, course, person, roles_at(rows, campus.id, at=at))

    # --- linked accounts

    def link(self, campus: Campus, launched: Launched, who: SignedIn) -> None:
        """By a person who signed in and works here. Idempotent."""
        if not launched.launch.teaches:
            raise NotAllowed("Seule une personne qui enseigne dans ce cours relie son compte.")
        rows = [membership for membership, _ in who.memberships]
        if not roles_at(rows, campus.id, at=self.clock()):
            raise NotAllowed("Vous n’avez pas de rôle dans ce campus.")
        known = self.store.account(launched.platform.id, launched.launch.subject)
        if known is not None and known.person_id == who.person.id:
            return
        if known is not None:
            raise Conflict("Ce compte du cours est déjà relié à une autre personne.")
        account = LtiAccount(
            campus_id=campus.id,
            platform_id=launched.platform.id,
            subject=launched.launch.subject,
            person_id=who.person.id,
            linked_at=self.clock(),
        )
        if not self.store.add_account(account):
            return self.link(campus, launched, who)
        self._note(campus, "link_platform", who.actor, platform=launched.platform.issuer)
        self.notices.tell(who.person, Changed.COURSE_LINKED, named=[launched.platform.label])

    def unlink(self, launched: Launched) -> None:
        """The browser leaves the course's pages too."""
        account = self.store.account(launched.platform.id, launched.launch.subject)
        if account is not None:
            self._unlink(account, launched.platform, Actor(account.person_id))
        else:
            self.store.remove(launched.launch)

    def links_of(self, person_id: uuid.UUID) -> Sequence[tuple[LtiAccount, LtiPlatform]]:
        """For the person's own page, at every campus."""
        return self.store.accounts_of(person_id)

    def unlink_own(self, who: SignedIn, account_id: uuid.UUID) -> None:
        for account, platform in self.store.accounts_of(who.person.id):
            if account.id == account_id:
                self._unlink(account, platform, who.actor)
                return
        raise NotFound("Ce compte n’est plus relié.")

    def _unlink(self, account: LtiAccount, platform: LtiPlatform, by: Actor) -> None:
        self.store.end_launches_of(account)
        self.store.remove(account)
        self.history.write(
            by,
            "unlink_platform",
            "campus",
            platform.campus_id,
            at=self.clock(),
            campus_id=platform.campus_id,
            platform=platform.issuer,
        )
        self.notices.tell(self.people.get(account.person_id), Changed.COURSE_UNLINKED, named=[platform.label])

    # --- a badge in a course

    def _offered(self, campus: Campus) -> list[tuple[Badge, BadgeVersion]]:
        return [pair for pair in self.badges.list_current(campus) if pair[0].archived_at is None]

    def offered(self, campus: Campus, launched: Launched) -> list[tuple[Badge, BadgeVersion]]:
        """Badges that may be put into the course."""
        launched.check_may(Permission.VIEW)
        return self._offered(campus)

    def shown_badge(self, campus: Campus, launched: Launched) -> tuple[Badge, BadgeVersion] | None:
        """The badge of the link that was opened in the course."""
        wanted = launched.launch.badge_id
        return next((pair for pair in self._offered(campus) if pair[0].id == wanted), None)

    def deep_link(self, campus: Campus, launched: Launched, badge_id: uuid.UUID) -> tuple[str, str]:
        """The platform's address, and the signed answer to send there. Single use: the launch ends."""
        launched.check_may(Permission.VIEW)
        launch = launched.launch
        if launch.kind is not LaunchKind.DEEP_LINKING or not launch.return_url:
            raise Conflict("Ce cours n’attend pas de badge. Passez par « Ajouter une activité » du cours.")
        pair = next((each for each in self._offered(campus) if each[0].id == badge_id), None)
        if pair is None:
            raise NotFound("Ce badge n’existe pas ici.")
        badge, version = pair
        item = {
            "type": "ltiResourceLink",
            "title": version.name,
            "text": version.description,
            "url": self.addresses.lti_launch(campus.slug),
            "custom": {"badge": str(badge.id)},
        }
        key = self._tool_key(campus)
        answer = deep_link_response(
            launched.platform.registration, launch.deployment, launch.return_data, item, key, at=self.clock()
        )
        self.store.remove(launch)
        return launch.return_url, answer

    # --- the activity of a course, its people and their results

    def choices(self, campus: Campus, launched: Launched) -> list[Activity]:
        launched.check_may(Permission.WORK)
        return [each for each, _ in self.activities.list_in(campus)]

    def choose_activity(
        self,
        campus: Campus,
        launched: Launched,
        activity_id: uuid.UUID | None,
        *,
        before: uuid.UUID | None = None,
    ) -> Activity:
        """The people of the course become its participants; None makes an activity of the course's title, once for
        each page: `before` is the activity that the page showed."""
        launched.check_may(Permission.WORK)
        course = _with_course(launched)
        self.store.lock_course(course)
        if activity_id is None and course.activity_id is not None and course.activity_id != before:
            return self.activities.get(campus, course.activity_id)
        if activity_id is None:
            today = campus.day_of(self.clock())
            title = course.title.strip() or launched.platform.label
            activity_wanted = Activity(
                kind=ActivityKind.COURSE, title=title, starts_on=today, ends_on=today, created_at=self.clock()
            )
            activity = self.activities.create(activity_wanted, [campus], by=launched.actor)
        else:
            activity = self.activities.get(campus, activity_id)
        course.activity_id = activity.id
        self.store.save(course)
        return activity

    def activity_of(self, launched: Launched) -> Activity | None:
        chosen = launched.course.activity_id if launched.course else None
        return self.activities.activities.find(chosen) if chosen else None

    def course_access(self, campus: Campus, launched: Launched) -> CourseAccess:
        launched.check_may(Permission.WORK)
        course = _with_course(launched)
        if course.activity_id is None:
            raise Conflict("Choisissez d’abord l’activité de ce cours.")
        if not course.memberships_url:
            raise Conflict(
                "La plateforme ne donne pas la liste de ce cours. Autorisez Sceau à la lire, dans les réglages de l’outil."
            )
        access = self.access(campus, launched.platform.id)
        return replace(access, memberships_url=course.memberships_url, line_items_url=course.line_items_url)

    def record(
        self,
        campus: Campus,
        launched: Launched,
        members: Sequence[Member],
        answers: Mapping[str, bool],
        results: Mapping[str, str],
        names: Mapping[str, tuple[str, str]],
    ) -> list[tuple[Member, ParticipantReceipt]]:
        """Idempotent: a member is found again by the platform's own identifier. `answers`, by subject: whether
        it is the person already known by that name. `results`, by subject: what enters the participation. `names`,
        by subject: how a doubtful name is read."""
        launched.check_may(Permission.WORK)
        course = _with_course(launched)
        if course.activity_id is None:
            raise Conflict("Choisissez d’abord l’activité de ce cours.")
        learners = [each for each in members if each.is_active and learns(each.roles)]
        if not learners:
            raise InvalidInput("La liste de ce cours ne contient aucun apprenant.")
        ids = [member_id(launched.platform.id, each.subject) for each in learners]
        recorded = self.participants.external_ids.named(campus, NamedKind.PERSON, ids)
        lines, doubtful = list[tuple[str, ListedPerson]](), list[ParticipantReceipt]()
        for number, (own, each) in enumerate(zip(ids, learners, strict=True), 1):
            name, doubt = _name_of(each)
            given, family = names.get(each.subject, name)
            line = ListedPerson(
                number, given, family, each.address, contribution=results.get(each.subject, "")
            ).tidied()
            if doubt and own not in recorded and each.subject not in names and fault_of(line) is None:
                fault = LineRefused(doubt.sentence, kind=DOUBTFUL)
                doubtful.append(ParticipantReceipt(Receipt(number, own, UpsertOutcome.REFUSED, fault=fault)))
            else:
                lines.append((own, line))
        known = {
            number: answers[each.subject]
            for number, each in enumerate(learners, 1)
            if each.subject in answers
        }
        heading = results_heading(launched.platform.label)

        def may_replace(text: str) -> bool:
            return text.startswith(heading) and holds_results_alone(text)

        receipts = self.participants.upsert_all(
            campus, course.activity_id, lines, known, by=launched.actor, may_replace=may_replace
        )
        course.roster_at = self.clock()
        self.store.save(course)
        found = {one.receipt.line: one for one in (*receipts, *doubtful)}
        return [(each, found[number]) for number, each in enumerate(learners, 1)]

    def _note(self, campus: Campus, action: str, by: Actor, **facts: str) -> None:
        self.history.write(by, action, "campus", campus.id, at=self.clock(), campus_id=campus.id, **facts)


def results_heading(label: str) -> str:
    return IMPORTED_RESULTS.format(platform=label.replace("(", "").replace(")", ""))


def _with_course(launched: Launched) -> LtiCourse:
    if launched.course is None:
        raise Conflict("Cette ouverture ne dit pas de quel cours elle vient.")
    return launched.course


def _bound_to(campus_id: uuid.UUID) -> bytes:
    return b"key for course platforms|" + campus_id.bytes


DOUBTFUL: Final = "doubtful_name"


def _name_of(member: Member) -> tuple[tuple[str, str], NameDoubt | None]:
    given, family, doubt = from_account(member.given_name, member.family_name, member.name)
    return (given, family), doubt


def name_readings(member: Member) -> list[tuple[str, str]]:
    """Where its name is doubtful, those that a person chooses from."""
    name, doubt = _name_of(member)
    return readings(*name, doubt) if doubt else []
