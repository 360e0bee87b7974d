"""Check any badge, from anywhere: a file, a pasted text, or a link."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.awards import Visibility
from app.domain.core import csv_for_excel
from app.domain.publishing import Addresses
from app.http.pages.forms import SafeForm, files_of, text_of, untouched_text_of
from app.http.pages.render import page
from app.http.pages.words import DEFAULT_ZONE, StateLabel, moment, sentence_text
from app.http.request_scope import SnapshotServices, client_network, limited, process_of, public
from app.http.security_headers import PERMISSIONS_POLICY
from app.language import N_, current_locale, translated, translated_plural
from app.services.awards.papers import LogWords
from app.services.publishing import Published
from app.services.verification.answers import Answer
from app.services.verification.batches import Item, NearCode, is_presentable, lines_in
from app.services.verification.verdicts import (
    Headline,
    HeadlineKind,
    claims_of,
    headline,
    issuer_named,
    plain,
)
from app.web.verification.verification_page import answer_page, closed_page, shown

router = APIRouter()

_LONGEST_LINK = 2000
_MOST_LEFT: Final = 500


@router.get("/verifier")
@public
def show_form(request: Request, services: SnapshotServices, lien: str = "") -> Response:
    """`lien` comes from the home page's short form, and from links that programs make."""
    if not lien.strip():
        return _form(request)
    process_of(request).limiter.hit("verify", client_network(request))
    return _answer_link(request, services, lien)


@router.post("/verifier", dependencies=[limited("verify")])
@public
def check(request: Request, services: SnapshotServices, form: SafeForm) -> Response:
    """Takes any of files, text and link: full answer for one, a table for several; nothing is stored."""
    if code := text_of(form, "code"):
        return _answer_code(request, services, code)
    # A signed text stands as it was signed.
    files, text, link = (
        files_of(form, "fichier"),
        untouched_text_of(form, "texte").strip(),
        untouched_text_of(form, "lien").strip(),
    )
    lines = _lines_in(services, text)
    typed = [*(lines or [text]), link] if text and link else lines or [text or link]
    several = any(len(services.batch_verification.own_addresses(each)) > 1 for each in (text, link))
    if len(files) + bool(text) + bool(link) > 1 or lines or several:
        return _answer_several(request, services, files, [each for each in typed if each])
    if files:
        return _answer_file(request, services, *files[0])
    if text:
        if text.startswith(("{", "[", "<", "ey")) and not _is_html_of_ours(services, text):
            return _answered(request, services, services.verification.verify(text), text=text)
        return _answer_link(request, services, text)
    if link:
        return _answer_link(request, services, link)
    return _form(
        request,
        status=422,
        error=translated("Donnez une adresse, un fichier ou un texte : un seul suffit."),
    )


def _is_html_of_ours(services: Services, text: str) -> bool:
    """The link or the frame that a learner copies for a site."""
    return bool(re.match(r"<(?:a|iframe)\s", text)) and bool(services.batch_verification.address_in(text))


def _lines_in(services: Services, text: str) -> list[str]:
    """The lines of a list; a token broken by a mail program into several lines is one badge."""
    lines = lines_in(text)
    if not lines or not text.startswith("ey"):
        return lines
    return [] if headline(services.verification.verify("".join(text.split()))).kind.is_an_answer else lines


def _answer_file(request: Request, services: Services, name: str, file: bytes) -> Response:
    """A picture or a page without a badge may lead to one: the answer is first about the file."""
    items = services.batch_verification.file(name, file)
    if len(items) == 1 and items[0].answer is not None:
        return _answered(request, services, items[0].answer)
    return _several(request, services, items)


def _answer_code(request: Request, services: Services, read: str) -> Response:
    """The camera read it on paper or a screen: the answer is first about that."""
    answer = services.verification.verify_code(read)
    return _answered(request, services, answer) if answer else _answer_link(request, services, read)


def _answer_several(
    request: Request, services: Services, files: Sequence[tuple[str, bytes]], lines: Sequence[str]
) -> Response:
    process_of(request).limiter.hit("verify several", client_network(request))
    batch = services.batch_verification
    items = [item for name, body in files for item in batch.file(name, body)]
    wanted, left = batch.separate(lines)
    return _several(request, services, items + batch.lines(wanted), left)


