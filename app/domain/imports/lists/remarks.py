"""What stands beside a name: presence, ticks, hours, classes, ages, and remarks that change nothing."""

from __future__ import annotations

import re

from app.domain.imports.lists.model import Reason
from app.domain.imports.lists.names import CIVILITIES, fold


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


HOURS = re.compile(
    r"(?<![\w.,])\d{1,3}(?:[.,]\d{1,2})?\s?(?:h(?:eures?)?\s?\d{0,2}|min)(?![\w])", re.IGNORECASE
)


_TICKS = frozenset(("x", "✓", "✔", "☑", "☒", "✅", "oui", "o", "1", "vrai", "true", "yes", "y", "p", "present", "presente", "ok", "•", "●", "■", "v", "√", "🗸", "❌", "✗", "✘", "þ"))  # fmt: skip


_UNTICKED = frozenset(("", "non", "n", "0", "faux", "false", "no", "-", "—", "–", "☐", "□", "/", "o/n"))


_AGE_UNDER, _AGE_FROM = (
    {"moins de 15 ans", "moins de 15"},
    {"15 ans ou plus", "15 ans et plus", "15 17 ans", "adulte", "majeur", "majeure"},
)


_CLASS = re.compile(
    r"(2(nde|de|nd)?|1(ere|re)?|t(erm|le|ale|erminale)?|3e?m?e?|4e?m?e?|5e?m?e?|6e?m?e?|seconde|premiere|terminale|"
    r"troisieme|bts|cap|bac|but|bp|mc|tp|ta?sti2?d?|master|licence|l[123]|m[12]|dut|cp[aeg]?|pro|stmg|sti2d|st2s|std2a|"
    r"tmelec|mco|sio|ndrc|gpme|melec|msp[ac]|assp|agora|upi2a|ulis|segpa|dnmade|apprenti|apprentie|g\d|gr\d|groupe|classe|"
    r"annee|an|ere|eme|nde|[a-z]?\d{1,3}[a-z]{0,6}\d?|[a-z]{1,7}\d{1,2}[a-z]?|[a-h])"
)


_STATUS_STEMS = (
    (Reason.EXCUSED, re.compile(r"\b(excus\w*|justifi\w*|malad\w*|dispens\w*)")),
    (Reason.ABSENT, re.compile(r"\b(absen\w*|abs|non venue?s?|pas venue?s?|ne s est pas presente\w*|defaillant\w*|non presente?s?|pas presente?s?|manquante?s?|no show|n est pas venue?)\b")),
    (Reason.ABSENT, re.compile(r"\b(?:ne|n) (?:\w+ )?(?:vien\w*|peu\w*|pourr\w*|ser\w*|particip\w*|assist\w*|souhait\w*|etai\w*)(?: \w+)? (?:pas|plus|jamais)\b|\b(?:peu\w*|pourr\w*|viens?|vient|viendr\w*|serai?) pas\b|\b(?:ne|n) (?:\w+ ){0,2}(?:pas|plus|jamais) (?:pu|ete|etre|venue?|presente?|participe|la|disponible|inscrite?)\b|\b(?:in|pas )disponible\b|\bempeche\w*\b|\bdesolee?\b")),
    (Reason.WITHDRAWN, re.compile(r"\b(annul\w*|desist\w*|abandon\w*|demission\w*|liste d attente|liste attente|desinscri\w*|retire\w*|supprim\w*|en attente|rembours\w*|not attending|did not (?:attend|join)|not checked in|waitlist\w*|waiting list|refund\w*|refuse\w*|declined?|exclue?s?|radie\w*|non valide\w*|non retenue?s?|parti|partie|quitte(?:e|es|s|r|nt)?|reporte\w*|ne vient plus|ne viendra pas|cancell?ed|tentative|provisoire)\b")),
)  # fmt: skip


