"""Search terms of French labels, the same on both engines: folded, lightly stemmed, ranked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from app.domain.core import LONGEST_QUERY, plain_text

MOST_QUERY_TERMS: Final = 6
MOST_OTHER_TERMS: Final = 400
LONGEST_TERM: Final = 40
ROOT: Final = "9"
"""Marks the root of a term: a digit, so that both engines index it as one token."""

_TERM = re.compile(r"[^\W_]+")
_EMPTY_TERMS: Final = frozenset(
    [
        "a", "au", "aux", "avec", "c", "ce", "ces", "chez", "d", "dans", "de", "des", "du", "elle",
        "en", "et", "etc", "eux", "il", "ils", "j", "je", "l", "la", "le", "les", "leur", "leurs",
        "lui", "m", "ma", "mes", "mon", "n", "ne", "nos", "notre", "nous", "on", "ou", "par", "pas",
        "pour", "qu", "que", "qui", "s", "sa", "se", "ses", "si", "son", "sous", "sur", "t", "ta", "te",
        "tes", "ton", "tu", "un", "une", "vers", "vos", "votre", "vous", "y",
    ]
)  # fmt: skip
_IRREGULAR: Final = {
    "travaux": "travail", "yeux": "oeil", "ecriture": "ecrit", "ecritures": "ecrit", "ecrire": "ecrit",
    "lecture": "lir", "lire": "lir", "vente": "vend", "ventes": "vend", "vendre": "vend", "vendeur": "vend",
    "vendeuse": "vend", "vendeurs": "vend", "conduite": "conduit", "conduire": "conduit", "conducteur": "conduit",
    "conductrice": "conduit", "conception": "concev", "concevoir": "concev", "concepteur": "concev",
    "conceptrice": "concev", "peinture": "peint", "peindre": "peint", "peintre": "peint", "couture": "cous",
    "coudre": "cous", "tri": "tri", "trier": "tri", "pli": "pli", "plier": "pli", "soin": "soin", "soins": "soin",
    "soigner": "soin", "choix": "chois", "choisir": "chois", "entretien": "entreten", "entretenir": "entreten",
    "maintien": "mainten", "maintenir": "mainten", "maintenance": "mainten", "traduction": "traduir",
    "traduire": "traduir", "traducteur": "traduir", "traductrice": "traduir", "production": "produir",
    "produire": "produir", "producteur": "produir", "productrice": "produir", "redaction": "redig",
    "rediger": "redig", "redacteur": "redig", "redactrice": "redig", "reponse": "repond", "repondre": "repond",
    "tutorat": "tut", "tuteur": "tut", "tutrice": "tut", "tuteurs": "tut", "tutrices": "tut", "decoupe": "decoup", "jeu": "jeu", "jeux": "jeu", "feu": "feu", "feux": "feu", "eau": "eau", "eaux": "eau",
    "bois": "bois", "cms": "cms", "gaz": "gaz", "voix": "voix", "prix": "prix", "noix": "noix", "tapis": "tapis",
    "colis": "colis", "devis": "devis", "souris": "souris", "corps": "corps", "temps": "temps", "acces": "acces",
    "proces": "proces", "stress": "stress", "sens": "sens", "cours": "cours", "gens": "gens", "avis": "avis",
}  # fmt: skip
_GENDERS: Final = (
    ("euse", "eur"), ("trice", "teur"), ("iere", "ier"), ("enne", "en"), ("onne", "on"), ("elle", "el"),
    ("ette", "et"), ("ive", "if"), ("ee", "e"), ("ere", "er"), ("ane", "an"),
)  # fmt: skip
_ENDINGS: Final = tuple(
    sorted(
        [
            "issement", "ement", "issage", "isation", "isateur", "iseur", "ateur", "iteur", "ation",
            "ition", "ission", "eriss", "ance", "ence", "aire", "ique", "iqu", "icien", "icit", "ist",
            "ism", "ien", "ier", "ieri", "eri", "eur", "eus", "ure", "ur", "age", "ag", "er", "ir",
            "re", "ant", "ent", "if", "iv", "al", "el", "able", "ible", "abl", "ibl", "abil", "ibil",
            "ment", "itud", "ite", "it", "e", "i", "o",
        ],
        key=lambda ending: -len(ending),
    )
)  # fmt: skip
_LEAST_ROOT: Final = 4
_PLURALS_IN_EUX: Final = frozenset({"milieux", "essieux", "cheveux", "enjeux", "banlieux"})
_FAMILIES: Final = (
    ("primer", "pression"), ("mettre", "mission"), ("duire", "duction"), ("truire", "truction"), ("crire", "scription"),
    ("crire", "criture"), ("cevoir", "ception"), ("soudre", "solution"), ("venir", "vention"), ("tenir", "tention"),
    ("tenir", "tenue"), ("rompre", "ruption"), ("vertir", "version"), ("ceder", "cession"), ("querir", "quisition"),
    ("gerer", "gestion"), ("riger", "rection"), ("eger", "ection"), ("agir", "action"), ("tendre", "tension"),
    ("fondre", "fusion"), ("cider", "cision"), ("prevoir", "prevision"), ("clure", "clusion"), ("cuire", "cuisson"),
    ("tondre", "tonte"), ("teindre", "teinture"), ("joindre", "jonction"), ("fendre", "fense"), ("poser", "position"),
    ("pondre", "ponse"), ("choisir", "choix"), ("perdre", "perte"), ("battre", "battage"), ("suivre", "suivi"),
)  # fmt: skip
"""Endings of verbs and of nouns of their action, where the root changes."""


def fold(text: str) -> list[str]:
    """Terms without accents, articles and prepositions, in order."""
    # Twice: decomposition turns some letters, as « 𝐀 », into capitals.
    return [term for term in _TERM.findall(plain_text(plain_text(text))) if term not in _EMPTY_TERMS]


@lru_cache(maxsize=50_000)
def stem_of(term: str) -> str:
    """Without plural and feminine; « soudeuses » and « soudeur » have one stem."""
    known = _IRREGULAR.get(term) or _IRREGULAR.get(term.removesuffix("s"))
    if known:
        return known
    if len(term) <= 3 or not term.isalpha():
        return term
    if term.endswith("eaux"):
        term = term[:-1]
    elif term.endswith("aux") and len(term) > 5:
        term = f"{term[:-2]}l"
    elif term.endswith("eux") and len(term) >= 7 and term not in _PLURALS_IN_EUX:
        term = f"{term[:-1]}r"
    elif term[-1] in "sx" and not term.endswith("ss"):
        term = term[:-1]
    for ending, other in _GENDERS:
        if term.endswith(ending) and len(term) - len(ending) >= 2:
            return term[: -len(ending)] + other
    return term[:-1] if term.endswith("e") and len(term) > 4 else term


@lru_cache(maxsize=50_000)
def root_of(term: str) -> str:
    """Without derivation: « soudure », « souder » and « soudage » have one root."""
    root = stem_of(term)
    if root in _IRREGULAR.values() or not root.isalpha():
        return root
    for _ in range(2):
        for ending in _ENDINGS:
            if root.endswith(ending) and len(root) - len(ending) >= _LEAST_ROOT:
                root = root[: -len(ending)]
                break
        else:
            break
    if len(root) > _LEAST_ROOT and root[-1] == root[-2]:
        root = root[:-1]
    return root


def forms_of(term: str) -> list[str]:
    """The term, its stem and its marked root, each once."""
    return list(dict.fromkeys((term, stem_of(term), ROOT + root_of(term))))


@lru_cache(maxsize=50_000)
def relatives_of(term: str) -> tuple[str, ...]:
    """Stems of the same family under another root: « impression » of « imprimer », « gérer » of « gestion »."""
    found = (
        stem_of(each.removesuffix(ending) + other)
        for pair in _FAMILIES
        for ending, other in (pair, pair[::-1])
        for each in (term, term.removesuffix("s"))
        if each.endswith(ending)
    )
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True)
class SearchTerms:
    """What is indexed about one item."""

    label: str
    other: str
    size: int
    vocabulary: frozenset[str]


def terms_of(label: str, code: str, others: Iterable[str] = (), description: str = "") -> SearchTerms:
    named = [term[:LONGEST_TERM] for term in fold(label)]
    coded = [plain_text(code)] if len(code) <= LONGEST_TERM and code.isalnum() else fold(code[:60])
    more = dict.fromkeys(coded)
    for each in (*others, description):
        more.update(dict.fromkeys(term[:LONGEST_TERM] for term in fold(each)))
        if len(more) > MOST_OTHER_TERMS:
            break
    known = set(named)
    added = [term for term in more if term not in known][:MOST_OTHER_TERMS]
    spelt = frozenset(term for term in (*named, *added) if len(term) >= 4 and term.isalpha())
    return SearchTerms(_indexed(named), _indexed(added), len(named), spelt)


def _indexed(terms: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(form for term in terms for form in forms_of(term)))


def similarity(before: str, after: str) -> float:
    """The share of roots that two labels have in common: 1 for the same, 0 for another meaning."""
    one, other = ({root_of(term) for term in fold(label)} for label in (before, after))
    return len(one & other) / len(one | other) if one | other else 1.0


SAME_MEANING: Final = 0.3


@dataclass(frozen=True)
class SearchQuery:
    """The terms that are searched; the last one may still be typed."""

    terms: tuple[str, ...]
    weight: float = 1.0

    @staticmethod
    def of(text: str) -> SearchQuery:
        folded = fold(text[:LONGEST_QUERY])
        # « le » alone is still a search, as are codes.
        return SearchQuery(tuple((folded or _TERM.findall(plain_text(text)))[:MOST_QUERY_TERMS]))

    @property
    def is_empty(self) -> bool:
        return not any(len(term) >= 2 for term in self.terms)

    def corrected(self, vocabulary: dict[str, Sequence[str]]) -> SearchQuery:
        """`vocabulary`: for each misspelt term the known terms that begin alike."""
        found = tuple(nearest(term, vocabulary[term]) if term in vocabulary else term for term in self.terms)
        return SearchQuery(found, self.weight * 0.8)


def nearest(term: str, known: Collection[str]) -> str:
    """The known term with the fewest slips, two at most; else the term itself."""
    most = 1 if len(term) < 6 else 2
    best, slips = term, most + 1
    for each in known:
        if abs(len(each) - len(term)) >= slips:
            continue
        found = _distance(term, each, slips)
        if found < slips or (found == slips and best != term and _rank(term, each) < _rank(term, best)):
            best, slips = each, found
    return best if slips <= most else term


def _rank(term: str, known: str) -> tuple[bool, int]:
    """Of equally near terms, a forgotten letter is likelier than a wrong one; then the shorter."""
    letters = iter(known)
    return not all(letter in letters for letter in term), len(known)


def _distance(one: str, other: str, enough: int) -> int:
    """Insertions, deletions, replacements and swaps of neighbours, counted until there are more than `enough`."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, beside in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != beside))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == beside:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > enough:
            return enough + 1
    return row[-1]


