"""What a list states about itself: headings that are sentences, legends, notes about all of its people."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence

from app.domain.imports.lists.mentions import is_one_name, mentions_in
from app.domain.imports.lists.model import OF_PRESENCE, Line, Reason, State
from app.domain.imports.lists.vocabulary.names import (
    fold,
    is_in_dictionary,
    is_less_common_word,
    may_be_given,
)
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
from app.domain.imports.lists.vocabulary.wording import (
    HEADING_WORDS,
    LEADERS,
    OF_OTHERS,
    OTHER_PARTS,
    PARTICIPANTS,
)

_NOBODY = re.compile(
    r"[^:@]{2,40}:\s*(?:personne|aucun(?:e?|e? inscriptions?|e? inscrite?s?)|néant|neant|rien)\W*",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"(?:nb|nota(?: bene)?|rappel|attention|a noter|info) |(?:merci de|pensez a|penser a|veuillez|n oubliez pas de) "
)
_BRING = re.compile(
    r"(?:prevoir|apporter|amener|rapporter|porter|prendre|se munir|venir avec)\b (?!(?:a|la place|contact)\b)"
)
_PEOPLE_IN_NOTE = re.compile(
    r"\b(?:pour|par|sauf|chez|ceux|celles?|certaine?s?|quelques|autres|eux|elles?|ils?|qui|que|dont|place|note|compte|deja|ne|pas|tous|toutes|premi\w+|derni\w+)\b"
)


def names_nobody(text: str) -> bool:
    """« Mercredi : personne »"""
    return bool(_NOBODY.fullmatch(text.strip())) and not is_one_name(text.partition(":")[0])


_FOR_NAMES = re.compile(
    r"(?:(?:bonjour|bonsoir|salut|coucou)(?: \w+)? )?(?:peux tu|tu peux|pourrais tu|pouvez vous|pourriez vous|merci de) (?:bien vouloir )?(?:m|me|nous) "
    r"(?:envoyer|donner|transmettre|communiquer|renvoyer) (?:les noms|la liste|tes noms|ta liste|vos noms|votre liste)(?: s il (?:te|vous) plait| stp| svp)?"
)


def asks_for(text: str) -> bool:
    """« NB : prévoir des chaussures fermées », « Peux-tu m’envoyer les noms ? »: of things, and of no person."""
    said = fold(text)
    if _FOR_NAMES.fullmatch(said):
        return True
    while found := _NOTE.match(said):
        said = said[found.end() :]
    found = _BRING.match(said)
    rest = said[found.end() :] if found else ""
    words = set(rest.split())
    return (
        found is not None
        and len(words) < 12
        and not _PEOPLE_IN_NOTE.search(rest)
        and not words & (PARTICIPANTS | LEADERS | OTHER_PARTS | OF_OTHERS)
        and not (status_in(rest) or denial_in(rest) or is_not_yet(rest) or mentions_in(text) or "?" in text)
    )


def is_remark_on_one(text: str) -> bool:
    """« (excusé) » below a name, not « (2 absents) », « (excusés) »."""
    return bool(_REMARK.fullmatch(text)) and denial_in(text) is not None and not mentions_in(text)


_REMARK = re.compile(r"\((?!.*\w{4}s\b)[^()\d]{2,40}\)")


def without_program(text: str) -> str:
    """« Export Yparéo », « Extraction Hyperplanning du 03/02 »: the name of a program, in no dictionary."""
    found = _EXPORTED.search(text)
    word = found[1] if found else ""
    is_term = word[-1:] in "sx" or denial_in(word) or may_be_given(word) or is_in_dictionary(word)
    return text if is_term else text.replace(word, "")


_EXPORTED = re.compile(r"\b(?:[Ee]xport|[Ee]xtraction) (?:de |d['’])?([A-ZÀ-Þ][\w.-]+)")


_OF_ONE = re.compile(
    r"(\w+(?: \w+)?) (?:est|etait|s est|a du|a ete|sera|n est pas|n etait pas) ?(?:partie?|arrivee?|venue?|restee?|la|absente?|excusee?|malade|en retard|sortie?|repartie?|partir|dispensee?)?"
    r"(?: (?:en retard|plus tot|plus tard|en avance|ce matin|cet apres midi|le matin|l apres midi|hier|(?:a|vers|avant|apres|jusqu a|des) \d{1,2}(?: ?h(?: ?\d\d)?)?))*"
)


def speaks_of_one(text: str, lines: Sequence[Line]) -> bool:
    """« Baptiste est parti à 11 h. », where one person of the list has that given name."""
    found = _OF_ONE.fullmatch(fold(text))
    named = [
        line for line in lines if line.state is not State.REFUSED and line.text != text and line.family_name
    ]
    return found is not None and sum(fold(line.given_name) == found[1] for line in named) == 1


_SUCCEEDED = re.compile(
    r"\b(?:ayant|ont|a|qui ont) (?:bien |tous |toutes )?(?:obtenu|suivi|participe|valide|reussi|assiste|recu)\b|\bdeclare\w* (?:admis|recus?|admises)\b|"
    r"\battribue(?:r|s)? (?:le|les|ce|un) badges?\b|\bfelicitations?\b|\bnouveaux certifies\b|\b(?:participants|eleves|stagiaires|personnes) (?:presents|presentes|certifies|certifiees)\b|"
    r"\b(?:etai\w+|est|sont) (?:bien |tous |toutes )?(?:la|presente?s|venue?s)\b|\b(?:participants|inscrits|inscrites|stagiaires|eleves|presents|jeunes|apprentis|apprenants|candidats)(?: definiti\w+| confirme\w+| retenue?s)? sont$|"
    r"\b(?:ont|a|ayant) eu (?:le|la|l|leur) (?:permis|badge|diplome|certificat|caces|habilitation|attestation|certification)\b|"
    r"\b(?:je|nous) (?:vous )?confirm(?:e|ons) (?:l|les|leur|leurs) inscriptions?\b|\bpersonnes que (?:nous|je) (?:vous )?(?:envoyons|envoie|inscrivons|inscris|adressons|adresse)\b"
)


def tells_success(text: str) -> bool:
    """« Candidats déclarés admis : », « Les personnes suivantes ont suivi la formation : »: those who took part are named below."""
    folded = fold(text)
    return bool(_SUCCEEDED.search(folded)) and not (
        _DENIES.search(folded) or denial_in(text) or is_not_yet(text) or "?" in text
    )


_DENIES = re.compile(
    r"\b(?:ne|n|non|pas|plus|jamais|aucune?|sauf|sans(?! exception)|si|sous reserve|reserve|demain|bientot|prochaine?s?|previsionnel\w*|doi(?:t|vent)|"
    r"devr\w+|souhait\w+|voudr\w+|pourr\w+|peuvent|vont|viendr\w*|seront?|sera|fer(?:a|ont)|attend\w*|manqu(?:e|ent|ait|aient)|retirer|enlever|supprimer|annule\w*|provisoires?|"
    r"brouillon|rate|refaire|repass\w+|recommenc\w+|a la place|faux bond|dernier|deja|rattrapages?)\b"
)


def is_decorated(text: str) -> bool:
    """« — Renforts — », « ## Renforts »"""
    return text.startswith("#") or (text[:1] in "=*_-–—[" and text[-1:] in "=*_-–—]")


