"""The possible answers, with text, colour and seal of each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from app.language import N_, Sentence, plain
from app.services.verification.verdicts.checks import place_of
from app.services.verification.verdicts.wording import CHECK_MESSAGES
from sceau_credentials.verification.findings import Reason
from sceau_credentials.verification.other_documents import DocumentKind, OtherDocument
from sceau_credentials.verification.report import Outcome


class HeadlineKind(StrEnum):
    VALID = "valid"
    VALID_ELSEWHERE = "valid_elsewhere"
    HOSTED_ELSEWHERE = "hosted_elsewhere"
    UNKNOWN_ISSUER = "unknown_issuer"
    DOCUMENT_GOOD = "document_good"
    """Not a badge: a valid endorsement, list or key document."""
    DOCUMENT_BAD = "document_bad"
    DOCUMENT_OPEN = "document_open"
    LEADS = "leads"
    """A document that was not itself verified: it leads to a badge."""
    NAMES_DIFFER = "names_differ"
    """Its text names another person than the badge."""
    STATEMENTS_DIFFER = "statements_differ"
    """Its text states another title or date than the badge."""
    LOOKALIKE = "lookalike"
    OTHER_KEY = "other_key"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    REPLACED = "replaced"
    RENEWED = "renewed"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    OTHER_PERSON = "other_person"
    ALTERED = "altered"
    IMPOSTOR = "impostor"
    UNKNOWN_KEY = "unknown_key"
    UNSIGNED = "unsigned"
    BAD_SIGNATURE = "bad_signature"
    WITHDRAWN_AT_ADDRESS = "withdrawn_at_address"
    NOT_AT_ITS_ADDRESS = "not_at_its_address"
    HOSTED_BY_ANOTHER = "hosted_by_another"
    KEY_WITHDRAWN = "key_withdrawn"
    NOT_CONFORMING = "not_conforming"
    SIGNED_NOT_CONFORMING = "signed_not_conforming"
    PARTLY_COVERED = "partly_covered"
    OTHER_FILE = "other_file"
    SEVERAL_BADGES = "several_badges"
    UNVERIFIABLE = "unverifiable"
    """Not now: a required document was unreachable."""
    NOT_CHECKABLE = "not_checkable"
    """Not here: an unsupported format, or no usable key."""
    UNAUTHENTICATED = "unauthenticated"
    OUT_OF_DATE_UNPROVEN = "out_of_date_unproven"
    IMAGE_WITHOUT_BADGE = "image_without_badge"
    PDF_WITHOUT_BADGE = "pdf_without_badge"
    NOT_A_BADGE = "not_a_badge"
    UNREADABLE = "unreadable"
    LINK_ELSEWHERE = "link_elsewhere"
    LINK_UNKNOWN = "link_unknown"
    LINK_GONE = "link_gone"
    LINK_ERASED = "link_erased"
    """Of a badge that was erased at its holder's request."""
    CLOSED = "closed"

    @property
    def is_genuine(self) -> bool:
        """Signed by a key of the issuer, or hosted on its site; whatever its current validity."""
        return self in _GENUINE

    @property
    def is_an_answer(self) -> bool:
        """Something verifiable was read; otherwise there is only a next step."""
        return self not in _NOTHING_CHECKED


_K = HeadlineKind
_GENUINE: Final = frozenset(
    {
        _K.VALID,
        _K.VALID_ELSEWHERE,
        _K.HOSTED_ELSEWHERE,
        _K.UNKNOWN_ISSUER,
        _K.EXPIRED,
        _K.NOT_YET_VALID,
        _K.REPLACED,
        _K.RENEWED,
        _K.REVOKED,
        _K.SUSPENDED,
        _K.OTHER_PERSON,
        _K.SIGNED_NOT_CONFORMING,
        _K.OTHER_FILE,
    }
)
_NOTHING_CHECKED: Final = frozenset(
    {
        _K.DOCUMENT_GOOD,
        _K.DOCUMENT_BAD,
        _K.DOCUMENT_OPEN,
        _K.IMAGE_WITHOUT_BADGE,
        _K.PDF_WITHOUT_BADGE,
        _K.NOT_A_BADGE,
        _K.UNREADABLE,
        _K.LINK_ELSEWHERE,
        _K.LINK_UNKNOWN,
        _K.LINK_GONE,
        _K.LINK_ERASED,
        _K.CLOSED,
    }
)

