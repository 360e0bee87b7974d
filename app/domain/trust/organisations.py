"""Partner organisations that endorse without an account: identified by the domain of a verified address."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import Text
from sqlmodel import Field, Index, SQLModel, UniqueConstraint, text

from app.domain.core import (
    check_signed_name,
    enum_column,
    foreign_key,
    json_column,
    name_as_signed,
    names_a_site,
    new_id,
    primary_foreign_key,
    utc_datetime,
)
from app.domain.people import is_address, is_own_address, normal_address
from app.errors import AppError, Conflict, DeadLink, InvalidInput, NotFound, NotSignedIn, faults_of_fields
from app.language import N_
from sceau_credentials.values import JsonValue, parse_json_object

LONGEST_NAME: Final = 120
LONGEST_SITE: Final = 200
LIST_SIZE: Final = 131_072
_IN_SERVICE = text("retired_at IS NULL")

PUBLIC_PROVIDERS: Final = frozenset(
    [
        "aim.com",
        "aliceadsl.fr",
        "aol.com",
        "bbox.fr",
        "caramail.com",
        "club-internet.fr",
        "cegetel.net",
        "disroot.org",
        "duck.com",
        "ecomail.fr",
        "email.com",
        "fastmail.com",
        "fastmail.fm",
        "free.fr",
        "gmail.com",
        "gmx.com",
        "gmx.de",
        "gmx.fr",
        "gmx.net",
        "googlemail.com",
        "hotmail.be",
        "hotmail.co.uk",
        "hotmail.com",
        "hotmail.fr",
        "hushmail.com",
        "icloud.com",
        "infomaniak.com",
        "laposte.net",
        "lavabit.com",
        "libero.it",
        "live.be",
        "live.com",
        "live.fr",
        "lycos.com",
        "mac.com",
        "mail.com",
        "mail.ru",
        "mailbox.org",
        "mailo.com",
        "me.com",
        "msn.com",
        "murena.io",
        "netcourrier.com",
        "neuf.fr",
        "noos.fr",
        "numericable.fr",
        "online.fr",
        "orange.fr",
        "outlook.com",
        "outlook.fr",
        "pm.me",
        "posteo.de",
        "posteo.net",
        "proton.me",
        "protonmail.ch",
        "protonmail.com",
        "qq.com",
        "rocketmail.com",
        "sfr.fr",
        "skynet.be",
        "sympatico.ca",
        "t-online.de",
        "tele2.fr",
        "tuta.com",
        "tuta.io",
        "tutamail.com",
        "tutanota.com",
        "vivaldi.net",
        "voila.fr",
        "wanadoo.fr",
        "web.de",
        "yahoo.ca",
        "yahoo.co.uk",
        "yahoo.com",
        "yahoo.fr",
        "yandex.com",
        "yandex.ru",
        "ymail.com",
        "yopmail.com",
        "zaclys.net",
        "zoho.com",
    ]
)
"""Anyone may have an address there: it proves no membership of an organisation."""
_SITE_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:\d{1,5})?", re.IGNORECASE)


class Organisation(SQLModel, table=True):
    """One hosted issuer per verified domain; `mailbox` distinguishes users of a shared public mail provider.

    `name` and `site` are the last values entered by someone who reads mail there.
    """

    __tablename__ = "organisation"
    __table_args__ = (UniqueConstraint("domain", "mailbox", name="one_organisation_of_a_domain"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    domain: str = Field(max_length=253)
    mailbox: str = Field(default="", max_length=64)
    did: str = Field(unique=True, max_length=300)
    name: str = Field(max_length=LONGEST_NAME)
    site: str = Field(default="", max_length=LONGEST_SITE)
    created_at: datetime = Field(sa_column=utc_datetime())

    @property
    def is_personal(self) -> bool:
        """Identified by one person's own address, which is not tied to an organisation."""
        return bool(self.mailbox)


