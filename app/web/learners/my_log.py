"""A learner's own log: what the campus records about them, what each badge shows of it, disputes, and
export."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.awards import Visibility
from app.domain.awards.open_badges import DisclosedContent
from app.domain.people import Person
from app.domain.people.consents import AccessRecord, ParentNeeded, is_minor_for
from app.errors import InvalidInput, NotFound
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.words import day, moment
from app.http.request_scope import ReadingServices, WritingServices, sentence_of, write_transaction
from app.http.response_cache import CHANGING_HOLDER, HOLDER, holder_of, speaks_for_person
from app.http.workplaces import look_of
from app.language import N_, current_locale, translated
from app.services.accounts.sessions import Holder
from app.services.activity_log.personal_log import PersonalLine
from app.services.awards.papers import LogWords
from app.services.learners.contributions import DISPUTABLE
from app.services.publishing import Published
from app.web.activities.files import FileShown, files_shown, previewed, saved
from app.web.activity_log import facts_of, kind_of
from app.web.awards.rule_awarding import WayAhead, lines_shown, rule_text, ways_ahead
from app.web.campus.audit_log import EVENT_LABELS, OTHER_EVENT
from app.web.learners.contributions import ContributionLine
from app.web.publishing.award_page import public_words
from app.web.verification.verification_page import shown_now, shown_with

router = APIRouter(prefix="/mes-badges/{award_id:uuid}/journal")

_CHOICES = {
    DisclosedContent.EXISTENCE: N_("Seulement qu’elle existe"),
    DisclosedContent.SUMMARY: N_("Un résumé : type, rôle, dates et heures"),
    DisclosedContent.ALL: N_("Tout : l’activité, le lieu, ce que j’y ai fait, ce qu’on en a dit"),
}
_LOOKED = {
    AccessRecord.RECORD: N_("Ma fiche : activités et badges"),
    AccessRecord.AWARD: N_("Un de mes badges, du côté du campus"),
    AccessRecord.REQUEST: N_("Ma demande de badge"),
    AccessRecord.CONTRIBUTION: N_("Une de mes contributions"),
    AccessRecord.FILE: N_("Un fichier que j’ai envoyé"),
}
_FORMER = N_("Quelqu’un qui n’est plus connu du campus")
_DONE = {
    "montre": N_(
        "C’est fait : la page, les fichiers et les images de ce badge ne contiennent plus que ce qui a été choisi. "
        "Un fichier téléchargé avant garde ce qu’il disait."
    ),
    "dit": N_("C’est envoyé au campus. Sa réponse s’affichera ici, sous la ligne."),
}


@dataclass(frozen=True)
class DisputeShown:
    said: str
    answer: str


@dataclass(frozen=True)
class LineShown:
    number: int
    campus: str
    when: str
    kind: str
    facts: Sequence[tuple[str, str]]
    disputes: Sequence[DisputeShown]
    may_dispute: bool
    files: Sequence[FileShown] = ()
    """Files of the activity, for participants."""


@dataclass(frozen=True)
class Refused:
    """A refused form, with the typed values."""

    number: int = -1
    said: str = ""
    trouble: str = ""


@dataclass(frozen=True)
class MyLog:
    url: str
    badge_url: str
    badge: str
    lines: Sequence[LineShown]
    shown: Sequence[tuple[int, str, str, str]]
    """Each line of the badge's evidence: number, title, reason, and what is shown of it."""
    rule: str
    ahead: Sequence[WayAhead]
    seen: Sequence[tuple[str, str]]
    contributions: Sequence[ContributionLine]
    looks: Sequence[tuple[str, str, str]]
    """Access log: when a staff member viewed the data, which data, and who."""
    refused: Refused = field(default_factory=Refused)
    is_whole: bool = True
    """False by a private link of a person who has an account: only what belongs to this badge."""


