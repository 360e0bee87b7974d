"""What the desk says of the label of its campus: over is told as over, and what ends soon as something to look at."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.house import House
from tests.support.networks import label as give
from tests.support.networks import network_of


@pytest.mark.parametrize(
    ("days", "sentence"),
    [(-30, "Le label du campus a pris fin le"), (30, "Le label du campus prend fin le")],
)
def test_a_label_is_told_by_where_its_end_lies(house: House, days: int, sentence: str) -> None:
    today = house.clock.now.date()
    with house.unit_of_work() as services:
        network = network_of(services, house.campus)
        give(services, network, house.campus, today - timedelta(days=900), today + timedelta(days=days))
    page = house.client(house.admin).get("/gestion/itip").text
    assert sentence in page
