"""Authenticates the program and its campus by bearer token, before the request body is read."""

from __future__ import annotations

import base64
import hashlib
import inspect
import json
import re
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache, wraps
from types import UnionType
from typing import Annotated, Any, Final, Generic, LiteralString, TypeVar, Union, get_args, get_origin

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response, Security, params
from fastapi.dependencies.models import Dependant
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from app.container import Services
from app.domain.accounts.sessions import Scope
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.integration import LONGEST_EXTERNAL_ID
from app.domain.core import as_stored
from app.domain.imports.xapi import VERSION, is_version_read
from app.errors import InvalidInput, NotAllowed
from app.http.problems import SHORT_BODY, check_faults, documented, not_accepted
from app.http.request_scope import (
    Policy,
    ProgramCounted,
    ReadingServices,
    Who,
    WritingServices,
    check_program,
    count_for,
    declared_policies,
    marked,
    token_of,
    visit,
)
from app.language import N_

# --- Shared by requests and answers: what is refused, pages of a list, receipts of many lines

# A credential may contain no other control character (RDFC-1.0 implementations differ on them), a database no
# NUL.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class Shape(BaseModel):
    """A request body: an unknown field is an error, never a silent assignment (T03)."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _of_its_type(cls, value: Any, about: ValidationInfo) -> Any:
        """pydantic takes "3" for 3, "no" and 0 for false, true for 1: the description of the API does not."""
        if isinstance(value, str | bool | int | float):
            for kind, fault in _scalars_of(cls, about.field_name or ""):
                if isinstance(value, str) or isinstance(value, bool) is not (kind is bool):
                    raise PydanticCustomError(fault, "of another type")
        return value

    @field_validator("*")
    @classmethod
    def _without_control_characters(cls, value: Any) -> Any:
        for text in value if isinstance(value, list) else (value,):
            if isinstance(text, str) and _CONTROL.search(text):
                raise PydanticCustomError("control_character", "control character")
        if isinstance(value, list):
            return [as_stored(each) if isinstance(each, str) else each for each in value]
        return as_stored(value) if isinstance(value, str) else value


_SCALARS: Final[Mapping[Any, LiteralString]] = {bool: "bool_type", int: "int_type", float: "float_type"}


@cache
def _scalars_of(shape: type[BaseModel], field: str) -> Sequence[tuple[Any, LiteralString]]:
    parts = [shape.model_fields[field].annotation]
    for each in parts:
        parts += get_args(each) if get_origin(each) in (Annotated, Union, UnionType) else ()
    return [(each, _SCALARS[each]) for each in parts if isinstance(each, type) and each in _SCALARS]


def example(**facts: Any) -> ConfigDict:
    """Configuration of a shape or view with an example."""
    return ConfigDict(json_schema_extra={"example": facts})


def cursor_of(path: str, moment: datetime, row_id: uuid.UUID) -> str:
    """The end of a page of the list at `path`, as an opaque cursor for the next request."""
    raw = _mark_of(path) + int(moment.timestamp()).to_bytes(8, "big", signed=True) + row_id.bytes
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def place_of(path: str, cursor: str) -> tuple[datetime, uuid.UUID]:
    """Raises InvalidInput for a cursor of another list."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        at = datetime.fromtimestamp(int.from_bytes(raw[4:12], "big", signed=True), UTC)
        row_id = uuid.UUID(bytes=raw[12:])
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInput(_NOT_OURS) from error
    if raw[:4] != _mark_of(path):
        raise InvalidInput(_NOT_OURS)
    return at, row_id


def _mark_of(path: str) -> bytes:
    return hashlib.sha256(path.encode()).digest()[:4]


_NOT_OURS = N_("Ce curseur n’est pas de cette liste : repartez de la première page.")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Item = TypeVar("Item")
Row = TypeVar("Row")


class Page(BaseModel, Generic[Item]):
    """Of any list: `next` is the cursor of the next page, which `after` takes; null on the last."""

    items: list[Item]
    next: str | None = Field(None, description="The cursor of the next page; null on the last.")


