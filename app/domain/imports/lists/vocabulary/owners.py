"""Of which people a heading is: those of the list, or others."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.domain.imports.lists.model import NAME_COLUMNS, Column
from app.domain.imports.lists.vocabulary.names import fold, is_particle
from app.domain.imports.lists.vocabulary.wording import (
    MAIL,
    NAMING,
    OF_ONE_PERSON,
    PARTICIPANTS,
    THEIRS,
    WORK,
)


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OF_ADDRESSES = (
    MAIL
    | THEIRS
    | WORK
    | _set(
        """adresse adresses address electronique electroniques de du des la le l d un une e votre vos ton tes contact coordonnees principal
        principale primary value premiere secondaire valide personne participants stagiaires eleves apprentis etudiants membre
        utilisateur user your you nom et ou si possible obligatoire facultatif zoom teams connexion inscription invite inscrit
        usuelle privee prive home work other label reponse beneficiaire apprentie etudiante salariee agent collaborateur pour
        recevoir convocation badge a laquelle joindre vous quelle est"""
    )
)
_OF_NAMES = (
    NAMING
    | THEIRS
    | PARTICIPANTS
    | _set(
        """nom prenom noms prenoms name names first last ton ta tes vos your et ou and or civilite mme mr etat civil complet complets exact officiel
        entier majuscule majuscules minuscules lettres capitales sans accents obligatoire facultatif indiquez indiquer saisissez saisir
        ecrire ecrivez entrez renseigner renseignez merci svp sur tel telle figurer figurant apparaitra apparaitre attestation badge billet
        certificat diplome piece identite civile recipient attendee registrant member trainee employee titulaire
        en etu c employe employee employes demandeur demandeuse emploi laureat laureate laureats diplome diplomee alternante alternants
        doctorant doctorante interne externe sportif sportive mineur salariee stagiaires lyceenne collegienne n no num numero anv familh bihan nomusuel nomprenom personnes agents membres inscription salaries liste distribution"""
    )
)
_NAMES = _set("nom noms prenom prenoms name")


def may_be_of_others(heading: str) -> bool:
    """« Adresse mail du lieu »: nothing shows that it is the person's own."""
    return any(word not in _OF_ADDRESSES and not word.isdigit() for word in fold(heading).split())


def names_unknown_people(heading: str) -> bool:
    """« Nom du chef », « Prénom remplaçant », « Driver name »: nothing shows that they are those of the list."""
    words = fold(re.sub(r"\([^()]*+\)", " ", heading).replace("+", " plus ")).split()
    return bool(_NAMES.intersection(words)) and any(
        word not in _OF_NAMES and word.isascii() and not word.isdigit() and not is_particle(word)
        for word in words
    )


def names_further(heading: Sequence[str], at: int) -> bool:
    """« Nom ; Prénom ; Nom de naissance ; Prénom usuel »: from there on, further names of the same person."""
    begun = {word for cell in heading[: at + 3] for word in fold(cell).split()}
    return bool(begun & OF_ONE_PERSON) and heading[at] not in heading[:at]


def unknown_owner(columns: Sequence[Column], heading: Sequence[str]) -> str:
    """The first heading of names that may be those of other people."""
    return next(
        (
            title
            for column, title in zip(columns, heading, strict=False)
            if column in NAME_COLUMNS and names_unknown_people(title)
        ),
        "",
    )