class OrganisationKey(SQLModel, table=True):
    """`sealed` opens only with the named key-encryption key; the public part always stays published."""

    __tablename__ = "organisation_key"
    __table_args__ = (
        Index(
            "one_organisation_key",
            "organisation_id",
            unique=True,
            postgresql_where=_IN_SERVICE,
            sqlite_where=_IN_SERVICE,
        ),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    organisation_id: uuid.UUID = Field(sa_column=foreign_key("organisation", index=False))
    method_id: str = Field(unique=True, max_length=400)
    public_jwk: dict[str, Any] = Field(sa_column=json_column())
    sealed: bytes
    kek_id: str = Field(max_length=60)
    kek_version: int = Field(default=1)
    created_at: datetime = Field(sa_column=utc_datetime())
    retired_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    revoked_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class EndorsementStatusSlot(SQLModel, table=True):
    """An index in the organisation's status list: never reused, and `raised_at` never goes back.

    It outlives the endorsement, so that copies of an erased one can be shown to be invalid.
    """

    __tablename__ = "endorsement_place"
    __table_args__ = (UniqueConstraint("endorsement_id", name="one_place_per_endorsement"),)
    organisation_id: uuid.UUID = Field(sa_column=primary_foreign_key("organisation"))
    position: int = Field(primary_key=True)
    endorsement_id: uuid.UUID
    raised_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


def is_public_provider(domain: str) -> bool:
    return domain in PUBLIC_PROVIDERS


def mailbox_of(address: str) -> str:
    """Distinguishes people at a public provider without identifying them; empty for a domain of one's own."""
    if not is_public_provider(domain_of(address)):
        return ""
    return hashlib.sha256(f"mailbox of an organisation|{address.lower()}".encode()).hexdigest()


def is_of(organisation: Organisation, address: str) -> bool:
    """Whether control of the mailbox `address` is enough to speak for the organisation."""
    return (organisation.domain, organisation.mailbox) == (domain_of(address), mailbox_of(address))


def checked_name(name: str) -> str:
    name = " ".join(name.split())
    if len(name) < 2:
        raise InvalidInput("Donnez le nom de l’organisation.")
    if len(name) > LONGEST_NAME:
        raise InvalidInput("Le nom de l’organisation tient en {most} signes.", most=LONGEST_NAME)
    check_signed_name(name)
    return name_as_signed(name)


def checked_site(typed: str) -> str:
    """A site URL in full; « atelier.fr » becomes https. Empty stays empty."""
    typed = typed.strip()
    if not typed:
        return ""
    site = typed if "://" in typed else f"https://{typed}"
    try:
        parts = urlsplit(site)
    except ValueError:
        raise _no_site() from None
    is_plain = parts.scheme in ("http", "https") and _SITE_HOST.fullmatch(parts.netloc)
    if (
        not is_plain
        or not site.isascii()
        or not site.isprintable()
        or " " in site
        or len(site) > LONGEST_SITE
    ):
        raise _no_site()
    return site


def _no_site() -> InvalidInput:
    return InvalidInput("L’adresse du site ne se lit pas : par exemple « www.exemple.fr ». Ou laissez vide.")


ASKED_FOR: Final = timedelta(days=30)
"""How long a link that asks for an endorsement stays valid."""
DESK_FOR: Final = timedelta(days=7)
"""How long the link to an organisation's statements stays valid."""
NOT_AGAIN_FOR: Final = timedelta(days=7)
MOST_WAITING: Final = 5
"""Maximum pending requests about one thing."""
AGAIN: Final = timedelta(days=7)
SOON: Final = timedelta(days=1)
"""When external endorsements are checked again; if a server did not answer, the next day."""
MOST_SHOWN: Final = 10
SHORTEST, LONGEST = 20, 600
LONGEST_ROLE: Final = 80
LONGEST_WHY: Final = 300
LONGEST_REASON: Final = 300
LONGEST_SIGNED: Final = 60_000

WORDINGS: Final = (
    N_(
        "Je parle au nom de cette organisation. Ces mots, son nom et mon rôle seront publics, signés en son nom, et "
        "je pourrai les retirer à tout moment."
    ),
)
"""What a signer agrees to; the latest last, none is ever changed or removed."""
NAME_WORDING: Final = N_("Écrire aussi mon nom")


class Endorsed(StrEnum):
    """What an endorsement is about."""

    BADGE = "badge"
    AWARD = "award"
    CAMPUS = "campus"


class Refusal(StrEnum):
    NONE = ""
    THIS = "this"
    EVER = "ever"
    """The mailbox owner refuses all further requests."""


class RequestKind(StrEnum):
    ORGANISATION = "organisation"
    PEER = "peer"
    """To a person who worked with the learner, at the address that the learner gave."""
    PEER_LINK = "peer_link"
    """A link to share, without an address; `answered_at` closes it."""
    PEER_PROOF = "peer_proof"
    """To the address that a reader of such a link gave."""


REQUEST_REMOVED: Final = N_("Cette demande a été retirée : son lien n’ouvre plus rien.")
"""By an erasure or by a correction of the holder's address; which of the two is not for the reader."""


class EndorsementRequest(SQLModel, table=True):
    """One e-mail to one person; its link works once. Of a PEER_LINK, a link that the learner shares."""

    __tablename__ = "endorsement_request"
    __table_args__ = (Index("endorsement_requests_to", "address", "asked_at"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    kind: RequestKind = Field(
        default=RequestKind.ORGANISATION, sa_column=enum_column(RequestKind, name="endorsement_request_kind")
    )
    about: Endorsed = Field(sa_column=enum_column(Endorsed, name="endorsement_request_about"))
    version_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("badge_version", nullable=True))
    award_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("award", nullable=True))
    asked_by: uuid.UUID | None = Field(default=None, sa_column=foreign_key("person", nullable=True))
    address: str = Field(max_length=254)
    organisation_name: str = Field(max_length=120)
    why: str = Field(default="", max_length=LONGEST_WHY)
    asked_at: datetime = Field(sa_column=utc_datetime())
    expires_at: datetime = Field(sa_column=utc_datetime())
    answered_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    refusal: str = Field(default="", max_length=8)
    endorsement_id: uuid.UUID | None = None
    """The endorsement, or the recommendation by a peer, that answers it."""


class Endorsement(SQLModel, table=True):
    """A signed endorsement as exact bytes. `foreign_issuer` is the signer, if it was not this service.

    Shown until the organisation, the award's holder or the campus withdraws it. `changes` counts such
    withdrawals, so that cached pages are rebuilt.
    """

    __tablename__ = "endorsement"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    organisation_id: uuid.UUID = Field(sa_column=foreign_key("organisation"))
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    about: Endorsed = Field(sa_column=enum_column(Endorsed, name="endorsement_about"))
    version_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("badge_version", nullable=True))
    award_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("award", nullable=True))
    subject: str = Field(max_length=400)
    organisation_name: str = Field(max_length=120)
    address: str = Field(max_length=254)
    """The signer's address: for e-mails about the endorsement, never shown."""
    language: str = Field(default="fr", max_length=12)
    written: str = Field(sa_type=Text)
    token: str = Field(default="", sa_type=Text)
    foreign_issuer: str = Field(default="", max_length=400)
    comment: str = Field(default="", sa_type=Text)
    """For external endorsements, the text read at `checked_at`; empty if they were invalid then."""
    checked_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    check_again_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True, index=True))
    wording: int = 1
    signed_at: datetime = Field(sa_column=utc_datetime())
    changes: int = 1
    withdrawn_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    hidden_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """By the holder of the award."""
    set_aside_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """By the campus, for the reason beside it."""
    set_aside_reason: str = Field(default="", max_length=LONGEST_REASON)

    @property
    def is_shown(self) -> bool:
        return self.withdrawn_at is None and self.hidden_at is None and self.set_aside_at is None


