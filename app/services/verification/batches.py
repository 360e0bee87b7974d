"""Several things presented at once: files, addresses, codes and lines of a CV, each with an answer of its own."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final

import structlog

from app.db.awards.awards import AwardRecord, AwardStore
from app.domain.publishing.addresses import Addresses
from app.domain.publishing.short_addresses import ids_of_code, near_codes, short_code
from app.errors import AppError
from app.services.verification.verification import Answer, VerificationService

MOST_ITEMS: Final = 100
MOST_BYTES: Final = 5 * 1024 * 1024
_SECONDS: Final = 60.0
"""For all that one request presents: other servers may be slow, and a file may name a hundred of them."""
_MOST_NEAR: Final = 3
_LONGEST_LINE: Final = 400_000
_ADDRESS: Final = re.compile(r"(?:https?://)?[\w.-]+(?::\d{1,5})?/[^\s<>\"»«]+")
_LOGGER = structlog.get_logger()


@dataclass(frozen=True)
class NearCode:
    """A badge with an open page whose short code is one slip away from what was typed."""

    code: str
    record: AwardRecord


@dataclass(frozen=True)
class Item:
    """`answer` is None where nothing could be verified: a shut portfolio, a fault, or an unknown code."""

    given: str
    answer: Answer | None
    near: Sequence[NearCode] = ()
    is_code: bool = False


class BatchVerification:
    """What one request presents: after MOST_ITEMS answers, or _SECONDS, the rest is named and not verified."""

    def __init__(
        self,
        verification: VerificationService,
        awards: AwardStore,
        shown_in: Callable[[uuid.UUID], Sequence[AwardRecord]],
        addresses: Addresses,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._seconds = seconds
        self._until = seconds() + _SECONDS
        self._left = MOST_ITEMS
        self.verification = verification
        self.awards = awards
        self.shown_in = shown_in
        self.addresses = addresses

    def file(self, name: str, body: bytes) -> list[Item]:
        """A text file may hold an address, or several."""
        if len(body) > MOST_BYTES:
            return [Item(name, None)]
        lines = _lines_of(body)
        if lines:
            return [
                replace_given(item, f"{name} : {item.given}") for line in lines for item in self.line(line)
            ]
        return self._guarded(name, lambda: [Item(name, self.verification.verify_document(body))])

    def line(self, typed: str) -> list[Item]:
        """One line as people write it; the address of a portfolio gives an answer for each of its badges."""
        written = typed.strip()[:_LONGEST_LINE]
        shown = written if len(written) <= 120 else f"{written[:119]}…"
        return self._guarded(shown, lambda: self._line(written, shown))

    def address_in(self, written: str) -> str:
        """The address of ours in a line of text, with its scheme; empty where there is none."""
        for found in _ADDRESS.findall(written[:4000]):
            address = str(found).rstrip(".,;:!?)")
            if "://" not in address:
                address = f"{self.addresses.base_url.removesuffix(self.addresses.host)}{address}"
            if self.addresses.is_ours(address):
                return address
        return ""

    def addresses_in(self, written: str) -> list[str]:
        """Of what a line leads to here: the badges of a portfolio one by one, and that of a short code."""
        address = self.address_in(written)
        portfolio_id = self.addresses.portfolio_named_by(address) if address else None
        if portfolio_id is not None:
            return [self.addresses.award(each.award.id) for each in self.shown_in(portfolio_id)]
        ends = ids_of_code(self.code_in(written))
        award_id = self.awards.find_between(*ends) if ends else None
        return [self.addresses.award(award_id)] if award_id else [address] if address else []

    def near(self, typed: str) -> list[NearCode]:
        """Only badges whose pages are open: nothing is learned of the others."""
        ends = [found for code in near_codes(typed) if (found := ids_of_code(code))]
        records = self.awards.find_open_among(ends, limit=_MOST_NEAR) if ends else ()
        return [NearCode(short_code(record.award.id), record) for record in records]

    def is_code(self, typed: str) -> bool:
        return bool(near_codes(self.code_in(typed)))

    def code_in(self, typed: str) -> str:
        """The signs of a short address, typed alone or with what stands before them."""
        return self.addresses.code_named_by(self.address_in(typed)) or typed.strip()

    def _line(self, written: str, shown: str) -> list[Item]:
        address = self.address_in(written)
        portfolio_id = self.addresses.portfolio_named_by(address) if address else None
        if portfolio_id is not None:
            return [
                Item(each.version.name, self.verification.verify_award(each))
                for each in self.shown_in(portfolio_id)
            ]
        ends = ids_of_code(self.code_in(written))
        award_id = self.awards.find_between(*ends) if ends else None
        if award_id is not None:
            return [Item(shown, self.verification.verify(self.addresses.award(award_id)))]
        if self.is_code(written):
            return [Item(shown, None, self.near(self.code_in(written)), is_code=True)]
        return [Item(shown, self.verification.verify(address or written))]

    def _guarded(self, given: str, ask: Callable[[], list[Item]]) -> list[Item]:
        """Whatever goes wrong with one, the others are answered."""
        if self._left <= 0 or self._seconds() > self._until:
            return [Item(given, None)]
        self._left -= 1
        try:
            found = ask()
        except AppError:
            return [Item(given, None)]
        except Exception:
            _LOGGER.exception("verification of one item failed")
            return [Item(given, None)]
        self._left -= len(found[1:])
        return found


def replace_given(item: Item, given: str) -> Item:
    return Item(given, item.answer, item.near, item.is_code)


def lines_in(text: str) -> list[str]:
    """The lines of a list; empty where the text is one credential, or one line."""
    lines = [line for line in text.splitlines() if line.strip()]
    one_document = text.lstrip("\ufeff \t\r\n").startswith(("{", "[", "<"))
    return [] if one_document or len(lines) < 2 else lines[:MOST_ITEMS]


def _lines_of(body: bytes) -> list[str]:
    """Of a text file that is a list of addresses or codes, or holds a single one."""
    if len(body) > 64 * 1024 or not body.strip():
        return []
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return []
    lines = lines_in(text) or [text.strip()]
    return lines if all("/" in line and not line.startswith(("{", "<", "%PDF")) for line in lines) else []