class Paging:
    """The same two parameters and the same answer for every list; the header `Link` has the next page's URL too."""

    def __init__(
        self,
        request: Request,
        response: Response,
        after: Annotated[str | None, Query(max_length=60, description="`next` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> None:
        self.request, self.response = request, response
        self.place = place_of(request.url.path, after) if after else None
        self.limit = limit

    def cut(
        self, rows: Sequence[Row], place: Callable[[Row], tuple[datetime, uuid.UUID]]
    ) -> tuple[Sequence[Row], str | None]:
        """The rows of the page, of which one more shows that there is a next one, and its cursor."""
        if len(rows) <= self.limit:
            return rows, None
        shown = rows[: self.limit]
        cursor = cursor_of(self.request.url.path, *place(shown[-1]))
        query = self.request.url.include_query_params(after=cursor).query
        self.response.headers["Link"] = f'<{self.request.url.path}?{query}>; rel="next"'
        return shown, cursor

    def slice(
        self, rows: Sequence[Row], row_id: Callable[[Row], uuid.UUID]
    ) -> tuple[Sequence[Row], str | None]:
        """The same for a list that was read whole."""
        if self.place is not None:
            ids = [row_id(row) for row in rows]
            if self.place[1] not in ids:
                raise InvalidInput(_NOT_OURS)
            rows = rows[ids.index(self.place[1]) + 1 :]
        return self.cut(rows, lambda row: (_EPOCH, row_id(row)))


Paged = Annotated[Paging, Depends()]


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("datetime_parsing", "beyond the calendar") from None


def _as_written(fault: LiteralString) -> BeforeValidator:
    """Refuses a number, also in a text: pydantic takes it for seconds since 1970."""

    def check(value: object) -> object:
        if isinstance(value, int | float) or (isinstance(value, str) and not _YEAR.match(value)):
            raise PydanticCustomError(fault, "a number")
        return value

    return BeforeValidator(check)


_YEAR: Final = re.compile(r"\d{4}-")
Day = Annotated[date, _as_written("date_parsing")]
Moment = Annotated[AwareDatetime, _as_written("datetime_parsing"), AfterValidator(_in_utc)]
UpdatedSince = Annotated[Moment | None, Query(description="Created or changed at that moment or later.")]
DryRun = Annotated[
    bool, Query(description="Answer what would become of each line, and write nothing: not even a report.")
]
ExternalIdText = Annotated[
    str,
    Field(
        max_length=LONGEST_EXTERNAL_ID,
        description="The identifier in the campus's own system: unique among people, among activities and among"
        " awards.",
    ),
]


ACCEPT_LANGUAGE: dict[str, Any] = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The language of sentences: French, unless English or Spanish is asked for.",
    "example": "en",
}


# --- programs

Slug = Annotated[str, Path(description="The campus, by its short address.", examples=["itip"], max_length=60)]
# It only describes the scheme: `token_of` reads the header, so that each refusal is a problem like all
# others.
BEARER = HTTPBearer(
    scheme_name="token",
    bearerFormat="sceau_…",
    description="A token of one campus, made with `sceau token create`; its scopes say what it opens.",
    auto_error=False,
)
_Shown = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key with the same request gives the same answer for a day, and has one effect; 422 for"
        " another request.",
    ),
]


@dataclass(frozen=True)
class Asked:
    """A request under an idempotency key, and the answer as far as it is known."""

    key: str
    request: Request
    response: Response


@dataclass(frozen=True)
class Program:
    """A program with a valid token, the campus it works in, and the services of its single transaction."""

    actor: Actor
    campus: Campus
    services: Services
    scopes: frozenset[str] = frozenset()
    asked: Asked | None = None

    def need(self, scope: Scope) -> None:
        """Beyond what the route requires."""
        if scope not in self.scopes:
            raise NotAllowed("Ce jeton d’accès n’ouvre pas ce droit : {scope}.", scope=scope.value)

    def is_trial(self, dry_run: bool) -> bool:
        """A dry run is the real thing, undone at its end."""
        if dry_run:
            self.services.undo_at_the_end()
        return dry_run

    @property
    def sees_addresses(self) -> bool:
        return Scope.PERSON_READ in self.scopes


def program_of(request: Request, services: Services, scope: Scope, slug: str | None = None) -> Program:
    """Of the token that the request shows."""
    actor, campus = token_of(request, services, scope, slug)
    return Program(actor, campus, services, request.state.scopes)


