"""What a list states about itself: headings that are sentences, legends, notes about all of its people."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence

from app.domain.imports.lists.mentions import is_one_name, mentions_in
from app.domain.imports.lists.model import OF_PRESENCE, Line, Reason, State
from app.domain.imports.lists.vocabulary.names import fold
from app.domain.imports.lists.vocabulary.remarks import (
    affirms,
    announces_participants,
    denial_in,
    is_class,
    is_neutral,
    is_not_yet,
    is_plain_label,
    meaning_of_label,
    section_status,
    status_in,
)
from app.domain.imports.lists.vocabulary.wording import CALENDAR, LEADERS, PARTICIPANTS

_SUCCEEDED = re.compile(
    r"\b(?:ayant|ont|a|qui ont) (?:bien |tous |toutes )?(?:obtenu|suivi|participe|valide|reussi|assiste|recu)\b|\bdeclare\w* (?:admis|recus?|admises)\b|"
    r"\battribue(?:r|s)? (?:le|les|ce|un) badges?\b|\bfelicitations?\b|\bnouveaux certifies\b|\b(?:participants|eleves|stagiaires|personnes) (?:presents|presentes|certifies|certifiees)\b|"
    r"\b(?:etai\w+|est|sont) (?:bien |tous |toutes )?(?:la|presente?s|venue?s)\b|\b(?:participants|inscrits|inscrites|stagiaires|eleves|presents)(?: definiti\w+| confirme\w+| retenue?s)? sont$"
)


def tells_success(text: str) -> bool:
    """« Candidats déclarés admis : », « Les personnes suivantes ont suivi la formation : »: those who took part are named below."""
    folded = fold(text)
    return bool(_SUCCEEDED.search(folded)) and not (
        _DENIES.search(folded) or denial_in(text) or is_not_yet(text) or "?" in text
    )


_VERB_FIRST = re.compile(
    r"(?!present|absent|client|agent|adherent|parent|etudiant)\w+(?:[^m]ent|ont|aient|ions)\b"
)
_CLAUSE = re.compile(
    r"\b(?:ont|avai\w+|etai\w+|sont|ser(?:a|ont)|fera|feront|doi(?:t|vent)|devr\w+|souhait\w+|veu\w+|voudr\w+|peu(?:t|vent)|pourr\w+|vont|vien\w+|"
    r"attend\w*|manqu(?:e|ent|ait|aient)|rest(?:e|es|ent|ait|aient)|si|sous|sans|mais|car|pas|ne|n|plus|jamais|aucune?|il|elles?|ils|nous|je|on|l|"
    r"prochaine?s?|demain|bientot|place|reserve|deja|partants?|prevue?s?|encore|rate|refaire|repass\w+|recommenc\w+|revoir|trop|retirer|enlever|supprimer|"
    r"tous sauf|sauf|annule\w*|provisoires?|brouillon|rattrapages?|previsionnel\w*|en cours|en attente|a venir|future?s?|ko)\b"
)
_DENIES = re.compile(
    r"\b(?:ne|n|non|pas|plus|jamais|aucune?|sauf|sans(?! exception)|si|sous reserve|reserve|demain|bientot|prochaine?s?|previsionnel\w*|doi(?:t|vent)|"
    r"devr\w+|souhait\w+|voudr\w+|pourr\w+|peuvent|vont|viendr\w*|seront?|sera|fer(?:a|ont)|attend\w*|manqu(?:e|ent|ait|aient)|retirer|enlever|supprimer|annule\w*|provisoires?|"
    r"brouillon|rate|refaire|repass\w+|recommenc\w+|a la place|faux bond|dernier|deja|rattrapages?)\b"
)
_TOOK_PART = re.compile(
    r"\b(?:participe|suivi|assiste|valide\w*|obtenu\w*|reussi\w*|admis\w*|recu\w*|presente?s|venue?s|inscrite?s|acquis\w*|certifie\w*|passe\w* avec succes|fait)\b"
)


def sets_apart(text: str, *, below_people: bool) -> bool:
    """A heading that is a clause, and not one about those who took part: « Devront recommencer en juin », « L’ont raté ».

    Above all people it has to deny something: « Voici les élèves qui ont soudé » is the usual way to begin."""
    folded = fold(text)
    words = folded.split()
    if _OF_ANOTHER.search(folded) or (
        below_people and _COUNTED.fullmatch(folded) and not announces_participants(text)
    ):
        return True
    if not words or len(words) > 14 or announces_participants(text) or affirms(text) or is_plain_label(text):
        return False
    if not below_people:
        return (
            len(words) > 1
            and bool(_DENIES.search(folded))
            and bool(_CLAUSE.search(folded))
            and not _OF_MESSAGES.search(folded)
        )
    if _TOOK_PART.search(folded) and not _DENIES.search(folded) and not denial_in(text):
        return False
    return bool(_VERB_FIRST.match(folded) or _CLAUSE.search(folded)) and not set(words) <= CALENDAR


_OF_ANOTHER = re.compile(
    r"^(?:pre ?inscri\w+|relances?|reports?|candidatures?|invite(?:e|s|es)?|invitations?|modele|exemples?|sondage|doodle|framadate|contacts?(?: utiles)?)\b(?! \w+ (?:eleves|stagiaires))|"
    r"\bsondage\b|^a la place\b|\bjury$|\bpilotage\b|\bde direction$|^vie scolaire|\ba prevenir\b|\binvitee?s$|\bsorties? anticipees?|^ruptures?\b|\binaptes?\b|"
    r"\bmanquants?$|\bmanquantes?$|^redoublants?|\bprestataires?|\bevaluateurs?|\bsignataires?|\bdiffusion$|^convo(?:cations?|ques?|quees?)\b|\bprospects?\b|\bpermanents?\b|"
    r"^impayes?$|^reserves?$|^animation$|^annuaire$|\bsurveillants?\b|^(?:les )?(?:oublies?|punis?|malchanceux|deserteurs|lacheurs|indecis|blesse\w*|grippes?|confines?)$|"
    r"\b(?:seulement|uniquement|exclusivement|only)\b|^(?:il )?manquent?\b|^(?:encore )?a (?!l |la )\w+(?:er|ir|re)$|^en entreprise|\bancien(?:ne)?s? (?:liste|groupe|eleve|stagiaire|apprenti)s?\b|^autres? (?:groupe|classe|liste|equipe|session|atelier)s?\b|"
    r"\bopposee?s\b|^reclamations?|^en appel|^geles?$|^gelees?$|^repech\w*|\b(?:second|deuxieme|2e|2eme) (?:tour|chance|session)\b|\bforfait\b|rendez vous medical|"
    r"\ba l etranger\b|\bont arrete\b|\ba discuter\b|au cas par cas|\btrop justes?\b|\b(?:portfolio|dossier|rapport|livret) (?:vide|incomplet|manquant)\b|^covid|^mis de cote|^de cote|^litiges?"
)
_COUNTED = re.compile(r"\d{1,3} (?!h |min |rue )[a-z]+(?: [a-z]+)?")
"""« 2 intéressés »"""
_OF_MESSAGES = re.compile(
    r"\b(?:destinataires?|repondre|imprim\w*|diffus\w*|oubli\w*|hesit\w*|confidentiel\w*|communiqu\w*|internet|messages?|merci|svp|remplir|signer|"
    r"salle|questions?|possible|besoin|joindre|ci joint|plait|bonjour|cordialement|dispo\w*|envoy\w*|retour\w*|horaires?|apporter|venir)\b"
)


def is_decorated(text: str) -> bool:
    """« — Renforts — », « ## Renforts »"""
    return text.startswith("#") or (text[:1] in "=*_-–—[" and text[-1:] in "=*_-–—]")