_SOUNDS: Final = ("ckqs", "gj", "fp", "iyh", "eh", "ao", "sz")


def first_letters(term: str) -> list[str]:
    """The letters that a term begins with where it was written as it sounds; its own first."""
    alike = [letter for sound in _SOUNDS if term[0] in sound for letter in sound]
    return list(dict.fromkeys((term[0], *alike)))


EVERYDAY: Final[dict[str, tuple[str, ...]]] = {
    "prise parole": ("parler en public", "prendre la parole", "communication orale", "s'exprimer à l'oral"),
    "eloquence": ("parler en public", "discours", "s'exprimer"),
    "oral": ("communication verbale", "s'exprimer"),
    "travail equipe": ("travailler en équipe", "esprit d'équipe", "coopérer avec des collègues"),
    "esprit critique": ("pensée critique", "réflexion critique"),
    "autonomie": ("travailler de manière autonome", "travailler en autonomie"),
    "ponctualite": ("respecter les délais", "être à l'heure"),
    "entraide": ("aider", "coopérer"),
    "debrouillard": ("résoudre des problèmes",),
    "resolution probleme": ("résoudre des problèmes",),
    "gestion projet": ("gérer des projets", "chef de projet"),
    "imprimante 3d": ("impression 3D", "fabrication additive"),
    "fabrication additive": ("impression 3D", "imprimante 3D"),
    "impression 3d": ("imprimante 3D", "fabrication additive"),
    "code informatique": ("programmation informatique", "développeur"),
    "coder": ("programmation informatique", "programmer"),
    "appli": ("application mobile",),
    "ordinateur": ("informatique",),
    "domotique": ("habitat intelligent", "système domotique"),
    "velo": ("cycle", "bicyclette"),
    "voiture": ("automobile", "véhicule"),
    "carrosserie": ("carrossier",),
    "camion": ("poids lourd", "conducteur routier"),
    "cuir": ("maroquinerie", "travail du cuir"),
    "maroquinerie": ("maroquinier", "cuir"),
    "accueil public": ("accueillir le public", "agent d'accueil", "accueil"),
    "accueil": ("accueillir", "réceptionniste"),
    "premiers secours": ("premiers soins", "secourisme"),
    "secourisme": ("premiers soins", "premiers secours"),
    "securite travail": ("santé et sécurité au travail", "prévention des risques"),
    "developpement durable": ("environnement", "durabilité"),
    "ecologie": ("environnement", "écologue"),
    "tri dechets": ("gestion des déchets", "collecte des déchets"),
    "recyclage": ("recycler", "gestion des déchets"),
    "fibre optique": ("fibre optique", "réseaux de télécommunications"),
    "controle acces": ("contrôle d'accès", "sécurité électronique"),
    "alarme": ("systèmes d'alarme", "sécurité électronique"),
    "usinage": ("usinage", "opérateur sur machine-outil"),
    "tourneur": ("tourneur-fraiseur", "tournage"),
    "drone": ("drones", "télépilote"),
    "reseaux sociaux": ("médias sociaux", "community manager"),
    "montage video": ("monteur audiovisuel", "montage vidéo"),
    "photo": ("photographie", "photographe"),
    "anglais": ("langue anglaise", "anglais"),
    "calcul": ("calculer", "mathématiques"),
    "paie": ("gestionnaire de paie", "salaires"),
    "compta": ("comptabilité",),
    "menage": ("nettoyage", "entretien des locaux"),
    "personnes agees": ("personnes âgées", "aide à domicile"),
    "petite enfance": ("petite enfance", "auxiliaire de puériculture"),
    "cuisine": ("cuisinier", "cuisiner"),
    "patisserie": ("pâtissier",),
    "boulangerie": ("boulanger",),
    "service salle": ("serveur en restauration",),
    "vin": ("vin", "sommelier", "viticulture"),
    "elevage": ("éleveur", "élevage"),
    "tracteur": ("conducteur d'engins agricoles", "tracteurs"),
    "foret": ("sylviculture", "bûcheron", "forestier"),
    "bucheronnage": ("bûcheron", "abattage d'arbres"),
    "charpente": ("charpentier",),
    "plomberie": ("plombier",),
    "electricite": ("électricien",),
    "isolation": ("isolation thermique", "poseur d'isolants"),
    "panneau solaire": ("panneaux solaires", "photovoltaïque"),
    "pompe chaleur": ("pompes à chaleur", "chauffagiste"),
    "creation entreprise": ("entrepreneuriat", "créateur d'entreprise"),
    "entrepreneuriat": ("esprit d'entreprise", "entrepreneur"),
    "tuteur": ("tutorat", "mentor"),
    "mentorat": ("encadrer", "mentor", "tuteur"),
    "animation": ("animateur", "animer"),
    "animer atelier": ("animer des ateliers", "animateur"),
    # Behaviour
    "rigueur": ("agir de manière fiable", "travailler de façon organisée", "attention aux détails"),
    "rigoureux": ("agir de manière fiable", "travailler de façon organisée", "attention aux détails"),
    "soigneux": ("attention aux détails", "agir de manière fiable"),
    "fiabilite": ("agir de manière fiable", "respecter ses engagements"),
    "serieux": ("agir de manière fiable", "respecter ses engagements"),
    "assiduite": ("respecter ses engagements", "agir de manière fiable"),
    "perseverance": ("supporter le stress", "respecter ses engagements", "relever des défis"),
    "tenacite": ("supporter le stress", "respecter ses engagements", "relever des défis"),
    "initiative": ("prendre des décisions", "esprit d'entreprise", "travailler en autonomie"),
    "proactif": ("prendre des décisions", "esprit d'entreprise"),
    "proactivite": ("prendre des décisions", "esprit d'entreprise"),
    "responsabilite": ("se montrer responsable",),
    "cooperation": ("coopérer avec des collègues",),
    "solidarite": ("coopérer avec des collègues", "apporter son aide"),
    "polyvalence": ("exécuter simultanément plusieurs tâches", "s'adapter à différents rôles"),
    "savoir vivre": ("courtois", "respecter"),
    "politesse": ("courtois", "respecter"),
    "oser": ("prendre des décisions", "relever des défis"),
    "maitrise soi": ("supporter le stress", "rester calme"),
    "sang froid": ("supporter le stress", "réagir calmement"),
    "calme": ("réagir calmement", "supporter le stress"),
    "presentation orale": ("présentation", "parler en public"),
    "expose": ("présentation", "parler en public"),
    "vie associative": ("association", "animateur socioculturel", "bénévoles"),
    # Abbreviations of trainings, permits and tools
    "rgpd": ("protection des données", "données à caractère personnel"),
    "epi": ("équipements de protection individuelle",),
    "caces": ("cariste", "chariot élévateur", "conducteur d'engins"),
    "sst": ("premiers secours", "premiers soins", "santé et sécurité au travail"),
    "psc": ("premiers secours", "premiers soins"),
    "psc1": ("premiers secours", "premiers soins"),
    "prap": ("ergonomie", "manutention"),
    "geste posture": ("ergonomie", "manutention"),
    "bafa": ("animateur de loisirs", "accueil de loisirs"),
    "bafd": ("accueil de loisirs", "animation"),
    "bnssa": ("maître-nageur", "sauveteur"),
    "ssiap": ("sécurité incendie", "agent de sécurité"),
    "haccp": ("hygiène alimentaire", "sécurité des aliments"),
    "irve": ("borne de recharge", "électricien"),
    "vae": ("acquis de l'expérience", "conseiller en formation"),
    "fle": ("français langue étrangère", "enseigner les langues"),
    "lsf": ("langue des signes",),
    "pao": ("publication assistée", "infographiste"),
    "dao": ("dessin assisté", "logiciel de CAO"),
    "gmao": ("gestion de maintenance", "maintenance industrielle"),
    "qse": ("qualité", "hygiène sécurité environnement"),
    "hse": ("hygiène sécurité environnement", "santé et sécurité"),
    "rse": ("responsabilité sociale", "développement durable"),
    "btp": ("bâtiment", "travaux publics"),
    "cvc": ("climatisation", "chauffagiste"),
    "cnc": ("commande numérique",),
    "tp": ("travaux publics",),
    "rh": ("ressources humaines",),
    "ia": ("intelligence artificielle",),
    "iot": ("internet des objets", "systèmes embarqués"),
    "vr": ("réalité virtuelle",),
    "arduino": ("systèmes embarqués", "microcontrôleur", "électronique"),
    "raspberry": ("systèmes embarqués", "microcontrôleur", "électronique"),
    "placo": ("plaquiste", "plaques de plâtre"),
    "nounou": ("assistant maternel", "garde d'enfants"),
    "interphone": ("contrôle d'accès", "sécurité électronique"),
    "badgeuse": ("contrôle d'accès", "sécurité électronique"),
    "polyester": ("composites", "résines", "stratifieur"),
    "pultrusion": ("composites", "stratifieur"),
    "hivernage": ("maintenance nautique", "mécanicien en mécanique marine"),
    "accastillage": ("maintenance nautique", "gréeur"),
    "snacking": ("restauration rapide",),
    "podcast": ("enregistrement audio", "radio", "ingénieur du son"),
    "impot": ("fiscal", "fiscalité"),
    "declaration impot": ("déclarations fiscales", "fiscalité"),
    "bonne humeur": ("attitude positive", "humour"),
    "travailler seul": ("travailler en autonomie", "travailler de manière autonome"),
    "seul": ("autonomie", "autonome"),
    "maison": ("bâtiment", "habitat"),
    "cuistot": ("cuisinier",),
    "cuisto": ("cuisinier",),
}
"""Everyday terms that registers spell otherwise; keys are folded and without articles."""
_LIGHT: Final = frozenset(
    [
        "prendre", "prise", "faire", "mettre", "mise", "poser", "pose", "repondre", "gerer", "gestion",
        "tenir", "tenue", "utiliser", "utilisation", "changer", "effectuer", "realiser", "realisation",
        "avoir", "etre", "savoir", "donner", "esprit", "sens", "capacite", "aptitude", "notion", "base",
        "technique", "methode", "niveau", "travail", "travailler", "mode", "permis", "habilitation",
        "vie", "outil", "competence", "connaissance", "maitrise", "maitriser", "apprendre", "monter",
        "montage", "preparer", "preparation",
    ]
)  # fmt: skip
LIGHT_SHARE: Final = 0.2