def is_row_of_capitals(line: Line, first: Sequence[str]) -> bool:
    """« LI Shulan », « Zarina LI », « KOVALENKO Zabihullah annulé »: no label"""
    return (
        bool(line.given_name and line.family_name)
        and len(first) == 2
        and first[0].isupper() != first[1].isupper()
        and line.text.lstrip(" →•-–*0123456789.)").startswith(first[0])
        and not any(is_less_common_word(word) or status_in(word) for word in first)
        and not HEADING_WORDS.intersection(map(fold, first))
    )


def is_only_signs(text: str) -> bool:
    """« 🔴 » over names; not « 🟢 » or « ✓ », which deny nothing."""
    signs = [sign for sign in text if not sign.isspace()]
    return (
        bool(signs)
        and all(unicodedata.category(sign) == "So" for sign in signs)
        and not set(signs) & set("🟢✅✔✓☑👍🙂😀💚")
    )


_WRITTEN = {"un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6}
_ABSENT = r"(?:absente?s?|excusee?s?|abandons?|desistements?|dispensee?s?|malades?)"
_COUNTED_ABSENT = re.compile(
    rf"\b(\d{{1,3}}|{'|'.join(_WRITTEN)}) {_ABSENT}\b|(?:^|\bnombre d |\bnb d ?|\bet |\b\d+ ){_ABSENT} (\d{{1,3}})\b"
)
_COUNTED_PRESENT = re.compile(
    r"(?:^|[,;:(–-]|\bdont|\bet|\bsoit|\btotal)\s*(\d{1,3})\s*(?:(?:/|sur)\s*\d{1,3}\s*)?\s(?:élèves |stagiaires |personnes )?présente?s?\b|"
    r"\bprésente?s?(?:\(e\)s?)?\s*[:=;]\s*(\d{1,3})(?![\d/.,h]|\s*(?:/|sur\b|h\b|%))|\bprésente?s?\s+(\d{1,3})\s*$",
    re.IGNORECASE,
)
_PEOPLE = (
    r"(?:participante?s?|stagiaires?|eleves?|personnes?|inscrite?s?|apprenante?s?|apprentie?s?|candidate?s?|etudiante?s?|"
    r"validee?s?|recue?s?|admis|admises|certifiee?s?|diplomee?s?)"
)
_COUNTED_PEOPLE = re.compile(
    rf"(?:soit |total |au total )?(\d{{1,3}}) {_PEOPLE}(?: sur \d{{1,3}}| au total| en tout)?|(?:total |nombre de |nombre d |nb )?(?:effectif|{_PEOPLE})(?: total)? (\d{{1,3}})"
)


def contradicts_counts(lines: Sequence[Line]) -> Line | None:
    """The line with a number that the list contradicts: « 2 absents » without any, « Présents : 4 » or « 4 stagiaires » over six names."""
    marked = sum(
        bool(line.name) and bool(OF_PRESENCE & {doubt.reason for doubt in line.doubts}) for line in lines
    )
    ready = sum(line.state is State.READY for line in lines)
    absent = present = listed = 0
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
            present += int(found[1] or found[2] or found[3])
            telling = telling or line
        # « 2. Participants » is a section.
        is_numbered = re.match(r"\s*\d+\s?[.)°]", line.text)
        if not is_numbered and (total := _COUNTED_PEOPLE.fullmatch(fold(line.text))):
            listed += int(total[1] or total[2])
            telling = telling or line
    return telling if absent > marked or 0 < present < ready or 0 < listed < ready else None


_CODE = re.compile(r"(?<![^\s,;(:])([^\W_]{1,4})\s*[=:]\s*([^,;:=/|()]{2,40})")
_NUMBERED = re.compile(r"(?<![\w./])(\d{1,2})\s+([^\W\d][^-–—,;/|\d]{3,40})")
_BRACKETED = re.compile(r"\(([^\W_]{1,3})\)\s*([^\W\d][^()\d]{2,40})")
"""« (a) stagiaire (b) accompagnateur »"""
_LEGEND = re.compile(r"(?:legende|codes?|lecture|niveaux?|echelle)\b")
_LETTER = re.compile(r"[A-Z]{1,2}")
_OF_LETTERS = re.compile(r"\W*([A-Za-z]{1,3})\W*?:")


def is_legend(text: str) -> bool:
    """« P = présent, A = absent »: codes that are read beside each name."""
    pairs = _CODE.findall(text.replace('"', " "))
    stated = [code for code, said in pairs if affirms(said) or status_in(said)]
    return len(pairs) > 1 and (
        (text.count("=") == len(pairs) and bool(stated))
        or (text.count(":") == len(pairs) == len(stated) and all(map(str.isupper, stated)))
    )


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
            elif (end := _end_of(line)) in letters:
                line = line.doubting(Reason.EXTRA, end)
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
    ends = [_end_of(line) for line in lines if line.name and line.text.split()]
    letters = [end for end in ends if _LETTER.fullmatch(end)]
    good = {"V", "P", "OK"} if "V" in letters else {"P", "X", "OK"}
    return (
        set(letters) - good
        if letters and {"P", "V"} & set(letters) and 5 * len(letters) >= 3 * len(ends)
        else set()
    )


def _end_of(line: Line) -> str:
    """« A » of « Marie DUPONT......A »"""
    return (re.split(r"\s+|[.…_]{4,}", line.text.rstrip()) or [""])[-1]


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
    is_word = (
        section_status(found[1])[0] or set(fold(found[1]).split()) & (OTHER_PARTS | OF_OTHERS) - _OF_SEVERAL
    )
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


_OF_SEVERAL = frozenset(("jury", "staff"))
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