def _reader(scope: Scope, *, knows_filters: bool = True) -> Callable[..., Program]:
    @marked(Policy(Who.TOKEN, scope=scope))
    def reader(
        _counted: ProgramCounted,
        slug: Slug,
        request: Request,
        response: Response,
        services: ReadingServices,
        _shown: _Shown,
    ) -> Program:
        response.headers["Cache-Control"] = "no-store"
        program = program_of(request, services, scope, slug)
        if knows_filters:
            _check_query(request)
        return program

    return reader


def _writer(scope: Scope, media_type: str = "application/json") -> Callable[..., Program]:
    @marked(Policy(Who.TOKEN, scope=scope))
    def writer(
        _counted: ProgramCounted,
        slug: Slug,
        request: Request,
        response: Response,
        services: WritingServices,
        _shown: _Shown,
        idempotency_key: IdempotencyKey = None,
    ) -> Program:
        response.headers["Cache-Control"] = "no-store"
        program = program_of(request, services, scope, slug)
        _check_query(request)
        check_media_type(request, media_type)
        return (
            replace(program, asked=Asked(idempotency_key, request, response)) if idempotency_key else program
        )

    return writer


@dataclass(frozen=True)
class Giver:
    """A program with a token valid at the start, for work in several transactions: each one checks it
    again."""

    request: Request
    slug: str

    @contextmanager
    def transaction(self, *, reading: bool = False) -> Iterator[Program]:
        with visit(self.request, reading=reading) as services:
            yield program_of(self.request, services, Scope.AWARD_CREATE, self.slug)


@marked(Policy(Who.TOKEN, scope=Scope.AWARD_CREATE))
def _giver(
    _counted: ProgramCounted, slug: Slug, request: Request, response: Response, _shown: _Shown
) -> Giver:
    giver = Giver(request, slug)
    response.headers["Cache-Control"] = "no-store"
    with giver.transaction(reading=True) as program:
        label = program.actor.label
    count_for(request, "awards of a token", label)
    _check_query(request)
    check_media_type(request, "application/json")
    return giver


def _check_query(request: Request) -> None:
    """A filter that does not exist would be ignored, and all rows taken for the filtered ones; of one that is given
    twice the last would count: « dry_run=true&dry_run=false » writes."""
    known = query_names(request.scope["route"].dependant)
    sent = Counter(name for name, _ in request.query_params.multi_items())
    faults = [("extra_forbidden", name) for name in sent if name not in known]
    faults += [
        ("given_twice", name) for name, count in sent.items() if count > 1 and not known.get(name, True)
    ]
    if faults:
        raise RequestValidationError([{"type": kind, "loc": ("query", name)} for kind, name in faults])


def query_names(dependant: Dependant) -> dict[str, bool]:
    """Each with whether it takes several values."""
    found = {field.alias: _is_list(field.field_info.annotation) for field in dependant.query_params}
    for each in dependant.dependencies:
        found |= query_names(each)
    return found


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(get_origin(each) is list for each in get_args(annotation))


def _has_body(headers: Mapping[str, str]) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def check_media_type(request: Request, expected: str) -> None:
    """Strict, so that a cross-site form is never accepted as a program's request."""
    if not _has_body(request.headers):
        return
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != expected:
        raise not_accepted(expected)


def _may_be_long(headers: Mapping[str, str]) -> bool:
    length = headers.get("content-length", "")
    return "transfer-encoding" in headers or (length.isdecimal() and int(length[:16]) >= SHORT_BODY)


# "function", like the transaction below it: it must not outlive the handler's transaction.
Reader = Annotated[Program, Depends(_reader(Scope.READ), scope="function")]
PathwayReader = Annotated[
    Program, Depends(_reader(Scope.PATHWAY_READ, knows_filters=False), scope="function")
]
AwardGiver = Annotated[Giver, Depends(_giver, scope="function")]
AwardNamer = Annotated[Program, Depends(_writer(Scope.AWARD_CREATE), scope="function")]
AwardRevoker = Annotated[Program, Depends(_writer(Scope.AWARD_REVOKE), scope="function")]
WebhookReader = Annotated[Program, Depends(_reader(Scope.WEBHOOK_WRITE), scope="function")]
WebhookWriter = Annotated[Program, Depends(_writer(Scope.WEBHOOK_WRITE), scope="function")]
BadgeWriter = Annotated[Program, Depends(_writer(Scope.BADGE_WRITE), scope="function")]
PersonWriter = Annotated[Program, Depends(_writer(Scope.PERSON_WRITE), scope="function")]
ActivityWriter = Annotated[Program, Depends(_writer(Scope.ACTIVITY_WRITE), scope="function")]
ActivityReader = Annotated[Program, Depends(_reader(Scope.ACTIVITY_WRITE), scope="function")]
CalendarWriter = Annotated[Program, Depends(_writer(Scope.ACTIVITY_WRITE, "text/calendar"), scope="function")]
XAPI_VERSION: Final = "X-Experience-API-Version"