def _several(
    request: Request, services: Services, items: Sequence[Item], left: Sequence[str] = ()
) -> Response:
    """`left`: lines of a CV that name no badge."""
    rows = sorted((item_row(services, item) for item in items), key=lambda row: row.order)
    table = csv_for_excel([translated(head) for head in HEADS], [row.cells for row in rows])
    return page(
        request,
        "verification/several.html",
        private=True,
        rows=rows,
        heading=_title_of(rows),
        tally=tally_of(rows),
        when=moment(services.clock(), DEFAULT_ZONE),
        csv=base64.b64encode(table).decode("ascii"),
        report=base64.b64encode(_report(services, rows).body).decode("ascii") if rows else "",
        left=[line.strip()[:160] for line in left[:_MOST_LEFT]],
        count_left=len(left),
    )


def _report(services: Services, rows: Sequence[ItemRow]) -> Published:
    """The table as a page to print: dated, and as the single report, without a signature."""
    words = LogWords(
        lang=current_locale(),
        title=_title_of(rows),
        author="Sceau",
        intro=translated_plural(
            "Vérifié le {moment} par {host}. Ce rapport n’est pas signé : il vous sert de mémoire.",
            "Vérifiés le {moment} par {host}, les plus graves d’abord. Ce rapport n’est pas signé : il vous sert de mémoire.",
            len(rows),
        ).format(moment=moment(services.clock(), DEFAULT_ZONE), host=services.addresses.host),
        lines=[
            (
                row.given,
                f"{row.state.text} – {row.holder or row.unnamed}",
                [
                    (label, value)
                    for label, value in (
                        (translated("Badge :"), row.title),
                        (translated("Donné par :"), row.issuer),
                        (translated("Explication :"), row.words),
                        (translated("Page :"), row.page),
                    )
                    if value
                ],
            )
            for row in rows
        ],
        foot=services.addresses.host,
    )
    return services.papers.log(words)


HEADS = (
    N_("Déposé"),
    N_("Réponse"),
    N_("Nom dans le badge"),
    N_("Badge"),
    N_("Donné par"),
    N_("Explication"),
    N_("Page du badge"),
)
_K = HeadlineKind
_GROUPS: Final = {
    # group: colour, in the order of the table
    "bad": "bad",
    "leads": "shut",
    "unk": "unk",
    "unread": "unk",
    "none": "unk",
    "closed": "shut",
    "erased": "shut",
    "suspended": "past",
    "replaced": "past",
    "expired": "past",
    "early": "past",
    "document": "shut",
    "ok": "ok",
}
_ORDER = {group: number for number, group in enumerate(_GROUPS)}
_GROUP_OF: Final[Mapping[HeadlineKind, str]] = {
    _K.LEADS: "leads",
    _K.DOCUMENT_GOOD: "document",
    _K.UNREADABLE: "unread",
    _K.IMAGE_WITHOUT_BADGE: "none",
    _K.PDF_WITHOUT_BADGE: "none",
    _K.NOT_A_BADGE: "none",
    _K.LINK_ELSEWHERE: "none",
    _K.LINK_UNKNOWN: "none",
    _K.LINK_ERASED: "erased",
    _K.CLOSED: "closed",
    _K.SUSPENDED: "suspended",
    _K.REPLACED: "replaced",
    _K.RENEWED: "replaced",
    _K.EXPIRED: "expired",
    _K.NOT_YET_VALID: "early",
}
# Of what is to be rejected: what was changed comes first, then what is genuine and counts no more, then another name.
_RANKS: Final[Mapping[HeadlineKind, int]] = {_K.REVOKED: 1, _K.WITHDRAWN_AT_ADDRESS: 1, _K.NAMES_DIFFER: 2}
_NOT_VERIFIED: Final = frozenset({"unread", "none", "closed", "erased", "leads"})


@dataclass(frozen=True)
class ItemRow:
    """`group` is its group in the tally; `page` is the URL of the full answer, for badges of this service
    with an open page; `unnamed` stands where a name would."""

    given: str
    state: StateLabel
    group: str
    words: str
    holder: str = ""
    unnamed: str = ""
    title: str = ""
    issuer: str = ""
    page: str = ""
    rank: int = 0
    """Among the rows of its group."""

    @property
    def order(self) -> tuple[int, int]:
        return _ORDER[self.group], self.rank

    @property
    def cells(self) -> Sequence[str]:
        return (
            self.given,
            self.state.text,
            self.holder,
            self.title,
            self.issuer,
            self.words,
            self.page,
        )


def _group_of(answer: Answer, head: Headline) -> str:
    """Each row is counted for what it is; a result to reject precedes everything else."""
    group = _GROUP_OF.get(head.kind, head.state)
    if head.state == "bad":
        return "bad"
    if head.kind is _K.DOCUMENT_GOOD and answer.lead is not None:
        return "leads"
    if head.kind is _K.DOCUMENT_GOOD and head.state == "unk":
        return "unk"
    return group if group in _GROUPS else "unk"


