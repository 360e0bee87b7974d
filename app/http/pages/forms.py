"""CSRF protection and size limits of forms."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from io import BytesIO
from types import MappingProxyType
from typing import Annotated, Final, cast
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Depends, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.container import Services
from app.domain.accounts.sessions import WaitingFile, WaitingForm
from app.domain.core import ChangedMeanwhile, as_stored, mark_of
from app.domain.imports.lists.vocabulary.addresses import suggestion_for
from app.domain.imports.lists.vocabulary.hours import hours_fault, hours_in
from app.domain.imports.lists.vocabulary.names import doubt_about
from app.domain.people import NAME_FIELDS, is_address, name_faults, normal_address
from app.errors import NotAllowed
from app.http.pages.words import number
from app.http.request_scope import SECRETS_SEPARATOR, process_of, sentence_of, signed_in, write_transaction
from app.language import N_, filled, respelt, translated

_NONCE = 12
Count = Annotated[int, Query(ge=-1, le=1_000_000)]
"""A whole number in the query of a page: what is larger fits no column."""


WRITTEN_MEANWHILE: Final = N_(
    "Quelqu’un a enregistré cette page pendant que vous l’écriviez. Enregistrez de nouveau pour remplacer ce qui est écrit actuellement."
)


Words = Mapping[str, Mapping[str, str]]
"""By field with choices, what the page shows for each of its values."""


def written_meanwhile(
    today: Mapping[str, str], typed: Mapping[str, str], words: Words = MappingProxyType({})
) -> dict[str, str]:
    """By field that was typed otherwise, what is stored now."""
    return {
        name: currently(words.get(name, {}).get(value, value))
        for name, value in today.items()
        if _tidied(value) != _tidied(typed.get(name, ""))
    }


def currently(value: str) -> str:
    return translated("Actuellement : {value}").format(value=value[:200] or "–")


def _tidied(text: str) -> list[list[str]]:
    """Browsers send other ends of lines."""
    return [words for line in text.splitlines() if (words := line.split())]


class SavedMeanwhile(ChangedMeanwhile):
    """`seen`: the mark of what is stored now; `beside`: what is, by field that was typed otherwise."""

    def __init__(self, mark: str, beside: dict[str, str]) -> None:
        super().__init__(WRITTEN_MEANWHILE)
        self.seen, self.beside = mark, beside


def check_saved(
    seen: str,
    today: Mapping[str, str],
    typed: Mapping[str, str],
    words: Words = MappingProxyType({}),
    mark: str = "",
) -> None:
    """Raises SavedMeanwhile unless the page, of mark `seen`, showed what is stored today.

    Values are compared, never their `words`: a badge under a new name is the same choice. `typed` as saving would
    store it: a form that is sent twice does not meet its own first. `mark`: where that of the values is another.
    """
    mark = mark or mark_of(*today.values())
    if seen not in ("", mark) and (beside := written_meanwhile(today, typed, words)):
        raise SavedMeanwhile(mark, beside)


class PageOwners:
    """AES-256-GCM: the ciphertext reveals nothing, differs on each page, and exists only on pages shown to
    that person."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(hmac.digest(key, b"owner of a page", hashlib.sha256))

    def seal(self, person_id: uuid.UUID) -> str:
        nonce = os.urandom(_NONCE)
        return base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, person_id.bytes, None)).decode()

    def open(self, sealed: str) -> uuid.UUID | None:
        try:
            raw = base64.urlsafe_b64decode(sealed.encode("ascii"))
            return uuid.UUID(bytes=self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], None))
        except (UnicodeEncodeError, binascii.Error, InvalidTag, ValueError):
            return None


TOKEN_FIELD = "attente"  # noqa: S105 - the name of a field


async def with_pending_uploads(request: Request, form: FormData) -> FormData:
    token = form.get(TOKEN_FIELD)
    if not isinstance(token, str) or not token or request.url.path.startswith("/confirmer"):
        return form
    files = await run_in_threadpool(_take, request, token)
    return FormData([*form.multi_items(), *((each.field, _upload(each)) for each in files)])


