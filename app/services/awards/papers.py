"""Printable documents of an award: the certificate for a CV, and QR codes for verification."""

from __future__ import annotations

import hmac
import io
import re
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from typing import Final

import segno

from app.adapters.badge_pictures import BadgeArtist, CardWords, PictureOrder
from app.adapters.papers import Papers
from app.db.awards import AwardRecord, AwardStore
from app.db.badges import BadgeStore
from app.db.campus import HistoryStore
from app.domain.awards import shown_code
from app.domain.badges import BadgeVersion
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, CampusColours
from app.domain.core import Clock, plain_text
from app.domain.people.consents import needs_guardian_for
from app.domain.publishing import Addresses
from app.errors import Conflict, InvalidInput
from app.language import N_, days, speaking, translated
from app.services.awards.delivery import DeliveryService, HandedCode
from app.services.badges import BadgeService, picture_order, picture_words
from app.services.people.people import PeopleService
from app.services.publishing import PublicationService, Published

__all__ = ["AwardPictures", "CardWords"]

_NAME: Final = b"sceau:"
_UNSEALED: Final = b"A" * 43
KEYWORD: Final = (_NAME + _UNSEALED).decode()
"""Present in the document information and XMP metadata until the paper is sealed."""
_PLACES: Final = re.compile(rb"(/Keywords\s*\(|<pdf:Keywords>)sceau:([A-Za-z0-9_-]{43})(?=\)|<)")


def sealed(paper: bytes, secret: bytes) -> bytes:
    mac = _mac(paper, secret)
    return _PLACES.sub(lambda found: found[1] + _NAME + mac, paper)


def is_sealed(paper: bytes, secret: bytes) -> bool:
    """Whether every byte is as this service wrote it."""
    macs = {found[2] for found in _PLACES.finditer(paper)}
    if len(macs) != 1:
        return False
    blank = _PLACES.sub(lambda found: found[1] + _NAME + _UNSEALED, paper)
    return hmac.compare_digest(_mac(blank, secret), macs.pop())


def _mac(paper: bytes, secret: bytes) -> bytes:
    key = hmac.digest(secret, b"seal of a paper", sha256)
    return urlsafe_b64encode(hmac.digest(key, paper, sha256)).rstrip(b"=")


@dataclass(frozen=True, eq=False)
class AwardPictures:
    badges: BadgeService
    artist: BadgeArtist
    addresses: Addresses

    def svg(self, record: AwardRecord) -> str:
        return self.artist.draw(self._order(record))

    def png(self, record: AwardRecord) -> bytes:
        return self.artist.rasterise_quickly(self.svg(record))

    def card(self, record: AwardRecord, words: CardWords) -> bytes:
        """The link preview picture of an award, 1200 × 630, as PNG."""
        return self.artist.card(self._order(record), words)

    def for_cv(self, record: AwardRecord) -> bytes:
        code = segno.make(self.addresses.short(record.award.id), error="m", micro=False)
        host, _, number = self.addresses.short_in_print(record.award.id).rpartition("/")
        modules = [tuple(row) for row in code.matrix]
        return self.artist.for_cv(self._without_code(record), modules, (f"{host}/", number))

    def svg_without_code(self, record: AwardRecord) -> str:
        """For documents that have one QR code of their own."""
        return self.artist.draw(self._without_code(record))

    def _without_code(self, record: AwardRecord) -> PictureOrder:
        competencies = self.badges.competencies_of(record.version)
        address = self.addresses.host
        return picture_order(record.campus, record.version, competencies, address=address)

    def portfolio_card(self, records: Sequence[AwardRecord], words: CardWords) -> bytes:
        """As `card`, for a portfolio, with the picture of its first award; none if empty."""
        return self.artist.card(self._order(records[0]) if records else None, words)

    def public_card(
        self,
        words: CardWords,
        *,
        emblem: str,
        look: tuple[float, float] | None,
        badge: tuple[Campus, BadgeVersion] | None = None,
    ) -> bytes:
        """The link preview picture of a public page."""
        order = None
        if badge is not None:
            order = picture_order(*badge, self.badges.competencies_of(badge[1]), address=self.addresses.host)
        return self.artist.public_card(order, words, emblem, look)

    def _order(self, record: AwardRecord) -> PictureOrder:
        return picture_order(
            record.campus,
            record.version,
            self.badges.competencies_of(record.version),
            address=self.addresses.short_in_print(record.award.id),
            code=self.addresses.short(record.award.id),
        )


