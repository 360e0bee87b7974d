"""What whoever holds the key finds of a signature is what the verifier finds, faults included."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.credentials.errors import SelfCheckFailed, UnusableKey
from app.credentials.issuing import issue_many
from app.credentials.keys import Algorithm, LocalSigningKey, Signer
from app.credentials.keys.own_signatures import OwnSignatures
from tests.credentials.test_batch import member
from tests.support.credentials import NOON, Campus

SEED = bytes(range(32))
KEY = LocalSigningKey.from_seed(SEED)
OWN = OwnSignatures(SEED, KEY.public.encoded)
ORDER = 2**252 + 27742317777372317353535851937790883648493


@settings(max_examples=200)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300))
def test_every_signature_of_the_key_holds(seed: bytes, message: bytes) -> None:
    key = LocalSigningKey.from_seed(seed)
    assert key.check_against(key.public)(key.sign(message), message)


@settings(max_examples=300)
@given(st.binary(max_size=80), st.integers(0, 511))
def test_one_bit_anywhere_in_the_signature_is_found(message: bytes, bit: int) -> None:
    signature = bytearray(KEY.sign(message))
    signature[bit // 8] ^= 1 << bit % 8
    assert not OWN.holds(bytes(signature), message)
    assert not KEY.public.verify(bytes(signature), message)


@given(st.binary(min_size=1, max_size=80), st.data())
def test_one_bit_anywhere_in_the_message_is_found(message: bytes, data: st.DataObject) -> None:
    changed = bytearray(message)
    changed[data.draw(st.integers(0, len(message) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert not OWN.holds(KEY.sign(message), bytes(changed))


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_a_signature_has_64_bytes(length: int) -> None:
    assert not OWN.holds((KEY.sign(b"ten") + b"\x00")[:length], b"ten")


def test_a_scalar_that_was_not_reduced_is_refused_as_a_verifier_refuses_it() -> None:
    signature = KEY.sign(b"ten")
    larger = int.from_bytes(signature[32:], "little") + ORDER
    spelled = signature[:32] + larger.to_bytes(32, "little")
    assert not OWN.holds(spelled, b"ten")
    assert not KEY.public.verify(spelled, b"ten")


@pytest.mark.parametrize("point", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32])
def test_a_point_of_small_order_or_of_another_spelling_is_refused(point: bytes) -> None:
    for scalar in (bytes(32), KEY.sign(b"ten")[32:]):
        assert not OWN.holds(point + scalar, b"ten")


def test_another_key_signs_nothing_that_holds() -> None:
    assert not OWN.holds(LocalSigningKey.generate(Algorithm.EDDSA).sign(b"ten"), b"ten")


def test_a_published_key_that_is_another_one_takes_nothing() -> None:
    other = LocalSigningKey.generate(Algorithm.EDDSA).public
    with pytest.raises(UnusableKey):
        OwnSignatures(SEED, other.encoded)
    assert not KEY.check_against(other)(KEY.sign(b"ten"), b"ten")


@pytest.mark.parametrize("algorithm", [Algorithm.ES256, Algorithm.RS256])
def test_keys_of_other_kinds_are_checked_by_their_public_half(algorithm: Algorithm) -> None:
    key = LocalSigningKey.generate(algorithm)
    check = key.check_against(key.public)
    assert check(key.sign(b"ten"), b"ten")
    assert not check(key.sign(b"ten"), b"eleven")


class Struck(LocalSigningKey):
    """A key in this process, one of whose signatures is hit: one bit of it is another."""

    __slots__ = ("bit", "right")

    def sign(self, message: bytes) -> bytes:
        signature = bytearray(super().sign(message))
        self.right -= 1
        if self.right == -1:
            signature[self.bit // 8] ^= 1 << self.bit % 8
        return bytes(signature)


@pytest.mark.parametrize("form", ["signer", "jwt_signer"])
@pytest.mark.parametrize("bit", [0, 255, 256, 507])
@pytest.mark.parametrize("right", [1, 2, 5])
def test_one_struck_signature_of_a_local_key_gets_nothing_out_of_the_door(
    form: str, bit: int, right: int
) -> None:
    campus = Campus()
    struck = Struck(campus.key._private)
    struck.bit, struck.right = bit, right
    signers = {"signer": campus.signer, "jwt_signer": campus.jwt_signer}
    signers[form] = Signer(signers[form].verification_method, struck)
    with pytest.raises(SelfCheckFailed):
        issue_many([member(number) for number in range(8)], **signers, at=NOON)