@router.get("", dependencies=[HOLDER])
def show_my_log(
    award_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    return _page(request, services, award_id, done=translated(_DONE[fait]) if fait in _DONE else "")


@dataclass(frozen=True)
class Comparison:
    """What the public reads with the current choices, and with the submitted ones."""

    url: str
    badge_url: str
    badge: str
    before: Sequence[tuple[str, str]]
    after: Sequence[tuple[str, str]]
    choices: Sequence[tuple[str, str]]
    """(field, value) of the form, to be sent again with the confirmation."""
    is_open: bool
    closes: bool
    """The badge has expired and cannot be signed again: with this choice its page is closed."""
    trouble: str
    """Why a parent has to be asked first."""


@router.post("/montrer/comparer", dependencies=[HOLDER])
def compare_what_is_shown(
    award_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> HTMLResponse:
    """Before and after, side by side; nothing is changed yet."""
    record = services.awards.record(award_id)
    wanted, trouble = _wanted(services, award_id, form), ""
    try:
        services.log_disputes.check_may_show(record.award, wanted)
    except ParentNeeded as error:
        trouble = sentence_of(error)
    view = Comparison(
        url=f"/mes-badges/{award_id}/journal",
        badge_url=f"/mes-badges/{award_id}",
        badge=record.version.name,
        before=public_words(record, shown_now(services, record)),
        after=public_words(record, shown_with(services, record, wanted)),
        choices=[(f"ligne-{number}", level.value) for number, level in wanted.items()],
        is_open=record.award.visibility is Visibility.OPEN,
        closes=services.reissuing.would_close(record, wanted),
        trouble=trouble,
    )
    answer = page(request, "learners/compare.html", campus=look_of(record.campus), private=True, c=view)
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


@router.post("/montrer", dependencies=[CHANGING_HOLDER])
def choose_what_is_shown(
    award_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> Response:
    who = holder_of(award_id, request, services)
    wanted = _wanted(services, award_id, form)
    record = services.awards.record(award_id)
    services.log_disputes.show(record.campus, award_id, wanted, by=who.actor)
    return RedirectResponse(f"/mes-badges/{award_id}/journal?fait=montre", status_code=303)


def _wanted(services: Services, award_id: uuid.UUID, form: SafeForm) -> dict[int, DisclosedContent]:
    row = services.evidence.find(award_id)
    typed = {number: text_of(form, f"ligne-{number}") for number in (row.entries if row else ())}
    return {
        number: DisclosedContent(level) for number, level in typed.items() if level in set(DisclosedContent)
    }


@router.post("/contester", dependencies=[HOLDER])
def dispute_a_line(
    award_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> Response:
    said, typed = text_of(form, "texte"), text_of(form, "ligne")
    number = int(typed) if typed.isdecimal() and len(typed) < 16 else -1
    try:
        with write_transaction(request) as writing:
            who = holder_of(award_id, request, writing)
            campus = writing.awards.record(award_id).campus
            if number not in {each.number for each in _lines(writing, who, award_id)}:
                raise NotFound("Cette ligne n’est pas à votre sujet.")
            writing.log_disputes.dispute(who.person.id, campus, number, said, by=who.actor)
    except InvalidInput as error:
        refused = Refused(number, said, sentence_of(error))
        return _page(request, services, award_id, refused=refused, status=422)
    return RedirectResponse(f"/mes-badges/{award_id}/journal?fait=dit#entree-{number}", status_code=303)


@router.get("/mon-journal.json", dependencies=[HOLDER])
def download_as_json(award_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    who = holder_of(award_id, request, services)
    body = services.personal_log.document(
        who.person.id,
        {services.awards.record(award_id).campus.id},
        only_of=_only_of(services, who, award_id),
    )
    return _file(Published.of(body, "application/json"), "mon-journal.json")


@router.get("/mon-journal.pdf", dependencies=[HOLDER])
def download_as_pdf(award_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    who = holder_of(award_id, request, services)
    return _file(_paper(services, who.person, _lines(services, who, award_id)), "mon-journal.pdf")


def _only_of(services: Services, who: Holder, award_id: uuid.UUID) -> uuid.UUID | None:
    return None if speaks_for_person(who, services) else award_id


def _lines(services: Services, who: Holder, award_id: uuid.UUID) -> list[PersonalLine]:
    campus_ids = {services.awards.record(award_id).campus.id}
    return services.personal_log.lines(who.person.id, campus_ids, only_of=_only_of(services, who, award_id))


def _check_piece(services: Services, who: Holder, award_id: uuid.UUID, piece_id: uuid.UUID) -> None:
    """Raises NotFound."""
    services.activity_files.check_seen_by(who.person.id, piece_id)
    if speaks_for_person(who, services):
        return
    lines = _lines(services, who, award_id)
    there = services.activity_files.by_participation(who.person.id, [each.noun_id for each in lines])
    if piece_id not in {file.id for files in there.values() for file in files}:
        raise NotFound("Ce fichier n’est pas ici, ou n’y est plus.")


@router.get("/pieces/{piece_id:uuid}", dependencies=[HOLDER])
def save_piece(
    award_id: uuid.UUID, piece_id: uuid.UUID, request: Request, services: ReadingServices
) -> Response:
    _check_piece(services, holder_of(award_id, request, services), award_id, piece_id)
    return saved(services.files.open_any(piece_id))


@router.get("/pieces/{piece_id:uuid}/apercu", dependencies=[HOLDER])
def preview_piece(
    award_id: uuid.UUID, piece_id: uuid.UUID, request: Request, services: ReadingServices
) -> Response:
    _check_piece(services, holder_of(award_id, request, services), award_id, piece_id)
    return previewed(services.files.preview_any(piece_id))


def _file(document: Published, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(document.body, media_type=document.media_type, headers=headers)


def _page(
    request: Request,
    services: Services,
    award_id: uuid.UUID,
    *,
    done: str = "",
    refused: Refused | None = None,
    status: int = 200,
) -> HTMLResponse:
    who = holder_of(award_id, request, services)
    person, record, is_whole = who.person, services.awards.record(award_id), speaks_for_person(who, services)
    lines = _lines(services, who, award_id)
    url = f"/mes-badges/{award_id}/journal"
    there = services.activity_files.by_participation(person.id, [line.noun_id for line in lines])
    view = MyLog(
        url=url,
        badge_url=f"/mes-badges/{award_id}",
        badge=record.version.name,
        lines=[
            _line(line, record.campus.id, files_shown(there.get(line.noun_id, ()), f"{url}/pieces"))
            for line in lines
        ],
        shown=lines_shown(services, record),
        rule=rule_text(record),
        ahead=ways_ahead(services, record, person.id) if is_whole else [],
        seen=[
            (
                moment(each.at, record.campus.time_zone),
                translated(EVENT_LABELS.get(("award", each.action), OTHER_EVENT)),
            )
            for each in services.awards.history_of(record.campus, award_id)
        ],
        contributions=[
            ContributionLine.of(each, url)
            for each in (services.contributions.of_person(person, record.campus) if is_whole else ())
        ],
        looks=[
            (
                day(look.day),
                translated(_LOOKED[look.looked_at]),
                viewer.name if viewer else translated(_FORMER),
            )
            for look, viewer in (services.private_looks.of(person, record.campus) if is_whole else ())
        ],
        refused=refused or Refused(),
        is_whole=is_whole,
    )
    answer = page(
        request,
        "learners/my_log.html",
        campus=look_of(record.campus),
        private=True,
        status=status,
        j=view,
        done=done,
        choices=[
            (level.value, translated(words))
            for level, words in _CHOICES.items()
            if services.evidence.bounds_of(award_id).apply(level) is level
        ],
        is_minor=is_minor_for(record.person, record.activity),
    )
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


def _line(line: PersonalLine, campus_id: uuid.UUID, files: Sequence[FileShown]) -> LineShown:
    return LineShown(
        number=line.number,
        campus=line.campus.short_name,
        when=moment(line.at, line.campus.time_zone),
        kind=kind_of(line.kind, line.facts),
        facts=facts_of(line.facts, line.campus.time_zone),
        disputes=[DisputeShown(each.said, each.answer) for each in line.disputes],
        may_dispute=line.campus.id == campus_id and line.noun in DISPUTABLE,
        files=files,
    )


def _paper(services: Services, person: Person, lines: Sequence[PersonalLine]) -> Published:
    words = LogWords(
        lang=current_locale(),
        title=translated("Mon journal : {name}").format(name=person.name),
        author="Sceau",
        intro=translated("Tout ce que le journal du campus dit de vous, la ligne la plus récente d’abord."),
        lines=[
            (
                f"{line.campus.short_name}, {moment(line.at, line.campus.time_zone)}",
                kind_of(line.kind, line.facts),
                facts_of(line.facts, line.campus.time_zone),
            )
            for line in lines
        ],
        foot=day(services.clock()),
    )
    return services.papers.log(words)
