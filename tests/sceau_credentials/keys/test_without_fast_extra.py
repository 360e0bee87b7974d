"""Without the extra `fast`, OpenSSL and the standard library give the same answers."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from cryptography.exceptions import InvalidSignature

from sceau_credentials import keys
from tests.sceau_credentials.keys import test_hostile_signatures as hostile
from tests.sceau_credentials.keys import test_keys as ordinary
from tests.support.running.every import for_each


@pytest.fixture(autouse=True)
def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "crypto_sign_open", None)
    monkeypatch.setattr(keys, "BadSignatureError", InvalidSignature)
    monkeypatch.setattr(keys, "b64decode", base64.b64decode)
    monkeypatch.setattr(keys, "urlsafe_b64encode", base64.urlsafe_b64encode)


@for_each(
    "kept",
    [
        hostile.test_ed25519_cases_of_wycheproof_are_all_answered_as_expected,
        hostile.test_signature_scalar_beyond_the_group_order_is_refused,
        ordinary.test_signature_with_a_small_order_r_does_not_verify_even_where_the_equation_holds,
        ordinary.test_thumbprint_is_the_one_of_rfc_8037,
        ordinary.test_multibase_gives_back_every_byte_string,
        ordinary.test_two_texts_never_stand_for_the_same_bytes,
        ordinary.test_base64url_takes_no_padding_space_or_spare_bits,
    ],
    ids=lambda kept: kept.__name__,
)
def test_signatures_and_base64_get_the_same_answers_without_the_extra(kept: Callable[[], None]) -> None:
    kept()


@for_each("length", [0, 1, 32, 63, 65, 96, 4096])
def test_signature_of_another_length_is_false_and_no_exception(length: int) -> None:
    hostile.test_signature_of_another_length_is_false_and_no_exception(length)
