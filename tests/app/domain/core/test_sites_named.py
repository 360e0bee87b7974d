"""Text that strangers may send to others in the name of a campus names no site that mail programs would link."""

from __future__ import annotations

import pytest

from app.domain.core import names_a_site
from app.domain.trust.organisations import checked_why
from app.errors import InvalidInput


@pytest.mark.parametrize(
    "text", ["https://gain", "voir www.gain", "gain.fr", "sur GAIN-FACILE.COM !", "gain．shop/x", "a.b.link"]
)
def test_sites_are_found(text: str) -> None:
    assert names_a_site(text)
    with pytest.raises(InvalidInput):
        checked_why(text)


@pytest.mark.parametrize(
    "text",
    [
        "Merci d’avance. Cordialement",
        "J’ai fini.Il reste un jour",
        "Avec M.Dupont et J.-P. Martin",
        "Bonjour,\nje suis S.T.I.",
        "l’atelier.Comme convenu",
    ],
)
def test_sentences_are_no_sites(text: str) -> None:
    assert not names_a_site(text)
