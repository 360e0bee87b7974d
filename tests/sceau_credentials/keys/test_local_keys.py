"""A signature of a local key verifies under its public half only, and not with one bit changed anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sceau_credentials.errors import SelfCheckFailed
from sceau_credentials.issuing import issue_many
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer
from tests.sceau_credentials.issuing.test_batch import member
from tests.support.badges.credentials import NOON, Campus
from tests.support.running.every import for_each
from tests.support.running.examples import examples

KEY = LocalSigningKey.from_seed(bytes(range(32)))


@settings(max_examples=examples(200))
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300))
def test_every_signature_of_the_key_verifies(seed: bytes, message: bytes) -> None:
    key = LocalSigningKey.from_seed(seed)
    assert key.public.verify(key.sign(message), message)


@settings(max_examples=examples(300))
@given(st.binary(max_size=80), st.integers(0, 511))
def test_one_bit_anywhere_in_the_signature_is_detected(message: bytes, bit: int) -> None:
    signature = bytearray(KEY.sign(message))
    signature[bit // 8] ^= 1 << bit % 8
    assert not KEY.public.verify(bytes(signature), message)


@given(st.binary(min_size=1, max_size=80), st.data())
def test_one_bit_anywhere_in_the_message_is_detected(message: bytes, data: st.DataObject) -> None:
    changed = bytearray(message)
    changed[data.draw(st.integers(0, len(message) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert not KEY.public.verify(KEY.sign(message), bytes(changed))


@pytest.mark.parametrize("point", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32])
def test_a_point_of_small_order_or_of_another_spelling_is_refused(point: bytes) -> None:
    for scalar in (bytes(32), KEY.sign(b"ten")[32:]):
        assert not KEY.public.verify(point + scalar, b"ten")


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_signature_of_another_key_does_not_verify(algorithm: Algorithm) -> None:
    key, other = LocalSigningKey.generate(algorithm), LocalSigningKey.generate(algorithm)
    assert key.public.verify(key.sign(b"ten"), b"ten")
    assert not key.public.verify(key.sign(b"ten"), b"eleven")
    assert not key.public.verify(other.sign(b"ten"), b"ten")


class Struck(LocalSigningKey):
    """A local key with one faulty signature: one bit of it is flipped."""

    __slots__ = ("bit", "right")

    def sign(self, message: bytes) -> bytes:
        signature = bytearray(super().sign(message))
        self.right -= 1
        if self.right == -1:
            signature[self.bit // 8] ^= 1 << self.bit % 8
        return bytes(signature)


@for_each("form", ["signer", "jwt_signer"])
@for_each("bit", [0, 255, 256, 507])
@for_each("right", [1, 2, 5])
def test_one_faulty_signature_of_a_local_key_refuses_the_whole_batch(form: str, bit: int, right: int) -> None:
    campus = Campus()
    struck = Struck(campus.key._private)
    struck.bit, struck.right = bit, right
    signers = {"signer": campus.signer, "jwt_signer": campus.jwt_signer}
    signers[form] = Signer(signers[form].verification_method, struck)
    with pytest.raises(SelfCheckFailed):
        issue_many([member(number) for number in range(8)], **signers, at=NOON)
