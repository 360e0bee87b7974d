"""The letter that lets somebody in: one link, or one for each of those who share an address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.messages.letters import Letter
from app.language import gettext as _


@dataclass(frozen=True)
class Door:
    """A link that opens the account of one person; `works`: for a campus, not only for themselves."""

    name: str
    link: str
    works: bool


def letter_with_links(address: str, doors: Sequence[Door]) -> Letter:
    ending = _("Si vous n’avez rien demandé, ne faites rien : sans ce lien, personne n’entre.")
    if len(doors) > 1:
        text = _(
            "Bonjour,\n\nPlusieurs personnes reçoivent leurs lettres à cette adresse. Chaque lien ouvre ce qui est à "
            "l’une d’elles, une seule fois, pendant dix minutes, dans le navigateur où vous l’avez demandé :"
        )
        links = "\n\n".join(f"{door.name}\n{door.link}" for door in doors)
        return Letter(address, _("Vos liens de connexion à Sceau"), f"{text}\n\n{links}\n\n{ending}")
    door = doors[0]
    opens = (
        _(
            "Bonjour {name},\n\nCe lien ouvre votre espace campus, une seule fois, pendant dix minutes, "
            "dans le navigateur où vous l’avez demandé :"
        )
        if door.works
        else _(
            "Bonjour {name},\n\nCe lien ouvre tous vos badges, une seule fois, pendant dix minutes, "
            "dans le navigateur où vous l’avez demandé :"
        )
    ).format(name=door.name)
    subject = _("Votre lien de connexion à Sceau") if door.works else _("Votre lien vers tous vos badges")
    return Letter(address, subject, f"{opens}\n\n{door.link}\n\n{ending}")
