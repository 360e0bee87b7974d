"""Text as it gets signed: letters in one composition, nothing unseen, and names without markup."""

from __future__ import annotations

import re
import unicodedata

from app.errors import InvalidInput
from app.language import N_
from sceau_credentials.issuing.lints.wording import holds_markup, is_unseen


def as_signed(text: str) -> str:
    """The same words without what pasting brings along: split accents, invisible and direction-turning signs.

    Other people's verifiers write such signs differently into what is signed, so the library refuses them.
    """
    if _PLAIN.fullmatch(text):
        return text
    composed = unicodedata.normalize("NFC", text)
    return "".join(sign for sign in composed if sign in _LAYOUT or unicodedata.category(sign) not in _UNSEEN)


def name_as_signed(name: str) -> str:
    """`as_signed` for a name: on one line, and without the signs that join or part letters unseen."""
    if _PLAIN_NAME.fullmatch(name):
        return name
    seen = "".join(sign for sign in as_signed(name) if _BREAKS.match(sign) or not is_unseen(sign))
    return _BREAKS.sub(" ", unicodedata.normalize("NFC", seen)).strip()


def name_as_listed(name: str) -> str:
    """`name_as_signed` for a name that was stored before markup was refused: it stops no list from being signed."""
    seen = name_as_signed(name)
    return seen.replace("<", "‹") if holds_markup(seen) else seen


def check_signed_name(name: str) -> None:
    """What a name may not hold because it will be signed; what is merely unseen is left out when it is."""
    if holds_markup(name) or holds_markup(name_as_signed(name)):
        raise InvalidInput(
            N_("Un nom ne contient pas de balise, comme « <b> » : écrivez-le sans le signe « < ».")
        )
    if name.strip() and not name_as_signed(name):
        raise InvalidInput(N_("Ce nom ne contient que des caractères invisibles."))


_BREAKS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
_PLAIN_NAME = re.compile(
    r"[!-~\u00a1-\u00ac\u00ae-\u017f\u2019]+(?: [!-~\u00a1-\u00ac\u00ae-\u017f\u2019]+)*"
)
_PLAIN = re.compile(r"[\n\t\r -~\u00a0-\u00ac\u00ae-\u017f\u2019]*")  # composed and visible as it is
_LAYOUT = frozenset("\n\t\r\u200c\u200d")  # the last two join and part letters in some scripts and in emoji
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn"})
