"""What a badge rests on in the campus's log, as pages show it: one sentence, each line to open, each check explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.http.pages.saying import said
from app.http.pages.typography import say
from app.http.pages.wording import days, moment
from app.language import N_
from app.services.verification.verdicts import LineTold, evidence_told, witnesses_told
from app.services.verification.verification import Answer


@dataclass(frozen=True)
class LineShown:
    number: int
    when: str
    kind: str
    title: str
    text: str
    facts: Sequence[tuple[str, str]]
    logged: str
    file: str = ""
    """Where a file that is shown lies; its preview, too, where it is a picture."""
    preview: str = ""


@dataclass(frozen=True)
class EvidenceShown:
    state: str
    sentence: str
    beside: str
    lines: Sequence[LineShown]
    checks: Sequence[tuple[str, str]]
    limits: Sequence[str]
    decided: str
    state_of_log: str
    witnesses: Sequence[str]
    """Sentences: who else saw the award, and of a badge whose key was found stolen whether that was before."""
    document: str
    """Where the document is, which holds every proof."""
    photos: Sequence[tuple[str, str]] = ()
    """Of the activity: where each is, and what it shows."""


_LOGGED = N_("Inscrite au journal le {moment}, ligne {number} sur {size}.")
_DECIDED = N_("Attribution inscrite le {moment}, ligne {number} sur {size}.")


def evidence_shown(answer: Answer, zone: str, document: str) -> EvidenceShown | None:
    """`document` is where our own evidence document is, and its files below it; empty for another's badge."""
    if answer.evidence is None:
        return None
    told = evidence_told(answer.evidence)
    return EvidenceShown(
        state=told.state,
        sentence=said(told.sentence, zone),
        beside=said(told.beside, zone),
        lines=[_line(line, told.size, zone, document) for line in told.lines],
        checks=[(say(words), say(why)) for words, why in told.checks],
        limits=[say(words) for words in told.limits],
        decided=say(_DECIDED).format(
            moment=moment(told.decided_at, zone), number=told.decision + 1, size=told.size
        )
        if told.decided_at
        else "",
        state_of_log=told.log,
        witnesses=[said(each, zone) for each in witnesses_told(answer.evidence, answer.report)],
        document=document if told.lines or told.decided_at else "",
    )


def _line(line: LineTold, size: int, zone: str, document: str) -> LineShown:
    when = days(line.starts_on, line.ends_on) if line.starts_on and line.ends_on else ""
    file = f"{document}/pieces/{line.number}" if document and line.file_type else ""
    return LineShown(
        number=line.number,
        when=when,
        kind=say(line.kind),
        title=said(line.title, zone),
        text=line.text,
        facts=[(say(label), said(value, zone)) for label, value in line.facts],
        logged=say(_LOGGED).format(moment=moment(line.logged_at, zone), number=line.number + 1, size=size),
        file=file,
        preview=f"{file}/apercu" if file and line.file_type.startswith("image/") else "",
    )
