"""People, their roles, learners' private links, and API tokens."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db.accounts import OwnAddressStore, SignInStore
from app.db.awards import AwardStore
from app.db.awards.batches import ClaimCodeStore
from app.db.campus import CampusStore, HistoryStore
from app.db.campus.integration import AccessStore
from app.db.messages import LetterStore
from app.db.people import PeopleStore
from app.db.people.privacy import ConsentStore
from app.domain.accounts.sessions import (
    ApiToken,
    Scope,
    check_token,
    check_token_label,
    check_token_request,
    digest_of,
    learner_link_proof,
)
from app.domain.accounts.sign_in import (
    Challenge,
    Changed,
    SignInRequest,
    address_challenge,
    answer_challenge,
    check_room_for_address,
    is_address_code,
    proof_of_address,
    read_address,
)
from app.domain.awards import Award
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, check_works
from app.domain.core import Clock, new_id
from app.domain.messages import Occasion, letter_to
from app.domain.people import (
    Person,
    Role,
    check_name,
    masked_address,
    normal_address,
    roles_at,
)
from app.domain.people.consents import About, consent
from app.errors import (
    Conflict,
    NotFound,
    NotSignedIn,
)
from app.language import N_, current_locale
from app.services.accounts.invitations import Memberships
from app.services.accounts.sessions import AccountNotices, NewSession, SessionService, SignedIn
from app.services.people.record_merge import MergingService

TOKEN_PREFIX = "sceau_"  # noqa: S105 - identifies leaked tokens; not a secret


class LinksTurnedOff(NotSignedIn):
    """The link is valid, but the badge's holder only allows signed-in access."""

    def __init__(self, award_id: uuid.UUID) -> None:
        super().__init__(N_("Connectez-vous pour voir ce badge : ses liens privés n’ouvrent plus rien."))
        self.award_id = award_id


@dataclass(frozen=True)
class Workplace:
    """A campus in which the person has a role."""

    campus: Campus
    roles: frozenset[Role]


@dataclass(frozen=True)
class TokenMade:
    """A token and who created it; `label`: of the command, where no person did."""

    token: ApiToken
    person: Person | None
    label: str
    works: bool
    is_left: bool
    """Its creator no longer administers the campus."""


@dataclass(frozen=True, eq=False)
class PrivateLinks:
    awards: AwardStore
    codes: ClaimCodeStore
    sessions: SessionService

    def replace(self, award: Award) -> None:
        """Invalidates the current private link and code, and browser sessions opened with them."""
        award.link_generation += 1
        self.awards.save(award)
        self.codes.forget([award.id])
        self.sessions.end_learners_of(award.id)


