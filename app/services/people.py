"""Who is there: signing in, sessions, roles, and learners' private links."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.db.access import AccessStore
from app.db.awards import AwardStore
from app.db.campus import CampusStore
from app.db.history import HistoryStore
from app.db.people import PeopleStore
from app.domain.access import (
    BETWEEN_SIGN_IN_LETTERS,
    LEARNER_SESSION_LIFE,
    SIGN_IN_LINK_LIFE,
    STAFF_SESSION_LIFE,
    ApiToken,
    Scope,
    Session,
    SignInLink,
    check_session_lives,
    check_token,
    check_token_request,
    digest_of,
    learner_link_proof,
    use_link,
)
from app.domain.campus import Campus
from app.domain.clock import Clock
from app.domain.history import Actor
from app.domain.letters import Letter
from app.domain.people import Membership, Person, Role, check_name, normal_address, roles_at
from app.errors import NotFound, NotSignedIn
from app.language import N_
from app.language import gettext as _

TOKEN_PREFIX = "sceau_"  # noqa: S105 - a mark by which a leaked token is recognised, not a secret


@dataclass(frozen=True)
class SignedIn:
    """A person with a living session, and their roles."""

    person: Person
    session: Session
    memberships: Sequence[tuple[Membership, Campus]]

    @property
    def actor(self) -> Actor:
        return Actor(person_id=self.person.id)


@dataclass(frozen=True)
class NewSession:
    secret: str
    session: Session


@dataclass(frozen=True)
class Workplace:
    """A campus in which the person has a role."""

    campus: Campus
    roles: frozenset[Role]


class PeopleService:
    def __init__(
        self,
        people: PeopleStore,
        access: AccessStore,
        campuses: CampusStore,
        awards: AwardStore,
        history: HistoryStore,
        secret: bytes,
        clock: Clock,
    ) -> None:
        self.people = people
        self.access = access
        self.campuses = campuses
        self.awards = awards
        self.history = history
        self.secret = secret
        self.clock = clock

    def add_staff(
        self, campus: Campus, *, given_name: str, family_name: str, address: str, role: Role, by: Actor
    ) -> Person:
        check_name(given_name, family_name)
        at = self.clock()
        person = self.people.get_or_add(
            Person(given_name=given_name, family_name=family_name, created_at=at), normal_address(address)
        )
        self.people.vouch_for_address(person, normal_address(address), at=at)
        membership = Membership(person_id=person.id, campus_id=campus.id, role=role, since=at)
        self.people.add_membership(membership)
        self.history.write(
            by, "join", "membership", membership.id, at=at, campus_id=campus.id, role=role.value
        )
        return person

    def make_sign_in_link(self, person_id: uuid.UUID, *, by: Actor) -> str:
        """The secret of a link that opens one session, once, within ten minutes."""
        secret = secrets.token_urlsafe(32)
        at = self.clock()
        link = SignInLink(
            person_id=person_id, secret_digest=digest_of(secret), expires_at=at + SIGN_IN_LINK_LIFE
        )
        self.access.add(link)
        self.history.write(by, "make", "sign_in_link", link.id, at=at)
        return secret

    def sign_in_letter(self, address: str, link_of: Callable[[str], str]) -> Letter | None:
        """The letter with a link for whoever works somewhere under that address; None for anybody else."""
        person = self.find_staff_at(address)
        too_soon = self.clock() + SIGN_IN_LINK_LIFE - BETWEEN_SIGN_IN_LETTERS
        if person is None or self.access.has_link_until(person.id, too_soon):
            return None
        link = link_of(self.make_sign_in_link(person.id, by=Actor(label="sign-in page")))
        return Letter(
            normal_address(address),
            _("Votre lien de connexion à Sceau"),
            _(
                "Bonjour {name},\n\nCe lien ouvre votre espace campus, une seule fois, pendant dix minutes :\n\n"
                "{link}\n\nSi vous n’avez rien demandé, ne faites rien : sans ce lien, personne n’entre."
            ).format(name=person.name, link=link),
        )

    def first_with_role(self, campus: Campus, role: Role) -> Person | None:
        return self.people.first_with_role(campus.id, role, at=self.clock())

    def find_staff_at(self, address: str) -> Person | None:
        return self.people.find_staff_at(normal_address(address), at=self.clock())

    def sign_in(self, link_secret: str) -> NewSession:
        at = self.clock()
        link = self.access.find_link(link_secret)
        if link is None:
            raise NotSignedIn(N_("Ce lien n’ouvre rien. Demandez-en un nouveau."))
        use_link(link, at=at)
        self.access.add(link)
        self.access.sweep(at)
        opened = self._open_session(link.person_id, None, STAFF_SESSION_LIFE)
        self.history.write(Actor(person_id=link.person_id), "sign_in", "session", opened.session.id, at=at)
        return opened

    def private_link_token(self, award_id: uuid.UUID, generation: int) -> str:
        return f"{award_id}.{learner_link_proof(self.secret, award_id, generation)}"

    def open_private_link(self, token: str) -> NewSession:
        """A session that sees and governs one award; the link may be used again, the learner keeps it."""
        name, _, proof = token.partition(".")
        try:
            award = self.awards.find(uuid.UUID(name))
        except ValueError:
            award = None
        expected = learner_link_proof(self.secret, award.id, award.link_generation) if award else ""
        if award is None or not secrets.compare_digest(proof.encode(), expected.encode()):
            raise NotFound(N_("Ce lien n’ouvre aucun badge. Vérifiez qu’il est entier."))
        return self._open_session(award.person_id, award.id, LEARNER_SESSION_LIFE)

    def _open_session(self, person_id: uuid.UUID, award_id: uuid.UUID | None, life: timedelta) -> NewSession:
        secret, at = secrets.token_urlsafe(32), self.clock()
        session = Session(
            secret_digest=digest_of(secret),
            person_id=person_id,
            award_id=award_id,
            created_at=at,
            expires_at=at + life,
        )
        self.access.add(session)
        return NewSession(secret, session)

    def signed_in(self, session_secret: str | None) -> SignedIn:
        """Who holds this session, staff or learner; raises NotSignedIn."""
        session = self.access.find_session(session_secret) if session_secret else None
        if session is None:
            raise NotSignedIn(N_("Connectez-vous pour voir cette page."))
        check_session_lives(session, at=self.clock())
        person = self.people.get(session.person_id)
        # A learner's link proves the hold on one award, not an identity: it brings no role.
        memberships = [] if session.award_id else self.people.memberships_of(person.id)
        return SignedIn(person, session, memberships)

    def sign_out(self, signed_in: SignedIn) -> None:
        self.access.end_session(signed_in.session.id)

    def workplaces(self, signed_in: SignedIn) -> list[Workplace]:
        places: dict[uuid.UUID, Workplace] = {}
        rows = [membership for membership, _ in signed_in.memberships]
        for _membership, campus in signed_in.memberships:
            roles = roles_at(rows, campus.id, at=self.clock())
            if roles:
                places[campus.id] = Workplace(campus, roles)
        return list(places.values())

    def workplace(self, signed_in: SignedIn, slug: str) -> Workplace:
        """The campus, if the person works there; any other is as good as absent (T01)."""
        for place in self.workplaces(signed_in):
            if place.campus.slug == slug:
                return place
        raise NotFound(N_("Ce campus n’existe pas ici."))

    def create_token(
        self, campus: Campus, *, label: str, scopes: list[str], life: timedelta, by: Actor
    ) -> str:
        """The token, shown this once; only its digest is kept."""
        check_token_request(scopes, life)
        secret, at = TOKEN_PREFIX + secrets.token_urlsafe(32), self.clock()
        token = ApiToken(
            campus_id=campus.id,
            label=label,
            secret_digest=digest_of(secret),
            scopes=scopes,
            created_at=at,
            expires_at=at + life,
        )
        self.access.add(token)
        self.history.write(by, "create", "token", token.id, at=at, campus_id=campus.id, scopes=scopes)
        return secret

    def list_tokens(self, campus: Campus) -> Sequence[ApiToken]:
        return self.access.list_tokens(campus.id)

    def revoke_token(self, campus: Campus, token_id: uuid.UUID, *, by: Actor) -> None:
        """The token opens nothing any more; doing it again changes nothing."""
        token = next((token for token in self.access.list_tokens(campus.id) if token.id == token_id), None)
        if token is None:
            raise NotFound(N_("Ce campus n’a pas de jeton d’accès de ce nom."))
        if token.revoked_at is None:
            token.revoked_at = self.clock()
            self.access.add(token)
            self.history.write(by, "revoke", "token", token.id, at=self.clock(), campus_id=campus.id)

    def token_campus(self, secret: str, slug: str | None, scope: Scope) -> tuple[ApiToken, Campus]:
        """The token's campus, if the token opens `scope` there; another campus is as good as absent."""
        token = self.access.find_token(secret)
        if token is None:
            raise NotSignedIn(N_("Ce jeton d’accès n’est pas connu."))
        check_token(token, scope, at=self.clock())
        campus = self.campuses.get_by_id(token.campus_id)
        if slug is not None and campus.slug != slug:
            raise NotFound(N_("Ce campus n’existe pas ici."))
        return token, campus

    def allow_name(self, person_id: uuid.UUID, allowed: bool, *, by: Actor) -> None:
        person = self.people.get(person_id)
        person.allows_name = allowed
        self.people.session.add(person)
        self.history.write(by, "allow_name", "person", person.id, at=self.clock(), allowed=allowed)
