"""E-mail addresses in lists: found in any text, compared with known providers, and with the name they stand beside."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

from app.domain.imports.lists.vocabulary.names import Kind, fold, kind_of

_SIGN = r"[^\s@<>()\[\],;:\"|«»'’]"
_COMMA_FOR_DOT = r"[\w-]++,(?:fr|com|net|org|eu)\b(?!@)"
FOUND = re.compile(rf"(?<!{_SIGN}){_SIGN}++@(?:{_COMMA_FOR_DOT}|[^\s@<>()\[\],;:\"|«»]+)")
_VALID = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[a-z0-9](-*[a-z0-9])*(\.[a-z0-9](-*[a-z0-9])*)*\.[a-z]{2,}"
)
_IN_BRACKETS = re.compile(r"<\s*+(?:mailto:)?+([^<>@]*+@[^<>]*+)>")
_SPOKEN_AT = re.compile(r"(?:(?<!\s)\s++)?+(?:\(at\)|\[at\]|\(arobase\)|\[arobase\])\s*", re.IGNORECASE)
_LOOSE_AT = re.compile(r"([a-z0-9]) ?@ ?([a-z0-9-]+\.[a-z]{2,4})\b", re.IGNORECASE)
KNOWN = frozenset(
    [
        "ac-aix-marseille.fr",
        "ac-amiens.fr",
        "ac-besancon.fr",
        "ac-bordeaux.fr",
        "ac-clermont.fr",
        "ac-corse.fr",
        "ac-creteil.fr",
        "ac-dijon.fr",
        "ac-grenoble.fr",
        "ac-guadeloupe.fr",
        "ac-guyane.fr",
        "ac-lille.fr",
        "ac-limoges.fr",
        "ac-lyon.fr",
        "ac-martinique.fr",
        "ac-mayotte.fr",
        "ac-montpellier.fr",
        "ac-nancy-metz.fr",
        "ac-nantes.fr",
        "ac-nice.fr",
        "ac-normandie.fr",
        "ac-orleans-tours.fr",
        "ac-paris.fr",
        "ac-poitiers.fr",
        "ac-reims.fr",
        "ac-rennes.fr",
        "ac-reunion.fr",
        "ac-strasbourg.fr",
        "ac-toulouse.fr",
        "ac-versailles.fr",
        "gmail.com",
        "googlemail.com",
        "hotmail.fr",
        "hotmail.com",
        "hotmail.be",
        "outlook.fr",
        "outlook.com",
        "live.fr",
        "live.com",
        "msn.com",
        "yahoo.fr",
        "yahoo.com",
        "ymail.com",
        "rocketmail.com",
        "orange.fr",
        "wanadoo.fr",
        "free.fr",
        "sfr.fr",
        "neuf.fr",
        "laposte.net",
        "bbox.fr",
        "icloud.com",
        "me.com",
        "mac.com",
        "protonmail.com",
        "proton.me",
        "pm.me",
        "gmx.fr",
        "gmx.com",
        "gmx.net",
        "gmx.de",
        "aol.com",
        "aol.fr",
        "numericable.fr",
        "club-internet.fr",
        "cegetel.net",
        "9online.fr",
        "noos.fr",
        "aliceadsl.fr",
        "dartybox.com",
        "nordnet.fr",
        "voila.fr",
        "caramail.com",
        "caramail.fr",
        "tutanota.com",
        "tuta.io",
        "mailo.com",
        "mail.com",
        "web.de",
        "t-online.de",
        "libero.it",
        "tiscali.it",
        "virgilio.it",
        "telefonica.net",
        "sapo.pt",
        "bluewin.ch",
        "skynet.be",
        "telenet.be",
        "zoho.com",
        "yandex.com",
        "yandex.ru",
        "mail.ru",
        "hotmail.it",
        "hotmail.es",
        "yahoo.es",
        "yahoo.it",
        "yahoo.co.uk",
        "hotmail.co.uk",
        "outlook.be",
        "outlook.es",
        "outlook.pt",
        "live.be",
        "live.it",
        "orange.com",
        "sfr.net",
        "education.gouv.fr",
        "hey.com",
        "duck.com",
        "fastmail.com",
        "netcourrier.com",
        "zaclys.net",
        "posteo.net",
        "mailbox.org",
    ]
)
_WRONG = {
    "gmail.fr": "gmail.com", "gmail.con": "gmail.com", "gmail.co": "gmail.com", "gmail": "gmail.com",
    "hotmail": "hotmail.fr", "laposte.fr": "laposte.net", "laposte.com": "laposte.net", "laposte": "laposte.net",
    "orange": "orange.fr", "wanadoo": "wanadoo.fr", "free": "free.fr", "sfr": "sfr.fr", "outlook": "outlook.fr",
    "yahoo": "yahoo.fr", "icloud.fr": "icloud.com", "icloud": "icloud.com", "la-poste.net": "laposte.net",
    "wanadoo.com": "wanadoo.fr", "free.com": "free.fr", "sfr.com": "sfr.fr",
    "gmail.com.fr": "gmail.com", "g-mail.com": "gmail.com", "hot-mail.fr": "hotmail.fr",
}  # fmt: skip
_SHARED_BOXES = frozenset(
    [
        "contact",
        "contacts",
        "info",
        "infos",
        "information",
        "accueil",
        "secretariat",
        "mailing",
        "newsletter",
        "diffusion",
        "secretaire",
        "direction",
        "directeur",
        "rh",
        "drh",
        "recrutement",
        "administration",
        "admin",
        "compta",
        "comptabilite",
        "commercial",
        "service",
        "gestion",
        "scolarite",
        "vie",
        "viescolaire",
        "formation",
        "formations",
        "cfa",
        "stages",
        "apprentissage",
        "bureau",
        "mairie",
        "entreprise",
        "societe",
        "atelier",
        "noreply",
        "postmaster",
        "webmaster",
        "boutique",
        "magasin",
        "parents",
        "famille",
        "familles",
    ]
)


LABELS = {
    "to": frozenset(["a", "to", "pour", "destinataire", "destinataires", "dest", "aa"]),
    "copy": frozenset(["cc", "cci", "bcc", "copie", "copies", "ccc"]),
    "from": frozenset(["de", "from", "expediteur", "exp", "da"]),
}
"""Of the lines of an e-mail that hold addresses."""


@lru_cache(maxsize=20_000)
def is_valid(address: str) -> bool:
    return len(address) <= 254 and bool(_VALID.fullmatch(address)) and not address.endswith(_NOWHERE)


_NOWHERE = (".invalid", ".test", ".local", ".localhost", ".lan", ".internal")
"""Domains that no message from outside reaches."""


def tidied(address: str) -> str:
    """As typed, without what clings to it."""
    bare = address.strip().strip("<>()[]\"'’«».,;:").removeprefix("mailto:").removeprefix("MAILTO:")
    local, at, domain = bare.rpartition("@")
    return f"{local.rpartition('=')[2]}{at}{domain}".lower()


def addresses_in(text: str, *, mark: str = " ") -> tuple[list[str], str]:
    """Every address of a text, tidied, and the text with `mark` in their stead."""
    text = _LOOSE_AT.sub(r"\1@\2", _SPOKEN_AT.sub("@", text.replace("mailto:", " ")))
    found: list[str] = []

    def take(match: re.Match[str]) -> str:
        raw = match.group(1) if match.lastindex else match.group()
        address = tidied(raw)
        if address not in found:
            found.append(address)
        return mark

    # Long text without the sign would be searched anew from each of its letters.
    if "@" in text:
        text = FOUND.sub(take, _IN_BRACKETS.sub(take, text))
    return found, re.sub(r"[<\[(]\s*+(?:mailto:\s*+)?+[>\])]", " ", text)


def suggestion_for(address: str, own_domains: Collection[str] = ()) -> str:
    """The address that was probably meant: a domain that is almost a known one, or no accents. Else empty."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", address) if not unicodedata.combining(c))
    if plain != address and is_valid(plain):
        return suggestion_for(plain, own_domains) or plain
    local, _, domain = address.rpartition("@")
    if local.startswith("www."):
        return f"{local.removeprefix('www.')}@{domain}"
    if local and "," in domain:
        domain = domain.replace(",", ".")
        return f"{local}@{_near(domain) or domain}"
    if not local or domain in KNOWN or domain in own_domains:
        return ""
    near = _near(domain) or next((known for known in own_domains if _distance(domain, known) == 1), "")
    return f"{local}@{near}" if near else ""