_ASK_FOR_THE_ADDRESS: Final = N_(
    "Ne vous fiez à rien de ce que ce fichier affiche. Demandez à la personne l’adresse de la page de son badge, puis ouvrez-la ici."
)
_COME_BACK: Final = N_(
    "Refaites la vérification dans une heure. Si c’est urgent, écrivez à l’organisme qui a donné le badge."
)
ASK_FOR_THE_FILE: Final = N_(
    "Demandez à la personne le fichier qu’elle a téléchargé, ou l’adresse de la page de son badge."
)

_NO_BADGE: Final = N_(
    "Ce n’est pas un badge. Pour en vérifier un, déposez son fichier ou donnez son adresse."
)

WORDING: Final[Mapping[HeadlineKind, tuple[str, str, str, str]]] = {
    # kind: state, seal, heading, next step
    _K.VALID: ("ok", "ok", N_("Authentique, en cours de validité"), ""),
    _K.VALID_ELSEWHERE: ("ok", "ok", N_("Authentique, signé par {place}"), ""),
    _K.HOSTED_ELSEWHERE: ("ok", "ok", N_("Authentique, publié par {place}"), ""),
    _K.UNKNOWN_ISSUER: (
        "unk",
        "unk",
        N_("Signature valable, émetteur inconnu"),
        N_("Demandez à la personne qui lui a donné ce badge, et comment joindre cet organisme."),
    ),
    _K.DOCUMENT_GOOD: ("shut", "ok", N_("{what} : en règle"), _NO_BADGE),
    _K.DOCUMENT_BAD: ("bad", "broken", N_("{what} : à écarter"), _NO_BADGE),
    _K.DOCUMENT_OPEN: ("unk", "unk", N_("{what} : non vérifiable pour l’instant"), _COME_BACK),
    _K.LEADS: ("shut", "unk", N_("Ce document n’a pas été vérifié : il mène à ce badge"), ""),
    _K.NAMES_DIFFER: (
        "bad",
        "broken",
        N_("Le document et le badge ne portent pas le même nom"),
        N_(
            "Demandez à la personne l’adresse de la page de son badge : la sienne affichera son nom. Cela peut être un changement de nom, une erreur de fichier, ou un faux."
        ),
    ),
    _K.STATEMENTS_DIFFER: (
        "bad",
        "broken",
        N_("Le document et le badge ne disent pas la même chose"),
        N_(
            "Ne retenez que ce que dit le badge, ci-dessous. Demandez à la personne l’adresse de la page de son badge : cela peut être une erreur de fichier, ou un faux."
        ),
    ),
    _K.LOOKALIKE: (
        "bad",
        "unk",
        N_("Attention : un émetteur qui ressemble à un autre"),
        N_(
            "Ne vous fiez pas à ce badge avant d’avoir demandé au campus reconnu, qui signe depuis {known_place}."
        ),
    ),
    _K.OTHER_KEY: (
        "bad",
        "unk",
        N_("Attention : signé avec une clé que le réseau ne connaît pas"),
        N_("Demandez au campus lui-même s’il a donné ce badge."),
    ),
    _K.EXPIRED: (
        "past",
        "past",
        N_("Authentique, mais expiré"),
        N_(
            "Le badge dit vrai sur son époque. Si vous avez besoin d’un savoir-faire à jour, demandez à la personne si elle l’a renouvelé."
        ),
    ),
    _K.NOT_YET_VALID: (
        "past",
        "past",
        N_("Authentique, mais pas encore valable"),
        N_("Revenez ce jour-là : la page refait la vérification à chaque visite."),
    ),
    _K.REPLACED: (
        "past",
        "past",
        N_("Authentique, mais remplacé le {replaced_at}"),
        N_(
            "Le badge lui-même n’est pas retiré. Ouvrez sa page, ou demandez à la personne le fichier actuel."
        ),
    ),
    _K.RENEWED: (
        "past",
        "past",
        N_("Authentique, et renouvelé depuis"),
        N_("Ouvrez la page du badge, ou demandez à la personne le fichier actuel."),
    ),
    _K.REVOKED: (
        "bad",
        "revoked",
        N_("Retiré par son émetteur"),
        N_(
            "Ne retenez pas ce badge. La personne n’a peut-être pas vu le message de l’émetteur : dites-le-lui simplement."
        ),
    ),
    _K.SUSPENDED: ("past", "past", N_("Suspendu par son émetteur"), _COME_BACK),
    _K.OTHER_PERSON: (
        "bad",
        "revoked",
        N_("Authentique, mais au nom de quelqu’un d’autre"),
        N_("Demandez à la personne si elle a changé de nom."),
    ),
    _K.ALTERED: ("bad", "broken", N_("Non authentique : modifié après signature"), _ASK_FOR_THE_ADDRESS),
    # « Non authentique » only if a signature was checked and is invalid.
    _K.IMPOSTOR: (
        "bad",
        "broken",
        N_("Signé par quelqu’un d’autre que l’émetteur affiché"),
        _ASK_FOR_THE_ADDRESS,
    ),
    _K.UNKNOWN_KEY: (
        "bad",
        "broken",
        N_("Aucune clé de l’émetteur affiché ne l’a signé"),
        _ASK_FOR_THE_ADDRESS,
    ),
    _K.UNSIGNED: ("bad", "broken", N_("Pas signé : rien ne dit qui l’a écrit"), _ASK_FOR_THE_ADDRESS),
    _K.BAD_SIGNATURE: ("bad", "broken", N_("Signature irrecevable"), _ASK_FOR_THE_ADDRESS),
    _K.WITHDRAWN_AT_ADDRESS: (
        "bad",
        "revoked",
        N_("Retiré de l’adresse qui le publiait"),
        N_("Ne retenez pas ce badge. Demandez à la personne si elle sait pourquoi il a été retiré."),
    ),
    _K.NOT_AT_ITS_ADDRESS: (
        "bad",
        "broken",
        N_("Pas publié à l’adresse qu’il donne"),
        _ASK_FOR_THE_ADDRESS,
    ),
    _K.HOSTED_BY_ANOTHER: (
        "bad",
        "broken",
        N_("Publié par quelqu’un d’autre que l’émetteur affiché"),
        _ASK_FOR_THE_ADDRESS,
    ),
    _K.KEY_WITHDRAWN: (
        "bad",
        "revoked",
        N_("Clé de signature retirée par l’émetteur"),
        N_("Demandez à la personne un badge signé à nouveau."),
    ),
    _K.NOT_CONFORMING: (
        "past",
        "unk",
        N_("Pas conforme au standard, signature non vérifiée"),
        _ASK_FOR_THE_ADDRESS,
    ),
    _K.SIGNED_NOT_CONFORMING: (
        "bad",
        "revoked",
        N_("Signé par son émetteur, mais mal écrit"),
        N_("Demandez à l’émetteur de corriger son badge : la personne n’y peut rien."),
    ),
    _K.PARTLY_COVERED: (
        "bad",
        "broken",
        N_("La signature ne couvre pas tout ce fichier"),
        _ASK_FOR_THE_ADDRESS,
    ),
    _K.OTHER_FILE: (
        "bad",
        "revoked",
        N_("Signé par son émetteur, mais un fichier joint n’est pas le sien"),
        N_("Demandez à la personne le fichier d’origine : le badge en donne l’empreinte."),
    ),
    _K.SEVERAL_BADGES: (
        "bad",
        "broken",
        N_("Plusieurs badges dans un fichier : aucun n’a été vérifié"),
        _ASK_FOR_THE_ADDRESS,
    ),
    _K.UNVERIFIABLE: ("unk", "unk", N_("Non vérifiable pour l’instant"), _COME_BACK),
    _K.NOT_CHECKABLE: (
        "unk",
        "unk",
        N_("Non vérifiable ici"),
        N_("Demandez à l’émetteur où ce badge se vérifie."),
    ),
    _K.UNAUTHENTICATED: (
        "unk",
        "unk",
        N_("Non vérifiable : rien n’authentifie ce paquet"),
        N_(
            "Vérifiez le badge avec le réseau, ou donnez la clé de l’émetteur, une liste de confiance ou un témoin que vous connaissez."
        ),
    ),
    _K.OUT_OF_DATE_UNPROVEN: ("unk", "unk", N_("Non vérifiable, et hors de ses dates"), _COME_BACK),
    _K.IMAGE_WITHOUT_BADGE: (
        "past",
        "unk",
        N_("Cette image ne contient pas de badge"),
        N_("L’adresse écrite sur l’image marche toujours : tapez-la ici."),
    ),
    _K.PDF_WITHOUT_BADGE: (
        "past",
        "unk",
        N_("Aucun badge n’est joint à ce document"),
        N_("L’adresse écrite sur le document marche toujours : tapez-la ici."),
    ),
    _K.NOT_A_BADGE: ("past", "unk", N_("Ce n’est pas un badge"), ASK_FOR_THE_FILE),
    _K.UNREADABLE: ("past", "unk", N_("Ce fichier n’a pas pu être lu"), ASK_FOR_THE_FILE),
    _K.LINK_ELSEWHERE: (
        "shut",
        "unk",
        N_("Pas de badge lisible à cette adresse"),
        N_("Téléchargez le badge sur ce site, puis déposez le fichier ici : la réponse sera la même."),
    ),
    _K.LINK_UNKNOWN: (
        "unk",
        "unk",
        N_("Aucun badge à cette adresse"),
        N_("Comparez l’adresse avec celle qui est écrite sur le badge, signe par signe."),
    ),
    _K.LINK_GONE: (
        "bad",
        "revoked",
        N_("Retiré : ce document n’est plus à cette adresse"),
        N_("Ne retenez pas ce document. Demandez à la personne si elle sait pourquoi il a été retiré."),
    ),
    _K.LINK_ERASED: (
        "shut",
        "revoked",
        N_("Effacé à la demande de la personne"),
        N_("Cela ne dit rien contre elle. Si ce badge compte pour vous, parlez-en avec elle."),
    ),
    _K.CLOSED: ("shut", "shut", N_("Page fermée par son titulaire"), ""),
}