def item_row(services: Services, item: Item) -> ItemRow:
    if item.answer is None:
        return _unread(item)
    answer, head = item.answer, headline(item.answer)
    zone = answer.campus.time_zone if answer.campus else DEFAULT_ZONE
    document = answer.report.document if answer.report else None
    claims, group = claims_of(document) if document else None, _group_of(answer, head)
    is_open = answer.record is not None and answer.record.award.visibility is Visibility.OPEN
    unnamed = N_("Sans nom") if claims or answer.other else N_("Nom non vérifié")
    return ItemRow(
        given=item.given,
        state=StateLabel(sentence_text(head.heading, zone), _GROUPS[group]),
        group=group,
        words=sentence_text(head.message, zone),
        holder=claims.holder if claims else "",
        unnamed=translated(N_("Sans badge") if group == "none" else unnamed),
        title=claims.title if claims else "",
        issuer=(issuer_named(answer.report, answer.campus) if answer.campus else claims.issuer_name)
        if claims
        else "",
        page=services.addresses.award(answer.record.award.id) if answer.record and is_open else "",
        rank=_RANKS.get(head.kind, 0),
    )


def _unread(item: Item) -> ItemRow:
    near = " ".join(each.code for each in item.near)
    if item.is_code:
        text, words, group = N_("Code inconnu"), N_("Codes ressemblants : {near}") if near else "", "none"
    elif item.gone:
        text, words, group = N_("Effacé"), item.gone, "erased"
    else:
        text, group = N_("Non vérifié"), "unread"
        words = N_("Ce qui a été donné est trop long, fermé, ou n’a pas pu être lu.")
    sentence = translated(words).format(near=near) if words else ""
    unnamed = translated(N_("Sans badge") if item.is_code else N_("Nom non lu"))
    return ItemRow(item.given, StateLabel(translated(text), "unk"), group, sentence, unnamed=unnamed)


def tally_of(rows: Sequence[ItemRow]) -> list[tuple[str, str]]:
    """Each non-empty group: its colour, and its label with the number of rows."""
    groups = [row.group for row in rows]
    counted = [(group, groups.count(group)) for group in _GROUPS if group in groups]
    return [(_GROUPS[group], _tally_label(group, n).format(n=n)) for group, n in counted]


def _tally_label(group: str, n: int) -> str:
    match group:
        case "bad":
            return translated_plural("{n} à écarter", "{n} à écarter", n)
        case "leads":
            return translated_plural("{n} à comparer", "{n} à comparer", n)
        case "unread":
            return translated_plural("{n} non lu", "{n} non lus", n)
        case "none":
            return translated_plural("{n} sans badge", "{n} sans badge", n)
        case "closed":
            return translated_plural("{n} page fermée", "{n} pages fermées", n)
        case "erased":
            return translated_plural("{n} effacé", "{n} effacés", n)
        case "suspended":
            return translated_plural("{n} suspendu", "{n} suspendus", n)
        case "replaced":
            return translated_plural("{n} remplacé", "{n} remplacés", n)
        case "expired":
            return translated_plural("{n} expiré", "{n} expirés", n)
        case "early":
            return translated_plural("{n} pas encore valable", "{n} pas encore valables", n)
        case "document":
            return translated_plural("{n} autre document, en règle", "{n} autres documents, en règle", n)
        case "ok":
            return translated_plural("{n} authentique", "{n} authentiques", n)
        case _:
            return translated_plural("{n} non vérifiable", "{n} non vérifiables", n)


def _title_of(rows: Sequence[ItemRow]) -> str:
    """Only what was verified is counted as verified."""
    n = sum(row.group not in _NOT_VERIFIED for row in rows)
    if not n:
        return translated("Aucun document vérifié")
    if n < len(rows):
        some = translated_plural("{n} document vérifié sur {total}", "{n} documents vérifiés sur {total}", n)
        return some.format(n=n, total=len(rows))
    return translated_plural("{n} document vérifié", "{n} documents vérifiés", n).format(n=n)


