"""What stands beside a name: presence, ticks, hours, classes, ages, and remarks that change nothing."""

from __future__ import annotations

import re

from app.domain.imports.lists.model import Reason
from app.domain.imports.lists.vocabulary.hours import HOURS, hours_in
from app.domain.imports.lists.vocabulary.names import CIVILITIES, fold
from app.domain.imports.lists.vocabulary.wording import (
    CALENDAR,
    LEADERS,
    OF_OTHERS,
    OTHER_PARTS,
    PARTICIPANTS,
    THINGS,
    holds_judgement,
)


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


YES_OR_NO = _set("ja nein sim nao si da nu nee oui non yes no o n vrai faux true false ok ko nok")
YES = frozenset(
    ("oui", "yes", "o", "y", "vrai", "true", "1", "x", "ok", "v", "evet", "ja", "si", "sim", "da")
)
NO = frozenset(("non", "no", "n", "faux", "false", "0", "", "nein", "nao", "nu", "niet", "nee"))


_TICKS = frozenset(("x", "✓", "✔", "☑", "☒", "✅", "oui", "o", "1", "vrai", "true", "yes", "y", "p", "present", "presente", "ok", "•", "●", "■", "v", "√", "🗸", "❌", "✗", "✘", "þ", "ü"))  # fmt: skip


_UNTICKED = frozenset(("", "non", "n", "0", "faux", "false", "no", "-", "—", "–", "☐", "□", "/", "o/n"))


_AGE_UNDER, _AGE_FROM = (
    {"moins de 15 ans", "moins de 15"},
    {"15 ans ou plus", "15 ans et plus", "15 17 ans", "adulte", "majeur", "majeure"},
)


_CLASS = re.compile(
    r"(2(nde|de|nd)?|1(ere|re)?|t(erm|le|ale|erminale)?|3e?m?e?|4e?m?e?|5e?m?e?|6e?m?e?|seconde|premiere|terminale|"
    r"troisieme|bts|cap|bac|but|bp|mc|tp|ta?sti2?d?|master|licence|l[123]|m[12]|dut|cp[aeg]?|pro|stmg|sti2d|st2s|std2a|"
    r"tmelec|mco|sio|ndrc|gpme|melec|msp[ac]|assp|agora|stl|stav|upi2a|ulis|segpa|dnmade|apprenti|apprentie|g\d|gr\d|groupe|classe|"
    r"annee|an|ere|eme|nde|[a-z]?\d{1,3}[a-z]{0,6}\d?|[a-z]{1,7}\d{1,2}[a-z]?|[a-h])"
)


_STATUS_STEMS = (
    (Reason.EXCUSED, re.compile(r"\b(excus\w*|justifi\w*|malad\w*|dispens\w*)")),
    (Reason.ABSENT, re.compile(r"\b(absen\w*|abs|non venue?s?|pas venue?s?|ne s est pas presente\w*|defaillant\w*|manquai(?:t|ent)|hormis|non presente?s?|pas presente?s?|manquante?s?|no show|n est pas venue?)\b")),
    (Reason.ABSENT, re.compile(r"\b(?:ne|n) (?:\w+ )?(?:vien\w*|peu\w*|pourr\w*|ser\w*|particip\w*|assist\w*|souhait\w*|etai\w*)(?: \w+)? (?:pas|plus|jamais)\b|\b(?:peu\w*|pourr\w*|viens?|vient|viendr\w*|serai?) pas\b|\b(?:ne|n) (?:\w+ ){0,2}(?:pas|plus|jamais) (?:pu|ete|etre|venue?|presente?|participe|la|disponible|inscrite?)\b|\b(?:in|pas )disponible\b|\bempeche\w*\b|\bdesolee?\b")),
    (Reason.WITHDRAWN, re.compile(r"\b(annul\w*|desist\w*|abandon\w*|demission\w*|liste d attente|liste attente|listes? complementaires?|listes? de reserve|desinscri\w*|retire\w*|supprim\w*|enlev\w+|ray(?:er|ez|ee?s?)|barr(?:er|ez|ees?)|(?:ote|vire)[rz]|ecart(?:er|ez|ees?)|effac\w+|decoch\w+|decommand\w+|en attente|rompue?s?|rupture|resilie\w*|caduque?s?|rembours\w*|not attending|did not (?:attend|join)|not checked in|waitlist\w*|waiting list|refund\w*|refuse\w*|declined?|exclue?s?|radie\w*|non (?:inscri|admis|particip|recu|confirm|valid|retenu|present)\w*|part(?:i|ie|is|ies)|defections?|quitte(?:e|es|s|r|nt)?|reporte\w*|ne vient plus|ne viendra pas|cancell?ed|tentative|provisoire)\b")),
)  # fmt: skip


