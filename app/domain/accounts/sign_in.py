"""Sign-in methods: single-use links, passwords, and challenges that accept one answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from sqlmodel import BigInteger, Field, SQLModel, UniqueConstraint

from app.domain.accounts.sessions import FRESH, digest_of
from app.domain.core import enum_column, foreign_key, json_column, new_id, primary_foreign_key, utc_datetime
from app.domain.people import Person, is_address, normal_address
from app.errors import Conflict, InvalidInput, NotSignedIn, Unavailable
from app.language import N_

SIGN_IN_LINK_LIFE = timedelta(minutes=10)
CHALLENGE_LIFE = timedelta(minutes=5)
ADDRESS_LINK_LIFE = timedelta(hours=24)
MOST_CODES_TRIED = 5
_CODE_SIGNS = 8


class SignInLink(SQLModel, table=True):
    """`browser_digest` names the browser that asked; a link made by an operator works in any browser.

    `address` is the recipient of the e-mail; opening the link proves that the person reads mail there.
    """

    __tablename__ = "sign_in_link"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    secret_digest: str = Field(unique=True, max_length=64)
    browser_digest: str = Field(default="", max_length=64, index=True)
    codes_tried: int = Field(default=0)
    address: str = Field(default="", max_length=254)
    expires_at: datetime = Field(sa_column=utc_datetime())
    used_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class Password(SQLModel, table=True):
    __tablename__ = "password"
    person_id: uuid.UUID = Field(sa_column=primary_foreign_key("person"))
    hash: str = Field(max_length=300)
    set_at: datetime = Field(sa_column=utc_datetime())


class SignInRequest(StrEnum):
    """The purpose of a challenge; it cannot be answered for another purpose."""

    PASSKEY_SIGN_IN = "passkey_sign_in"
    PASSKEY_ENROL = "passkey_enrol"
    OIDC = "oidc"
    ADDRESS = "address"
    LINK = "link"
    """Asked for on the sign-in page: its e-mail is not sent yet."""
    LTI = "lti"
    """A launch from a course platform."""


class Challenge(SQLModel, table=True):
    """A challenge issued to one browser or person, deleted when answered."""

    __tablename__ = "challenge"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    asked: SignInRequest = Field(sa_column=enum_column(SignInRequest, name="challenge_asked"))
    secret_digest: str = Field(unique=True, max_length=64)
    person_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("person", nullable=True))
    browser_digest: str = Field(default="", max_length=64)
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    expires_at: datetime = Field(sa_column=utc_datetime(index=True))


class OtherBrowser(Conflict):
    """The link is valid, but only in the browser that asked for it."""


def use_link(link: SignInLink, *, browser_digest: str, at: datetime) -> None:
    """Use the link up in the browser that asked; another browser leaves it unchanged."""
    check_link_lives(link, at=at)
    if link.browser_digest and not hmac.compare_digest(link.browser_digest, browser_digest):
        raise OtherBrowser(
            N_(
                "Ce lien a été demandé dans un autre navigateur. Il n’ouvre de session que là où il a été demandé."
            )
        )
    link.used_at = at


def check_link_lives(link: SignInLink, *, at: datetime) -> None:
    if link.used_at is not None:
        raise NotSignedIn("Ce lien a déjà servi. Demandez-en un nouveau.")
    if at >= link.expires_at:
        raise NotSignedIn("Ce lien a expiré. Demandez-en un nouveau.")


def code_of(link: SignInLink, key: bytes) -> str:
    """Shown in the browser that opened the e-mail, to be typed in the browser that asked:

    `ABCD-EFGH`, 40 bits.
    """
    message = b"code of link|" + link.secret_digest.encode()
    code = base64.b32encode(hmac.digest(key, message, hashlib.sha256)).decode()[:_CODE_SIGNS]
    return f"{code[:4]}-{code[4:]}"


def is_code(typed: str, link: SignInLink, key: bytes) -> bool:
    """Whether that is the link's code, however it was spaced; rate limits allow only a few tries per link."""
    if link.codes_tried > MOST_CODES_TRIED:
        return False
    plain = "".join(sign for sign in typed.upper() if sign.isalnum())
    return hmac.compare_digest(plain.encode(), code_of(link, key).replace("-", "").encode())