def _take(request: Request, token: str) -> list[WaitingFile]:
    with process_of(request).visit() as services:
        kept = services.set_aside.take(token, signed_in(request, services).person.id)
    return list(kept.files) if kept else []


def _upload(kept: WaitingFile) -> UploadFile:
    headers = Headers({"content-type": kept.media_type})
    return UploadFile(BytesIO(kept.content), size=len(kept.content), filename=kept.name, headers=headers)


FIELD = "jeton"
_BEFORE_OWNER = "."
_MOST_SESSIONS = 20
MOST_FIELDS = 2000
MOST_MEMBERS = 100_000
"""Of a JSON body."""
LONGEST_WITHOUT_FILES = 6 * 1024 * 1024
MOST_FILES = 12
MOST_VERIFIED = 100
# A pasted list of 10,000 lines; the whole body has its own limit.
MOST_TEXT = 5 * 1024 * 1024


class ForeignForm(NotAllowed):
    """A form that does not come from one of our pages, or from one too old."""


class FormerForm(ForeignForm):
    """A form with a token of no current session: of an earlier one, of another user, or forged."""


class CsrfTokens:
    """One secret per session, masked anew on each page so that compression cannot leak it (BREACH).

    A browser may have several sessions: a staff member's, and a learner's for each badge opened there. A page
    gets a token of the first, and a token of any is accepted, so that a page stays valid when another badge
    is opened.
    """

    def __init__(self, key: bytes, *session_cookies: str) -> None:
        self._key = key
        self._owners = PageOwners(key)
        self._session_cookies = session_cookies

    def sessions_of(self, request: Request) -> list[str]:
        cookies = [request.cookies.get(name, "") for name in self._session_cookies]
        return [secret for cookie in cookies for secret in cookie.split(SECRETS_SEPARATOR) if secret][
            :_MOST_SESSIONS
        ]

    def issue(self, request: Request, owner: uuid.UUID | None = None) -> str:
        """`owner`: the signed-in user the page is shown to, sealed in the token so that it outlives the
        session."""
        expected = self._expected(next(iter(self.sessions_of(request)), ""))
        mask = secrets.token_bytes(len(expected))
        token = base64.urlsafe_b64encode(mask + _xor(mask, expected)).decode("ascii")
        return token + _BEFORE_OWNER + self._owners.seal(owner) if owner else token

    def owner_of(self, token: str) -> uuid.UUID | None:
        """The user the page with this token was shown to. Never use for authorisation: only accepts() permits
        a form."""
        return self._owners.open(token.partition(_BEFORE_OWNER)[2])

    def accepts(self, token: str, request: Request) -> bool:
        masked, seals, owner = token.partition(_BEFORE_OWNER)
        if seals and self._owners.open(owner) is None:
            return False
        try:
            raw = base64.urlsafe_b64decode(masked.encode("ascii"))
        except (UnicodeEncodeError, binascii.Error):
            return False
        half = hashlib.sha256().digest_size
        if len(raw) != 2 * half:
            return False
        token_digest = _xor(raw[:half], raw[half:])
        sessions = self.sessions_of(request) or [""]
        return any(hmac.compare_digest(token_digest, self._expected(session)) for session in sessions)

    def _expected(self, session: str) -> bytes:
        return hmac.digest(
            self._key, b"form of session " + session.encode("utf-8", "surrogateescape"), hashlib.sha256
        )


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def csrf_field(request: Request, owner: uuid.UUID | None = None) -> Markup:
    """The hidden field of every form with method="post"."""
    tokens: CsrfTokens = request.app.state.csrf
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, tokens.issue(request, owner))