DOCUMENT_OF_UNKNOWN_ISSUER: Final = N_("{what} : signature valable, émetteur inconnu")
LEADS_TO_ANOTHER: Final = N_("Ce document n’a pas été vérifié : il mène à un autre document")
ATTACHED: Final = N_("Nous avons vérifié le badge contenu dans ce fichier, pas ce que la page montre")
IN_PICTURE: Final = N_("Nous avons vérifié le badge contenu dans ce fichier, pas ce que l’image montre")
REVOKED_ON: Final = N_("Retiré par le campus le {revoked_at}")
SUSPENDED_UNTIL: Final = N_("Suspendu jusqu’au {suspended_until}")
BACK_THEN: Final = N_(
    "Refaites la vérification après cette date, ou écrivez à l’organisme qui a donné le badge."
)
LOOKALIKE_OF: Final = N_("Attention : ce n’est pas « {known} »")
OF_UNKNOWN_ISSUER: Final[Mapping[HeadlineKind, str]] = {
    _K.EXPIRED: N_("Signature valable, mais expiré"),
    _K.NOT_YET_VALID: N_("Signature valable, mais pas encore en vigueur"),
    _K.OTHER_PERSON: N_("Signature valable, mais au nom de quelqu’un d’autre"),
}
"""« Authentique » requires a registered issuer; the issuer of these is unknown."""