def answer_challenge(
    challenge: Challenge | None,
    *,
    asked: SignInRequest,
    at: datetime,
    browser_digest: str = "",
    person_id: uuid.UUID | None = None,
) -> Challenge:
    """The challenge, if it was issued to this browser or person, for this purpose, a few minutes ago."""
    good = (
        challenge is not None
        and challenge.asked is asked
        and at < challenge.expires_at
        and hmac.compare_digest(challenge.browser_digest, browser_digest)
        and (challenge.person_id is None or challenge.person_id == person_id)
    )
    if challenge is None or not good:
        raise NotSignedIn("Cette étape a expiré ou a déjà servi. Recommencez.")
    return challenge


SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024
# What attackers guess first, in French and in English; longer strings precede those they contain.
_OBVIOUS = re.split(
    r"\s+",
    "administrateur administrator administration motdepasse motdepass password passwort passphrase "
    "bienvenue bonjour welcome formation formateur enseignant professeur apprenant etudiant campus lycee college "
    "sceau badges badge openbadge secret azertyuiop qwertyuiop azerty qwerty qsdfghjklm asdfghjkl wxcvbn zxcvbn "
    "soleil sunshine princess princesse dragon monkey football marseille chocolat doudou loulou iloveyou jetaime "
    "letmein changeme changezmoi printemps automne hiver janvier fevrier mars avril juin juillet aout "
    "septembre octobre novembre decembre superman batman master default temporaire provisoire test user admin root "
    "france paris lyon dijon creusot vesoul montbeliard cluny education nationale abcdefghijklmnopqrstuvwxyz",
)
_RUNS = (
    "01234567890123456789",
    "98765432109876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "azertyuiop",
    "qwertyuiop",
)
_LEET = str.maketrans("@4301!5$7+", "aaeoiisstt")
# Least number of hard-to-guess characters, and of different ones among them.
_LEAST_LEFT = 6
_LEAST_DIFFERENT = 5
_SHORTEST_CONTEXT = 4


def normal_password(text: str) -> str:
    """One normal form of what keyboards and systems encode in several ways (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", text)


def check_password(password: str, *, context: Iterable[str] = ()) -> None:
    """`context`: the person's names, addresses and other public facts about them."""
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidInput(
            "Ce mot de passe est trop court : au moins {least} signes. Une phrase fait très bien l’affaire.",
            least=SHORTEST_PASSWORD,
        )
    if len(password) > LONGEST_PASSWORD:
        raise InvalidInput("Ce mot de passe est trop long : {most} signes au plus.", most=LONGEST_PASSWORD)
    plain = _plain(password)
    own = {word for text in context for word in re.split(r"[\W_]+", _plain(text))}
    own = {word for word in own if len(word) >= _SHORTEST_CONTEXT}
    for reading in (plain, plain.translate(_LEET)):
        left = reading
        for word in sorted((*own, *_OBVIOUS), key=len, reverse=True):
            left = left.replace(word, "\x00")
        left = _without_runs(left).replace("\x00", "")
        left = re.sub(r"(19|20)\d\d|[\W_]", "", left)
        if len(left) < _LEAST_LEFT or len(set(left)) < _LEAST_DIFFERENT:
            raise InvalidInput(
                "Ce mot de passe se devine. Il tient à des mots courants, à une suite de touches, à votre nom ou à votre adresse. Prenez quatre ou cinq mots sans rapport entre eux."
            )


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def _without_runs(text: str) -> str:
    """`text` without keyboard runs of four or more characters and without repeated characters."""
    text = re.sub(r"(.{1,4}?)\1{2,}", r"\1", text)
    for run in _RUNS:
        for length in range(len(run), 3, -1):
            for start in range(len(run) - length + 1):
                text = text.replace(run[start : start + length], "\x00")
    return text


MOST_PASSKEYS = 20
LONGEST_NAME = 60


class Passkey(SQLModel, table=True):
    """`credential_id` is in base64url; `sign_count` only grows if the authenticator has a counter."""

    __tablename__ = "passkey"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    credential_id: str = Field(unique=True, max_length=1400)
    public_key: bytes
    sign_count: int = Field(default=0, sa_type=BigInteger)
    name: str = Field(max_length=LONGEST_NAME)
    created_at: datetime = Field(sa_column=utc_datetime())
    used_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


