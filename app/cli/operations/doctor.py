"""`sceau doctor`: one finding for each subject, with its remedy."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from app.cli.terminal import ExitCode, out, settings
from app.container.health import State, examine
from app.language import N_

_SIGNS = {State.GOOD: ("✓", "green"), State.WARNING: ("!", "yellow"), State.FAULT: ("✗", "bold red")}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help=N_("Une ligne JSON par constat."))] = False,
) -> None:
    has_fault = False
    for finding in examine(settings()):
        has_fault = has_fault or finding.state is State.FAULT
        if as_json:
            print(json.dumps(asdict(finding), ensure_ascii=False))
            continue
        sign, style = _SIGNS[finding.state]
        out().print(f"{sign} {finding.subject} : {finding.sentence}", style=style, markup=False)
        if finding.remedy:
            out().print(f"    → {finding.remedy}", markup=False)
    if has_fault:
        raise typer.Exit(ExitCode.REFUSED)