def is_light(term: str) -> bool:
    """Whether the term is no subject by itself: « gestion » of « gestion du stress »."""
    return term in _LIGHT or term.removesuffix("s") in _LIGHT


_Keys = dict[tuple[str, ...], tuple[str, ...]]


@lru_cache(maxsize=1)
def _everyday_keys() -> tuple[_Keys, _Keys]:
    """By stems, and by roots."""
    stems = {tuple(stem_of(term) for term in key.split()): others for key, others in EVERYDAY.items()}
    roots = {tuple(root_of(term) for term in key.split()): others for key, others in EVERYDAY.items()}
    return stems, roots


def variants_of(query: SearchQuery) -> list[SearchQuery]:
    """Other names of the same thing."""
    others: tuple[str, ...] = ()
    for terms in (query.terms, tuple(term for term in query.terms if not is_light(term))):
        others = others or _everyday(terms)
    found = [SearchQuery(SearchQuery.of(other).terms, 0.75) for other in others]
    if found or len(query.terms) == 1:
        return found
    for at, term in enumerate(query.terms):
        for other in _everyday((term,)):
            named = SearchQuery.of(other).terms
            if len(named) == 1 and named[0] != term:
                found.append(SearchQuery((*query.terms[:at], *named, *query.terms[at + 1 :]), 0.7))
    return found


