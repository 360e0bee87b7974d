"""Passkeys with the library webauthn, and rate limits with the library limits."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from math import ceil, floor
from typing import Any, cast
from urllib.parse import urlsplit

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.errors import ConfigurationError, StorageError
from limits.storage import Storage, storage_from_string
from limits.storage.base import SlidingWindowCounterSupport
from limits.strategies import SlidingWindowCounterRateLimiter
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    decode_credential_public_key,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.decode_credential_public_key import DecodedRSAPublicKey
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from app.adapters import Unusable
from app.domain.accounts.rate_limits import LIMITS, Allowance
from app.domain.accounts.sign_in import Answer, Asking, NewKey, PasskeyChallenge, PasskeyRefused
from app.errors import TooMany
from sceau_credentials.errors import UnusableKey
from sceau_credentials.keys import check_rsa

_PATIENCE = 5 * 60 * 1000


class WebAuthnCeremonies:
    """For the single origin `base_url`: credentials are scoped to it, and responses of other origins are
    refused.

    User verification (finger, face, code) is required: a passkey replaces a password and more.
    """

    def __init__(self, base_url: str) -> None:
        self.origin = base_url
        self.site = urlsplit(base_url).hostname or ""

    def ask_for_new(self, asking: Asking, known: Iterable[str]) -> PasskeyChallenge:
        options = generate_registration_options(
            rp_id=self.site,
            rp_name="Sceau",
            user_id=asking.handle,
            user_name=asking.address or asking.name,
            user_display_name=asking.name,
            timeout=_PATIENCE,
            exclude_credentials=_described(known),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
        return PasskeyChallenge(bytes_to_base64url(options.challenge), json.loads(options_to_json(options)))

    def ask_for_known(self, known: Iterable[str]) -> PasskeyChallenge:
        """Discoverable credentials where `known` is empty: the authenticator then identifies the user."""
        options = generate_authentication_options(
            rp_id=self.site,
            timeout=_PATIENCE,
            allow_credentials=_described(known),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return PasskeyChallenge(bytes_to_base64url(options.challenge), json.loads(options_to_json(options)))

    def read(self, response: str) -> Answer:
        """The unverified claims of a response."""
        try:
            credential = parse_authentication_credential_json(response)
            client = parse_client_data_json(credential.response.client_data_json)
        except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError) as error:
            raise PasskeyRefused from error
        return Answer(
            challenge=bytes_to_base64url(client.challenge),
            credential_id=bytes_to_base64url(credential.raw_id),
            handle=credential.response.user_handle,
        )

    def challenge_of_new(self, response: str) -> str:
        try:
            credential = parse_registration_credential_json(response)
            return bytes_to_base64url(parse_client_data_json(credential.response.client_data_json).challenge)
        except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError) as error:
            raise PasskeyRefused from error

    def check_new(self, response: str, challenge: str) -> NewKey:
        try:
            made = verify_registration_response(
                credential=_json(response),
                expected_challenge=base64url_to_bytes(challenge),
                expected_rp_id=self.site,
                expected_origin=self.origin,
                require_user_verification=True,
            )
            _check_strength(made.credential_public_key)
        except (WebAuthnException, UnusableKey, ValueError, TypeError, KeyError) as error:
            raise PasskeyRefused from error
        return NewKey(bytes_to_base64url(made.credential_id), made.credential_public_key, made.sign_count)

    def check(self, response: str, challenge: str, public_key: bytes) -> int:
        """Returns the signature counter; the caller decides whether it is acceptable."""
        try:
            _check_strength(public_key)
            seen = verify_authentication_response(
                credential=_json(response),
                expected_challenge=base64url_to_bytes(challenge),
                expected_rp_id=self.site,
                expected_origin=self.origin,
                credential_public_key=public_key,
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        except (WebAuthnException, UnusableKey, ValueError, TypeError, KeyError) as error:
            raise PasskeyRefused from error
        return seen.new_sign_count


def _check_strength(public_key: bytes) -> None:
    """Raises UnusableKey for an RSA key that can be factored; curves have one strength each."""
    key = decode_credential_public_key(public_key)
    if isinstance(key, DecodedRSAPublicKey):
        check_rsa(RSAPublicNumbers(int.from_bytes(key.e), int.from_bytes(key.n)))


def _described(known: Iterable[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in known]


def _json(response: str) -> dict[str, Any]:
    value = json.loads(response)
    if not isinstance(value, dict):
        raise PasskeyRefused
    return value


# --- rate limits

log = structlog.get_logger(__name__)


class LimitsUnusable(Unusable):
    """The configured storage of counters is unusable; the message contains the reason."""


class RateLimits:
    """Keys are hashed with a secret: stored keys reveal neither an address nor a network."""

    def __init__(self, storage: Storage, key: bytes) -> None:
        self.limiter = SlidingWindowCounterRateLimiter(storage)
        self.key = key

    def hit(self, name: str, who: str) -> Allowance | None:
        return self._ask(name, who, count=True)

    def check(self, name: str, who: str) -> None:
        self._ask(name, who, count=False)

    def _ask(self, name: str, who: str, *, count: bool) -> Allowance | None:
        item, mark = _item(name), self._mark(who)
        try:
            asked = self.limiter.hit if count else self.limiter.test
            if asked(item, name, mark):
                return self._left(item, name, mark) if count else None
            wait = self._wait(item, name, mark)
        except StorageError as error:
            # Fails open when a counter is unavailable; what it guards has its own protection.
            log.error("rate limits unavailable", kind=type(error.storage_error).__name__)
            return None
        minutes = ceil(wait / 60)
        raise TooMany(
            "Trop de demandes en peu de temps. Réessayez dans {minutes} min.",
            retry_after=wait,
            limit=name,
            minutes=minutes,
        )

    def is_answering(self) -> bool:
        try:
            return self.limiter.storage.check()
        except StorageError:
            return False

    def _mark(self, who: str) -> str:
        return hmac.new(self.key, who.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:32]

    def _left(self, item: RateLimitItem, name: str, mark: str) -> Allowance:
        storage = cast(SlidingWindowCounterSupport, self.limiter.storage)
        expiry = item.get_expiry()
        before, before_ends, now, now_ends = storage.get_sliding_window(item.key_for(name, mark), expiry)
        left = item.amount - now - floor(before * before_ends / expiry)
        if left <= 0:
            return Allowance(name, 0, self._wait(item, name, mark))
        return Allowance(name, left, max(1, ceil(now_ends) - expiry))

    def _wait(self, item: RateLimitItem, name: str, mark: str) -> int:
        """Seconds until the next attempt is allowed: both windows shrink with time."""
        storage = cast(SlidingWindowCounterSupport, self.limiter.storage)
        before, before_ends, now, now_ends = storage.get_sliding_window(
            item.key_for(name, mark), item.get_expiry()
        )
        expiry, room = item.get_expiry(), item.amount - now
        if room > 0 and before:
            return max(1, floor(before_ends - room * expiry / before) + 1)
        return max(1, floor(now_ends - expiry * min(1, item.amount / max(now, 1))) + 1)


class NoLimits:
    """Unlimited, for processes that serve no network."""

    def hit(self, name: str, who: str) -> None:  # noqa: ARG002
        _item(name)

    check = hit


def limits_in(url: str, key: bytes) -> RateLimits:
    """`memory://` or any other URL of the library `limits`, such as `redis://host:6379`."""
    try:
        return RateLimits(cast(Storage, storage_from_string(url, wrap_exceptions=True)), key)
    except (ConfigurationError, ValueError) as error:
        if "prerequisite" in str(error):
            raise LimitsUnusable(
                "SCEAU_LIMITS demande le paquet Python de ce magasin (redis:// : pip install redis). Sinon, réglez database."
            ) from error
        raise LimitsUnusable("SCEAU_LIMITS ne convient pas : {reason}", reason=error) from error


def _item(name: str) -> RateLimitItem:
    limit = LIMITS[name]
    return RateLimitItemPerSecond(limit.amount, int(limit.per.total_seconds()))
