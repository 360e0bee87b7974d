"""Generates the table of targets in docs/performance.md from a report, so that figures are never copied by
hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from bench.measuring.measure import Row
from bench.measuring.targets import DATA, held_by

_HERE: Final = Path(__file__).resolve().parents[2]
_DOCUMENT: Final = _HERE / "docs" / "performance.md"
_TABLE: Final = re.compile("(?<=<!-- bench -->\n).*?(?=<!-- /bench -->)", re.DOTALL)


def write_into_documents(report: dict[str, Any]) -> None:
    _DOCUMENT.write_text(_TABLE.sub(lambda _: table_of(report), _DOCUMENT.read_text(), count=1))


def table_of(report: dict[str, Any]) -> str:
    lines = [_circumstances(report), "", "| | measured | promised | |", "|---|---|---|---|"]
    for each in held_by(Row(**row) for row in report["rows"]):
        verdict = "held" if each.is_held else "**missed**"
        lines.append(f"| {each.name} | {each.measured} | {each.promised} | {verdict} |")
    lines += ["", "What was done to which data:", ""]
    lines += [f"- *{rows}*: {data}." for rows, data in DATA.items()]
    return "\n".join([*lines, ""])


def _circumstances(report: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    load = " / ".join(f"{each:g}" for each in report["load"])
    return (
        f"{report['at'][:10]}, {report['machine']}, Python {report['python']}, {versions}. Load of the machine after "
        f"the run: {load}. Medians of interleaved rounds in one process, with the distance between the quartiles."
    )