PDF = "application/pdf"
_MARGIN = 2
"""Quiet zone in modules around a code that is already on white; readers need four elsewhere."""


@dataclass(frozen=True)
class CertificateWords:
    """All texts of a certificate, in the reader's language; `facts` are (label, value) pairs."""

    title: str
    author: str
    by: str
    campus: str
    before: str
    holder: str
    after: str
    what: str
    facts: list[tuple[str, str]]
    check_title: str
    check_words: str
    fine: str
    badge_words: str
    code_words: str
    attached: str
    attached_words: str
    lang: str


@dataclass(frozen=True)
class CheckWords:
    """All texts of the verification page; an item of `checks` is (state, term, sentence, detail).

    `warning`, if any, is a title and the text shown before everything else.
    """

    lang: str
    title: str
    author: str
    by: str
    warning: list[str]
    state: str
    word: str
    sentence: str
    when: str
    facts: list[tuple[str, str]]
    checks: list[tuple[str, list[tuple[str, str, str, str]]]]
    lists: list[tuple[str, list[str]]]
    technical_title: str
    technical: list[tuple[str, str]]
    plate: str
    check_title: str
    check_words: str
    code_words: str
    foot: str
    attached_words: str


@dataclass(frozen=True)
class LogWords:
    """Log entries about a person, in the reader's language: date, kind and content of each."""

    lang: str
    title: str
    author: str
    intro: str
    lines: list[tuple[str, str, list[tuple[str, str]]]]
    foot: str


@dataclass(frozen=True)
class ErasureWords:
    """The proof of an erasure, in the reader's language; contains no names."""

    lang: str
    title: str
    author: str
    intro: str
    facts: list[tuple[str, str]]
    went_title: str
    went: list[tuple[str, str]]
    stays_title: str
    stays: list[str]
    signed: str
    attached: str
    attached_words: str
    foot: str


@dataclass(frozen=True)
class PortfolioWords:
    """All texts of a portfolio: number of its picture, name, kind, issuer and address of each badge."""

    lang: str
    title: str
    name: str
    """As the title has it, with what clings to it: « d’Anne Le Goff »; not broken between lines."""
    author: str
    line: str
    intro: str
    code_words: str
    where: str
    pictures: list[str]
    """Descriptions of the pictures, in order."""
    sections: list[tuple[str, list[tuple[int, str, str, str, str, str]]]]
    competencies_title: str
    competencies_words: str
    competencies: list[tuple[str, str, str, int, int]]
    peers_title: str
    peers_words: str
    peers: list[tuple[list[str], str, str, str]]
    """Lines by people who worked with the owner, their language, who signs and when, and the badge."""
    fine: str
    foot: str


