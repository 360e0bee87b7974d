"""Départements, sectors of activity (NAF sections, ROME domains), and the numbers of schools and companies."""

from __future__ import annotations

import re
from typing import Final

from app.domain.core import plain_text
from app.errors import InvalidInput
from app.language import N_

_NAMES = (
    "01 Ain|02 Aisne|03 Allier|04 Alpes-de-Haute-Provence|05 Hautes-Alpes|06 Alpes-Maritimes|07 Ardèche|08 Ardennes|"
    "09 Ariège|10 Aube|11 Aude|12 Aveyron|13 Bouches-du-Rhône|14 Calvados|15 Cantal|16 Charente|17 Charente-Maritime|"
    "18 Cher|19 Corrèze|2A Corse-du-Sud|2B Haute-Corse|21 Côte-d’Or|22 Côtes-d’Armor|23 Creuse|24 Dordogne|25 Doubs|"
    "26 Drôme|27 Eure|28 Eure-et-Loir|29 Finistère|30 Gard|31 Haute-Garonne|32 Gers|33 Gironde|34 Hérault|"
    "35 Ille-et-Vilaine|36 Indre|37 Indre-et-Loire|38 Isère|39 Jura|40 Landes|41 Loir-et-Cher|42 Loire|43 Haute-Loire|"
    "44 Loire-Atlantique|45 Loiret|46 Lot|47 Lot-et-Garonne|48 Lozère|49 Maine-et-Loire|50 Manche|51 Marne|"
    "52 Haute-Marne|53 Mayenne|54 Meurthe-et-Moselle|55 Meuse|56 Morbihan|57 Moselle|58 Nièvre|59 Nord|60 Oise|61 Orne|"
    "62 Pas-de-Calais|63 Puy-de-Dôme|64 Pyrénées-Atlantiques|65 Hautes-Pyrénées|66 Pyrénées-Orientales|67 Bas-Rhin|"
    "68 Haut-Rhin|69 Rhône|70 Haute-Saône|71 Saône-et-Loire|72 Sarthe|73 Savoie|74 Haute-Savoie|75 Paris|"
    "76 Seine-Maritime|77 Seine-et-Marne|78 Yvelines|79 Deux-Sèvres|80 Somme|81 Tarn|82 Tarn-et-Garonne|83 Var|"
    "84 Vaucluse|85 Vendée|86 Vienne|87 Haute-Vienne|88 Vosges|89 Yonne|90 Territoire de Belfort|91 Essonne|"
    "92 Hauts-de-Seine|93 Seine-Saint-Denis|94 Val-de-Marne|95 Val-d’Oise|971 Guadeloupe|972 Martinique|973 Guyane|"
    "974 La Réunion|976 Mayotte"
)
DEPARTEMENTS: Final[dict[str, str]] = dict(each.split(" ", 1) for each in _NAMES.split("|"))
"""By code; the names are the same in every language."""

SECTORS: Final[dict[str, str]] = {
    "naf:A": N_("Agriculture, sylviculture et pêche"),
    "naf:B": N_("Industries extractives"),
    "naf:C": N_("Industrie manufacturière"),
    "naf:D": N_("Électricité, gaz, vapeur"),
    "naf:E": N_("Eau, assainissement et déchets"),
    "naf:F": N_("Construction"),
    "naf:G": N_("Commerce et réparation"),
    "naf:H": N_("Transports et entreposage"),
    "naf:I": N_("Hébergement et restauration"),
    "naf:J": N_("Information et communication"),
    "naf:K": N_("Finance et assurance"),
    "naf:L": N_("Immobilier"),
    "naf:M": N_("Activités scientifiques et techniques"),
    "naf:N": N_("Services administratifs et de soutien"),
    "naf:O": N_("Administration publique"),
    "naf:P": N_("Enseignement"),
    "naf:Q": N_("Santé et action sociale"),
    "naf:R": N_("Arts, spectacles et loisirs"),
    "naf:S": N_("Autres services"),
    "rome:A": N_("Agriculture et espaces naturels"),
    "rome:B": N_("Arts et façonnage d’ouvrages d’art"),
    "rome:C": N_("Banque, assurance, immobilier"),
    "rome:D": N_("Commerce, vente et grande distribution"),
    "rome:E": N_("Communication, média et multimédia"),
    "rome:F": N_("Construction, bâtiment et travaux publics"),
    "rome:G": N_("Hôtellerie, restauration, tourisme"),
    "rome:H": N_("Industrie"),
    "rome:I": N_("Installation et maintenance"),
    "rome:J": N_("Santé"),
    "rome:K": N_("Services à la personne et à la collectivité"),
    "rome:L": N_("Spectacle"),
    "rome:M": N_("Support à l’entreprise"),
    "rome:N": N_("Transport et logistique"),
}
"""NAF sections and ROME domains, by `<classification>:<letter>`."""

