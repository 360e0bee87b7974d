"""What is wrong with one field of a request, in the reader's language and without the field's value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.language import N_
from app.language import gettext as _

_OTHERWISE = N_("La valeur n’a pas la forme attendue.")
_SENTENCES = {
    "missing": N_("Ce champ manque."),
    "extra_forbidden": N_("Ce champ n’existe pas."),
    "string_type": N_("Un texte est attendu."),
    "string_too_short": N_("Le texte est trop court : au moins {min_length} signes."),
    "string_too_long": N_("Le texte est trop long : au plus {max_length} signes."),
    "string_unicode": N_("Le texte contient un signe qui n’existe pas."),
    "control_character": N_("Le texte contient un signe de commande, qui ne s’écrit pas."),
    "bool_parsing": N_("« true » ou « false » est attendu."),
    "bool_type": N_("« true » ou « false » est attendu."),
    "int_type": N_("Un nombre entier est attendu."),
    "int_parsing": N_("Un nombre entier est attendu."),
    "int_from_float": N_("Un nombre entier est attendu."),
    "float_type": N_("Un nombre est attendu."),
    "float_parsing": N_("Un nombre est attendu."),
    "finite_number": N_("Un nombre est attendu."),
    "greater_than": N_("Le nombre doit être plus grand que {gt}."),
    "greater_than_equal": N_("Le nombre doit être au moins {ge}."),
    "less_than_equal": N_("Le nombre doit être au plus {le}."),
    "enum": N_("Les valeurs possibles sont : {expected}."),
    "uuid_type": N_("Un identifiant UUID est attendu."),
    "uuid_parsing": N_("Un identifiant UUID est attendu."),
    "date_type": N_("Une date est attendue, comme 2026-11-25."),
    "date_parsing": N_("Une date est attendue, comme 2026-11-25."),
    "date_from_datetime_parsing": N_("Une date est attendue, comme 2026-11-25."),
    "list_type": N_("Une liste est attendue."),
    "too_short": N_("La liste est trop courte : au moins {min_length}."),
    "too_long": N_("La liste est trop longue : au plus {max_length}."),
    "model_attributes_type": N_("Un objet est attendu."),
    "dict_type": N_("Un objet est attendu."),
}


def reason_of(fault: Mapping[str, Any]) -> str:
    """The sentence for one of pydantic's error types; its context holds our limits, never the sender's value."""
    return _(_SENTENCES.get(fault["type"], _OTHERWISE)).format(**fault.get("ctx", {}))
