"""The picker over real registers: the right item is among the first five."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event

from app.domain.core import plain_text
from app.services.frameworks.readers import open_tables, read_esco, read_rome
from tests.support.app import COMMAND, App, build_app
from tests.support.content.registers import import_occupations
from tests.support.running.every import for_each
from tests.support.shared_data import shared

pytestmark = pytest.mark.both_engines

REAL = (
    "rome_v460_codes.csv",
    "rome_v460_appellations.csv",
    "rome_v3_grands_domaines.csv",
    "rome_v3_domaines.csv",
)
ESCO = ("esco_skills_fr_12x.csv", "esco_occupations_fr_12x.csv")
QUERIES = """
soudure: soud | soudeurs: soud | soudage: soud | soudrue: soud | prise de parole: parler parole | éloquence: public discours
robot: robot | robots industriels: robot | accueil du public: accueil | l'accueil: accueil | menuisier: menuis
menuiserie: menuis | menuizier: menuis | plomberie: plomb | électricien: electric | electrisien: electric
mecanique auto: mecani automobile | maintenance industrielle: maintenance | maroquinerie: maroquin | travail du cuir: cuir
couture: cout | coiffure: coiff | cuisine: cuisin | patissier: patiss | boulangerie: boulang | serveur: serveur
travail en équipe: equipe | esprit d'équipe: equipe | gestion de projet: projet | impression 3D: 3d | fabrication additive: 3d
programmation: programm | développeur web: web | cybersécurité: cyber | comptabilité: compta | anglais: anglais
vente: vend vent | logistiqe: logisti | cariste: cariste | conduite d'engins: engin | bûcheron: bucheron
sylviculture: sylvi | élevage: elev | tracteur: tracteur | viticulture: viti | infirmières: infirm | aide à domicile: domicile
petite enfance: enfan pueric | premiers secours: secours | tri des déchets: dechet | panneaux solaires: solaire photovolt
pompe à chaleur: chaleur | charpente: charpent | maçonne: macon | usinage: usin | tourneur fraiseur: tourn
chaudronnerie: chaudron | composites: composite stratif | stratification: stratif | drone: drone | montage vidéo: video
réseaux sociaux: sociaux | résolution de problèmes: probleme | esprit critique: critique | autonomie: autonom
entrepreneuriat: entrepr | tutorat: tut | fibre optique: fibre | domotique: domoti | contrôle d'accès: acces
informatqiue: informati | comunication: communic | H3203: stratif | mouleur: moul | sommelier: sommel | horlogerie: horlog
ébéniste: ebenist | topographie: topogra | dessin industriel: dessin | photo: photo | sou: sou | rob: rob
"""  # fmt: skip


def queries() -> list[tuple[str, list[str]]]:
    parts = [part.strip() for part in QUERIES.replace("\n", " | ").split("|") if part.strip()]
    return [(part.partition(":")[0], part.partition(":")[2].split()) for part in parts]


def more_queries() -> list[tuple[str, list[str]]]:
    """What fits each was written before any result was seen."""
    lines = Path(__file__).with_name("ordinary_queries.txt").read_text("utf-8").splitlines()
    parts = [line.partition(": ") for line in lines]
    return [(query, [plain_text(each) for each in fitting.split("|")]) for query, _, fitting in parts]


def test_nine_of_ten_ordinary_queries_find_a_fitting_item_among_five(sqlite_url: str, tmp_path: Path):
    app = build_app(sqlite_url, tmp_path)
    with open_tables([shared(f"referentiels/{name}") for name in REAL]) as tables:
        trades = read_rome(tables, day=date(2025, 11, 24))
    with open_tables([shared(f"referentiels/{name}") for name in ESCO]) as tables:
        skills = read_esco(tables, "1.2.1")
    with app.unit_of_work() as services:
        for source in (*trades, *skills):
            services.framework_imports.write(source, by=COMMAND)
    missed = []
    asked = [*queries(), *more_queries()]
    with app.unit_of_work(reading=True) as services:
        for query, fitting in asked:
            found = services.framework_search.search(query).items[:5]
            labels = [plain_text(f"{each.item.statement} {each.item.code}") for each in found]
            if not any(one in label for label in labels for one in fitting):
                missed.append(query)
    app.close()
    assert len(asked) >= 600
    assert len(missed) <= len(asked) / 10, missed


@pytest.fixture
def registers(app: App, tmp_path: Path) -> App:
    import_occupations(app, tmp_path)
    return app


def found(app: App, query: str, **more: str) -> list[str]:
    with app.unit_of_work(reading=True) as services:
        result = services.framework_search.search(query, app.campus.id, **more)
    return [each.item.code for each in result.items]


def test_three_letters_a_code_a_plural_and_a_slip_find_an_item(registers: App):
    assert found(registers, "sou")[0] == "H2913"
    assert found(registers, "h3203")[0] == "H3203"
    assert found(registers, "soudeuses")[0] == "H2913"
    assert found(registers, "souderu")[0] == "H2913"
    assert found(registers, "soudure tig") == ["H2913"]


def test_path_state_and_successor_are_described(registers: App):
    with registers.unit_of_work(reading=True) as services:
        items = {
            each.item.code: each for each in services.framework_search.search("stratifieur composites").items
        }
    assert items["H3203"].path == ["Industrie", "Plastique, caoutchouc"]
    assert items["RNCP35229"].has_ended
    assert items["RNCP35229"].successors == ["RNCP41000"]
    assert found(registers, "stratifieur composites")[-1] == "RNCP35229", "ended ones come last"


def test_where_no_item_has_every_term_the_one_that_says_most_decides(app: App):
    labels = [
        "Gérer le temps",
        "Supporter le stress",
        "Gestion de la pêche",
        "Gestion des stocks",
        "Gestion des pelouses",
    ]
    with app.unit_of_work() as services:
        framework = services.competencies.framework(app.campus, code="ca", name="Accès", by=COMMAND)
        for number, label in enumerate(labels):
            services.competencies.create(
                app.campus, framework, code=f"CA-{number}", statement=label, levels=[], by=COMMAND
            )
    assert found(app, "gestion du stress")[0] == "CA-1"
    assert found(app, "gestion du temps")[0] == "CA-0", "« gérer » and « gestion » are one family"


def test_a_term_written_as_it_sounds_finds_what_is_meant(registers: App):
    assert found(registers, "zoudeur")[0] == "H2913"


def test_a_search_parses_no_row_that_an_index_has_excluded(registers: App):
    """On tables so small a planner scans and sorts; on large ones it would read them in order for the first few."""
    asked: list[tuple[str, object]] = []
    with registers.unit_of_work(reading=True) as services:
        connection = services.stores.session.connection()
        is_sqlite = connection.dialect.name == "sqlite"
        if not is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        event.listen(
            connection,
            "before_cursor_execute",
            lambda _c, _cursor, statement, values, *_: asked.append((statement, values)),
        )
        services.framework_search.search("stratifieur inoxydable", registers.campus.id)
        plans = [
            [
                str(row[3] if is_sqlite else row[0])
                for row in connection.exec_driver_sql(
                    f"{'EXPLAIN QUERY PLAN' if is_sqlite else 'EXPLAIN'} {statement}",
                    values,  # type: ignore[arg-type]
                )
            ]
            for statement, values in list(asked)
            if "framework_search" in statement
        ]
    assert len(plans) >= 3
    for plan in plans:
        assert any("framework_search_index" in line or "VIRTUAL TABLE INDEX" in line for line in plan), plan
        assert not any("Filter: (to_tsvector" in line or "SCAN s" in line for line in plan), plan


def test_a_search_of_many_terms_takes_as_many_statements_as_one_of_two(registers: App):
    """Each term by itself, and all but one: in one statement."""
    counts = []
    with registers.unit_of_work(reading=True) as services:
        connection = services.stores.session.connection()
        event.listen(connection, "before_cursor_execute", lambda *_: counts.append(None))
        for query in ("soudeur télécoms", "soudeur télécoms sécurité mouleur chalumiste"):
            counts.clear()
            assert services.framework_search.search(query, registers.campus.id).items
            assert len(counts) <= 9, query


def test_no_full_text_index_of_postgres_has_rows_pending(postgres_url: str):
    """Each search reads them all: after an import of 42,000 items they took most of its time."""
    with create_engine(postgres_url).connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT relname, reloptions FROM pg_class JOIN pg_am ON pg_am.oid = relam WHERE amname = 'gin'"
        ).all()
    assert len(found) >= 4
    assert [name for name, options in found if "fastupdate=off" not in (options or [])] == []


def test_a_search_within_one_framework_finds_its_items_alone(registers: App):
    assert found(registers, "stratifieur", within="rome") == ["H3203"]
    assert found(registers, "stratifieur", within="campus") == []


def test_a_synonym_of_the_campus_finds_an_item_for_it_alone(registers: App):
    assert found(registers, "eloquence") == []
    with registers.unit_of_work() as services:
        item = services.framework_search.search("stratifieur", within="rome").items[0].item
        for _ in range(2):
            services.competencies.add_synonym(registers.campus, item.id, "Éloquence", by=COMMAND)
    assert found(registers, "eloquence") == ["H3203"]
    with registers.unit_of_work(reading=True) as services:
        assert not services.framework_search.search("eloquence", registers.other_campus.id).items


def test_competencies_of_the_campus_are_found_as_they_are_written(app: App):
    with app.unit_of_work() as services:
        framework = services.competencies.framework(app.campus, code="ca", name="Accès", by=COMMAND)
        made = services.competencies.create(
            app.campus, framework, code="CA-1", statement="Poser une serrure", levels=[], by=COMMAND
        )
    assert found(app, "serrures") == ["CA-1"]
    with app.unit_of_work() as services:
        services.competencies.amend(app.campus, made.id, statement="Poser un verrou", levels=[], by=COMMAND)
    assert (found(app, "serrures"), found(app, "verrou")) == ([], ["CA-1"])
    with app.unit_of_work() as services:
        services.competencies.archive(app.campus, made.id, by=COMMAND)
    assert found(app, "verrou") == []


@for_each("query", ["", "a", "'", '"', "*", "a' OR '1'='1", "NEAR(", "\x00", "%", "🙂", "é" * 300])
def test_no_query_is_an_error(registers: App, query: str):
    found(registers, query)