def _answer_link(request: Request, services: Services, written: str) -> Response:
    batch = services.batch_verification
    address = batch.address_in(written) or _as_link(written, services)
    award_id = services.awards.find_by_code(_code_in(address, services.addresses))
    if award_id is not None:
        return RedirectResponse(f"/attributions/{award_id}", status_code=303)
    if services.addresses.portfolio_named_by(address):
        return _several(request, services, batch.line(address))
    if batch.is_code(written):
        return unknown_code(request, services, written)
    if services.addresses.is_ours(address):
        if services.addresses.award_named_by(address) is None:
            answer = services.verification.verify(address)
            if answer.other is not None or answer.unread == "gone":
                return _answered(request, services, answer, link=written)
            return _form(request, status=422, link=written, error=_not_an_award(address))
        answer = services.verification.verify(address)
        if answer.record is not None:
            return RedirectResponse(f"/attributions/{answer.record.award.id}", status_code=303)
        return _answered(request, services, answer, link=written)
    if not address.startswith(("http://", "https://")):
        if not is_presentable(written):
            return _form(request, status=422, link=written[:_LONGEST_LINK], error=_no_address(written))
        # Not a URL: a badge may have been pasted into the wrong field.
        return _answered(request, services, services.verification.verify(written), text=written)
    return _answered(request, services, services.verification.verify(address), link=written)


def unknown_code(request: Request, services: Services, typed: str) -> Response:
    """Suggests codes with one typing error only where their pages are open, and rate-limited by network."""
    process_of(request).limiter.hit("unknown code", client_network(request))
    batch = services.batch_verification
    code = batch.code_in(typed)[:40]
    near = batch.near(code)
    words = (
        N_(
            "Code inconnu : aucun badge n’a le code {code}. Il ressemble à celui-ci : comparez signe par signe."
        )
        if near
        else N_(
            "Code inconnu : aucun badge n’a le code {code}. Relisez les douze signes : un seul mal lu suffit."
        )
    )
    return _form(
        request,
        link=typed[:_LONGEST_LINK],
        error=translated(words).format(code=plain(code)),
        near=near,
    )


def _as_link(written: str, services: Services) -> str:
    """A URL typed from a badge or a CV lacks its scheme."""
    written = written.strip()[:_LONGEST_LINK]
    host = written.partition("/")[0]
    if "://" not in written and host.lower() == services.addresses.host.lower():
        return f"{urlsplit(services.addresses.base_url).scheme}://{written}"
    is_a_host = "." in host and " " not in written and not written.startswith(("{", "<", "ey", "did:"))
    return f"https://{written}" if "://" not in written and is_a_host else written


def _no_address(written: str) -> str:
    words = N_(
        "« {typed} » n’est ni une adresse, ni un code de badge. Une adresse contient un point et « / »."
    )
    return translated(words).format(typed=plain(written, 60))


_OF_DOCUMENTS = ("/recommandations/", "/labels/", "/statuts/", "/organisations/", "/reseau/")


def _not_an_award(link: str) -> str:
    if urlsplit(link).path.startswith("/campus/"):
        return translated("C’est l’adresse d’un campus. Celle d’un badge contient « /attributions/ ».")
    if urlsplit(link).path.startswith("/badges/"):
        return translated(
            "C’est l’adresse d’une définition. Celle d’un badge reçu contient « /attributions/ »."
        )
    if urlsplit(link).path.startswith(_OF_DOCUMENTS):
        return translated(
            "Aucun document signé n’est lisible à cette adresse : elle est incomplète, ou c’est celle d’une page."
        )
    return translated("Cette adresse n’est pas celle d’un badge : elle contiendrait « /attributions/ ».")


def _answered(
    request: Request, services: Services, answer: Answer, *, link: str = "", text: str = ""
) -> Response:
    if answer.closed:
        return closed_page(request, services)
    kind = headline(answer).kind
    if kind.is_an_answer:
        return answer_page(request, services, answer)
    return _form(request, link=link, text=text, answer=answer, services=services, kind=kind)


def _form(
    request: Request,
    *,
    status: int = 200,
    link: str = "",
    text: str = "",
    error: str = "",
    answer: Answer | None = None,
    services: Services | None = None,
    kind: HeadlineKind | None = None,
    near: Sequence[NearCode] = (),
) -> HTMLResponse:
    """The form; after a failed check, with the answer above it and the typed values in it."""
    view = shown(services, answer) if services and answer else None
    answered = page(
        request,
        "verification/form.html",
        status=status,
        private=bool(link or text or view),
        link=link,
        text=text,
        error=error,
        a=view,
        kind=kind.value if kind else "",
        near=[(each.code, each.record) for each in near],
    )
    answered.headers["Permissions-Policy"] = PERMISSIONS_POLICY.replace("camera=()", "camera=(self)")
    return answered


def _code_in(typed: str, addresses: Addresses) -> str:
    """The twelve characters of a short URL, alone or within it; otherwise the text itself, which matches no
    award."""
    before, found, code = typed.strip().rpartition("/v/")
    return code if found and (not before or addresses.is_ours(f"{before}/")) else typed
