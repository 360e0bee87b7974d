"""Public frameworks that a badge may be set beside: ROME, RNCP, RS and ESCO, each with the form of its codes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from app.errors import InvalidInput
from app.language import N_

LONGEST_NAME = 200
MOST_ALIGNMENTS = 10


class PublicFramework(StrEnum):
    ROME = "rome"
    RNCP = "rncp"
    RS = "rs"
    ESCO = "esco"


FRAMEWORK_NAMES = {
    PublicFramework.ROME: "ROME 4.0",
    PublicFramework.RNCP: "RNCP",
    PublicFramework.RS: "Répertoire spécifique",
    PublicFramework.ESCO: "ESCO",
}
CERTIFICATIONS = frozenset({PublicFramework.RNCP, PublicFramework.RS})
"""Registers of certifications: a badge is only ever « en lien avec » one of them."""

_ESCO = "http://data.europa.eu/esco/"
_FORMS = {
    PublicFramework.ROME: (
        re.compile(r"[A-N]\d{4}"),
        N_("Un code ROME est une lettre et quatre chiffres, comme I1307."),
    ),
    PublicFramework.RNCP: (
        re.compile(r"RNCP\d{3,6}(BC\d{2})?"),
        N_("Un code RNCP s’écrit RNCP35316, ou RNCP35316BC02 pour un bloc."),
    ),
    PublicFramework.RS: (re.compile(r"RS\d{1,6}"), N_("Un code du répertoire spécifique s’écrit RS5801.")),
    PublicFramework.ESCO: (
        re.compile(re.escape(_ESCO) + r"(skill|occupation|isco|isced-f)/[0-9A-Za-z]+([.-][0-9A-Za-z]+)*"),
        N_("Un code ESCO est l’adresse de sa fiche, qui commence par http://data.europa.eu/esco/."),
    ),
}


@dataclass(frozen=True)
class PublicAlignment:
    """One entry of a public framework, by its code and its name there."""

    framework: PublicFramework
    code: str
    name: str

    @property
    def url(self) -> str:
        """Where the framework itself describes the entry."""
        number = re.sub(r"\D", "", self.code.partition("BC")[0])
        match self.framework:
            case PublicFramework.ROME:
                return f"https://candidat.francetravail.fr/metierscope/fiche-metier/{self.code}"
            case PublicFramework.RNCP | PublicFramework.RS:
                return f"https://www.francecompetences.fr/recherche/{self.framework.value}/{number}/"
            case PublicFramework.ESCO:
                return self.code

    def kept(self) -> dict[str, str]:
        return {"framework": self.framework.value, "code": self.code, "name": self.name}

    @staticmethod
    def read(kept: dict[str, str]) -> PublicAlignment:
        return PublicAlignment(PublicFramework(kept["framework"]), kept["code"], kept["name"])


def public_alignment(framework: str, code: str, name: str) -> PublicAlignment:
    """An alignment as somebody writes it; raises InvalidInput with what is wrong."""
    try:
        known = PublicFramework(framework)
    except ValueError:
        raise InvalidInput(N_("Ce référentiel n’est pas de ceux que l’on connaît.")) from None
    tidy = code.strip() if known is PublicFramework.ESCO else re.sub(r"\s+", "", code).upper()
    pattern, sentence = _FORMS[known]
    if not pattern.fullmatch(tidy):
        raise InvalidInput(sentence)
    if not name.strip():
        raise InvalidInput(N_("Écrivez l’intitulé de {code} tel qu’il est dans le référentiel."), code=tidy)
    if len(name.strip()) > LONGEST_NAME:
        raise InvalidInput(N_("L’intitulé tient en 200 signes."))
    return PublicAlignment(known, tidy, " ".join(name.split()))