@dataclass(frozen=True, eq=False)
class PeopleService:
    people: PeopleStore
    own_addresses: OwnAddressStore
    access: AccessStore
    sessions: SessionService
    memberships: Memberships
    campuses: CampusStore
    awards: AwardStore
    consents: ConsentStore
    history: HistoryStore
    secret: bytes
    clock: Clock

    def add_staff(
        self, campus: Campus, *, given_name: str, family_name: str, address: str, role: Role, by: Actor
    ) -> Person:
        check_name(given_name, family_name)
        at = self.clock()
        person = self.own_addresses.owner_of(
            Person(given_name=given_name, family_name=family_name, created_at=at),
            normal_address(address),
            at=at,
        )
        self.memberships.give(campus, person, role, by=by)
        return person

    def first_with_role(self, campus: Campus, role: Role) -> Person | None:
        return self.people.first_with_role(campus.id, role, at=self.clock())

    def private_link_token(self, award_id: uuid.UUID, generation: int) -> str:
        return f"{award_id}.{learner_link_proof(self.secret, award_id, generation)}"

    def links_to_hand(self, award_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
        """The private links that a campus may hand over, by award: of people without an account or role.

        Others find the badge in their account, so staff never receive a link that opens it.
        """
        found = self.awards.holders_of(award_ids)
        own = self.own_addresses.with_account_or_role({person_id for person_id, _ in found.values()})
        return {
            award_id: self.private_link_token(award_id, generation)
            for award_id, (person_id, generation) in found.items()
            if person_id not in own
        }

    def _proves(self, proof: str, award_id: uuid.UUID, generation: int) -> bool:
        expected = learner_link_proof(self.secret, award_id, generation)
        return secrets.compare_digest(proof.encode(), expected.encode())

    def open_private_link(self, token: str, *, browser: str = "") -> NewSession:
        """A session that can view and manage one award; the link is reusable and stays with the learner."""
        name, _, proof = token.partition(".")
        try:
            award = self.awards.find(uuid.UUID(name))
        except ValueError:
            award = None
        if award is None:
            self._check_not_erased(name)
        if award is None or not self._proves(proof, award.id, self.awards.lock(award.id).link_generation):
            earlier = range(award.link_generation) if award else ()
            if award and any(self._proves(proof, award.id, generation) for generation in earlier):
                raise NotFound(
                    "Ce lien a été remplacé par le campus et n’ouvre plus rien. Votre badge existe toujours. Prenez le "
                    "lien de l’e-mail ou du bulletin le plus récent, ou demandez-le au campus."
                )
            raise NotFound("Ce lien n’ouvre aucun badge. Vérifiez qu’il est entier.")
        if not self.people.get(award.person_id).accepts_links:
            raise LinksTurnedOff(award.id)
        return self.sessions.enter_as_learner(award.person_id, award.id, browser=browser)

    def _check_not_erased(self, name: str) -> None:
        with suppress(ValueError):
            self.awards.check_not_erased(uuid.UUID(name))

    def workplaces(self, signed_in: SignedIn) -> list[Workplace]:
        places: dict[uuid.UUID, Workplace] = {}
        rows = [membership for membership, _ in signed_in.memberships]
        for _membership, campus in signed_in.memberships:
            roles = roles_at(rows, campus.id, at=self.clock())
            if roles:
                places[campus.id] = Workplace(campus, roles)
        return list(places.values())

    def workplace(self, signed_in: SignedIn, slug: str) -> Workplace:
        """The campus, if the person works there; else raises NotFound (T01)."""
        for place in self.workplaces(signed_in):
            if place.campus.slug == slug:
                check_works(place.campus)
                return place
        raise NotFound("Ce campus n’existe pas ici.")

    def create_token(
        self,
        campus: Campus,
        *,
        label: str,
        scopes: list[str],
        life: timedelta,
        by: Actor,
        once: uuid.UUID | None = None,
    ) -> str:
        """The token, shown only once; only its digest is stored. A second request with the same `once` replaces the
        secret: the answer to the first may be lost."""
        check_token_label(label)
        check_token_request(scopes, life)
        secret, at = TOKEN_PREFIX + secrets.token_urlsafe(32), self.clock()
        made = next((each for each in self.list_tokens(campus) if each.id == once), None) if once else None
        if made is not None:
            made.secret_digest = digest_of(secret)
            self.access.add(made)
            return secret
        token = ApiToken(
            id=once or new_id(),
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

    def list_tokens_made(self, campus: Campus, administrators: Collection[uuid.UUID]) -> list[TokenMade]:
        """With who created each; `administrators`: those of today."""
        creators, at = self.access.creators_of_tokens(campus.id), self.clock()
        found = []
        for token in self.access.list_tokens(campus.id):
            entry, person = creators.get(token.id, (None, None))
            works = token.revoked_at is None and at < token.expires_at
            by_person = entry is not None and not entry.actor_label
            is_left = by_person and (person is None or person.id not in administrators)
            label = entry.actor_label if entry else ""
            found.append(TokenMade(token, person, label, works=works, is_left=is_left))
        return found

    def revoke_token(self, campus: Campus, token_id: uuid.UUID, *, by: Actor) -> None:
        """Revoke the token. Idempotent."""
        token = next((token for token in self.access.list_tokens(campus.id) if token.id == token_id), None)
        if token is None:
            raise NotFound("Ce campus n’a pas de jeton d’accès de ce nom.")
        if self.access.hold_row(token).revoked_at is None:
            token.revoked_at = self.clock()
            self.access.add(token)
            self.history.write(by, "revoke", "token", token.id, at=self.clock(), campus_id=campus.id)

    def token_campus(self, secret: str, slug: str | None, scope: Scope) -> tuple[ApiToken, Campus]:
        """The token's campus, if the token grants `scope` there; raises NotFound for another campus."""
        token = self.access.find_token(secret)
        if token is None:
            raise NotSignedIn("Ce jeton d’accès n’est pas connu.")
        check_token(token, scope, at=self.clock())
        campus = self.campuses.get_by_id(token.campus_id)
        check_works(campus)
        if slug is not None and campus.slug != slug:
            raise NotFound("Ce campus n’existe pas ici.")
        return token, campus

    def allow_name(self, person_id: uuid.UUID, allowed: bool, *, by: Actor) -> None:
        self.people.lock_all([person_id])
        person = self.people.get(person_id)
        said = [each for each in self.consents.of_person(person_id) if each.about is About.NAME]
        if person.allows_name is allowed and said and said[0].given is allowed:
            return
        person.allows_name = allowed
        self.people.session.add(person)
        self.consents.add(consent(About.NAME, person.id, given=allowed, at=self.clock()))
        self.history.write(by, "allow_name", "person", person.id, at=self.clock(), allowed=allowed)


_NOT_YOURS = N_("Cette adresse n’est pas dans votre compte.")
_NO_CHALLENGE = N_("Ce lien ne confirme rien : il a expiré, ou il a déjà servi. Redemandez un e-mail.")


@dataclass(frozen=True)
class OwnAddress:
    address: str
    is_main: bool
    verified_at: datetime | None


@dataclass(frozen=True)
class StoredAddress:
    """`offers`: another record has the verified address; the person decides whether it is theirs."""

    address: str
    offers: bool


@dataclass(frozen=True, eq=False)
class OwnAddressService:
    own: OwnAddressStore
    challenges: SignInStore
    letters: LetterStore
    links: PrivateLinks
    notices: AccountNotices
    sessions: SessionService
    merging: MergingService
    end_self_awards_of: Callable[[uuid.UUID], None]
    history: HistoryStore
    secret: bytes
    clock: Clock

    def list_of(self, person_id: uuid.UUID) -> list[OwnAddress]:
        """Verified addresses first, then those entered by campuses."""
        rows = self.own.list_of(person_id)
        proved = [row for row in rows if row.verified_at is not None]
        main = next((row for row in proved if row.is_main), proved[0] if proved else None)
        return [OwnAddress(row.address, row is main, row.verified_at) for row in rows]

    def waiting(self, person_id: uuid.UUID) -> Sequence[Challenge]:
        """Verification requests not answered yet, oldest first."""
        asked = self.challenges.challenges_of(person_id, SignInRequest.ADDRESS, at=self.clock())
        return [each for each in asked if not each.facts.get("proved")]

    # --- adding an address

    def ask(self, who: SignedIn, typed: str) -> Challenge:
        """Send a verification e-mail; the address grants no access until verified."""
        address, at = read_address(typed), self.clock()
        self.sessions.hold(who)
        mine = self.list_of(who.person.id)
        if any(each.address == address and each.verified_at for each in mine):
            raise Conflict("Cette adresse est déjà confirmée.")
        waiting = self.waiting(who.person.id)
        for each in waiting:
            if each.facts["address"] == address:
                self.challenges.remove(each)
        check_room_for_address(
            sum(each.verified_at is not None for each in mine)
            + sum(each.facts["address"] != address for each in waiting)
        )
        challenge = address_challenge(self.secret, who.person.id, address, language=current_locale(), at=at)
        self.challenges.add(challenge)
        self.letters.enqueue_many(
            [letter_to(address, Occasion.ADDRESS_CONFIRM, challenge.id, person_id=who.person.id, at=at)]
        )
        self._note(who, "ask_address")
        return challenge

    def drop_waiting(self, who: SignedIn, challenge_id: uuid.UUID) -> None:
        for each in self.waiting(who.person.id):
            if each.id == challenge_id:
                self.challenges.remove(each)

    def asked_by(self, token: str) -> Challenge:
        """The request behind the e-mail's link; raises NotFound if it is no longer valid."""
        challenge = self.challenges.find_challenge(token)
        if (
            challenge is None
            or challenge.asked is not SignInRequest.ADDRESS
            or challenge.expires_at <= self.clock()
        ):
            raise NotFound(_NO_CHALLENGE)
        return challenge

    def confirm(self, who: SignedIn, token: str) -> StoredAddress:
        """Verify the address for the person; only the session that asked may do so."""
        self.asked_by(token)
        self.sessions.hold(who)
        challenge = answer_challenge(
            self.challenges.take_challenge(token),
            asked=SignInRequest.ADDRESS,
            at=self.clock(),
            person_id=who.person.id,
        )
        return self._keep(who, challenge)

    def confirm_by_code(self, who: SignedIn, challenge_id: uuid.UUID, typed: str) -> StoredAddress:
        self.sessions.hold(who)
        challenge = next((each for each in self.waiting(who.person.id) if each.id == challenge_id), None)
        if challenge is None:
            raise NotFound(_NO_CHALLENGE)
        if not is_address_code(typed, self.secret, challenge.id):
            raise NotSignedIn("Ce code n’est pas celui de l’e-mail. Vérifiez les huit signes.")
        self.challenges.remove(challenge)
        return self._keep(who, challenge)

    def _keep(self, who: SignedIn, challenge: Challenge) -> StoredAddress:
        address, at = str(challenge.facts["address"]), self.clock()
        twin = self.merging.twin_at(who.person, address)
        if twin is not None and not self.merging.is_nobody_else_s(twin):
            # An account with that name and address must decide first whether both records are one person.
            self.challenges.add(proof_of_address(who.person.id, address, at=at))
            return StoredAddress(address, offers=True)
        if twin is not None:
            self.merging.absorb(who, twin)
        self.own.people.add_address(who.person, address)
        self.own.verify(who.person, address, at=at)
        self._note(who, "prove_address")
        self.end_self_awards_of(who.person.id)
        self.notices.tell(who.person, Changed.ADDRESS_ADDED, named=[masked_address(address)], but=[address])
        return StoredAddress(address, offers=bool(self.merging.offered_to(who.person)))

    # --- order and removal

    def make_main(self, who: SignedIn, address: str) -> None:
        self._mine(who, address)
        if self.own.make_main(who.person.id, address):
            self._note(who, "choose_main_address")
            self.notices.tell(who.person, Changed.MAIN_ADDRESS, named=[masked_address(address)])

    def remove(self, who: SignedIn, address: str) -> None:
        """Private links that were sent there end too. Raises for the last address that opens the account."""
        removed = self._mine(who, address, proved=False)
        proved = [each for each in self.list_of(who.person.id) if each.verified_at]
        if removed.verified_at and len(proved) == 1:
            raise Conflict(
                "C’est votre seule adresse confirmée : ajoutez-en une autre avant de retirer celle-ci."
            )
        self.own.remove(who.person.id, address)
        with self.own.tenant_scope.across_campuses():
            for award in self.letters.awards_announced_at(who.person.id, address):
                self.links.replace(award)
        self._note(who, "remove_address")
        if removed.verified_at:
            self.notices.tell(
                who.person, Changed.ADDRESS_REMOVED, named=[masked_address(address)], also=[address]
            )
            self.sessions.end_all(who, but_this=True)

    def _mine(self, who: SignedIn, address: str, *, proved: bool = True) -> OwnAddress:
        self.sessions.hold(who)
        for each in self.list_of(who.person.id):
            if each.address == address and (each.verified_at or not proved):
                return each
        raise NotFound(_NOT_YOURS)

    def _note(self, who: SignedIn, action: str) -> None:
        self.history.write(who.actor, action, "person", who.person.id, at=self.clock())
