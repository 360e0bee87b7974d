"""Several verified things as the rows of a table, the gravest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.container import Services
from app.domain.awards.awards import Visibility
from app.http.pages.saying import said
from app.http.pages.typography import say
from app.http.pages.wording import DEFAULT_ZONE
from app.http.pages.words import Word
from app.language import N_
from app.services.verification.batches import Item
from app.services.verification.verdicts import HeadlineKind, claims_of, headline

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
_TALLY = (
    ("bad", N_("à écarter")),
    ("leads", N_("à comparer")),
    ("unk", N_("non vérifiables")),
    ("past", N_("hors de leurs dates, ou illisibles")),
    ("document", N_("autres documents, en règle")),
    ("ok", N_("authentiques")),
)
_ORDER = {state: number for number, (state, _) in enumerate(_TALLY)}


@dataclass(frozen=True)
class ItemRow:
    """`group` is where it counts; `page` leads to the whole answer, for badges of this service whose page is open."""

    given: str
    state: Word
    group: str
    holder: str
    title: str
    issuer: str
    words: str
    page: str

    @property
    def order(self) -> int:
        return _ORDER[self.group]

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


def item_row(services: Services, item: Item) -> ItemRow:
    if item.answer is None:
        return _unread(item)
    answer, head = item.answer, headline(item.answer)
    zone = answer.campus.time_zone if answer.campus else DEFAULT_ZONE
    document = answer.report.document if answer.report else None
    claims = claims_of(document) if document else None
    group = "leads" if head.kind is _K.LEADS and head.state != "bad" else head.state
    if head.kind is _K.DOCUMENT_GOOD and group == "shut":
        group = "document" if answer.lead is None else "leads"
    is_open = answer.record is not None and answer.record.award.visibility is Visibility.OPEN
    return ItemRow(
        given=item.given,
        state=Word(said(head.heading, zone), head.state),
        group="unk" if group == "shut" else group,
        holder=claims.holder if claims else "",
        title=claims.title if claims else "",
        issuer=(answer.campus.name if answer.campus else claims.issuer_name) if claims else "",
        words=said(head.message, zone),
        page=services.addresses.award(answer.record.award.id) if answer.record and is_open else "",
    )


def _unread(item: Item) -> ItemRow:
    near = " ".join(each.code for each in item.near)
    if item.is_code:
        text, words = N_("Code inconnu"), N_("Codes ressemblants : {near}") if near else ""
    else:
        text, words = N_("Non vérifié"), N_("Ce qui a été donné est trop long, fermé, ou n’a pas pu être lu.")
    sentence = say(words).format(near=near) if words else ""
    return ItemRow(item.given, Word(say(text), "unk"), "unk", "", "", "", sentence, "")


def tally_of(rows: Iterable[ItemRow]) -> list[tuple[str, int, str]]:
    """How many rows of each group there are, and its words; groups without any are left out."""
    groups = [row.group for row in rows]
    return [
        ("shut" if group in ("leads", "document") else group, groups.count(group), say(words))
        for group, words in _TALLY
        if group in groups
    ]