def words_of(endorsement: Endorsement) -> str:
    """The comment and its author, as signed here or as last read from elsewhere, after the organisation's name."""
    said: JsonValue = endorsement.comment
    if not said and endorsement.written.startswith("{"):
        subject = parse_json_object(endorsement.written).get("credentialSubject")
        said = subject.get("endorsementComment") if isinstance(subject, dict) else ""
    return f"{endorsement.organisation_name}\n{said}" if said else ""


@dataclass(frozen=True)
class EndorsementText:
    """A statement in an organisation's name, as it is signed."""

    comment: str
    role: str
    name: str = ""
    """Only if the signer allows it to be shown."""

    @property
    def signed(self) -> str:
        """The comment followed by its author: pages show only what the signature covers."""
        return f"{self.comment}\n— {', '.join(filter(None, (self.name, self.role)))}"


def faults_of_words(comment: str, role: str, name: str, *, shows_name: bool) -> dict[str, AppError]:
    """Of what a statement in an organisation's name is written from, by parameter."""
    return faults_of_fields(
        {
            "comment": lambda: _checked_comment(comment),
            "role": lambda: _checked_role(role),
            "name": lambda: _checked_signer(name, shows_name=shows_name),
        }
    )


def checked_words(comment: str, role: str, name: str, *, shows_name: bool) -> EndorsementText:
    return EndorsementText(
        _checked_comment(comment), _checked_role(role), _checked_signer(name, shows_name=shows_name)
    )


def _checked_comment(comment: str) -> str:
    comment = "\n".join(filter(None, (" ".join(_plain(line).split()) for line in comment.splitlines())))
    if len(comment) < SHORTEST:
        raise InvalidInput("Écrivez au moins une phrase : ce que ce badge vaut pour votre organisation.")
    if len(comment) > LONGEST:
        raise InvalidInput("Vos mots tiennent en {most} signes.", most=LONGEST)
    return comment


def _checked_role(role: str) -> str:
    role = " ".join(_plain(role).split())
    if not role:
        raise InvalidInput("Dites votre rôle dans l’organisation, par exemple « responsable d’atelier ».")
    _check_length(role)
    return role


def _checked_signer(name: str, *, shows_name: bool) -> str:
    """Empty where it is not to be shown."""
    name = " ".join(_plain(name).split())
    if shows_name and not name:
        raise InvalidInput("Pour que votre nom soit écrit, donnez-le ; ou décochez la case.")
    _check_length(name)
    return name if shows_name else ""


