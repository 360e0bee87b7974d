"""`python -m tests.torture`: 200 random SIGKILLs on each engine, then a check of every guarantee."""

from __future__ import annotations

import argparse
import secrets
import sys
from contextlib import nullcontext

from tests.support.databases.postgres import database_of_this_run
from tests.torture.run import Result, torture

SQLITE = "sqlite:///{folder}/sceau.sqlite"
ENGINES = {"sqlite": nullcontext(SQLITE), "postgresql": database_of_this_run()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="for each engine")
    parser.add_argument("--engine", choices=list(ENGINES), action="append", help="this one alone")
    parser.add_argument(
        "--every", type=float, default=0.5, help="mean seconds from the start of an award to a kill"
    )
    parser.add_argument("--seed", type=int, help="to draw the same lists and victims again")
    options = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    worst = 0
    for engine in options.engine or ENGINES:
        print(f"{engine}: {options.kills} kills, seed {seed}", flush=True)
        with ENGINES[engine] as url:
            if url is None:
                print("  no PostgreSQL is installed")
                worst = 1
                continue
            result = torture(url, kills=options.kills, seed=seed, every=options.every, told=_tell)
        _print(result)
        worst |= bool(result.faults)
    return worst


def _tell(result: Result) -> None:
    if result.kills.total() % 20 == 0:
        print(f"  {result.kills.total()} kills", flush=True)


def _print(result: Result) -> None:
    killed = ", ".join(f"{name} {count}" for name, count in sorted(result.kills.items()))
    print(f"  killed: {killed}; {result.during_awards} of them while a bulk award was under way")
    print("  " + ", ".join(f"{name} {count:,}" for name, count in result.figures.items()))
    for question, faults in result.faults.items():
        print(f"  BROKEN: {question} ({len(faults)})")
        for fault in faults[:5]:
            print(f"    {fault}")
    print(f"  {result.seconds:,.0f} s; {'BROKEN' if result.faults else 'every promise kept'}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
