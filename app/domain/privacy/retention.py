"""How long each kind of personal data is kept, why, and by whose right: told on pages, and carried out every day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from app.domain.privacy.personal_data import Matter
from app.language import N_

ROOM_ENTRIES = timedelta(days=30)
"""A phone is told from another one for as long as a series of sessions may last between two rooms."""
REFUSED_LINES = timedelta(days=90)
"""Lines of a list in which nobody was recognised."""
LIST_ANSWERS = timedelta(days=90)
"""Who was meant by a name that several people have: the same list, dropped again, asks nobody again."""
CLOSED_REQUESTS = timedelta(days=365)
"""Refused or taken back; one that was accepted lives as long as its badge."""
LETTERS = timedelta(days=3 * 365)
INVITATIONS = timedelta(days=365)
ASKED_ORGANISATIONS = timedelta(days=365)
"""Requests for an endorsement that nobody answered, or that were declined."""
WAYS_IN = timedelta(days=1)
"""Sessions, links and questions, once they are over."""


@dataclass(frozen=True)
class Keeping:
    """French sentences: what it is, what for, and how long. `right`: on what grounds (RGPD, article 6)."""

    what: str
    why: str
    how_long: str
    right: str


_MISSION = N_("Mission d’intérêt public du campus")
_AGREEMENT = N_("Votre accord, que vous reprenez quand vous voulez")
_SAFETY = N_("Sécurité du service")
_AS_LONG = N_("Tant que vous avez un badge ou une participation ici, ou jusqu’à votre demande d’effacement")

KEPT: Final[Mapping[Matter, Keeping]] = MappingProxyType(
    {
        Matter.IDENTITY: Keeping(
            N_("Votre nom et vos préférences"),
            N_("Vous reconnaître d’une activité à l’autre, écrire votre nom si vous le voulez."),
            _AS_LONG,
            _MISSION,
        ),
        Matter.ADDRESSES: Keeping(
            N_("Vos adresses électroniques"),
            N_("Vous remettre vos badges et vous écrire à leur sujet."),
            _AS_LONG,
            _MISSION,
        ),
        Matter.AWARDS: Keeping(
            N_("Vos badges, avec leurs fichiers signés et leurs preuves"),
            N_("Que vous puissiez les montrer, et qu’un employeur puisse les vérifier des années après."),
            N_(
                "Aussi longtemps que le service existe, ou jusqu’à votre demande d’effacement. Les lignes d’une "
                "liste où personne n’a été reconnu : 90 jours"
            ),
            _MISSION,
        ),
        Matter.PORTFOLIO: Keeping(
            N_("Votre portfolio : les badges que vous y rangez, vos lignes, qui le voit"),
            N_("Montrer plusieurs badges d’un seul lien, si vous le voulez."),
            N_("Jusqu’à ce que vous le défassiez"),
            _AGREEMENT,
        ),
        Matter.PARTICIPATIONS: Keeping(
            N_("Vos participations : activités, rôle, heures, contribution"),
            N_("Ce sur quoi vos badges reposent."),
            _AS_LONG,
            _MISSION,
        ),
        Matter.ROOMS: Keeping(
            N_(
                "L’empreinte du téléphone avec lequel vous avez signé une présence, et cette signature tant que personne n’a dit laquelle des personnes de votre nom vous êtes"
            ),
            N_("Qu’un téléphone ne signe qu’une fois dans une salle."),
            N_("30 jours"),
            _SAFETY,
        ),
        Matter.LOG: Keeping(
            N_("Ce que le journal du campus dit de vous, et ce que vous en avez contesté"),
            N_("Prouver qu’une participation était inscrite avant le badge."),
            N_("Autant que le badge. Effacé, le journal garde une ligne illisible qui ne mène à personne"),
            _MISSION,
        ),
        Matter.REQUESTS: Keeping(
            N_("Vos demandes de badge et vos contributions, avec les fichiers joints"),
            N_("Que le campus les examine et vous réponde."),
            N_(
                "Acceptée : autant que le badge ou le journal. Refusée ou retirée : un an. Non confirmée par vous : "
                "7 jours"
            ),
            _MISSION,
        ),
        Matter.FILES: Keeping(
            N_("Les fichiers que vous avez remis"),
            N_("Appuyer une demande ou une contribution."),
            N_("Autant que la demande ou la contribution qu’ils appuient"),
            _MISSION,
        ),
        Matter.LETTERS: Keeping(
            N_("Les lettres qui vous sont écrites : quand, à quelle adresse, arrivée ou non"),
            N_("Savoir si un badge est arrivé. Leur texte n’est pas gardé."),
            N_("Trois ans"),
            _MISSION,
        ),
        Matter.CONSENTS: Keeping(
            N_("Ce que vous avez accepté ou repris, et la phrase que vous aviez lue"),
            N_("Prouver que rien n’a été montré sans vous."),
            N_("Autant que ce que vous aviez accepté"),
            _MISSION,
        ),
        Matter.SIGN_IN: Keeping(
            N_("Vos connexions : sessions ouvertes, liens, clés d’accès"),
            N_("Que vous seul ouvriez ce qui est à vous."),
            N_("Un jour après leur fin ; une clé d’accès, jusqu’à ce que vous la retiriez"),
            _SAFETY,
        ),
        Matter.WORK: Keeping(
            N_("Vos rôles dans un campus"),
            N_("Savoir qui peut attribuer ou retirer un badge, et qui le pouvait."),
            N_("Tant que le campus en répond ; effacés à votre demande une fois partis"),
            _MISSION,
        ),
        Matter.HISTORY: Keeping(
            N_("L’historique de ce qui a été fait, par qui et quand"),
            N_("Que le campus réponde de chaque attribution et de chaque retrait."),
            N_(
                "Autant que le campus ; après un effacement, il ne dit plus de qui. Qui du campus a regardé ce qui est à "
                "vous : un an"
            ),
            _MISSION,
        ),
    }
)
