"""Turn a small view into a page.

How to add a page
-----------------
In `app/web/<noun>.py`, a handler calls a service, builds a frozen dataclass of the page's content (never a
row), and renders it::

    from app.http.pages.render import CampusLook, page

    @router.get("/badges/{badge_id}")
    def show_badge(badge_id: UUID, request: Request, services: RequestServices) -> HTMLResponse:
        badge = services.badges.get(badge_id)
        return page(request, "badges/public.html", badge=BadgeView.of(badge), campus=look_of(badge.campus))

`campus=` sets the page's accent and name; `private=True` excludes it from caches and search engines;
`status=` defaults to 200; `wide=True` is for long tables. Everything else belongs in the template.

A template (`templates/<noun>/<page>.html`) begins so::

    {% extends "frame/base.html" %}
    {% block title %}{{ _("Vérifier un badge") }}{% endblock %}
    {% block main %}<div class="wrap stack-l">…</div>{% endblock %}

- Blocks: `title`, `description`, `head`, `crumbs`, `main`, `act` (the bar stuck to the bottom).
- Text: `{{ _("…") }}`, `{{ _("Bonjour %(name)s.", name=view.name) }}`, `{% trans n=view.count %}…{% pluralize %}…
  {% endtrans %}`. Type straight apostrophes and plain spaces: French typography is automatic. A percent sign
  is written `%%`. Values are escaped; the sentence itself may hold HTML such as `<a href="%(url)s">`.
- Between two values: `{{ label }}{{ colon }}{{ value }}`, as the language writes it.
- Filters: `|day`, `|short_day`, `|clock`, `|moment` (each takes a time zone: `when|moment(campus.time_zone)`),
  `|month`, `|number`, `|percent`, `|size`, `|listing`, `|markdown` (text of a campus, cleaned), `|say` (a French
  sentence marked elsewhere with `N_`, shown in the reader's language).
- `asset("img/x.svg")` is the address of a static file. `icon("check")`, `seal("ok")` are drawings (`drawings.py`).
- `ui` holds the macros of `templates/macros/*.html`, each with a comment that documents its arguments.
- Every `<form method="post">` has `{{ csrf_field }}` as its first child, and its handler takes
  `form: SafeForm` (`app/http/pages/forms.py`).
- Each field has `error=`. A page with an error is given its summary, focus and title (`app/http/pages/faults.py`);
  `ui.errors` is where the summary stands.
- No inline style and no inline script: the policy of the site forbids both. An undefined name raises an error.
"""

from __future__ import annotations

import json
import re
from asyncio import sleep, to_thread
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import quote, urlencode

from babel import Locale, UnknownLocaleError
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes
from jinja2.compiler import CodeGenerator
from jinja2.compiler import Frame as CodeFrame
from jinja2.runtime import Context, Macro
from jinja2.visitor import NodeTransformer
from markupsafe import Markup
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.errors import NotAllowed, NotFound, NotSignedIn
from app.http.pages.faults import with_summary
from app.http.pages.forms import csrf_field, is_in_doubt
from app.http.pages.previews import has_plain_preview, plain_preview
from app.http.pages.words import FILTERS, badge_languages, icon, mark, markdown, number, seal
from app.http.request_scope import (
    Visitor,
    find_signed_in,
    process_of,
    public,
    safe_path,
    services_at_hand,
    session_secret,
    set_cookie,
    staff_of,
    status_for,
    visit,
)
from app.http.static_files import asset, asset_if_there
from app.language import (
    FAMILIAR,
    N_,
    SOURCE_LOCALE,
    current_catalogue,
    current_locale,
    elided,
    known_locales,
    regional_locale,
    speaking,
    translated,
    translated_plural,
)

Written = Mapping[str, Callable[..., Markup | str]]
"""Template functions, by name, that are pure for constant arguments."""


