"""Award a badge: choose badge and people, review each line, correct, award."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities import Activity, Participation, disambiguated, has_begun
from app.domain.activities.listed_people import ListedPerson
from app.domain.awards import check_evidence_text
from app.domain.awards.batches import key_of_page
from app.domain.campus.signed_terms import duration
from app.domain.imports.lists.vocabulary.hours import hours_fault, hours_in
from app.domain.people import normal_address, suggested_address
from app.errors import AppError, Conflict, InvalidInput, NotAllowed, Unavailable, faults_of_fields
from app.http.pages.forms import (
    DRAFT_NOTE,
    SafeForm,
    bytes_of,
    draft_form,
    save_draft,
    text_of,
    texts_of,
)
from app.http.pages.words import PARTS, days, hours_text, local
from app.http.request_scope import (
    WITH_ORGANISERS,
    ReadingServices,
    process_of,
    sentence_of,
    status_for,
    write_transaction,
)
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, translated, translated_plural
from app.services.activities.activities import ActivityPage
from app.services.awards.awards import AwardRequest, Preview
from app.services.awards.eligibility import OfferedLine, suggested
from app.web.activities import ActivityView
from app.web.awards.preview import GIVE_LATER, MOST_NOTES, SHOWN_AT_ONCE, Hour, PreviewView
from app.web.campus.dashboard import BadgeTile
from app.web.imports.list_table import CHANGE, STEP, ListSetting, changed_row, left_as_text
from app.web.people.directory import GivenList, given_list, keep_mapping, list_setting, settling_page

PROPOSED, SEEN_CHOICES, TICKED_CHOICES = "lignes-proposees", "lignes-vues", "ligne"


@dataclass(frozen=True)
class Ticks:
    """What was ticked; `proposed` is the badge's own evidence, `seen` what the page showed as ticked."""

    ticked: frozenset[uuid.UUID] = frozenset()
    proposed: frozenset[uuid.UUID] = frozenset()
    seen: frozenset[uuid.UUID] = frozenset()

    @staticmethod
    def of(form: FormData) -> Ticks:
        return Ticks(
            _ids(" ".join(texts_of(form, TICKED_CHOICES))),
            _ids(text_of(form, PROPOSED)),
            _ids(text_of(form, SEEN_CHOICES)),
        )

    @property
    def grounds(self) -> tuple[uuid.UUID, ...] | None:
        """None where the trainer left the badge's default evidence."""
        return None if self.ticked == self.proposed else tuple(sorted(self.ticked))

    @property
    def changed(self) -> bool:
        return self.ticked != self.seen


@dataclass(frozen=True)
class LineOffered:
    id: uuid.UUID
    title: str
    beside: str
    is_ticked: bool
    is_own: bool


@dataclass(frozen=True)
class LinesOffered:
    """`alone`: the lines of one person, without activities that several share."""

    lines: Sequence[LineOffered]
    proposed: str
    seen: str
    alone: bool


def lines_offered(services: Services, checked: Preview, ticks: Ticks) -> LinesOffered:
    offered = services.award_choices.offered(checked)
    now = suggested(offered)
    proposed = ticks.proposed if ticks.grounds is not None else now
    alone = len(checked.ready) == 1
    return LinesOffered(
        [
            LineOffered(one.id, one.title, _beside(one, alone=alone), one.is_chosen, one.is_own)
            for one in offered
        ],
        _joined(proposed),
        _joined(now),
        alone,
    )


def _beside(one: OfferedLine, *, alone: bool) -> str:
    parts = [days(one.starts_on, one.ends_on)]
    if alone and one.minutes:
        parts.append(duration(one.minutes))
    if one.part is not None:
        parts.append(translated(PARTS[one.part]))
    if not alone:
        parts.append(
            translated_plural("{n} personne prête", "{n} personnes prêtes", one.people).format(n=one.people)
        )
    return ", ".join(parts)


def _joined(ids: frozenset[uuid.UUID]) -> str:
    return " ".join(map(str, sorted(ids)))


def _ids(text: str) -> frozenset[uuid.UUID]:
    found = set()
    for word in text.split():
        try:
            found.add(uuid.UUID(word))
        except ValueError:
            continue
    return frozenset(found)


_FIELD = re.compile(r"(nom|prenom|adresse|sans|heures|contribution)-(\d{1,6}|[0-9a-f-]{36})")
SUGGESTION, EVIDENCE, EVIDENCE_SEEN = "proposition", "preuve", "preuve-vue"


