"""Badge pictures: whatever the title, a well-formed, self-contained, readable picture, the same every time."""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from itertools import product
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
import resvg_py
from defusedxml.ElementTree import fromstring

from app.adapters.badge_pictures import BadgeArtist, PictureOrder, picture_alternative
from app.adapters.badge_pictures.drawing import INK, PAPER, Inks
from app.adapters.badge_pictures.outlines import Typeface
from app.adapters.badge_pictures.setting import Setting, Zone, set_title, typeset
from app.adapters.badge_pictures.templates import AXIS, Template, read_templates
from app.domain.colours import CampusColours, contrast
from tests.support.shared_data import shared

TEMPLATES = Path(__file__).parents[2] / "badge_templates"
KINDS = ("appartenance", "participation", "engagement", "savoir-etre", "competence", "realisation")
CAMPUSES = {
    "AE": (122, 0.11),
    "AGT": (16, 0.13),
    "AMF": (256, 0.13),
    "ITIP": (208, 0.09),
    "MMA": (52, 0.10),
    "MSI": (289, 0.14),
    "TI": (331, 0.13),
    "FB": (158, 0.10),
}
DEMO_TITLES = (
    "Apprenant-ressource du VRAI",
    "Acteur du dispositif Explor’#ICI",
    "Robotique pour tous",
    "VRAIE semaine apprenante",
    "Auteur-projet",
    "Coloration fabrication additive",
    "Opérateur matériaux composites",
    "Animateur Fresque du climat",
    "Assurer la maintenance préventive et corrective",
    "Collaborer entre corps de métiers",
    "Installer et mettre en service",
    "Mesurer, analyser et caractériser",
    "Concevoir, réaliser, développer",
    "Sensibiliser et préconiser",
    "Stratifier un panneau composite par infusion",
    "Sortie « Lire une forêt »",
    "Parrain d’une classe P-TECH",
    "Installer et mettre en service un contrôle d’accès sans contact",
    "Journée de l’entrepreneuriat étudiant : 160 participants",
    "Chào mừng các bạn đến với xưởng kỹ thuật số",
)
HOSTILE_TITLES = (
    "",
    "   ",
    "<script>alert('x')</script>",
    "]]> <![CDATA[ & &amp; --> <?xml ?>",
    "\"'><image href='https://exemple.fr/x.png'/>",
    "{{words}} {title} {0} %s",
    "🎓 Diplômé 👩‍🔬 du 🇫🇷 !",
    "שלום עולם ومرحبا",
    "\u202egnp.exe\u202c",
    "nul\x00 cloche\x07 \ufffe \ud800",
    "n" * 300,
    "mot " * 400,
    "e\u0301" * 40 + "\u0335" * 200,
    "Ễ" * 400,
    "ﬁn Ⅳ ① ｆｕｌｌ",
    "«»’#%!?;:…–—€№",
    "l'été ; l'hiver ! où ? 50 % « oui »",
)


@pytest.fixture(scope="module")
def artist() -> BadgeArtist:
    return BadgeArtist(TEMPLATES)


@pytest.fixture(scope="module")
def templates() -> dict[str, Template]:
    return read_templates(TEMPLATES)


@pytest.fixture(scope="module")
def serif() -> Typeface:
    return Typeface(TEMPLATES / "fonts" / "sceau-serif-600.ttf")