MESSAGES: Final[Mapping[HeadlineKind, tuple[str, str, str]]] = {
    # kind: message, message if the third value is missing, name of that value
    _K.VALID: (N_("{given} Rien n’y a été changé depuis."), "", ""),
    _K.VALID_ELSEWHERE: (N_("Rien n’y a été changé depuis sa signature. {recognised}"), "", ""),
    _K.HOSTED_ELSEWHERE: (
        N_("Il est affiché ici tel que ce site le publie en ce moment : personne ne l’a signé. {recognised}"),
        "",
        "",
    ),
    _K.UNKNOWN_ISSUER: (N_("{unknown} Nous ne disons ni oui ni non."), "", ""),
    _K.DOCUMENT_GOOD: (N_("{which}"), "", ""),
    _K.DOCUMENT_BAD: (N_("{which}"), "", ""),
    _K.DOCUMENT_OPEN: (N_("{which}"), "", ""),
    _K.LEADS: (N_("{compare} {led} Le badge, lui : {found}."), "", ""),
    _K.STATEMENTS_DIFFER: (N_("{differs} {led} {compare}"), "", ""),
    _K.NAMES_DIFFER: (
        N_(
            "Le document nomme {written}, le badge {name}. {led} Ce badge ne dit rien de la personne nommée sur le document."
        ),
        N_("Le texte du document ne contient pas le nom qui est dans le badge : {name}. {led}"),
        "written",
    ),
    _K.LOOKALIKE: (
        N_(
            "L’émetteur a un nom ou une adresse presque semblable. La signature tient, mais elle est celle de "
            "{place}, pas celle de « {known} »."
        ),
        "",
        "",
    ),
    _K.OTHER_KEY: (N_("La signature tient. {recognised}"), "", ""),
    _K.EXPIRED: (N_("{given} {dates}"), "", ""),
    _K.NOT_YET_VALID: (N_("{given} {dates}"), "", ""),
    _K.REPLACED: (
        N_(
            "Le campus {campus} a bien signé ce fichier, puis une version qui le remplace. Elle est à la même adresse."
        ),
        "",
        "",
    ),
    _K.RENEWED: (
        N_(
            "Ce fichier est bon jusqu’au {file_until}. Le campus {campus} a renouvelé le badge jusqu’au {renewed_until}, à la même adresse."
        ),
        "",
        "",
    ),
    _K.REVOKED: (
        N_("{given} Il l’a ensuite retiré : ce badge ne vaut plus."),
        N_("L’organisme qui l’avait signé l’a retiré. Il ne vaut plus."),
        "revoked_at",
    ),
    _K.SUSPENDED: (
        N_("{given} Il a suspendu ce badge pour un temps : ce badge n’est ni valable ni retiré."),
        N_("{given} Il est suspendu pour le moment."),
        "suspended_until",
    ),
    _K.OTHER_PERSON: (N_("{given} Ce n’est pas la personne indiquée."), "", ""),
    _K.ALTERED: (
        N_(
            "Ce fichier se présente comme un badge du campus {campus}. Son contenu n’est plus celui que le campus a signé."
        ),
        N_("Son contenu n’est plus celui qui a été signé."),
        "campus",
    ),
    _K.IMPOSTOR: (
        N_("Ce fichier se présente comme un badge du campus {campus}. Le campus ne l’a pas signé."),
        N_("La clé qui a signé n’est pas celle de l’émetteur affiché."),
        "campus",
    ),
    _K.UNKNOWN_KEY: (
        N_(
            "Ce fichier se présente comme un badge du campus {campus}. La clé qu’il nomme n’est pas une clé du campus."
        ),
        N_("La clé qu’il nomme n’est pas de celles que l’émetteur affiché publie pour ses badges."),
        "campus",
    ),
    _K.UNSIGNED: (N_("N’importe qui a pu écrire ce fichier."), "", ""),
    _K.BAD_SIGNATURE: (N_("{bad} Rien n’est donc prouvé, ni dans un sens ni dans l’autre."), "", ""),
    _K.WITHDRAWN_AT_ADDRESS: (
        N_(
            "Ce badge n’est pas signé : il ne vaut que par l’adresse qui le publie. Elle dit qu’il est retiré."
        ),
        "",
        "",
    ),
    _K.NOT_AT_ITS_ADDRESS: (
        N_(
            "Ce badge n’est pas signé : il ne vaut que par l’adresse qui le publie, et elle ne le publie pas."
        ),
        "",
        "",
    ),
    _K.HOSTED_BY_ANOTHER: (
        N_("L’adresse qui publie ce badge n’est pas de celles qui parlent au nom de l’émetteur affiché."),
        "",
        "",
    ),
    _K.KEY_WITHDRAWN: (
        N_("L’émetteur a retiré la clé qui a signé : elle a pu tomber dans d’autres mains."),
        "",
        "",
    ),
    _K.NOT_CONFORMING: (
        N_(
            "{shape} Sa signature n’a pas été vérifiée : {why} Nous ne disons pas qu’il est faux, seulement qu’il n’est pas recevable ainsi."
        ),
        "",
        "",
    ),
    _K.PARTLY_COVERED: (
        N_("{bad} Ce qui n’est pas couvert a pu être ajouté par n’importe qui, avant ou après la signature."),
        "",
        "",
    ),
    _K.OTHER_FILE: (N_("{given} Rien n’y a été changé. {bad}"), "", ""),
    _K.SIGNED_NOT_CONFORMING: (
        N_("{given} Rien n’y a été changé. Mais il n’est pas écrit comme le standard le demande : {shape}"),
        "",
        "",
    ),
    _K.SEVERAL_BADGES: (N_("Un programme y lirait un badge, un autre programme un autre badge."), "", ""),
    _K.UNVERIFIABLE: (N_("{why} Nous ne disons ni oui ni non."), "", ""),
    _K.NOT_CHECKABLE: (N_("{why} Nous ne disons ni oui ni non."), "", ""),
    _K.UNAUTHENTICATED: (N_("{why} Nous ne disons ni oui ni non."), "", ""),
    _K.OUT_OF_DATE_UNPROVEN: (N_("{why} Et selon le fichier lui-même : {dates}"), "", ""),
    _K.IMAGE_WITHOUT_BADGE: (
        N_(
            "C’est peut-être une photo d’un badge, ou une copie dont un téléphone a retiré le contenu. Le badge lui-même n’est pas en cause."
        ),
        "",
        "",
    ),
    _K.PDF_WITHOUT_BADGE: (
        N_("C’est peut-être une impression d’un badge. Le badge lui-même n’est pas en cause."),
        "",
        "",
    ),
    _K.NOT_A_BADGE: (N_("{read} Rien n’a été vérifié."), "", ""),
    _K.UNREADABLE: (N_("{read} Rien n’a été vérifié."), "", ""),
    _K.LINK_ELSEWHERE: (N_("{asked} Rien n’a été vérifié."), "", ""),
    _K.LINK_UNKNOWN: (
        N_("Ce service n’a attribué aucun badge à cette adresse, ou elle est incomplète."),
        "",
        "",
    ),
    _K.LINK_GONE: (
        N_("Qui l’avait signé l’a retiré, ou ses données ont été effacées. Il ne vaut plus."),
        "",
        "",
    ),
    _K.LINK_ERASED: (
        N_(
            "Un badge était à cette adresse. Ses données sont effacées : il ne vaut plus et ne se vérifie plus."
        ),
        "",
        "",
    ),
    _K.CLOSED: (
        N_(
            "Cette adresse mène à un badge. La personne à qui il appartient a choisi de ne pas le montrer ici. Rien n’est dit de la valeur du badge."
        ),
        "",
        "",
    ),
}


