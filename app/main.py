"""Build the web application: HTML and JSON interfaces over the same services."""

from __future__ import annotations

import hashlib
from asyncio import Semaphore, create_task, sleep, to_thread
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from functools import cache, partial

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy import exc
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from app import __version__
from app.adapters.folders.log_files import AnchorUnreadable
from app.api import describe_api, documents
from app.api import router as api_router
from app.api.publishing.public import AwardFiles
from app.container import DatabaseUnreachable, Process
from app.container.process import collect_rarely
from app.db.engine.session import requests_at_once
from app.db.engine.writes import cause_of, is_deadlock, names_deleted_row, unique_constraint_of
from app.domain.accounts.rate_limits import Allowance
from app.domain.accounts.sessions import ReauthRequired
from app.domain.awards import DocumentsToAlign
from app.errors import AppError, Conflict, InvalidInput, NotSignedIn, TooMany, Unavailable
from app.http import problems, static_files
from app.http.allowances import AllowanceHeaders, note_allowance
from app.http.health import check_once_it_answers
from app.http.negotiation import GzipPages, HeadAsGet, RoutesBySegment
from app.http.pages import error_pages, render
from app.http.pages.forms import BodySizeLimit, CsrfTokens, FormerForm, NulReplacement, receive_form
from app.http.pages.render import SpeakTheirLanguage, visitor_of
from app.http.request_log import RequestLog, configure_logging
from app.http.request_scope import (
    Visitor,
    count_failed_token,
    policies,
    process_of,
    public,
    session_cookie,
    status_of,
)
from app.http.response_cache import ReadyAnswers, RecentPages, badges_cookie
from app.http.security_headers import SecurityHeaders, add_security_headers
from app.http.workplaces import AccessLogged
from app.jobs.worker import LONGEST_STOP, Worker, leave_within
from app.language import N_
from app.settings import Settings
from app.web import accounts, activities, activity_log, badges, frameworks, imports, verification
from app.web.accounts import federated_sign_in, sign_in, signing_in_again, tokens
from app.web.accounts.signing_in_again import (
    SessionSightings,
    ask_to_prove,
    ask_to_sign_in_again,
    show_former_again,
    show_until_later,
)
from app.web.activities import check_in, editing, files, participants, phones, sessions
from app.web.activities import register as activity_register
from app.web.awards import (
    award,
    awarding,
    claim_slips,
    delivery,
    register,
    results,
    rule_awarding,
    set_awarding,
)
from app.web.badges import adoptions, badges_admin, editor, modules, rankings, shared_definitions
from app.web.campus import (
    audit_log,
    campuses,
    dashboard,
    guides,
    lti,
    operations,
    registers,
    settings,
    team,
)
from app.web.campus import webhooks as campus_webhooks
from app.web.frameworks import pathway_editor, pathway_followers, pathways
from app.web.frameworks import search as framework_search
from app.web.frameworks import uploads as framework_uploads
from app.web.imports import calendars, import_preview
from app.web.learners import (
    connected_apps,
    contribution_reviews,
    contributions,
    learner,
    my_badges,
    my_log,
    my_portfolio,
    parental_consent,
    portfolios,
    ratings,
    requests,
    wallets,
)
from app.web.learners import register as request_register
from app.web.people import directory, names, privacy, record_merge
from app.web.people import register as people_register
from app.web.publishing import announcements, award_page, catalogue, info
from app.web.publishing import competencies as public_competencies
from app.web.reports import annual as annual_report
from app.web.reports import dashboard as report_dashboard
from app.web.reports import facts as report_facts
from app.web.reports import network as network_report
from app.web.reports import renewal, surveys
from app.web.trust import endorsements, endorsements_admin, endorsing, issuers
from app.web.verification import check_papers, presentations