_UAI = re.compile(r"\d{7}[A-Z]")
_UAI_LETTERS: Final = "ABCDEFGHJKLMNPRSTUVWXYZ"
_LA_POSTE: Final = "356000000"


def departement_of(typed: str) -> str:
    """The code of a département written as a code or a name; empty for an empty text."""
    plain = plain_text(typed).strip().replace("'", "’")
    if not plain:
        return ""
    code = plain.upper()
    code = f"0{code}" if len(code) == 1 and code.isdigit() else code
    if code in DEPARTEMENTS:
        return code
    found = _BY_NAME.get(re.sub(r"\W+", " ", plain))
    if found is None:
        raise InvalidInput(
            N_("« {word} » n’est pas un département : écrivez 71 ou Saône-et-Loire."), word=typed[:40]
        )
    return found


def sector_of(typed: str) -> str:
    """`naf:C` for « NAF C », « rome h » or the key itself; empty for an empty text."""
    found = re.fullmatch(r"(naf|rome)\W*([a-z])", plain_text(typed).strip())
    key = f"{found[1]}:{found[2].upper()}" if found else typed.strip()
    if key and key not in SECTORS:
        raise InvalidInput(N_("« {word} » n’est pas un secteur : écrivez NAF C ou ROME H."), word=typed[:40])
    return key


def is_uai(text: str) -> bool:
    """Seven digits and their check letter: the remainder by 23, without I, O and Q."""
    return _UAI.fullmatch(text) is not None and _UAI_LETTERS[int(text[:7]) % 23] == text[7]


def is_siren(text: str) -> bool:
    return len(text) == 9 and text.isascii() and text.isdigit() and _luhn(text) % 10 == 0


def is_siret(text: str) -> bool:
    """Luhn over fourteen digits; establishments of La Poste have a digit sum divisible by five instead."""
    if not (len(text) == 14 and text.isascii() and text.isdigit()):
        return False
    if _luhn(text) % 10 == 0:
        return True
    return text.startswith(_LA_POSTE) and sum(map(int, text)) % 5 == 0


def _luhn(digits: str) -> int:
    doubled = (int(each) * (2 if place % 2 else 1) for place, each in enumerate(reversed(digits)))
    return sum(each - 9 if each > 9 else each for each in doubled)


def establishment_number(typed: str) -> str:
    """A valid UAI or SIRET, without spaces; raises InvalidInput with what is wrong."""
    text = re.sub(r"[\s.\u00a0\u202f-]", "", typed).upper()
    if is_uai(text) or is_siret(text):
        return text
    if _UAI.fullmatch(text):
        raise InvalidInput(N_("Le numéro UAI {word} n’est pas valable : vérifiez ses chiffres."), word=text)
    if len(text) == 14 and text.isdigit():
        raise InvalidInput(N_("Le SIRET {word} n’est pas valable : vérifiez ses chiffres."), word=text)
    raise InvalidInput(
        N_("« {word} » n’est ni un UAI (0710012C) ni un SIRET de 14 chiffres."), word=typed.strip()[:40]
    )


_BY_NAME = {re.sub(r"\W+", " ", plain_text(name)): code for code, name in DEPARTEMENTS.items()}
