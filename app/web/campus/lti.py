"""Course platforms (LTI 1.3): login, launch and the pages of a course."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, cast
from urllib.parse import quote, urlencode, urlsplit

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Process, Services
from app.domain.campus.campus import Campus, check_works
from app.domain.campus.integration import ExternalIdTaken, LineRefused, UpsertOutcome
from app.domain.campus.lti import (
    LAUNCH_LIFE,
    LOGIN_LIFE,
    GrantedToken,
    LaunchKind,
    LaunchRefused,
    LtiLogin,
    LtiPlatform,
    LtiResult,
    Member,
    PlatformDown,
    PlatformRefused,
    results_of,
)
from app.errors import AppError, Conflict, InvalidInput, NotSignedIn
from app.http.pages.forms import Count, SafeForm, ids_in, text_of, texts_of
from app.http.pages.render import page
from app.http.request_scope import (
    Policy,
    ReadingServices,
    Who,
    cookie_name,
    delete_cookie,
    enter,
    find_signed_in,
    limited,
    marked,
    process_of,
    public,
    read_transaction,
    sentence_of,
    set_cookie,
    signed_in,
    status_for,
    visit,
    write_transaction,
)
from app.http.security_headers import CONTENT_SECURITY_POLICY
from app.http.workplaces import look_of
from app.language import N_, filled, translated
from app.services.activities.line_faults import ALREADY_KNOWN
from app.services.activities.upserts import ParticipantReceipt
from app.services.campus.lti import DOUBTFUL, CourseAccess, Launched, name_readings, results_heading

OTHER_ACCOUNT = N_(
    "Un autre compte de la plateforme a déjà ce nom et cette adresse. Si cette personne manque à l’activité, ajoutez-la à la main."
)
_MOST_FIELDS = 40
_LONGEST_HINT = 2_000
_Answered = TypeVar("_Answered")
router = APIRouter(prefix="/lti/{slug}")


def launch_cookie(process: Process) -> str:
    """The pages of the course that a browser came from."""
    return cookie_name(process, "cours")


def login_cookie(process: Process) -> str:
    """The browser that a platform sent here to log in; platforms answer by a form of theirs."""
    return cookie_name(process, "ouverture")


async def _platform_form(request: Request) -> FormData:
    """Of another site: its ID token and state are its proof, not our page."""
    return await request.form(max_files=0, max_fields=_MOST_FIELDS)


PlatformForm = Annotated[FormData, Depends(_platform_form)]


# --- login, launch, keys


@router.get("/connexion", dependencies=[limited("launch")])
@public
def begin_login_by_link(slug: str, request: Request) -> Response:
    return _begin_login(slug, request, request.query_params)


@router.post("/connexion", dependencies=[limited("launch")])
@public
def begin_login(slug: str, request: Request, form: PlatformForm) -> Response:
    sent = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    return _begin_login(slug, request, sent)


def _begin_login(slug: str, request: Request, sent: Mapping[str, str]) -> Response:
    """OpenID Connect, third-party initiated login: leads back to the platform, which alone knows its user."""
    process = process_of(request)
    browser = secrets.token_urlsafe(32)
    hints = {name: sent[name] for name in ("login_hint", "lti_message_hint") if sent.get(name)}
    if any(len(each) > _LONGEST_HINT for each in hints.values()):
        raise InvalidInput("Cette demande de la plateforme est trop longue.")
    with visit(request) as services:
        campus = _enter(slug, request, services)
        platform, login = services.lti.login(
            campus, sent.get("iss", ""), sent.get("client_id", ""), _digest(browser)
        )
        where = _authorization(platform, login, services.addresses.lti_launch(slug), hints)
    answer = RedirectResponse(where, status_code=303)
    # The platform answers with a form of its own site.
    set_cookie(answer, process, login_cookie(process), browser, LOGIN_LIFE.total_seconds(), samesite="none")
    return answer


def _authorization(platform: LtiPlatform, login: LtiLogin, launch_url: str, hints: Mapping[str, str]) -> str:
    asked = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": platform.client_id,
        "redirect_uri": launch_url,
        "state": login.state,
        "nonce": login.nonce,
        **hints,
    }
    where = platform.authorization_url
    return where + ("&" if "?" in where else "?") + urlencode(asked)


@router.post("/lancement", dependencies=[limited("launch")])
@public
def launch(slug: str, request: Request, form: PlatformForm) -> Response:
    """Each launch consumes its login. The browser gets the pages of the course, never an account."""
    process = process_of(request)
    browser = request.cookies.get(login_cookie(process), "")
    state, id_token = _plain(form, "state"), _plain(form, "id_token")
    with visit(request) as services:
        campus = _enter(slug, request, services)
        if not browser or not state:
            raise LaunchRefused("no login of this browser")
        platform, login = services.lti.take(campus, state, _digest(browser))
        registration = platform.registration
    # Outside any transaction: the platform may take seconds to answer.
    sent = process.lti.read_launch(registration, id_token, login.nonce, at=process.clock())
    with visit(request) as services:
        secret = services.lti.open(campus, login.platform_id, sent)
    answer = RedirectResponse(_home(slug), status_code=303)
    delete_cookie(answer, process, login_cookie(process))
    set_cookie(answer, process, launch_cookie(process), secret, LAUNCH_LIFE.total_seconds())
    return answer


@router.get("/cles.json")
@public
def show_keys(slug: str, request: Request) -> JSONResponse:
    with visit(request, reading=True) as services:
        campus = services.campuses.get(slug)
        enter(request, services, campus)
        return JSONResponse(dict(services.lti.key_set(campus)))


# --- the pages of a course


@dataclass(frozen=True)
class AtCourse:
    campus: Campus
    launched: Launched
    secret: str

    @property
    def home(self) -> str:
        return _home(self.campus.slug)

    @property
    def mark(self) -> str:
        """Of its pages: of the course, or of the one choice of a badge."""
        launch = self.launched.launch
        picks = launch.kind is LaunchKind.DEEP_LINKING or launch.course_id is None
        return str(launch.id if picks else launch.course_id)


@marked(Policy(Who.LAUNCH))
def _launched(slug: str, request: Request, services: ReadingServices) -> None:
    _recognise(slug, request, services)


@marked(Policy(Who.LAUNCH))
def _launched_to_ask(slug: str, request: Request) -> None:
    """For a page that asks the platform: no connection is held while it answers."""
    with read_transaction(request) as services:
        _recognise(slug, request, services)


def _recognise(slug: str, request: Request, services: Services) -> None:
    secret = request.cookies.get(launch_cookie(process_of(request)), "")
    if not secret:
        raise NotSignedIn("Ouvrez cette page depuis votre cours.")
    campus = _enter(slug, request, services)
    request.state.at_course = AtCourse(campus, services.lti.launched(campus, secret), secret)


LAUNCHED = [Depends(_launched, scope="function")]
ASKING = [Depends(_launched_to_ask)]


def _at_course(request: Request) -> AtCourse:
    return cast(AtCourse, request.state.at_course)


def _course_form(request: Request, form: SafeForm) -> FormData:
    """A browser has one launch: a page of the course before it, in another tab, changes nothing."""
    if text_of(form, "ouverture") not in ("", _at_course(request).mark):
        raise Conflict(
            "Un autre cours a été ouvert depuis dans ce navigateur. Rien n’a été changé : rouvrez l’activité depuis le premier."
        )
    return form


CourseForm = Annotated[FormData, Depends(_course_form)]


@router.get("/cours", dependencies=LAUNCHED)
def show_course(
    request: Request, services: ReadingServices, fait: str = "", nouveaux: Count = 0
) -> HTMLResponse:
    return _course_page(request, services, done=fait, new=nouveaux)


@router.post("/cours/relier", dependencies=LAUNCHED)
def link_account(request: Request, form: CourseForm, services: ReadingServices) -> Response:  # noqa: ARG001 - its check is the point
    """By an account that is signed in beside the launch, with a recent proof of identity."""
    here = _at_course(request)
    if find_signed_in(request, services) is None:
        return RedirectResponse(f"/connexion?{urlencode({'suite': here.home})}", status_code=303)
    try:
        with write_transaction(request) as writing:
            who = signed_in(request, writing)
            writing.sessions.check_proved(who, fresh=True)
            writing.lti.link(here.campus, writing.lti.launched(here.campus, here.secret), who)
    except Conflict as error:
        return _course_page(request, services, trouble=error)
    return _back(here, "relie")


@router.post("/cours/delier", dependencies=LAUNCHED)
def unlink_account(request: Request, form: CourseForm) -> Response:  # noqa: ARG001 - its check is the point
    here = _at_course(request)
    with write_transaction(request) as services:
        services.lti.unlink(services.lti.launched(here.campus, here.secret))
    answer, process = RedirectResponse(f"/campus/{here.campus.slug}", status_code=303), process_of(request)
    delete_cookie(answer, process, launch_cookie(process))
    return answer


@router.post("/cours/activite", dependencies=LAUNCHED)
def choose_activity(request: Request, form: CourseForm, services: ReadingServices) -> Response:
    here, chosen = _at_course(request), text_of(form, "activite")
    try:
        activity_id = None if chosen == "nouvelle" else uuid.UUID(chosen)
    except ValueError:
        return _course_page(request, services, trouble=InvalidInput("Choisissez une activité."))
    try:
        with write_transaction(request) as writing:
            launched = writing.lti.launched(here.campus, here.secret)
            shown = next(iter(ids_in([text_of(form, "avant")])), None)
            writing.lti.choose_activity(here.campus, launched, activity_id, before=shown)
    except (Conflict, InvalidInput) as error:
        return _course_page(request, services, trouble=error, chosen=chosen)
    return _back(here, "activite")


@router.post("/cours/liste", dependencies=ASKING)
def take_roster(request: Request, form: CourseForm) -> Response:
    """Safe to repeat: the same people stay the same participants."""
    return _record(request, form, _no_results)


@router.get("/cours/resultats", dependencies=ASKING)
def show_results(request: Request) -> HTMLResponse:
    return _results_page(request)


@router.post("/cours/resultats", dependencies=ASKING)
def take_results(request: Request, form: CourseForm) -> Response:
    """The chosen results of each person, into their participation and so into the activity log."""
    wanted, client = set(texts_of(form, "note")), process_of(request).lti
    if not wanted:
        return _results_page(request, trouble=InvalidInput("Cochez au moins un résultat."))

    def results(access: CourseAccess, token: GrantedToken) -> Mapping[str, str]:
        items = client.line_items(access.registration, token, access.line_items_url)
        chosen = [each for each in items if _digest(each.url) in wanted]
        found: dict[str, Sequence[LtiResult]] = {
            each.url: client.results(access.registration, token, each) for each in chosen
        }
        return results_of(results_heading(access.registration.label), found, chosen)

    return _record(request, form, results)


@router.post("/cours/badge", dependencies=LAUNCHED)
def put_badge(request: Request, form: CourseForm, services: ReadingServices) -> Response:
    """Answers with the form that carries the signed choice to the platform."""
    here = _at_course(request)
    try:
        badge_id = uuid.UUID(text_of(form, "badge"))
    except ValueError:
        return _course_page(request, services, trouble=InvalidInput("Choisissez un badge."))
    try:
        with write_transaction(request) as writing:
            launched = writing.lti.launched(here.campus, here.secret)
            where, answer = writing.lti.deep_link(here.campus, launched, badge_id)
    except Conflict as error:
        return _course_page(request, services, trouble=error, chosen=str(badge_id))
    sent = page(
        request, "campus/lti/answer.html", campus=look_of(here.campus), private=True, url=where, answer=answer,
        label=here.launched.platform.label,
    )  # fmt: skip
    parts = urlsplit(where)
    sent.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace(
        "form-action 'self'", f"form-action {parts.scheme}://{quote(parts.netloc, safe=':.')}"
    )
    return sent


def _record(
    request: Request,
    form: FormData,
    results: Callable[[CourseAccess, GrantedToken], Mapping[str, str]],
) -> Response:
    here, client = _at_course(request), process_of(request).lti
    try:
        access = _access(request, here)
        token = granted(request, here.campus, access)

        def read() -> tuple[list[Member], Mapping[str, str]]:
            members = client.members(access.registration, token, access.memberships_url)
            return members, results(access, token)

        members, found = _asked(request, here.campus, access.platform_id, read)
        answers = {
            each.subject: sent == "meme"
            for each in members
            if (sent := text_of(form, f"connue-{_short(each.subject)}")) in ("meme", "autre")
        }
        names = {
            each.subject: reading
            for each in members
            for reading in name_readings(each)
            if _short("|".join(reading)) == text_of(form, f"nom-{_short(each.subject)}")
        }
        with write_transaction(request) as writing:
            launched = writing.lti.launched(here.campus, here.secret)
            if launched.course and launched.course.activity_id:
                writing.join_organisers(here.campus.id, launched.course.activity_id)
            receipts = writing.lti.record(here.campus, launched, members, answers, found, names)
    except (Conflict, InvalidInput, PlatformDown) as error:
        answered = [
            (name, value)
            for name, value in form.multi_items()
            if isinstance(value, str) and name.startswith(("note", "connue-", "nom-"))
        ]
        with read_transaction(request) as services:
            return _course_page(request, services, trouble=error, answered=answered)
    refused = [(member, one) for member, one in receipts if one.receipt.outcome is UpsertOutcome.REFUSED]
    new = sum(one.receipt.outcome is UpsertOutcome.CREATED for _, one in receipts)
    if refused:
        wanted = texts_of(form, "note")
        recorded = len(receipts) - len(refused)
        with read_transaction(request) as services:
            return _course_page(
                request, services, refused=[_refused(*each, names.get(each[0].subject)) for each in refused],
                new=new, recorded=recorded, notes=wanted,
            )  # fmt: skip
    return _back(here, "liste", nouveaux=str(new))


def _access(request: Request, here: AtCourse) -> CourseAccess:
    with read_transaction(request) as services:
        return services.lti.course_access(here.campus, here.launched)


def _no_results(_access: CourseAccess, _token: GrantedToken) -> Mapping[str, str]:
    return {}


def granted(request: Request, campus: Campus, access: CourseAccess) -> GrantedToken:
    process = process_of(request)
    process.limiter.hit("requests to a platform", str(access.platform_id))

    def read() -> GrantedToken:
        return process.lti.token(access.registration, access.key, at=process.clock())

    token = _asked(request, campus, access.platform_id, read)
    with write_transaction(request) as services:
        services.lti.note_token(campus, access.platform_id, token)
    return token


def _asked(
    request: Request, campus: Campus, platform_id: uuid.UUID, read: Callable[[], _Answered]
) -> _Answered:
    """What the platform answers; that it did not is noted for the settings page."""
    try:
        return read()
    except (PlatformDown, PlatformRefused) as error:
        with write_transaction(request) as services:
            services.lti.note_trouble(campus, platform_id, error)
        raise


@dataclass(frozen=True)
class RefusedLine:
    name: str
    reason: str
    field: str
    """Of the question about this person; empty where there is none."""
    options: Sequence[tuple[str, str]] = ()
    answered: tuple[str, str] | None = None
    """The field of an earlier question, and its answer."""


def _course_page(
    request: Request,
    services: Services,
    *,
    done: str = "",
    new: int = 0,
    recorded: int = 0,
    refused: Sequence[RefusedLine] = (),
    notes: Sequence[str] = (),
    trouble: AppError | None = None,
    chosen: str = "",
    answered: Sequence[tuple[str, str]] = (),
) -> HTMLResponse:
    """`answered`: what a refused import had been sent with, to send again."""
    here = _at_course(request)
    launched, lti = here.launched, services.lti
    works = launched.works
    picks = works and launched.launch.kind is LaunchKind.DEEP_LINKING
    badge = lti.shown_badge(here.campus, launched)
    return page(
        request,
        "campus/lti/course.html",
        campus=look_of(here.campus),
        private=True,
        status=status_for(trouble, refused),
        home=here.home,
        mark=here.mark,
        desk=f"/gestion/{here.campus.slug}",
        platform=launched.platform,
        course=launched.course,
        zone=here.campus.time_zone,
        teaches=launched.launch.teaches,
        works=works,
        person=launched.person if works else None,
        signed_in=find_signed_in(request, services) is not None,
        picks=picks,
        offered=lti.offered(here.campus, launched) if picks else (),
        activity=lti.activity_of(launched) if works else None,
        activities=_choices(here, services) if works and not picks else (),
        badge=badge,
        done=done,
        new=new,
        recorded=recorded,
        refused=refused,
        notes=notes,
        trouble=sentence_of(trouble) if trouble else "",
        chosen=chosen,
        answered=answered,
    )


def _choices(here: AtCourse, services: Services) -> list[tuple[str, str]]:
    try:
        found = services.lti.choices(here.campus, here.launched)
    except AppError:
        return []
    return [(str(each.id), each.title) for each in found]


def _refused(member: Member, one: ParticipantReceipt, chosen: tuple[str, str] | None) -> RefusedLine:
    fault, of_name = one.receipt.fault, f"nom-{_short(member.subject)}"
    name = f"{member.given_name} {member.family_name}".strip() or member.name or translated("Sans nom")
    reason = sentence_of(fault) if fault else ""
    if isinstance(fault, ExternalIdTaken):
        reason = translated(OTHER_ACCOUNT)
    answered = (of_name, _short("|".join(chosen))) if chosen else None
    if isinstance(fault, LineRefused) and fault.kind == DOUBTFUL:
        words = translated("Prénom « {given} », nom « {family} »")
        options = [
            (
                _short("|".join(each)),
                filled(words, {"given": each[0], "family": each[1]}) if each[0] else each[1],
            )
            for each in name_readings(member)
        ]
        return RefusedLine(name, reason, of_name, options)
    if isinstance(fault, LineRefused) and fault.sentence == ALREADY_KNOWN.sentence:
        options = [("meme", translated("La même personne")), ("autre", translated("Une autre personne"))]
        return RefusedLine(name, reason, f"connue-{_short(member.subject)}", options, answered)
    return RefusedLine(name, reason, "", (), answered)


def _results_page(request: Request, *, trouble: AppError | None = None) -> HTMLResponse:
    here, client = _at_course(request), process_of(request).lti
    items: Sequence[Any] = ()
    access = _access(request, here)
    if not access.line_items_url:
        raise Conflict(
            "La plateforme ne donne pas les notes de ce cours. Autorisez Sceau à les lire, dans les réglages de l’outil."
        )
    try:
        token = granted(request, here.campus, access)
        items = _asked(
            request,
            here.campus,
            access.platform_id,
            lambda: client.line_items(access.registration, token, access.line_items_url),
        )
    except (PlatformDown, PlatformRefused) as error:
        trouble = error
    return page(
        request,
        "campus/lti/results.html",
        campus=look_of(here.campus),
        private=True,
        status=status_for(trouble),
        home=here.home,
        mark=here.mark,
        course=here.launched.course,
        platform=here.launched.platform,
        items=[(_digest(each.url), each.label) for each in items],
        trouble=sentence_of(trouble) if trouble else "",
    )


def _back(here: AtCourse, done: str, **facts: str) -> RedirectResponse:
    return RedirectResponse(f"{here.home}?{urlencode({'fait': done, **facts})}", status_code=303)


def _home(slug: str) -> str:
    return f"/lti/{slug}/cours"


def _enter(slug: str, request: Request, services: Services) -> Campus:
    """A suspended campus shows its keys alone."""
    campus = services.campuses.get(slug)
    check_works(campus)
    enter(request, services, campus)
    return campus


def _plain(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _short(subject: str) -> str:
    return _digest(subject)[:24]