def _everyday(terms: Sequence[str]) -> tuple[str, ...]:
    stems, roots = _everyday_keys()
    return stems.get(tuple(stem_of(term) for term in terms)) or roots.get(
        tuple(root_of(term) for term in terms), ()
    )


def score(
    query: SearchQuery,
    label_terms: str,
    other_terms: str,
    size: int,
    shares: Mapping[str, float] | None = None,
) -> float:
    """Exact terms before prefixes before derivations; the label before other labels; short labels first.
    `shares`: how much each term counts, where not all have to be there."""
    in_label = label_terms.split(" ")
    known, others = set(in_label), set[str]()
    total, positions = 0.0, []
    for term in query.terms:
        stem, root = stem_of(term), ROOT + root_of(term)
        points = _points(term, stem, root, known, label_terms, 1)
        if points:
            positions.append(
                in_label.index(next(each for each in in_label if _answers(each, term, stem, root)))
            )
        else:
            # Of several terms, other labels may have each in another one: they count less.
            others = others or set(other_terms.split(" "))
            share = 0.8 if len(query.terms) == 1 and term in others else 0.5
            points = share * _points(term, stem, root, others, other_terms, 3)
        total += points if shares is None else points * shares[term]
    total /= max(1, len(query.terms)) if shares is None else sum(shares[term] for term in query.terms)
    exactness = total / 6.0
    if positions and min(positions) == 0:
        total += 0.8 * exactness
    if len(positions) == len(query.terms):
        # The share of the label that the query names.
        total += 2.0 * exactness * min(1.0, len(query.terms) / max(1, size))
    return total * query.weight


