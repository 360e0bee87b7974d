"""Invented people: the same on every machine, told apart by name, as varied as a real list."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from app.domain.people import check_name, is_address, name_key
from demo.content import DemoContent, ascii_letters, invent

GIVEN = ("Élif", "Łukasz", "Anne-Gaëlle", "Đông")
FAMILY = ("d’Hérouville", "Çelik", "N’Guessan", "Le Bœuf", "Roy")


def test_the_same_seed_invents_the_same_people_and_another_seed_others() -> None:
    once = invent({"lyceens": 12}, GIVEN, FAMILY, seed="a")
    assert invent({"lyceens": 12}, GIVEN, FAMILY, seed="a") == once
    assert invent({"lyceens": 12}, GIVEN, FAMILY, seed="b") != once


def test_adding_a_cohort_at_the_end_renames_nobody() -> None:
    before = invent({"lyceens": 12}, GIVEN, FAMILY)["lyceens"]
    assert invent({"lyceens": 12, "adultes": 3}, GIVEN, FAMILY)["lyceens"] == before


def test_lists_of_names_that_are_too_short_are_refused_rather_than_repeated() -> None:
    with pytest.raises(ValueError, match="too short"):
        invent({"lyceens": 2}, ("Zoé",), ("Roy",))


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Nguyễn-L’Écuyer", "nguyen-lecuyer"),
        ("Łukasz", "lukasz"),
        ("Đỗ", "do"),
        ("İpek", "ipek"),
        ("Le Bœuf", "le-boeuf"),
    ],
)
def test_an_address_is_written_with_plain_letters(name: str, letters: str) -> None:
    assert ascii_letters(name) == letters


def test_a_few_hundred_people_have_names_that_nobody_confuses(content: DemoContent) -> None:
    learners = list(content.learners.values())
    assert 300 <= len(learners) <= 600
    keys = Counter(name_key(learner.given, learner.family) for learner in learners)
    assert [key for key, count in keys.items() if count > 1] == []
    for learner in learners:
        check_name(learner.given, learner.family)


def test_names_try_accents_hyphens_apostrophes_particles_and_other_alphabets(content: DemoContent) -> None:
    names = [learner.name for learner in content.learners.values()]
    for pattern in (
        r"[éèêëïôç]",
        r"-",
        r"’",
        r"\bde ",
        r"\bd’",
        r"[ğışİ]",
        r"[łńśźż]",
        r"[ễỗồạăơư]",
        r"[ãõ]",
    ):
        assert any(re.search(pattern, name) for name in names), pattern
    assert max(map(len, names)) >= 40


def test_most_people_have_an_address_some_have_none_and_siblings_share_one(content: DemoContent) -> None:
    learners = content.learners.values()
    addresses = Counter(address for learner in learners for address in learner.addresses)
    without = [learner for learner in learners if not learner.addresses]
    shared = [address for address, count in addresses.items() if count > 1]
    assert 20 <= len(without) <= len(learners) // 8
    assert 5 <= len(shared) <= 30
    for address in addresses:
        assert is_address(address)
        assert address.partition("@")[2] in {"courriel.example", "messagerie.example", "boite.example"}
