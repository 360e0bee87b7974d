"""A register as a page and as tables, ticks on its lines, and saved views: one component for four lists."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData, QueryParams

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.errors import AppError, InvalidInput, NotFound
from app.http.pages.forms import CHECKED_FORM, SafeForm, draft_form, ids_in, save_draft, text_of, texts_of
from app.http.pages.registers import (
    COUNTED,
    COUNTED_LINES,
    Cell,
    Column,
    ListQuery,
    Ticks,
    table_file,
    view_links,
)
from app.http.pages.words import StateLabel, day, local, number
from app.http.request_scope import sentence_of, status_for, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import translated
from app.services.campus.registers import CampusRegister, Identified, Register, Start
from app.web.campus.audit_log import export_noted

A_PAGE = 50
_NONE = "–"

Line = TypeVar("Line", bound=Identified)
Wanted = TypeVar("Wanted")
Read = TypeVar("Read", covariant=True)
Sort = TypeVar("Sort", bound=StrEnum)
Written = str | Callable[[], str]
"""Text, or what makes it: tables do without."""


@dataclass(frozen=True)
class Shown:
    """One value: its `cells` in a table; its text, link, tag and further lines on the page."""

    cells: Sequence[Cell]
    written: Written
    below: Written = ""
    href: str = ""
    hidden: str = ""
    """Read by screen readers after the text."""
    tag: str = ""
    """The state that gives the text its shape and colour."""
    picture: str = ""
    reason: str = ""
    classes: str = ""

    @property
    def text(self) -> str:
        return (self.written if isinstance(self.written, str) else self.written()) or _NONE

    @property
    def small(self) -> str:
        return self.below if isinstance(self.below, str) else self.below()


def words(text: str | None, *, href: str = "") -> Shown:
    return Shown((text,), text or "", href=href if text else "")


def figure(value: float | None, *, is_known: bool = True) -> Shown:
    """A dash on the page for nothing, and for what has no sense here."""
    return Shown((value,), lambda: number(value) if value is not None and is_known else "")


def on_day(at: datetime | None, zone: str, *, below: Written = "") -> Shown:
    if at is None:
        return Shown((None,), "")
    return Shown((local(at, zone).date(),), lambda: day(at, zone), below)


def state(label: StateLabel) -> Shown:
    text = translated(label.text)
    return Shown((text,), text, tag=label.state)


@dataclass(frozen=True)
class Row:
    """`name`: what its tick chooses; `values`: by column."""

    id: uuid.UUID
    name: str
    values: Mapping[str, Shown]


class Filters(Protocol[Read]):
    """What the filters offer in a campus."""

    @property
    def everything(self) -> Read: ...

    def read(self, params: QueryParams) -> tuple[ListQuery, Read]: ...


@dataclass(frozen=True)
class Listing(Generic[Line, Wanted, Sort]):
    register: Register
    template: str
    columns: Sequence[Column]
    sorts: type[Sort]
    source: Callable[[Services], CampusRegister[Line, Wanted, Sort]]
    filters: Callable[[Services, AtWork], Filters[Wanted]]
    rows: Callable[[Services, AtWork, Sequence[Line], Wanted, frozenset[str]], Iterable[Row]]
    views: Sequence[tuple[str, str]]
    """(name, query) of those that everyone has."""
    exports: Permission = Permission.EXPORT
    acts: Permission | None = None
    """Who may tick lines."""
    beside: Callable[[Services, AtWork, QueryParams], Mapping[str, Any]] = lambda *_: {}
    """What the template shows besides."""

    def page(
        self, request: Request, services: Services, refused: tuple[FormData, AppError] | None = None
    ) -> HTMLResponse:
        """`refused`: what was ticked, and why nothing is done with it."""
        work, source = at_work(request), self.source(services)
        filters, here = self.filters(services, work), f"{work.home}/{self.register.value}"
        params, ticks = request.query_params, Ticks()
        if refused:
            form, error = refused
            params = QueryParams(f"{text_of(form, 'requete').lstrip('?')}&apres={text_of(form, 'apres')}")
            ids = frozenset(ids_in(texts_of(form, "choix")))
            ticks = Ticks(sentence_of(error), ids, bool(text_of(form, "tous")), here)
        query, wanted = filters.read(params)
        sort, descending = query.order(self.sorts)
        found: Sequence[Line] = ()
        matching = total = 0
        counted = list[tuple[Wanted, int]]()
        if not query.errors:
            found = source.page(work.campus, wanted, Start(query.after, A_PAGE), sort, descending=descending)
            matching = source.count(work.campus, wanted, most=COUNTED_LINES)
            everything = filters.everything
            total = (
                matching
                if wanted == everything
                else source.count(work.campus, everything, most=COUNTED_LINES)
            )
            counted = [(wanted, matching), (everything, total)]
        shown = found[:A_PAGE]

        def count(params: QueryParams) -> int | None:
            asked, some = filters.read(params)
            if asked.errors:
                return None
            known = next((number for each, number in counted if each == some), None)
            return source.count(work.campus, some, most=COUNTED) if known is None else min(known, COUNTED)

        saved = services.saved_views.list_of(work.campus, work.who.person.id, self.register)
        usual = [(translated(name), asked) for name, asked in self.views]
        return work.page(
            request,
            self.template,
            wide=True,
            status=status_for(query.errors, ticks.trouble),
            here=here,
            exports=work.may(self.exports),
            acts=self.acts is not None and work.may(self.acts),
            columns=[column for column in self.columns if column.name in query.shown],
            rows=list(self.rows(services, work, shown, wanted, query.shown)),
            register=query.view(
                self.register,
                matching=matching,
                total=total,
                next_after=shown[-1].id if len(found) > A_PAGE else None,
                views=view_links(query, usual, saved, count),
                ticks=ticks,
            ),
            **self.beside(services, work, params),
        )

    def table(
        self,
        request: Request,
        services: Services,
        asked: QueryParams | None = None,
        only: Collection[uuid.UUID] | None = None,
        kind: str = "",
    ) -> Response:
        """The lines and columns of the page with the same query, as CSV or workbook; of these, `only` some."""
        work = at_work(request)
        query, wanted = self.filters(services, work).read(request.query_params if asked is None else asked)
        query.raise_errors()
        sort, descending = query.order(self.sorts)
        if self.exports is Permission.EXPORT:
            export_noted(request, self.register.value)

        def lines(services: Services) -> Iterator[Sequence[Cell]]:
            blocks = self.source(services).blocks(work.campus, wanted, sort, descending=descending)
            for block in blocks:
                chosen = block if only is None else [line for line in block if line.id in only]
                for row in self.rows(services, work, chosen, wanted, query.shown):
                    yield [
                        cell
                        for column in self.columns
                        if column.name in query.shown
                        for cell in row.values[column.name].cells
                    ]

        return table_file(request, self.register.value, query.heads(), lines, kind)

    def choose(
        self,
        request: Request,
        services: Services,
        form: FormData,
        actions: type[StrEnum],
        *,
        most: int,
        special: Mapping[str, Callable[[], Response]] = MappingProxyType({}),
    ) -> Response:
        """Leads to the page of an action on the chosen lines; exporting them answers with the file.

        `special`: by name, what leads elsewhere. Refused, the list comes back with its ticks.
        """
        try:
            act = special.get(text_of(form, "geste"))
            return act() if act else self._choose(request, services, form, actions, most=most)
        except InvalidInput as error:
            return self.page(request, services, (form, error))

    def _choose(
        self, request: Request, services: Services, form: FormData, actions: type[StrEnum], *, most: int
    ) -> Response:
        work, name = at_work(request), text_of(form, "geste")
        ids = self.chosen(services, work, form, most=most)
        if name in ("csv", "xlsx") and work.may(self.exports):
            asked = QueryParams(text_of(form, "requete").lstrip("?"))
            return self.table(request, services, asked, frozenset(ids), name)
        if name not in {each.value for each in actions}:
            raise InvalidInput("Choisissez ce qu’il faut faire de ces lignes.")
        asked_of = [("requete", text_of(form, "requete"))]
        draft = FormData([("geste", name), ("choisies", " ".join(map(str, ids))), *asked_of])
        return save_draft(request, draft, f"{work.home}/{self.register.value}/choix")

    def chosen(self, services: Services, work: AtWork, form: FormData, *, most: int) -> Sequence[uuid.UUID]:
        """The ticked lines, or all of the query; raises InvalidInput for none and for more than `most`."""
        if text_of(form, "tous"):
            params = QueryParams(text_of(form, "requete").lstrip("?"))
            query, wanted = self.filters(services, work).read(params)
            query.raise_errors()
            ids = self.source(services).ids(work.campus, wanted, most=most + 1)
        else:
            ids = list(ids_in(texts_of(form, "choix")))
        if not ids:
            raise InvalidInput("Cochez au moins une ligne, puis choisissez ce qu’il faut faire.")
        if len(ids) > most:
            raise InvalidInput(
                "On agit sur {most} lignes au plus en une fois. Filtrez d’abord la liste.",
                most=number(most),
            )
        return ids


@dataclass(frozen=True)
class Choice:
    """Lines chosen for an action, and the filters under which they were."""

    action: str
    ids: Sequence[uuid.UUID]
    asked: QueryParams

    @staticmethod
    def of(request: Request, services: Services, draft_id: uuid.UUID, register: Register) -> Choice:
        form = draft_form(request, services, draft_id, f"{at_work(request).home}/{register.value}/choix")
        return Choice(
            text_of(form, "geste"),
            list(ids_in(text_of(form, "choisies").split())),
            QueryParams(text_of(form, "requete").lstrip("?")),
        )


router = APIRouter(prefix="/gestion/{slug}/vues")


@router.post("", dependencies=[staff(Permission.VIEW)])
def save_view(request: Request, form: SafeForm) -> Response:
    work, name = at_work(request), text_of(form, "liste")
    register = next((each for each in Register if each.value == name), None)
    if register is None:
        raise NotFound("Cette liste n’existe pas.")
    with write_transaction(request) as writing:
        view = writing.saved_views.save(
            work.campus, register, text_of(form, "nom"), text_of(form, "requete"), by=work.actor
        )
    return RedirectResponse(f"{work.home}/{register.value}?{view.query}", status_code=303)


@router.post("/{view_id:uuid}/supprimer", dependencies=[staff(Permission.VIEW), CHECKED_FORM])
def delete_view(view_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    with write_transaction(request) as writing:
        view = writing.saved_views.delete(work.campus, view_id, by=work.actor)
    return RedirectResponse(f"{work.home}/{view.listing.value}", status_code=303)