@dataclass(frozen=True, eq=False)
class PaperService:
    publication: PublicationService
    pictures: AwardPictures
    papers: Papers
    addresses: Addresses
    secret: bytes
    clock: Clock

    def certificate(self, record: AwardRecord, words: CertificateWords) -> Published:
        """One page with the signed credential attached, dated by the award: deterministic bytes."""
        colours = _colours(record.campus)
        signed = self.publication.award_file(record, "json").body
        files = {
            "frame.svg": self.papers.frame(colours["accent"], colours["line"]),
            "badge.svg": self.pictures.svg(record).encode(),
            "code.svg": self.code(record, "svg").body,
            words.attached: signed,
        }
        values = _hyphenated(vars(words)) | {
            "colours": colours,
            "plate": self.addresses.short_in_print(record.award.id),
        }
        return self._sealed("certificate", values, files, at=record.award.awarded_at)

    def portfolio(
        self, portfolio_id: uuid.UUID, words: PortfolioWords, records: Sequence[AwardRecord]
    ) -> Published:
        """`records`: the awards in the order of `words.pictures`."""
        files = {"code.svg": self.portfolio_code(portfolio_id, "svg").body}
        for number, record in enumerate(records):
            files[f"badge-{number}.svg"] = self.pictures.svg_without_code(record).encode()
        return Published.of(
            self.papers.pdf("portfolio", _hyphenated(vars(words)), files, at=self.clock()), PDF
        )

    def log(self, words: LogWords) -> Published:
        return Published.of(self.papers.pdf("log", _hyphenated(vars(words)), {}, at=self.clock()), PDF)

    def guide(self, values: Mapping[str, object]) -> Published:
        """A guide of the service, dated to the day."""
        return self.printed("guide", values)

    def printed(self, template: str, values: Mapping[str, object], *, code: str = "") -> Published:
        """A paper without attachments, dated to the day: the same values give the same bytes that day.

        `code`: the address of its QR code, if it has one.
        """
        at = self.clock().replace(hour=0, minute=0, second=0, microsecond=0)
        files = {"code.svg": _code(code, "svg").body} if code else {}
        return Published.of(self.papers.pdf(template, values, files, at=at), PDF)

    def erasure(self, words: ErasureWords, proof: bytes, *, at: datetime) -> Published:
        """With the machine-readable proof attached; dated by the erasure: deterministic bytes."""
        files = {words.attached: proof}
        return Published.of(self.papers.pdf("erasure", _hyphenated(vars(words)), files, at=at), PDF)

    def check(self, words: CheckWords, badge: str) -> Published:
        """The page of a verification made now, with the verified badge attached."""
        is_json = badge.lstrip().startswith("{")
        name = "badge.json" if is_json else "badge.jwt"
        files = {name: badge.encode()} if badge else {}
        files["code.svg"] = _code(f"{_scheme(self.addresses)}{words.plate}", "svg").body
        values = _hyphenated(vars(words)) | {
            "colours": {"accent": "#46525a"},
            "attached": name if badge else "",
            "attached-type": "application/vc" if is_json else "application/vc+jwt",
        }
        return self._sealed("check", values, files, at=self.clock())

    def _sealed(
        self, template: str, values: Mapping[str, object], files: Mapping[str, bytes], *, at: datetime
    ) -> Published:
        paper = self.papers.pdf(template, {**values, "keywords": [KEYWORD]}, files, at=at)
        return Published.of(sealed(paper, self.secret), PDF)

    def code(self, record: AwardRecord, form: str) -> Published:
        """A QR code of the award's short URL, as `svg` or `png`."""
        return _code(self.addresses.short(record.award.id), form)

    def portfolio_code(self, portfolio_id: uuid.UUID, form: str) -> Published:
        """As `code`, for a portfolio's URL."""
        return _code(self.addresses.portfolio(portfolio_id), form)


@lru_cache(maxsize=64)
def _code(address: str, form: str) -> Published:
    code, out = segno.make(address, error="m", micro=False), io.BytesIO()
    if form == "png":
        code.save(out, kind="png", scale=12, border=4)
        return Published.of(out.getvalue(), "image/png")
    code.save(out, kind="svg", border=_MARGIN, xmldecl=False, light="#ffffff")
    return Published.of(out.getvalue(), "image/svg+xml")


def _scheme(addresses: Addresses) -> str:
    return addresses.base_url.removesuffix(addresses.host)


def _colours(campus: Campus) -> Mapping[str, str]:
    colours = CampusColours.of(campus.hue, campus.liveliness)
    return {"accent": colours.accent, "line": colours.accent_line}


def _hyphenated(values: Mapping[str, object]) -> dict[str, object]:
    """Keys in the templates' spelling."""
    return {name.replace("_", "-"): value for name, value in values.items()}


# --- Printed claim slips: content in one language, and the PDF

SLIPS_PER_DOCUMENT = 400
Day = Callable[[datetime | date, str], str]
"""Formats a day in the current language."""


@dataclass(frozen=True)
class Slip:
    """One person's slip: `picture` names a picture of the sheet, `link` is the QR code content."""

    name: str
    title: str
    beside: str
    picture: str
    link: str
    code: str
    steps: Sequence[str]


@dataclass(frozen=True)
class SlipPicture:
    svg: str
    words: str


@dataclass(frozen=True)
class SlipSheet:
    title: str
    language: str
    campus: str
    colours: CampusColours
    qr_words: str
    pictures: Mapping[str, SlipPicture]
    slips: Sequence[Slip]

    def values(self) -> dict[str, object]:
        """Values for the template."""
        return {
            "title": self.title,
            "language": self.language,
            "campus": self.campus,
            "service": "Sceau",
            "accent": self.colours.accent,
            "line": self.colours.accent_line,
            "qr_words": self.qr_words,
            "pictures": {f"{name}.svg": picture.words for name, picture in self.pictures.items()},
            "slips": [
                {
                    "name": slip.name,
                    "title": slip.title,
                    "beside": slip.beside,
                    "picture": f"{slip.picture}.svg",
                    "qr": f"code-{number}.svg",
                    "code": slip.code,
                    "steps": list(slip.steps),
                }
                for number, slip in enumerate(self.slips)
            ],
        }

    def files(self) -> dict[str, bytes]:
        codes = {f"code-{number}.svg": _qr(slip.link) for number, slip in enumerate(self.slips)}
        return {**codes, **{f"{name}.svg": each.svg.encode() for name, each in self.pictures.items()}}