@lru_cache(maxsize=5_000)
def _near(domain: str) -> str:
    if domain in _WRONG:
        return _WRONG[domain]
    near = sorted(
        known for known in KNOWN if abs(len(known) - len(domain)) <= 1 and _distance(domain, known) == 1
    )
    if not near:
        near = sorted(
            known
            for known in KNOWN
            if len(known) >= 9 and abs(len(known) - len(domain)) <= 2 and _distance(domain, known) == 2
        )
        near = [known for known in near if known[:1] == domain[:1]]
    preferred = [
        known for known in near if known in ("gmail.com", "hotmail.fr", "orange.fr", "outlook.fr", "yahoo.fr")
    ]
    return next(iter(preferred or near), "")


@lru_cache(maxsize=50_000)
def _distance(one: str, other: str) -> int:
    """Edits between two domains, an exchange of neighbours being one."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]


_FURTHER_BOXES = frozenset(
    (
        "standard",
        "inscription",
        "inscriptions",
        "mjc",
        "association",
        "formateur",
        "formatrice",
        "college",
        "lycee",
        "ecole",
    )
)


_OF_OFFICES = frozenset(
    (
        "test", "cabinet", "pharmacie", "mission", "locale", "devis", "stagiaires", "employeur", "president", "presidente", "staff", "equipe", "salon", "bts", "sio",
        "mco", "cap", "adresse", "mail", "email", "pasdemail", "nomail", "sansmail", "aucun", "inconnu", "nom", "prenom", "exemple", "vide", "family", "maison", "cpe",
        "ddfpt", "cfa", "greta", "afpa", "mairie", "compta", "comptabilite", "rh", "drh", "facturation", "commercial", "direction", "directeur", "directrice", "gerant",
        "gerance", "vie", "scolaire", "viescolaire", "parents", "tuteur", "tutrice", "garage", "boulangerie", "restaurant", "hotel", "boutique", "magasin", "agence", "atelier",
        "atelierbois", "classe", "promo", "promotion", "groupe", "formateurs", "formation", "formations", "apprentis", "apprentissage", "alternance", "stage", "stages", "eleves",
        "etudiants", "participants", "admin", "administration", "support", "service", "client", "bonjour", "hello", "office", "team", "clinique", "tresorier", "tresoriere", "ne", "pas", "repondre", "internat", "nde", "seconde", "terminale", "residence", "centre", "social", "pole", "emploi", "planning", "reservation", "reservations", "commande", "commandes", "livraison", "caisse", "benevoles", "tous", "toutes", "visite", "hopital", "creche", "bibliotheque", "mediatheque", "production", "qualite", "logistique", "recrutement", "achats", "ventes", "boite", "personne", "neant", "noreply", "webmaster", "postmaster", "asso", "abcdef", "azerty", "xxx", "profs", "referent", "referente", "ehpad", "sav", "promo",
    )
)  # fmt: skip
"""In an address they name an organisation or a part, no person."""


_OF_SCHOOLS = re.compile(r"(?:ce\.)?\d{7}[a-z]|cdi\b.*")
"""`ce.0710023a@`: the number of a school."""
_OF_STAFF = frozenset(
    (
        "prof", "educateur", "educatrice", "conseiller", "conseillere", "assistante", "infirmerie", "infirmiere", "surveillant", "chef", "foyer",
        "moniteur", "monitrice", "animateur", "animatrice", "referent", "referente", "coordination", "coordinateur", "coordinatrice", "secretaire", "proviseur", "principal",
    )
)  # fmt: skip


def is_shared_box(address: str) -> bool:
    """`contact@`, `secretariat.cfa@`: the box of an organisation."""
    parts = fold(re.sub(r"\d+", " ", address.partition("@")[0])).split()
    joined = "".join(parts[:2])
    if _OF_SCHOOLS.fullmatch(address.partition("@")[0].lower()) or set(parts[:1]) & _OF_STAFF:
        return True
    if any(len(part) > 2 for part in parts) and all(part in _OF_OFFICES or len(part) < 3 for part in parts):
        return True
    return bool(parts) and (
        parts[0] in _SHARED_BOXES or joined in ("noreply", "nepasrepondre") or parts[0] in _FURTHER_BOXES
    )


def _is_family(part: str) -> bool:
    """`jacquot`, `dupuislenoir`"""
    return kind_of(part) is Kind.FAMILY or (
        kind_of(part) is Kind.UNKNOWN
        and any(
            kind_of(part[:at]) is Kind.FAMILY and kind_of(part[at:]) is Kind.FAMILY
            for at in range(4, len(part) - 3)
        )
    )


def is_named_after_other(address: str, given: str, family: str) -> bool:
    """`sophie.martin@` beside Léa Martin: the local part gives another person's name."""
    parts = [part for part in fold(address.partition("@")[0]).split() if not part.isdigit() and len(part) > 2]
    givens, families = _pieces(given), _pieces(family)
    mine = givens | families
    if len(parts) == 1:
        # `annetardieu@` beside Ugo Tardieu
        rests = [parts[0].replace(own, "", 1) for own in families if len(own) > 3 and own in parts[0]]
        return any(
            len(rest) > 2
            and rest not in mine
            and kind_of(rest) is Kind.GIVEN
            and not any(_alike(rest, own) for own in givens)
            for rest in rests
        )
    if not parts:
        return False
    others = [part for part in parts if part not in mine and not any(_alike(part, own) for own in mine)]
    if any(part in givens or any(_alike(part, own) for own in givens) for part in parts):
        # `jean-pierre.jacquot@` beside Jean-Pierre Fournier
        return any(len(part) > 4 and _is_family(part) for part in others) and not families & {*parts}
    return any(kind_of(part) in (Kind.GIVEN, Kind.BOTH) for part in others)


