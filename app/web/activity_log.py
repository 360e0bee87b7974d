"""The activity log of a campus for human readers: public state, and tools for auditors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activity_log import CampusLog, EntryKind, LogReview
from app.domain.campus.signed_terms import is_artefact
from app.http.pages.forms import CHECKED_FORM
from app.http.pages.render import page
from app.http.pages.words import ACTIVITY_KINDS, PARTS, StateLabel, day, days, moment, number, sentence_text
from app.http.request_scope import ReadingServices, public, write_transaction
from app.http.workplaces import at_work, look_of, staff
from app.language import N_, translated
from app.services.activity_log.evidence import PublicLog, WitnessSeen
from app.services.activity_log.log_check import FAULTS, MOST_LOG_FAULTS, Fault
from app.services.activity_log.log_monitoring import MonitoredStatement, last_done
from app.services.verification.answers import Answer
from app.services.verification.verdicts import (
    EvidenceLine,
    duration,
    evidence_messages,
    plain,
    witness_messages,
)
from sceau_credentials.evidence.judging import LogKeyState, LogKeyTerm
from sceau_credentials.values import parse_timestamp

router = APIRouter()
KINDS = {
    EntryKind.PARTICIPATION: N_("Participations"),
    EntryKind.CORRECTION: N_("Corrections"),
    EntryKind.CONTRIBUTION: N_("Contributions"),
    EntryKind.ASSESSMENT: N_("Évaluations"),
    EntryKind.AWARD: N_("Badges attribués"),
    EntryKind.REVOCATION: N_("Badges retirés"),
    EntryKind.DEFINITION: N_("Badges décrits"),
    EntryKind.KEY: N_("Clés de signature"),
    EntryKind.ERASURE: N_("Effacements"),
}


@dataclass(frozen=True)
class WitnessLine:
    label: str
    size: int | None
    at: datetime | None
    retired: bool

    @staticmethod
    def of(seen: WitnessSeen) -> WitnessLine:
        witness = seen.witness
        return WitnessLine(witness.label, seen.size, seen.at, witness.retired_at is not None)


@dataclass(frozen=True)
class SignedState:
    """The last signed log; `files` is the URL prefix of its files."""

    origin: str
    size: int
    root: str
    at: datetime
    vkey: str
    files: str

    @staticmethod
    def of(public_log: PublicLog, slug: str) -> SignedState:
        point, log = public_log.checkpoint, public_log.log
        return SignedState(
            log.origin,
            point.size,
            point.root.hex(),
            point.signed_at,
            public_log.key.to_vkey(),
            files_of(slug, log),
        )


def files_of(slug: str, log: CampusLog) -> str:
    return f"/campus/{slug}/journal" + (f"/{log.epoch}" if log.epoch > 1 else "")


_ALL_IT_SIGNED = N_("Tout ce qu’elle a signé compte toujours ; elle a annoncé la suivante.")
_UP_TO = N_("Ce qu’elle a signé compte jusqu’à la longueur {n} ; rien de ce qui est venu après.")
_NOTHING = N_("Rien de ce qu’elle a signé ne compte plus.")


@dataclass(frozen=True)
class FormerKey:
    """A retired log key, and up to where its signatures are trusted."""

    vkey: str
    ended: datetime
    stolen: bool
    reach: str

    @staticmethod
    def of(term: LogKeyTerm) -> FormerKey:
        stolen = term.state is LogKeyState.REVOKED
        size = term.last.size if term.last else 0
        reach = translated(_UP_TO).format(n=number(size)) if size else translated(_NOTHING)
        return FormerKey(
            term.key.to_vkey(),
            term.ended or term.since,
            stolen,
            reach if stolen else translated(_ALL_IT_SIGNED),
        )


@dataclass(frozen=True)
class ReviewLine:
    asked_at: datetime
    done_at: datetime | None
    since: int
    size: int | None
    state: StateLabel
    faults: Sequence[str]
    has_more: bool

    @staticmethod
    def of(review: LogReview) -> ReviewLine:
        if review.done_at is None:
            state = StateLabel("En attente", "shut")
        elif review.faults:
            state = StateLabel("Ne correspond plus", "bad")
        else:
            state = StateLabel("Tel qu’il a été écrit", "ok")
        shown = review.faults[:MOST_LOG_FAULTS]
        faults = [translated(FAULTS[Fault(kind)]).format(where=where) for kind, where in shown]
        has_more = len(review.faults) > len(shown)
        return ReviewLine(review.asked_at, review.done_at, review.since, review.size, state, faults, has_more)


@dataclass(frozen=True)
class LogMentionLine:
    number: int
    at: datetime
    reason: str
    erased: bool

    @staticmethod
    def of(said: MonitoredStatement) -> LogMentionLine:
        facts = said.payload.facts if said.payload else {}
        return LogMentionLine(
            said.entry.number, said.entry.at, str(facts.get("reason", "")), said.payload is None
        )


@router.get("/campus/{slug}/journal")
@public
def show_log(slug: str, request: Request, services: ReadingServices) -> HTMLResponse:
    state = services.log_publication.state(slug)
    return page(
        request,
        "activity_log/public.html",
        campus=look_of(state.campus),
        zone=state.campus.time_zone,
        home=f"/campus/{slug}",
        signed=SignedState.of(state.current, slug) if state.current else None,
        commands=_witness_commands(state.current),
        former=_former_keys(services, state.current),
        waiting=state.waiting,
        witnesses=[WitnessLine.of(each) for each in state.witnesses],
        closed=[(each.origin, each.size, each.closed_at) for each in state.closed],
    )


def _former_keys(services: Services, public_log: PublicLog | None) -> Sequence[FormerKey]:
    terms = services.log_publication.keys(public_log).terms if public_log else ()
    return [FormerKey.of(each) for each in reversed(terms) if each.state is not LogKeyState.ACTIVE]


def _witness_commands(public_log: PublicLog | None) -> Sequence[str]:
    """Commands for an external witness of this log."""
    if public_log is None:
        return ()
    return (
        "sceau witness make-key --name temoin.exemple.fr",
        f'sceau witness cosign https://{public_log.log.origin} --key "{public_log.key.to_vkey()}"',
    )


@router.get("/gestion/{slug}/audit/journal", dependencies=[staff(Permission.AUDIT)])
def audit_log(request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    found = services.log_watch.audit(work.campus)
    counts = [(KINDS[kind], found.kinds.get(kind, 0)) for kind in EntryKind]
    done = last_done(found.reviews)
    return work.page(
        request,
        "activity_log/audit.html",
        zone=work.campus.time_zone,
        size=found.log.size if found.log else 0,
        kinds=counts,
        checkpoints=[(each.size, each.root.hex(), each.signed_at) for each in found.checkpoints],
        last=ReviewLine.of(done[1]) if done else None,
        reviews=[ReviewLine.of(each) for each in found.reviews],
        waits=any(each.done_at is None for each in found.reviews),
        corrections=[LogMentionLine.of(each) for each in found.corrections],
        erasures=[LogMentionLine.of(each) for each in found.erasures],
        public=f"/campus/{work.campus.slug}/journal",
    )


@router.post("/gestion/{slug}/audit/journal", dependencies=[staff(Permission.AUDIT), CHECKED_FORM])
def ask_review(request: Request) -> RedirectResponse:
    work = at_work(request)
    with write_transaction(request) as services:
        services.log_watch.ask_review(work.campus, by=work.actor)
    return RedirectResponse(f"{work.home}/audit/journal", status_code=303)


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
    """URL of a shown file, and of its preview for a picture."""
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
    """The log entry of the award, or of its latest edition."""
    decided_title: str
    witnesses: Sequence[str]
    """Sentences: independent evidence of the award and, for a badge under a stolen key, whether it predates
    the theft."""
    document: str
    """URL of the document, which contains every proof."""
    photos: Sequence[tuple[str, str]] = ()
    """Files of the activity: URL and description of each."""


_LOGGED = N_("Inscrite au journal le {moment}, ligne {number} sur {size}.")
_DECIDED = N_("Attribution inscrite le {moment}, ligne {number} sur {size}.")
_SIGNED_AGAIN = N_("Badge signé de nouveau, inscrit le {moment}, ligne {number} sur {size}.")


def evidence_shown(answer: Answer, zone: str, document: str) -> EvidenceShown | None:
    """`document` is the URL of our evidence document, its files are below it; empty for a foreign badge."""
    if answer.evidence is None:
        return None
    messages = evidence_messages(answer.evidence, answer.report, answer.correction)
    return EvidenceShown(
        state=messages.state,
        sentence=sentence_text(messages.sentence, zone),
        beside=sentence_text(messages.beside, zone),
        lines=[_line(line, messages.size, zone, document) for line in messages.lines],
        checks=[(translated(words), translated(why)) for words, why in messages.checks],
        limits=[translated(words) for words in messages.limits],
        decided=translated(_SIGNED_AGAIN if messages.is_signed_again else _DECIDED).format(
            moment=moment(messages.decided_at, zone), number=messages.decision + 1, size=messages.size
        )
        if messages.decided_at
        else "",
        decided_title=translated(
            N_("Dernière signature") if messages.is_signed_again else N_("Attribution décidée")
        ),
        witnesses=[sentence_text(each, zone) for each in witness_messages(answer.evidence, answer.report)],
        document=document if messages.lines or messages.decided_at else "",
    )


def _line(line: EvidenceLine, size: int, zone: str, document: str) -> LineShown:
    when = days(line.starts_on, line.ends_on) if line.starts_on and line.ends_on else ""
    file = f"{document}/pieces/{line.number}" if document and line.file_type else ""
    return LineShown(
        number=line.number,
        when=when,
        kind=translated(line.kind),
        title=sentence_text(line.title, zone),
        text=line.text,
        facts=[(translated(label), sentence_text(value, zone)) for label, value in line.facts],
        logged=translated(_LOGGED).format(
            moment=moment(line.logged_at, zone), number=line.number + 1, size=size
        ),
        file=file,
        preview=f"{file}/apercu" if file and line.file_type.startswith("image/") else "",
    )


KIND_LABELS: Final = {
    EntryKind.PARTICIPATION: N_("Participation inscrite"),
    EntryKind.CORRECTION: N_("Participation corrigée"),
    EntryKind.CONTRIBUTION: N_("Contribution"),
    EntryKind.ASSESSMENT: N_("Appréciation"),
    EntryKind.AWARD: N_("Badge attribué"),
    EntryKind.REVOCATION: N_("Badge retiré"),
    EntryKind.DEFINITION: N_("Définition du badge"),
    EntryKind.KEY: N_("Clé de signature"),
    EntryKind.ERASURE: N_("Effacement"),
}
_PIECE: Final = N_("Pièce jointe")
_LABELS: Final = {
    "title": N_("Titre"),
    "artefact": N_("Pièce"),
    "link": N_("Lien"),
    "activity": N_("Activité"),
    "activityKind": N_("Type"),
    "startsOn": N_("Du"),
    "endsOn": N_("Au"),
    "place": N_("Lieu"),
    "minutes": N_("Durée"),
    "part": N_("Rôle"),
    "present": N_("Présence"),
    "contribution": N_("Contribution"),
    "reason": N_("Motif"),
    "corrects": N_("Remplace la ligne"),
    "text": N_("Appréciation"),
    "badge": N_("Badge"),
    "words": N_("Ce que montre la photo"),
    "removed": N_("Retirée"),
    "suspended": N_("Suspendu"),
    "suspendedUntil": N_("Suspendu jusqu’au"),
    "contentDigest": N_("Empreinte SHA-256"),
}
_KIND_WORDS: Final = {kind.value: words for kind, words in ACTIVITY_KINDS.items()}
_PART_WORDS: Final = {part.value: words for part, words in PARTS.items()}


def kind_of(kind: EntryKind, facts: Mapping[str, object]) -> str:
    if "suspended" in facts:
        return translated(N_("Badge suspendu") if facts["suspended"] else N_("Suspension levée"))
    return translated(_PIECE if is_artefact(facts) else KIND_LABELS[kind])


def facts_of(facts: Mapping[str, object], zone: str) -> list[tuple[str, str]]:
    """Every field meaningful to people, with its label."""
    found = []
    for name, label in _LABELS.items():
        words = _value(name, facts.get(name), zone)
        if words:
            found.append((translated(label), words))
    return found


def _value(name: str, value: object, zone: str) -> str:
    match name, value:
        case "minutes", int():
            return duration(value)
        case "present" | "removed" | "suspended", bool():
            return translated("oui") if value else translated("non")
        case "corrects", int():
            return str(value + 1)
        case "activityKind", str():
            return translated(_KIND_WORDS[value]) if value in _KIND_WORDS else value
        case "part", str():
            return translated(_PART_WORDS[value]) if value in _PART_WORDS else value
        case "reason", str():
            # Reasons written by the service are in the catalogues; text typed by people is not.
            return translated(plain(value, 1000)) if value else ""
        case "suspendedUntil", str():
            return day(parse_timestamp(value), zone)
        case "startsOn" | "endsOn", str():
            return day(date.fromisoformat(value))
        case _, str():
            return plain(value, 1000)
    return ""