def order(**changes: object) -> PictureOrder:
    usual = PictureOrder(
        kind="competence",
        title="Assurer la maintenance préventive et corrective",
        campus_short_name="TI",
        year="2026",
        address="sceau.example/verifier",
        hue=331,
        liveliness=0.13,
        level=2,
        levels=3,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def zone(template: Template) -> Zone:
    layout = template.layout
    return Zone(layout.title_top, layout.title_bottom, lambda y: max(0.0, template.half_width(y) - 33))


def words_of(setting: Setting) -> str:
    return "".join(line.text.replace(" ", "") for line in setting.lines)


def elements(svg: str) -> list[Element]:
    return list(fromstring(svg.encode("utf-8")).iter())


def name_of(element: Element) -> str:
    return element.tag.rpartition("}")[2]


@pytest.mark.parametrize(("kind", "title"), list(product(KINDS, DEMO_TITLES)))
def test_titles_of_the_campuses_stand_whole_inside_every_shape(
    kind: str, title: str, templates: dict[str, Template], serif: Typeface
) -> None:
    template = templates[kind]
    setting = set_title(title, serif, zone(template))
    assert not setting.shortened
    assert words_of(setting) == typeset(title).replace(" ", "")
    assert 30 <= setting.size <= 84
    for line in setting.lines:
        half = serif.width(line.text, setting.size) / 2
        assert half <= template.half_width(line.baseline - setting.size * serif.cap_height)
        assert half <= template.half_width(line.baseline)
        assert all(serif.draws(character) for character in line.text)
    assert template.layout.title_top <= setting.lines[0].baseline - setting.size * serif.cap_height + 0.01
    assert setting.lines[-1].baseline <= template.layout.title_bottom + 0.01


@pytest.mark.parametrize(("kind", "title"), list(product(KINDS, HOSTILE_TITLES)))
def test_hostile_titles_give_a_light_well_formed_picture_that_reaches_for_nothing(
    kind: str, title: str, artist: BadgeArtist
) -> None:
    svg = artist.draw(order(kind=kind, title=title))
    assert len(svg.encode("utf-8")) <= 60_000
    for element in elements(svg):
        assert name_of(element) in {"svg", "title", "desc", "style", "g", "path"}
        assert not any("href" in name or name.startswith("on") for name in element.attrib)
        assert "url(" not in "".join(element.attrib.values())
    assert "{{" not in svg.replace("{{words}}", "", 1)


def test_the_big_list_of_naughty_strings_gives_well_formed_pictures(artist: BadgeArtist) -> None:
    for title in json.loads(shared("hostile/blns/blns.json").read_text("utf-8")):
        svg = artist.draw(
            order(kind="participation", title=title, campus_short_name=title, address=title, year=title)
        )
        assert len(svg.encode("utf-8")) <= 90_000
        fromstring(svg.encode("utf-8"))


@pytest.mark.parametrize("title", ["n" * 300, "mot " * 400, "Anticonstitutionnellement " * 12])
def test_a_title_no_size_can_hold_ends_with_an_ellipsis_inside_the_shape(
    title: str, templates: dict[str, Template], serif: Typeface
) -> None:
    for template in templates.values():
        setting = set_title(title, serif, zone(template))
        assert setting.shortened
        assert setting.size == 30
        assert setting.lines[-1].text.endswith("…")
        assert title.replace(" ", "").startswith(words_of(setting)[:-1])
        for line in setting.lines:
            assert serif.width(line.text, setting.size) / 2 <= template.half_width(line.baseline)


def test_what_the_typeface_lacks_is_drawn_as_a_box_and_not_left_out(serif: Typeface) -> None:
    assert not serif.draws("🎓")
    assert serif.width("a🎓b", 10) > serif.width("ab", 10)
    assert serif.centred("🎓", 40, 0, 0) == serif.centred("ש", 40, 0, 0) != ""


def test_signs_without_a_form_take_no_room_and_compatible_forms_are_drawn_plainly(serif: Typeface) -> None:
    assert serif.centred("a\u200db\ufe0f", 40, 0, 0) == serif.centred("ab", 40, 0, 0)
    assert serif.centred("①Ａ", 40, 0, 0) == serif.centred("1A", 40, 0, 0)
    assert serif.centred("e\u0301", 40, 0, 0) == serif.centred("é", 40, 0, 0)


def test_lines_break_as_a_french_reader_expects(templates: dict[str, Template], serif: Typeface) -> None:
    def lines(kind: str, title: str) -> list[str]:
        return [line.text for line in set_title(title, serif, zone(templates[kind])).lines]

    assert lines("engagement", "Acteur du dispositif Explor'#ICI") == [
        "Acteur",
        "du dispositif",
        "Explor’#ICI",
    ]
    assert lines("appartenance", "Apprenant-ressource du VRAI") == ["Apprenant-", "ressource", "du VRAI"]
    assert lines("participation", "Sortie « Lire une forêt »") == ["Sortie «\u00a0Lire", "une forêt\u00a0»"]
    assert "160 participants" in lines(
        "appartenance", "Journée de l’entrepreneuriat étudiant : 160 participants"
    )
    assert not any(
        line.startswith((":", "!", "»")) for line in lines("competence", "Micron’apprend : une journée !")
    )


def test_the_same_order_gives_the_same_bytes_from_another_artist(artist: BadgeArtist) -> None:
    other = BadgeArtist(TEMPLATES)
    svg = artist.draw(order())
    assert svg == other.draw(order())
    assert artist.rasterise(svg, width=120) == other.rasterise(svg, width=120)
    assert artist.small_mark(order()) == other.small_mark(order())


def test_two_badges_on_one_page_share_no_identifier(artist: BadgeArtist) -> None:
    one, other = artist.draw(order()), artist.draw(order(title="Auteur-projet"))
    assert not set(re.findall(r'id="([^"]+)"', one)) & set(re.findall(r'id="([^"]+)"', other))


def test_the_picture_says_in_words_what_it_shows(artist: BadgeArtist) -> None:
    title, description = (
        next(e.text for e in elements(artist.draw(order())) if name_of(e) == name)
        for name in ("title", "desc")
    )
    assert title == (
        "Badge de compétence « Assurer la maintenance préventive et corrective », niveau 2 sur 3, campus TI, 2026"
    )
    assert description == "Vérifier : sceau.example/verifier"


def test_the_alternative_is_a_sentence_to_translate_with_its_values() -> None:
    sentence, values = picture_alternative(
        order(kind="appartenance", level=None, levels=None, title="Un {titre}")
    )
    assert sentence == "Badge d’appartenance « {title} », campus {campus}, {year}"
    assert sentence.format(**values) == "Badge d’appartenance « Un {titre} », campus TI, 2026"


def test_presence_is_drawn_on_paper_and_judgement_on_enamel(templates: dict[str, Template]) -> None:
    enamel = {kind for kind, template in templates.items() if template.layout.enamel}
    assert set(templates) == set(KINDS)
    assert enamel == {"engagement", "savoir-etre", "competence", "realisation"}


def test_words_are_readable_on_every_field_whatever_the_campus_chooses() -> None:
    for hue, liveliness, enamel in product(range(360), (0.0, 0.05, 0.1, 0.14), (True, False)):
        inks = Inks.of(CampusColours.of(hue, liveliness), enamel=enamel)
        for ground in (inks.field, inks.fine):
            assert contrast(inks.text, ground) >= 7
            assert contrast(inks.hero, ground) >= 4.5
            assert contrast(inks.soft, ground) >= 4.5
    assert contrast(INK, PAPER) >= 7


@pytest.mark.parametrize("kind", KINDS)
def test_the_png_is_light_and_true_to_the_svg(kind: str, artist: BadgeArtist) -> None:
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
def test_small_mark_leaves_the_edge_of_its_square_free(kind: str, artist: BadgeArtist) -> None:
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


def test_the_year_stands_whole_and_readable_with_and_without_a_level(templates: dict[str, Template]) -> None:
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


def test_a_template_that_asks_for_an_unknown_value_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "layout.json").write_text((TEMPLATES / "layout.json").read_text("utf-8"), "utf-8")
    for kind in KINDS:
        (tmp_path / f"{kind}.svg").write_text("<svg>{{person_name}}</svg>", "utf-8")
    with pytest.raises(ValueError, match="person_name"):
        read_templates(tmp_path)


