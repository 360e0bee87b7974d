"""`python -m fuzz --seconds 600`: every target for so long, several at a time, each in its own process."""

from __future__ import annotations

import argparse
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fuzz.driver import Finding, feed

FINDINGS = Path("var/fuzz")


def main() -> int:
    options = _options()
    if options.target:
        return _one(options.target, options.seconds, options.seed)
    from fuzz.targets import TARGETS

    with ThreadPoolExecutor(options.processes) as pool:
        return max(pool.map(lambda name: _in_own_process(name, options), TARGETS))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="for each target")
    parser.add_argument("--target", help="this one alone, in this process")
    parser.add_argument("--processes", type=int, default=2, help="targets at a time")
    parser.add_argument("--seed", type=int, help="to feed the same inputs again")
    return parser.parse_args()


def _in_own_process(name: str, options: argparse.Namespace) -> int:
    command = [sys.executable, "-m", "fuzz", "--target", name, "--seconds", str(options.seconds)]
    if options.seed is not None:
        command += ["--seed", str(options.seed)]
    return subprocess.run(command, check=False).returncode


def _one(name: str, seconds: float, seed: int | None) -> int:
    from fuzz.targets import TARGETS

    try:
        fed, outcomes = feed(TARGETS[name], seconds, seed)
    except Finding as finding:
        FINDINGS.mkdir(parents=True, exist_ok=True)
        kept = FINDINGS / f"{name}.bin"
        kept.write_bytes(finding.data)
        print(f"{name}: {finding} (input kept in {kept})")
        raise finding from finding.__cause__
    print(f"{name}: {fed:,} inputs, {outcomes} ways through, nothing found", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