web_router = APIRouter()
for router in (
    info.router,
    guides.router,
    campuses.entrance_router,
    catalogue.router,
    announcements.router,
    announcements.announcement_router,
    framework_uploads.router,
    modules.router,
    set_awarding.whole_set_router,
    set_awarding.router,
    public_competencies.router,
    public_competencies.version_router,
    rankings.router,
    settings.mail_router,
    lti.router,
    campus_webhooks.course_platforms_router,
    campus_webhooks.router,
    settings.pictures_router,
    settings.public_router,
    campuses.attesting_router,
    info.previews_router,
    sign_in.passkey_sign_in_router,
    sign_in.password_sign_in_router,
    federated_sign_in.router,
    signing_in_again.step_up_auth_router,
    sign_in.router,
    signing_in_again.router,
    accounts.router,
    accounts.account_services_router,
    connected_apps.router,
    accounts.own_addresses_router,
    record_merge.my_merging_router,
    names.my_name_router,
    accounts.invitations_router,
    operations.router,
    operations.operation_history_router,
    dashboard.router,
    directory.search_router,
    people_register.router,
    directory.router,
    record_merge.router,
    names.router,
    names.participants_router,
    team.router,
    settings.router,
    tokens.router,
    audit_log.router,
    activity_register.router,
    registers.router,
    editing.router,
    report_dashboard.router,
    annual_report.router,
    report_facts.router,
    report_facts.table_router,
    network_report.router,
    shared_definitions.router,
    shared_definitions.public_router,
    adoptions.router,
    report_dashboard.partners_router,
    renewal.router,
    network_report.sharing_router,
    surveys.router,
    surveys.public_router,
    files.router,
    activities.journal_router,
    activity_log.router,
    imports.router,
    calendars.router,
    import_preview.router,
    imports.verbs_router,
    editor.router,
    badges_admin.router,
    badges.openings_router,
    rule_awarding.router,
    settings.key_retiring_router,
    framework_search.router,
    framework_search.affected_router,
    frameworks.router,
    pathways.router,
    pathways.my_router,
    modules.my_router,
    pathway_followers.router,
    pathway_editor.router,
    activities.router,
    participants.attendance_router,
    participants.router,
    activities.absences_router,
    check_in.router,
    participants.known_people_router,
    sessions.router,
    sessions.sheets_router,
    phones.presence_router,
    phones.short_router,
    awarding.router,
    results.progress_router,
    results.router,
    register.selection_router,
    register.router,
    award.router,
    register.bulk_revocation_router,
    request_register.router,
    requests.review_router,
    contribution_reviews.router,
    requests.router,
    privacy.router,
    parental_consent.router,
    directory.age_groups_router,
    privacy.erasures_router,
    contributions.router,
    ratings.router,
    wallets.router,
    wallets.consent_router,
    wallets.requests_router,
    ratings.review_router,
    my_log.router,
    requests.my_request_router,
    delivery.router,
    claim_slips.router,
    claim_slips.projector_router,
    delivery.reminders_router,
    claim_slips.claiming_router,
    award_page.router,
    award_page.embeds_router,
    award_page.evidence_files_router,
    presentations.holder_check_router,
    check_papers.router,
    presentations.router,
    verification.router,
    info.short_addresses_router,
    info.sitemap_router,
    portfolios.router,
    my_portfolio.router,
    my_portfolio.exports_router,
    my_badges.imported_badges_router,
    endorsing.learner_router,
    endorsing.router,
    endorsements.peers_router,
    endorsements.router,
    issuers.organisations_router,
    endorsements_admin.router,
    my_badges.badge_recovery_router,
    my_badges.router,
    learner.router,
    badges.router,
    campuses.router,
    issuers.router,
):
    web_router.routes.extend(router.routes)
for route in (*web_router.routes, *award_page.for_strangers.routes):
    route.include_in_schema = False  # type: ignore[attr-defined]

