"""Passwords kept as argon2id hashes, a few at a time: each takes a tenth of a second and 64 MiB."""

from __future__ import annotations

from threading import BoundedSemaphore

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from app.domain.accounts.passwords import LONGEST_PASSWORD, normal_password

_AT_ONCE = 2


class PasswordHashes:
    def __init__(self, hasher: Argon2Hasher | None = None) -> None:
        self._hashes = PasswordHash((hasher or Argon2Hasher(),))
        self._turn = BoundedSemaphore(_AT_ONCE)
        # What a password is compared with where there is none: the answer takes as long (T19).
        self._nobodys = self._hashes.hash("nobody has this password")

    def of(self, password: str) -> str:
        with self._turn:
            return self._hashes.hash(normal_password(password))

    def compare(self, password: str, kept: str | None) -> tuple[bool, str | None]:
        """Whether it is the password, and a newer hash of it where the kept one is of another strength."""
        typed = normal_password(password[:LONGEST_PASSWORD])
        with self._turn:
            try:
                good, newer = self._hashes.verify_and_update(typed, kept or self._nobodys)
            except UnknownHashError:
                return False, None
        good = good and kept is not None and len(password) <= LONGEST_PASSWORD
        return good, newer if good else None
