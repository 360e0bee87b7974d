"""The vocabulary of lists: what headings name, what a title or a footer begins with, how presence and hours are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from app.domain.imports.lists.model import NAME_COLUMNS, Column, Reason
from app.domain.imports.lists.vocabulary.names import (
    CIVILITIES,
    DAMAGED,
    Kind,
    fold,
    is_less_common_word,
    is_particle,
    kind_of,
    may_be_given,
    repaired,
)

ORDINAL = r"(?:\d{1,3}|(?!19|20)\d{4})"
"""« 12 », « 1001 », not the year « 2024 »."""


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_EXACT = {
    Column.FAMILY: {
        "nom", "noms", "nom de famille", "nom usuel", "nom d usage", "nom patronymique", "patronyme", "nom de naissance", "last name", "family name", "surname", "lastname", "sn", "nom marital", "nom de jeune fille", "nom d epouse", "nom eleve",
        "nom stagiaire", "nom apprenant", "nom apprenti", "nom participant", "nom etudiant", "nom candidat", "nom s", "family", "nom de l eleve", "nom du stagiaire", "nom du participant", "nom de l apprenti", "nom de l apprenant", "nom de l etudiant", "nom du candidat", "votre nom", "quel est votre nom", "nom de l eleve ou de l apprenti", "lib nom pat ind",
    },
    Column.GIVEN: {
        "prenom", "prenoms", "prenom s", "first name", "given name", "firstname", "givenname", "prenom usuel", "prenom d usage", "votre prenom", "quel est votre prenom", "lib pr1 ind", "prenom eleve", "prenom de l eleve", "prenom du stagiaire", "premier prenom", "given names", "forename", "forenames", "prenom 1", "prenom stagiaire", "prenom apprenti", "prenom participant", "1er prenom", "given",
    },
    Column.FAMILY_FIRST: {"nom prenom", "nom et prenom", "noms prenoms", "noms et prenoms", "nom prenoms", "nom prenom s", "nom et prenom s"},
    Column.GIVEN_FIRST: {"prenom nom", "prenom et nom", "prenoms noms", "prenoms et noms"},
    Column.WHOLE: {
        "nom complet", "full name", "fullname", "name", "names", "display name", "nom affiche", "participant", "participants",
        "participant e", "participant e s", "participante", "participantes", "personne", "personnes", "membre", "membres",
        "eleve", "eleves", "stagiaire", "stagiaires", "apprenti", "apprentis", "apprenti e", "apprenti e s", "apprenant",
        "apprenants", "apprenant e", "apprenant e s", "etudiant", "etudiants", "etudiant e", "etudiant e s", "candidat",
        "candidats", "candidat e", "inscrit", "inscrits", "inscrit e s", "beneficiaire", "beneficiaires", "salarie",
        "salaries", "salarie e", "salarie e s", "identite", "identite de l eleve", "jeune", "jeunes", "invite", "invites",
        "nom de l invite", "enfant", "enfants", "nom de l enfant", "attendee", "attendees", "user", "utilisateur", "member", "collaborateur", "collaborateurs",
        "porteur", "porteur du badge", "nom du porteur", "titulaire du badge", "cn", "common name", "displayname", "display_name", "real name", "noms des participants", "joueur", "joueurs", "joueuse", "joueuses", "adherent", "adherents", "adherent e s", "nom du membre", "visiteur", "visiteurs",
        "volontaire", "volontaires", "usager", "usagers", "agent", "agents", "licencie", "licencies", "licencie e", "alternant", "alternants",
        "alternant e", "lyceen", "lyceens", "collegien", "collegiens", "student", "students", "student name", "student names", "learner", "learners", "choriste", "choristes", "concurrent", "concurrents", "competiteur", "athlete", "athletes", "comedien", "danseur", "player", "players",
    },
    Column.ADDRESS: {
        "adresse", "correo electronico", "correo", "adresse electronique", "courriel", "courriels", "mail", "mails", "mel", "e mail", "email", "emails",
        "e mails", "adresse mail", "adresse e mail", "adresse email", "adresse de messagerie", "mail perso", "messagerie",
        "mail eleve", "adresse courriel", "email address", "mail de l eleve", "adresse e mail de l eleve",
    },
    Column.HOURS: {
        "heures", "nb heures", "nombre d heures", "duree", "hours", "nb h", "nb d heures", "heures realisees",
        "heures effectuees", "heures de presence", "heures suivies", "duration", "h", "volume horaire", "temps", "duree h",
        "in meeting duration", "duree de la reunion", "duree de participation", "temps passe", "duree dans la reunion",
        "total heures", "total h", "heures faites",
    },
    Column.PART: {"role", "part", "fonction", "qualite", "roles", "profil", "profils", "type de participant", "categorie", "en tant que", "vous etes"},
    Column.CONTRIBUTION: {"contribution", "role tenu", "apport", "ce que la personne a fait", "contributions"},
    Column.UNDER_15: {"age", "tranche d age", "moins de 15 ans"},
    Column.STATUS: {
        "statut", "etat", "situation", "presence", "presence absence", "assiduite", "inscription", "statut de l inscription",
        "present absent", "present absent excuse", "status", "response", "reponse", "p a", "a p",
    },
    Column.PRESENT: {"present", "presents", "present e", "present e s", "presente", "pres", "attended", "signed", "signe", "a signe", "emarge", "venue", "attendance", "a participe", "venu", "p"},
    Column.ABSENT: {"absent", "absents", "absent e", "absent e s", "absente", "absence", "abs", "absences"},
    Column.EXCUSED: {"excuse", "excuses", "excuse e", "excusee", "absent excuse", "absence excusee", "exc", "abs excuse", "excuse e s", "absence justifiee"},
    Column.LATE: {"retard", "retards", "en retard", "late"},
    Column.CIVILITY: {"civilite", "civ", "titre", "m mme", "mme m", "title", "name prefix", "prefix", "salutation"},
    Column.PARTICLE: {"particule", "particle"},
}  # fmt: skip
_BY_WORDING = {wording: column for column, wordings in _EXACT.items() for wording in wordings}
NAMING = frozenset(
    word for column in NAME_COLUMNS for wording in _EXACT.get(column, ()) for word in wording.split()
)
"""Terms of the headings that name the people of a list."""
_FOREIGN = [
    [half.replace("_", " ") for half in pair.split("/")]
    for pair in sorted(
        _set(
            """nachname/vorname familienname/vorname name/vorname cognome/nome apellidos/nombre apellidos/nombres apellido/nombre
            apelido/nome apelidos/nome apelido/nome_proprio apelidos/nome_proprio sobrenome/nome soyadi/adi soyad/ad nazwisko/imie
            achternaam/voornaam naam/voornaam nume/prenume mbiemri/emri laqab/ism abizena/izena abizenak/izena cognoms/nom
            anv_familh/anv_bihan anv_tiegezh/anv_bihan фамилия/имя прізвище/ім_я efternamn/fornamn etternavn/fornavn efternavn/fornavn
            sukunimi/etunimi vezeteknev/keresztnev prijmeni/jmeno priezvisko/meno prezime/ime surname/name last_name/name surnames/names
            surnames/given_names last/first"""
        )
    )
]
"""The heading of family names, and that of given names beside it: « Apellidos ; Nombre », where « Nombre » alone counts."""
MAIL = _set("mail mel email courriel messagerie mails emails courriels mailing")
_OF_OTHERS = _set(
    """prof pp parent parents pere mere tuteur tutrice tuteurs responsable responsables representant legal legaux maitre
    entreprise employeur societe formateur formatrice accompagnateur referent enseignant professeur organisme structure
    contact urgence conjoint maman papa payeur acheteur facturation billing buyer rl rl1 rl2 resp manager superieur hierarchique conseiller conseillere prescripteur prevenir interlocuteur interlocutrice parrain marraine mentor adulte"""
)
_OF_THINGS = _set(
    """atelier activite classe etablissement groupe lycee college ville rue reunion fichier salle equipe formation
    animateur session module cours projet site commune diplome cfa voie poste banque evenement"""
)
_USELESS = _set("tel telephone portable mobile gsm naissance signature emargement postal postale phonetic suffix organization")  # fmt: skip
_NAMES_OF_THINGS = _set("meeting room file user company event session group course team school host class project program domain city country middle nick user screen tag business organization organisation prefix suffix phonetic")  # fmt: skip
OF_OTHERS = _OF_OTHERS
THEIRS = _set("eleve stagiaire apprenti apprenant etudiant participant perso personnel personnelle candidat jeune salarie enfant adherent licencie beneficiaire joueur")  # fmt: skip
_SHARED = _set("groupe equipe classe etablissement lycee college atelier service association club ecole")
_FORMER = _set("ancien ancienne old precedent precedente")
WORK = _set("pro professionnel professionnelle travail academique")
_DAY = re.compile(r"\D{0,12}\d{1,2}([/.\-]\d{1,2}([/.\-]\d{2,4})?)?(\s{0,2}[-–—(]?\s{0,2}(matin|apr[èe]s[ -]midi|soir|[ap]\.?m\.?|\d{1,2}\s?h.{0,10})\)?)?|(lundi|mardi|mercredi|jeudi|vendredi|samedi|lun|mar|mer|jeu|ven|sam|dim|séance|seance|jour|semaine)\b.{0,12}", re.IGNORECASE)  # fmt: skip
_NOTHING = {
    "uid", "adresse ip", "ip", "department", "departement", "institution", "headline", "company", "country", "pays", "job title", "prefixe",
    "order no", "order date", "ticket type", "quantity", "recording consent", "guest", "uuid",
    "sexe", "genre", "classe", "division", "groupe", "formation", "ville", "code postal", "cp", "n", "numero", "no", "num",
    "ine", "id", "identifiant", "horodateur", "timestamp", "date", "commentaire", "commentaires", "observation",
    "observations", "remarque", "remarques", "etablissement", "entreprise", "societe", "option", "options", "opt", "mef", "niveau",
    "diplome", "signature", "signatures", "emargement", "visa", "matin", "apres midi", "am", "pm", "regime", "telephone",
    "tel", "portable", "mobile", "phone", "date de naissance", "ne e le", "ne le", "nee le", "naissance", "nationalite",
    "lieu de naissance", "first join", "last leave", "join time", "leave time", "premiere entree", "dernier depart",
    "participant id upn", "id du participant", "id de participant", "participant id", "id de participant upn", "id du participant upn", "upn", "salle", "lieu", "heure d arrivee",
    "heure de depart", "heure d entree", "heure de sortie", "heure de connexion", "heure de deconnexion", "date et heure d entree", "arrivee", "depart", "start time", "completion time", "heure de debut", "heure de fin", "adresse postale",
    "adresse 1", "adresse 2", "note", "notes", "ordre", "rang", "section", "specialite", "filiere", "promotion", "promo",
    "annee", "nom de l entreprise", "employeur", "organisme", "structure", "repas", "allergies", "date d inscription", "mois",
    "badge", "nom d utilisateur", "login", "poste", "service", "metier", "profession", "lv1", "lv2", "pp", "redoublant",
    "majeur", "projet d accompagnement", "date d entree", "date de sortie", "contrat", "code", "equipe", "atelier", "activite",
    "fin", "debut", "seance", "dates", "rne", "uai", "subject", "start date", "end date", "sujet", "objet", "location",
    "all day event", "description", "organizer", "financeur", "financeurs", "financement", "opco", "tarif", "tarifs", "formule", "cursus",
    "agence", "antenne", "bassin", "secteur", "zone", "region", "departement de residence", "quartier", "langue", "langues", "taille", "t shirt", "taille t shirt",
    "type de contrat", "situation familiale", "prescripteur", "provenance", "origine", "mode de paiement", "moyen de paiement", "mode de transport",
    "hebergement", "pronom", "pronoms", "csp", "lv", "lva", "lvb", "lv3", "enseignement", "enseignements", "specialites", "csp1", "centre", "campus", "pole", "direction", "unite", "corps", "academie", "bloc", "domaine", "discipline", "matiere", "horaire", "horaires", "creneau", "creneaux", "type de billet", "billet", "n billet", "n commande", "n de commande", "numero de commande", "reference commande", "quantite", "date de la commande",
    "dn", "cn", "member rating", "optin time", "e mail 1 label", "phone 1 value", "phone 1 label", "labels", "middle name", "sid",
    "rqth", "psh", "mobilite", "permis", "permis b", "restauration", "regime alimentaire", "numero de serie", "heure de soumission", "proj acc",
    "messages", "temps de parole", "temps webcam", "bafa", "psc1", "q1", "q2", "q3", "q4", "q5", "droit image", "droit a l image", "droits image",
    "numero de telephone", "comment avez vous connu", "canal", "source", "langue parlee", "action", "actions", "site", "intitule", "intitule de la formation", "formation suivie",
    "date embauche", "date d embauche", "modalite", "modalites", "instrument", "pupitre", "demi pensionnaire", "groupe td", "groupe tp", "td", "tp", "libelle groupe",
    "libelle classe", "libelle formation", "libelle court", "libelle long", "sous groupe", "serie", "voie", "commune", "matricule", "n dossier", "numero dossier", "n etudiant",
    "numero etudiant", "n apprenant", "n candidat", "numero candidat", "code apprenant", "code eleve", "code stagiaire", "date adhesion", "date d adhesion", "n licence",
    "numero de licence", "classe d origine", "etablissement d origine", "lieu de formation", "site de formation", "horodatage", "parcours", "date debut", "action de l utilisateur", "premiere participation", "derniere sortie", "derniere participation", "samaccountname", "userprincipalname",
    "ddn", "date naissance", "date de naiss", "date naiss", "dt naissance", "gpe", "grp", "lieu de residence", "residence", "commune de residence", "ville de residence", "domicile", "lieu d habitation", "langue vivante", "langue vivante 1", "langue vivante 2", "s c de", "sous couvert de", "lieu de stage", "armateur", "chambre", "groupes", "stand", "place", "siege", "table", "dossard", "n dossard", "numero de dossard", "mode de reglement", "moyen de reglement", "serv", "composante", "ufr", "faculte", "salle d attente", "in waiting room", "waiting room", "nationality", "lien", "lien de parente", "niveau d etudes", "niveau d etude", "cod etu", "cod etp", "cod vrs vet", "en ligne", "course", "courses", "arret", "arret de car", "arret de bus", "rank", "student id", "test", "tests", "caces", "niveau initial", "etage", "langue de depart", "dernier acces", "organisation", "raison sociale", "club", "type de controle", "surnom", "pseudo", "group membership", "e mail 1 type", "evaluation a chaud", "objectclass", "province", "programme", "program", "identifiant cas", "n badge", "numero de badge", "uo", "couleur", "sport", "bureau", "circonscription", "canton", "district", "wilaya", "ile", "iles", "selectionner", "username",
}  # fmt: skip
_VOCABULARY = {word for wording in (*_BY_WORDING, *_NOTHING) for word in wording.split()} - _set(
    "l d e s h p a de la du un"
)
HEADING_WORDS = _set(
    """nom prenom noms prenoms eleve eleves stagiaire stagiaires apprenti apprentis apprenant apprenants participant
    participants total totaux signature signatures emargement classe groupe mail email courriel adresse telephone
    formateur formatrice atelier liste date naissance civilite absent absente absents excuse excusee present presente
    presents presence heures duree effectif titre module session responsable tuteur entreprise lycee college inscrits
    exemple exemples inscrit feuille cordialement bonjour merci statut observations ne nee organisateur animateur intervenant"""
)
_HARD = re.compile(
    r"(total|totaux|sous total|effectif|effectifs|nombre|nb|moyenne|signature|signatures|visa|cachet|fait a|fait le|objet|"
    r"sujet|bonjour|bonsoir|salut|coucou|hello|bises|bisous|cordialement|bien cordialement|cdt|cdlt|merci|liste|feuille|emargement|horaire|horaires|"
    r"lieu|date|dates|atelier|ateliers|formation|session|module|stage|annee scolaire|annee|lycee|college|cfa|greta|ecole|"
    r"universite|academie|rectorat|iut|campus|etablissement|classe|groupe|exporte|exportee|export|extraction|edite|edition|imprime|genere|document|"
    r"source|legende|remarque|remarques|observation|observations|voici|ci joint|madame monsieur|bien a vous|envoye|"
    r"transfere|resume|summary|activites|activities|activite|titre|formateur|formatrice|formateurs|animateur|animatrice|"
    r"animateurs|intervenant|intervenante|intervenants|responsable|le responsable|le formateur|la formatrice|"
    r"l animateur|le directeur|la directrice|le proviseur|professeur principal|professeur|enseignant|referent|"
    r"organisateur|meeting|attended|start time|end time|average|heure de|duree|pronote|ypareo|index education|"
    r"20\d\d mentions|confidentiel|page \d+|p \d+|periode|semaine|journee|matin|apres midi|salle|division|promotion|section|"
    r"bonne journee|bonne reception|a bientot|belle journee|participants? \d+|actions? de formation|volume horaire|participants presents|presents? \d+|absents? \d+|"
    r"inscrits? \d+|de la part|destinataires|mentions|rgpd|copyright|nota|tel|telephone|www|https?|annexe|tableau|copie|"
    r"nombre de|temps|ref|reference|code|version|fichier|onglet|feuil\d|sheet\d|compte rendu|convocation|planning|programme|"
    r"(?:soit |au total |en tout )?\d{1,4} (?:participante?s?|stagiaires?|eleves?|personnes?|inscrite?s?|apprenante?s?|apprentie?s?|candidate?s?|etudiante?s?|adherente?s?|salariee?s?|noms?)(?: (?:inscrite?s?|presente?s?|attendue?s?|au total|en tout|sur \d+))?$|"
    r"projet|evenement|forum|salon|visite|journees|cours|seance|seances|bts|cap|bac|titre pro|certifies?|je soussigne|"
    r"le present|la presente|attestation|certificat|lu et approuve|pour le|pour la|attention|rappel|nb h|vu|mise a jour|maj|redige|redigee|anime|animee|saisi|saisie|etabli|etablie|valide par|ecrit par)\b"
)  # fmt: skip
_STOPWORDS = _set(
    """pour vous est sont sur dans avec par cette nous qui voici merci ont aux ci votre vos notre nos je il elle ils elles
    que dont ce ces tous toutes ainsi car mais si pas plus sera seront ete avons avez suite concernant afin lors suivant
    suivants suivantes ayant suivi participe inscrits personnes eleves stagiaires"""
)
_GREETINGS = _set("bonjour bonsoir merci voici salut coucou hello bises bisous")
_SCHOOLS = re.compile(
    r"(lycee|college|cfa|greta|ecole|universite|iut|campus|bonjour|bonsoir|cordialement|signature|total)\b"
)


def role_of_heading(cell: str, group: str = "") -> tuple[Column, bool]:
    """What a heading names, and whether literally. NOTHING with certainty is a known heading of no use here."""
    if cell.strip() == "@":
        return Column.ADDRESS, True
    if "@" in cell or len(cell) > 90 or not cell.strip():
        return Column.NOTHING, False
    cell = repaired(cell) if DAMAGED.search(cell) else cell
    plain = re.sub(r"\((?!s\)|e\)|e\)s|s\b)[^)]{0,90}\)", " ", cell, flags=re.IGNORECASE)
    found = _role(fold(plain) or fold(cell))
    if not found[1]:
        # « NomUsuel »
        found = _role(fold(re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ][a-zà-ÿ])", " ", plain or cell)))
    others = set(fold(group).split()) & _OF_OTHERS
    if others:
        return (Column.OTHER_ADDRESS, True) if found[0] is Column.ADDRESS else (Column.NOTHING, found[1])
    return found


@lru_cache(maxsize=2_000)
def _role(heading: str) -> tuple[Column, bool]:
    words = heading.split()
    known = set(words)
    if heading in _BY_WORDING:
        return _BY_WORDING[heading], True
    if heading in _NOTHING or re.sub(r" \d$", "", heading) in _NOTHING:
        return Column.NOTHING, True
    if (
        len(words) < 15
        and not known & ({"nom", "prenom", "pourquoi", "duree"} | BESIDE_PRESENCE)
        and (
            any(map(_COMING.fullmatch, words))
            or (known & {"serez", "sera"} and known & {"present", "presente", "presents"})
        )
    ):
        return Column.STATUS, True
    if not words or len(words) > 10 or words[0] == "non":
        return Column.NOTHING, False
    if known & _OF_OTHERS or (words[-1] in ("ma", "par") and not heading.startswith("rempla")):
        # « Mail MA », « Suivi par »
        return (Column.OTHER_ADDRESS if _names_mail(words) else Column.NOTHING), True
    if _names_mail(words):
        of_family = known & {"famille", "familial", "familiale", "foyer"} and not known & {"nom", "prenom"}
        of_family = of_family or (known & _SHARED and not known & THEIRS) or known & _FORMER
        return (Column.OTHER_ADDRESS if of_family else Column.ADDRESS), True
    if {"nom", "naissance"} <= known and not known & {"lieu", "date", "ville", "pays"}:
        return Column.FAMILY, True
    if known & _USELESS:
        return Column.NOTHING, True
    if known & {"prenom", "prenoms"} and known & {"nom", "noms"}:
        if known & _OF_THINGS:
            return Column.NOTHING, False
        first = next(i for i, word in enumerate(words) if word.startswith("nom"))
        return (
            Column.FAMILY_FIRST
            if first < next(i for i, w in enumerate(words) if w.startswith("prenom"))
            else Column.GIVEN_FIRST
        ), True
    if re.fullmatch(r"(?:autres? )?prenoms? ?[2-9]|[2-9]e?m?e? prenom", heading):
        return Column.NOTHING, True
    if known & {"deuxieme", "second", "autres", "autre", "2", "3", "2e", "3e", "2eme", "3eme", "troisieme"}:
        return Column.NOTHING, bool(known & {"prenom", "prenoms", "nom"})
    if known & {"prenom", "prenoms"} and not known & _OF_THINGS:
        return Column.GIVEN, len(words) < 7
    if _COUNTS_ABSENCE.search(heading) and len(words) < 5:
        return Column.ABSENT, True
    if known & {"absence", "absences", "absent", "absents"}:
        return Column.ABSENT if len(words) < 3 else Column.NOTHING, len(words) < 4
    if known & _OF_THINGS:
        return Column.NOTHING, len(words) < 5
    if words[-1] == "name" and len(words) > 1 and words[-2] in ("first", "given", "last", "family"):
        # « Attendee first name »
        return Column.GIVEN if words[-2] in ("first", "given") else Column.FAMILY, True
    if "nom" in known and len(words) < 7:
        return Column.FAMILY, True
    if words[-1] == "name" and len(words) < 4 and not known & _NAMES_OF_THINGS:
        return Column.WHOLE, True
    if (
        known & {"heures", "duree", "duration"}
        and not known & {"arrivee", "depart", "debut", "fin", "date", "connexion"}
        and len(words) < 6
    ):
        return Column.HOURS, True
    if known & {"presence", "statut", "status"} and len(words) < 5:
        return Column.STATUS, True
    if re.fullmatch(r"(?:question|q) ?\d{1,2}", heading):
        return Column.NOTHING, True
    if words[0] in ("votre", "vos", "ton", "ta", "tes") and len(words) > 1:
        # « Votre service ? »
        return _role(" ".join(words[1:]))
    return Column.NOTHING, False


_COUNTS_ABSENCE = re.compile(
    r"^(?:(?:nb|nombre|total|heures?|h|taux|jours?|j|duree) )+(?:d |de |des )?abs(?:ences?)?\b|^abs (?:h|heures?|j|injustifiees?)\b|\babsenteisme\b|"
    r"\bheures? manqu(?:ees?|antes?)\b"
)
"""« Heures d’absence », « Nb abs »: what is not zero tells of an absence."""
_COMING = re.compile(r"particip(e|es|era|erai|eras|ez|erez|ation)|viend\w+|venez|assist(e|era|erai|erez|ez)")


def holds_remarks(heading: str) -> bool:
    """Free text, in which other people may be named."""
    return bool(set(fold(heading).split()) & _REMARKS)


_REMARKS = _set(
    "commentaire commentaires observation observations remarque remarques note notes message messages question questions precisions divers"
)


def holds_judgement(heading: str) -> bool:
    """« Décision du jury », « Avis », « Diplôme délivré »: what was decided or answered, of which only a yes is enough."""
    plain = fold(heading)
    return bool(_JUDGEMENT.search(plain)) and not set(plain.split()) & _CONSENTS


_CONSENTS = _set(
    "photo photos photographie photographiee filme filmee image images rgpd consentement newsletter whatsapp partage recontacte recontactee contacte contactee"
)
_JUDGEMENT = re.compile(
    r"\b(?:avis|bilan|decisions?|jury|resultats?|results?|suivis?|situation|reponses?|response|valid\w*|acqui\w*|appreciations?|retours?|evaluation|"
    r"participation|participe\w*|attest\w*|certifi(?!cat)\w*|inscription|status|etat|issue|verdict|conclusion|obt\w+|reussi\w*|admis\w*|admission|venue?|"
    r"presente?|competences?|decide|accord|accepte\w*|statut|outcome|attendance|completion|eligib\w*|deliv\w*|attribu\w*|remise?|emarge\w*|signatures?|"
    r"passed|completed|tests? (?:final|finale|de fin)|convoque\w*|position|type|badge|epreuves?|termine\w*|acheve\w*|fini\w*|rendu\w*|satisfait\w*|maitris\w*|atteinte?s?)\b"
)


def _names_mail(words: Sequence[str]) -> bool:
    return bool(set(words) & MAIL) or any(
        pair in (("e", "mail"), ("adresse", "electronique")) for pair in pairwise(words)
    )


def address_rank(heading: str) -> int:
    """Which of several columns of addresses is the person's own: the highest."""
    words = set(fold(heading).split())
    return 2 if words & THEIRS else 0 if words & WORK else 1


