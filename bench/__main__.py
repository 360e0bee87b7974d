"""`python -m bench [MODULE…]`: run benchmarks, print a table, write var/bench.json.

A module of this package is a benchmark if it has a function `run() -> list[Row]`; with names, or with
ROWS=page,json,library,bulk,scale,fairness, only those run. `python -m bench --markdown` measures nothing: it
writes the last run into docs/performance.md.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import bench
from bench.measuring.documents import write_into_documents
from bench.measuring.measure import Row
from bench.measuring.targets import held_by

_NAMED = ("cryptography", "pynacl", "orjson", "pydantic", "sqlalchemy", "psycopg", "pyld", "openbadgeslib")
_REPORT = Path(__file__).resolve().parents[1] / "var" / "bench.json"


def main(names: list[str]) -> int:
    if names == ["--markdown"]:
        write_into_documents(json.loads(_REPORT.read_text()))
        return 0
    measured: list[Row] = []
    for name in names or _named_by(os.environ.get("ROWS", "")) or _every_module():
        module = importlib.import_module(f"bench.{name}")
        if hasattr(module, "run"):
            print(f"{name}: {module.__doc__}", flush=True)
            measured += module.run()
    _print_table(measured)
    _write(measured)
    return 0


def _every_module() -> list[str]:
    found = (module.name.removeprefix("bench.") for module in pkgutil.walk_packages(bench.__path__, "bench."))
    return [name for name in found if name != "__main__"]


_PARTS = {
    "page": ("different",),
    "json": ("different", "web"),
    "library": ("credentials", "batches"),
    "bulk": ("ten_thousand", "whole_service", "log_share"),
    "scale": ("at_scale.reads", "at_scale.long_log"),
    "fairness": ("fairness",),
}


def _named_by(rows: str) -> list[str]:
    """The modules of `ROWS=page,json`: parts by the names above, or modules by their own."""
    named = [module for each in rows.split(",") if each for module in _PARTS.get(each, (each,))]
    return list(dict.fromkeys(named))


def _print_table(measured: list[Row]) -> None:
    print(f"\n{'what':<48} {'median':>12} {'± spread':>10} {'unit':<5} {'times as fast as':<28}")
    for row in measured:
        against = f"{row.ratio:>8.2f} ± {row.ratio_spread:.2f} × {row.peer}" if row.ratio is not None else ""
        print(f"{row.name:<48} {row.median:>12,.1f} {row.spread:>10,.1f} {row.unit:<5} {against:<28}")
    print(f"\n{'target':<48} {'measured':>36} {'promised':>14}")
    for each in held_by(measured):
        verdict = "held" if each.is_held else "MISSED"
        print(f"{each.name:<48} {each.measured:>36} {each.promised:>14}  {verdict}")


def _write(measured: list[Row]) -> None:
    _REPORT.parent.mkdir(exist_ok=True)
    report = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {platform.system()}, {os.cpu_count()} cores",
        "load": [round(each, 1) for each in os.getloadavg()],
        "versions": {name: version(name) for name in _NAMED},
        "rows": [row.to_document() for row in measured],
    }
    _REPORT.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    print(f"\nwritten to {_REPORT.parent.name}/{_REPORT.name}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