class PlainContext(Context):
    """Calls template functions directly, without checking whether they take the context: only macros do."""

    def call(self, called: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        wants = getattr(called, "jinja_pass_arg", None) or getattr(
            type(called).__call__, "jinja_pass_arg", None
        )
        if wants is not None:
            return super().call(called, *args, **kwargs)
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        return called(*args, **kwargs)


class OneLanguage(Environment):
    """`sentence` is the catalogue text in this environment's language, as markup; `written` the functions
    above."""

    context_class = PlainContext

    def __init__(
        self, *, sentence: Callable[[str], Markup], written: Written, elides: bool, **options: Any
    ) -> None:
        super().__init__(**options)
        self.sentence = sentence
        self.elides = elides
        self.written = written


class FoldedCode(CodeGenerator):
    def visit_Template(self, node: nodes.Template, frame: CodeFrame | None = None) -> None:
        assert isinstance(self.environment, OneLanguage)
        super().visit_Template(_Folded(self.environment).visit(node), frame)


OneLanguage.code_generator_class = FoldedCode


class _Folded(NodeTransformer):
    def __init__(self, environment: OneLanguage) -> None:
        self.environment = environment

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:
        self.generic_visit(node)
        if not isinstance(node.node, nodes.Name) or node.dyn_args is not None or node.dyn_kwargs is not None:
            return node
        name = node.node.name
        constants = [each.value for each in node.args if isinstance(each, nodes.Const)]
        if len(constants) < len(node.args):
            return node
        if name in _SENTENCES:
            return self._said(constants[0], node.kwargs)
        if name in self.environment.written and not node.kwargs:
            return nodes.Const(self.environment.written[name](*constants))
        return node

    def _said(self, text: str, values: list[nodes.Keyword]) -> nodes.Expr:
        sentence = self.environment.sentence(text)
        if not values:
            return nodes.Const(sentence % {})
        pairs = [nodes.Pair(nodes.Const(each.key), each.value) for each in values]
        given = {each.key: each.value for each in values}
        for before, key in _ELIDABLE.findall(sentence) if self.environment.elides else ():
            # « de %(name)s » becomes one value: « de Marie », « d’Ilyès ».
            joined = f"{before} {key}"
            sentence = sentence.replace(f"{before} %({key})s", f"%({joined})s")
            filtered = nodes.Filter(given[key], "elided", [nodes.Const(before)], [], None, None)
            pairs.append(nodes.Pair(nodes.Const(joined), filtered))
        return nodes.Mod(nodes.Const(sentence), nodes.Dict(pairs))


_SENTENCES: Final = frozenset({"_", "gettext"})
_ELIDABLE: Final = re.compile(r"\b(de|que|jusque|lorsque|puisque|quoique) %\((\w+)\)s", re.IGNORECASE)


def _with_elision(name: object, before: str) -> Markup:
    return Markup("{}{}").format(elided(before, name), name)


COOKIE = "langue"
_A_YEAR = 365 * 24 * 3600
_RANGE = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9]{1,8})*\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")
# Real clients send fewer languages; a longer header is not worth parsing.
_LONGEST_HEADER = 500


def language_of(cookie: str | None, accept_language: str, otherwise: str) -> str:
    """The language of the response. `cookie` is the reader's own choice and wins when it is supported."""
    spoken = known_locales()
    if cookie in spoken:
        return str(cookie)
    best, best_weight = otherwise, 0.0
    for part in accept_language[:_LONGEST_HEADER].split(","):
        found = _RANGE.fullmatch(part)
        if found is None:
            continue
        weight = float(found[2] or 1)
        if found[1].lower() in spoken and weight > best_weight:
            best, best_weight = found[1].lower(), weight
    return best


@cache
def language_name(code: str) -> str:
    """The name of a language in that language: Français, English."""
    try:
        return (Locale.parse(code).get_display_name() or code).capitalize()
    except (UnknownLocaleError, ValueError):
        return code


class SpeakTheirLanguage:
    """ASGI middleware: sets the locale of the request to the reader's language."""

    def __init__(self, app: ASGIApp, *, otherwise: str) -> None:
        self.app = app
        self.otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        chosen = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        language = language_of(chosen, headers.get("accept-language", ""), self.otherwise)

        async def send_labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                if answer.get("content-type", "").startswith("text/html"):
                    answer.setdefault("Content-Language", language)
                    answer.add_vary_header("Accept-Language")
                    answer.add_vary_header("Cookie")
            await send(message)

        with speaking(language):
            await self.app(scope, receive, send_labelled)