_NUMBERED = re.compile(
    r"(nom|prenom)s?(?: de l)?(?: (?:eleve|participant|stagiaire|membre|joueur|candidat))? ?([2-9])"
)


def _with_numbered(cells: Sequence[str], found: list[tuple[Column, bool]]) -> list[tuple[Column, bool]]:
    """« Nom 1 ; Prénom 1 ; Nom 2 ; Prénom 2 » names two people in a row."""
    numbered = [_NUMBERED.fullmatch(fold(cell)) for cell in cells]
    pairs = [(one[1], one[2]) for one in numbered if one]
    return [
        (Column.FAMILY if one[1] == "nom" else Column.GIVEN, True)
        if one and {("nom", one[2]), ("prenom", one[2])} <= {*pairs}
        else role
        for one, role in zip(numbered, found, strict=True)
    ]


def _foreign_halves(cells: Sequence[str]) -> dict[str, Column]:
    titles = set(map(fold, cells))
    pair = next(
        (
            pair
            for pair in _FOREIGN
            if titles >= set(pair) and not (pair[1] == "name" and titles & _EXACT[Column.GIVEN])
        ),
        (),
    )
    return dict(zip(pair, (Column.FAMILY, Column.GIVEN), strict=False))


def roles_of_heading(
    cells: Sequence[str], above: Sequence[str] = (), below: Sequence[Sequence[str]] = ()
) -> tuple[Column, ...] | None:
    """What each column holds, if this row is a heading; None if it is not."""
    filled = [cell for cell in cells if cell.strip()]
    # « Nom ; Prénom ; 12 mars 2026 9:00 » is a heading; « 2026-03-12 9:00 ; Dupont » is none.
    foreign = _foreign_halves(filled)
    are_halves = bool(foreign) or {"nom", "prenom"} <= set(map(fold, filled))
    if not filled or any(
        ("@" in cell and len(cell) > 1)
        or (not are_halves and re.search(r"\d{6}|\d{4}-\d\d-\d\d[T ]|\d:\d\d", cell))
        for cell in filled
    ):
        return None
    if not are_halves and sum(bool(re.match(r"[^:]{2,20}:\s*\w", cell)) for cell in filled) > 1:
        # « Nom : Dupont ; Prénom : Marie »
        return None
    groups = _spread(above, len(cells))
    found = [
        (foreign[title], True) if (title := fold(cell)) in foreign else role_of_heading(cell, group)
        for cell, group in zip(cells, groups, strict=True)
    ]
    found = _without_other_names(cells, _with_numbered(cells, found))
    days = [cell for cell in filled if _DAY.fullmatch(cell)]
    # « 5 ; DRAGOMIR ; Sunniva ; Salarié » is the fifth row.
    recognised = sum(sure for _, sure in found) + (0 if len(days) == 1 and days[0].isdigit() else len(days))
    if "LMMJV".startswith("".join(cell.upper() for cell in cells[1:6])) and len(filled) > 2:
        recognised += len(filled) - 1
    named = any(role in NAME_COLUMNS and sure for role, sure in found)
    if not named and (Column.ADDRESS, True) not in found:
        return None
    halves = any(
        role in (Column.FAMILY, Column.GIVEN, Column.FAMILY_FIRST, Column.GIVEN_FIRST) for role, _ in found
    )
    roles = tuple(role for role, _ in found)
    if len(filled) > 1 and any(
        fold(cell) in _BY_WORDING and role in (Column.FAMILY_FIRST, Column.GIVEN_FIRST)
        for cell, role in zip(cells, roles, strict=True)
    ):
        # « Nom – Prénom » is no person, whatever stands beside it.
        return roles
    # « Dupont ; Marie ; Stagiaire ; Présent » is a person with a role and a state, « Dupont ; Marie ; nom à vérifier » too.
    if (not halves or recognised < 2) and any(
        not sure and cell.split() and kind_of(cell.split()[0]) is not Kind.UNKNOWN
        for cell, (_, sure) in zip(cells, found, strict=True)
    ):
        return None
    if {(Column.FAMILY, True), (Column.GIVEN, True)} <= set(found):
        return roles
    if len(filled) == 1:
        return roles if fold(filled[0]) in _BY_WORDING else None
    exact = [i for i, cell in enumerate(cells) if fold(cell) in _BY_WORDING and roles[i] in NAME_COLUMNS]
    if recognised == 1 and len(filled) == 2 and exact and halves:
        # « Nom et prénom ; Délégué »
        return roles
    # « Dossier ; Bénéficiaire ; Motif sortie », « Code FFE ; Joueur ; Elo »
    are_headings = all(map(is_of_headings, filled)) or any(_are_names(below, i) for i in exact)
    if exact and are_headings and not any(map(str.isdigit, "".join(filled))):
        return roles
    asks = _all_questions(filled)
    if recognised < 2 and not (asks and len(filled) > 2 and NAME_COLUMNS & set(roles)):
        return None
    return roles if asks or 5 * recognised >= 2 * len(filled) else None