_OTHER_DOCUMENTS_K = DocumentKind
WHAT: Final[Mapping[DocumentKind, str]] = {
    _OTHER_DOCUMENTS_K.ENDORSEMENT: N_("Recommandation ou label"),
    _OTHER_DOCUMENTS_K.TRUST_LIST: N_("Liste de campus reconnus"),
    _OTHER_DOCUMENTS_K.STATUS_LIST: N_("Liste des retraits"),
    _OTHER_DOCUMENTS_K.KEY_DOCUMENT: N_("Document de clés"),
    _OTHER_DOCUMENTS_K.KEY_SET: N_("Jeu de clés (JWKS)"),
}
_SIGNED: Final = N_("Signé par {place}, rien n’y a été changé depuis.")
_ENDORSES: Final = N_("Signé par {place}, rien n’y a été changé depuis. Au sujet de {about} : « {comment} »")
_SIGNED_NOT: Final = N_("Se présente comme signé par {place}. {why}")
_PUBLISHED: Final = N_(
    "C’est le document que {place} publie en ce moment. Personne ne signe un tel document : son adresse en répond."
)
_PUBLISHED_DIFFERENTLY: Final = N_("Ce n’est pas le document que {place} publie en ce moment.")
_NOT_READ: Final = N_("Le document que {place} publie n’a pas pu être lu, et rien d’autre n’en répond.")
_SET_PUBLISHED: Final = N_(
    "Chacune de ses clés est de celles que {place} publie en ce moment. Personne ne signe un tel document : son adresse en répond."
)
_SET_PUBLISHED_DIFFERENTLY: Final = N_(
    "Au moins une de ses clés n’est pas de celles que {place} publie en ce moment."
)
_SET_OF_NOBODY: Final = N_(
    "Rien dans ce document ne dit quel site le publie. Donnez l’adresse où vous l’avez trouvé."
)
_UNNAMED: Final = N_("Sa signature ne vaut pas.")