@dataclass(frozen=True)
class Noted:
    hours: float | None
    contribution: str


@dataclass(frozen=True)
class Corrections:
    """Only what differs from what the page showed. Lines are identified by their number in the list."""

    lines: Mapping[int, ListedPerson] = field(default_factory=dict)
    amendments: Mapping[uuid.UUID, Noted] = field(default_factory=dict)
    troubles: Mapping[str, str] = field(default_factory=dict)
    """By field name: why the typed value is invalid."""
    typed: Mapping[str, str] = field(default_factory=dict)
    evidence_changed: bool = False

    @property
    def change_anything(self) -> bool:
        return bool(self.lines or self.amendments or self.troubles or self.evidence_changed)


def corrections_of(
    form: FormData, lines: Sequence[ListedPerson], participations: Sequence[Participation]
) -> Corrections:
    typed: dict[str, dict[str, str]] = {}
    for name in form:
        found = _FIELD.fullmatch(name)
        if found:
            typed.setdefault(found[2], {})[found[1]] = text_of(form, name)
    chosen = text_of(form, SUGGESTION)
    corrected = {
        line.line: better
        for line in lines
        if (better := _corrected(line, typed.get(str(line.line), {}), chosen == str(line.line))) != line
    }
    amendments, troubles = _amendments(typed, participations)
    return Corrections(
        corrected,
        amendments,
        troubles,
        {f"{field}-{key}": text for key, fields in typed.items() for field, text in fields.items()},
        text_of(form, EVIDENCE) != text_of(form, EVIDENCE_SEEN),
    )


def _corrected(line: ListedPerson, typed: Mapping[str, str], take_suggestion: bool) -> ListedPerson:
    address = normal_address(typed.get("adresse", line.address))
    if take_suggestion:
        address = suggested_address(address) or address
    hours, fault = line.hours, line.fault
    if "heures" in typed:
        hours, readable = hours_in(typed["heures"])
        fault = "" if readable else "hours"
    return replace(
        line,
        given_name=typed.get("prenom", line.given_name),
        family_name=typed.get("nom", line.family_name),
        address="" if "sans" in typed else address,
        hours=hours,
        fault=fault,
        hours_as_written=typed.get("heures", line.hours_as_written) if fault else "",
        contribution=typed.get("contribution", line.contribution),
    )


def _amendments(
    typed: Mapping[str, Mapping[str, str]], participations: Sequence[Participation]
) -> tuple[dict[uuid.UUID, Noted], dict[str, str]]:
    amendments: dict[uuid.UUID, Noted] = {}
    troubles: dict[str, str] = {}
    for participation in participations:
        fields = typed.get(str(participation.id), {})
        written = fields.get("heures", hours_text(participation.hours))
        hours, readable = hours_in(written)
        contribution = fields.get("contribution", participation.contribution)
        if not readable or (hours is not None and hours > 10_000):
            troubles[f"heures-{participation.id}"] = translated(hours_fault(written))
        elif len(contribution) > 1000:
            troubles[f"contribution-{participation.id}"] = translated(
                "La contribution tient en 1 000 signes."
            )
        elif written != hours_text(participation.hours) or contribution != participation.contribution:
            amendments[participation.id] = Noted(hours, contribution)
    return amendments, troubles


GIVE, CHOOSE_AGAIN = "attribuer", "choisir"
SEEN, FAULTS_SEEN, CONTENT_SEEN = "pretes", "fautes", "contenu"
EARLY = "avant-l-activite"
"""Set by the confirmation page for an activity that has not begun."""
EVERYBODY, TICKED, ONLY_LIST = "tous", "cochees", "liste"
# Beyond this, one checkbox per person does not help.
MOST_TICKS = 500
CORRECTED = N_("Corrigé au moment d’attribuer.")
"""Reason logged when a participation is corrected in the preview of an award."""
router = APIRouter(prefix="/gestion/{slug}/activites/{activity_id}/attribuer", dependencies=[WITH_ORGANISERS])