OF_ONE_PERSON = _set(
    "usage usuel marital epouse epoux nouveau actuel naissance civil fille patronymique marie artiste scene"
)
"""Names that one person may have beside another."""


def _without_other_names(cells: Sequence[str], found: list[tuple[Column, bool]]) -> list[tuple[Column, bool]]:
    """Beside « Nom apprenant » or « Nom », « Nom MA » and « Nom à afficher » name no other person of the list."""
    ranks = [
        2
        if set(fold(cell).split()) & THEIRS
        else 1
        if fold(re.sub(r"\(.{0,90}?\)", "", cell)) in _BY_WORDING
        else 0
        for cell in cells
    ]
    best = {
        kind: max(rank for rank, (holds, _) in zip(ranks, found, strict=True) if holds is kind)
        for kind in {holds for holds, _ in found} & {Column.FAMILY, Column.GIVEN}
    }
    return [
        (Column.NOTHING, True)
        if rank == 0 and best.get(one[0], 0) > 0 and not set(fold(cell).split()) & OF_ONE_PERSON
        else one
        for cell, rank, one in zip(cells, ranks, found, strict=True)
    ]


def _are_names(rows: Sequence[Sequence[str]], at: int) -> bool:
    """« Léa PETIT », « Tom ROUX »: below « Joueur » they show that it is a heading, whatever stands beside it."""
    cells = [row[at] for row in rows if at < len(row)]
    whole = [cell for cell in cells if 1 < len(cell.split()) < 6 and any(map(may_be_given, cell.split()))]
    return len(set(whole)) > 1 and 3 * len(whole) >= 2 * len(cells)


