"""The colours of a campus: whatever it chooses, what is written can be read."""

from __future__ import annotations

from itertools import product

import pytest

from app.domain.campus.campus import MOST_LIVELY, CampusColours, contrast, oklch

LIVELINESS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.10, 0.12, MOST_LIVELY)
LIGHT_GROUNDS = ("#f2f7f7", "#ffffff", "#e2f6e8", "#fbeedf", "#ffebe8", "#efeefd", "#ebf1f5")
DARK_GROUNDS = ("#0d1417", "#151e21", "#1a3123", "#362918", "#451e1a", "#2b2939", "#262c31")
LIGHT_INK, DARK_INK = "#18222a", "#e4ebec"


def every_choice(*, dark: bool) -> list[CampusColours]:
    return [CampusColours.of(hue, lively, dark=dark) for hue, lively in product(range(360), LIVELINESS)]


@pytest.fixture(scope="module")
def light() -> list[CampusColours]:
    return every_choice(dark=False)


@pytest.fixture(scope="module")
def dark() -> list[CampusColours]:
    return every_choice(dark=True)


def test_accent_is_readable_text_on_every_light_ground_of_the_pages(light: list[CampusColours]) -> None:
    assert min(contrast(c.accent, ground) for c in light for ground in (*LIGHT_GROUNDS, c.accent_tint)) >= 6.6


def test_accent_is_readable_text_on_every_dark_ground_of_the_pages(dark: list[CampusColours]) -> None:
    assert min(contrast(c.accent, ground) for c in dark for ground in (*DARK_GROUNDS, c.accent_tint)) >= 6.6


def test_buttons_can_be_read_at_rest_and_under_the_pointer(
    light: list[CampusColours], dark: list[CampusColours]
) -> None:
    assert min(contrast("#ffffff", ground) for c in light for ground in (c.accent, c.accent_deep)) >= 7
    assert min(contrast("#0d1417", ground) for c in dark for ground in (c.accent, c.accent_deep)) >= 7


def test_ink_is_readable_on_the_tinted_ground(light: list[CampusColours], dark: list[CampusColours]) -> None:
    assert min(contrast(LIGHT_INK, c.accent_tint) for c in light) >= 7
    assert min(contrast(DARK_INK, c.accent_tint) for c in dark) >= 7


def test_white_and_soft_words_are_readable_on_the_enamel_of_a_badge(light: list[CampusColours]) -> None:
    assert min(contrast("#ffffff", c.accent_deep) for c in light) >= 7
    assert min(contrast(c.accent_soft, c.accent_deep) for c in light) >= 7
    assert min(contrast(c.accent_soft, c.accent) for c in light) >= 4.5


def test_hue_goes_round_and_liveliness_has_bounds() -> None:
    assert CampusColours.of(-152, 0.09) == CampusColours.of(208, 0.09) == CampusColours.of(568, 0.09)
    assert CampusColours.of(208, 3) == CampusColours.of(208, MOST_LIVELY)
    assert CampusColours.of(208, -1) == CampusColours.of(10, 0)


@pytest.mark.parametrize(("hue", "liveliness"), [(float("nan"), 0.1), (10.0, float("inf"))])
def test_what_is_no_number_is_no_colour(hue: float, liveliness: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        CampusColours.of(hue, liveliness)


def test_oklch_agrees_with_published_values() -> None:
    assert oklch(1, 0, 0) == "#ffffff"
    assert oklch(0, 0, 0) == "#000000"
    assert oklch(0.627955, 0.257683, 29.2339) == "#ff0000"
    assert oklch(0.452014, 0.313214, 264.052) == "#0000ff"


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)
    assert contrast("#123456", "#123456") == 1
