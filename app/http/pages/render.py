"""Turn a small view into a page.

How a page writer uses it
-------------------------
In `app/web/<noun>.py`, a handler asks a service, makes a frozen dataclass of what the page says (never a
row), and hands it over::

    from app.http.pages.render import CampusLook, page

    @router.get("/badges/{badge_id}")
    def show_badge(badge_id: UUID, request: Request, services: RequestServices) -> HTMLResponse:
        badge = services.badges.get(badge_id)
        return page(request, "badges/public.html", badge=BadgeView.of(badge), campus=look_of(badge.campus))

`campus=` gives the page its accent and name; `private=True` keeps it out of caches and search engines;
`status=` is 200 unless said otherwise; `wide=True` is for long tables. Everything else is the template's.

A template (`templates/<noun>/<page>.html`) begins so::

    {% extends "frame/base.html" %}
    {% block title %}{{ _("Vérifier un badge") }}{% endblock %}
    {% block main %}<div class="wrap stack-l">…</div>{% endblock %}

- Blocks: `title`, `description`, `head`, `crumbs`, `main`, `act` (the bar stuck to the bottom).
- Words: `{{ _("…") }}`, `{{ _("Bonjour %(name)s.", name=view.name) }}`, `{% trans n=view.count %}…{% pluralize %}…
  {% endtrans %}`. Type straight apostrophes and plain spaces: French typography is set for you. A percent sign
  is written `%%`. Values are escaped; the sentence itself may hold HTML such as `<a href="%(url)s">`.
- Filters: `|day`, `|short_day`, `|clock`, `|moment` (each takes a time zone: `when|moment(campus.time_zone)`),
  `|month`, `|number`, `|percent`, `|size`, `|listing`, `|markdown` (text of a campus, cleaned), `|say` (a French
  sentence marked elsewhere with `N_`, shown in the reader's language).
- `asset("img/x.svg")` is the address of a static file. `icon("check")`, `seal("ok")` are drawings (`drawings.py`).
- `ui` holds the macros of `templates/macros/*.html`, each with a comment that says what it takes.
- Every `<form method="post">` has `{{ csrf_field }}` as its first child, and its handler takes
  `form: SafeForm` (`app/http/pages/forms.py`).
- No inline style and no inline script: the policy of the site forbids both.
- An undefined name stops the page: give every field of a view a value.

English goes into the catalogue with `python -m app.language.build --translate FILE.json`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.runtime import Macro
from markupsafe import Markup

from app.domain.accounts.permissions import Deed
from app.http.pages.compiled_templates import OneLanguage
from app.http.pages.drawings import icon, mark, seal
from app.http.pages.forms import csrf_field
from app.http.pages.locale import other_languages
from app.http.pages.rich_text import markdown
from app.http.pages.typography import say, say_plural
from app.http.pages.wording import FILTERS
from app.http.static_files import asset
from app.language import N_, current_locale, speaking

TEMPLATES = Path(__file__).parents[2] / "web" / "templates"


@dataclass(frozen=True)
class CampusLook:
    """What the frame of a page shows of the campus it is about."""

    slug: str
    short_name: str
    name: str


@dataclass(frozen=True)
class Visitor:
    """Who is looking, as far as the frame of a page cares."""

    name: str = ""
    manages: bool = False
    person_id: uuid.UUID | None = None

    @property
    def signed_in(self) -> bool:
        return bool(self.name)


@dataclass(frozen=True)
class NavigationLink:
    label: str
    href: str
    current: bool


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
    """The pages of whoever is signed in."""
    kept: str = ""
    """The day on which the page was kept as a file, without the service behind it; empty where it answers now."""


_PUBLIC_LINKS = ((N_("Vérifier un badge"), "/verifier"), (N_("Mes badges"), "/mes-badges"))
_MANAGING_LINK = (N_("Gérer"), "/gestion")
_CAMPUS_LINK = (N_("Espace campus"), "/connexion")
_ACCOUNT_LINK = (N_("Mon compte"), "/compte")


PLACES = ((N_("Mes badges"), "/mes-badges"), _ACCOUNT_LINK)
"""What whoever is signed in has of their own; each page includes `learners/_places.html` in its block `crumbs`."""


def _written_once(macro: Macro) -> Callable[..., Any]:
    """The macro, which sees nothing but what it is given: for the same plain texts it writes the same, once."""

    @lru_cache(maxsize=512)
    def written(
        _locale: str, _kinds: tuple[type, ...], names: tuple[str, ...], values: tuple[Any, ...]
    ) -> Any:
        given = len(values) - len(names)
        return macro(*values[:given], **dict(zip(names, values[given:], strict=True)))

    def call(*given: Any, **named: Any) -> Any:
        values = (*given, *named.values())
        # A text that is markup equals one that is not, and must never be taken for it.
        kinds = tuple(map(type, values))
        if not _PLAIN.issuperset(kinds):
            return macro(*given, **named)
        return written(current_locale(), kinds, tuple(named), values)

    return macro if macro.caller else call


_PLAIN: Final = frozenset({str, Markup, bool, int, type(None)})


def environment() -> OneLanguage:
    """The templates in the language of the moment."""
    return _environment(current_locale())


@cache
def _environment(locale: str) -> OneLanguage:
    def sentence(text: str) -> Markup:
        with speaking(locale):
            return Markup(say(text))  # noqa: S704 - our own words, out of the sources and the catalogues

    env = OneLanguage(
        sentence=sentence,
        written={"asset": asset, "icon": icon, "seal": seal, "mark": mark},
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.policies["ext.i18n.trimmed"] = True
    env.install_gettext_callables(say, say_plural, newstyle=True)  # type: ignore[attr-defined]
    env.filters.update(FILTERS, markdown=markdown, say=say)
    env.globals.update(asset=asset, icon=icon, seal=seal, mark=mark)
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
    status: int = 200,
    **view: Any,
) -> HTMLResponse:
    """The page of `template`, in the reader's language, framed for this visitor."""
    # A page that says what is broken must not need what is broken.
    visitor = Visitor() if status >= 500 else _seen_by(request)
    frame = frame_of(request, visitor=visitor, campus=campus, private=private, wide=wide)
    # A token is made only for a page that shows a form.
    html = (
        environment()
        .get_template(template)
        .render(frame=frame, csrf_field=_LazyField(request, visitor), may=_may(request), **view)
    )
    answer = HTMLResponse(html, status_code=status)
    answer.headers["Cache-Control"] = "no-store" if private or frame.visitor.signed_in else "no-cache"
    if private:
        answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def frame_of(
    request: Request, *, visitor: Visitor, campus: CampusLook | None, private: bool, wide: bool
) -> Frame:
    path = request.url.path
    links = (*_PUBLIC_LINKS, _last_link(visitor))
    here = path + (f"?{request.url.query}" if request.url.query else "")
    return Frame(
        language=current_locale(),
        languages=other_languages(),
        here=quote(here if request.method == "GET" else path, safe=""),
        navigation=_links(links, path),
        places=_links(PLACES, path) if visitor.signed_in else (),
        visitor=visitor,
        campus=campus,
        private=private,
        wide=wide,
    )


def _links(links: Sequence[tuple[str, str]], path: str) -> Sequence[NavigationLink]:
    return [
        NavigationLink(say(label), href, path == href or path.startswith(href + "/")) for label, href in links
    ]


def _last_link(visitor: Visitor) -> tuple[str, str]:
    if visitor.manages:
        return _MANAGING_LINK
    return _ACCOUNT_LINK if visitor.signed_in else _CAMPUS_LINK


def _may(request: Request) -> Callable[[str], bool]:
    """For templates: whether whoever asks may do a deed in this campus, so that no page offers what it would refuse."""
    work = getattr(request.state, "work", None)
    return lambda deed: work is not None and work.may(Deed(deed))


def _seen_by(request: Request) -> Visitor:
    visitor: Visitor = request.app.state.face.visitor_of(request)
    return visitor


class _LazyField:
    def __init__(self, request: Request, visitor: Visitor) -> None:
        self._request = request
        self._visitor = visitor

    def __html__(self) -> Markup:
        return csrf_field(self._request, self._visitor.person_id)