def _check_xapi_version(request: Request, response: Response) -> None:
    response.headers[XAPI_VERSION] = VERSION
    if not is_version_read(request.headers.get(XAPI_VERSION, VERSION)):
        raise HTTPException(400, headers={XAPI_VERSION: VERSION})


XAPI_CHECKED = Depends(_check_xapi_version)


def _note_former(response: Response) -> None:
    response.headers["Deprecation"] = "@1795910400"


FORMER_ADDRESS = Depends(_note_former)
"""Of what has another address since 2026-11-29, which the description names (RFC 9745)."""


Made = TypeVar("Made")


@dataclass(frozen=True)
class Prepared(Generic[Made]):
    """Made of a body before the transaction begins, and no part of what was asked."""

    value: Made


# --- one effect and one answer for each key


def version_1(
    prefix: str = "",
    *,
    problems: Sequence[int] = (400, 401, 403, 404, 409, 410, 413, 415, 422, 503),
    dependencies: Sequence[params.Depends] = (),
    **more: Any,
) -> APIRouter:
    """For routes at their own addresses: what includes a router resolves each of its routes a second time."""
    return APIRouter(
        prefix=f"/api/v1{prefix}",
        dependencies=[Depends(check_faults), *dependencies],
        responses=documented(*problems),
        **more,
    )


class Writing(APIRoute):
    """Where a program writes in one transaction, the same key gives the answer that it gave before."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if "program" in inspect.signature(endpoint).parameters and not hasattr(endpoint, "__wrapped__"):
            endpoint = _once(endpoint, options.get("status_code") or 200)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework parses a body before any guard: a long one is received once its token is known."""
        answer = super().get_route_handler()
        (policy,) = declared_policies(self)

        async def answer_known(request: Request) -> Response:
            if request.headers.get("content-encoding", "identity").lower() != "identity":
                raise not_accepted()
            if policy.scope is not None and _may_be_long(request.headers):
                await run_in_threadpool(check_program, request, Scope(policy.scope.value))
            await _read_json(request)
            return await answer(request)

        return answer_known


async def _read_json(request: Request) -> None:
    """As the framework does later; of two members of one name it would take the last, and record another name."""
    if request.headers.get("content-type", "").lower().startswith("application/json"):
        with suppress(ValueError, RecursionError):  # what is no JSON, the framework refuses
            vars(request)["_json"] = json.loads(await request.body(), object_pairs_hook=_members)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        name = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise InvalidInput("« {name} » est deux fois dans un objet JSON.", name=name[:60])
    return found


def _once(endpoint: Callable[..., Any], status: int) -> Callable[..., Any]:
    @wraps(endpoint)
    def answer_once(**values: Any) -> Any:
        program: Program = values["program"]
        asked = program.asked
        if asked is None:
            return endpoint(**values)
        answers = program.services.api_answers
        answer = answers.begin(
            program.campus, program.actor.label, asked.key, _digest_of(asked.request, values)
        )
        if answer.status:
            return Response(
                b"" if answer.status == 204 else answers.open(answer),
                answer.status,
                {"Cache-Control": "no-store"},
                "application/json",
            )
        result = endpoint(**values)
        body = jsonable_encoder(result)
        if never_stored := getattr(result, "NEVER_STORED", ()):
            body |= dict.fromkeys(never_stored)
        answers.finish(answer, asked.response.status_code or status, _written(body))
        return result

    return answer_once


def _written(body: object) -> bytes:
    """As the first answer was written."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _digest_of(request: Request, values: Mapping[str, Any]) -> str:
    """Of everything that was asked; neither of the token nor of the transaction."""
    asked = {
        name: jsonable_encoder(value)
        for name, value in values.items()
        if not isinstance(value, Program | Request | Response | Prepared)
    }
    text = json.dumps([request.method, request.url.path, asked], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