def is_literal_heading(cell: str) -> bool:
    """« Repas », not « Diplôme obtenu »."""
    return fold(cell) in _BY_WORDING or fold(cell) in _NOTHING


def is_of_headings(cell: str) -> bool:
    return role_of_heading(cell)[1] or any(
        word in _VOCABULARY or is_less_common_word(word) for word in fold(cell).split()
    )


def _all_questions(cells: Sequence[str]) -> bool:
    asked = sum(cell.rstrip().endswith(("?", ":")) or len(cell.split()) > 3 for cell in cells)
    return 3 * asked >= len(cells)


def _spread(above: Sequence[str], width: int) -> list[str]:
    """A merged heading stands over all columns up to the next one; « Formateur : Luc Besnard » is none."""
    above = ["" if re.search(r":\s*\S", cell) or len(cell.split()) > 6 else cell for cell in above]
    filled = [index for index, cell in enumerate(above) if cell.strip()]
    if not filled or filled == [0] or filled[:2] == [0, 1] or any(looks_like_name(cell) for cell in above):
        return [""] * width
    spread, current = [], ""
    for index in range(width):
        current = above[index] if index < len(above) and above[index].strip() else current
        spread.append(current)
    return spread


def is_heading_text(text: str) -> bool:
    """« N° Nom Prénom Signature » in one piece."""
    words = fold(text).split()
    known = [word for word in words if word in _VOCABULARY or word in HEADING_WORDS]
    return (
        2 <= len(words) <= 14
        and bool({"nom", "prenom", "noms", "prenoms"} & set(words))
        and 4 * len(known) >= 3 * len(words)
    )