@dataclass(frozen=True, eq=False)
class SlipService:
    awards: AwardStore
    badges: BadgeStore
    delivery: DeliveryService
    people: PeopleService
    history: HistoryStore
    addresses: Addresses
    papers: Papers
    clock: Clock

    def prepare(
        self, campus: Campus, award_ids: Sequence[uuid.UUID], *, language: str, day: Day, by: Actor
    ) -> SlipSheet:
        """A slip for each of these badges that can still be claimed, by name; raises if there is none."""
        if len(award_ids) > SLIPS_PER_DOCUMENT:
            raise InvalidInput(
                "Un fichier tient {most} bulletins : choisissez moins de personnes.",
                most=SLIPS_PER_DOCUMENT,
            )
        records = self.awards.records_among(award_ids, campus.id)
        codes = self.delivery.codes_for(records)
        wanted = sorted((each for each in records if each.award.id in codes), key=_by_name)
        if not wanted:
            raise Conflict(
                "Aucun bulletin à imprimer : ces badges sont déjà reçus, retirés, dans le compte de leur personne, ou peuvent encore être annulés."
            )
        with speaking(language):
            sheet = self._sheet(campus, wanted, codes, language, day)
        ids = [each.award.id for each in wanted]
        self.history.write_all(by, "print_slip", "award", ids, at=self.clock(), campus_id=campus.id)
        return sheet

    def printed(self, sheet: SlipSheet) -> bytes:
        """The PDF. Takes a second or more: call it outside a transaction."""
        return self.papers.pdf("slips", sheet.values(), sheet.files(), at=self.clock())

    def _sheet(
        self,
        campus: Campus,
        records: Sequence[AwardRecord],
        codes: dict[uuid.UUID, HandedCode],
        language: str,
        day: Day,
    ) -> SlipSheet:
        names = self.delivery.names_of(records)
        return SlipSheet(
            title=translated("Bulletins à remettre"),
            language=language,
            campus=translated("Campus {name}").format(name=campus.name),
            colours=CampusColours.of(campus.hue, campus.liveliness),
            qr_words=translated("Code QR qui ouvre le badge"),
            pictures=self._pictures(campus, records),
            slips=[
                self._slip(record, names[record.award.id], codes[record.award.id], day) for record in records
            ],
        )

    def _pictures(self, campus: Campus, records: Sequence[AwardRecord]) -> dict[str, SlipPicture]:
        found = {}
        for version_id in {record.version.id for record in records}:
            version = self.badges.get_version_by_id(version_id)
            words = picture_words(campus, version)
            found[str(version_id)] = SlipPicture(
                version.picture_svg, translated(words.words).format(**words.values)
            )
        return found

    def _slip(self, record: AwardRecord, name: str, code: HandedCode, day: Day) -> Slip:
        award, activity, zone = record.award, record.activity, record.campus.time_zone
        when = days(activity.starts_on, activity.ends_on) if activity else day(award.awarded_at, zone)
        steps = (
            translated(
                N_("Visez le code carré avec un téléphone : le badge s’ouvre, sans compte.")
                if needs_guardian_for(record.person, activity)
                else N_(
                    "Visez le code carré avec votre téléphone : le badge s’ouvre, sans compte. Son bouton « Partager » le met dans un portefeuille numérique."
                )
            ),
            translated("Ou tapez le code sur {address} avant le {day}. Ce bulletin est personnel.").format(
                address=self.addresses.claiming.partition("://")[2],
                day=day(code.expires_at, zone),
            ),
        )
        return Slip(
            name=name,
            title=record.version.name,
            beside=f"{activity.title}, {when}" if activity else when,
            picture=str(record.version.id),
            link=self.addresses.private_link(self.people.private_link_token(award.id, award.link_generation)),
            code=shown_code(code.code),
            steps=steps,
        )


def _by_name(record: AwardRecord) -> tuple[str, str, str]:
    person = record.person
    return (plain_text(person.family_name), plain_text(person.given_name), record.version.name)


def _qr(link: str) -> bytes:
    drawn = BytesIO()
    segno.make(link, error="m", micro=False).save(drawn, kind="svg", border=2, xmldecl=False)
    return drawn.getvalue()
