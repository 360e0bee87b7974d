"""A cached picture equals the drawn picture."""

from __future__ import annotations

import pytest

from app.adapters import badge_pictures
from tests.support.running import drawings


def test_a_picture_is_drawn_once_for_each_size(monkeypatch: pytest.MonkeyPatch):
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="5" height="4" fill="#083"/></svg>'
    drawn = drawings._of_all_colours(svg, 40)
    assert badge_pictures._of_all_colours(svg, 40) == drawn
    assert badge_pictures.with_palette(drawn) == drawings._with_palette(drawn)
    assert badge_pictures._of_all_colours(svg, 20) == drawings._of_all_colours(svg, 20) != drawn
    monkeypatch.setattr(drawings, "_of_all_colours", None)
    assert badge_pictures._of_all_colours(svg, 40) == drawn