def not_a_person(cells: Sequence[str]) -> Reason | None:
    """Why a row is certainly no person."""
    filled = [cell for cell in cells if cell.strip()]
    joined = " ".join(filled)
    if not any(c.isalpha() for c in joined):
        return Reason.EMPTY
    if "@" in joined:
        return None
    start = fold(re.sub(r"^\W*\d{1,2}[.)]\s+", "", joined))
    words = start.split()
    names = sum(map(may_be_given, words))
    if " | " in joined and not names:
        # « Accueil | Mes cours »
        return Reason.TITLE
    if start in CIVILITIES or all(word in CIVILITIES or word.isdigit() for word in words):
        return Reason.EMPTY
    if found := _HARD.match(start):
        may_be_name = (
            2 <= len(words) <= 3
            and bool(names)
            and ":" not in joined
            and not any(c.isdigit() for c in joined)
            and not _SCHOOLS.match(start)
            and (kind_of(words[0]) is not Kind.UNKNOWN)
        )
        if not may_be_name:
            first = found[1]
            if first[:1].isdigit() or first.startswith(
                ("soit ", "au total", "en tout", "total", "effectif", "nombre", "nb", "moyenne", "sous")
            ):
                return Reason.TOTAL
            if first.startswith(
                ("signature", "visa", "cachet", "fait", "cordial", "bien", "le ", "la ", "page")
            ):
                return Reason.SIGNATURE
            return Reason.SENTENCE if first in _GREETINGS else Reason.TITLE
    stop = sum(word in _STOPWORDS for word in words)
    if len(words) >= 5 and stop >= 2 and not names:
        return Reason.SENTENCE
    if len(words) >= 8 and stop >= 3:
        return Reason.SENTENCE
    if is_heading_text(joined):
        return Reason.HEADING
    return None


