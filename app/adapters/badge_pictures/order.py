"""What a badge picture shows, and the same in words for those who do not see it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.language import N_

_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TURNS_TEXT_AROUND: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")

KIND_WORDS: Final[Mapping[str, str]] = {
    "appartenance": "Appartenance",
    "participation": "Participation",
    "engagement": "Engagement",
    "savoir-etre": "Savoir-être",
    "competence": "Compétence",
    "realisation": "Réalisation",
}

_ALTERNATIVES: Final[Mapping[str, str]] = {
    "appartenance": N_("Badge d’appartenance « {title} », campus {campus}, {year}"),
    "participation": N_("Badge de participation « {title} », campus {campus}, {year}"),
    "engagement": N_("Badge d’engagement « {title} », campus {campus}, {year}"),
    "savoir-etre": N_("Badge de savoir-être « {title} », campus {campus}, {year}"),
    "competence": N_("Badge de compétence « {title} », campus {campus}, {year}"),
    "realisation": N_("Badge de réalisation « {title} », campus {campus}, {year}"),
}
_ALTERNATIVES_WITH_LEVEL: Final[Mapping[str, str]] = {
    "appartenance": N_(
        "Badge d’appartenance « {title} », niveau {level} sur {levels}, campus {campus}, {year}"
    ),
    "participation": N_(
        "Badge de participation « {title} », niveau {level} sur {levels}, campus {campus}, {year}"
    ),
    "engagement": N_("Badge d’engagement « {title} », niveau {level} sur {levels}, campus {campus}, {year}"),
    "savoir-etre": N_(
        "Badge de savoir-être « {title} », niveau {level} sur {levels}, campus {campus}, {year}"
    ),
    "competence": N_("Badge de compétence « {title} », niveau {level} sur {levels}, campus {campus}, {year}"),
    "realisation": N_(
        "Badge de réalisation « {title} », niveau {level} sur {levels}, campus {campus}, {year}"
    ),
}


_KINDS: Final[Mapping[str, str]] = {
    "appartenance": N_("Badge d’appartenance"),
    "participation": N_("Badge de participation"),
    "engagement": N_("Badge d’engagement"),
    "savoir-etre": N_("Badge de savoir-être"),
    "competence": N_("Badge de compétence"),
    "realisation": N_("Badge de réalisation"),
}
_KINDS_WITH_LEVEL: Final[Mapping[str, str]] = {
    "appartenance": N_("Badge d’appartenance, niveau {level} sur {levels}"),
    "participation": N_("Badge de participation, niveau {level} sur {levels}"),
    "engagement": N_("Badge d’engagement, niveau {level} sur {levels}"),
    "savoir-etre": N_("Badge de savoir-être, niveau {level} sur {levels}"),
    "competence": N_("Badge de compétence, niveau {level} sur {levels}"),
    "realisation": N_("Badge de réalisation, niveau {level} sur {levels}"),
}


@dataclass(frozen=True, slots=True)
class PictureOrder:
    """Everything a picture of one badge version shows; never the name of a person.

    `level` out of `levels` is drawn where both are given; `emblem`, a few letters, takes the place of the
    campus's short name in the drawing, never in its words.
    """

    kind: str
    title: str
    campus_short_name: str
    year: str
    address: str
    hue: float
    liveliness: float
    level: int | None = None
    levels: int | None = None
    emblem: str = ""
    code: str = ""
    """Where the code beside the address leads whoever scans it; none is drawn where it is empty."""

    @property
    def struck(self) -> str:
        """The letters struck in the middle."""
        return self.emblem or self.campus_short_name

    @property
    def steps(self) -> tuple[int, int] | None:
        """The level reached and how many there are."""
        return (self.level, self.levels) if self.level is not None and self.levels else None


def picture_alternative(order: PictureOrder) -> tuple[str, dict[str, object]]:
    """The text alternative of a picture: a French sentence to translate, and the values of its places."""
    values: dict[str, object] = {
        "title": plain(order.title),
        "campus": plain(order.campus_short_name),
        "year": plain(order.year),
    }
    if order.steps is None:
        return _ALTERNATIVES[order.kind], values
    reached, of = order.steps
    return _ALTERNATIVES_WITH_LEVEL[order.kind], values | {"level": reached, "levels": of}


def kind_alone(order: PictureOrder) -> tuple[str, dict[str, object]]:
    """The kind and the level in words: a French sentence to translate, and the values of its places."""
    if order.steps is None:
        return _KINDS[order.kind], {}
    reached, of = order.steps
    return _KINDS_WITH_LEVEL[order.kind], {"level": reached, "levels": of}


def plain(text: str) -> str:
    """Text that XML may hold, without the signs that turn the reading order of what follows."""
    return _TURNS_TEXT_AROUND.sub("", _NOT_IN_XML.sub("\ufffd", text)).strip()
