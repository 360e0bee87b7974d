"""Who issued a badge, as a page shows it: the campus with its label, or what a stranger says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.container import Services
from app.domain.campus.campus import Campus, LabelState
from app.http.pages.saying import said
from app.http.pages.typography import say
from app.http.pages.wording import day
from app.http.pages.words import LABEL_CATEGORIES, LABEL_STATES, Word
from app.language import N_, current_locale
from app.services.trust.labels import LabelJudged
from app.services.verification.issuer_standing import IssuerStanding
from app.services.verification.verdicts import Claims, label_listed, label_told, place_of, standing_told
from sceau_credentials.trust import GivenLabel

_SUSPENDED = Word(N_("Suspendu"), "past")
_NO_KNOWN_END = Word(N_("Date de fin non publiée"), "shut")


@dataclass(frozen=True)
class LabelVerdict:
    """A label as a thing of its own: what the network said, and what its signature is worth; `url` is its page."""

    state: str
    word: str
    sentence: str
    detail: str
    url: str


@dataclass(frozen=True)
class LabelShown:
    name: str
    dates: str
    giver: str
    note: str
    state: Word
    verdict: LabelVerdict

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
    listed: Sequence[LabelVerdict] = ()
    """The labels of a campus elsewhere, as a network's signed list gives them."""

    @property
    def label(self) -> LabelShown | None:
        """The label that says most about today: the one in force, else the latest."""
        current = [label for label in self.labels if label.state.state == "ok"]
        return next(reversed(current or self.labels), None)


@dataclass(frozen=True)
class StandingShown:
    """Who the issuer is; `warning` where it could be taken for somebody recognised."""

    state: str
    word: str
    sentence: str
    detail: str
    warning: str
    advice: str


def standing_shown(standing: IssuerStanding | None, zone: str) -> StandingShown | None:
    if standing is None:
        return None
    told = standing_told(standing)
    return StandingShown(
        told.state,
        say(told.word),
        said(told.sentence, zone),
        said(told.beside, zone),
        said(told.warning, zone),
        said(told.advice, zone),
    )


def campus_issuer(services: Services, campus: Campus) -> IssuerShown:
    about = ("issuer", campus.id, current_locale())
    return services.snapshot.now(about, lambda: _campus_issuer(services, campus))


def _campus_issuer(services: Services, campus: Campus) -> IssuerShown:
    return IssuerShown(
        name=say(N_("Campus {name}")).format(name=campus.name),
        short=campus.short_name,
        description=campus.description.strip(),
        identifier=campus.did,
        url=f"/campus/{campus.slug}",
        contact=campus.contact_email,
        carrier=campus.carrier,
        labels=[label_shown(judged) for judged in services.labels.of_issuer(campus.did)],
        is_ours=True,
    )


def foreign_issuer(
    claims: Claims, identifier: str, standing: IssuerStanding | None, at: datetime
) -> IssuerShown:
    place = place_of(identifier)
    listed = standing.labels if standing else ()
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
        listed=[_listed(label, standing.network, at) for label in listed] if standing else (),
    )


def label_shown(judged: LabelJudged) -> LabelShown:
    label, told = judged.label, label_told(judged)
    return LabelShown(
        name=say(LABEL_CATEGORIES[label.category]),
        dates=_dates(label.starts_on, label.ends_on),
        giver=judged.network.name,
        note=label.note,
        state=_state(judged),
        verdict=LabelVerdict(
            told.state, say(told.word), said(told.sentence), said(told.beside), f"/labels/{label.id}"
        ),
    )


def _listed(label: GivenLabel, network: str, at: datetime) -> LabelVerdict:
    told = label_listed(label, network, at)
    return LabelVerdict(told.state, say(told.word), said(told.sentence), said(told.beside), label.url)


def _state(judged: LabelJudged) -> Word:
    """A label is given for a time: where its end is not known, nobody can say that it is in force."""
    if judged.is_suspended and judged.state is not LabelState.WITHDRAWN:
        return _SUSPENDED
    is_open_ended = judged.state is LabelState.CURRENT and judged.label.ends_on is None
    return _NO_KNOWN_END if is_open_ended else LABEL_STATES[judged.state]


def _dates(starts: date | None, ends: date | None) -> str:
    if starts and ends:
        return say(N_("du {first} au {last}")).format(first=day(starts), last=day(ends))
    if starts:
        return say(N_("depuis le {first}")).format(first=day(starts))
    return say(N_("jusqu’au {last}")).format(last=day(ends)) if ends else ""