_OF_KEYS: Final[Mapping[DocumentKind, Mapping[Outcome, str]]] = {
    _OTHER_DOCUMENTS_K.KEY_DOCUMENT: {Outcome.PASSED: _PUBLISHED, Outcome.FAILED: _PUBLISHED_DIFFERENTLY},
    _OTHER_DOCUMENTS_K.KEY_SET: {Outcome.PASSED: _SET_PUBLISHED, Outcome.FAILED: _SET_PUBLISHED_DIFFERENTLY},
}


def _of_keys(other: OtherDocument) -> str:
    if other.reason == "publisher_not_named":
        return _SET_OF_NOBODY
    return _OF_KEYS[other.kind].get(other.outcome, _NOT_READ)


_NAMED: Final = N_("{name} ({place})")


def other_document_message(other: OtherDocument, *, by_stranger: bool) -> tuple[Sentence, Sentence]:
    """Its type and result; a stranger's own name for itself is not repeated."""
    what = Sentence(WHAT[other.kind])
    values: dict[str, object] = {
        "place": place_of(other.issuer),
        "about": place_of(other.about),
        "comment": plain(other.comment, 400),
    }
    if other.issuer_name and not by_stranger:
        named = {"name": plain(other.issuer_name), "place": values["place"]}
        values["place"] = Sentence(_NAMED, named)
    if other.kind in _OF_KEYS:
        return what, Sentence(_of_keys(other), values)
    if other.outcome is Outcome.PASSED:
        return what, Sentence(_ENDORSES if other.comment else _SIGNED, values)
    details: dict[str, object] = dict.fromkeys(
        ("cause", "pointer", "type", "purpose", "valid_from", "valid_until", "domain", "witness"), ""
    )
    why = (
        CHECK_MESSAGES[other.reason][0]
        if other.reason in set(Reason) and other.reason in CHECK_MESSAGES
        else _UNNAMED
    )
    return what, Sentence(_SIGNED_NOT, {**values, "why": Sentence(why, {**details, **values})})