def _check_length(text: str) -> None:
    if len(text) > LONGEST_ROLE:
        raise InvalidInput("Le rôle et le nom tiennent chacun en {most} signes.", most=LONGEST_ROLE)


def _plain(text: str) -> str:
    composed = unicodedata.normalize("NFC", text[: 4 * LONGEST])
    return "".join(sign for sign in composed if sign == "\t" or unicodedata.category(sign)[0] != "C")


def checked_address(typed: str, own: Collection[str]) -> str:
    address = normal_address(typed)
    if not is_address(address):
        raise InvalidInput("Cette adresse n’est pas complète : il y manque quelque chose.")
    if is_own_address(address, own):
        raise InvalidInput("C’est votre propre adresse. Écrivez celle d’une personne de l’organisation.")
    return address


def checked_why(typed: str) -> str:
    why = " ".join(_plain(typed).split())
    if len(why) > LONGEST_WHY:
        raise InvalidInput("Votre mot tient en {most} signes.", most=LONGEST_WHY)
    if names_a_site(why):
        raise InvalidInput("Ne mettez pas de lien ici : l’e-mail contient déjà celui du badge.")
    return why


def checked_reason(typed: str) -> str:
    reason = " ".join(_plain(typed).split())
    if len(reason) < 5:
        raise InvalidInput("Dites en une phrase pourquoi : l’historique le garde.")
    if len(reason) > LONGEST_REASON:
        raise InvalidInput("Le motif tient en {most} signes.", most=LONGEST_REASON)
    return reason


def is_waiting(request: EndorsementRequest, *, at: datetime) -> bool:
    return request.answered_at is None and at < request.expires_at


def check_may_ask(
    before: Collection[EndorsementRequest], address: str, *, refused: bool, at: datetime
) -> None:
    """`before`: earlier requests about the same thing; `refused`: the mailbox owner refuses any more."""
    if refused:
        raise Conflict("Cette adresse ne veut plus recevoir de demandes. Rien n’a été envoyé.")
    if is_own_address(address, [each.address for each in before if each.asked_at > at - NOT_AGAIN_FOR]):
        raise Conflict("Cette personne a déjà reçu votre demande cette semaine : laissez-lui le temps.")
    if sum(is_waiting(each, at=at) for each in before) >= MOST_WAITING:
        raise Conflict(
            "{most} demandes attendent déjà une réponse. Attendez qu’une d’elles en ait une.",
            most=MOST_WAITING,
        )


def check_open(request: EndorsementRequest, *, at: datetime) -> None:
    if request.refusal:
        raise DeadLink(N_("Vous avez répondu non à cette demande. Rien n’a été publié."))
    if request.answered_at is not None:
        raise DeadLink(
            N_(
                "Ce lien a déjà servi : la recommandation est signée. L’e-mail de confirmation permet de la retirer."
            )
        )
    if at >= request.expires_at:
        raise DeadLink(N_("Ce lien a plus de trente jours et n’ouvre plus rien. Demandez-en un autre."))


def named_token(secret: bytes, purpose: str, number: uuid.UUID) -> str:
    """The secret part of a link in an e-mail, known only to its recipient."""
    return f"{number}.{_mac(secret, f'{purpose}|{number}')}"


def number_in(secret: bytes, purpose: str, token: str) -> uuid.UUID:
    """Raises NotFound for an invalid link."""
    name, _, mac = token.partition(".")
    try:
        number = uuid.UUID(name)
    except ValueError:
        number = uuid.UUID(int=0)
    if not _same(mac, _mac(secret, f"{purpose}|{number}")):
        raise NotFound("Ce lien ne mène à rien ici. Vérifiez qu’il est entier.")
    return number


def desk_token(secret: bytes, organisation_id: uuid.UUID, asked_at: datetime) -> str:
    signed = f"{organisation_id.hex}.{int(asked_at.timestamp())}"
    return f"{signed}.{_mac(secret, f'organisation|{signed}')}"


def organisation_in(secret: bytes, token: str, *, at: datetime) -> uuid.UUID:
    signed, _, mac = token.rpartition(".")
    name, _, seconds = signed.partition(".")
    if not _same(mac, _mac(secret, f"organisation|{signed}")):
        raise NotSignedIn("Ce lien n’est pas entier. Reprenez celui de l’e-mail.")
    if at.timestamp() >= int(seconds) + DESK_FOR.total_seconds():
        raise NotSignedIn("Ce lien a plus de sept jours et n’ouvre plus rien. Redemandez-le.")
    return uuid.UUID(name)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _mac(secret: bytes, signed: str) -> str:
    return hmac.new(secret, f"endorsement|{signed}".encode(), hashlib.sha256).hexdigest()[:40]
