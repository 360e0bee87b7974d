"""Badge pictures: self-contained, readable at every size and in every colour, and deterministic."""

from __future__ import annotations

import re
from collections import Counter
from hashlib import sha256
from io import BytesIO
from itertools import product
from pathlib import Path

import pytest
from defusedxml.ElementTree import fromstring
from PIL import Image

from app.adapters.badge_pictures import BadgeArtist, picture_alternative
from app.adapters.badge_pictures.drawing import INK, PAPER, Inks
from app.adapters.badge_pictures.templates import AXIS, Template, Typeface, read_templates
from app.adapters.picture_codes import PictureCodes
from app.domain.campus.campus import CampusColours, contrast
from tests.app.adapters.badge_pictures.orders import KINDS, TEMPLATES, elements, name_of, order
from tests.app.adapters.badge_pictures.pixels import pixels, true_colours
from tests.support.running.every import for_each


def test_the_same_order_gives_the_same_bytes_from_another_artist(artist: BadgeArtist) -> None:
    other = BadgeArtist(TEMPLATES)
    svg = artist.draw(order())
    assert svg == other.draw(order())
    assert artist.rasterise(svg, width=120) == other.rasterise(svg, width=120)
    assert artist.small_mark(order()) == other.small_mark(order())


def test_two_badges_on_one_page_share_no_identifier(artist: BadgeArtist) -> None:
    one, other = artist.draw(order()), artist.draw(order(title="Auteur-projet"))
    assert not set(re.findall(r'id="([^"]+)"', one)) & set(re.findall(r'id="([^"]+)"', other))


def test_the_picture_has_a_text_alternative(artist: BadgeArtist) -> None:
    title, description = (
        next(e.text for e in elements(artist.draw(order())) if name_of(e) == name)
        for name in ("title", "desc")
    )
    assert title == (
        "Badge de compétence « Assurer la maintenance préventive et corrective », niveau 2 sur 3, campus TI, 2026"
    )
    assert description == "Vérifier : sceau.example/verifier"


def test_the_alternative_is_a_translatable_sentence_with_its_values() -> None:
    sentence, values = picture_alternative(
        order(kind="appartenance", level=None, levels=None, title="Un {titre}")
    )
    assert sentence == "Badge d’appartenance « {title} », campus {campus}, {year}"
    assert sentence.format(**values) == "Badge d’appartenance « Un {titre} », campus TI, 2026"


def test_presence_is_drawn_on_paper_and_judgement_on_enamel(templates: dict[str, Template]) -> None:
    enamel = {kind for kind, template in templates.items() if template.layout.enamel}
    assert set(templates) == set(KINDS)
    assert enamel == {"engagement", "savoir-etre", "competence", "realisation"}


def test_texts_are_readable_on_every_field_for_every_campus_colour() -> None:
    for hue, liveliness, enamel in product(range(360), (0.0, 0.05, 0.1, 0.14), (True, False)):
        inks = Inks.of(CampusColours.of(hue, liveliness), enamel=enamel)
        for ground in (inks.field, inks.fine):
            assert contrast(inks.text, ground) >= 7
            assert contrast(inks.hero, ground) >= 4.5
            assert contrast(inks.soft, ground) >= 4.5
    assert contrast(INK, PAPER) >= 7


@pytest.mark.parametrize("kind", KINDS)
def test_the_png_is_small_and_faithful_to_the_svg(kind: str, artist: BadgeArtist) -> None:
    svg = artist.draw(order(kind=kind))
    assert len(artist.rasterise(svg)) <= 100_000
    seen, meant = pixels(artist.rasterise(svg, width=240)), pixels(true_colours(svg, 240))
    assert len(seen) == len(meant) == 240 * 240
    assert len(set(seen)) <= 256
    differences = (
        abs(a - b) for one, other in zip(seen, meant, strict=True) for a, b in zip(one, other, strict=True)
    )
    assert max(differences) <= 24
    flat = {pixel for pixel, times in Counter(meant).items() if times > 1_000}
    assert flat <= set(seen)


def test_small_mark_has_the_shape_the_campus_and_the_level_only(artist: BadgeArtist) -> None:
    mark = artist.small_mark(order())
    assert len(mark) < 10_000
    assert mark == artist.small_mark(order(title="Tout autre chose", year="2031", address=""))
    assert mark != artist.small_mark(order(level=3))
    assert "Assurer" not in mark


