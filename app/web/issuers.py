"""Who issued a badge, as a page shows it: the campus with its label, or what a stranger says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.domain.campus import Campus, LabelState
from app.language import N_
from app.services.campuses import LabelView
from app.services.verdicts import Claims, place_of
from app.web.typography import say
from app.web.wording import day, local
from app.web.words import LABEL_CATEGORIES, LABEL_STATES, Word
from app.wiring import Services

_NO_KNOWN_END = Word(N_("Date de fin non publiée"), "shut")


@dataclass(frozen=True)
class LabelShown:
    name: str
    dates: str
    giver: str
    note: str
    state: Word

    @property
    def sentence(self) -> str:
        return f"{self.name}, {self.dates}" if self.dates else self.name

    @property
    def today(self) -> str:
        """The label in one line; unless it is in force, the line says so."""
        return (
            self.sentence if self.state.state == "ok" else f"{self.sentence} ({say(self.state.text).lower()})"
        )


@dataclass(frozen=True)
class IssuerShown:
    """`url` leads to a page of this service; a stranger's site is named, not linked."""

    name: str
    short: str
    description: str
    identifier: str
    url: str
    contact: str
    carrier: str
    labels: Sequence[LabelShown]
    is_ours: bool

    @property
    def label(self) -> LabelShown | None:
        """The label that says most about today: the one in force, else the latest."""
        current = [label for label in self.labels if label.state.state == "ok"]
        return next(reversed(current or self.labels), None)


def campus_issuer(services: Services, campus: Campus) -> IssuerShown:
    today = local(services.clock(), campus.time_zone).date()
    return IssuerShown(
        name=say(N_("Campus {name}")).format(name=campus.name),
        short=campus.short_name,
        description=campus.description.strip(),
        identifier=campus.did,
        url=f"/campus/{campus.slug}",
        contact=campus.contact_email,
        carrier=campus.carrier,
        labels=[label_shown(view) for view in services.campuses.labels_of(campus, on=today)],
        is_ours=True,
    )


def foreign_issuer(claims: Claims, identifier: str) -> IssuerShown:
    place = place_of(identifier)
    return IssuerShown(
        name=claims.issuer_name or place,
        short=place,
        description="",
        identifier=identifier,
        url="",
        contact="",
        carrier="",
        labels=(),
        is_ours=False,
    )


def label_shown(view: LabelView) -> LabelShown:
    label = view.label
    return LabelShown(
        name=say(LABEL_CATEGORIES[label.category]),
        dates=_dates(label.starts_on, label.ends_on),
        giver=view.network.name,
        note=label.note,
        state=_state(view),
    )


def _state(view: LabelView) -> Word:
    """A label is given for a time: where its end is not known, nobody can say that it is in force."""
    is_open_ended = view.state is LabelState.CURRENT and view.label.ends_on is None
    return _NO_KNOWN_END if is_open_ended else LABEL_STATES[view.state]


def _dates(starts: date | None, ends: date | None) -> str:
    if starts and ends:
        return say(N_("du {first} au {last}")).format(first=day(starts), last=day(ends))
    if starts:
        return say(N_("depuis le {first}")).format(first=day(starts))
    return say(N_("jusqu’au {last}")).format(last=day(ends)) if ends else ""
