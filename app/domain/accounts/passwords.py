"""Which passwords are good enough: long, and not made of what anybody would try first."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from app.errors import InvalidInput
from app.language import N_

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024
# What guessers try first, in French and in English; longer words come before those they contain.
_OBVIOUS = re.split(
    r"\s+",
    "administrateur administrator administration motdepasse motdepass password passwort passphrase "
    "bienvenue bonjour welcome formation formateur enseignant professeur apprenant etudiant campus lycee college "
    "sceau badges badge openbadge secret azertyuiop qwertyuiop azerty qwerty qsdfghjklm asdfghjkl wxcvbn zxcvbn "
    "soleil sunshine princess princesse dragon monkey football marseille chocolat doudou loulou iloveyou jetaime "
    "letmein changeme changezmoi printemps automne hiver janvier fevrier mars avril juin juillet aout "
    "septembre octobre novembre decembre superman batman master default temporaire provisoire test user admin root "
    "france paris lyon dijon creusot vesoul montbeliard cluny education nationale abcdefghijklmnopqrstuvwxyz",
)
_RUNS = (
    "01234567890123456789",
    "98765432109876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "azertyuiop",
    "qwertyuiop",
)
_LEET = str.maketrans("@4301!5$7+", "aaeoiisstt")
# Of what nobody would guess, at least this much, and this many different signs.
_LEAST_LEFT = 6
_LEAST_DIFFERENT = 5
_SHORTEST_CONTEXT = 4


def normal_password(text: str) -> str:
    """One spelling for what keyboards and systems write in several ways (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", text)


def check_password(password: str, *, context: Iterable[str] = ()) -> None:
    """`context`: the person's names and addresses, and whatever else belongs to them for everybody to see."""
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidInput(
            N_(
                "Ce mot de passe est trop court : au moins {least} signes. Une phrase fait très bien l’affaire."
            ),
            least=SHORTEST_PASSWORD,
        )
    if len(password) > LONGEST_PASSWORD:
        raise InvalidInput(
            N_("Ce mot de passe est trop long : {most} signes au plus."), most=LONGEST_PASSWORD
        )
    plain = _plain(password)
    own = {word for text in context for word in re.split(r"[\W_]+", _plain(text))}
    own = {word for word in own if len(word) >= _SHORTEST_CONTEXT}
    for reading in (plain, plain.translate(_LEET)):
        left = reading
        for word in sorted((*own, *_OBVIOUS), key=len, reverse=True):
            left = left.replace(word, "\x00")
        left = _without_runs(left).replace("\x00", "")
        left = re.sub(r"(19|20)\d\d|[\W_]", "", left)
        if len(left) < _LEAST_LEFT or len(set(left)) < _LEAST_DIFFERENT:
            raise InvalidInput(
                N_(
                    "Ce mot de passe se devine : il tient à des mots courants, à une suite de touches, à votre nom ou à votre adresse. Prenez quatre ou cinq mots sans rapport entre eux."
                )
            )


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def _without_runs(text: str) -> str:
    """`text` without runs of four keys and more, and without signs that only repeat the one before."""
    text = re.sub(r"(.{1,4}?)\1{2,}", r"\1", text)
    for run in _RUNS:
        for length in range(len(run), 3, -1):
            for start in range(len(run) - length + 1):
                text = text.replace(run[start : start + length], "\x00")
    return text
