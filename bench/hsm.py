"""Sign ten thousand awards in both forms with a key in SoftHSM, beside a bare loop over the same key; processor time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from app.adapters.secrets import Hsm, HsmAddress
from app.container.process import collect_rarely
from bench.batches import people_of_one_badge
from bench.credentials import OURS
from bench.measuring.measure import Row, rows
from bench.measuring.targets import BARE_TOKEN, IN_MEMORY
from sceau_credentials.issuing import Batch
from sceau_credentials.keys import Algorithm, SigningKey
from tests.support.badges.credentials import NOON, Campus

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
AWARDS = 10_000
_ROUNDS = 5
_PIN = "8642"


def run() -> list[Row]:
    if not MODULE.exists():
        print("  without SoftHSM: none is installed", file=sys.stderr)
        return []
    collect_rarely()  # as every server process does
    with TemporaryDirectory(prefix="sceau-bench-") as folder:
        return _measure(_token(Path(folder)))


def _token(folder: Path) -> Hsm:
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "conf")
    made = [
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        "bench",
        "--pin",
        _PIN,
        "--so-pin",
        "12345678",
    ]
    subprocess.run(made, check=True, capture_output=True)  # noqa: S603
    return Hsm(HsmAddress("bench", MODULE, "file:"), _PIN)


def _measure(hsm: Hsm) -> list[Row]:
    from pkcs11 import Mechanism

    key, message = hsm.generate("bench"), bytes(64)
    private: Any = hsm._private_half(hsm._opened(), key.id, key.owner)
    signed: dict[str, list[float]] = {OURS: [], BARE_TOKEN: []}
    whole: dict[str, list[float]] = {OURS: [], IN_MEMORY: []}
    with_token = _both_forms(Campus(Algorithm.EDDSA, key=cast(SigningKey, key)))
    in_memory = _both_forms(Campus(Algorithm.EDDSA))
    for _ in range(_ROUNDS):
        signed[OURS].append(_milliseconds(lambda: [key.sign(message) for _ in range(2 * AWARDS)]))
        signed[BARE_TOKEN].append(
            _milliseconds(
                lambda: [private.sign(message, mechanism=Mechanism.EDDSA) for _ in range(2 * AWARDS)]
            )
        )
        whole[OURS].append(_milliseconds(with_token))
        whole[IN_MEMORY].append(_milliseconds(in_memory))
    hsm.close()
    return [
        *rows(f"signatures of {AWARDS:,} awards by a token", signed, ours=OURS, unit="ms"),
        *rows(f"{AWARDS:,} awards, both forms, linted and checked, by a token", whole, ours=OURS, unit="ms"),
    ]


def _both_forms(campus: Campus) -> Callable[[], object]:
    def sign() -> None:
        batch = Batch(signer=campus.signer, jwt_signer=campus.jwt_signer, at=NOON)
        for document in islice(people_of_one_badge(), AWARDS):
            batch.issue(document)

    return sign


def _milliseconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return (time.process_time() - begun) * 1000