_OF_FAMILY = frozenset(
    [
        "maman",
        "papa",
        "mere",
        "pere",
        "parent",
        "parents",
        "mum",
        "mom",
        "dad",
        "mamie",
        "papi",
        "papy",
        "famille",
        "familles",
        "fam",
        "family",
        "foyer",
        "tuteur",
        "tutrice",
        "oncle",
        "tante",
        "couple",
        "et",
        "responsable",
    ]
)


def is_of_family(address: str, family: str) -> bool:
    """`maman.lila@`, `famille-petit@`, `paul.et.anne@`, `lespetit@`"""
    local = fold(address.partition("@")[0])
    return (
        bool(set(local.split()) & (_OF_FAMILY - set(fold(family).split())))
        or bool(re.match(r"(?:maman|papa|mamie|papy)(?:2|de)[a-z]", local.replace(" ", "")))
        or local.startswith(("famille", "lafamille", "lamaison"))
        or local.removeprefix("chez") == "les" + fold(family).replace(" ", "")
    )


def is_named_in(address: str, given: str, family: str) -> bool:
    """Whether the local part is made of the person's name: `lea.petit@`, `lpetit@`, `petitl@`, `lea76@`."""
    parts = [part for part in fold(address.partition("@")[0]).split() if not part.isdigit()]
    joined = re.sub(r"(?<!\d)\d++$", "", "".join(parts))
    givens, families = (sorted(_pieces(name), key=len, reverse=True) for name in (given, family))
    if any((len(piece) > 2 and piece in joined) or piece in parts for piece in givens if len(piece) > 1):
        return True
    if any(len(part) > 2 and piece.startswith(part) for part in parts for piece in givens):
        return True
    initials = "".join(word[:1] for word in fold(given).split())
    for piece in families:
        if (len(piece) > 1 and piece in joined) or (len(piece) == 1 and piece in parts):
            rest = joined.replace(piece, "", 1)
            return bool(rest) and (rest in initials or any(given.startswith(rest) for given in givens))
    return False