def looks_like_name(text: str) -> bool:
    words = text.split()
    plain = [word for word in words if not is_particle(word)]
    if not 2 <= len(words) <= 5 or any(c.isdigit() or c in ":;()/" for c in text):
        return False
    if set(fold(text).split()) & HEADING_WORDS:
        return False
    return any(map(may_be_given, plain)) or any(kind_of(word) is Kind.FAMILY for word in plain[:3])


THINGS = _set(
    """sci scp sasu eirl earl gaec snc scop cie fratrie famille familles epoux enfants jumeaux freres soeurs villa chateau jardin place salle rue avenue boulevard impasse pause cafe dejeuner batiment etage hall parking site gare pole
    espace centre mairie hotel societe sarl sas eurl boulangerie patisserie garage menuiserie transports transport
    entreprise restaurant pharmacie ets cabinet agence residence association club comite service departement
    repas bus visite iphone ipad android samsung galaxy huawei xiaomi pc ordinateur tablette accueil formation atelier stage maison groupe equipe lycee college ecole cfa"""
)
LEADERS = _set(
    """prof professeure professeurs proviseur proviseure principal principale directeur directrice aesh cpe ddfpt formateur formatrice formateurs organisateur organisatrice organizer animateur animatrice intervenant intervenante
    enseignant enseignante professeur enseignants enseignantes professeurs profs animateurs intervenants encadrants
    accompagnateurs accompagnatrices organisateurs organisatrices formatrices encadrant encadrante accompagnateur accompagnatrice trainer"""
)
OTHER_PARTS = LEADERS | _set(
    """maitre tuteur tutrice parent parents pere mere jury accompagnant accompagnante accompagnants responsable referent
    personnel personnels referente coordinateur coordinatrice bot president presidente moderateur moderatrice moderator owner proprietaire host hote hotesse panelist tutor mentor jures juree jurees staff administrateur administratrice admin"""
)
PARTICIPANTS = _set(
    """eleve eleves stagiaire stagiaires apprenti apprentis apprenant apprenants participant participants candidat candidats
    inscrit inscrits inscrite inscrites etudiant etudiants jeunes present presents presente presentes volontaires beneficiaires"""
)
CALENDAR = _set(
    """janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre lundi mardi mercredi jeudi vendredi
    samedi dimanche noel paques toussaint ferie feries vacances et"""
)
_CLOSING = re.compile(r"(cordialement|bien|cdt|cdlt|signature|visa|cachet|fait a|fait le|le formateur|la formatrice|l animateur|"
    r"le directeur|la directrice|le responsable|la responsable|le proviseur|bonne|belle|merci|a bientot|bises|bisous|bise|a plus|a demain|amities|amicalement|ciao|a tres vite|cldt|respectueusement|salutations|de la part|sinceres)\b")  # fmt: skip
