"""People on a pathway, for those who train them: where they are, decisions, and the badge of the whole."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.awards import LineOutcome, in_words
from app.domain.frameworks.pathways import ConditionKind, PathwayDecision, ProposalState, StageState
from app.domain.people import Person
from app.domain.people.consents import AccessRecord
from app.errors import AppError, Conflict, InvalidInput, NotAllowed
from app.http.pages.forms import CHECKED_FORM, SafeForm, text_of
from app.http.pages.registers import Cell, table_file
from app.http.pages.words import day
from app.http.request_scope import ReadingServices, process_of, sentence_of, status_for, write_transaction
from app.http.workplaces import AtWork, access_views, at_work, staff
from app.language import N_, local, translated
from app.services.awards.awards import AwardRequest
from app.services.frameworks.pathway_progress import QUIET_AFTER, Follower, FollowerFilter, OwnPathway
from app.web.frameworks.pathway_view import STATES, condition_words, shown_pathway

router = APIRouter(prefix="/gestion/{slug}/parcours")
_WORK, _AWARD = [staff(Permission.WORK)], [staff(Permission.AWARD)]
A_PAGE = 50
PROPOSALS = {
    ProposalState.NONE: N_("En chemin"),
    ProposalState.WAITING: N_("Badge proposé"),
    ProposalState.DECLINED: N_("Badge non attribué"),
    ProposalState.AWARDED: N_("Badge attribué"),
}
_DONE = {
    "donne": N_("Le badge est attribué. La personne reçoit un e-mail avec son lien."),
    "refus": N_("C’est noté. La personne lit la raison sur la page de son parcours."),
    "avis": N_("L’étape est reconnue."),
    "repris": N_("L’avis est retiré : l’étape attend de nouveau."),
    "reouvert": N_("La proposition attend de nouveau une décision."),
}
HEADING = ("Nom", "Prénom", "Version", "Depuis le", "Dernière étape le", "Étapes acquises", "Possible maintenant", "Badge de l’ensemble")  # fmt: skip


@dataclass(frozen=True)
class StageCount:
    key: str
    title: str
    done: int
    open: int
    later: int
    quiet: int
    href: str
    quiet_href: str


@dataclass(frozen=True)
class FollowerLine:
    href: str
    name: str
    at: Sequence[str]
    since: str
    is_quiet: bool
    version: int
    proposal: str


@dataclass(frozen=True)
class Wanted:
    """The filters of the address."""

    stage: str = ""
    state: str = ""
    quiet: bool = False
    version: int | None = None
    proposal: str = ""
    name: str = ""

    @staticmethod
    def of(request: Request) -> Wanted:
        asked = request.query_params
        version = asked.get("version", "")
        return Wanted(
            asked.get("etape", "")[:12],
            asked.get("etat", ""),
            bool(asked.get("attente")),
            int(version) if version.isdecimal() and len(version) < 6 else None,
            asked.get("badge", ""),
            asked.get("nom", "")[:100],
        )

    def filter(self, services: Services) -> FollowerFilter:
        return FollowerFilter(
            self.stage,
            StageState(self.state) if self.state in list(StageState) else None,
            self.version,
            services.clock() - QUIET_AFTER if self.quiet else None,
            ProposalState(self.proposal) if self.proposal in list(ProposalState) else None,
            self.name,
        )

    def query(self, **more: object) -> str:
        values = {
            "etape": self.stage,
            "etat": self.state,
            "attente": "oui" if self.quiet else "",
            "version": self.version or "",
            "badge": self.proposal,
            "nom": self.name,
            **more,
        }
        return urlencode({name: value for name, value in values.items() if value})


@router.get("/{pathway_id:uuid}/suivi", dependencies=_WORK)
def show_overview(pathway_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    work, wanted = at_work(request), Wanted.of(request)
    number = request.query_params.get("page", "1")
    at = max(int(number), 1) if number.isdecimal() and len(number) < 6 else 1
    found = services.pathway_followers.overview(work.campus, pathway_id)
    here = f"{work.home}/parcours/{pathway_id}/suivi"
    followers = services.pathway_followers.followers(
        work.campus, pathway_id, wanted.filter(services), limit=A_PAGE + 1, start=(at - 1) * A_PAGE
    )
    titles = {each.key: each.title for each in found.content.stages}
    return work.page(
        request,
        "frameworks/pathways/followers.html",
        wide=True,
        here=here,
        exports=work.may(Permission.EXPORT),
        title=found.content.title,
        total=found.total,
        proposals=[(translated(words), found.by_proposal.get(each, 0)) for each, words in PROPOSALS.items()],
        stages=[
            StageCount(
                each.key,
                each.title,
                found.states.get((each.key, StageState.DONE), 0),
                found.states.get((each.key, StageState.OPEN), 0),
                found.states.get((each.key, StageState.LATER), 0),
                found.quiet.get(each.key, 0),
                f"{here}?etape={each.key}&etat=open#personnes",
                f"{here}?etape={each.key}&attente=oui#personnes",
            )
            for each in found.content.stages
        ],
        lines=[_line(work, pathway_id, each, titles, services) for each in followers[:A_PAGE]],
        wanted=wanted,
        stage_options=[("", translated("Toutes")), *titles.items()],
        state_options=[
            ("", translated("Tous")),
            *((each.value, translated(words)) for each, words in STATES.items()),
        ],
        proposal_options=[
            ("", translated("Tous")),
            *((each.value, translated(words)) for each, words in PROPOSALS.items()),
        ],
        version_options=[
            ("", translated("Toutes")),
            *((str(each), str(each)) for each in sorted(found.by_version)),
        ],
        is_filtered=bool(wanted.query()),
        days=QUIET_AFTER.days,
        csv=f"{here}.csv?{wanted.query()}",
        first=f"{here}?{wanted.query()}#personnes" if at > 1 else "",
        next=f"{here}?{wanted.query(page=at + 1)}#personnes" if len(followers) > A_PAGE else "",
    )


def _line(
    work: AtWork, pathway_id: uuid.UUID, found: Follower, titles: dict[str, str], services: Services
) -> FollowerLine:
    changed = found.enrolment.changed_at
    is_over = found.enrolment.proposal in (ProposalState.WAITING, ProposalState.AWARDED)
    return FollowerLine(
        f"{work.home}/parcours/{pathway_id}/suivi/{found.enrolment.id}",
        found.person.name,
        [titles.get(key, key) for key, _ in found.at],
        day(changed, work.campus.time_zone),
        is_quiet=not is_over and changed < services.clock() - QUIET_AFTER,
        version=found.enrolment.number,
        proposal=translated(PROPOSALS[found.enrolment.proposal]),
    )


@router.get("/{pathway_id:uuid}/suivi.csv", dependencies=[staff(Permission.EXPORT)])
def followers_table(pathway_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    work, wanted = at_work(request), Wanted.of(request)
    titles = {
        each.key: each.title
        for each in services.pathway_followers.overview(work.campus, pathway_id).content.stages
    }
    with write_transaction(request) as writing:
        writing.history.note_export(work.campus, "parcours", by=work.actor)

    def rows(reading: Services) -> Iterable[Sequence[Cell]]:
        for each in reading.pathway_followers.every_follower(work.campus, pathway_id, wanted.filter(reading)):
            yield (
                each.person.family_name,
                each.person.given_name,
                each.enrolment.number,
                local(each.enrolment.joined_at, work.campus.time_zone).date(),
                local(each.enrolment.changed_at, work.campus.time_zone).date(),
                each.done,
                " | ".join(titles.get(key, key) for key, _ in each.at),
                PROPOSALS[each.enrolment.proposal],
            )

    return table_file(request, "parcours", HEADING, rows)


@router.get("/{pathway_id:uuid}/suivi/{enrolment_id:uuid}", dependencies=_WORK)
def show_follower(
    pathway_id: uuid.UUID,
    enrolment_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    fait: str = "",
) -> HTMLResponse:
    done = translated(_DONE[fait]) if fait in _DONE else ""
    return _follower_page(request, services, pathway_id, enrolment_id, done=done)


def _follower_page(
    request: Request,
    services: Services,
    pathway_id: uuid.UUID,
    enrolment_id: uuid.UUID,
    *,
    done: str = "",
    error: AppError | None = None,
    way: str = "",
    typed: str = "",
) -> HTMLResponse:
    work = at_work(request)
    own = services.pathway_followers.follower(work.campus, pathway_id, enrolment_id)
    access_views(request, own.enrolment.person_id, AccessRecord.RECORD)
    found = services.pathways.shown(own.pathway, own.version, own.content)
    person = services.pathway_followers.person_of(own)
    decided = {each.stage: (each, by) for each, by in services.pathway_followers.decisions(own)}
    zone = work.campus.time_zone
    return work.page(
        request,
        "frameworks/pathways/follower.html",
        status=status_for(error),
        here=f"{work.home}/parcours/{pathway_id}/suivi/{enrolment_id}",
        overview=f"{work.home}/parcours/{pathway_id}/suivi",
        name=person.name,
        record=f"{work.home}/repertoire/{person.id}",
        path=shown_pathway(found, own.progress),
        version=own.enrolment.number,
        joined=day(own.enrolment.joined_at, zone),
        proposal=translated(PROPOSALS[own.enrolment.proposal]),
        state=own.enrolment.proposal.value,
        reason=own.enrolment.reason,
        decisions=_decisions(own, decided, zone),
        may_award=work.may(Permission.AWARD)
        and own.progress.is_complete
        and own.enrolment.proposal is not ProposalState.AWARDED,
        is_own=own.enrolment.person_id == work.who.person.id,
        badge=own.content.badge.name if own.content.badge else "",
        evidence=typed
        if way == "attribuer"
        else _evidence(own, {key: each.note for key, (each, _) in decided.items()}, zone),
        way=way,
        typed=typed,
        trouble=sentence_of(error) if error else "",
        done=done,
    )


@dataclass(frozen=True)
class DecisionShown:
    key: str
    title: str
    words: str
    note: str = ""
    who: str = ""
    when: str = ""


def _decisions(
    own: OwnPathway, decided: dict[str, tuple[PathwayDecision, Person | None]], zone: str
) -> list[DecisionShown]:
    found = []
    for stage in own.content.stages:
        for condition in stage.conditions:
            if condition.kind is not ConditionKind.DECISION:
                continue
            shown = DecisionShown(stage.key, stage.title, condition_words(condition))
            if stage.key in decided:
                row, person = decided[stage.key]
                who = person.name if person else ""
                shown = replace(shown, note=row.note, who=who, when=day(row.decided_at, zone))
            found.append(shown)
    return found


def _evidence(own: OwnPathway, notes: dict[str, str], zone: str) -> str:
    """What was gathered, stage by stage, to be read again by the person who awards."""
    lines = []
    for each in own.progress.stages:
        if each.state is StageState.DONE and each.since is not None:
            words = translated("{title}, le {day}.").format(title=each.stage.title, day=day(each.since, zone))
            lines.append(f"– {words} {notes.get(each.stage.key, '')}".rstrip())
    return "\n".join(lines)[:4000]


@router.post("/{pathway_id:uuid}/suivi/{enrolment_id:uuid}/avis/{key}", dependencies=_AWARD)
def decide(
    pathway_id: uuid.UUID,
    enrolment_id: uuid.UUID,
    key: str,
    request: Request,
    form: SafeForm,
    services: ReadingServices,
) -> Response:
    note = text_of(form, "note")

    def change(writing: Services, work: AtWork) -> None:
        writing.pathway_followers.decide(work.campus, pathway_id, enrolment_id, key, note, by=work.actor)

    return _changed(
        request, services, pathway_id, enrolment_id, change, "avis", way=f"avis-{key}", typed=note
    )


@router.post(
    "/{pathway_id:uuid}/suivi/{enrolment_id:uuid}/avis/{key}/retirer",
    dependencies=[*_AWARD, CHECKED_FORM],
)
def undecide(
    pathway_id: uuid.UUID, enrolment_id: uuid.UUID, key: str, request: Request, services: ReadingServices
) -> Response:
    def change(writing: Services, work: AtWork) -> None:
        writing.pathway_followers.undecide(work.campus, pathway_id, enrolment_id, key, by=work.actor)

    return _changed(request, services, pathway_id, enrolment_id, change, "repris")


@router.post("/{pathway_id:uuid}/suivi/{enrolment_id:uuid}/ecarter", dependencies=_AWARD)
def decline(
    pathway_id: uuid.UUID,
    enrolment_id: uuid.UUID,
    request: Request,
    form: SafeForm,
    services: ReadingServices,
) -> Response:
    reason = text_of(form, "raison")

    def change(writing: Services, work: AtWork) -> None:
        writing.pathway_followers.decline(work.campus, pathway_id, enrolment_id, reason, by=work.actor)

    return _changed(request, services, pathway_id, enrolment_id, change, "refus", way="ecarter", typed=reason)


@router.post("/{pathway_id:uuid}/suivi/{enrolment_id:uuid}/rouvrir", dependencies=[*_AWARD, CHECKED_FORM])
def reopen(
    pathway_id: uuid.UUID, enrolment_id: uuid.UUID, request: Request, services: ReadingServices
) -> Response:
    def change(writing: Services, work: AtWork) -> None:
        writing.pathway_followers.reopen(work.campus, pathway_id, enrolment_id, by=work.actor)

    return _changed(request, services, pathway_id, enrolment_id, change, "reouvert")


@router.post("/{pathway_id:uuid}/suivi/{enrolment_id:uuid}/attribuer", dependencies=_AWARD)
def award(
    pathway_id: uuid.UUID,
    enrolment_id: uuid.UUID,
    request: Request,
    form: SafeForm,
    services: ReadingServices,
) -> Response:
    """As any award: the badge's own rules and who may award it are checked again."""
    evidence = text_of(form, "preuve")

    def change(writing: Services, work: AtWork) -> None:
        followers = writing.pathway_followers
        own = followers.follower(work.campus, pathway_id, enrolment_id)
        followers.check_may_award(own, by=work.actor)
        proposed_at = own.enrolment.proposed_at
        proposed = proposed_at.isoformat() if proposed_at else ""
        assert own.content.badge is not None, "a published pathway has a badge"
        asked = AwardRequest(
            own.content.badge.id,
            lines=(followers.line_of(own),),
            evidence=evidence,
            # Of this proposal: after a revocation, another proposal gives the badge again.
            idempotency_key=f"pathway/{enrolment_id}/{own.enrolment.number}/{proposed}",
        )
        line = writing.awards.award(work.campus, asked, by=work.actor).lines[0]
        if line.outcome is not LineOutcome.AWARDED:
            raise Conflict(
                line.reason or N_("Ce badge n’a pas pu être attribué."), **in_words(line.reason_values)
            )
        followers.refresh([enrolment_id])

    return _changed(
        request, services, pathway_id, enrolment_id, change, "donne", way="attribuer", typed=evidence
    )


def _changed(
    request: Request,
    services: Services,
    pathway_id: uuid.UUID,
    enrolment_id: uuid.UUID,
    change: Callable[[Services, AtWork], None],
    done: str,
    *,
    way: str = "",
    typed: str = "",
) -> Response:
    work = at_work(request)
    try:
        with write_transaction(request) as writing:
            change(writing, work)
    except (InvalidInput, Conflict, NotAllowed) as error:
        return _follower_page(request, services, pathway_id, enrolment_id, error=error, way=way, typed=typed)
    process_of(request).on_enqueue()
    return RedirectResponse(
        f"{work.home}/parcours/{pathway_id}/suivi/{enrolment_id}?fait={done}", status_code=303
    )


@router.get("/propositions", dependencies=_AWARD)
def list_proposals(request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    return work.page(
        request,
        "frameworks/pathways/proposals.html",
        lines=[
            (
                f"{work.home}/parcours/{each.pathway.id}/suivi/{each.enrolment.id}",
                each.person.name,
                each.pathway.title,
                day(each.enrolment.proposed_at, work.campus.time_zone) if each.enrolment.proposed_at else "",
            )
            for each in services.pathway_followers.proposals(work.campus)
        ],
    )