def every_language() -> list[tuple[str, str]]:
    """(code, name) of every language, each named in itself."""
    return [(code, language_name(code)) for code in known_locales()]


def other_languages() -> list[tuple[str, str]]:
    """Every language but the current one."""
    return [each for each in every_language() if each[0] != current_locale()]


router = APIRouter(include_in_schema=False)


@router.get("/langue/{code}")
@public
def choose_language(code: str, request: Request, suite: str | None = None) -> RedirectResponse:
    """Stores the choice in a cookie and redirects to the previous page."""
    if code not in known_locales():
        raise NotFound("Ce service ne parle pas encore cette langue.")
    answer = RedirectResponse(safe_path(suite, request), status_code=303)
    set_cookie(answer, process_of(request), COOKIE, code, _A_YEAR)
    answer.headers["Cache-Control"] = "no-store"
    return answer


TEMPLATES = Path(__file__).parents[2] / "web" / "templates"


@dataclass(frozen=True)
class CampusLook:
    """Campus data for the frame of a page."""

    slug: str
    short_name: str
    name: str


@dataclass(frozen=True)
class NavigationLink:
    label: str
    href: str
    current: bool
    count: str = ""
    """How many things wait there; empty where none do."""


@dataclass(frozen=True)
class WorkspaceMenu:
    """The navigation of a campus, for a person who works there."""

    home: str
    links: Sequence[NavigationLink]
    is_only: bool
    """Whether there is no other campus to change to."""


@dataclass(frozen=True)
class Frame:
    """Everything around a page: language, navigation, campus."""

    language: str
    languages: Sequence[tuple[str, str]]
    here: str
    navigation: Sequence[NavigationLink]
    visitor: Visitor
    campus: CampusLook | None
    private: bool
    wide: bool
    places: Sequence[NavigationLink] = ()
    """Pages of a signed-in user."""
    kept: str = ""
    """Date of the static export that contains the page; empty for a live page."""
    menu: WorkspaceMenu | None = None
    """The campus's own navigation, on the pages of its workspace."""
    announces: bool = False
    """A notice tells what was just done (`fait` in the URL)."""
    answers: bool = False  # a form, at an address that a link opens as well
    is_refused: bool = False  # a form that comes back


_NOTICE = "fait"
_PUBLIC_LINKS = (
    (N_("Découvrir"), "/badges"),
    (N_("Vérifier un badge"), "/verifier"),
    (N_("Mes badges"), "/mes-badges"),
)
_MANAGING_LINK = (N_("Gérer"), "/gestion")
_CAMPUS_LINK = (N_("Espace campus"), "/connexion")
_ACCOUNT_LINK = (N_("Mon compte"), "/compte")


PLACES = ((N_("Mes badges"), "/mes-badges"), _ACCOUNT_LINK)
"""Personal pages of a signed-in user; each page includes `learners/_places.html` in its block `crumbs`."""


def _written_once(macro: Macro) -> Callable[..., Any]:
    """Caches the output of a macro, which depends only on its arguments, for identical plain texts."""

    @lru_cache(maxsize=512)
    def written(
        _locale: str, _kinds: tuple[type, ...], names: tuple[str, ...], values: tuple[Any, ...]
    ) -> Any:
        given = len(values) - len(names)
        return macro(*values[:given], **dict(zip(names, values[given:], strict=True)))

    def call(*given: Any, **named: Any) -> Any:
        values = (*given, *named.values())
        # Markup equals the same plain text, and must never be confused with it.
        kinds = tuple(map(type, values))
        if not _PLAIN.issuperset(kinds):
            return macro(*given, **named)
        return written(current_catalogue(), kinds, tuple(named), values)

    return macro if macro.caller else call


_PLAIN: Final = frozenset({str, Markup, bool, int, type(None)})


def environment() -> OneLanguage:
    """The templates in the current language."""
    return _environment(current_catalogue())


