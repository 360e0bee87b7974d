"""Departments and regions of France, with the coordinates of each prefecture."""

from __future__ import annotations

from typing import Final, NamedTuple


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
