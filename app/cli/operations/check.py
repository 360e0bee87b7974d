"""`sceau check`: verifies everything signed again; resumes after an interruption."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import Progress

from app.cli.terminal import ExitCode, aside, out, ready_process, say, settings, warn_of_another_address
from app.container import IntegrityRun
from app.container.doctor import State, examine
from app.domain.activity_log import MOST_FAULTS, SENTENCES, Damage, IntegrityCheck
from app.domain.campus.audit_log import Actor
from app.language import N_, labelled
from app.language import gettext as _

_BY = Actor.command("check")


def check(
    processes: Annotated[
        int, typer.Option(min=1, max=64, help=N_("Combien de processus se partagent le travail."))
    ] = os.cpu_count() or 1,
    anew: Annotated[
        bool, typer.Option("--anew", help=N_("Recommence du début une vérification interrompue."))
    ] = False,
) -> None:
    process = ready_process()
    warn_of_another_address(process)
    run = IntegrityRun(process, processes=processes)
    state = run.begin(by=_BY, anew=anew)
    if state.done_steps:
        say(
            "Une vérification était en cours : elle reprend à l’étape {step} sur {steps}.",
            step=state.done_steps + 1,
            steps=state.steps,
        )
    with Progress(console=aside(), disable=not aside().is_terminal, transient=True) as shown:
        bar = shown.add_task(_("Vérification"), total=state.steps, completed=state.done_steps)
        for each in run.run(state):
            state = each
            shown.update(bar, completed=state.done_steps)
    _tell(state)
    if state.fault_count:
        raise typer.Exit(ExitCode.REFUSED)


def _tell(state: IntegrityCheck) -> None:
    for damage, where, detail in state.faults:
        print(damage, where, _(SENTENCES[Damage(damage)]).format(where=where, detail=detail), sep="\t")
    counted = state.checked
    say(
        "Vérifié, avec tous les journaux. Attributions : {awards} ; nouvelles éditions : {editions} ; listes de "
        "statuts : {lists} ; badges : {pictures} ; pièces : {files}.",
        awards=counted.get("awards", 0),
        editions=counted.get("editions", 0),
        lists=counted.get("lists", 0),
        pictures=counted.get("pictures", 0),
        files=counted.get("files", 0),
    )
    if state.fault_count > MOST_FAULTS:
        say("Les {most} premiers défauts sont nommés.", most=MOST_FAULTS)
    if state.fault_count:
        say("Défauts : {count}.", style="bold red", count=state.fault_count)
    else:
        say("Tout est comme signé.", style="green")


# --- `sceau doctor`: one finding for each subject, with its remedy

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
        out().print(f"{sign} {labelled(finding.subject, finding.sentence)}", style=style, markup=False)
        if finding.remedy:
            out().print(f"    → {finding.remedy}", markup=False)
    if has_fault:
        raise typer.Exit(ExitCode.REFUSED)