_PRESENT = re.compile(
    r"\b(present|presente|presents|presentes|presence|confirme|confirmee|inscrit|inscrite|valide|validee|accepted|accepte|oui|ok|retard|retards|retardataire|retardataires|en retard|late|attending|checked in|registered|attended|a participe|paye|payee|regle|reglee|admis|admise|termine|terminee|suivi|suivie|venu|venue|completed|complet|actif|active|sera la)\b"
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
    """« Inscrite », not « non inscrite », « inscrite par erreur », « contrat terminé »."""
    folded = fold(text)
    return bool(_PRESENT.search(folded)) and not any(
        sign.search(folded) for sign in (_NEGATION, _DENIED, _OF_SOMETHING, _NOT_YET)
    )


_YES_WORDS = _set(
    """present presente presents presentes inscrit inscrite valide validee validees valides accepted accepte acceptee oui ok attended registered
    participe suivi suivie positif positive vote venu venue entre entree complet complete completed actif active acquis acquise favorable reussi reussie recu recue assidu
    assidue passed pass admis admise confirme confirmee termine terminee excellent excellente satisfaisant satisfaisante bien ras obtenu
    controle controlee scanne scannee flashe flashee checked tres assez bon bonne travail motive motivee investi investie serieux serieuse implique impliquee
    enregistre enregistree dynamique volontaire attentif attentive curieux curieuse autonome obtenue certifie certifiee diplome diplomee maitrise maitrisee conforme apte fait rendu felicitations yes paye payee regle reglee
    confirmed joined rejoint presentiel jour retenu retenue realise realisee effectue effectuee satisfait satisfaite attending checked enabled adm rempli remplie acheve achevee atteint atteinte signe signee emarge emargee assiste donner delivrer attribuer attribue attribuee apto aptos aprobado aprobada aprobados aprobadas presentes asistio asistieron ja sim"""
)
_BESIDE_YES = _set(
    """participant participante participation stagiaire eleve definitif definitive a au aux le la les l de des du d et est ete etait tout toute toutes tous tres avec en avis toute the in atelier formation
    journee journees session module stage seance seances presentiel distanciel visio mention assez badge jury ensemble travail
    compte reunion inscription paiement service declare bon bonne parfait parfaite retard late sera definitivement"""
)
_SHARE_OF_ALL = re.compile(r"100(?:[.,]0+)? ?%")


def affirms(text: str) -> bool:
    """Nothing but terms of a yes: « validé le 12/11 », « a suivi tout l’atelier », not « présent le matin »."""
    if fold(text) in ("a l heure", "a temps", "validation totale"):
        return True
    if _SHARE_OF_ALL.fullmatch(text.strip()) or re.fullmatch(r"P \(([1-9])/\1\)", text.strip()):
        # « P (2/2) », as Moodle exports it
        return True
    words = fold(re.sub(r"\b(?:le )?\d{1,2}[/.-]\d{1,2}(?:[/.-]\d{2,4})?\b", " ", text)).split()
    return bool(set(words) & _YES_WORDS) and all(word in _YES_WORDS | _BESIDE_YES for word in words)


def affirms_by_title(heading: str) -> bool:
    """« Présent(e) », « Présent le 12/03 (O/N) »: a tick below it is a yes."""
    return affirms(re.sub(r"\([^()]{1,20}\)", " ", heading).replace("·e", "").strip(" ?"))


ASKED = _set("invite invitee invites guest invited")
"""Beside others who answered yes, these did not answer."""


_CODES = {
    "a": Reason.ABSENT, "abs": Reason.ABSENT, "ab": Reason.ABSENT, "aj": Reason.EXCUSED, "ae": Reason.EXCUSED,
    "anj": Reason.ABSENT, "non": Reason.ABSENT, "n": Reason.ABSENT, "0": Reason.ABSENT, "e": Reason.EXCUSED,
    "exc": Reason.EXCUSED, "ex": Reason.EXCUSED, "no": Reason.ABSENT,
    "faux": Reason.ABSENT, "false": Reason.ABSENT, "d": Reason.WITHDRAWN, "ko": Reason.ABSENT, "nok": Reason.ABSENT, "j": Reason.EXCUSED,
}  # fmt: skip


_BOXES = re.compile(r"([☒☑✓✔✅]|\[[xX]\]|[☐□]|\[ ?\])\s*([^\W\d_]+)")


def chosen_in(cell: str) -> str:
    """« ☐ Oui ☒ Non » is a no."""
    boxes = _BOXES.findall(cell)
    if len(boxes) < 2:
        return cell
    return " ".join(word for box, word in boxes if box[:1] not in "☐□" and box not in ("[]", "[ ]"))


NEUTRAL = _set(
    """salarie salariee apprenti apprentie apprentis stagiaire etudiant etudiante eleve lyceen lyceenne externe interne
    obligatoire requis requise required spectateur spectatrice viewer scolarise scolarisee
    titulaire membre adherent adherente invite invitee guest member attendee learner student ressource participant participante emploi
    pensionnaire demi cdi cdd cadre employe employee independant independante collegien collegienne alternant alternance apprentissage professionnalisation
    fi fa fc app cpf prf poei poec cpro contrat pro
    alternante initial initiale fp ouvrier ouvriere artisan artisane commercant commercante retraite retraitee saisonnier saisonniere interimaire fonctionnaire contractuel contractuelle libre boursier boursiere majeur mineur nouveau nouvelle redoublant redoublante"""
)
_BESIDE_NEUTRAL = _set(
    "demandeur demandeuse demandeurs de du des d l la le en et pensionnaire annee temps plein partiel h f"
)


def is_neutral(cell: str) -> bool:
    """A status unrelated to presence: « Stagiaire », not « Invité d’honneur »."""
    words = fold(cell).split()
    if words == ["en", "formation"]:
        return True
    return bool(set(words) & NEUTRAL) and all(
        word in NEUTRAL | _BESIDE_NEUTRAL or is_class(word) for word in words
    )


_NEGATION = re.compile(r"\b(?:non|pas|ne|n|sans|jamais|aucune?|not?)\b")
_DENIED = re.compile(
    r"\b(en cours d\w* (?:examen|etude|validation|traitement|instruction|verification|inscription)|"
    r"ajourn\w*|refus|opposition|suspendid\w+|aplazad\w+|retirad\w+|withdrawn|(?:on|sick|medical|parental|maternity) leave|suspensos?|suspensas?|no presentad\w+|no apt\w+|ausentes?|reprobad\w+|failed|failures?|dropped|fail|resit|deferred|in progress|(?:couldn|can|won|wasn|weren|isn|didn|hasn) t|not (?:yet )?\w+|didn t|missing|"
    r"no (?:han|ha|supera\w*|asist\w*|assist\w*)|falt(?:a|an|ou|aron|aram)|ausent\w*|pendientes?|pendentes?|abandonad\w+|nicht \w+|fehlt|fehlend|abwesend|"
    r"entschuldigt|afwezig|verontschuldigd|assenti?|nao \w+|pa te la|ezvezant|perimee?s?|obsoletes?|insuffisan\w*|convoque\w*|interesse\w*|recalee?s?|echecs?|echou\w*|rejet\w*|elimine\w*|doublons?|ne pas(?! (?:diffus|divulg|imprim|photocop|transm|communiqu|publi|partag|pli|jet|perdr|oubli)\w*)|pas de nouvelles?|injoignables?|injustifie\w*|remplac\w*|"
    r"suppleante?s?|decede\w*|demenag\w*|rayee?s?|barree?s?|suspendu\w*|erreurs?|brouillons?|archiv\w*|changement de groupe|depart\w* anticipe\w*|"
    r"hospitalise\w*|arrets? maladie|conges?|pas sign\w*|pas revenue?s?|sans (?:suite|reponse|nouvelles?)|perdue?s? de vue|exclusions?|renvoye\w*|"
    r"suspended|disabled|deleted|blocked|inactive|archived|banned|locked|unqualified|cancelled|unsubscribed|inactifs?|inactives?|bloquee?s?|desactivee?s?|corbeille|tests?|exemples?|modeles?|dem|nsp|nv|abi|abj|def|nd|dns|dnf|np|"
    r"a (?:confirmer|relancer|recontacter|rappeler|verifier|supprimer|valider|revoir|trier|exclure|retirer|completer)|"
    r"non \w+|n (?:ont|ayant|a|etaient|etait) (?:pas|jamais|plus)|pas (?:encore )?(?!une?\b|de\b|la\b|le\b)\w+[ei]e?s?)\b"
)


_NOT_YET = re.compile(
    r"\b(?:en cours|a voir|jamais|na|nv|pas encore|niveau 0|a (?:evaluer|faire|completer|finir|terminer|reprendre|repasser|rattraper)|pre ?inscrit\w*|prevue?s?|manquante?s?|"
    r"vide|insuffisant\w*|inacheve\w*|partiel\w*|non|ko|0 h|en attente)\b"
)
_CROSSES = frozenset("❌✗✘👎🔴☐❎🚫⛔➖")


def is_not_yet(cell: str) -> bool:
    """« en cours », « à voir », « ❌ », whatever others have."""
    return bool(_NOT_YET.search(fold(cell))) or (
        bool(cell.strip()) and set(cell.strip()) <= _CROSSES | {"\ufe0f"}
    )


_OF_SOMETHING = re.compile(
    r"\b(?:par|contrat|cdd|cdi|mission|periode|stage|bail|droits?) .{0,400}\b(?:termine|valide|suivi|complet)|\bpar$|\bpar erreur\b"
)


def denial_in(text: str) -> Reason | None:
    """`status_in`, and every other denial in a cell, a label or a heading; not meant for names."""
    if reason := status_in(text):
        return reason
    return Reason.WITHDRAWN if _DENIED.search(fold(text)) else None


_OF_LISTS = _set(
    """les la le l liste listes des de du d un une et ou releve tableau etat feuille fichier recapitulatif suivi registre personnes
    ceux celles qui sont etaient ont ete noms classe groupe au aux en date jour journee semaine annee autres autre tous toutes nos nouveaux appel distribution"""
) - {"en"}
_OF_DIRECTORIES = _set(
    "annuaire composition planning coordonnees contacts trombinoscope adresses reunion presence"
)
_BEFORE = (_OF_LISTS | PARTICIPANTS | NEUTRAL) - _set("present presents presente presentes")
_COUNTS = _set("nombre nb total effectif aucun aucune zero taux")
_FURTHER_PARTS = _set(
    "visiteur visiteuse observateur observatrice auxiliaire surveillant surveillante examinateur examinatrice correcteur correctrice "
    "conferencier conferenciere prestataire evaluateur evaluatrice assesseur assesseure bureau benevole secretariat partenaire elu interprete membre honneur maitre stage pedagogique encadrement equipe famille contact principal"
) - {"stage", "equipe", "membre", "famille", "contact", "principal"}


_HAVING_DONE = re.compile(r"\b(?:ayant|ont) (?:participe|suivi|assiste|reussi|valide)\b")


_AGENTS = re.compile(
    r"(?!.*rempla)(?:\w+ )*(?:par|by|por)|(?:en )?(?:copie|cc|merci|remerciements?|transmis\w*|envoye\w*|adresse\w*|communique\w*|diffuse\w*) (?:a|au|aux|to)"
)
_OF_LEARNERS = re.compile(
    r"(?:\w+ )+(?:suivi|obtenu|recu|remporte|acquis|reussi|passe|realise|effectue)\w* par"
)


def names_agents(label: str) -> bool:
    """« Rédigé par », « Copie à »; not « Formation suivie par »."""
    plain = fold(label)
    return bool(_AGENTS.fullmatch(plain)) and not _OF_LEARNERS.fullmatch(plain)


def is_of_others(text: str) -> bool:
    """« Formatrices », « maîtres de stage », « mère de Léa », « rédigé par »: a part that no participant has."""
    if names_agents(text):
        return True
    words = [word for word in fold(text).split() if word not in _OF_LISTS | _OF_DIRECTORIES]
    if words and _HAVING_DONE.search(fold(text)) and not is_of_others(words[0]):
        return False
    if words[-1:] == ["pedagogique"]:
        return True
    if words[:1] == ["representants"]:
        words = words[1:] or words
        if words[0] in ("parents", "personnels", "enseignants"):
            return True
    if _MAIN_LIST.fullmatch(fold(text)):
        return False
    if not words or words[0] in PARTICIPANTS or (set(words) & PARTICIPANTS and words[-1] not in PARTICIPANTS):
        return False
    if (
        len(words) > 1
        and words[-1] in PARTICIPANTS
        and words[0] not in _set("parents parent tuteurs mere meres pere peres familles")
    ):
        return False
    parts = LEADERS | OTHER_PARTS | OF_OTHERS | _FURTHER_PARTS
    return words[0] in parts or words[0].removesuffix("s") in parts or words[-1] == "honneur"


def is_plain_label(text: str) -> bool:
    """« Groupe 2 », « Participants » add nothing about the people named after them; « Participants facultatifs » does."""
    if fold(text) == "membres":
        return True
    if set(fold(text).split()) & ASKED:
        return False
    known = _BEFORE | PARTICIPANTS | THINGS | _set("binome binomes ilot table matin apres midi soir trio duo")
    if fold(text).split()[:1] and fold(text).split()[0] in ("equipe", "groupe", "ilot", "table", "brigade"):
        known |= _COLOURS
    return all(
        word in known or any(c.isdigit() for c in word) or is_class(word) for word in fold(text).split()
    )


_COLOURS = _set(
    "rouge bleu bleue vert verte jaune orange violet violette noir noire blanc blanche rose gris grise"
)


def announces_participants(text: str) -> bool:
    """« Stagiaires : », « Liste des participants », « Admis (4) », « Ont participé »"""
    if _MAIN_LIST.fullmatch(fold(text)):
        return True
    words = set(fold(text).split())
    said = " ".join(word for word in fold(text).split() if word not in _BEFORE and not word.isdigit())
    return (bool(words & PARTICIPANTS) and words <= _BEFORE | PARTICIPANTS) or bool(
        _TOOK_PART.fullmatch(said)
    )


_MAIN_LIST = re.compile(r"listes? principales?(?: \d{1,3})?")
_TOOK_PART = re.compile(
    r"participe|suivi(?: formation| atelier| module| stage)?|assiste|reussi|(?:valide|confirme|certifie|diplome)e?s|"
    r"admise?s?|(?:recu|retenu)e?s"
)


def is_of_those_who_took_part(label: str) -> bool:
    """« Ont participé à l’atelier soudure », « Élèves présents le 12 mars »; not « Participants de l’an dernier »."""
    words = fold(label).split()
    at = next((i for i, word in enumerate(words) if word not in _OF_LISTS | {"voici", "ayant"}), len(words))
    rest = words[at:]
    if not rest or len(words) > 14 or "?" in label:
        return False
    took_part = bool(_PARTS_TAKEN.match(" ".join(rest)))
    while rest and (rest[0] in PARTICIPANTS | _OF_LISTS | _FOLLOWING or _PARTS_TAKEN.match(rest[0])):
        took_part = took_part or rest[0] in PARTICIPANTS or bool(_PARTS_TAKEN.match(rest[0]))
        rest = rest[1:]
    if not took_part or set(words) & (LEADERS | OTHER_PARTS | OF_OTHERS | _COUNTS):
        return False
    if meaning_of_label(label) or denial_in(label) or is_not_yet(label) or status_in(label):
        return False
    said = [word for word in rest if word not in _OF_LISTS | _LINKS | {"a", "lors"} and not word.isdigit()]
    is_stated = (
        bool(re.search(r"\b(?:ont|ayant) (?:participe|suivi|assiste)\b", " ".join(words))) and len(said) < 5
    )
    return not said or is_stated or said[0] in THINGS | NEUTRAL | CALENDAR


_FOLLOWING = _set("ayant suivant suivants suivante suivantes")


_PARTS_TAKEN = re.compile(r"(?:participe|suivi|assiste|reussi|valide|termine|venue?s?)\b")


def meaning_of_label(text: str) -> Reason | None:
    """What a title, a label or a sheet's name denies the people below it: « Atelier bois – liste d’attente »."""
    if re.search(r":\s*(?:\d|aucune?\b|néant\b)", text):
        return None
    for piece in re.split(r"[:;|()\[\]/]|\s[-–—]\s|,", re.sub(r"\b[nN] ?°", "numéro", text)):
        words = fold(_ELIDED_NAME.sub("N", piece)).split()
        if _OF_LATER.search(fold(piece)):
            return Reason.WITHDRAWN
        if not words or set(words[:2]) & _COUNTS or words[0].isdigit():
            continue
        at = next((i for i, word in enumerate(words) if word not in _BEFORE), len(words))
        rest = " ".join(words[at:])
        if re.fullmatch(r"(?:non|pas) (?:absen|excus|exclu|annul)\w*", rest):
            # A yes below it is none against anybody.
            return None
        if re.match(r"ne pas \w", rest) and not denial_in(piece):
            # « Ne pas diffuser »
            continue
        if re.match(r"(?:non|pas|ne|n|sans|jamais|hors) \w", rest):
            return denial_in(piece) or Reason.WITHDRAWN
        said = re.sub(r"^(?:a|ont|est|sont|en) (?!attente)", "", rest)
        if any(
            stem.match(one)
            for one in (rest, said)
            for stem in (_DENIED, *(stem for _, stem in _STATUS_STEMS))
        ):
            return denial_in(piece)
        if "attente" in words:
            return Reason.WITHDRAWN
        if (
            len([word for word in words if word not in _OF_LISTS]) <= 6
            and is_of_others(piece)
            and re.fullmatch(r"(?:liste\s*+:)?[^:]*+(?::\s*+)?", text, re.IGNORECASE)
        ):
            return Reason.LEADER
    return None


_ELIDED_NAME = re.compile(
    r"\bN['’](?=[A-ZÀ-Þ])(?!(?i:a|ai|as|ont|est|es|ira|iront|y|en|(?:[ée]tai|avai|aur|ayan)\w*)\b)"
)
"""« N’GORAN », no « n’ » of a denial"""
_OF_LATER = re.compile(
    r"\blistes? (?:complementaires?|d attente|de reserve)\b|\bprevisionnel\w*|\brattrapages?$|^rattrapages?\b|(?<!formation )(?<!formation des )\bbenevoles?$|\bconseil d\b|\bexterieur\w*$|\bdeuxieme (?:chance|session)\b|\b(?:sessions?|seances?|promotions?|promos?|dates?) (?:suivantes?|d apres)\b|^vacances$|^arrets?$|"
    r"\b(?:dossiers?|inscriptions?|candidatures?|demandes?|documents?) (?:non|pas|in)\b|\bmots d excuse\b|\bdoivent\b|\bdevront\b"
)


_LINKS = _set("de du des d l la le les au aux pour par dans sur et ou chez avec niveau")


def status_of_code(cell: str) -> Reason | None:
    """« A », « ABS », « Exc. » in a column of presence."""
    if cell.strip() in ("❌", "✗", "✘", "☐", "□", "û"):
        return Reason.UNTICKED
    return status_in(cell) or _CODES.get(fold(cell))


def is_ticked(cell: str) -> bool:
    text = cell.strip().casefold()
    if text in ("❌", "✗", "✘", "û"):
        return False
    return text in _TICKS or (fold(cell) in _TICKS and bool(fold(cell)))


def is_crossed(cell: str) -> bool:
    """In a column of absences any mark but a no is one."""
    return cell.strip().casefold() not in _UNTICKED and not is_zero(cell)


def is_zero(cell: str) -> bool:
    """« 0 », « 0,0 », « 0h00 », « 00:00:00 », « 0 min », « 0 % », « 0/14 »"""
    return bool(_ZERO.fullmatch(cell.strip().casefold()))


_ZERO = re.compile(r"0+(?:[.,]0+)?\s*(?:%|h\s*0*|min|mn|m|j|jours?|heures?|:\s*0+(?::\s*0+)?|/\s*\d+)?")


_MISSPELT = {
    "abscent": "absent", "abscents": "absents", "abscente": "absente", "absant": "absent", "absants": "absents", "absens": "absents",
    "exuse": "excuse", "exuses": "excuses", "excuser": "excuses", "escuses": "excuses", "exscuses": "excuses",
}  # fmt: skip


def section_status(text: str) -> tuple[bool, Reason | None]:
    """Whether a row is a label of presence over the rows below it, and which."""
    folded = fold(re.sub(r"\(.{0,400}?\)|\d+", " ", text))
    words = [_MISSPELT.get(word, word) for word in folded.split()]
    folded = " ".join(words)
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
    if (
        rest not in (["en"], ["d"])
        and rest
        and all(
            re.fullmatch(
                r"(absen\w*|abs|excus\w*|retard\w*|justifi\w*|desist\w*|annul\w*|abandon\w*|en|attente|d|injustifie\w*|demission\w*)",
                word,
            )
            for word in rest
        )
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


_PLACES = _set(
    "bts cap bac tp mc bp but dut licence master titre diplome 2nde 1ere terminale lycee lp lpo lgt college cfa ecole iut universite campus gare greta uimm mfr erea sarl sas sasu eurl snc ets entreprise societe mairie commune ville departement region association club groupe classe salle atelier batiment"
)
_SAYS_NOTHING = _set(
    "cb especes cheque cheques virement carte bancaire liquide prelevement ancv pps dp ext int dpdan pap pai neant aucun aucune ras rien non no nan sans elle il iel lui ils eux visio visioconference distanciel presentiel distance"
)


_WEEKDAYS = _set("lundi mardi mercredi jeudi vendredi samedi dimanche matin apres midi soir et")


_DAY_IN_WORDS = re.compile(
    r"(?:ne |nee |ne e )?(?:le )?\d{1,2}(?:er)? (?:[a-z]{3,9}|\d{1,2}) \d{2,4}(?: \d{1,2} ?h? ?\d{0,2})?"
)


def is_day(text: str) -> bool:
    """« 12 mars 2026 10:31 », « né(e) le 12/03/2008 »"""
    return bool(_DAY_IN_WORDS.fullmatch(fold(text)))


_CLOCK_OF_TWELVE = re.compile(r"[\d/.:, -]*\d:\d\d(?::\d\d)? ?[ap]\.?m\.?", re.IGNORECASE)
"""« 03/12/2026 02:00:10 PM »"""


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
        or all(word in _WEEKDAYS for word in words)
        or bool(age_band_of(text))
        or bool(HOURS.fullmatch(text))
        or hours_in(text)[0] is not None
        or bool(_CLOCK_OF_TWELVE.fullmatch(text))
        or is_day(text)
        or affirms(text)
        or (words[0] in _PLACES and not status_in(text))
        or all(word in _SAYS_NOTHING or word in NEUTRAL or is_class(word) for word in words)
        or bool(re.fullmatch(r"(?:https?://|www\.)\S+", text))
    )


_OF_DOCUMENT = re.compile(
    r"(?:(?:suite|fin)(?: de| du)?(?: la| cette)? (?:liste|page|feuille|document|tableau)(?: suivante)?|(?:voir )?(?:suite )?(?:au |voir )?verso|(?:debut du )?(?:forwarded|original) message|(?:debut du )?message (?:transfere|original|d origine)(?: suivant)?|suite|page suivante|tsvp|tournez(?: la)? page)(?: svp| s v p)?$|"
    r"(?:copyright )?(?:20\d\d )?(?:mentions legales|tous droits reserves)|(?:document |liste |fichier |etat )?(?:edite|imprime|exporte|genere|etabli|extrait|prepare|redige|mis a jour|mise a jour|cree)e?s? (?:par|le|depuis|via|avec|automatiquement)\b"
)


_HANDLING = re.compile(
    r"(?:merci de (?:bien vouloir )?|veuillez |priere de |a )?(?:nous |me )?(?:retourn|renvoy|envoy|transm|remett|rend|rempl|imprim|conserv|archiv|affich|sign|depos|scann|photocop)[a-z]+ "
    r"(?:\w+ ){0,2}(?:document|feuille|fiche|liste|tableau|formulaire|fichier|original|exemplaire|releve)s?\b"
)


_OF_SIGNATURES = re.compile(
    r"(?:(?:nom|noms|prenom|nom prenom|nom et prenom) et )?(?:signatures?|visas?|emargements?|cachets?)(?: et cachet)? (?:du|de la|des|de l) \w+$|(?:vu |lu )?(?:et approuve )?(?:p |pour )?(?:le|la|l) (?:chef|directeur|directrice|"
    r"president|presidente|maire|proviseur|proviseure|principal|principale|responsable|gerant|gerante|employeur|secretaire|organisateur|organisatrice)(?: (?:d|de|du|la|l|des)(?: l)? \w+){0,2}$"
)


def announces_signatures(text: str) -> bool:
    """« Signatures des formateurs : », with no name below"""
    return bool(_OF_SIGNATURES.match(fold(text)))


def is_of_document(text: str) -> bool:
    """« Imprimé le 01/10/2026 », « Édité par S. Lemoigne »: about the paper alone."""
    return (bool(_OF_DOCUMENT.match(fold(text))) and len(text.split()) < 12) or tells_where_to_send(text)


def tells_where_to_send(text: str) -> bool:
    """« Merci de retourner ce document à Mme Beaulieu »"""
    return bool(_HANDLING.match(fold(text))) and len(text.split()) < 18 and not denial_in(text)


_OPINION = re.compile(
    r"\b(?:satisf\w*|appreci\w*|appris|plu|aime\w*|recommand\w*|pense\w*|connu\w*|attentes?|pourquoi)\b"
)
"""« Êtes-vous satisfait ? », « Qu’avez-vous appris ? »"""


_HABIT = re.compile(
    r"(?:avez vous|as tu) (?:deja (?!suivi|participe|assiste|valide|obtenu|recu|passe|realise|effectue|fait(?! d[eu]? ))|(?:(?:un|une|le|la|l|des|d|besoin|de|du) )+"
    r"(?:permis|voiture|vehicule|ordinateur|smartphone|telephone|tablette|regime|allergies?|handicap|besoins?|notions|bases|connaissances|experience|hebergement)\b)|"
    r"(?:etes vous|es tu) (?:vegetari|vegan|allergi|majeur|mineur|fumeu|vehicule|droitier|gauch|titulaire du permis|equipee?|debutant|boursi|a l aise|en situation de handicap)|"
    r"(?:possed|dispos|mang|utilis|parl|connaiss|sav|pratiqu)e(?:z vous|s tu)\b"
)
_THIS_ONE = _set(
    "ce cet cette formation formations atelier ateliers module seance session cours stage test exercice badge attestation jour"
)


def asks_opinion(title: str) -> bool:
    """« Êtes-vous satisfait ? », « Avez-vous déjà soudé ? »: neither yes nor no concerns the badge."""
    words = set(fold(title).split())
    if _HABIT.match(fold(title)):
        return not (words & _THIS_ONE or denial_in(title) or holds_judgement(title))
    return (
        bool(_OPINION.search(fold(title)))
        and not denial_in(title)
        and bool(words & {"vous", "tu", "votre", "vos", "ton", "tes"})
    )
