"""People, their roles, learners' private links, and API tokens."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db.accounts import OwnAddressStore, SignInStore
from app.db.activities import ActivityStore
from app.db.activities.plans import ActivityPlanStore
from app.db.awards import AwardStore
from app.db.awards.batches import BatchStore, ClaimCodeStore
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
from app.domain.awards.batches import is_handed_over
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, check_works
from app.domain.core import Clock, new_id
from app.domain.messages import LetterState, Occasion, QueuedMessage, letter_about, letter_to
from app.domain.people import (
    Person,
    Role,
    check_name,
    is_address,
    is_gone,
    is_own_address,
    masked_address,
    name_key,
    normal_address,
    roles_at,
)
from app.domain.people.consents import About, consent
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn
from app.language import N_, current_locale
from app.services.accounts.invitations import Memberships
from app.services.accounts.sessions import AccountNotices, NewSession, SessionService, SignedIn
from app.services.people.names import KNOWN_ELSEWHERE, NameService
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
        """Raises for the last address that opens the account."""
        removed = self._mine(who, address, proved=False)
        proved = [each for each in self.list_of(who.person.id) if each.verified_at]
        if removed.verified_at and len(proved) == 1:
            raise Conflict(
                "C’est votre seule adresse confirmée : ajoutez-en une autre avant de retirer celle-ci."
            )
        self.own.remove(who.person.id, address)
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


# --- Name and address of a person, corrected by the campus that wrote them down

NOT_YOURS = N_(
    "Vous corrigez les personnes de vos propres activités. Pour les autres, demandez à l’administration du campus."
)


class AddressOfAnother(Conflict):
    """The campus knows another person at that address; a correction there needs a confirmation that it is shared."""


@dataclass(frozen=True)
class CorrectionResult:
    address: bool = False
    name: bool = False
    badges: int = 0
    """How many carried the former name and are signed again."""


@dataclass(frozen=True)
class Correctable:
    """`address`: the one in use, empty without any; `refusal`: why neither it nor the name can be changed."""

    person: Person
    address: str
    refusal: NotAllowed | None = None


@dataclass(frozen=True, eq=False)
class CorrectionService:
    names: NameService
    people: PeopleStore
    own: OwnAddressStore
    sign_in: SignInStore
    activities: ActivityStore
    plans: ActivityPlanStore
    awards: AwardStore
    batches: BatchStore
    codes: ClaimCodeStore
    letters: LetterStore
    sessions: SessionService
    history: HistoryStore
    clock: Clock

    def is_own(self, campus: Campus, activity_id: uuid.UUID, person_id: uuid.UUID, by: Actor) -> bool:
        """Whether this trainer is named in the activity or recorded the participation; all are where the
        activity names no trainer. Raises NotFound for a person who did not take part."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        there = self.activities.participants_among(activity.id, person_ids=[person_id])
        if not there:
            raise NotFound("Cette personne n’existe pas ici.")
        trainers = {person.id for person in self.plans.trainers_of(activity.id)}
        return not trainers or by.person_id in trainers or there[0][0].recorded_by == by.person_id

    def find(self, campus: Campus, person_id: uuid.UUID) -> Correctable:
        try:
            person, refusal = self.names.check_correctable(campus, person_id), None
        except NotAllowed as error:
            person, refusal = self.people.get(person_id), error
        return Correctable(person, self.people.addresses_of([person_id]).get(person_id, ""), refusal)

    def correct(
        self,
        campus: Campus,
        person_id: uuid.UUID,
        given: str,
        family: str,
        address: str,
        *,
        by: Actor,
        is_shared: bool = False,
    ) -> CorrectionResult:
        """Only what differs. An address that its person proved is never replaced."""
        self.names.lock(campus, person_id)
        found = self.find(campus, person_id)
        if found.refusal is not None:
            raise found.refusal
        person, wanted = found.person, normal_address(address)
        is_moved = wanted != found.address
        is_renamed = (given.strip(), family.strip()) != (person.given_name, person.family_name)
        if is_moved:
            if wanted:
                self._check_address(campus, person, wanted, (given, family), by)
            if wanted and not is_shared:
                self._check_own_address(campus, person, wanted)
            self._replace_address(campus, person, wanted, by)
        badges = self.names.correct_in_campus(campus, person_id, given, family, by=by) if is_renamed else 0
        return CorrectionResult(is_moved, is_renamed, badges)

    def _check_own_address(self, campus: Campus, person: Person, wanted: str) -> None:
        others = [
            other.name
            for other, _ in self.own.people_at(wanted)
            if other.id != person.id and not is_gone(other) and self.names.knows(campus, other.id)
        ]
        if others:
            raise AddressOfAnother(
                N_("Cette adresse est déjà celle de {name} : les e-mails et le lien privé y arriveraient."),
                name=", ".join(others),
            )

    def _replace_address(self, campus: Campus, person: Person, wanted: str, by: Actor) -> None:
        at = self.clock()
        formers = set(self.people.all_addresses(person.id))
        self.people.forget_unverified(person, formers - {wanted})
        if wanted:
            self.people.add_address(person, wanted)
        # A link that waits in the false mailbox would prove the false address.
        self.sign_in.drop_links_of(person.id)
        awards = self.awards.standing_of_person(person.id, campus.id)
        self._redirect_letters(person, awards, formers - {wanted}, wanted)
        self.history.write(by, "correct_address", "person", person.id, at=at, campus_id=campus.id)

    def _check_address(
        self, campus: Campus, person: Person, wanted: str, name: tuple[str, str], by: Actor
    ) -> None:
        if not is_address(wanted):
            raise InvalidInput("Cette adresse n’est pas complète. Exemple : prenom.nom@lycee.fr")
        if by.person_id is not None and is_own_address(wanted, self.people.all_addresses(by.person_id)):
            raise InvalidInput("Cette adresse est la vôtre : un badge ne se donne pas à soi-même.")
        twin = self.people.find_named_at(wanted, name_key(*name))
        if twin is None or twin.id == person.id:
            return
        if not self.names.knows(campus, twin.id):
            # As where the person themselves is known elsewhere: no second record is named that only others have.
            raise NotAllowed(KNOWN_ELSEWHERE)
        raise Conflict(
            "Une autre fiche porte déjà ce nom à cette adresse. Fusionnez les deux fiches d’abord."
        )

    def _redirect_letters(
        self, person: Person, awards: Sequence[Award], formers: set[str], wanted: str
    ) -> None:
        """Waiting messages go to the right address; what already reached a false one no longer opens anything."""
        self.letters.readdress_waiting(person.id, formers, wanted)
        has_left = self.letters.has_left_for(person.id, formers)
        letters = self.letters.of_awards([award.id for award in awards])
        for award in awards:
            about = [letter for letter in letters if letter.award_id == award.id]
            was_opened = award.link_opened_at is not None or award.claimed_at is not None
            waits = any(each.state is LetterState.WAITING for each in about)
            if formers and (has_left or was_opened or not waits):
                self._close_links(award)
            if wanted:
                self._announce(award, about, wanted)

    def _close_links(self, award: Award) -> None:
        award.link_generation += 1
        award.link_opened_at = award.claimed_at = None
        self.awards.save(award)
        self.codes.forget([award.id])
        self.sessions.end_learners_of(award.id)

    def _announce(self, award: Award, about: Sequence[QueuedMessage], wanted: str) -> None:
        """A message to the right address, where none waits already; not before the time to undo is over."""
        announced = [each for each in about if each.occasion == Occasion.AWARDED]
        if any(each.state is LetterState.WAITING for each in announced):
            return
        batch = self.batches.find(award.batch_id) if award.batch_id else None
        if not announced and batch is not None and not batch.tells:
            return
        at, not_before = self.clock(), None
        if batch is not None and not is_handed_over(batch, at=self.clock()):
            not_before = batch.undo_until
        letter = letter_about(award, wanted, at=at, not_before=not_before)
        if announced:
            letter.once_key = f"{letter.once_key}/{len(announced) + 1}"
            letter.promised_at = max(at, announced[-1].promised_at + timedelta(seconds=1))
        self.letters.enqueue_many([letter])