log = structlog.get_logger("main")
CONNECTION_LOST = "8s2b"
"""SQLAlchemy's code of an error after the connection was cut off within a transaction."""
ANCHORS_SILENT = N_(
    "Le dossier des ancres ne se lit pas : rien ne se signe, et rien n’a été fait. Recommencez dans quelques minutes."
)
DATABASE_SILENT = N_(
    "La base de données n’a pas répondu ou n’a pas pu écrire. Rien n’a été enregistré. Réessayez dans une minute."
)
CROSSED = N_(
    "Une autre demande changeait la même chose au même moment. Rien n’a été enregistré : recommencez."
)
MADE_MEANWHILE = N_(
    "La même chose vient d’être faite, peut-être par un second clic. Rechargez la page pour voir où elle en est."
)
ERASED_MEANWHILE = N_(
    "Ce que cette demande change vient d’être effacé. Rien n’a été enregistré : rechargez la page."
)
CONTAINS_NUL = N_("Ce qui est envoyé contient un caractère nul, qui ne s’enregistre pas. Retirez-le.")
USUAL_BODY = 1024 * 1024
LONGEST_BODY = 6 * 1024 * 1024
LONGEST_COSIGNATURE = 128 * 1024
"""From anyone, without a token."""
SEVERAL_FILES = 64 * 1024 * 1024
WITH_FILES = (
    "/badges/*/demande",
    "/demandes",
    "/mes-badges/*/journal/contributions",
    "/gestion/*/pieces",
    "/verifier",
    "/api/v1/verify/batch",
)
"""Upload paths for several phone photos at once; they are buffered on disk, not in memory."""


PAGE_VIEWS_WRITTEN_EVERY = 60.0
"""Seconds."""


def sweep_presentations(process: Process) -> None:
    """Deletes expired requests for badges; tried again a minute later."""
    try:
        with process.unit_of_work(reading=True) as services:
            has_ended = services.presentations.has_ended()
        if has_ended:
            with process.unit_of_work() as services:
                services.presentations.sweep()
    except exc.SQLAlchemyError as error:
        log.error("badge requests not deleted", kind=type(error).__name__)


async def _write_page_views(process: Process) -> None:
    while True:
        await sleep(PAGE_VIEWS_WRITTEN_EVERY)
        await to_thread(process.write_page_views)
        await to_thread(sweep_presentations, process)


def create_app(
    settings: Settings | None = None,
    *,
    process: Process | None = None,
    work: bool = False,
    on_stop: Callable[[], None] = lambda: None,
) -> FastAPI:
    """With `work`, a worker runs in the same process; `on_stop` is called before anything is stopped."""
    process = process or Process(settings or Settings())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await check_once_it_answers(process)
        await process.public_documents.open()
        worker = Worker(process) if work else None
        if worker:
            await to_thread(worker.start)
        views = create_task(_write_page_views(process))
        # The first visitor would wait for the facets of the whole catalogue.
        facets = create_task(to_thread(process.read_facets), name="facets")
        yield
        on_stop()
        views.cancel()
        await facets
        await to_thread(process.write_page_views)
        if worker:
            await to_thread(worker.stop)
        await process.public_documents.close()
        process.engine.dispose()

    app = FastAPI(
        title="Sceau",
        version=__version__,
        summary="Open Badges 3.0 des Campus des métiers et des qualifications.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        # The framework would redirect an extra slash to whatever host the request names (T27).
        redirect_slashes=False,
    )
    app.state.process = process
    at_once = requests_at_once(process.engine)
    app.state.places = Semaphore(at_once) if at_once else None
    app.state.recent_pages = RecentPages(process.clock)
    https = process.settings.is_https
    sessions = (session_cookie(process), badges_cookie(process))
    add_pages(
        app,
        CsrfTokens(hashlib.sha256(b"csrf|" + process.secret).digest(), *sessions, lti.launch_cookie(process)),
        session_cookies=sessions,
        https=https,
        language=process.settings.locale,
        visitor_of=visitor_of,
        body_by_path={
            **dict.fromkeys(
                ("/verifier", "/gestion", "/confirmer", "/api/v1", "/vc-api", "/mes-badges/ailleurs"),
                LONGEST_BODY,
            ),
            **dict.fromkeys(WITH_FILES, SEVERAL_FILES),
            "/api/v1/campuses/*/log/cosignatures": LONGEST_COSIGNATURE,
        },
        failure=problems.for_caller(problems.failure, error_pages.failure_page),
    )
    app.add_middleware(SessionSightings)
    app.add_middleware(AccessLogged)
    app.add_middleware(HeadAsGet)
    app.add_middleware(AllowanceHeaders)
    app.add_middleware(RequestLog)
    app.add_middleware(NulReplacement)
    app.add_middleware(
        AwardFiles,
        documents=process.public_documents,
        add_headers=partial(add_security_headers, private=False, https=https),
    )
    app.add_middleware(ReadyAnswers, version=process.public_documents.version, clock=process.clock)
    _describe_openly(app)
    policies(app.routes)
    app.router.routes.extend(_shared_routes())
    app.router.middleware_stack = RoutesBySegment(app.router)
    _answer_errors(app)
    return app