_PRESENT = re.compile(
    r"\b(present|presente|presents|presentes|presence|confirme|confirmee|inscrit|inscrite|valide|validee|accepted|accepte|oui|ok|retard|retards|retardataire|retardataires|en retard|late|attending|checked in|registered|attended|a participe|paye|payee|regle|reglee|admis|admise|en cours|termine|terminee|suivi|suivie|venu|venue|completed|complet|actif|active|sera la)\b"
)


STATUS_WORDS = _set(
    """absent absente absents absentes abs excuse excusee excuses excusees present presente presents presentes retard retards
    inscrit inscrite inscrits inscrites annule annulee abandon desistement participants participant"""
)


def status_in(text: str) -> Reason | None:
    """The state of presence that a text names; None for present, if late, or for nothing."""
    folded = fold(text)
    if not folded or re.search(r"\b(aucune? absence|pas d absence|0 absence|sans absence)\b", folded):
        return None
    return next((reason for reason, stem in _STATUS_STEMS if stem.search(folded)), None)


def says_present(text: str) -> bool:
    return bool(_PRESENT.search(fold(text)))


_CODES = {
    "a": Reason.ABSENT, "abs": Reason.ABSENT, "ab": Reason.ABSENT, "aj": Reason.EXCUSED, "ae": Reason.EXCUSED,
    "anj": Reason.ABSENT, "non": Reason.ABSENT, "n": Reason.ABSENT, "0": Reason.ABSENT, "e": Reason.EXCUSED,
    "exc": Reason.EXCUSED, "ex": Reason.EXCUSED, "no": Reason.ABSENT,
    "faux": Reason.ABSENT, "false": Reason.ABSENT, "d": Reason.WITHDRAWN, "j": Reason.EXCUSED,
}  # fmt: skip


_BOXES = re.compile(r"([☒☑✓✔✅]|\[[xX]\]|[☐□]|\[ ?\])\s*([^\W\d_]+)")


def chosen_in(cell: str) -> str:
    """« ☐ Oui ☒ Non » is a no."""
    boxes = _BOXES.findall(cell)
    if len(boxes) < 2:
        return cell
    return " ".join(word for box, word in boxes if box[:1] not in "☐□" and box not in ("[]", "[ ]"))


NEUTRAL = _set(
    """benevole salarie salariee apprenti apprentie apprentis stagiaire etudiant etudiante eleve lyceen lyceenne externe interne
    titulaire membre adherent adherente invite invitee guest member attendee participant participante demandeur demandeuse emploi
    pensionnaire demi cdi cdd cadre employe employee retraite retraitee independant independante collegien collegienne alternant
    alternante libre boursier boursiere majeur mineur nouveau nouvelle ancien ancienne redoublant redoublante visiteur exposant"""
)


def is_neutral(cell: str) -> bool:
    """A status unrelated to presence."""
    return bool(set(fold(cell).split()) & NEUTRAL)


def status_of_code(cell: str) -> Reason | None:
    """« A », « ABS », « Exc. » in a column of presence."""
    if cell.strip() in ("❌", "✗", "✘", "☐", "□"):
        return Reason.UNTICKED
    return status_in(cell) or _CODES.get(fold(cell))


def is_ticked(cell: str) -> bool:
    text = cell.strip().casefold()
    if text in ("❌", "✗", "✘"):
        return False
    return text in _TICKS or (fold(cell) in _TICKS and bool(fold(cell)))


def is_crossed(cell: str) -> bool:
    """In a column of absences any mark but a no is one."""
    return cell.strip().casefold() not in _UNTICKED and not re.fullmatch(r"0+(?:[.,]0+)?\s*h?", cell.strip())


