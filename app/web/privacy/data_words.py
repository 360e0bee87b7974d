"""Kinds of personal data in words: what they are, why and how long they are kept, and what an erasure leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.privacy.personal_data import Matter
from app.domain.privacy.retention import KEPT
from app.http.pages.typography import say
from app.language import N_

STAYS = (
    N_(
        "Le numéro de chaque badge effacé, pour que son adresse réponde « retiré à la demande de la personne »."
    ),
    N_(
        "Sa place dans la liste des badges retirés, pour qu’une copie gardée ailleurs ne passe pas pour valable."
    ),
    N_(
        "Dans le journal du campus, des lignes devenues illisibles : sans elles, les preuves des autres tomberaient."
    ),
    N_("Dans l’historique, que quelque chose a été fait et quand, sans dire par qui ni pour qui."),
)


@dataclass(frozen=True)
class MatterShown:
    """One kind of data, and how many rows of it there are; None where no person is looked at."""

    what: str
    why: str
    how_long: str
    right: str
    count: int | None = None


def matters_shown(counts: Mapping[Matter, int] | None = None) -> list[MatterShown]:
    return [
        MatterShown(
            say(each.what),
            say(each.why),
            say(each.how_long),
            say(each.right),
            None if counts is None else counts.get(matter, 0),
        )
        for matter, each in KEPT.items()
        if counts is None or counts.get(matter)
    ]


def stays_shown() -> list[str]:
    return [say(words) for words in STAYS]
