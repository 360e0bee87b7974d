"""What a kind of badge asks for before it may be opened, and the one text that holds criteria and judging."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.badges import (
    BadgeKind,
    BadgeText,
    are_near,
    count_criteria,
    free_slug,
    join_criteria,
    lacks_of,
    split_criteria,
)

THREE = "- Lit le plan de l’installation\n- Raccorde la centrale\n- Remet en service"
PLAIN = st.text(alphabet=st.characters(categories=("L", "N", "Zs"), include_characters="-.\n’"), max_size=80)


def text(kind: BadgeKind, **changes) -> BadgeText:
    whole = {
        "name": "Mettre en service un contrôle d’accès",
        "description": "Pose et raccorde un contrôle d’accès.",
        "criteria": THREE,
        "assessment": "Deux formateurs observent une installation réelle.",
        "competencies": [(2, 3)],
    }
    return BadgeText(kind, **(whole | changes))


def fields(found) -> list[str]:
    return [lack.field for lack in found]


@pytest.mark.parametrize("kind", list(BadgeKind))
def test_a_badge_that_says_everything_lacks_nothing(kind):
    assert lacks_of(text(kind)) == []


@pytest.mark.parametrize("kind", list(BadgeKind))
def test_an_empty_badge_is_reported_everything_that_its_kind_asks_for(kind):
    result = fields(
        lacks_of(text(kind, name="", description="", criteria="", assessment="", competencies=[]))
    )
    assert result[:3] == ["nom", "description", "criteres"]
    assert ("jugement" in result) is kind.is_assessed
    assert ("competences" in result) is (kind is BadgeKind.COMPETENCY)


def test_a_competency_badge_asks_for_three_criteria_and_a_level():
    assert fields(lacks_of(text(BadgeKind.COMPETENCY, criteria="- Lit le plan\n- Raccorde la centrale"))) == [
        "criteres"
    ]
    assert fields(lacks_of(text(BadgeKind.COMPETENCY, competencies=[(None, 3)]))) == ["competences"]
    assert lacks_of(text(BadgeKind.COMPETENCY, competencies=[(None, 0)])) == []


def test_criteria_are_counted_by_bullets_else_by_lines():
    assert count_criteria("Ce qui est vu :\n- un\n- deux\n\nEt voilà.") == 2
    assert count_criteria("un\n\ndeux\ntrois") == 3


@given(PLAIN, PLAIN)
def test_criteria_and_judging_are_distinguished_again(criteria, assessment):
    kept = join_criteria(criteria, assessment)
    assert split_criteria(kept) == (criteria.strip(), assessment.strip())
    assert join_criteria(*split_criteria(kept)) == kept


def test_near_names_are_noticed_and_others_are_not():
    assert are_near("Découverte de l’impression 3D", "Découvertes de l'impression 3D")
    assert not are_near("Animer la Fresque du climat", "Programmer un robot collaboratif")


def test_an_address_is_made_of_the_name_and_stays_free():
    assert free_slug("Œuvrer à l’Éco-conception !", lambda _: False) == "oeuvrer-a-l-eco-conception"
    taken = {"atelier", "atelier-2"}
    assert free_slug("Atelier", taken.__contains__) == "atelier-3"
    assert free_slug("漢字", lambda _: False) == "badge"