def test_the_typefaces_are_those_on_record() -> None:
    record = (TEMPLATES / "fonts" / "README.md").read_text("utf-8")
    for typeface in (TEMPLATES / "fonts").glob("*.ttf"):
        assert f"`{typeface.name}`" in record
        assert sha256(typeface.read_bytes()).hexdigest() in record


def true_colours(svg: str, width: int) -> bytes:
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, width=width, skip_system_fonts=True))


def pixels(png: bytes) -> list[bytes]:
    """Every pixel as RGBA, read slowly and plainly by the letter of RFC 2083."""
    chunks, at = dict[bytes, bytes](), 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        name, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length) == (zlib.crc32(name + content),)
        chunks[name] = chunks.get(name, b"") + content
        at += 12 + length
    width, height, _depth, colour, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    size = {3: 1, 6: 4}[colour]
    data, rows = zlib.decompress(chunks[b"IDAT"]), [bytes(width * size)]
    for start in range(0, len(data), width * size + 1):
        rows.append(plain_row(data[start], data[start + 1 : start + 1 + width * size], rows[-1], size))
    assert len(rows) == height + 1
    flat = b"".join(rows[1:])
    if colour == 6:
        return [flat[i : i + 4] for i in range(0, len(flat), 4)]
    colours, alphas = chunks[b"PLTE"], chunks[b"tRNS"]
    return [colours[3 * i : 3 * i + 3] + alphas[i : i + 1] for i in flat]


def plain_row(kind: int, line: bytes, above: bytes, size: int) -> bytes:
    row = bytearray(line)
    for i in range(len(row)):
        left, corner = (row[i - size], above[i - size]) if i >= size else (0, 0)
        estimate = left + above[i] - corner
        nearest = min((left, above[i], corner), key=lambda value: abs(estimate - value))
        row[i] = (row[i] + (0, left, above[i], (left + above[i]) // 2, nearest)[kind]) & 255
    return bytes(row)
