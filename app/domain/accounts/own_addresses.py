"""A person's own e-mail addresses: add, verify by e-mail, reorder, remove."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import uuid
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.accounts.sessions import digest_of
from app.domain.accounts.sign_in import ADDRESS_LINK_LIFE, Challenge, SignInRequest
from app.domain.people.people import is_address, normal_address
from app.errors import Conflict, InvalidInput
from app.language import N_

MOST_ADDRESSES = 8
"""Proved and waiting together."""
PROOF_LIFE = timedelta(hours=1)
_CODE_SIGNS = 8


def read_address(typed: str) -> str:
    address = normal_address(typed)
    if not is_address(address):
        raise InvalidInput(N_("Cette adresse n’est pas complète. Exemple : prenom.nom@exemple.fr"))
    return address


def check_room_for_address(count: int) -> None:
    if count >= MOST_ADDRESSES:
        raise Conflict(
            N_("Vous avez déjà {most} adresses : retirez celles qui ne servent plus."),
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
        Changed.APP_CONNECTED,
    }
)
"""Changes to what opens or reads the account, other than its addresses."""
OF_A_TEAM = frozenset({Changed.ROLES_CHANGED, Changed.LEFT_TEAM})
"""Changes that a campus administration made to a team membership."""
ALSO_UNPROVED = OF_A_TEAM | {Changed.PAGES_SHUT}
"""Sent to the addresses recorded by campuses when the person has no verified address."""