def add_pages(
    app: FastAPI,
    csrf: CsrfTokens,
    *,
    session_cookies: Collection[str],
    https: bool,
    visitor_of: Callable[[Request], Visitor],
    language: str = "fr",
    body_by_path: Mapping[str, int] | None = None,
    failure: Callable[[Request, str], Response] = error_pages.failure_page,
) -> None:
    """What pages need of the application.

    `session_cookies` identify a person; `failure` renders uncaught errors, given a reference to quote.
    """
    app.state.csrf = csrf
    app.state.receive_form = receive_form
    app.state.session_cookies = session_cookies
    app.state.visitor_of = visitor_of
    for router in (static_files.router, render.router):
        app.include_router(router)
    # The last middleware added is outermost: headers and language also apply to the error page.
    app.add_middleware(error_pages.CatchFaults, answer=failure)
    app.add_middleware(BodySizeLimit, usual=USUAL_BODY, by_path=body_by_path or {})
    app.add_middleware(SpeakTheirLanguage, otherwise=language)
    app.add_middleware(SecurityHeaders, https=https)
    app.add_middleware(GzipPages)


@cache
def _shared_routes() -> tuple[BaseRoute, ...]:
    """Flat: the framework resolves included routes anew for each application and compares each twice per
    request. Raises NoPolicy where a route declares none."""
    routes = (*documents, *award_page.for_strangers.routes, *web_router.routes, *api_router.routes)
    policies(routes)
    return routes


def served() -> FastAPI:
    """Application factory of each server process: configures logging first."""
    settings = Settings()
    configure_logging(as_json=settings.log_format == "json")
    app = create_app(settings, work=settings.work, on_stop=partial(leave_within, LONGEST_STOP))
    # The first page would otherwise read the typefaces and the macros of all templates: 0.4 s.
    _ = app.state.process.artist, render.environment()
    collect_rarely()
    return app


