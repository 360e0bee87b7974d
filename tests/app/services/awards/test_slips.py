"""Slips for a list of badges: who gets one, in which language, and the history entry."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from io import BytesIO

import pytest
from PIL import ImageChops
from PIL.Image import Image
from pypdf import PdfReader
from pypdfium2 import PdfDocument

from app.adapters.badge_pictures import BadgeArtist, PictureOrder
from app.adapters.papers import Papers
from app.container.process import TEMPLATES
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import CampusColours
from app.errors import Conflict
from app.http.pages.words import day
from app.services.awards.papers import Slip, SlipPicture, SlipSheet
from tests.support.app import NOON, App, build_app
from tests.support.letters import awarded

ZOE, LUCAS = "Zoé Martin;zoe@exemple.fr", "Lucas Bernard;lucas@exemple.fr"


def slips(app: App, award_ids, *, language: str = "fr", campus=None) -> str:
    with app.unit_of_work() as services:
        sheet = services.slips.prepare(
            campus or app.campus, award_ids, language=language, day=day, by=Actor(app.trainer.id)
        )
    with app.unit_of_work(reading=True) as services:
        pdf = services.slips.printed(sheet)
    return " ".join(PdfReader(BytesIO(pdf)).pages[0].extract_text().split())


def code_in(said: str) -> str:
    found = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", said)
    assert found, said
    return found[0]


def test_slip_contains_the_code_that_opens_the_badge(database_url: str, tmp_path):
    app = build_app(database_url, tmp_path)
    zoe, lucas = awarded(app, ZOE, LUCAS)
    said = slips(app, [zoe, lucas])
    assert said.index("Lucas Bernard") < said.index("Zoé Martin"), "by last name, as they are called"
    code = code_in(said.partition("Zoé Martin")[2])
    with app.unit_of_work() as services:
        assert services.delivery.claim_by_code(code).session.award_id == zoe
        actions = [each.action for each in services.awards.history_of(app.campus, zoe)]
    assert {"print_slip", "claim"} <= set(actions)
    assert "Zoé" not in slips(app, [zoe, lucas]), "what is received needs no slip"
    app.close()


def test_slip_is_in_the_requested_language(app: App):
    ids = awarded(app, ZOE)
    assert "avant le 23 janvier 2027" in slips(app, ids)
    assert "before 23 January 2027" in slips(app, ids, language="en")


def test_slips_are_refused_without_a_deliverable_badge(app: App):
    (award_id,) = awarded(app, ZOE)
    with pytest.raises(Conflict, match="Aucun bulletin"):
        slips(app, [award_id], campus=app.other_campus)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de personne.", by=Actor(app.trainer.id))
    with pytest.raises(Conflict, match="Aucun bulletin"):
        slips(app, [award_id])


def test_a_code_of_a_withdrawn_badge_shows_that_it_is_withdrawn_and_receives_nothing(app: App):
    (award_id,) = awarded(app, ZOE)
    code = code_in(slips(app, [award_id]))
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de personne.", by=Actor(app.trainer.id))
        assert services.delivery.claim_by_code(code).session.award_id == award_id
        assert services.awards.record(award_id).award.claimed_at is None


def test_a_slip_of_an_activity_of_three_days_names_them_all(app: App):
    award_id = app.award("Zoé Martin; zoe@exemple.fr").lines[0].award_id
    with app.unit_of_work() as services:
        activity = services.activities.get(app.campus, app.activity.id)
        activity.starts_on, activity.ends_on = date(2026, 11, 22), date(2026, 11, 24)
        services.stores.session.add(activity)
    assert award_id is not None
    assert "22–24 novembre 2026" in slips(app, [award_id]).replace("– ", "–")


def test_the_days_of_a_slip_are_those_of_its_campus(app: App):
    """Ten in the evening in Paris is the next day in Nouméa."""
    with app.unit_of_work() as services:
        services.stores.campuses.get(app.campus.slug).time_zone = "Pacific/Noumea"
    app.clock.move(hours=9)
    assert "avant le 24 janvier 2027" in slips(app, awarded(app, ZOE))


A4 = (595.27, 841.89)
ORDER = PictureOrder(
    kind="engagement", title="Acteur du dispositif", campus_short_name="ITIP", year="2026", address="",
    hue=208, liveliness=0.1,
)  # fmt: skip
SLIP = Slip(
    name="Zoé Martin",
    title="Acteur du dispositif Explor’#ICI",
    beside="Atelier robotique, 24 novembre 2026",
    picture="one",
    link="https://sceau.exemple.fr/recevoir/5f0e8a0e-1111-4222-8333-123456789abc." + "a1" * 20,
    code="7KQ2-M4XD",
    steps=("Visez le code.", "Ou tapez-le."),
)


@pytest.fixture(scope="module")
def sheet() -> SlipSheet:
    return SlipSheet(
        title="Bulletins à remettre",
        language="fr",
        campus="Campus Industrie Technologique",
        colours=CampusColours.of(208, 0.1),
        qr_words="Code QR qui ouvre le badge",
        pictures={"one": SlipPicture(BadgeArtist(TEMPLATES).draw(ORDER), "Badge d’engagement")},
        slips=(SLIP,),
    )


def read(sheet: SlipSheet) -> PdfReader:
    pdf = Papers(TEMPLATES).pdf("slips", sheet.values(), sheet.files(), at=NOON)
    return PdfReader(BytesIO(pdf))


def text_of(reader: PdfReader) -> str:
    return " ".join(page.extract_text() for page in reader.pages).replace("\u200b", "")


def test_thirty_people_take_four_a4_pages_of_eight(sheet: SlipSheet):
    slips = tuple(replace(SLIP, name=f"Personne {number}") for number in range(30))
    reader = read(replace(sheet, slips=slips))
    assert len(reader.pages) == 4
    for page in reader.pages:
        assert (page.mediabox.width, page.mediabox.height) == pytest.approx(A4, abs=0.5)
    last = reader.pages[-1].extract_text()
    assert [f"Personne {number}" in last for number in (23, 24, 29)] == [False, True, True]


def test_slip_contains_name_badge_and_code_and_a_language_tag(sheet: SlipSheet):
    reader = read(sheet)
    said = " ".join(text_of(reader).split())
    for words in ("Zoé Martin", "Explor’#ICI", "7KQ2-M4XD", "Visez le code.", "Campus Industrie"):
        assert words in said
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "fr"
    assert reader.metadata is not None
    assert reader.metadata.title == "Bulletins à remettre"
    assert b"pdfuaid" in root["/Metadata"].get_data()


@pytest.mark.parametrize(
    "name",
    [
        "Anne-Gaëlle de La Rochefoucauld-Montmorency d’Hérouville",
        "x" * 120,
        "Đặng Thị Hương",
        "محمد علي",
        "李娜",
        "J\ue000ean",
        "\uf0b7 Jean\U000f0000",
        "\ufeffJean",
    ],
    ids=["long", "one endless word", "vietnamese", "arabic", "chinese", "private use", "bullet", "mark"],
)
def test_every_name_makes_a_slip_on_one_page(sheet: SlipSheet, name: str):
    reader = read(replace(sheet, slips=(replace(SLIP, name=name),)))
    assert len(reader.pages) == 1
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]


@pytest.mark.parametrize(
    "name", ["Łukasz Wawrzyniec Brzęczyszczykiewicz", "Anne Vaudremont-Champlitte-Aubignosc"]
)
def test_name_that_fits_at_a_smaller_size_breaks_only_at_spaces(sheet: SlipSheet, name: str):
    lines = read(replace(sheet, slips=(replace(SLIP, name=name),))).pages[0].extract_text()
    assert all(word in lines for word in re.split(r"[\s-]", name))


@pytest.mark.parametrize("code", ["QWMG-CBMG", "WWWW-WWWW", "MMMM-MMMM", "1111-1111"])
def test_code_stays_on_one_line_with_wide_characters(sheet: SlipSheet, code: str):
    lines = read(replace(sheet, slips=(replace(SLIP, code=code),))).pages[0].extract_text().splitlines()
    assert code in [line.strip() for line in lines]


def test_accents_on_capitals_are_printed_whole(sheet: SlipSheet):
    def drawn(name: str) -> Image:
        one = replace(sheet, slips=(replace(SLIP, name=name),))
        pdf = Papers(TEMPLATES).pdf("slips", one.values(), one.files(), at=NOON)
        return PdfDocument(pdf)[0].render(scale=4).to_pil().convert("L")

    accents = ImageChops.difference(drawn("Éa Ôa"), drawn("Ea Oa")).getbbox()
    assert accents is not None
    assert accents[3] - accents[1] >= 8, "two points at least, of a name in 15 pt"


def test_a_private_use_character_costs_no_archive_and_is_in_no_title(sheet: SlipSheet):
    reader = read(replace(sheet, title="A\ue000\ufeffB", slips=(replace(SLIP, name="J\ue000ea\U000f0001n"),)))
    assert "Jean" in text_of(reader)
    assert reader.metadata is not None
    assert reader.metadata.title == "AB"
    assert b"pdfaid" in reader.trailer["/Root"]["/Metadata"].get_data()


def test_slip_prints_markup_in_names_literally(sheet: SlipSheet):
    said = text_of(read(replace(sheet, slips=(replace(SLIP, name="#panic() *gras* $x$ \\ <b>"),))))
    assert "#panic() *gras* $x$ \\ <b>" in " ".join(said.split())
