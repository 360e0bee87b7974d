"""Departments and regions of France, with the coordinates of each prefecture."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from app.domain.core import plain_text
from app.errors import InvalidInput
from app.language import N_


class Department(NamedTuple):
    name: str
    region: str
    latitude: float
    longitude: float
    """Of its prefecture, in degrees."""


REGIONS: Final = {
    "01": "Guadeloupe",
    "02": "Martinique",
    "03": "Guyane",
    "04": "La Réunion",
    "06": "Mayotte",
    "11": "Île-de-France",
    "24": "Centre-Val de Loire",
    "27": "Bourgogne-Franche-Comté",
    "28": "Normandie",
    "32": "Hauts-de-France",
    "44": "Grand Est",
    "52": "Pays de la Loire",
    "53": "Bretagne",
    "75": "Nouvelle-Aquitaine",
    "76": "Occitanie",
    "84": "Auvergne-Rhône-Alpes",
    "93": "Provence-Alpes-Côte d’Azur",
    "94": "Corse",
}
"""By official code."""

_WRITTEN: Final = """
01|Ain|84|46.205|5.226
02|Aisne|32|49.564|3.624
03|Allier|84|46.566|3.333
04|Alpes-de-Haute-Provence|93|44.092|6.236
05|Hautes-Alpes|93|44.559|6.079
06|Alpes-Maritimes|93|43.703|7.266
07|Ardèche|84|44.735|4.599
08|Ardennes|44|49.772|4.720
09|Ariège|76|42.966|1.607
10|Aube|44|48.297|4.074
11|Aude|76|43.213|2.351
12|Aveyron|76|44.350|2.575
13|Bouches-du-Rhône|93|43.297|5.381
14|Calvados|28|49.183|-0.371
15|Cantal|84|44.926|2.440
16|Charente|75|45.649|0.156
17|Charente-Maritime|75|46.160|-1.151
18|Cher|24|47.081|2.399
19|Corrèze|75|45.267|1.771
2A|Corse-du-Sud|94|41.919|8.739
2B|Haute-Corse|94|42.698|9.451
21|Côte-d’Or|27|47.322|5.041
22|Côtes-d’Armor|53|48.514|-2.760
23|Creuse|75|46.170|1.872
24|Dordogne|75|45.184|0.721
25|Doubs|27|47.237|6.024
26|Drôme|84|44.933|4.892
27|Eure|28|49.024|1.151
28|Eure-et-Loir|24|48.447|1.489
29|Finistère|53|47.996|-4.097
30|Gard|76|43.837|4.360
31|Haute-Garonne|76|43.604|1.444
32|Gers|76|43.646|0.586
33|Gironde|75|44.838|-0.579
34|Hérault|76|43.611|3.877
35|Ille-et-Vilaine|53|48.117|-1.678
36|Indre|24|46.811|1.691
37|Indre-et-Loire|24|47.394|0.685
38|Isère|84|45.189|5.725
39|Jura|27|46.675|5.554
40|Landes|75|43.894|-0.500
41|Loir-et-Cher|24|47.586|1.336
42|Loire|84|45.439|4.387
43|Haute-Loire|84|45.043|3.885
44|Loire-Atlantique|52|47.218|-1.554
45|Loiret|24|47.903|1.909
46|Lot|76|44.448|1.441
47|Lot-et-Garonne|75|44.203|0.616
48|Lozère|76|44.518|3.500
49|Maine-et-Loire|52|47.478|-0.563
50|Manche|28|49.115|-1.091
51|Marne|44|48.957|4.365
52|Haute-Marne|44|48.113|5.139
53|Mayenne|52|48.070|-0.770
54|Meurthe-et-Moselle|44|48.692|6.184
55|Meuse|44|48.773|5.160
56|Morbihan|53|47.658|-2.761
57|Moselle|44|49.119|6.176
58|Nièvre|27|46.990|3.159
59|Nord|32|50.629|3.057
60|Oise|32|49.430|2.081
61|Orne|28|48.432|0.091
62|Pas-de-Calais|32|50.291|2.777
63|Puy-de-Dôme|84|45.777|3.087
64|Pyrénées-Atlantiques|75|43.295|-0.371
65|Hautes-Pyrénées|76|43.233|0.078
66|Pyrénées-Orientales|76|42.699|2.895
67|Bas-Rhin|44|48.573|7.752
68|Haut-Rhin|44|48.079|7.358
69|Rhône|84|45.764|4.836
70|Haute-Saône|27|47.620|6.155
71|Saône-et-Loire|27|46.307|4.829
72|Sarthe|52|48.006|0.200
73|Savoie|84|45.564|5.917
74|Haute-Savoie|84|45.899|6.129
75|Paris|11|48.857|2.352
76|Seine-Maritime|28|49.443|1.099
77|Seine-et-Marne|11|48.540|2.661
78|Yvelines|11|48.801|2.130
79|Deux-Sèvres|75|46.324|-0.461
80|Somme|32|49.894|2.296
81|Tarn|76|43.929|2.148
82|Tarn-et-Garonne|76|44.018|1.355
83|Var|93|43.124|5.928
84|Vaucluse|93|43.949|4.806
85|Vendée|52|46.670|-1.426
86|Vienne|75|46.580|0.340
87|Haute-Vienne|75|45.833|1.261
88|Vosges|44|48.174|6.449
89|Yonne|27|47.798|3.567
90|Territoire de Belfort|27|47.638|6.863
91|Essonne|11|48.629|2.428
92|Hauts-de-Seine|11|48.892|2.206
93|Seine-Saint-Denis|11|48.909|2.439
94|Val-de-Marne|11|48.790|2.455
95|Val-d’Oise|11|49.036|2.077
971|Guadeloupe|01|16.242|-61.534
972|Martinique|02|14.616|-61.059
973|Guyane|03|4.922|-52.313
974|La Réunion|04|-20.882|55.450
976|Mayotte|06|-12.781|45.228
"""

DEPARTMENTS: Final = {
    code: Department(name, region, float(latitude), float(longitude))
    for code, name, region, latitude, longitude in (line.split("|") for line in _WRITTEN.split("\n")[1:-1])
}


def region_of(department: str) -> str:
    """The code of its region; empty for an unknown department."""
    found = DEPARTMENTS.get(department)
    return found.region if found else ""


# --- Départements, sectors of activity (NAF sections, ROME domains), and the numbers of schools and
# companies

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
            "« {word} » n’est pas un département : écrivez 71 ou Saône-et-Loire.", word=typed[:40]
        )
    return found


def sector_of(typed: str) -> str:
    """`naf:C` for « NAF C », « rome h » or the key itself; empty for an empty text."""
    found = re.fullmatch(r"(naf|rome)\W*([a-z])", plain_text(typed).strip())
    key = f"{found[1]}:{found[2].upper()}" if found else typed.strip()
    if key and key not in SECTORS:
        raise InvalidInput("« {word} » n’est pas un secteur : écrivez NAF C ou ROME H.", word=typed[:40])
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
        raise InvalidInput("Le numéro UAI {word} n’est pas valable : vérifiez ses chiffres.", word=text)
    if len(text) == 14 and text.isdigit():
        raise InvalidInput("Le SIRET {word} n’est pas valable : vérifiez ses chiffres.", word=text)
    raise InvalidInput(
        "« {word} » n’est ni un UAI (0710012C) ni un SIRET de 14 chiffres.", word=typed.strip()[:40]
    )


_BY_NAME = {re.sub(r"\W+", " ", plain_text(name)): code for code, name in DEPARTEMENTS.items()}