@dataclass(frozen=True)
class Choice:
    """Contents of the first awarding page, passed on to the later ones."""

    badge: str = ""
    who: str = EVERYBODY
    ticked: frozenset[uuid.UUID] = frozenset()
    given: GivenList = field(default_factory=GivenList)
    evidence: str = ""
    ticks: Ticks = field(default_factory=Ticks)

    @staticmethod
    def of(form: FormData, setting: ListSetting) -> Choice:
        return Choice(
            text_of(form, "badge"),
            text_of(form, "qui"),
            frozenset(ids_in(" ".join(texts_of(form, "personne")))),
            given_list(form, setting),
            text_of(form, EVIDENCE),
            Ticks.of(form),
        )

    def recorded(self, found: ActivityPage) -> tuple[uuid.UUID, ...]:
        """The chosen participations, in the order of the activity."""
        if self.who == ONLY_LIST:
            return ()
        there = [participation.id for participation, _ in found.participants]
        return tuple(one for one in there if self.who == EVERYBODY or one in self.ticked)

    def faults(self, found: ActivityPage) -> dict[str, AppError]:
        """By field of the first page."""
        people = "personne" if found.participants and self.who != ONLY_LIST else "liste"
        return faults_of_fields(
            {
                people: lambda: self._check_people(found),
                "badge": lambda: self.badge_id,
                EVIDENCE: lambda: check_evidence_text(self.evidence),
            }
        )

    @property
    def badge_id(self) -> uuid.UUID:
        for badge_id in ids_in(self.badge):
            return badge_id
        raise InvalidInput("Choisissez le badge à attribuer.")

    def _check_people(self, found: ActivityPage) -> None:
        if not self.recorded(found) and not self.given.lines:
            raise InvalidInput("Choisissez au moins une personne, ou donnez une liste.")

    def request(self, found: ActivityPage, key: str) -> AwardRequest:
        badge_id = self.badge_id
        self._check_people(found)
        return AwardRequest(
            badge_id,
            found.activity.id,
            participation_ids=self.recorded(found),
            lines=self.given.lines,
            evidence=self.evidence,
            grounds=self.ticks.grounds,
            idempotency_key=key_of_page(key),
        )


def ids_in(text: str) -> list[uuid.UUID]:
    found = []
    for word in text.split():
        try:
            found.append(uuid.UUID(word))
        except ValueError:
            continue
    return found


@router.get("", dependencies=[staff(Permission.AWARD)])
def choose(
    activity_id: uuid.UUID, request: Request, services: ReadingServices, badge: str = "", source: str = ""
) -> HTMLResponse:
    work = at_work(request)
    found = services.activities.page(work.campus, activity_id)
    choice = Choice(badge, ONLY_LIST if source == ONLY_LIST else EVERYBODY)
    return _choice_page(request, services, work, found, choice)