def border_in(address: str, words: Sequence[str]) -> int:
    """After how many terms `ana-lucia.ferreira@` cuts « Ana Lucia Ferreira » and « Ferreira Ana Lucia »; 0 where that is not clear."""
    local = re.sub(r"(?<!\d)\d++$", "", address.partition("@")[0])
    pieces = sorted(fold(piece).replace(" ", "") for piece in re.split(r"[._]", local))
    folded = [fold(word).replace(" ", "") for word in words]
    cuts = [
        at
        for at in range(1, len(words))
        if sorted(("".join(folded[:at]), "".join(folded[at:]))) == pieces and all(pieces)
    ]
    return cuts[0] if len(cuts) == 1 and len(words) > 2 else 0


def is_nearly_named_in(address: str, given: str, family: str) -> bool:
    """« oscar.dennis@ » of Oscar Denis: one letter more, less or other than the name, which stands nowhere in the address.

    « maximilienne.castelnaudary@ » of Maximili Castelna: a column that was too narrow."""
    parts = [re.sub(r"\d+", "", part) for part in fold(address.partition("@")[0]).split()]
    joined = "".join(parts)
    names = [piece for name in (given, family) for piece in _pieces(name) if len(piece) > 3]
    if len(parts) > 1 and any(
        part.startswith(piece) and part not in names and not fold(other).startswith(part[len(piece) :])
        for half, other in ((given, family), (family, given))
        for piece in _pieces(half) - {*parts}
        if len(piece) > (3 if half is family else 6) or fold(given).split()[1:] == [piece]
        for part in parts
    ):
        return True
    return any(
        piece not in joined
        and any(len(part) > 3 and part not in names and _differ_by_one(piece, part) for part in parts)
        for piece in names
    )