def _points(term: str, stem: str, root: str, known: Collection[str], text: str, least: int) -> float:
    """`text` holds the `known` terms, separated by spaces; shorter terms than `least` begin no other."""
    if term in known:
        return 6.0
    if stem in known:
        return 5.5
    if len(term) >= least and f" {term}" in f" {text}":
        longest = [each for each in known if each.startswith(term) and not each.startswith(ROOT)]
        if longest:
            return 3.0 + 2.0 * len(term) / min(map(len, longest))
    return 3.6 if root in known or any(each in known for each in relatives_of(term)) else 0.0


def _answers(each: str, term: str, stem: str, root: str) -> bool:
    return each in (stem, root) or each.startswith(term) or each in relatives_of(term)


def other_name(query: SearchQuery, label: str, others: Iterable[str]) -> str:
    """The other label for which an item was found, where its label lacks the terms; otherwise empty."""
    shown = {stem_of(term) for term in fold(label)}
    missing = [term for term in query.terms if not any(each.startswith(stem_of(term)[:4]) for each in shown)]
    if not missing:
        return ""
    best, most = "", 0
    for other in others:
        plain = plain_text(other)
        if not any(term[:4] in plain for term in missing):
            continue
        named = {stem_of(term) for term in fold(other)}
        held = sum(any(each.startswith(stem_of(term)[:5]) for each in named) for term in query.terms)
        if held > most:
            best, most = other, held
    return best


def holds(terms: Sequence[str], term: str) -> bool:
    """Whether indexed terms have this one, another of its family, or a longer one."""
    return (
        stem_of(term) in terms
        or ROOT + root_of(term) in terms
        or any(each.startswith(term) and not each.startswith(ROOT) for each in terms)
    )


def synonym_of(text: str) -> str:
    """A synonym as stored; empty if nothing in it can be searched."""
    label = " ".join(text.split())[:120]
    return label if fold(label) else ""
