"""What the history says of each deed: French, for the filter `say`."""

from __future__ import annotations

from app.domain.history import Subject
from app.language import N_

SUBJECTS = {
    Subject.TEAM: N_("L’équipe"),
    Subject.AWARDS: N_("Les attributions"),
    Subject.REQUESTS: N_("Les demandes de badges"),
    Subject.BADGES: N_("Les badges et les compétences"),
    Subject.ACTIVITIES: N_("Les activités"),
    Subject.ACCESS: N_("Les connexions et les accès"),
    Subject.CAMPUS: N_("Le campus"),
    Subject.EXPORTS: N_("Les tableaux emportés"),
}
OTHER_DEED = N_("Autre changement")
DEEDS = {
    ("membership", "join"): N_("Rôle donné"),
    ("membership", "leave"): N_("Rôle repris"),
    ("invitation", "invite"): N_("Invitation envoyée"),
    ("invitation", "resend"): N_("Invitation renvoyée"),
    ("invitation", "withdraw"): N_("Invitation retirée"),
    ("invitation", "accept"): N_("Invitation acceptée"),
    ("award", "award"): N_("Badge attribué"),
    ("award", "revoke"): N_("Badge retiré"),
    ("award", "undo"): N_("Attribution annulée avant tout envoi"),
    ("award", "open"): N_("Page du badge ouverte à tous"),
    ("award", "close"): N_("Page du badge refermée"),
    ("award", "disclose"): N_("Choix de ce que la personne montre de ses preuves"),
    ("award", "claim"): N_("Badge récupéré"),
    ("award", "renew_link"): N_("Lien privé remplacé"),
    ("award", "write_again"): N_("Lettre renvoyée"),
    ("award", "show_code"): N_("Code de retrait affiché"),
    ("award", "print_slip"): N_("Bulletin à remettre imprimé"),
    ("award_batch", "plan"): N_("Attribution à plusieurs personnes, programmée"),
    ("award_batch", "cancel"): N_("Attribution programmée, abandonnée"),
    ("award_batch", "undo"): N_("Attribution à plusieurs personnes, annulée"),
    ("award_batch", "hand_over"): N_("Badges remis sans attendre"),
    ("request", "ask"): N_("Badge demandé"),
    ("request", "confirm"): N_("Demande confirmée"),
    ("request", "complete"): N_("Demande complétée"),
    ("request", "withdraw"): N_("Demande retirée par la personne"),
    ("request", "agreed"): N_("Premier accord sur une demande"),
    ("request", "asked_more"): N_("Demande à compléter"),
    ("request", "accepted"): N_("Demande acceptée"),
    ("request", "refused"): N_("Demande refusée"),
    ("badge", "create"): N_("Badge créé"),
    ("badge", "revise"): N_("Nouvelle version du badge"),
    ("badge", "rewrite"): N_("Badge réécrit"),
    ("badge", "open"): N_("Badge ouvert"),
    ("badge", "archive"): N_("Badge archivé"),
    ("badge", "restore"): N_("Badge repris"),
    ("badge", "open_to_all"): N_("Badge ouvert à tous les formateurs"),
    ("badge", "open_to_some"): N_("Badge réservé à certains formateurs"),
    ("badge", "open_to"): N_("Badge ouvert à une personne"),
    ("badge", "shut_to"): N_("Badge refermé à une personne"),
    ("framework", "create"): N_("Référentiel créé"),
    ("competency", "create"): N_("Compétence créée"),
    ("competency", "amend"): N_("Compétence changée"),
    ("competency", "archive"): N_("Compétence archivée"),
    ("competency", "restore"): N_("Compétence reprise"),
    ("activity", "create"): N_("Activité créée"),
    ("activity", "record"): N_("Participants inscrits"),
    ("activity", "open_room"): N_("Code de présence affiché"),
    ("activity", "close_room"): N_("Code de présence arrêté"),
    ("participation", "amend"): N_("Participation corrigée"),
    ("participation", "dispute"): N_("Ligne du journal contestée"),
    ("participation", "answer"): N_("Réponse à une contestation"),
    ("token", "create"): N_("Jeton d’accès créé pour un programme"),
    ("token", "revoke"): N_("Jeton d’accès retiré"),
    ("session", "sign_in"): N_("Connexion"),
    ("session", "prove"): N_("Identité confirmée"),
    ("session", "sign_out"): N_("Déconnexion"),
    ("person", "sign_out_everywhere"): N_("Déconnexion partout"),
    ("person", "allow_name"): N_("Choix sur le nom dans les badges"),
    ("password", "set"): N_("Mot de passe choisi"),
    ("password", "drop"): N_("Mot de passe supprimé"),
    ("password", "mistype"): N_("Mot de passe refusé"),
    ("campus", "create"): N_("Campus créé"),
    ("campus", "amend"): N_("Réglages changés"),
    ("campus", "label"): N_("Label enregistré"),
    ("key", "create"): N_("Clé de signature créée"),
    ("reminders", "start"): N_("Rappels remis en marche"),
    ("reminders", "stop"): N_("Rappels arrêtés"),
    ("table", "export"): N_("Tableau emporté"),
}
ELSEWHERE = {("network", "create"), ("sign_in_link", "make")}
"""Of the whole service and not of a campus: no page of a campus tells them."""
TABLES = {
    "repertoire": N_("Tableau des personnes"),
    "attributions": N_("Tableau des attributions"),
    "liens": N_("Liens privés d’une attribution"),
    "historique": N_("Historique du campus"),
}
PROOFS = {
    "link": N_("par lien"),
    "password": N_("par mot de passe"),
    "passkey": N_("par clé d’accès"),
    "oidc": N_("par un autre service"),
}
ACTORS = {
    "sign-in page": N_("Page de connexion"),
    "somebody who asks": N_("Une personne qui demande un badge"),
    "link in a letter": N_("Lien d’une lettre"),
}
COMMAND, PROGRAM, SERVICE = N_("Commande de l’exploitant"), N_("Un programme"), N_("Le service")
