"""Titles on badges: any text is complete inside every shape, or ends with an ellipsis."""

from __future__ import annotations

import json
from itertools import product

import pytest
from defusedxml.ElementTree import fromstring

from app.adapters.badge_pictures import BadgeArtist
from app.adapters.badge_pictures.picture_spec import Setting, Zone, set_title, typeset
from app.adapters.badge_pictures.templates import Template, Typeface
from tests.app.adapters.badge_pictures.orders import KINDS, TEMPLATES, elements, name_of, order
from tests.support.running.every import for_each
from tests.support.shared_data import shared

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
def serif() -> Typeface:
    return Typeface(TEMPLATES / "fonts" / "sceau-serif-600.ttf")


def box_of(serif: Typeface) -> str:
    """Drawn for a character that the typeface lacks."""
    return serif.centred("🎓", 40, 0, 0)


def zone(template: Template) -> Zone:
    layout = template.layout
    return Zone(layout.title_top, layout.title_bottom, lambda y: max(0.0, template.half_width(y) - 33))


def words_of(setting: Setting) -> str:
    return "".join(line.text.replace(" ", "") for line in setting.lines)


@for_each(("kind", "title"), list(product(KINDS, DEMO_TITLES)))
def test_titles_of_the_campuses_are_complete_inside_every_shape(
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
        assert box_of(serif) not in {serif.centred(character, 40, 0, 0) for character in line.text}
    assert template.layout.title_top <= setting.lines[0].baseline - setting.size * serif.cap_height + 0.01
    assert setting.lines[-1].baseline <= template.layout.title_bottom + 0.01


@for_each(("kind", "title"), list(product(KINDS, HOSTILE_TITLES)))
def test_hostile_titles_give_a_small_well_formed_self_contained_picture(
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
def test_a_title_too_long_for_any_size_ends_with_an_ellipsis_inside_the_shape(
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


def test_a_character_that_the_typeface_lacks_is_drawn_as_a_box(serif: Typeface) -> None:
    assert serif.width("a🎓b", 10) > serif.width("ab", 10)
    assert serif.centred("ש", 40, 0, 0) == box_of(serif) != ""


def test_invisible_characters_have_no_width_and_compatibility_forms_are_normalised(serif: Typeface) -> None:
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
