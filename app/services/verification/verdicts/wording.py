"""Sentences per reason: the finding and, if there is more to add, a detail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.language import N_
from sceau_credentials.verification.findings import Reason
from sceau_credentials.verification.report import CheckId

ASK_FOR_THE_ADDRESS: Final = N_(
    "Demandez à la personne l’adresse de la page de son badge, puis ouvrez-la ici."
)
ASK_FOR_THE_FILE: Final = N_(
    "Demandez le fichier d’origine, ou l’adresse de la page du badge : une copie d’écran ne suffit pas."
)
COME_BACK: Final = N_("Refaites la vérification dans une heure. Si c’est urgent, écrivez à l’émetteur.")
ISSUER_MUST_MEND: Final = N_("C’est à l’émetteur de corriger : la personne n’y peut rien.")
NOT_FOR_US: Final = N_("Demandez à l’émetteur où ce badge se vérifie.")
DO_NOT_RELY: Final = N_("Ne vous fiez à rien de ce que ce fichier affiche.")


STATUS_MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    Reason.NOT_REVOKED: (
        N_("L’émetteur ne l’a ni retiré ni suspendu."),
        N_("Liste des retraits publiée par {place}."),
    ),
    Reason.STILL_HOSTED: (
        N_("L’émetteur le publie toujours, et ne le dit pas retiré."),
        N_("Adresse lue chez {place}."),
    ),
    Reason.NOT_LISTED: (
        N_("L’émetteur ne le nomme pas parmi les badges qu’il a retirés."),
        N_("Liste d’un ancien modèle, que personne ne signe, publiée par {place}."),
    ),
    Reason.REVOKED: (
        N_("L’émetteur l’a retiré. Il ne vaut plus."),
        N_("Liste des retraits publiée par {place}."),
    ),
    Reason.SUSPENDED: (
        N_("L’émetteur l’a suspendu pour le moment."),
        N_("Liste des retraits publiée par {place}."),
    ),
    Reason.NO_STATUS_ENTRY: (
        N_("Il ne cite aucune liste des retraits : personne ne peut le retirer."),
        N_("S’il avait été donné par erreur, rien ne le dirait."),
    ),
    Reason.STATUS_INFORMATIVE: (N_("La liste qu’il cite sert à autre chose qu’à le retirer."), ""),
    Reason.STATUS_LEFT_OUT: (N_("La liste des retraits n’a pas été lue, comme demandé."), ""),
    Reason.STATUS_MAY_BE_WITHHELD: (
        N_("Une partie seulement du badge est montrée : nous ne savons pas s’il a été retiré."),
        ASK_FOR_THE_FILE,
    ),
    Reason.STATUS_REQUIRED: (
        N_("Vous demandez une liste des retraits, et il n’en cite aucune : personne ne peut le retirer."),
        NOT_FOR_US,
    ),
    Reason.STATUS_ENTRY_MALFORMED: (
        N_("Ce qu’il dit de la liste des retraits n’est pas lisible : nous ne savons pas s’il a été retiré."),
        ISSUER_MUST_MEND,
    ),
    Reason.STATUS_TYPE_NOT_READ: (
        N_(
            "Sa liste des retraits est d’une sorte que nous ne lisons pas : nous ne savons pas s’il a été retiré."
        ),
        NOT_FOR_US,
    ),
    Reason.STATUS_PURPOSE_NOT_READ: (
        N_(
            "La liste qu’il cite a un but que nous ne connaissons pas : nous ne savons pas s’il a été retiré."
        ),
        NOT_FOR_US,
    ),
    Reason.STATUS_LIST_UNAVAILABLE: (
        N_("La liste des retraits ne répond pas : nous ne savons pas s’il a été retiré."),
        COME_BACK,
    ),
    Reason.STATUS_LIST_MALFORMED: (
        N_("La liste des retraits n’est pas lisible : nous ne savons pas s’il a été retiré."),
        ISSUER_MUST_MEND,
    ),
    Reason.STATUS_LIST_NOT_AUTHENTIC: (
        N_("La liste des retraits n’est pas bien signée : nous ne nous y fions pas."),
        COME_BACK,
    ),
    Reason.STATUS_LIST_OF_ANOTHER_ISSUER: (
        N_("La liste des retraits vient de quelqu’un d’autre que l’émetteur : nous ne nous y fions pas."),
        NOT_FOR_US,
    ),
    Reason.STATUS_LIST_STALE: (
        N_("La liste des retraits n’est plus à jour : nous ne savons pas s’il a été retiré depuis."),
        COME_BACK,
    ),
    Reason.STATUS_PURPOSE_DIFFERS: (
        N_("La liste citée n’est pas celle des retraits : nous ne savons pas s’il a été retiré."),
        ISSUER_MUST_MEND,
    ),
    Reason.STATUS_LIST_TOO_SHORT: (
        N_("La liste des retraits est plus courte que permis : elle désignerait la personne."),
        ISSUER_MUST_MEND,
    ),
    Reason.STATUS_INDEX_OUT_OF_RANGE: (
        N_("La liste des retraits n’a pas de place pour ce badge : nous ne savons pas s’il a été retiré."),
        ISSUER_MUST_MEND,
    ),
}


TITLES: Final[Mapping[CheckId, str]] = {
    CheckId.READABLE: N_("Lecture"),
    CheckId.CONTEXT: N_("Vocabulaire"),
    CheckId.SCHEMA: N_("Forme"),
    CheckId.PROOF: N_("Contenu"),
    CheckId.KEY: N_("Signature"),
    CheckId.ISSUER: N_("Émetteur"),
    CheckId.VALIDITY: N_("Dates"),
    CheckId.STATUS: N_("Retrait"),
    CheckId.RECIPIENT: N_("Titulaire"),
}

UNASKED: Final[Mapping[CheckId, str]] = {
    CheckId.READABLE: N_("La lecture n’a pas été tentée."),
    CheckId.CONTEXT: N_("Le vocabulaire n’a pas été regardé : il n’y a pas de badge à lire."),
    CheckId.SCHEMA: N_("La forme n’a pas été regardée : il n’y a pas de badge à lire."),
    CheckId.PROOF: N_("La signature n’a pas été regardée : elle ne vaudrait pas pour ce contenu."),
    CheckId.KEY: N_("La clé n’a pas été regardée : elle n’a pas signé ce contenu."),
    CheckId.ISSUER: N_("L’émetteur n’a pas été regardé : rien ne prouve qu’il a signé."),
    CheckId.VALIDITY: N_("Les dates n’ont pas été regardées : il n’y a pas de badge à lire."),
    CheckId.STATUS: N_("La liste des retraits n’a pas été lue : elle ne vaudrait pas pour ce contenu."),
    CheckId.RECIPIENT: N_("Le titulaire n’a pas été regardé : il n’y a pas de badge à lire."),
}

CHECK_MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    # Input
    Reason.READABLE: (N_("C’est un badge ouvert, version 3.0."), N_("Il a été lu en entier.")),
    Reason.VERIFIER_FAULT: (
        N_("La vérification s’est arrêtée sur une erreur de ce service."),
        N_("Le badge n’est pas en cause. Demandez à l’émetteur où il se vérifie."),
    ),
    Reason.UNRECOGNISED_FORMAT: (
        N_("Nous n’y avons reconnu ni JSON, ni JWT, ni image PNG ou SVG, ni PDF."),
        ASK_FOR_THE_FILE,
    ),
    Reason.PRESENTED_IS_URL: (
        N_("C’est une adresse, pas un badge."),
        N_("Téléchargez le badge à cette adresse, puis déposez le fichier ici."),
    ),
    Reason.TOO_LARGE: (N_("Le fichier est trop grand, ou trop profond, pour un badge."), ASK_FOR_THE_FILE),
    Reason.IMAGE_WITHOUT_BADGE: (
        N_("Aucun badge n’est caché dans cette image."),
        N_("L’adresse écrite sur l’image marche toujours : tapez-la ici."),
    ),
    Reason.IMAGE_NOT_READ: (N_("L’image est abîmée, ou n’est ni PNG ni SVG."), ASK_FOR_THE_FILE),
    Reason.IMAGE_AMBIGUOUS: (
        N_("Le fichier contient plusieurs badges : nous ne pouvons pas dire lequel il montre."),
        ASK_FOR_THE_ADDRESS,
    ),
    Reason.PDF_WITHOUT_BADGE: (
        N_("Aucun badge n’est joint à ce document PDF."),
        N_("L’adresse écrite sur le document marche toujours : tapez-la ici."),
    ),
    Reason.PDF_NOT_READ: (
        N_("Le document PDF est abîmé, protégé, ou d’une sorte que nous ne lisons pas."),
        ASK_FOR_THE_FILE,
    ),
    Reason.MALFORMED_JSON: (
        N_("Le texte n’est pas un JSON que tous lisent de la même façon."),
        ASK_FOR_THE_FILE,
    ),
    Reason.MALFORMED_JWT: (
        N_("Le texte ressemble à un JWT, mais il est incomplet ou abîmé."),
        ASK_FOR_THE_FILE,
    ),
    Reason.OPEN_BADGE_2: (
        N_("C’est un badge ouvert, version 2.0."),
        N_("Il a été vérifié selon les règles de cette version."),
    ),
    Reason.OPEN_BADGE_1: (
        N_("C’est un badge ouvert, version 1."),
        N_("Il a été vérifié selon les règles de cette version."),
    ),
    Reason.OLDER_BADGE_ADDRESS: (
        N_("L’image contient l’adresse d’un badge ouvert d’une version ancienne."),
        N_("Il a été lu à cette adresse, chez {place}."),
    ),
    Reason.NOT_AN_OPEN_BADGE_3: (
        N_("Ce sont des données, mais pas celles d’un badge ouvert."),
        N_("Déposez le fichier du badge lui-même."),
    ),
    # JSON-LD context
    Reason.CONTEXT_KNOWN: (
        N_("Les mots qu’il emploie sont ceux du standard."),
        N_("Comparés aux vocabulaires publiés, gardés ici."),
    ),
    Reason.CONTEXT_NOT_USED: (
        N_("Ses mots sont ceux de la première version du standard."),
        N_("Cette version ne citait pas encore de vocabulaire."),
    ),
    Reason.CONTEXT_ORDER: (
        N_("Les vocabulaires du standard manquent, ou sont en désordre."),
        ISSUER_MUST_MEND,
    ),
    Reason.CONTEXT_NOT_ALLOWED: (N_("Il redéfinit lui-même le sens de ses mots."), DO_NOT_RELY),
    Reason.CONTEXT_NOT_HELD: (N_("Il emploie un vocabulaire que nous ne gardons pas."), NOT_FOR_US),
    # Schema
    Reason.SCHEMA_CONFORMS: (
        N_("Il a la forme que le standard demande."),
        N_("Comparé au schéma Open Badges 3.0."),
    ),
    Reason.SCHEMA_VIOLATION: (N_("Il lui manque quelque chose que le standard demande."), ISSUER_MUST_MEND),
    Reason.BADGE_CLASS_UNAVAILABLE: (
        N_("Nous n’avons pas pu lire ce que ce badge récompense : {place} ne répond pas."),
        COME_BACK,
    ),
    Reason.PART_WITHHELD: (
        N_("Une partie seulement du badge est montrée, sans ce que tout badge doit dire."),
        ASK_FOR_THE_FILE,
    ),
    Reason.SCHEMA_NOT_HELD: (N_("Il suit un schéma que nous ne gardons pas."), NOT_FOR_US),
    # Signature
    Reason.SIGNATURE_HOLDS: (
        N_("Le badge n’a pas été modifié depuis sa signature."),
        N_("Chaque champ affiché ici fait partie de ce qui est signé."),
    ),
    Reason.HOSTED: (
        N_("Le badge est affiché ici tel que {place} le publie en ce moment."),
        N_("Personne ne l’a signé : c’est le site qui en répond, et il peut le changer."),
    ),
    Reason.HOSTED_UNAVAILABLE: (
        N_("Le badge n’a pas pu être lu à son adresse : {place} ne répond pas."),
        COME_BACK,
    ),
    Reason.HOSTED_DIFFERS: (N_("L’adresse que donne ce badge ne mène pas à lui."), DO_NOT_RELY),
    Reason.HOSTED_NO_MORE: (
        N_("L’adresse qui publiait ce badge dit qu’il est retiré."),
        N_("Adresse lue chez {place}."),
    ),
    Reason.NO_PROOF: (N_("Personne ne l’a signé."), N_("N’importe qui a pu l’écrire. Ne vous y fiez pas.")),
    Reason.SIGNATURE_MISMATCH: (
        N_("Le fichier a été modifié après sa signature."),
        N_(
            "L’empreinte calculée n’est pas celle qui a été signée. Nous ne pouvons pas dire quel champ a changé."
        ),
    ),
    Reason.PROOF_MALFORMED: (N_("La signature n’est pas écrite comme elle doit l’être."), ASK_FOR_THE_FILE),
    Reason.PROOF_NOT_READ: (N_("Il est signé d’une façon que nous ne lisons pas."), NOT_FOR_US),
    Reason.TOO_MANY_PROOFS: (
        N_("Il a plus de signatures qu’un badge n’en a besoin."),
        ASK_FOR_THE_ADDRESS,
    ),
    Reason.PROOF_PURPOSE: (N_("La signature a été faite pour autre chose."), DO_NOT_RELY),
    Reason.PROOF_EXPIRED: (N_("La signature elle-même a expiré."), N_("L’émetteur peut signer à nouveau.")),
    Reason.PROOF_FROM_THE_FUTURE: (N_("La date de la signature est à venir."), DO_NOT_RELY),
    Reason.ALGORITHM_NOT_ALLOWED: (
        N_("La méthode de signature annoncée n’est pas celle de la clé."),
        DO_NOT_RELY,
    ),
    Reason.HEADER_NOT_ALLOWED: (
        N_("L’en-tête de la signature contient ce qu’il ne doit pas contenir."),
        DO_NOT_RELY,
    ),
    Reason.UNDEFINED_TERM: (
        N_("Il contient un mot que rien ne définit, et que la signature ne couvre donc pas."),
        DO_NOT_RELY,
    ),
    Reason.DATA_NOT_SIGNED: (
        N_("Il contient des données que la signature ne peut pas couvrir."),
        DO_NOT_RELY,
    ),
    Reason.TOO_HARD: (N_("Vérifier sa signature demanderait trop de calculs."), NOT_FOR_US),
    Reason.RESOURCE_DIFFERS: (
        N_("Un fichier présenté avec le badge n’est pas celui dont le badge donne l’empreinte."),
        N_("Demandez le fichier d’origine à {place}, ou ne vous fiez pas à celui-ci."),
    ),
    Reason.RESOURCE_DIGEST_NOT_READ: (
        N_("L’empreinte d’un fichier présenté avec le badge est écrite d’une façon que nous ne lisons pas."),
        NOT_FOR_US,
    ),
    Reason.CLAIM_MISSING: (
        N_("Il manque à l’enveloppe du badge une mention obligatoire."),
        ISSUER_MUST_MEND,
    ),
    Reason.CLAIMS_DISAGREE: (N_("Le badge et son enveloppe se contredisent."), DO_NOT_RELY),
    Reason.KEY_NOT_AT_HAND: (
        N_("Sans la clé, nous ne savons pas si le badge a été modifié."),
        N_("Voyez ce qui est dit de la signature."),
    ),
    # Key owner
    Reason.KEY_BOUND: (
        N_("Il est signé par une clé que l’émetteur publie."),
        N_("Clé publiée par {place}."),
    ),
    Reason.HOSTED_IN_SCOPE: (
        N_("Il est publié à une adresse qui parle au nom de l’émetteur."),
        N_("Comparée à ce que l’émetteur permet, chez {place}."),
    ),
    Reason.HOSTED_OUT_OF_SCOPE: (
        N_("Il est publié à une adresse qui ne parle pas au nom de l’émetteur affiché."),
        DO_NOT_RELY,
    ),
    Reason.KEY_NOT_BOUND_TO_ISSUER: (
        N_("La clé qui a signé n’est pas celle de l’émetteur affiché."),
        N_("Quelqu’un d’autre a signé en son nom."),
    ),
    Reason.KEY_NOT_FOUND: (N_("L’émetteur affiché ne publie pas la clé qui a signé."), DO_NOT_RELY),
    Reason.KEY_NOT_FOR_ASSERTION: (
        N_("L’émetteur n’a pas destiné cette clé à signer des badges."),
        DO_NOT_RELY,
    ),
    Reason.KEY_REVOKED: (
        N_(
            "L’émetteur a retiré la clé qui a signé, et son journal ne prouve pas que l’attribution était d’avant."
        ),
        N_("La clé a pu tomber dans d’autres mains. Demandez un badge signé à nouveau."),
    ),
    Reason.KEY_REVOKED_SINCE: (
        N_("L’émetteur publie la clé qui a signé. Il l’a retirée depuis, après cette attribution."),
        N_(
            "Son journal le prouve : l’attribution y était avant que la clé ne puisse être en d’autres mains."
        ),
    ),
    Reason.KEY_REVOKED_BEFORE: (
        N_("L’émetteur a retiré la clé qui a signé, et l’attribution n’est entrée à son journal qu’après."),
        N_("Qui a volé la clé a pu signer ce badge. Demandez un badge signé à nouveau."),
    ),
    Reason.KEY_REVOKED_LOG_UNREAD: (
        N_(
            "L’émetteur a retiré la clé qui a signé, et son journal, qui dirait depuis quand, n’a pas pu être lu."
        ),
        COME_BACK,
    ),
    Reason.KEY_EXPIRED: (
        N_("La clé qui a signé n’est plus en service."),
        N_("Demandez un badge signé à nouveau."),
    ),
    Reason.KEY_UNUSABLE: (
        N_("La clé est trop faible, ou mal formée, pour prouver quoi que ce soit."),
        DO_NOT_RELY,
    ),
    Reason.KEY_DOCUMENT_MALFORMED: (
        N_("L’adresse de l’émetteur ne donne pas de clés lisibles."),
        ISSUER_MUST_MEND,
    ),
    Reason.KEY_REFERENCE_MALFORMED: (
        N_("Le badge ne dit pas correctement quelle clé l’a signé."),
        ISSUER_MUST_MEND,
    ),
    Reason.KEY_METHOD_NOT_READ: (N_("La clé est publiée d’une façon que nous ne lisons pas."), NOT_FOR_US),
    Reason.KEY_DOCUMENT_UNREADABLE: (
        N_("Les clés de l’émetteur n’ont pas pu être lues : son adresse répond autre chose."),
        COME_BACK,
    ),
    Reason.KEY_NOT_AUTHENTICATED: (
        N_("Les clés viennent du paquet lui-même : rien d’autre ne dit qu’elles sont celles de l’émetteur."),
        N_(
            "Quelqu’un d’autre a pu les y mettre. Vérifiez avec le réseau, ou donnez une clé ou une liste de confiance que vous connaissez."
        ),
    ),
    Reason.KEY_WITNESSED: (
        N_("{witness}, un témoin que vous connaissez, a vu ce badge au journal de l’émetteur."),
        N_("Son contenu est celui que le campus y a inscrit."),
    ),
    Reason.KEY_DOCUMENT_UNAVAILABLE: (
        N_("Les clés de l’émetteur n’ont pas pu être lues : {place} ne répond pas."),
        COME_BACK,
    ),
    # Issuer
    Reason.ISSUER_IDENTIFIED: (
        N_("L’émetteur est connu par son adresse, {domain}, qui répond de la clé."),
        N_("Son nom est celui qu’il se donne."),
    ),
    Reason.ISSUER_TRUSTED: (N_("Ce service se porte garant de l’émetteur."), ""),
    Reason.ISSUER_IS_ONLY_A_KEY: (
        N_("Rien ne dit qui est derrière cette clé."),
        N_("Aucune adresse ne répond du nom affiché : n’importe qui a pu l’écrire."),
    ),
    Reason.ISSUER_PROFILE_UNAVAILABLE: (
        N_("L’émetteur n’a pas pu être lu à son adresse : {place} ne répond pas."),
        COME_BACK,
    ),
    Reason.ISSUER_NOT_TRUSTED: (
        N_("Vous ne vous portez pas garant de cet émetteur."),
        N_("Renseignez-vous sur lui, puis ajoutez-le à votre liste."),
    ),
    Reason.ISSUER_NOT_IDENTIFIED: (N_("Nous ne pouvons pas dire qui est l’émetteur."), NOT_FOR_US),
    # Validity period
    Reason.IN_FORCE: (N_("Il est valable du {valid_from} au {valid_until}."), ""),
    Reason.NOT_YET_VALID: (N_("Il ne sera valable qu’à partir du {valid_from}."), N_("Revenez ce jour-là.")),
    Reason.EXPIRED: (
        N_("Sa durée de validité s’est terminée le {valid_until}."),
        N_("Elle était fixée le jour de l’attribution."),
    ),
    Reason.PERIOD_REVERSED: (N_("Sa durée de validité finirait avant d’avoir commencé."), ISSUER_MUST_MEND),
    Reason.END_MAY_BE_WITHHELD: (
        N_("Une partie seulement du badge est montrée : une date de fin a pu être laissée de côté."),
        ASK_FOR_THE_FILE,
    ),
    Reason.PERIOD_UNREADABLE: (N_("Ses dates de validité ne sont pas lisibles."), ISSUER_MUST_MEND),
    **STATUS_MESSAGES,
    # Recipient
    Reason.RECIPIENT_NOT_ASKED: (N_("Personne n’a demandé à qui est ce badge."), ""),
    Reason.RECIPIENT_MATCHES: (N_("Il nomme la personne que vous avez indiquée."), ""),
    Reason.RECIPIENT_DIFFERS: (
        N_("Il nomme quelqu’un d’autre que la personne indiquée."),
        N_("Demandez à la personne si elle a changé de nom."),
    ),
    Reason.RECIPIENT_NOT_NAMED: (
        N_("Il ne nomme personne de cette façon : nous ne savons pas à qui il est."),
        N_("Demandez à la personne comment le campus la connaît."),
    ),
}
