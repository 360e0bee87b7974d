"""WebAuthn ceremonies: challenges for authenticators, and verification of their responses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
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

from app.domain.accounts.sign_in import Answer, Asking, NewKey, PasskeyChallenge, PasskeyRefused
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