@cache
def _environment(locale: str) -> OneLanguage:
    def sentence(text: str) -> Markup:
        with speaking(locale):
            return Markup(translated(text))  # noqa: S704 - our own text, from the sources and the catalogues

    env = OneLanguage(
        sentence=sentence,
        elides=locale in (SOURCE_LOCALE, FAMILIAR),
        written={"asset": asset, "asset_if_there": asset_if_there, "icon": icon, "seal": seal, "mark": mark},
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.policies["ext.i18n.trimmed"] = True
    env.install_gettext_callables(translated, translated_plural, newstyle=True)  # type: ignore[attr-defined]
    env.filters.update(FILTERS, markdown=markdown, say=translated, elided=_with_elision)
    env.globals.update(env.written, regional_locale=regional_locale)
    env.globals.update(every_language=every_language, badge_languages=badge_languages)
    env.globals["colon"] = sentence("{label} : {value}")[len("{label}") : -len("{value}")]
    env.globals["ui"] = macros = SimpleNamespace()
    for path in sorted((TEMPLATES / "macros").glob("*.html")):
        module = env.get_template(f"macros/{path.name}").module
        named = {name: value for name, value in vars(module).items() if not name.startswith("_")}
        vars(macros).update({name: _written_once(value) for name, value in named.items()})
    return env


def page(
    request: Request,
    template: str,
    *,
    campus: CampusLook | None = None,
    private: bool = False,
    wide: bool = False,
    status: int | None = None,
    **view: Any,
) -> HTMLResponse:
    """The page of `template`, in the reader's language, framed for this visitor, with the status of its `trouble`."""
    status = max(status or status_for(view.get("trouble")), 422 if is_in_doubt(request) else 0)
    # An error page must not depend on what failed.
    visitor = Visitor() if status >= 500 else _seen_by(request)
    frame = frame_of(request, visitor=visitor, campus=campus, private=private, wide=wide)
    frame = replace(frame, is_refused=status >= 400 and (request.method == "POST" or status == 422))
    if visitor.signed_in and (workspace := getattr(request.state, "workspace", None)) is not None:
        frame = replace(frame, menu=workspace.menu(request), campus=campus or workspace.look)
    is_public = request.method == "GET" and status == 200 and not (private or visitor.signed_in)
    if is_public and has_plain_preview(request.url.path):
        view.setdefault("link_preview", plain_preview(process_of(request).addresses, request.url.path))
    # A token is made only for a page that shows a form.
    field, doubts = _LazyField(request, visitor), getattr(request.state, "doubts", {})
    view |= {"frame": frame, "csrf_field": field, "may": _may(request), "doubts": doubts}
    macros: Any = (templates := environment()).globals["ui"]
    html = with_summary(templates.get_template(template).render(**view), macros.summary, status)
    answer = HTMLResponse(html, status_code=status)
    answer.headers["Cache-Control"] = "no-store" if private or frame.visitor.signed_in else "no-cache"
    if private:
        answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def frame_of(
    request: Request, *, visitor: Visitor, campus: CampusLook | None, private: bool, wide: bool
) -> Frame:
    path = request.url.path
    query = request.url.query
    if announces := _NOTICE in request.query_params:
        query = urlencode([each for each in request.query_params.multi_items() if each[0] != _NOTICE])
    here = path + (f"?{query}" if query else "")
    return Frame(
        language=current_locale(),
        languages=other_languages(),
        here=quote(here if request.method == "GET" else path, safe=""),
        navigation=_links((*_PUBLIC_LINKS, _last_link(visitor)), path),
        places=_links(PLACES, path) if visitor.signed_in else (),
        visitor=visitor,
        campus=campus,
        private=private,
        wide=wide,
        announces=announces,
        answers=request.method == "POST" and opens(request),
    )


def opens(request: Request, path: str = "") -> bool:
    as_link = {**request.scope, "method": "GET", "path": path or request.scope["path"]}
    return any(route.matches(as_link)[0] is Match.FULL for route in request.app.router.routes)


def _links(links: Sequence[tuple[str, str]], path: str) -> Sequence[NavigationLink]:
    return [
        NavigationLink(translated(label), href, path == href or path.startswith(href + "/"))
        for label, href in links
    ]


def _last_link(visitor: Visitor) -> tuple[str, str]:
    return _MANAGING_LINK if visitor.manages else _ACCOUNT_LINK if visitor.signed_in else _CAMPUS_LINK


def _may(request: Request) -> Callable[[str], bool]:
    """For templates: whether the user has the permission in this campus, so that pages only offer permitted
    actions."""
    work = getattr(request.state, "work", None)
    return lambda permission: work is not None and work.may(Permission(permission))


def _seen_by(request: Request) -> Visitor:
    visitor: Visitor = request.app.state.visitor_of(request)
    return visitor


@dataclass(frozen=True, eq=False)
class _LazyField:
    request: Request
    visitor: Visitor

    def __html__(self) -> Markup:
        return csrf_field(self.request, self.visitor.person_id)


POLL_INTERVAL = 0.5
_DONE = N_("Lignes traitées : {done} sur {total}")


@dataclass(frozen=True)
class ProgressView:
    done: int
    total: int
    heading: str

    @staticmethod
    def of(done: int, total: int) -> ProgressView:
        return ProgressView(done, total, translated(_DONE).format(done=number(done), total=number(total)))


PagePart = Callable[[Services], tuple[ProgressView, bool]]
"""The progress, and whether it is final."""


def live_response(request: Request, look: PagePart) -> StreamingResponse:
    """SSE stream for campus staff: an event for each change of progress, and a last one when it is final."""
    return StreamingResponse(
        _steps(request, look, current_locale()),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


VERSION_EVERY, VERSIONS = 1.0, 25
"""Seconds between two readings, and readings per connection; the browser then connects again."""


def versions_response(request: Request, version: Callable[[Services], str]) -> StreamingResponse:
    """SSE stream for campus staff: an event for each change of the version of one part of a page."""
    return StreamingResponse(
        _versions(request, version),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _versions(request: Request, version: Callable[[Services], str]) -> AsyncIterator[str]:
    def read() -> str:
        with visit(request, reading=True) as services:
            staff_of(request, services, request.path_params["slug"])
            return version(services)

    shown = ""
    for _ in range(VERSIONS):
        try:
            now = await to_thread(read)
        except (NotSignedIn, NotFound, NotAllowed):
            return
        if now != shown:
            yield f"event: change\ndata: {now}\n\n"
            shown = now
        await sleep(VERSION_EVERY)
    yield "retry: 500\n\n"


async def _steps(request: Request, look: PagePart, language: str) -> AsyncIterator[str]:
    shown: ProgressView | None = None
    while True:
        try:
            step, settled = await to_thread(_step, request, look, language)
        except (NotSignedIn, NotFound, NotAllowed):
            # Access ended (signed out, role removed, or object deleted): the page reloads and shows why.
            yield "event: fin\ndata: {}\n\n"
            return
        if step != shown:
            yield f"event: pas\ndata: {json.dumps(asdict(step))}\n\n"
            shown = step
        if settled:
            yield "event: fin\ndata: {}\n\n"
            return
        await sleep(POLL_INTERVAL)


def _step(request: Request, look: PagePart, language: str) -> tuple[ProgressView, bool]:
    with visit(request, reading=True) as services, speaking(language):
        staff_of(request, services, request.path_params["slug"])
        return look(services)


def visitor_of(request: Request) -> Visitor:
    """Queried for each page, and only when the browser sends a session.

    A refused page is shown after its transaction: staff whom it found are not queried again.
    """
    if not session_secret(request):
        return Visitor()
    seen: Visitor | None = getattr(request.state, "staff_seen", None)
    if seen is not None and not hasattr(request.state, "services"):
        return seen
    with services_at_hand(request) as services:
        who = find_signed_in(request, services)
        if who is None:
            return Visitor()
        manages = (
            bool(who.memberships)
            or services.operators.is_operator(who.person.id)
            or bool(services.network_team.networks_of(who.person.id))
        )
        return Visitor(who.person.name, manages=manages, person_id=who.person.id)
