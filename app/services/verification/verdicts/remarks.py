"""What somebody who relies on a badge should know besides the answers, each in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.language import N_
from app.language.sentences import Sentence, plain
from sceau_credentials.values.timestamps import parse_timestamp
from sceau_credentials.verification.findings.remarks import Remark, RemarkCode
from sceau_credentials.verification.report import Report

REMARKS: Final[Mapping[RemarkCode, str]] = {
    RemarkCode.VERSION_1: N_(
        "Il est écrit selon la version précédente du modèle du W3C. Un badge d’aujourd’hui l’est selon la version 2."
    ),
    RemarkCode.LINK_SCHEME: N_(
        "Une adresse qu’il contient ({pointer}) n’est pas une adresse du web : ne l’ouvrez pas."
    ),
    RemarkCode.HIDDEN_CHARACTERS: N_(
        "Un de ses textes ({pointer}) contient des signes invisibles, ou qui changent le sens de lecture : il peut paraître dire autre chose que ce qui est écrit."
    ),
    RemarkCode.TOKEN_TYPE: N_(
        "Son enveloppe se dit « {type} », là où Open Badges demande « JWT ». Certains lecteurs la refuseront."
    ),
    RemarkCode.HEADER_MEMBERS: N_(
        "L’en-tête de sa signature contient aussi {members}. Nous n’en tenons pas compte ; certains lecteurs le refuseront."
    ),
    RemarkCode.KEY_WITHOUT_FRAGMENT: N_(
        "Sa clé est nommée d’une façon raccourcie. Certains lecteurs ne la trouveront pas."
    ),
    RemarkCode.OLDER_CONTEXT: N_(
        "Il a été signé sous un vocabulaire plus ancien, qui ne couvre pas {members}. Nous avons laissé ces champs de côté : ne vous y fiez pas."
    ),
    RemarkCode.STATUS_UNSIGNED: N_(
        "Sa liste des retraits est d’un ancien modèle que personne ne signe : elle vaut ce que vaut l’adresse où elle se trouve."
    ),
    RemarkCode.STATUS_MESSAGE: N_("L’émetteur ajoute : « {message} »"),
    RemarkCode.SCHEMA_NOT_CHECKED: N_(
        "Il nomme un schéma d’un type que nous ne lisons pas ({type}). Sa forme a été comparée au seul schéma du standard."
    ),
    RemarkCode.KEY_REVOKED_SINCE: N_(
        "L’émetteur a retiré depuis, le {withdrawn}, la clé qui l’a signé. L’attribution était inscrite à son journal avant, le {decided} : ce badge reste bon."
    ),
    RemarkCode.REFRESH_NOT_FOLLOWED: N_(
        "L’émetteur peut en avoir fait une version plus récente : demandez-la à la personne."
    ),
}


_MOMENTS: Final = frozenset({"withdrawn", "decided"})


def remarks(report: Report) -> list[Sentence]:
    return [_said(remark) for remark in report.remarks]


def _said(remark: Remark) -> Sentence:
    return Sentence(
        REMARKS[remark.code], {name: _value(name, value) for name, value in remark.details.items()}
    )


def _value(name: str, value: str) -> object:
    return parse_timestamp(value) if name in _MOMENTS else plain(value)