def section_status(text: str) -> tuple[bool, Reason | None]:
    """Whether a row is a label of presence over the rows below it, and which."""
    folded = fold(re.sub(r"\(.*?\)|\d+", " ", text))
    words = folded.split()
    if not words or len(words) > 5 or "@" in text:
        return False, None
    rest = [
        word
        for word in words
        if word
        not in _set(
            "les la liste des eleves stagiaires participants personnes et non e s apprentis inscrits etudiants etaient etait sont ont ete aussi est"
        )
    ]
    if rest and all(
        re.fullmatch(
            r"(absen\w*|abs|excus\w*|retard\w*|justifi\w*|desist\w*|annul\w*|abandon\w*|en|attente|d|injustifie\w*|demission\w*)",
            word,
        )
        for word in rest
    ):
        late = all(word.startswith("retard") or word == "en" for word in rest)
        return True, None if late else status_in(folded) or Reason.ABSENT
    if rest and all(re.fullmatch(r"present\w*|confirme\w*|venus?", word) for word in rest):
        return True, Reason.ABSENT if "non" in words else None
    return False, None


def age_band_of(cell: str) -> str:
    folded = fold(cell)
    if folded in _AGE_UNDER:
        return "under"
    return "from" if folded in _AGE_FROM else ""


def is_class(text: str) -> bool:
    """« 2nde 4 », « BTS MCO 1 », « TSTI2D »."""
    words = fold(text).split()
    return 0 < len(words) <= 5 and all(_CLASS.fullmatch(word) for word in words)


def hours_in(cell: str) -> tuple[float | None, bool]:
    """Hours as French people and meeting programs write them, and whether the cell could be read."""
    text = re.sub(r"\s+", "", cell.strip().lower())
    if not text or text in ("-", "—", "–", "/"):
        return None, True
    if found := re.fullmatch(
        r"(\d{1,5})(?:[.,](\d{1,2}))?(?:h(?:eures?|rs?)?(\d{1,2})?(?:m(?:in|n)?)?)?", text
    ):
        whole, decimals, minutes = found.groups()
        return float(f"{whole}.{decimals or 0}") + int(minutes or 0) / 60, True
    if found := re.fullmatch(r"(\d{1,3}):(\d{2})(?::\d{2})?", text):
        return int(found[1]) + int(found[2]) / 60, True
    spans = re.fullmatch(r"(?:(\d{1,3})h(?:ours?|eures?|rs?)?)?,?(?:(\d{1,4})m(?:in(?:utes?)?|n)?)?,?(?:(\d{1,5})s(?:ec(?:ondes?)?)?)?\.?", text)  # fmt: skip
    if spans and any(spans.groups()):
        hours, minutes, seconds = (int(part or 0) for part in spans.groups())
        return round(hours + minutes / 60 + seconds / 3600, 2), True
    return None, False


_PLACES = _set(
    "bts cap bac tp mc bp but dut licence master titre diplome 2nde 1ere terminale lycee lp lpo lgt college cfa ecole iut universite campus greta uimm mfr erea sarl sas sasu eurl snc ets entreprise societe mairie commune ville departement region association club groupe classe salle atelier batiment"
)
_SAYS_NOTHING = _set(
    "dp ext int dpdan pap pai neant aucun aucune ras rien non no nan sans elle il iel lui ils eux visio visioconference distanciel presentiel distance"
)


def speaks_for_itself(text: str) -> bool:
    """A number, a date, a class, a school, a tick, « (elle) »: nothing that changes whether this person is meant."""
    words = fold(text).split()
    return (
        not any(c.isalpha() for c in text)
        or "@" in text
        or all(any(c.isdigit() for c in word) for word in words)
        or is_class(text)
        or is_ticked(text)
        or fold(text) in CIVILITIES
        or bool(age_band_of(text))
        or bool(HOURS.fullmatch(text))
        or (says_present(text) and len(words) < 4)
        or (words[0] in _PLACES and not status_in(text))
        or all(word in _SAYS_NOTHING or word in NEUTRAL or is_class(word) for word in words)
        or bool(re.fullmatch(r"(?:https?://|www\.)\S+", text))
    )