def _differ_by_one(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1 or one == other:
        return False
    at = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return long[at + 1 :] == short[at + (len(short) == len(long)) :]


def _joins_names(part: str) -> bool:
    """`camillemartinez`"""
    both = (Kind.GIVEN, Kind.BOTH), (Kind.FAMILY, Kind.BOTH)
    return any(
        kind_of(part[:at]) in first and kind_of(part[at:]) in second
        for at in range(4, len(part) - 3)
        for first, second in (both, both[::-1])
    )


_SHAPED_LIKE_NAME = re.compile(
    r"(?!(?:le|la|de|du|da|di|el|al|ou)[._-])[a-z]{1,2}[._-][a-z]{4,}\d{0,4}|[a-z]{3,}\.[a-z]{3,}\d{0,4}"
)


def names_somebody(address: str) -> bool:
    """`sandrine76@`, `p.lambert@`, `plambert@`: the local part is made of some name."""
    local = address.partition("@")[0].lower()
    parts = re.findall(r"[a-z]+", fold(local))
    return (
        bool(_SHAPED_LIKE_NAME.fullmatch(local))
        or any(map(_joins_names, parts))
        or any(
            len(part) > 3
            and (
                kind_of(part) is not Kind.UNKNOWN
                or (len(part) > 5 and kind_of(part[1:]) in (Kind.FAMILY, Kind.BOTH))
            )
            for part in parts
        )
    )


_UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ø": "oe", "å": "aa"}
)


def _pieces(name: str) -> set[str]:
    """« Kühn » is `kuhn` or `kuehn` in an address."""
    written = (fold(name), fold(name.translate(_UMLAUTS)), fold(re.sub(r"['’]", "", name)))
    return {piece for folded in written for piece in (*folded.split(), folded.replace(" ", ""))} - {""}


def _alike(part: str, own: str) -> bool:
    return len(part) > 2 and len(own) > 2 and (part.startswith(own) or own.startswith(part))


def name_from(address: str) -> tuple[str, str]:
    """(given, family) that `lea.martin@` suggests; empty where it suggests none."""
    local = address.partition("@")[0]
    parts = [part for part in re.split(r"[._]", local) if part and not any(c.isdigit() for c in part)]
    if len(parts) != 2 or any(len(part) < 2 for part in parts):
        return "", ""
    first, last = (part[:1].upper() + part[1:] for part in parts)
    if kind_of(last) is Kind.GIVEN and kind_of(first) is not Kind.GIVEN:
        first, last = last, first
    return first, last


def own_domains(addresses: Iterable[str]) -> frozenset[str]:
    """Domains that at least three addresses of the list share: those of the school or company."""
    counts: dict[str, int] = {}
    for address in addresses:
        domain = address.rpartition("@")[2]
        counts[domain] = counts.get(domain, 0) + 1
    return frozenset(
        domain for domain, count in counts.items() if count >= 3 and domain not in KNOWN and not _near(domain)
    )