def is_only_signs(text: str) -> bool:
    """« 🔴 » over names; not « 🟢 » or « ✓ », which deny nothing."""
    signs = [sign for sign in text if not sign.isspace()]
    return (
        bool(signs)
        and all(unicodedata.category(sign) == "So" for sign in signs)
        and not set(signs) & set("🟢✅✔✓☑👍🙂😀💚")
    )


_OF_EVERYBODY = re.compile(
    r"^(?:tous|toutes|ils|elles|tout le monde) .*(?:absent|excuse|echoue|refuse|ajourne|rate|annule|abandonne)\w*|\bne pas (?:valider|traiter|donner|delivrer|badger)\b|"
    r"^(?:sauf|excepte) (?:le|la|les) \d|^(?:\d{1,3} )?personne n\b|^(?:liste|feuille|fichier)s? (?:de|d|du) (?:l )?(?:an|annee|mois) (?:derniere?|passee?|precedente?)\b"
)
_OF_ALL = re.compile(
    r"\bn(?:e)? (?:\w+ ){1,4}(?:pas|plus|jamais)\b|\bne (?:surtout )?pas\b|\bpas encore\b|\baucune? (?:\w+ ){0,4}ne?\b|\bseule?s?\b|\buniquement\b|"
    r"\bannulee?s?\b|\bprovisoires?\b|\b(?:filles|garcons) .{0,60}(?:absent|excuse|refuse|ajourne)\w*"
)
_LOOKS = re.compile(
    r"\b(?:en |noms? (?:en )?|lignes? (?:en )?)(?:majuscules?|minuscules?|capitales?|gras|italique|rouge|vert|jaune|orange|bleu|gris|couleur)\b|"
    r"\b(?:noms?|ceux|celles|lignes?|personnes|eleves) (?:\w+ )?(?:surlign|soulign|barre|coch|encadre|entoure|grise)\w*|"
    r"\b(?<!quipe )(?<!groupe )(?<!table )(?:vert|rouge|orange|jaune|bleu|gris|rose|violet|barre|souligne|surligne|gras|italique)e?s?\s*[:=]"
)
_NUMBERS = re.compile(
    r"\b\d{1,2}\s*(?:,|et|&|/)\s*\d{1,2}\b(?!\s*(?:h|ans))|^\s*[\[(]?\d{1,2}[\])]\s+\S|^\s*[¹²³⁴]\s*\S"
)
_BY_PLACE = re.compile(
    r"\b(?:le|la|les)(?: (?:deux|trois|quatre|cinq|\d))? (?:toute?s? )?(?:premier|derniere?|dernier)e?s?(?! (?:seance|session|jour|journee|atelier|fois|semaine|module|cours|annee|"
    r"trimestre|semestre|etage|heure|minute|degre|partie|delai|etape|rang)s?\b)|\blignes? \d|\bnumeros? (?:pairs?|impairs?|\d)|\b(?:le|les|du) no? \d|"
    r"\bles (?:garcons|filles|hommes|femmes|majeure?s|mineure?s|nouveaux|anciens|autres|adultes|jeunes)\b|\breservee?s? aux?\b|"
    r"\ba partir d[eu] [a-z]|\bjusqu (?:a|au) (?!\d+ ?h)\w|\bavant dernier|\bdu milieu\b|\b(?:ils|elles) sont tou|\bcette liste est\b|\bliste a (?:jeter|refaire|revoir|oublier)|\bancienne version\b|"
    r"\bn ?\d{1,3} et n ?\d|\bles \d{1,2} (?:\d{1,2} )*(?:et )?(?:\d{1,2} )?(?:sont|ont|n|ne)\b|"
    r"\bpour (?:le|la|les) \d|^\d{1,2} a (?:supprimer|retirer|enlever|revoir)|\bmoins de \d+ (?:non|pas)|\bil fallait\b|\b(?:a partir de|plus de|moins de) \d+ ans\b|"
    r"^(?:le )?(?:second|premier|deuxieme|troisieme|dernier) groupe\b|^groupe (?:\d{1,2}|[a-d]) \w+(?:e|a|ont)$|\bnumeros (?:superieur|inferieur)|"
    r"\ble groupe \w{1,3} (?:\w+(?:a|ont|ait|aient|e)|n|ne|est)\b|"
    r"\b\d{1,2} ?(?:e|er|ere|eme|nd|nde) (?:ligne|nom|personne|inscrite?|participante?|eleve|stagiaire|de la liste)\b|"
    r"\b(?:le|la|du|les) \d{1,2} (?:est|etait|sera|n|ne|a(?! \d))\b"
)
"""« Les deux derniers », « Ligne 3 », « Les garçons », « Le groupe 2 passera en mai »"""
_SOME = re.compile(r"\b(?:valid|badge|pr[ée]sent|absent|acqui)[^\W\d]{0,3} ?:? ?\d{1,2} ?(?:,|et|à|&) ?\d")
"""« Validés : 1, 3, 5 », not « Présents : 12 / 24 »"""
_SIGN = re.compile(r"^[\s(]*+(?:[*†‡§#°]|[xXvV✓✔])\s{0,3}[:=]?\s\s*+\S")


