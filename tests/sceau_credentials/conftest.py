"""Signers of these tests: a ring of keys, and one campus with the badge it issued."""

from __future__ import annotations

import pytest

from sceau_credentials.issuing import SignedCredential
from tests.sceau_credentials.signed import KeyRing
from tests.support.badges.credentials import Campus


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing()


@pytest.fixture(scope="module")
def campus() -> Campus:
    return Campus()


@pytest.fixture(scope="module")
def signed(campus: Campus) -> SignedCredential:
    return campus.issue()