def _describe_openly(app: FastAPI) -> None:
    """The framework's own route, the API description, is public."""
    for route in app.routes:
        if isinstance(route, Route) and route.path == app.openapi_url:
            public(route.endpoint)

    def describe() -> dict[str, object]:
        settings = app.state.process.settings
        if app.openapi_schema is None:
            app.openapi_schema = describe_api(
                app.routes, base_url=settings.base_url, publisher=settings.publisher
            )
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def _answer_errors(app: FastAPI) -> None:
    """Programs get problems (RFC 9457), people get pages; the URL decides."""

    @app.exception_handler(AppError)
    def app_error(request: Request, error: AppError) -> Response:
        return problems.for_caller(problems.app_error, error_pages.app_error_page)(
            request, error, status_of(error)
        )

    @app.exception_handler(TooMany)
    async def too_many(request: Request, error: TooMany) -> Response:
        again = None if problems.is_for_a_program(request) else await show_until_later(request, error)
        answer = again if again is not None else await run_in_threadpool(app_error, request, error)
        answer.headers["Retry-After"] = str(error.retry_after)
        note_allowance(request, Allowance(error.limit, 0, error.retry_after))
        return answer

    @app.exception_handler(ReauthRequired)
    async def proof_needed(request: Request, error: ReauthRequired) -> Response:
        try:
            return await ask_to_prove(request, error)
        except AppError as refused:
            return await run_in_threadpool(app_error, request, refused)

    @app.exception_handler(NotSignedIn)
    async def not_signed_in(request: Request, error: NotSignedIn) -> Response:
        if not problems.is_for_a_program(request):
            kept = await ask_to_sign_in_again(request)
            if kept is not None:
                return kept
        else:
            await run_in_threadpool(count_failed_token, request)
        return await run_in_threadpool(app_error, request, error)

    @app.exception_handler(DocumentsToAlign)
    async def documents_to_align(request: Request, error: DocumentsToAlign) -> Response:
        """Signs an outdated document now and retries the request; a form must be sent again by the user."""
        tried: set[object] = request.scope.setdefault("aligned awards", set())
        if error.award_id not in tried:
            tried.add(error.award_id)
            with suppress(AppError):
                await run_in_threadpool(process_of(request).align_award, error.award_id)
                if request.method == "GET":
                    return _AnswerAgain(app)
        answer = await run_in_threadpool(app_error, request, error)
        answer.headers["Retry-After"] = "1"
        return answer

    @app.exception_handler(FormerForm)
    async def former_form(request: Request, error: FormerForm) -> Response:
        again = await show_former_again(request)
        return again if again is not None else await run_in_threadpool(app_error, request, error)

    @app.exception_handler(DatabaseUnreachable)
    def database_unreachable(request: Request, error: Exception) -> Response:
        # Stopped, cut off, or disk full: the transaction was rolled back as a whole (I19).
        cause = cause_of(error) if isinstance(error, exc.DBAPIError) else ""
        log.error("database unreachable", kind=type(error).__name__, cause=cause)
        return app_error(request, Unavailable(CROSSED if is_deadlock(error) else DATABASE_SILENT))

    @app.exception_handler(AnchorUnreadable)
    def anchors_unreadable(request: Request, error: AnchorUnreadable) -> Response:
        log.error("anchor not read", kind=type(error.__cause__).__name__)
        return app_error(request, Unavailable(ANCHORS_SILENT))

    @app.exception_handler(exc.PendingRollbackError)
    def connection_lost(request: Request, error: exc.PendingRollbackError) -> Response:
        """After the connection was cut off within a transaction, which was caught."""
        if error.code != CONNECTION_LOST:
            raise error
        return database_unreachable(request, error)

    @app.exception_handler(exc.IntegrityError)
    def made_meanwhile(request: Request, error: exc.IntegrityError) -> Response:
        """Two requests made one thing at once: the second was rolled back as a whole."""
        constraint = unique_constraint_of(error)
        if not constraint:
            return erased_meanwhile(request, error)
        log.warning("made meanwhile", constraint=constraint)
        return app_error(request, Conflict(MADE_MEANWHILE))

    @app.exception_handler(exc.NoResultFound)
    @app.exception_handler(ObjectDeletedError)
    @app.exception_handler(StaleDataError)
    def erased_meanwhile(request: Request, error: exc.SQLAlchemyError) -> Response:
        """A row that the request had read, or that it names, was deleted before it wrote; a page is read once more."""
        is_page, is_again = request.method in ("GET", "HEAD"), "read again" in request.scope
        if (isinstance(error, exc.IntegrityError) and not names_deleted_row(error)) or (is_page and is_again):
            raise error
        log.error("erased meanwhile", kind=type(error).__name__)
        request.scope["read again"] = True
        return _AnswerAgain(app) if is_page else app_error(request, Conflict(ERASED_MEANWHILE))

    @app.exception_handler(exc.DataError)
    def not_writable(request: Request, error: exc.DataError) -> Response:
        """PostgreSQL stores no NUL, which a file or a document of another service may contain anywhere."""
        if "NUL (0x00)" not in str(error.orig):
            raise error
        return app_error(request, InvalidInput(CONTAINS_NUL))

    @app.exception_handler(RequestValidationError)
    def validation_error(request: Request, error: RequestValidationError) -> Response:
        return problems.for_caller(problems.validation_error, error_pages.validation_page)(request, error)

    @app.exception_handler(HTTPException)
    def http_error(request: Request, error: HTTPException) -> Response:
        return problems.for_caller(problems.http_error, error_pages.http_error_page)(request, error)


class _AnswerAgain(Response):
    """Runs the application again for the current request, which has no body."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__()
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app.router(scope, receive, send)