@router.post("", dependencies=[staff(Permission.AWARD)])
def check_or_award(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """Awards what the preview showed unchanged; anything else leads to a page that shows what it becomes."""
    work = at_work(request)
    found = services.activities.page(work.campus, activity_id)
    keep_mapping(request, work, form, list_setting(services, work, found.activity))
    try:
        awarded, note = _award_if_checked(request, services, work, found, form), ""
    except (InvalidInput, Conflict, NotAllowed, Unavailable) as error:
        awarded, note = None, sentence_of(error)
    return awarded or save_draft(request, form, _here(work, activity_id), note=note, at=changed_row(form))


def _here(work: AtWork, activity_id: uuid.UUID) -> str:
    return f"{work.home}/activites/{activity_id}/attribuer"


def _award_if_checked(
    request: Request, services: Services, work: AtWork, found: ActivityPage, form: FormData
) -> Response | None:
    """None where the form asks for a preview, or was changed since its preview."""
    choice = Choice.of(form, list_setting(services, work, found.activity))
    if choice.given.to_settle or choice.given.trouble or text_of(form, STEP) == CHANGE:
        return None
    if text_of(form, "geste") == CHOOSE_AGAIN:
        return None
    corrections = corrections_of(form, choice.given.lines, [one for one, _ in found.participants])
    choice = replace(choice, given=_corrected_list(choice.given, corrections))
    wanted = choice.request(found, text_of(form, "cle"))
    hour = Hour.of(form, work, at=services.clock())
    asks = _is_early(services, work, found.activity, hour) and text_of(form, EARLY) != "oui"
    gives = not hour.trouble and not asks and text_of(form, "geste") in (GIVE, GIVE_LATER)
    if gives and _has_changed(services, work, form, wanted.badge_id, found.activity):
        return None
    if gives and not corrections.change_anything and not choice.ticks.changed:
        return give(request, work, wanted, hour)
    if not corrections.amendments:
        checked = services.awards.preview(work.campus, wanted, by=work.actor) if gives else None
    else:
        with write_transaction(request) as writing:
            _amend(writing, work, found.activity.id, corrections)
            checked = writing.awards.preview(work.campus, wanted, by=work.actor)
    if checked is None or not gives or not _is_seen(form, checked, corrections):
        return None
    # Notes that leave as many lines ready as the submitted button showed.
    return give(request, work, wanted, hour) if text_of(form, SEEN) == str(len(checked.ready)) else None


@router.get("/{draft_id:uuid}", dependencies=[staff(Permission.AWARD)])
def show_draft(
    activity_id: uuid.UUID, draft_id: uuid.UUID, request: Request, services: ReadingServices
) -> HTMLResponse:
    """The list to settle, the preview, or the choice with what is wrong: what the submitted form leads to."""
    work = at_work(request)
    found = services.activities.page(work.campus, activity_id)
    form = draft_form(request, services, draft_id, _here(work, activity_id))
    choice = Choice.of(form, list_setting(services, work, found.activity))
    note = text_of(form, DRAFT_NOTE)
    activity = ActivityView.of(work, found.activity)
    here = _here(work, activity_id)
    crumb = (activity.title, activity.href)
    if table := settling_page(request, work, form, choice.given, crumb, action=here):
        return table
    corrections = corrections_of(form, choice.given.lines, [one for one, _ in found.participants])
    choice = replace(choice, given=_corrected_list(choice.given, corrections))
    changes = text_of(form, "geste") == CHOOSE_AGAIN or text_of(form, STEP) == CHANGE
    if changes:
        return _choice_page(request, services, work, found, choice, note)
    errors: dict[str, str] = {name: sentence_of(error) for name, error in choice.faults(found).items()}
    if choice.given.trouble:
        errors.pop("liste", None)
        errors["fichier" if bytes_of(form, "fichier") else "liste"] = choice.given.trouble
    if errors:
        return _choice_page(request, services, work, found, choice, errors=errors)
    if note:
        return _choice_page(request, services, work, found, choice, note)
    try:
        wanted = choice.request(found, "")
        hour = Hour.of(form, work, at=services.clock())
        checked = services.awards.preview(work.campus, wanted, by=work.actor)
        asks = _is_early(services, work, found.activity, hour) and text_of(form, EARLY) != "oui"
        held_back = not hour.trouble and not asks and text_of(form, "geste") in (GIVE, GIVE_LATER)
        return _preview_page(
            request, services, work, found, checked, choice, corrections, hour,
            held_back_words(form, checked) if held_back else "",
            key=services.award_batches.free_key(work.campus, str(draft_id)),
        )  # fmt: skip
    except (InvalidInput, Conflict, NotAllowed, Unavailable) as error:
        return _choice_page(request, services, work, found, choice, sentence_of(error))


def _has_changed(
    services: Services, work: AtWork, form: FormData, badge_id: uuid.UUID, activity: Activity | None
) -> bool:
    """Whether badge or activity changed since the preview that the form comes from."""
    shown = text_of(form, CONTENT_SEEN)
    if not shown:
        return False
    version = services.badges.current_version(work.campus, badge_id)
    return shown != services.badges.content_mark(work.campus, version, activity)


def held_back_words(form: FormData, checked: Preview) -> str:
    """Why a preview is shown again instead of awarding."""
    if text_of(form, CONTENT_SEEN) in ("", checked.content):
        return translated(
            "Vous veniez de corriger des lignes : voici ce qu’elles deviennent. Vérifiez, puis attribuez."
        )
    return translated("Le badge ou l’activité a changé depuis l’aperçu. Relisez, puis attribuez.")


def _is_early(services: Services, work: AtWork, activity: Activity, hour: Hour) -> bool:
    """Whether the badge would be given before the activity begins."""
    at = local(hour.moment or services.clock(), work.campus.time_zone)
    return not has_begun(activity, at.replace(tzinfo=None))


def _is_seen(form: FormData, checked: Preview, corrections: Corrections) -> bool:
    """Whether the page already showed the invalid note: it excludes its own line, then no longer blocks the
    others."""
    ready = {line.participation.id for line in checked.ready if line.participation}
    shown = text_of(form, FAULTS_SEEN).split()
    return all(
        name in shown and uuid.UUID(name.partition("-")[2]) not in ready for name in corrections.troubles
    )


def give(request: Request, work: AtWork, wanted: AwardRequest, hour: Hour) -> Response | None:
    """Awards a few immediately; enqueues many, or scheduled ones.

    None on a page of before an undo: what it stands for was taken back.
    """
    process = process_of(request)
    with write_transaction(request) as writing:
        if writing.award_batches.was_taken_back(work.campus, wanted.idempotency_key or ""):
            return None
        batch = writing.awards.give(
            work.campus, wanted, by=work.actor, undo_for=process.undo_for, not_before=hour.moment
        )
    process.on_enqueue()
    return RedirectResponse(f"{work.home}/resultats/{batch.id}", status_code=303)


def _corrected_list(given: GivenList, corrections: Corrections) -> GivenList:
    return replace(given, lines=tuple(corrections.lines.get(line.line, line) for line in given.lines))


def _amend(services: Services, work: AtWork, activity_id: uuid.UUID, corrections: Corrections) -> None:
    """Corrections about a recorded person are stored in the activity."""
    for participation_id, noted in corrections.amendments.items():
        participation, _ = services.activities.participation(work.campus, activity_id, participation_id)
        services.activities.amend(
            work.campus,
            activity_id,
            participation_id,
            part=participation.part,
            hours=noted.hours,
            contribution=noted.contribution,
            by=work.actor,
            reason=CORRECTED,
        )


def _choice_page(
    request: Request,
    services: Services,
    work: AtWork,
    found: ActivityPage,
    choice: Choice,
    trouble: str = "",
    errors: Mapping[str, str] = MappingProxyType({}),
) -> HTMLResponse:
    badges = [
        BadgeTile.of(badge, version)
        for badge, version in services.openings.awardable(work.campus, work.who.person.id, work.roles)
    ]
    expected = {
        badge.id for badge, _ in services.activity_plans.planned(work.campus, found.activity.id).badges
    }
    badges.sort(key=lambda tile: tile.id not in expected)
    likely = [tile for tile in badges if tile.id in expected] or badges
    chosen = choice.badge or (str(likely[0].id) if len(likely) == 1 else "")
    badges = [
        replace(tile, is_chosen=str(tile.id) == chosen, is_expected=tile.id in expected) for tile in badges
    ]
    few = len(found.participants) <= MOST_TICKS
    return work.page(
        request,
        "awards/choose.html",
        activity=ActivityView.of(work, found.activity),
        badges=badges,
        chosen=chosen,
        early=_is_early(services, work, found.activity, Hour()),
        people=_ticks(found, choice) if few else [],
        total=len(found.participants),
        who=choice.who,
        ticked_word=TICKED if few else EVERYBODY,
        text=choice.given.source,
        evidence=choice.evidence,
        trouble=trouble,
        errors=errors,
        status=status_for(trouble, errors),
    )


def _ticks(found: ActivityPage, choice: Choice) -> Sequence[tuple[uuid.UUID, str, str, bool]]:
    """(participation, name, address, ticked) of every recorded person."""
    return [
        (
            participation.id,
            disambiguated(participation, person.name),
            found.addresses.get(person.id, ""),
            choice.who in (EVERYBODY, ONLY_LIST) or participation.id in choice.ticked,
        )
        for participation, person in found.participants
    ]


def _preview_page(
    request: Request,
    services: Services,
    work: AtWork,
    found: ActivityPage,
    checked: Preview,
    choice: Choice,
    corrections: Corrections,
    hour: Hour,
    held_back: str,
    *,
    key: str,
) -> HTMLResponse:
    """`key`: of the draft, so that its button awards once, however often it is used."""
    recorded = choice.recorded(found)
    return work.page(
        request,
        "awards/preview.html",
        status=status_for(hour.trouble),
        zone=work.campus.time_zone,
        activity=ActivityView.of(work, found.activity),
        badge=BadgeTile.of(checked.badge, checked.version),
        preview=PreviewView.of(
            checked, work.home, corrections.typed, corrections.troubles, process_of(request).addresses
        ),
        offered=lines_offered(services, checked, choice.ticks),
        by_rule=False,
        early=_is_early(services, work, found.activity, Hour()),
        shown_at_once=SHOWN_AT_ONCE,
        most_notes=MOST_NOTES,
        held_back=held_back,
        content=checked.content,
        faults=" ".join(sorted(corrections.troubles)),
        hour=hour,
        who=TICKED if recorded else ONLY_LIST,
        people=" ".join(map(str, recorded)),
        carried=choice.given.carried if choice.given.lines else "",
        source=choice.given.source if choice.given.lines else "",
        left=choice.given.left,
        left_text=left_as_text(choice.given.left),
        evidence=choice.evidence,
        key=key,
    )
