"""`python -m tests.mutation [FILE …]`: how many small faults in the verifier would the tests notice?"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pytest

from tests.mutation.run import KILLED, NOT_MADE, NOT_RUN, SURVIVED, MutationRun
from tests.support.databases.postgres import URL_VARIABLE

LIBRARY = Path("packages/sceau_credentials/src/sceau_credentials")
FILES = [
    LIBRARY / "status_list.py",
    *sorted((LIBRARY / "proofs").glob("*.py")),
    *sorted((LIBRARY / "verification").rglob("*.py")),
]
TESTS = ["tests/sceau_credentials"]
AT_LEAST = 0.9


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=FILES)
    parser.add_argument("--processes", type=int, default=2, help="mutants at a time")
    parser.add_argument(
        "--sample", type=int, help="so many mutants of each file, drawn at random, in place of all"
    )
    parser.add_argument(
        "--tests",
        nargs="+",
        default=TESTS,
        help="fewer tests, for a first answer: what they miss counts as living",
    )
    parser.add_argument(
        "--again", type=Path, help="only the mutants that lived, by what an earlier run has written"
    )
    parser.add_argument("--patience", type=float, default=20, help="seconds of tests for each mutant")
    options = parser.parse_args()
    os.environ.setdefault(URL_VARIABLE, "none of these tests needs a database")
    report = os.fdopen(os.dup(1), "w")
    run = MutationRun(
        options.files,
        processes=options.processes,
        patience=options.patience,
        sample=options.sample,
        again=_lived_in(options.again) if options.again else None,
        report=report,
    )
    quiet = ["-q", "--no-header", "-s", "-n", "0", "-p", "no:cacheprovider"]
    if pytest.main([*quiet, *options.tests], plugins=[run]) not in (
        pytest.ExitCode.OK,
        pytest.ExitCode.TESTS_FAILED,
    ):
        return 2
    killed = len(run.outcomes[KILLED])
    lived = len(run.outcomes[SURVIVED]) + len(run.outcomes[NOT_RUN])
    share = killed / max(1, killed + lived)
    print(f"{killed + lived} mutants, {100 * share:.1f} % killed", file=report, flush=True)
    if run.controls_noticed or run.outcomes[NOT_MADE]:
        print("void: the tests fail in this runner with nothing changed", file=report, flush=True)
        return 2
    return 0 if share >= AT_LEAST else 1


def _lived_in(written: Path) -> frozenset[str]:
    outcomes = (line.partition(": ") for line in written.read_text().splitlines())
    return frozenset(mutant for outcome, _, mutant in outcomes if outcome in (SURVIVED, NOT_RUN))


if __name__ == "__main__":
    sys.exit(main())
