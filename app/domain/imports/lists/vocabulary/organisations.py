"""Names of organisations, apart from those of people and from states."""

from __future__ import annotations

import re

from app.domain.imports.lists.vocabulary.names import (
    Kind,
    fold,
    is_in_dictionary,
    is_particle,
    kind_of,
    may_be_given,
)


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OF_ORGANISATIONS = re.compile(r"[A-ZÀ-Þ][\w'’&.-]*|&|\d{1,3}")
_KINDS_OF_ORGANISATIONS = _set(
    """agence armement association ateliers banque boulangerie cabinet camping carrosserie ccas centre cfa charpentes clinique club colegio college communaute commune conserverie cooperative credit creche
    domaine ecole ehpad entreprise epicerie esat etablissements ets eurl faculte ferme fondation foyer garage hopital hospital hotel ies ime imprimerie instituto institut laboratoire librairie
    lycee macons mairie maison menuiserie mfr mjc mutuelle patisserie pecheries pharmacie residence restaurant sarl sas sasu scierie scop societe syndicat transports ufr universidad universite university usine ville"""
)
_OF_RELATIONS = _set(
    """ami amie amis appeler attendre avec beau belle chez contacter cousin cousine demander frere gendre nounou mamie nom papi sans soeur relancer rappeler venu venue viendra
    voir voisin voisine copain copine collegue compagne compagnon oncle tante neveu niece parti partie pour apres avant covid call see ask with friend brother sister con hermano hermana amigo amiga"""
)


def names_an_organisation(text: str) -> bool:
    """« EHPAD Les Tilleuls », « Charpentes Abalain », « Alstom »: capitals, and a kind of organisation or a proper name."""
    words = text.split()
    telling = [word for word in words if not is_particle(word) and word != "&"]
    if not 0 < len(telling) <= 6 or not all(
        is_particle(word) or _OF_ORGANISATIONS.fullmatch(word) for word in words
    ):
        return False
    first = (fold(telling[0]).split() or [""])[0]
    if any(
        word[-1:] in "éÉ" or word.endswith(("ée", "és", "ées"))
        for word in telling[first in _KINDS_OF_ORGANISATIONS :]
    ):
        return False
    if first in _KINDS_OF_ORGANISATIONS:
        return len(telling) > 1
    # The dictionaries are loaded for the last question alone.
    return (
        first not in _OF_RELATIONS
        and not any(map(may_be_given, telling))
        and (len(telling) > 1 or kind_of(text) is Kind.UNKNOWN)
        and any(len(word) > 3 and not word.isupper() and not is_in_dictionary(word) for word in telling)
    )
