"""Printed claim slips: content in one language, and the PDF."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO

import segno

from app.adapters.papers import Papers
from app.db.awards import AwardRecord, AwardStore
from app.db.badges import BadgeStore
from app.db.campus import HistoryStore
from app.domain.awards import shown_code
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, CampusColours
from app.domain.core import Clock, plain_text
from app.domain.people.parental_consent import needs_guardian_for
from app.domain.publishing import Addresses
from app.errors import Conflict, InvalidInput
from app.language import N_, speaking
from app.language.dates import days
from app.language.typography import translated
from app.services.awards.delivery import HandedCode, HandingOver
from app.services.badges.badges import picture_words
from app.services.people.people import PeopleService

_LONG_WORD = re.compile(r"[^\s-]{19,}")
SLIPS_PER_DOCUMENT = 400
Day = Callable[[datetime | date], str]
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
                    "name": _breakable(slip.name),
                    "title": _breakable(slip.title),
                    "beside": _breakable(slip.beside),
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
    handing_over: HandingOver
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
                N_("Un fichier tient {most} bulletins : choisissez moins de personnes."),
                most=SLIPS_PER_DOCUMENT,
            )
        records = self.awards.records_among(award_ids, campus.id)
        codes = self.handing_over.codes_for(records)
        wanted = sorted((each for each in records if each.award.id in codes), key=_by_name)
        if not wanted:
            raise Conflict(
                N_(
                    "Aucun bulletin à imprimer : ces badges sont déjà reçus, retirés, dans le compte de leur personne, ou peuvent encore être annulés."
                )
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
        names = self.handing_over.names_of(records)
        return SlipSheet(
            title=translated(N_("Bulletins à remettre")),
            language=language,
            campus=translated(N_("Campus {name}")).format(name=campus.name),
            colours=CampusColours.of(campus.hue, campus.liveliness),
            qr_words=translated(N_("Code QR qui ouvre le badge")),
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
        award, activity = record.award, record.activity
        when = days(activity.starts_on, activity.ends_on) if activity else day(award.awarded_at)
        steps = (
            translated(
                N_("Visez le code carré avec un téléphone : le badge s’ouvre, sans compte.")
                if needs_guardian_for(record.person, activity)
                else N_(
                    "Visez le code carré avec votre téléphone : le badge s’ouvre, sans compte. Son bouton « Partager » le met dans un portefeuille numérique."
                )
            ),
            translated(
                N_("Ou tapez le code sur {address} avant le {day}. Ce bulletin est personnel.")
            ).format(
                address=self.addresses.claiming.partition("://")[2],
                day=day(code.expires_at),
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


def _breakable(text: str) -> str:
    """Allows breaks inside strings longer than a line, so that they never overlap the QR code."""
    return _LONG_WORD.sub(lambda found: "\u200b".join(found[0]), text)