CLOSINGS = _set(
    "best regards cheers thanks thx sincerely yours saludos atentamente gracias abrazos cumprimentos abracos obrigado obrigada amities amicalement bises bisous merci cordialement salutations respectueusement"
) | frozenset(
    ("kind regards", "best regards", "bien a vous", "bien a toi", "bien cordialement", "many thanks", "warm regards", "un saludo", "a bientot")
)  # fmt: skip
BESIDE_PRESENCE = _set(
    """repas dejeuner diner cantine vegetarien vegetarienne vegan regime allergie allergies halal autorisation autorise autorisez image photo photos photographie photographiee filme filmee
    droit droits voiture vehicule permis transport covoiturage navette hebergement internat charte reglement rgpd consentement
    cotisation caution paye payee regle reglee reglement boursier boursiere delegue deleguee redoublant majeur mineur pap pai ppre ordinateur
    pc tablette casier licence assurance certificat convention dossier rqth newsletter whatsapp materiel livret cv lettre
    photo adherent adherente taille choix acces medaille club instrument pupitre appareil connu connaissance theme satisfaction prix billet
    partage recontacte recontactee contacte contactee categorie emojis mains levees reactions"""
)
PERSONAL = _CONSENTS | _set(
    """newsletter guest consent recording boursier boursiere rqth vegetarien vegetarienne vegan halal allergie allergies transport navette hebergement internat voiture vehicule
    psh mdph mobilite restauration bafa psc1 proj acc amenagement amenagements bourse sport permis delegue deleguee redoublant redoublante majeur mineur ordinateur tablette pc pap pai ppre cantine repas"""
)
"""Headings under which neither yes nor no concerns the badge."""


def closes_list(text: str) -> bool:
    """« Cordialement, », « Fait à Lyon » : names below are those of who wrote the list."""
    return bool(_CLOSING.match(fold(text))) and not text.rstrip().endswith(":")


def heading_word_in(name: str) -> str:
    return next((word for word in fold(name).split() if word in HEADING_WORDS), "")
