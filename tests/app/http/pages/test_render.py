"""Pages render their view safely, or fail."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from jinja2 import UndefinedError

from app.http.pages import words
from app.http.pages.render import TEMPLATES, environment
from app.http.pages.words import markdown
from app.language import french, speaking
from app.web.campus.campuses import render_campus_css
from tests.app.http.pages.small_site import reader_of, small_site

NNBSP, NBSP = "\u202f", "\u00a0"
WINTER = datetime(2026, 1, 1, 13, 32, tzinfo=UTC)


@pytest.fixture
def reader():
    return reader_of(small_site())


@pytest.mark.parametrize(
    "word", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "&amp;"]
)
def test_typed_text_is_always_escaped(reader, word):
    shown = re.search(r'<p id="mot">(.*?)</p>', reader.get("/dire", params={"mot": word}).text, re.S)
    assert shown is not None
    assert "<" not in shown[1]
    assert "49" not in shown[1]


def test_a_page_with_an_undefined_value_is_not_rendered(reader):
    answer = reader.get("/oubli")
    assert answer.status_code == 500
    assert "mot" not in answer.text.split("<main")[1].split("</main>")[0].split()
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nobody_gave_this }}").render()


def test_values_in_a_translated_sentence_are_escaped():
    template = environment().from_string('{{ _("Bonjour <b>%(name)s</b>.", name=name) }}')
    assert template.render(name="<i>Zoé</i>") == "Bonjour <b>&lt;i&gt;Zoé&lt;/i&gt;</b>."


def test_template_elides_de_before_the_value():
    template = environment().from_string('{{ _("Bulletin de %(name)s", name=name) }}')
    named = {name: template.render(name=name) for name in ("Marie", "Ilyès", "Éloïse", "<b>Zoé</b>")}
    assert named == {
        "Marie": "Bulletin de Marie",
        "Ilyès": "Bulletin d’Ilyès",
        "Éloïse": "Bulletin d’Éloïse",
        "<b>Zoé</b>": "Bulletin de &lt;b&gt;Zoé&lt;/b&gt;",
    }
    with speaking("en"):
        english = environment().from_string('{{ _("Bulletin de %(name)s", name=name) }}')
        assert english.render(name="Ilyès") == "Slip for Ilyès"


def test_trans_block_elides_de_before_the_value():
    template = environment().from_string("{% trans name=name %}Le portfolio de {{ name }}{% endtrans %}")
    assert template.render(name="Inès") == "Le portfolio d’Inès"


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("Qu'est-ce que c'est ?", f"Qu’est-ce que c’est{NNBSP}?"),
        (
            "Trois réponses : « oui » ; « non ».",
            f"Trois réponses{NBSP}: «{NBSP}oui{NBSP}»{NNBSP}; «{NBSP}non{NBSP}».",
        ),
        ("Le 1er mars à 14 h 05", f"Le 1er{NBSP}mars à 14{NBSP}h{NBSP}05"),
        ("%(count)s badges, %(name)s !", f"%(count)s{NBSP}badges, %(name)s{NNBSP}!"),
        ("40 %% de filles", f"40{NNBSP}%% de filles"),
        ("L'<b>adresse</b>", "L’<b>adresse</b>"),
        ('<a href="/x?a=b : c">l\'aide</a>', '<a href="/x?a=b : c">l’aide</a>'),
        ("https://exemple.fr/?a=1;b=2", "https://exemple.fr/?a=1;b=2"),
    ],
)
def test_french_text_is_set_typographically(typed, printed):
    assert french(typed) == printed
    assert french(printed) == printed, "setting twice changes nothing"


def test_dates_and_numbers_are_written_in_the_reader_s_language():
    assert words.moment(WINTER) == f"1er{NBSP}janvier 2026 à 14{NBSP}h{NBSP}32"
    assert words.number(61904) == f"61{NNBSP}904"
    assert words.percent(0.4) == f"40{NNBSP}%"
    assert words.size(5_200_000) == f"5,2{NBSP}Mo"
    assert words.listing(["A", "B", "C"]) == "A, B et C"
    assert words.month(WINTER) == "janvier 2026"
    with speaking("en"):
        assert words.moment(WINTER) == "1 January 2026 at 14:32"
        assert words.number(61904) == "61,904"
        assert words.size(5_000_000) == f"5{NBSP}MB"
        assert words.listing(["A", "B", "C"]) == "A, B and C"


def test_a_date_is_in_the_time_zone_of_the_campus():
    late = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    assert words.day(late) == f"1er{NBSP}juillet 2026"
    assert words.day(late, "America/Martinique") == f"30{NBSP}juin 2026"
    assert words.short_day(date(2026, 10, 9)) == "09/10/2026"


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="without a zone"):
        words.moment(datetime(2026, 1, 1))  # noqa: DTZ001


def test_markdown_retains_text_and_removes_dangerous_markup():
    html = markdown(
        "# Titre\n\n- **parer**\n- [site](https://exemple.fr)\n\n<script>alert(1)</script>\n\n"
        "[non](javascript:alert(1)) ![image](https://ailleurs.example/x.png) <img src=x onerror=alert(1)>"
    )
    assert "<h3>Titre</h3>" in html
    assert "<strong>parer</strong>" in html
    assert '<a href="https://exemple.fr" rel="nofollow noopener noreferrer">site</a>' in html
    tags = set(re.findall(r"<([a-z0-9]+)", html))
    assert tags <= {"h3", "ul", "li", "strong", "a", "p", "br"}
    assert 'href="javascript' not in html


def test_a_campus_has_its_own_colours_in_both_colour_schemes():
    css = render_campus_css("itip", 208, 0.09)
    assert '[data-campus="itip"]{--accent:#005b65;' in css
    assert (
        '@media screen and (prefers-color-scheme:dark){[data-campus="itip"]:not(.paper){--accent:#92d0da;'
        in css
    )


_LEAVE_FOR_ANOTHER_SITE = {"campus/lti/answer.html"}


def templates():
    return sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))


def test_templates_compile_and_obey_the_content_security_policy():
    for name in templates():
        environment().get_template(name)
        source = (TEMPLATES / name).read_text("utf-8")
        assert not re.search(
            r"\sstyle\s*=|<style|<script(?![^>]*\ssrc=|\stype=.application/ld\+json)|\son\w+\s*=\s*[\"']|javascript:",
            source,
        ), f"inline style or script in {name}"
        assert "|safe" not in source, f"{name}: only code may vouch for HTML"
        assert "http://" not in source, name
        for form in re.finditer(r"<form\b[^>]*method=\"post\"[^>]*>\s*(.{0,40})", source, re.S | re.I):
            # A form that is sent to another site must not contain our token.
            assert form[1].startswith("{{ csrf_field }}") != (name in _LEAVE_FOR_ANOTHER_SITE), (
                f"{name}: {form[0]}"
            )


def test_templates_give_no_heading_another_role():
    """A live region surrounds a heading: a role on the heading itself would remove its level."""
    assert [
        name
        for name in templates()
        if re.search(r"<h[1-6][^>]* role=", (TEMPLATES / name).read_text("utf-8"))
    ] == []


def test_no_empty_required_field_is_announced_as_invalid():
    """Browsers call it invalid before it is filled in; radio buttons may not state it."""
    assert [
        (name, tag)
        for name in templates()
        for tag in re.findall(
            r"<(?:input|select|textarea)\b(?:[^<>]|{{.*?}}|{%.*?%})*>", (TEMPLATES / name).read_text("utf-8")
        )
        if re.search(r"\srequired\b", tag) and "aria-invalid" not in tag and 'type="radio"' not in tag
    ] == []


def test_a_template_uses_the_current_language_for_texts_and_values():
    source = '{{ _("Menu") }}|{{ _("Aide") if yes else icon("check") }}|{{ _("Lot de 100 %%") }}|{{ _("« %(title)s »", title=title) }}'
    said = {}
    for locale in ("fr", "en", "fr"):
        with speaking(locale):
            written = environment().from_string(source).render(title="<Zoé> %s", yes=True)
        assert said.setdefault(locale, written) == written
    assert said["fr"] == f"Menu|Aide|Lot de 100{NNBSP}%|«{NBSP}&lt;Zoé&gt; %s{NBSP}»"
    assert said["en"].split("|")[1] == "Help"


def test_a_sentence_that_is_a_value_is_translated_when_the_page_is_rendered():
    with speaking("en"):
        template = environment().from_string("{{ _(label) }}")
        assert template.render(label="Aide") == "Help"


def test_no_scrolled_region_has_the_name_of_the_section_around_it():
    """A screen reader lists landmarks by name (axe-core: landmark-unique)."""
    for name in templates():
        source = (TEMPLATES / name).read_text("utf-8")
        sections = re.findall(r"<(?:section|nav|aside|form)\b[^>]*\baria-labelledby=\"([^\"]+)\"", source)
        regions = re.findall(r"<[^>]*\brole=\"region\"[^>]*\baria-labelledby=\"([^\"]+)\"", source)
        assert not {*sections} & {*regions}, name


def test_breadcrumbs_are_as_wide_as_the_page_below_them():
    for name in templates():
        source = (TEMPLATES / name).read_text("utf-8")
        crumbs = re.search(r"{% block crumbs %}{{ ui\.crumbs(.*?){% endblock %}", source, re.DOTALL)
        page = re.search(r'{% block main %}.*?class="(wrap[^"]*)"', source, re.DOTALL)
        if crumbs is not None and page is not None:
            widths = {"narrow", "wide"} & set(page[1].split())
            assert widths == {each for each in ("narrow", "wide") if f"{each}=true" in crumbs[1]}, name