def check_passkey_name(name: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME:
        raise InvalidInput(
            "Donnez à cette clé un nom de 1 à {most} signes, par exemple « Téléphone ».",
            most=LONGEST_NAME,
        )


def check_room_for_passkey(count: int) -> None:
    if count >= MOST_PASSKEYS:
        raise Conflict("Vous avez déjà {most} clés. Retirez-en une d’abord.", most=MOST_PASSKEYS)


@dataclass(frozen=True)
class Asking:
    """The new key's user: the name the authenticator shows, and the user handle it returns."""

    handle: bytes
    name: str
    address: str


@dataclass(frozen=True)
class PasskeyChallenge:
    """`options` is for the browser; the answer repeats `challenge` (base64url)."""

    challenge: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    challenge: str
    credential_id: str
    handle: bytes | None


@dataclass(frozen=True)
class NewKey:
    credential_id: str
    public_key: bytes
    sign_count: int


class Ceremonies(Protocol):
    def ask_for_new(self, asking: Asking, known: Iterable[str]) -> PasskeyChallenge: ...

    def ask_for_known(self, known: Iterable[str]) -> PasskeyChallenge: ...

    def challenge_of_new(self, response: str) -> str: ...

    def read(self, response: str) -> Answer: ...

    def check_new(self, response: str, challenge: str) -> NewKey: ...

    def check(self, response: str, challenge: str, public_key: bytes) -> int: ...


class PasskeyRefused(NotSignedIn):
    def __init__(self, sentence: str = "") -> None:
        super().__init__(
            sentence
            or N_("Cette clé d’accès n’a pas été reconnue. Recommencez, ou entrez d’une autre façon.")
        )


class CopiedKey(PasskeyRefused):
    """Two authenticators sign with a key that only one should hold."""

    def __init__(self, passkey_id: uuid.UUID) -> None:
        super().__init__(
            N_(
                "Cette clé d’accès semble avoir été copiée : nous ne l’acceptons pas. Demandez à l’administration de votre campus de retirer vos clés, puis enregistrez-en une nouvelle."
            )
        )
        self.passkey_id = passkey_id


def check_count(passkey: Passkey, counted: int) -> None:
    """A signature counter, where present, must increase (WebAuthn, section 6.1.1)."""
    if (counted or passkey.sign_count) and counted <= passkey.sign_count:
        raise CopiedKey(passkey.id)


LINK_LIFE = timedelta(days=7)


class Wish(StrEnum):
    """What the holder of an award requests about all their personal data."""

    ARCHIVE = "a"
    ERASURE_HERE = "c"
    ERASURE_EVERYWHERE = "t"


def mailbox_token(secret: bytes, award_id: uuid.UUID, asked_at: datetime, wish: Wish) -> str:
    """The unguessable part of such a link."""
    signed = f"{award_id.hex}.{int(asked_at.timestamp())}.{wish.value}"
    return f"{signed}.{_mac(secret, signed)}"


def read_mailbox_token(secret: bytes, token: str, *, at: datetime) -> tuple[uuid.UUID, Wish]:
    """The award and the request; raises NotSignedIn if the link is invalid or too old."""
    signed, _, mac = token.rpartition(".")
    parts, expected = signed.split("."), _mac(secret, signed)
    if len(parts) != 3 or not hmac.compare_digest(mac.encode("utf-8", "replace"), expected.encode()):
        raise NotSignedIn("Ce lien n’est pas entier. Reprenez celui de l’e-mail.")
    if at >= datetime.fromtimestamp(int(parts[1]), UTC) + LINK_LIFE:
        raise NotSignedIn("Ce lien a plus de sept jours et n’ouvre plus rien. Redemandez-le.")
    return uuid.UUID(parts[0]), Wish(parts[2])


def mailbox_token_time(token: str) -> datetime:
    """When the e-mail with a valid token was asked for."""
    return datetime.fromtimestamp(int(token.split(".")[1]), UTC)


def _mac(secret: bytes, signed: str) -> str:
    message = b"mailbox|" + signed.encode("utf-8", "replace")
    return hmac.new(secret, message, hashlib.sha256).hexdigest()[:40]


AWAY = timedelta(minutes=15)
"""Time allowed at the identity provider: a second factor may take a while to find."""
CLOCKS_APART = timedelta(minutes=1)


class FederatedAccount(SQLModel, table=True):
    """Keyed on issuer and subject: an address can change owner, a subject cannot."""

    __tablename__ = "federated_account"
    __table_args__ = (
        UniqueConstraint("issuer", "subject", name="one_person_for_issuer_and_subject"),
        UniqueConstraint("issuer", "person_id", name="one_subject_for_issuer_and_person"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    issuer: str = Field(max_length=400)
    subject: str = Field(max_length=255)
    linked_at: datetime = Field(sa_column=utc_datetime())


class Purpose(StrEnum):
    """Why a browser was sent to the identity provider; the response is valid for this purpose only."""

    ENTER = "enter"
    LINK = "link"
    PROVE = "prove"


@dataclass(frozen=True)
class AuthorizationRequest:
    """The request sent to the identity provider.

    `again` requires a new sign-in instead of its existing session.
    """

    state: str
    nonce: str
    verifier: str
    again: bool = False


@dataclass(frozen=True)
class Identity:
    """The identity provider's claims about the person; `address` is empty unless the provider verified it.

    `proved_at` is when they last authenticated there, None if the provider does not state it.
    """

    issuer: str
    subject: str
    address: str = ""
    proved_at: datetime | None = None


class IdentityProvider(Protocol):
    """An identity provider, as configured by the operator."""

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def issuer(self) -> str: ...

    def vouches_for(self, address: str) -> bool:
        """Whether the operator trusts this provider to vouch for that address."""

    def question_url(self, question: AuthorizationRequest) -> str:
        """The authorisation URL; raises ProviderDown."""

    def identity(self, code: str, question: AuthorizationRequest, *, at: datetime) -> Identity:
        """The identity for that code; raises ProviderDown or ProviderRefused."""

    def names_itself(self) -> bool:
        """Whether each of its answers names it (RFC 9207); raises ProviderDown."""

    def leaving_url(self) -> str:
        """The provider's logout URL; empty if it has none."""


class ProviderDown(Unavailable):
    """The provider does not answer, or answers incorrectly; the person signing in is not at fault."""


class ProviderRefused(NotSignedIn):
    """The response proves nothing."""


class Unlinked(NotSignedIn):
    """A valid account of the provider that is linked to no person here."""


def question_of(state: str, key: bytes, *, again: bool = False) -> AuthorizationRequest:
    """Derived from the state, which only its browser holds: the database stores no secret of it."""
    return AuthorizationRequest(state, _derived("nonce", state, key), _derived("verifier", state, key), again)


def _derived(what: str, state: str, key: bytes) -> str:
    made = hmac.digest(key, f"openid {what}|{state}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def proved_at(identity: Identity, *, at: datetime) -> datetime:
    """Without a claim from the provider: too old for any action that requires a recent proof."""
    return identity.proved_at or at - FRESH - timedelta(seconds=1)


def check_proved_anew(identity: Identity, *, asked_at: datetime) -> None:
    """An existing session at the provider does not count as a recent proof."""
    if identity.proved_at is None or identity.proved_at < asked_at - CLOCKS_APART:
        raise ProviderRefused(
            N_(
                "Ce service ne vous a pas demandé de vous identifier de nouveau, ou ne le dit pas. Confirmez d’une autre façon."
            )
        )


def person_for(identity: Identity, staff: Sequence[Person], *, is_vouched: bool) -> Person:
    """The one person to whom a new account may be linked, by its verified address."""
    if not identity.address or not is_vouched:
        raise Unlinked(
            N_(
                "Ce compte n’est relié à personne ici. Entrez une première fois avec un lien, puis reliez-le dans « Mon compte »."
            )
        )
    if len(staff) != 1:
        raise Unlinked(
            N_(
                "Personne ne travaille pour un campus avec l’adresse de ce compte, ou plusieurs personnes la partagent. Demandez une invitation à l’administration de votre campus ; pour des badges reçus, entrez avec un lien."
            )
        )
    return staff[0]


# --- A person's own e-mail addresses: add, verify by e-mail, reorder, remove

MOST_ADDRESSES = 8
"""Proved and waiting together."""
PROOF_LIFE = timedelta(hours=1)


def read_address(typed: str) -> str:
    address = normal_address(typed)
    if not is_address(address):
        raise InvalidInput("Cette adresse n’est pas complète. Exemple : prenom.nom@exemple.fr")
    return address


def check_room_for_address(count: int) -> None:
    if count >= MOST_ADDRESSES:
        raise Conflict(
            "Vous avez déjà {most} adresses : retirez celles qui ne servent plus.",
            most=str(MOST_ADDRESSES),
        )


def address_token(secret: bytes, challenge_id: uuid.UUID) -> str:
    """The token of the link in the e-mail: derived, so that the e-mail can be rendered again."""
    proof = hmac.digest(secret, b"address|" + challenge_id.bytes, hashlib.sha256).hex()[:40]
    return f"{challenge_id}.{proof}"


def address_code(secret: bytes, challenge_id: uuid.UUID) -> str:
    """`ABCD-EFGH`, for people who read the e-mail on another device: 40 bits, valid only in the session that
    asked.
    """
    proof = hmac.digest(secret, b"code of address|" + challenge_id.bytes, hashlib.sha256)
    code = base64.b32encode(proof).decode()[:_CODE_SIGNS]
    return f"{code[:4]}-{code[4:]}"


def is_address_code(typed: str, secret: bytes, challenge_id: uuid.UUID) -> bool:
    plain = "".join(sign for sign in typed.upper() if sign.isalnum())
    return hmac.compare_digest(plain.encode(), address_code(secret, challenge_id).replace("-", "").encode())


def address_challenge(
    secret: bytes, person_id: uuid.UUID, address: str, *, language: str, at: datetime
) -> Challenge:
    challenge = Challenge(
        asked=SignInRequest.ADDRESS,
        secret_digest="",
        person_id=person_id,
        facts={"address": address, "language": language},
        expires_at=at + ADDRESS_LINK_LIFE,
    )
    challenge.secret_digest = digest_of(address_token(secret, challenge.id))
    return challenge


def proof_of_address(person_id: uuid.UUID, address: str, *, at: datetime) -> Challenge:
    """Remembers for an hour that the address was proved, where another record has to be joined first."""
    return Challenge(
        asked=SignInRequest.ADDRESS,
        secret_digest=digest_of(secrets.token_urlsafe(32)),
        person_id=person_id,
        facts={"address": address, "proved": True},
        expires_at=at + PROOF_LIFE,
    )


class Changed(StrEnum):
    ADDRESS_ADDED = "added"
    ADDRESS_REMOVED = "removed"
    MAIN_ADDRESS = "main"
    FIRST_ADDRESS = "first"
    MERGED = "merged"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    PASSKEYS_RESET = "passkeys_reset"
    PASSWORD_ADDED = "password_added"  # noqa: S105 - the name of a change
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of a change
    PASSWORD_REMOVED = "password_removed"  # noqa: S105 - the name of a change
    SERVICE_LINKED = "service_linked"
    SERVICE_UNLINKED = "service_unlinked"
    COURSE_LINKED = "course_linked"
    COURSE_UNLINKED = "course_unlinked"
    APP_CONNECTED = "app_connected"
    ROLES_CHANGED = "roles_changed"
    LEFT_TEAM = "left_team"
    PAGES_SHUT = "pages_shut"


WAYS_IN = frozenset(
    {
        Changed.PASSKEY_ADDED,
        Changed.PASSKEY_REMOVED,
        Changed.PASSKEYS_RESET,
        Changed.PASSWORD_ADDED,
        Changed.PASSWORD_CHANGED,
        Changed.PASSWORD_REMOVED,
        Changed.SERVICE_LINKED,
        Changed.SERVICE_UNLINKED,
        Changed.COURSE_LINKED,
        Changed.COURSE_UNLINKED,
        Changed.APP_CONNECTED,
    }
)
"""Changes to what opens or reads the account, other than its addresses."""
OF_A_TEAM = frozenset({Changed.ROLES_CHANGED, Changed.LEFT_TEAM})
"""Changes that a campus administration made to a team membership."""
ALSO_UNPROVED = OF_A_TEAM | {Changed.PAGES_SHUT}
"""Sent to the addresses recorded by campuses when the person has no verified address."""
