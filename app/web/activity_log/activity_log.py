"""The activity log of a campus as people see it: its public state, and what its auditors look for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.activity_log.activity_log import CampusLog, EntryKind
from app.domain.activity_log.watch import LogReview
from app.http.pages.forms import checked_form
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.wording import number
from app.http.pages.words import Word
from app.http.policies import public
from app.http.request_scope import ReadingServices, deed
from app.http.workplaces import at_work, look_of, staff
from app.language import N_
from app.services.activity_log.check import FAULTS, Fault
from app.services.activity_log.publication import PublicLog, WitnessSeen
from app.services.activity_log.watch import Said, last_done
from sceau_credentials.evidence.log_keys import LogKeyState, LogKeyTerm

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
    key_name: str
    size: int | None
    at: datetime | None
    retired: bool

    @staticmethod
    def of(seen: WitnessSeen) -> WitnessLine:
        witness = seen.witness
        return WitnessLine(witness.label, witness.name, seen.size, seen.at, witness.retired_at is not None)


@dataclass(frozen=True)
class SignedState:
    """The log as it was last signed; `files` is where its files begin."""

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
_UP_TO = N_("Ce qu’elle a signé compte jusqu’à {n} lignes ; rien de ce qui est venu après.")
_NOTHING = N_("Rien de ce qu’elle a signé ne compte plus.")


@dataclass(frozen=True)
class FormerKey:
    """A key of the log that gave way, and how far what it signed is believed."""

    vkey: str
    ended: datetime
    stolen: bool
    reach: str

    @staticmethod
    def of(term: LogKeyTerm) -> FormerKey:
        stolen = term.state is LogKeyState.REVOKED
        size = term.last.size if term.last else 0
        reach = say(_UP_TO).format(n=number(size)) if size else say(_NOTHING)
        return FormerKey(
            term.key.to_vkey(), term.ended or term.since, stolen, reach if stolen else say(_ALL_IT_SIGNED)
        )


@dataclass(frozen=True)
class ReviewLine:
    asked_at: datetime
    done_at: datetime | None
    size: int | None
    state: Word
    faults: Sequence[str]

    @staticmethod
    def of(review: LogReview) -> ReviewLine:
        if review.done_at is None:
            state = Word(N_("En attente"), "shut")
        elif review.faults:
            state = Word(N_("Ne correspond plus"), "bad")
        else:
            state = Word(N_("Tel qu’il a été écrit"), "ok")
        faults = [say(FAULTS[Fault(kind)]).format(where=where) for kind, where in review.faults]
        return ReviewLine(review.asked_at, review.done_at, review.size, state, faults)


@dataclass(frozen=True)
class SaidLine:
    number: int
    at: datetime
    reason: str
    erased: bool

    @staticmethod
    def of(said: Said) -> SaidLine:
        facts = said.payload.facts if said.payload else {}
        return SaidLine(said.entry.number, said.entry.at, str(facts.get("reason", "")), said.payload is None)


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
    """What somebody outside types to watch this log."""
    if public_log is None:
        return ()
    return (
        "sceau witness make-key --name temoin.exemple.fr",
        f'sceau witness look https://{public_log.log.origin} --key "{public_log.key.to_vkey()}"',
    )


@router.get("/gestion/{slug}/audit/journal", dependencies=[staff(Deed.AUDIT)])
def audit_log(request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    found = services.log_watch.audit(work.campus)
    counts = [(KINDS[kind], found.kinds.get(kind, 0)) for kind in EntryKind]
    done = last_done(found.reviews)
    return page(
        request,
        "activity_log/audit.html",
        campus=work.look,
        private=True,
        home=work.home,
        zone=work.campus.time_zone,
        size=found.log.size if found.log else 0,
        kinds=counts,
        checkpoints=[(each.size, each.root.hex(), each.signed_at) for each in found.checkpoints],
        last=ReviewLine.of(done[1]) if done else None,
        reviews=[ReviewLine.of(each) for each in found.reviews],
        waits=any(each.done_at is None for each in found.reviews),
        corrections=[SaidLine.of(each) for each in found.corrections],
        erasures=[SaidLine.of(each) for each in found.erasures],
        public=f"/campus/{work.campus.slug}/journal",
    )


@router.post("/gestion/{slug}/audit/journal", dependencies=[staff(Deed.AUDIT), Depends(checked_form)])
def ask_review(request: Request) -> RedirectResponse:
    work = at_work(request)
    with deed(request) as services:
        services.log_watch.ask_review(work.campus, by=work.actor)
    return RedirectResponse(f"{work.home}/audit/journal", status_code=303)