def check_same_site(headers: Headers, *, own_host: str, has_session: bool) -> None:
    """Refuses cross-site requests. Browsers send the origin of a form, and scripts cannot forge it (T29)."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        raise _foreign()
    if origin is None:
        return
    if origin == "null":
        # Our private pages send no referrer, and browsers then send "null" here. The session's token, which
        # no other site can know, or Sec-Fetch-Site must then authenticate the form.
        if site is None and not has_session:
            raise _foreign()
        return
    try:
        is_own = urlsplit(origin).netloc.lower() == own_host.lower()
    except ValueError:
        is_own = False
    if not is_own:
        raise _foreign()


def _foreign() -> ForeignForm:
    return ForeignForm(
        N_(
            "Ce formulaire ne vient pas de ce site. Rien n’a été changé. Rouvrez la page ici, puis recommencez."
        )
    )


async def form_sent(request: Request, *, has_session: bool = True) -> FormData:
    """The form, refused if cross-site; its content is not yet trusted."""
    check_same_site(request.headers, own_host=request.headers.get("host", ""), has_session=has_session)
    most = MOST_VERIFIED if request.url.path == "/verifier" else MOST_FILES
    return await request.form(max_files=most, max_fields=MOST_FIELDS, max_part_size=MOST_TEXT)


async def receive_form(request: Request) -> None:
    """Reads a form that the route checks later; one of another site is refused there, unread."""
    route = request.scope.get("route")
    if request.method != "POST" or not isinstance(route, APIRoute) or not _takes_form(route.dependant):
        return
    tokens: CsrfTokens = request.app.state.csrf
    with suppress(ForeignForm):
        await form_sent(request, has_session=bool(tokens.sessions_of(request)))


def _takes_form(dependant: Dependant) -> bool:
    return dependant.call is checked_form or any(map(_takes_form, dependant.dependencies))


async def checked_form(request: Request) -> FormData:
    """The fields of a form sent from one of our own pages; anything else is refused before its fields are
    read."""
    # Pending uploads are returned once, and step-up authentication reads the form a second time.
    if (seen := getattr(request.state, "form", None)) is not None:
        return cast(FormData, seen)
    tokens: CsrfTokens = request.app.state.csrf
    form = await form_sent(request, has_session=bool(tokens.sessions_of(request)))
    token = form.get(FIELD)
    if not isinstance(token, str) or not tokens.accepts(token, request):
        raise FormerForm(N_("Rien n’a été changé : rechargez la page, puis recommencez."))
    request.state.form = await with_pending_uploads(request, form)
    return cast(FormData, request.state.form)


DRAFT_NOTE = "mention"
"""What the server adds to a draft: why its submission was refused."""
_NEVER_DRAFTED = (FIELD, TOKEN_FIELD, DRAFT_NOTE)


def save_draft(
    request: Request, form: FormData, path: str, *, note: str = "", at: str = ""
) -> RedirectResponse:
    """Stores the submitted form and leads to the page that shows it, so that Back and reload work.

    `path` is the URL the form is sent to; its page is one step below, and is read from the anchor `at`.
    """
    items = [(name, value) for name, value in form.multi_items() if name not in _NEVER_DRAFTED]
    fields = [(name, value) for name, value in items if isinstance(value, str)]
    files = []
    for name, value in items:
        if not isinstance(value, str) and value.filename:
            value.file.seek(0)
            files.append(WaitingFile(name, value.filename, value.content_type or "", value.file.read()))
    fields += [(DRAFT_NOTE, note)] if note else []
    work = request.state.work
    with write_transaction(request) as services:
        draft_id = services.form_drafts.save(
            work.campus, WaitingForm(path, fields, files), work.who.person.id
        )
    return RedirectResponse(f"{path}/{draft_id}" + (f"#{at}" if at else ""), status_code=303)


def draft_form(request: Request, services: Services, draft_id: uuid.UUID, path: str) -> FormData:
    """The stored form; raises NotFound for the draft of anybody else."""
    work = request.state.work
    found = services.form_drafts.get(work.campus, draft_id, work.who.person.id, path)
    return FormData([*found.fields, *((each.field, _upload(each)) for each in found.files)])


CHECKED_FORM = Depends(checked_form)
"""For handlers that read no field: the check alone."""
SafeForm = Annotated[FormData, CHECKED_FORM]


def idempotency_key(form: FormData, person_id: uuid.UUID) -> uuid.UUID:
    """The same for two identical submissions of one page (double click, retry), different for any other."""
    sent = repr([(name, value) for name, value in form.multi_items() if isinstance(value, str)])
    digest = hashlib.sha256(person_id.bytes + sent.encode("utf-8", "surrogateescape")).digest()
    return uuid.UUID(bytes=digest[:16], version=4)


def text_of(form: FormData, name: str) -> str:
    """The trimmed text of one field, empty when it is absent or a file."""
    value = form.get(name)
    return as_stored(value).strip() if isinstance(value, str) else ""


@dataclass(frozen=True)
class Doubt:
    """A question about a typed value: one button retains it, one takes the proposal."""

    name: str
    """Of the field of the answer."""
    mark: str
    """Of the value asked about: the answer is no answer for another value."""
    sentence: str
    proposal: str = ""
    is_answered: bool = False


RETAIN, TAKE = "garder", "corriger"


def _decided(
    request: Request, form: FormData, field: str, value: tuple[str, ...], sentence: str, proposal: str
) -> str:
    """RETAIN, TAKE, or nothing: the page then asks, where its template has `ui.doubt(doubts, field)`."""
    doubt = Doubt(f"{field}-relu", mark_of(*value), sentence, proposal)
    gesture, _, mark = text_of(form, doubt.name).partition("-")
    answer = gesture if mark == doubt.mark and gesture in (RETAIN, TAKE) else ""
    if answer != TAKE:
        # A form that is refused for another reason sends the answer again.
        asked = replace(doubt, is_answered=bool(answer))
        request.state.doubts = {**getattr(request.state, "doubts", {}), field: asked}
    return answer


def is_in_doubt(request: Request) -> bool:
    return any(not doubt.is_answered for doubt in getattr(request.state, "doubts", {}).values())


def name_in(
    request: Request,
    form: FormData,
    *,
    present: tuple[str, str] = ("", ""),
    is_own: bool = False,
    respells: bool = False,
) -> tuple[str, str]:
    """Given and family name, asked about if doubtful. `present`: the recorded name, which is not asked about;
    `is_own`: of the person who types; `respells`: capitals are no spelling."""
    given, family = (text_of(form, field) for field in NAME_FIELDS.values())
    if respells:
        given, family = respelt(given), respelt(family)
    found = doubt_about(given, family)
    if found is None or (given, family) == present or name_faults(given, family, is_own=is_own):
        return given, family
    proposal = ""
    if found.family:
        words = translated("Ou plutôt : prénom « {given} », nom « {family} » ?")
        proposal = filled(words, {"given": found.given, "family": found.family})
    answer = _decided(request, form, "nom", (given, family), translated(found.sentence), proposal)
    return (found.given, found.family) if answer == TAKE and proposal else (given, family)


def faults_of_name(given: str, family: str, *, is_own: bool = False) -> dict[str, str]:
    """By field of the form."""
    found = name_faults(given, family, is_own=is_own)
    return {NAME_FIELDS[half]: sentence_of(error) for half, error in found.items()}


def address_in(request: Request, form: FormData, field: str = "adresse", *, present: str = "") -> str:
    """An e-mail address, asked about where its domain is almost a known one; `present` is not."""
    typed = text_of(form, field)
    address = normal_address(typed)
    meant = suggestion_for(address) if is_address(address) and address != present else ""
    if not meant:
        return typed
    proposal = translated("Ou plutôt : {word} ?").format(word=meant)
    sentence = translated("Cette adresse est-elle bien écrite ?")
    return meant if _decided(request, form, field, (address,), sentence, proposal) == TAKE else typed


def hours_typed(request: Request, form: FormData, most: float | None, *, present: str = "") -> str:
    """The field « heures », asked about above `most` hours: perhaps minutes; `present` is not."""
    typed = text_of(form, "heures")
    hours = hours_in(typed)[0]
    if not hours or most is None or hours <= most or typed == present or hours_fault(typed):
        return typed
    minutes = f"{hours:g} min" if hours.is_integer() and hours <= 60 * most else ""
    sentence = filled(translated("{hours} h : c’est beaucoup pour cette activité."), {"hours": number(hours)})
    proposal = translated("Ou plutôt : {word} ?").format(word=minutes) if minutes else ""
    answer = _decided(request, form, "heures", (typed,), sentence, proposal)
    return minutes if answer == TAKE and minutes else typed


def untouched_text_of(form: FormData, name: str) -> str:
    """A field as typed, including surrounding spaces: a password."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def texts_of(form: FormData, name: str) -> list[str]:
    """Every value of a field that may be ticked several times."""
    return [as_stored(value) for value in form.getlist(name) if isinstance(value, str)]


