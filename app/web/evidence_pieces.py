"""What a badge rests on in the campus's log, as pages show it: one sentence, each line to open, each check explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.credentials.evidence.judging import EvidenceReport
from app.credentials.timestamps import parse_timestamp
from app.credentials.verification.remarks import RemarkCode
from app.language import N_
from app.services.awards import AwardRecord
from app.services.verdicts import LineTold, evidence_told
from app.services.verification import Answer
from app.web.saying import said
from app.web.typography import say
from app.web.wording import day, days, moment
from app.wiring import Services


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
    document: str
    """Where the document is, which holds every proof."""
    is_own: bool = False
    """Whether the log is kept here, so that who witnessed it is known."""
    before_theft: str = ""
    """Of a badge whose key was found stolen: whether anybody but the campus saw its award before."""
    photos: Sequence[tuple[str, str]] = ()
    """Of the activity: where each is, and what it shows."""


_LOGGED = N_("Inscrite au journal le {moment}, ligne {number} sur {size}.")
_DECIDED = N_("Attribution inscrite le {moment}, ligne {number} sur {size}.")
_SEEN_BEFORE = N_(
    "Un témoin extérieur avait vu cette attribution avant que la clé soit volée : qu’elle soit d’avant ne repose pas "
    "sur le campus seul."
)
_NOT_SEEN_BEFORE = N_(
    "Aucun témoin extérieur n’avait vu cette attribution avant que la clé soit volée : qu’elle soit d’avant repose "
    "sur le journal du campus seul."
)
_WITNESSED = N_("{witness}, le {day}")


def evidence_shown(report: EvidenceReport | None, zone: str, document: str) -> EvidenceShown | None:
    """`document` is where our own evidence document is, and its files below it; empty for another's badge."""
    if report is None:
        return None
    told = evidence_told(report)
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
        witnesses=[
            say(_WITNESSED).format(witness=name, day=day(seen, zone)) for name, seen in told.witnesses
        ],
        document=document if told.lines or told.decided_at else "",
    )


def with_witnesses(
    shown: EvidenceShown, services: Services, answer: Answer, record: AwardRecord, zone: str
) -> EvidenceShown:
    """Who else saw the award in the log; and of one whose key was found stolen since, whether it was before."""
    row = services.evidence.find(record.award.id)
    if row is None or not shown.decided:
        return shown
    seen = services.log_publication.first_to_see(record.campus, row)
    stolen = _stolen_since(answer)
    words = ""
    if stolen is not None:
        words = say(_SEEN_BEFORE if any(at < stolen for _, at in seen) else _NOT_SEEN_BEFORE)
    names = [say(_WITNESSED).format(witness=name, day=day(at, zone)) for name, at in seen]
    return replace(shown, witnesses=names, is_own=True, before_theft=words)


def _stolen_since(answer: Answer) -> datetime | None:
    for remark in answer.report.remarks if answer.report else ():
        if remark.code is RemarkCode.KEY_REVOKED_SINCE:
            return parse_timestamp(str(remark.details["withdrawn"]))
    return None


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