@pytest.mark.parametrize("kind", KINDS)
def test_small_mark_leaves_a_margin_in_its_square(kind: str, artist: BadgeArtist) -> None:
    size = 200
    seen = pixels(artist.rasterise(artist.small_mark(order(kind=kind)), width=size))
    rows = [seen[start : start + size] for start in range(0, len(seen), size)]
    edge = [*rows[0], *rows[-1], *(row[0] for row in rows), *(row[-1] for row in rows)]
    assert {pixel[3] for pixel in edge} == {0}


def test_a_browser_under_150_pixels_shows_the_small_mark(artist: BadgeArtist) -> None:
    style = next(element.text for element in elements(artist.draw(order())) if name_of(element) == "style")
    assert style is not None
    assert re.fullmatch(
        r"@media\(max-width:150px\)\{#(\w+)-large\{display:none\}#\1-small\{display:inline\}\}", style
    )


def test_long_campus_names_and_addresses_stay_inside(artist: BadgeArtist) -> None:
    for kind in KINDS:
        svg = artist.draw(
            order(
                kind=kind,
                campus_short_name="Mobicampus-Excellence",
                address="badges.exemple.fr/" + "a1b2c3" * 20,
            )
        )
        starts = [
            float(x) * (0.1 if "transform" in part.attrib else 1)
            for part in elements(svg)
            for x in re.findall(r"M(-?[\d.]+)", part.get("d", ""))
        ]
        assert min(starts) >= 0
        assert max(starts) <= 2 * AXIS


@for_each("kind", KINDS)
@for_each("host", ["a.fr", "badges.campus-bfc.fr", "badges-des-campus.academie-bourgogne.exemple.fr"])
def test_the_code_beside_the_address_is_complete_small_and_inside(
    kind: str, host: str, artist: BadgeArtist
) -> None:
    address = f"{host}/v/K7QM-29XF-4R8T"
    svg = artist.draw(order(kind=kind, address=address, code=f"https://{address}"))
    drawn = Image.open(BytesIO(artist.rasterise_quickly(svg)))
    edge = Image.new("RGBA", drawn.size, "white")
    edge.alpha_composite(drawn.convert("RGBA"))
    assert PictureCodes().read(as_png(edge)) == [f"https://{address}"]
    if len(host) < 30:
        assert PictureCodes().read(as_png(edge.resize((300, 300)))) == [f"https://{address}"]
    sides = [drawn.crop(box).getchannel("A").getextrema() for box in ((0, 480, 1, 600), (599, 480, 600, 600))]
    assert sides == [(0, 0), (0, 0)]


def as_png(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def test_the_year_is_complete_and_readable_with_and_without_a_level(templates: dict[str, Template]) -> None:
    sans = Typeface(TEMPLATES / "fonts" / "sceau-sans-600.ttf")
    for template in templates.values():
        layout = template.layout
        for y in (layout.year, (layout.level + layout.year) / 2):
            assert sans.width("2026", 34, 0.04) / 2 <= template.half_width(y)
            assert template.half_width(y + 18) > 0


def test_many_levels_and_none_are_drawn(artist: BadgeArtist) -> None:
    assert artist.draw(order(level=None)) != artist.draw(order())
    fromstring(artist.draw(order(level=9, levels=12)))
    fromstring(artist.small_mark(order(level=0, levels=12)))


def test_a_template_with_an_unknown_value_is_refused_at_start_up(tmp_path: Path) -> None:
    (tmp_path / "layout.json").write_text((TEMPLATES / "layout.json").read_text("utf-8"), "utf-8")
    for kind in KINDS:
        (tmp_path / f"{kind}.svg").write_text("<svg>{{person_name}}</svg>", "utf-8")
    with pytest.raises(ValueError, match="person_name"):
        read_templates(tmp_path)


def test_the_typefaces_match_the_recorded_digests() -> None:
    record = (TEMPLATES / "fonts" / "README.md").read_text("utf-8")
    for typeface in (TEMPLATES / "fonts").glob("*.ttf"):
        assert f"`{typeface.name}`" in record
        assert sha256(typeface.read_bytes()).hexdigest() in record
