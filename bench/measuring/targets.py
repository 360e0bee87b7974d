"""Performance targets, and whether a measured row meets them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bench.measuring.measure import Row

NODE: Final = "@digitalbazaar/vc"
PYTHON: Final = "openbadgeslib"
BARE_SIGNATURES: Final = "10,000 bare signatures"
FLOOR: Final = "Ed25519 alone"
BARE: Final = "a bare ASGI application with the same bytes"
BARE_DIFFERENT: Final = "a bare ASGI application with different bytes"
STORED: Final = "the same page as stored bytes"
ALONE: Final = "signing and storing alone"
BARE_TOKEN: Final = "a bare loop over the same token"  # noqa: S105 - not a password
IN_MEMORY: Final = "a key in memory"


@dataclass(frozen=True)
class Target:
    """Applies to rows with this name prefix, against this peer, or to their own time where there is none."""

    row: str
    peer: str | None
    at_least: float | None = None
    """Speed-up over the peer, or the row's own unit where there is none."""
    at_most: float | None = None
    """Multiple of the bare operation, or the row's own unit."""

    def is_about(self, row: Row) -> bool:
        if not row.name.startswith(self.row):
            return False
        return self.peer is None or row.peer in (self.peer, f"{self.peer}, signing one form")

    def is_held_by(self, row: Row) -> bool:
        if self.at_least is not None:
            reached = row.median if self.peer is None else row.ratio
            return reached is not None and reached >= self.at_least
        assert self.at_most is not None
        if self.peer is None:
            return row.median <= self.at_most
        return bool(row.ratio) and 1 / (row.ratio or 1) <= self.at_most

    def measured(self, row: Row) -> str:
        """The figure and its spread, in the unit of the target."""
        if self.peer is None:
            digits = 1 if row.median < 100 and row.unit == "ms" else 0
            return f"{row.median:,.{digits}f} ± {row.spread:,.{digits}f} {row.unit}"
        ratio, spread = row.ratio or 1.0, row.ratio_spread or 0.0
        if self.at_least is not None:
            return f"{ratio:.1f} ± {spread:.1f} × {row.peer}"
        peer = "the bare operation" if row.peer == FLOOR else row.peer
        return f"{1 / ratio:.2f} ± {spread / ratio**2:.2f} × {peer}"

    def promised(self, row: Row) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:g} ×" if self.peer else f"≥ {self.at_least:,.0f} {row.unit}"
        return f"≤ {self.at_most:,.0f} {row.unit}" if self.peer is None else f"≤ {self.at_most:g} ×"


TARGETS: Final = (
    Target("sign, embedded proof", FLOOR, at_most=8),
    Target("sign, embedded proof", NODE, at_least=22),
    Target("sign, embedded proof", PYTHON, at_least=60),
    Target("verify, embedded proof", FLOOR, at_most=3.5),
    Target("verify, embedded proof", NODE, at_least=17),
    Target("verify, embedded proof", PYTHON, at_least=60),
    Target("in a batch: one embedded proof, signing alone", FLOOR, at_most=3.5),
    Target("in a batch: one embedded proof, signing alone", NODE, at_least=50),
    Target("sign, token", FLOOR, at_most=2),
    Target("verify, token", FLOOR, at_most=1.8),
    Target(
        "10,000 awards signed and stored", BARE_SIGNATURES, at_most=11
    ),  # with the ordinary public verification
    Target("10,000 awards signed and stored", NODE, at_least=20),
    Target("10,000 lines through the whole service", ALONE, at_most=2),
    Target("signatures of 10,000 awards by a token", None, at_most=2_500),
    Target("share of appending to the log in a bulk award", None, at_most=15),
    Target("share of the log in a bulk award", None, at_most=15),
    Target("five lines beside", None, at_most=1_000),
    Target("status list: flip, compress, sign", None, at_most=800),
    Target("read award as JSON", BARE, at_least=0.5),
    Target("read award as a picture", BARE, at_least=0.5),
    Target("read badge definition", BARE, at_least=0.5),
    Target("read campus key document", BARE, at_least=0.5),
    Target("read status list", BARE, at_least=0.5),
    Target("read different awards as JSON", BARE_DIFFERENT, at_least=0.5),
    Target("read different awards as a page", STORED, at_least=0.25),
    Target("processor time to read different awards as a page, p50", None, at_most=4),
    Target("processor time to read different awards as a page, p95", None, at_most=4),
    Target("issue, both forms, linted and read back", FLOOR, at_most=20),
    Target("read awards as JSON, among a million", "among a thousand awards", at_least=0.8),
    Target("verify the largest document", None, at_most=50_000),
)


DATA: Final = {
    "sign, embedded proof": "badges of 5,000 learners of one achievement, one after the other, 3.7 kB each",
    "sign, token": "the same",
    "issue, both forms": "of other learners, each credential made just before, linted, signed twice and read back",
    "verify, embedded proof": (
        "5,000 signed badges of one achievement in turns, more than the verifier remembers: the signature and the "
        "canonical form of each are worked out anew; what all share (issuer, achievement, proof options) is warm"
    ),
    "verify, token": "5,000 tokens of one achievement in turns, none of them remembered",
    "in a batch": "batches of 128 learners of one achievement",
    "10,000 awards signed and stored": "10,000 learners of one achievement, into an empty database",
    "10,000 lines through the whole service": "10,000 people of one activity, from enqueuing to the queued e-mail",
    "five lines beside": (
        "five new people at one campus, again and again, while 10,000 people of another are awarded and 32 connections read a page; "
        "by the clock, of a real server and a worker beside it"
    ),
    "signatures of 10,000 awards by a token": "20,000 signatures of 64 bytes with SoftHSM, by processor time",
    "share of": "a bulk award with the log and without it, in turns",
    "status list": "131,072 indexes, one in a hundred set",
    "read award as": (
        "one award again and again over eight connections, ready from the second time on, by the processor time of a server"
    ),
    "read badge definition": "one document again and again, the same way",
    "read campus key document": "one document again and again, the same way",
    "read status list": "one document again and again, the same way",
    "read awards as JSON, among a million": "awards at random among a million, none of them ready",
    "read different awards as JSON": (
        "2,000 awards, each once, by a new server that has read ten others: nothing of them is remembered"
    ),
    "read different awards as a page": (
        "2,000 awards of two badges, each once, by a new server that has read ten others; every second one has evidence in the "
        "log, an endorsement and a label; p50 and p95 are the medians of four quarters of the run"
    ),
    "verify the largest document": "one document with 2,800 pieces of evidence",
}
"""The work and its data, by prefix of the rows' names."""


@dataclass(frozen=True)
class Held:
    """One target beside its measurement."""

    name: str
    measured: str
    promised: str
    is_held: bool


def held_by(rows: Iterable[Row]) -> list[Held]:
    """Each target with a measurement; a row's own time is reported once."""
    found = {
        (target, row.name): Held(row.name, target.measured(row), target.promised(row), target.is_held_by(row))
        for row in rows
        for target in TARGETS
        if target.is_about(row)
    }
    return list(found.values())
