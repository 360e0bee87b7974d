"""Organisations, and headings that may be of other people than those of the list."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.domain.imports.lists.model import NAME_COLUMNS, Column
from app.domain.imports.lists.vocabulary.names import (
    Kind,
    fold,
    is_in_dictionary,
    is_less_common_word,
    is_particle,
    kind_of,
    may_be_given,
)
from app.domain.imports.lists.vocabulary.remarks import denial_in, is_not_yet, is_of_others
from app.domain.imports.lists.vocabulary.wording import (
    MAIL,
    NAMING,
    OF_ONE_PERSON,
    OTHER_PARTS,
    PARTICIPANTS,
    THEIRS,
    WORK,
)


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OF_ORGANISATIONS = re.compile(r"[A-ZÀ-Þ][\w'’&.-]*|&|\d{1,3}")
_KINDS_OF_ORGANISATIONS = _set(
    """agence ambulances armement association assurances ateliers banque biscuiterie boulangerie brasserie brico cabinet camping carrosserie ccas centre cfa chantiers charpentes clinique club colegio college communaute commune conserverie cooperative credit creche
    domaine ecole ehpad electricite fromagerie chocolaterie charcuterie laiterie plomberie poissonnerie pressing taxis traiteur chu entreprise epicerie esat etablissements ets eurl faculte ferme fondation foyer garage hopital hospital hotel ies ime imprimerie instituto institut laboratoire librairie
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


def organisations_among(notes: Sequence[str]) -> frozenset[str]:
    """Of notes that stand beside names, those that name an organisation, where at least a third of them surely do."""
    denied = [note for note in notes if is_of_others(note) or denial_in(note) or is_not_yet(note)]
    sure = [
        note
        for note in notes
        if note not in denied and (names_an_organisation(note) or is_known_organisation(note))
    ]
    if len(sure) < 3 or 3 * len(sure) < len(notes):
        return frozenset()
    return frozenset(
        note for note in notes if note not in denied and (note in sure or _may_name_an_organisation(note))
    )


def is_known_organisation(text: str) -> bool:
    """« Michelin », « Garage Perrin », by their terms alone"""
    words = fold(text).split()
    is_kind = len(words) > 1 and words[0] in _KINDS_OF_ORGANISATIONS
    return is_kind or fold(text) in _EMPLOYERS


def _may_name_an_organisation(note: str) -> bool:
    """« SNCF », « Vinci Construction », « La Poste », « Leclerc » among others that are sure; not « Renfort », « Liste annexe »."""
    words = note.split()
    if not words[0][:1].isupper() or not all(
        is_particle(word) or _OF_ORGANISATIONS.fullmatch(word) for word in words
    ):
        return False
    if _UNSAID.intersection(fold(note).split()) or any(map(may_be_given, words)):
        return False
    is_term = is_less_common_word(note) or _OF_PERSONS.search(fold(note)) or len(note) < 4
    return len(words) > 1 or not is_term


_OF_PERSONS = re.compile(r"(?:eur|euse|rice|ien|ienne|ant|ante|ent|ente|iste|aire|age|ee?)s?$")
"""« Remplaçante », « Auditrice »"""
_EMPLOYERS = _set(
    """accor adecco afpa airbus aldi alstom amazon apf arkema atos auchan axa biocoop bouygues capgemini carrefour casino castorama chronopost
    colas cora crit dalkia danone darty dassault decathlon derichebourg dhl edf eiffage elior enedis engie essilor fnac framatome geodis gsf hermes
    ikea intermarche kiabi lactalis leclerc lidl limagrain manpower mcdonalds michelin monoprix naval nexans nestle norauto onet orange orano orpea
    peugeot pomona ratp randstad renault safran samsic sanofi schneider sephora sfr sncf sodexo solvay speedy spie stellantis suez synergie thales
    totalenergies transdev udaf valeo vallourec veolia vinci vivendi"""
) | frozenset(
    (
        "la poste",
        "france travail",
        "pole emploi",
        "mission locale",
        "super u",
        "leroy merlin",
        "saint gobain",
        "croix rouge",
        "emmaus",
        "admr",
        "adapei",
    )
)
"""Of which French knows a term or a name, too."""
_UNSAID = (
    OTHER_PARTS
    | PARTICIPANTS
    | _OF_RELATIONS
    | _set("non pas hors sauf ex ancien ancienne en liste groupe session")
)

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
    """The first heading of names that may be those of other people: « Nom du chef », « Contact », « Tuteur »."""
    return next(
        (
            title
            for column, title in zip(columns, heading, strict=False)
            if column in NAME_COLUMNS and (names_unknown_people(title) or is_of_others(title))
        ),
        "",
    )