def bytes_of(form: FormData, name: str) -> bytes | None:
    """The file of one field, None when no file was chosen."""
    value = form.get(name)
    if value is None or isinstance(value, str) or not value.filename:
        return None
    return value.file.read()


def files_of(form: FormData, name: str) -> list[tuple[str, bytes]]:
    """Each file of a field that takes several, with its name."""
    return [
        (value.filename, value.file.read())
        for value in form.getlist(name)
        if not isinstance(value, str) and value.filename
    ]


class BodySizeLimit:
    """ASGI middleware: aborts a request longer than its path allows, or with more members, while it is received.

    `by_path` maps path prefixes; a star matches anything, and the longest prefix decides. What is long are files:
    any body but a form with files has at most `without_files`. Forms and JSON are parsed as a whole,
    on the event loop: 64 MiB of separators would take it for ten seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        usual: int,
        by_path: Mapping[str, int],
        without_files: int = LONGEST_WITHOUT_FILES,
    ) -> None:
        self.app = app
        self.usual = usual
        self.by_path = by_path
        self.without_files = without_files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        most = self._most(scope["path"])
        if kind != "multipart/form-data":
            most = min(most, self.without_files)
        members = _counter_of(kind)
        announced = headers.get("content-length", "0")
        too_long = not announced.isdecimal() or int(announced[:16]) > most
        received = 0

        async def receive_measured() -> Message:
            nonlocal received
            if too_long:
                raise HTTPException(413)
            message = await receive()
            body = message.get("body", b"")
            received += len(body)
            if received > most or members(body):
                raise HTTPException(413)
            return message

        await self.app(scope, receive_measured, send)

    def _most(self, path: str) -> int:
        fitting = [
            (len(start), limit) for start, limit in self.by_path.items() if fnmatchcase(path, f"{start}*")
        ]
        return max(fitting, default=(0, self.usual))[1]


def _counter_of(kind: str) -> Callable[[bytes], bool]:
    """Given each part of the body, whether it has too many members by now."""
    if kind == "application/x-www-form-urlencoded":
        return _Pairs().are_too_many
    if kind.startswith("application/") and kind.endswith("json"):
        return _JsonMembers().are_too_many
    return lambda _part: False


class _Pairs:
    def __init__(self) -> None:
        self.count = 0

    def are_too_many(self, part: bytes) -> bool:
        self.count += part.count(b"&")
        return self.count > MOST_FIELDS


class _JsonMembers:
    """Counts the members of JSON arrays and objects as they arrive, without parsing: what separates and what opens,
    outside strings."""

    def __init__(self) -> None:
        self.count = 0
        self._in_string = False
        self._escape = b""
        self._is_wide = False

    def are_too_many(self, part: bytes) -> bool:
        # A byte of UTF-16 may be the same as a quotation mark: everything counts.
        self._is_wide |= b"\0" in part
        text = (self._escape + part).rstrip(b"\\")
        self._escape = b"\\" * ((len(self._escape) + len(part) - len(text)) % 2)
        pieces = text.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')
        outside = text if self._is_wide else b"".join(pieces[self._in_string :: 2])
        self._in_string ^= len(pieces) % 2 == 0
        self.count += outside.count(b",") + outside.count(b"[") + outside.count(b"{")
        return self.count > MOST_MEMBERS


class NulReplacement:
    """ASGI middleware: NUL in a path or a query becomes U+FFFD, as bytes that are no UTF-8 do. PostgreSQL compares
    no text with it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if "\x00" in scope["path"]:
                scope["path"] = scope["path"].replace("\x00", "\ufffd")
            if b"%00" in scope["query_string"]:
                scope["query_string"] = scope["query_string"].replace(b"%00", b"%EF%BF%BD")
        await self.app(scope, receive, send)


def ids_in(texts: Iterable[str]) -> list[uuid.UUID]:
    """The valid UUIDs among them; other values are ignored."""
    found = []
    for text in texts:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found
