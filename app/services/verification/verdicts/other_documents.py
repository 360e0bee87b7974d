"""Documents that are no badges, in sentences: what each is, who signed it, and whether it is good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.language import N_
from app.language.sentences import Sentence, plain
from app.services.verification.verdicts.checks import place_of
from app.services.verification.verdicts.wording import SAID
from sceau_credentials.verification.findings.reasons import Reason
from sceau_credentials.verification.other_documents import DocumentKind, OtherDocument
from sceau_credentials.verification.report import Outcome

_K = DocumentKind
WHAT: Final[Mapping[DocumentKind, str]] = {
    _K.ENDORSEMENT: N_("Recommandation ou label"),
    _K.TRUST_LIST: N_("Liste de campus reconnus"),
    _K.STATUS_LIST: N_("Liste des retraits"),
    _K.KEY_DOCUMENT: N_("Document de clés"),
    _K.KEY_SET: N_("Jeu de clés (JWKS)"),
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
    _K.KEY_DOCUMENT: {Outcome.PASSED: _PUBLISHED, Outcome.FAILED: _PUBLISHED_DIFFERENTLY},
    _K.KEY_SET: {Outcome.PASSED: _SET_PUBLISHED, Outcome.FAILED: _SET_PUBLISHED_DIFFERENTLY},
}


def _of_keys(other: OtherDocument) -> str:
    if other.reason == "publisher_not_named":
        return _SET_OF_NOBODY
    return _OF_KEYS[other.kind].get(other.outcome, _NOT_READ)


_NAMED: Final = N_("{name} ({place})")


def other_told(other: OtherDocument, *, by_stranger: bool) -> tuple[Sentence, Sentence]:
    """What it is, and what was found about it; a stranger's own name for itself is not repeated."""
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
    why = SAID[other.reason][0] if other.reason in set(Reason) and other.reason in SAID else _UNNAMED
    return what, Sentence(_SIGNED_NOT, {**values, "why": Sentence(why, {**details, **values})})
