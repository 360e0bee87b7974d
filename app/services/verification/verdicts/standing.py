"""Messages on who the issuer is: trusted registers first, then its own claims; never reported as a fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.language import N_, Sentence, plain
from app.services.verification.answers import IssuerStanding, StandingKind
from app.services.verification.verdicts.checks import place_of
from sceau_credentials.trust import Likeness, Resemblance

_K = StandingKind
STANDING_MESSAGES: Final[Mapping[StandingKind, tuple[str, str, str, str]]] = {
    _K.RECOGNISED: (
        "ok",
        N_("Reconnu"),
        N_("Reconnu par « {network} », sous le nom « {known} »."),
        N_("D’après la liste que ce réseau signe et publie."),
    ),
    _K.SUSPENDED: (
        "past",
        N_("Suspendu"),
        N_("« {network} » a suspendu sa reconnaissance de « {known} » le {changed}."),
        N_("Cela ne dit rien de ce badge-ci : demandez au réseau."),
    ),
    _K.ENDED: (
        "past",
        N_("Terminé"),
        N_("« {network} » ne reconnaît plus « {known} » depuis le {changed}."),
        N_("Un badge donné avant reste ce qu’il était."),
    ),
    _K.OTHER_KEY: (
        "bad",
        N_("Autre clé"),
        N_("« {network} » connaît « {known} » sous une autre clé que celle qui a signé."),
        N_("Demandez au campus lui-même s’il a donné ce badge."),
    ),
    _K.LIST_EXPIRED: (
        "unk",
        N_("Non vérifié"),
        N_("« {network} » reconnaissait « {known} », mais sa liste n’est plus à jour depuis le {changed}."),
        N_("Nous ne savons pas ce qu’il en dit aujourd’hui."),
    ),
    _K.SELF_DECLARED: (
        "unk",
        N_("Inconnu ici"),
        N_("Se présente comme « {says} » ; non vérifié."),
        N_("Aucun réseau que ce service connaît ne le nomme. Cela ne veut pas dire que le badge est faux."),
    ),
    _K.UNKNOWN: (
        "unk",
        N_("Inconnu ici"),
        N_("L’émetteur ne dit pas son nom."),
        N_("Aucun réseau que ce service connaît ne le nomme. Cela ne veut pas dire que le badge est faux."),
    ),
}  # fmt: skip
ALIKE: Final[Mapping[Likeness, str]] = {
    Likeness.NAME: N_("Attention : ce nom ressemble à « {known} », mais l’émetteur est {place}."),
    Likeness.HOST: N_(
        "Attention : l’adresse {place} ressemble à celle de « {known} », mais c’est un autre émetteur."
    ),
}
ALIKE_ADVICE: Final = N_("Le campus reconnu signe depuis {known_place}. En cas de doute, demandez-lui.")


@dataclass(frozen=True)
class StandingMessage:
    """`state` and `word` as in a check; `warning`: only for a misleading name or address."""

    kind: StandingKind
    state: str
    word: str
    sentence: Sentence
    beside: Sentence
    warning: Sentence | None = None
    advice: Sentence | None = None


def standing_message(standing: IssuerStanding) -> StandingMessage:
    state, word, sentence, beside = STANDING_MESSAGES[standing.kind]
    values: dict[str, object] = {
        "network": plain(standing.network),
        "known": plain(standing.known_as),
        "says": plain(standing.says),
        "changed": standing.changed_at or "",
    }
    sentences = Sentence(sentence, values), Sentence(beside)
    if standing.alike is None:
        return StandingMessage(standing.kind, state, word, *sentences)
    warned = _warned(standing.alike, standing.issuer)
    return StandingMessage(standing.kind, state, word, *sentences, *warned)


def _warned(alike: Resemblance, issuer: str) -> tuple[Sentence, Sentence]:
    values = {
        "known": plain(alike.known.name),
        "place": place_of(issuer),
        "known_place": place_of(alike.known.id),
    }
    return Sentence(ALIKE[alike.likeness], values), Sentence(ALIKE_ADVICE, values)
