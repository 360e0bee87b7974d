"""One line of an import as it was judged, and what makes it new, changed, the same or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain.activities.activities import Activity, Participation
from app.domain.activities.list_matching import name_key_of
from app.domain.imports.imports import Fate, Imported
from app.domain.imports.records import Record, news
from app.domain.people.people import Person, name_key
from app.language import N_

ERASED = N_("Effacée à la demande de la personne, ou retirée depuis : elle n’est pas reprise.")
NOTHING_TO_TAKE_BACK = N_("Rien n’avait été repris sous cet identifiant.")
CHANGES = N_("Change : {what}.")
CREATES = N_("Nouvelle activité et première participation.")


@dataclass(frozen=True)
class Judged:
    """One line, and all that was found out about it. `changes` are names of what it would change."""

    record: Record
    fate: Fate
    reason: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    activity: Activity | None = None
    activity_news: Mapping[str, Any] = field(default_factory=dict)
    participation: Participation | None = None
    person: Person | None = None
    link: Imported | None = None
    news: Mapping[str, Any] = field(default_factory=dict)
    new_address: bool = False
    """The line tells an address that is not known of the person."""
    is_somebody_else: bool = False
    """The identifier stood for another person until now."""


def blanks_of(activity: Activity, said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in said.items()
        if name in ("place", "hours") and getattr(activity, name) in ("", None)
    }


def noted_of(participation: Participation) -> dict[str, Any]:
    return {
        "hours": participation.hours,
        "part": participation.part.value,
        "contribution": participation.contribution,
    }


def is_same_person(one: Judged) -> bool:
    """Whether the line names whom its identifier stands for already."""
    return one.person is not None and name_key_of(one.record.person) == name_key(
        one.person.given_name, one.person.family_name
    )


def refused(one: Judged, reason: str) -> Judged:
    return replace(one, fate=Fate.REFUSED, reason=reason, activity_news={})


def said_again(one: Judged, participation: Participation | None, person: Person | None, who: str) -> Judged:
    """A line whose identifier is known: what it says now against what it said last."""
    assert one.link is not None
    assert one.participation is not None
    assert one.person is not None
    if one.link.said.get("who") == who or is_same_person(one):
        fresh = news(one.record.said(), one.link.said)
        return changing(one, fresh, is_back=bool(one.link.said.get("withdrawn")))
    if participation is not None and participation.is_present:
        return refused(one, N_("Nomme une autre personne, qui a déjà une participation à cette activité."))
    return replace(
        one,
        fate=Fate.CHANGED,
        reason=CHANGES,
        values={"what": sorted({"person", *one.activity_news})},
        news=one.record.said(),
        person=person,
        is_somebody_else=True,
    )


def changing(one: Judged, fresh: Mapping[str, Any], *, is_back: bool) -> Judged:
    assert one.participation is not None
    noted = noted_of(one.participation)
    real = {name: value for name, value in fresh.items() if noted[name] != value}
    more = [*(["present"] if is_back else []), *(["address"] if one.new_address else [])]
    what = sorted({*real, *one.activity_news, *more})
    if not what:
        return replace(one, fate=Fate.SAME)
    return replace(one, fate=Fate.CHANGED, reason=CHANGES, values={"what": what}, news=real)