_WRITTEN = {"un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6}
_ABSENT = r"(?:absente?s?|excusee?s?|abandons?|desistements?|dispensee?s?|malades?)"
_COUNTED_ABSENT = re.compile(
    rf"\b(\d{{1,3}}|{'|'.join(_WRITTEN)}) {_ABSENT}\b|(?:^|\bnombre d |\bnb d ?|\bet |\b\d+ ){_ABSENT} (\d{{1,3}})\b"
)
_COUNTED_PRESENT = re.compile(
    r"(?:^|[,;(–-]|\bdont|\bet)\s*(\d{1,3})\s+(?:élèves |stagiaires |personnes )?présente?s?\b|\bprésente?s?(?:\(e\)s?)?\s*[:=;]\s*(\d{1,3})(?![\d/.,h]|\s*(?:/|sur\b|h\b|%))",
    re.IGNORECASE,
)


def contradicts_counts(lines: Sequence[Line]) -> Line | None:
    """The line with a number that the list contradicts: « 2 absents » without any, « Présents : 4 » over six names."""
    marked = sum(
        bool(line.name) and bool(OF_PRESENCE & {doubt.reason for doubt in line.doubts}) for line in lines
    )
    ready = sum(line.state is State.READY for line in lines)
    absent = present = 0
    telling = None
    for line in lines:
        if (
            line.state is State.READY
            or mentions_in(line.text)
            or is_one_name(line.text)
            or is_one_name(line.name)
        ):
            continue
        for cell in re.split(r"[;\t|]", re.sub(r"(\w)\s*;\s*(?=\d+\s*$)", r"\1 : ", line.text)):
            for found in _COUNTED_ABSENT.finditer(fold(cell)):
                count = found[1] or found[2]
                absent += _WRITTEN.get(count) or int(count)
                telling = telling or line
        for found in _COUNTED_PRESENT.finditer(line.text):
            present += int(found[1] or found[2])
            telling = telling or line
    return telling if absent > marked or 0 < present < ready else None


def concerns_all(text: str, *, names_somebody: bool) -> bool:
    """« Aucun n’a validé pour l’instant », « en gras : présents », « (2 et 4 absents) »: whom it means cannot be read."""
    folded = fold(text)
    if (
        re.search(r"\bseule?s?\b|\buniquement\b|\b(?:j ai|il y a|y a|y avait|on a) que\b", folded)
        and len(folded.split()) > 2
    ):
        return not _OF_MESSAGES.search(folded)
    if names_somebody:
        return False
    if _OF_EVERYBODY.search(folded):
        return True
    text = re.sub(r"(?i)\bpages? \d+ ?(?:/|sur) ?\d+", " ", text)
    lowered = " ".join(text.lower().split())
    if re.fullmatch(r"(?:et|&)\s*\d{1,2}", lowered):
        # « Absents : 3 et 5 »
        return True
    if _LOOKS.search(folded) or _LOOKS.search(lowered):
        return True
    if re.match(r"\s*\(\d{1,2}\)\s*=", text) or _SOME.search(lowered):
        return True
    if _BY_PLACE.search(folded) and len(folded.split()) > 2 and not _OF_MESSAGES.search(folded):
        return True
    says = bool(denial_in(text) or status_in(text)) or affirms(re.sub(r"^\W+", "", text))
    if says and (
        _NUMBERS.search(text) or ("=" in text and _SIGN.match(text)) or re.match(r"\s*[*†‡]\s*\S", text)
    ):
        return True
    return bool(_OF_ALL.search(folded)) and not _OF_MESSAGES.search(folded)


_CODE = re.compile(r"(?<![^\s,;(:])([^\W_]{1,4})\s*[=:]\s*([^,;:=/|()]{2,40})")
_NUMBERED = re.compile(r"(?<![\w./])(\d{1,2})\s+([^\W\d][^-–—,;/|\d]{3,40})")
_BRACKETED = re.compile(r"\(([^\W_]{1,3})\)\s*([^\W\d][^()\d]{2,40})")
"""« (a) stagiaire (b) accompagnateur »"""
_LEGEND = re.compile(r"(?:legende|codes?|lecture|niveaux?|echelle)\b")
_LETTER = re.compile(r"[A-Z]{1,2}")
_OF_LETTERS = re.compile(r"\W*([A-Za-z]{1,3})\W*?:")


def is_legend(text: str) -> bool:
    """« P = présent, A = absent »: codes that are read beside each name."""
    pairs = _CODE.findall(text)
    return len(pairs) > 1 and text.count("=") == len(pairs)


def doubt_codes(lines: Sequence[Line]) -> list[Line]:
    """« P = présent, D = démissionnaire » below a table: what a sign beside a name means."""
    meant = _legend_of(lines)
    tokens = [_tokens_of(line) for line in lines]
    held = set().union(
        *(found for line, found in zip(lines, tokens, strict=True) if line.state is State.READY)
    )
    odd = {
        code: status_in(words) or Reason.EXTRA
        for code, words in meant.items()
        if code in held
        and not affirms(words)
        and not is_neutral(words)
        and not set(fold(words).split()) & PARTICIPANTS
    }
    good = {code for code, words in meant.items() if code in held and affirms(words)}
    letters = _unlike_present(lines) | _unknown_ends(lines)
    labelled = _under_letters(lines)
    found = []
    for line, own in zip(lines, tokens, strict=True):
        if line.state is State.READY:
            if code := next((code for code in odd if code in own), ""):
                line = line.doubting(odd[code], code)
            elif good and not good & own:
                line = line.doubting(Reason.UNTICKED)
            elif line.text.split()[-1:] and line.text.split()[-1] in letters:
                line = line.doubting(Reason.EXTRA, line.text.split()[-1])
            elif (line.line, line.sheet) in labelled:
                line = line.doubting(Reason.UNTICKED)
        found.append(line)
    return found


def _legend_of(lines: Sequence[Line]) -> dict[str, str]:
    meant: dict[str, str] = {}
    rows: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for line in lines:
        if line.state is State.READY:
            continue
        pairs = _CODE.findall(re.sub(r"\s[-–—]\s", " ; ", line.text))
        is_legend = bool(_LEGEND.match(fold(line.text)))
        if (pairs and ("=" in line.text or is_legend or len(pairs) > 1)) or (
            is_legend and len(pairs := _NUMBERED.findall(line.text)) > 1
        ):
            meant.update(pairs)
        if len(bracketed := _BRACKETED.findall(line.text)) > 1:
            meant.update((code, words.strip()) for code, words in bracketed)
        cells = [cell.strip() for cell in re.split(r"[;\t|]", line.text)]
        if len(cells) == 2 and 0 < len(cells[0]) <= 4 and len(cells[1]) > 3:
            rows[line.sheet].append((cells[0], cells[1]))
    for found in rows.values():
        if len(found) > 1:
            meant.update(found)
    return meant


def _tokens_of(line: Line) -> set[str]:
    return {cell.strip(" ()[]") for cell in re.split(r"[;,\t|]", line.text)} | {
        word.strip("()[]") for word in line.text.split() if len(word.strip("()[]")) <= 4
    }


def _unlike_present(lines: Sequence[Line]) -> set[str]:
    """Of letters that end most lines, « P » among them, all that are no presence."""
    ends = [line.text.split()[-1] for line in lines if line.name and line.text.split()]
    letters = [end for end in ends if _LETTER.fullmatch(end)]
    good = {"V", "P", "OK"} if "V" in letters else {"P", "X", "OK"}
    return (
        set(letters) - good
        if letters and {"P", "V"} & set(letters) and 5 * len(letters) >= 3 * len(ends)
        else set()
    )


_TOKEN_AT_END = re.compile(r"(?:\s[-–—:=]\s{0,3}|\t|\s\s|\s\()([^\W\d]{1,4}\.?)\)?$")


def _unknown_ends(lines: Sequence[Line]) -> set[str]:
    """Of several codes that stand behind most names, « TF » and « D » or « p » and « m », those that are no clear yes."""
    named = [line for line in lines if line.state is State.READY]
    ends = [found[1] for line in named if (found := _TOKEN_AT_END.search(line.text.rstrip()))]
    if (
        len(ends) < 3
        or 3 * len(ends) < 2 * len(named)
        or len(set(ends)) < 2
        or 2 * len(set(ends)) > len(ends)
        or set(ends) <= {"M", "F"}
        or set(ends) <= {"H", "F"}
    ):
        return set()
    return {
        end for end in ends if not affirms(end) and not is_class(end) and fold(end) not in ("x", "p", "v")
    }


def _under_letters(lines: Sequence[Line]) -> set[tuple[int, str]]:
    """Lines that begin with « A : » or « E : », where another begins with « P : »."""
    found: Mapping[str, set[tuple[int, str]]] = defaultdict(set)
    for line in lines:
        if label := _OF_LETTERS.match(line.text):
            found[label[1].upper()].add((line.line, line.sheet))
    return (
        set().union(*(places for label, places in found.items() if label != "P")) if "P" in found else set()
    )


_LABEL_OF_NAMES = re.compile(r"\s*([^\W\d][^:@;|\t]{1,40}?)(\s*:\s*|\t+|\s{2,})(\S.*)", re.DOTALL)


def label_before_names(text: str) -> tuple[Reason | None] | None:
    """« Absents : Léa Petit, », where the list continues in the lines below; for « Présents : … », a label that denies nothing."""
    found = _LABEL_OF_NAMES.fullmatch(text)
    if (
        not found
        or found[3].startswith("//")
        or not (text.islower() or any(sign.isupper() for sign in found[3]))
        or len(found[1].split()) > 5
    ):
        return None
    is_label, status = section_status(found[1])
    if ":" not in found[2] and not is_label and (len(found[1].split()) < 2 or not denial_in(found[1])):
        # « Parent ; Julie » in a table is a name.
        return None
    is_word = section_status(found[1])[0] or set(fold(found[1]).split()) & LEADERS
    if (
        is_word
        and not text.rstrip().endswith((",", ";"))
        and not any(word.endswith("s") for word in fold(found[1]).split())
    ):
        # « Formatrice : Lise Borel »
        return (None,) if is_label and not status else None
    if is_label:
        return (status,)
    if announces_participants(found[1]) and not is_plain_label(found[1]):
        return (None,)
    said = meaning_of_label(found[1])
    return (said,) if said else None


_FIRST_WORD = re.compile(
    r"\s*(absente?s|excusee?s|excuse e s|abs|exc|dispensee?s|malades|desistements?|refusee?s|ajournee?s|manquai\w+|manquent|"
    r"pas la|sans|hors|hormis|exceptee?s?|sauf|moins|accompagnateurs|accompagnatrices|encadrante?s|formateurs|formatrices|intervenante?s)\s+[^\W\d]",
    re.IGNORECASE,
)
_LAST_WORDS = re.compile(r"(?:\(([^()]{3,40})\)|[=→]\s{0,3}([^=()]{3,40}))\W{0,5}$")


def status_of_all(text: str) -> Reason | None:
    """« Absents Léa Petit, Tom Roux », « Léa Petit, Tom Roux (absents) »: one term in the plural about each of them."""
    if (first := _FIRST_WORD.match(fold(text))) and not re.match(r"[^:]{1,40}:", text):
        return Reason.LEADER if first[1] in LEADERS else status_in(first[1]) or Reason.ABSENT
    if found := _LAST_WORDS.search(text):
        said = found[1] or found[2]
        if (
            re.search(r",|\bet\b|&|\+", text[: found.start()])
            and fold(said).split()[-1:]
            and fold(said).split()[0].endswith("s")
        ):
            return status_in(said) or denial_in(said)
    return None
