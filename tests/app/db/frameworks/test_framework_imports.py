"""Registers are imported once however often, in releases that never change what is in use."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter

from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.domain.frameworks import public_alignment
from app.domain.frameworks.releases import Difference, Source, Unreadable
from app.errors import AppError, Conflict
from app.services.badges import Wording
from app.services.frameworks.importing import FrameworkOwner
from app.services.frameworks.own_files import read_table, uploaded_table
from app.services.frameworks.readers import open_tables, read_rome
from tests.support.app import COMMAND, App
from tests.support.content.networks import network_of
from tests.support.content.registers import (
    APPELLATIONS,
    ROME_CODES,
    SHEETS,
    esco,
    esco_archive,
    rncp,
    rncp_archive,
    rome,
    rome_archive,
    text_of,
)
from tests.support.running.every import for_each

pytestmark = pytest.mark.both_engines


def write(app: App, source: Source, owner: FrameworkOwner = FrameworkOwner()) -> Difference:
    with app.unit_of_work() as services:
        return services.framework_imports.write(source, owner, by=COMMAND)


def items(app: App, code: str) -> dict[str, str]:
    with app.unit_of_work(reading=True) as services:
        framework = services.stores.frameworks.find_shared(code)
        assert framework is not None
        return {each.code: each.statement for each in services.stores.frameworks.items_of(framework.id)}


def test_the_same_release_changes_nothing_the_second_and_third_time(app: App, tmp_path: Path):
    sources = [
        rome(rome_archive(tmp_path)),
        *rncp(rncp_archive(tmp_path)),
        esco(esco_archive(tmp_path)),
    ]
    first = [write(app, source) for source in sources]
    assert [sum(each.counts.values()) for each in first] == [7, 3, 1, 3]
    for _ in range(2):
        again = [
            write(app, source)
            for source in (
                rome(rome_archive(tmp_path)), *rncp(rncp_archive(tmp_path, form="NFD")), esco(esco_archive(tmp_path)),
            )
        ]  # fmt: skip
        assert all(each.is_empty for each in again)
    with app.unit_of_work(reading=True) as services:
        framework = services.stores.frameworks.find_shared("rome")
        assert framework
        assert (framework.version, framework.published_on) == ("460", date(2025, 11, 24))
        assert len(services.stores.frameworks.releases_of(framework.id)) == 1


def test_a_dry_run_names_the_differences_and_writes_nothing(app: App, tmp_path: Path):
    write(app, rome(rome_archive(tmp_path)))
    changed = [
        ("H3203", "Mouleur-stratifieur / Mouleuse-stratifieuse"),
        ("M1819", "Technicien / Technicienne en cybersécurité"),
        ("I1307", "Installation et maintenance de télécoms"),
        ("K1815", "Médiateur / Médiatrice"),
    ]
    source = rome(rome_archive(tmp_path, changed, version="461"))
    with app.unit_of_work(reading=True) as services:
        difference = services.framework_imports.preview(source)
    kinds = {change.code: change.kind.value for change in difference.changes}
    assert kinds == {"M1819": "meaning", "I1307": "label", "K1815": "new", "H2913": "ended"}
    assert items(app, "rome") == {**dict(ROME_CODES), **{"H": "Industrie", "H32": "Plastique, caoutchouc", "H29": "Mécanique, travail des métaux et outillage"}}  # fmt: skip
    assert write(app, source).counts == difference.counts


def test_a_row_more_and_a_row_less_are_no_change_of_the_rows_behind(app: App, tmp_path: Path):
    write(app, rome(rome_archive(tmp_path)))
    codes = [ROME_CODES[0], ("H2902", "Chaudronnier / Chaudronnière"), *ROME_CODES[2:]]
    newer = rome(rome_archive(tmp_path, codes, version="461"))
    difference = write(app, newer)
    assert difference.counts == {"new": 1, "ended": 1}
    assert write(app, newer).is_empty


def test_rows_of_a_register_in_another_order_are_no_change(app: App, tmp_path: Path):
    """Neither its codes, nor the labels of an item; a new code stands where the rows before it are."""
    write(app, rome(rome_archive(tmp_path)))
    for source in (*rncp(rncp_archive(tmp_path)), esco(esco_archive(tmp_path))):
        write(app, source)
    assert write(app, rome(rome_archive(tmp_path, ROME_CODES[::-1], APPELLATIONS[::-1]))).is_empty
    for source in rncp(rncp_archive(tmp_path, SHEETS[::-1])):
        assert write(app, source).is_empty
    codes = [("H2902", "Chaudronnier / Chaudronnière"), *ROME_CODES[::-1]]
    assert write(app, rome(rome_archive(tmp_path, codes, version="461"))).counts == {"new": 1}


def test_rows_of_an_own_table_in_another_order_change_their_ranks_alone(app: App, tmp_path: Path):
    rows = ["A;Un;1", "B;Deux;2", "C;Trois;3"]
    owner = FrameworkOwner(campus_id=app.campus.id)
    for listed, expected in ((rows, {"new": 3}), (rows[::-1], {"order": 2}), (rows[::-1], {})):
        table = uploaded_table("liste.csv", "\n".join(["Code;Libellé;Description", *listed]).encode())
        assert write(app, read_table([table], code="liste", name="Liste"), owner).counts == expected
    with app.unit_of_work(reading=True) as services:
        framework = services.frameworks.writer("liste", owner)
    assert [item.code for item in framework.items] == ["C", "B", "A"]


FAULTS = [
    (["A;Un;;", f"{'B' * 301};Deux;;"], 3),
    (["A;Un;;", f"B;{'u' * 2001};;"], 3),
    (["A;Un;B;", "B;Deux;A;"], 2),
    (["A;Un;;", "B;Deux;C;"], 3),
    (["A;Un;;", "B;Deux;B;"], 3),
    (["A;Un;;", "B;Deux;;", "A;Trois;;"], 4),
    (["A;Un;;", f"B;Deux;;{'n' * 121}"], 3),
    (["A;Un;;", "B;Deux;;1|2|3|4|5|6|7|8|9|10|11"], 3),
    (["A;Un;;", ";Deux;;"], 3),
]


@for_each("rows, line, form", [(*fault, form) for fault in FAULTS for form in ("csv", "xlsx")])
def test_a_fault_of_an_own_table_names_file_and_line(app: App, rows: list[str], line: int, form: str):
    cells = [row.split(";") for row in ["Code;Libellé;Parent;Niveaux", *rows]]
    data = xlsx_of(cells) if form == "xlsx" else "\n".join(map(";".join, cells)).encode()
    with pytest.raises(Unreadable) as refused:
        write(app, read_table([uploaded_table(f"liste.{form}", data)], code="liste", name="Liste"))
    values = refused.value.values
    assert (values["file"], values["line"]) == (f"liste.{form}", line)
    assert refused.value.sentence.startswith("{file}, ligne {line} : ")
    with app.unit_of_work(reading=True) as services:
        assert services.stores.frameworks.find_shared("liste") is None


def xlsx_of(rows: Sequence[Sequence[str]]) -> bytes:
    book = xlsxwriter.Workbook(data := io.BytesIO(), {"in_memory": True})
    sheet = book.add_worksheet()
    for number, cells in enumerate(rows):
        sheet.write_row(number, 0, cells)
    book.close()
    return data.getvalue()


def test_an_ended_sheet_names_its_successor(app: App, tmp_path: Path):
    active = [(*sheet[:5], "ACTIVE") if sheet[0] == "RNCP35229" else sheet for sheet in SHEETS]
    active[0] = (*active[0][:4], "23/02/2028", "ACTIVE")
    for source in rncp(rncp_archive(tmp_path, active, day="2026-01-15")):
        write(app, source)
    register = next(each for each in rncp(rncp_archive(tmp_path)) if each.code == "rncp")
    difference = write(app, register)
    assert {change.code: change.kind.value for change in difference.changes if change.code == "RNCP35229"}
    wanted = public_alignment("rncp", "RNCP35229", "TP Stratifieur multiprocédés en matériaux composites")
    with app.unit_of_work(reading=True) as services:
        (standing,) = services.frameworks.standings([wanted])
    assert standing.ended_on == date(2026, 2, 23)
    assert standing.successors == [("RNCP41000", "TP Stratifieur composites")]
    assert standing.is_affected


def test_a_new_release_leaves_badges_alone_and_lists_them(app: App, tmp_path: Path):
    write(app, rome(rome_archive(tmp_path)))
    with app.unit_of_work() as services:
        alignments = services.frameworks.stamped(
            [public_alignment("rome", "M1819", "Ingénieur / Ingénieure sécurité informatique")]
        )
        wording = Wording(
            kind=BadgeKind.PARTICIPATION, name="Cyber", description="Une journée.",
            criteria="Être là.\n\nÀ la fin, la personne est notée présente.", alignments=alignments,
        )  # fmt: skip
        badge = services.badges.create(app.campus, wording, by=Actor(app.admin.id))
    app.award("Zoé Martin;zoe@exemple.fr", badge=badge)
    with app.unit_of_work(reading=True) as services:
        before = services.badges.page(app.campus, badge.badge.id).version
        assert services.frameworks.affected_badges(app.campus) == []
    codes = [
        (code, "Technicien en cybersécurité" if code == "M1819" else label) for code, label in ROME_CODES
    ]
    write(app, rome(rome_archive(tmp_path, codes, version="461")))
    with app.unit_of_work(reading=True) as services:
        after = services.badges.page(app.campus, badge.badge.id).version
        (affected,) = services.frameworks.affected_badges(app.campus)
    assert (after.definition, after.alignments) == (before.definition, before.alignments)
    assert after.alignments[0]["version"] == "460"
    (standing,) = affected.standings
    assert (standing.label_now, standing.has_other_meaning) == ("Technicien en cybersécurité", True)


def test_versions_of_an_item_are_added_never_rewritten(app: App, tmp_path: Path):
    write(app, rome(rome_archive(tmp_path)))
    codes = [
        (code, "Soudeur / Soudeuse d’ouvrages" if code == "H2913" else label) for code, label in ROME_CODES
    ]
    write(app, rome(rome_archive(tmp_path, codes, version="461")))
    with app.unit_of_work(reading=True) as services:
        framework = services.stores.frameworks.find_shared("rome")
        assert framework
        item = services.stores.frameworks.items_by_code(framework.id, ["H2913"])["H2913"]
        versions = services.stores.competencies.versions_of(item.id)
    assert [(each.version, each.content["statement"]) for each in versions] == [
        ("460", "Soudeur / Soudeuse"),
        ("461", "Soudeur / Soudeuse d’ouvrages"),
    ]


def test_an_older_release_is_refused(app: App, tmp_path: Path):
    write(app, rome(rome_archive(tmp_path, version="461")))
    with pytest.raises(Conflict):
        write(app, rome(rome_archive(tmp_path, version="460")))


def test_a_new_code_of_a_release_without_domains_stands_under_its_known_domain(app: App, tmp_path: Path):
    codes = tmp_path / "unix_referentiel_code_rome_v461_utf8.csv"
    listed = [*ROME_CODES, ("H3204", "Conducteur de presse à injecter")]
    lines = ["code_rome,libelle_rome", *(f'{code},"{label}"' for code, label in listed)]
    codes.write_text("\n".join(lines), "utf-8")
    write(app, rome(rome_archive(tmp_path)))
    for changed in (1, 0):
        with open_tables([codes]) as tables:
            difference = write(app, read_rome(tables, day=date(2026, 6, 15))[0])
        assert [change.code for change in difference.changes] == ["H3204"] * changed
    with app.unit_of_work(reading=True) as services:
        (found,) = services.framework_search.search("presse à injecter").items
    assert found.path == ["Industrie", "Plastique, caoutchouc"]


def test_codes_without_appellations_leave_those_that_are_known(app: App, tmp_path: Path):
    write(app, rome(rome_archive(tmp_path)))
    file = tmp_path / "rome_v460_codes.csv"
    file.write_text(text_of(("code_rome", "libelle_rome"), ROME_CODES, ","), "utf-8")
    with open_tables([file]) as tables:
        (source,) = read_rome(tables, day=date(2025, 11, 24))
    assert write(app, source).is_empty
    with app.unit_of_work(reading=True) as services:
        found = services.framework_search.search("chalumiste")
    assert [each.item.code for each in found.items] == ["H2913"]


@pytest.mark.parametrize(
    ("spoilt", "line"),
    [
        (b'"code_rome","libelle_rome"\n"H3203","Mouleur"\n"H32","Trop court"\n', 3),
        (b'"code_rome","libelle_rome"\n"H3203"\n', 2),
        (b'"code_rome","libelle_rome"\n"H3203",""\n', 2),
        (b'"code_rome","libelle_rome"\n"H3203","Mouleur"\n"H2913","Soud\xe9"\n', 3),
        (b'"code_rome","libelle_rome"\n"H3203","Mou"leur"\n', 2),
        (b'"code_rome","libelle_rome"\n"H3203","Mouleur"\n"H2913","Soudeur"\n"H3203","Soudeur"\n', 4),
    ],
)
def test_a_fault_names_file_and_line(spoilt: bytes, line: int, tmp_path: Path):
    (file := tmp_path / "rome_v460_codes.csv").write_bytes(spoilt)
    with pytest.raises(Unreadable) as refused, open_tables([file]) as tables:
        read_rome(tables)
    assert refused.value.values["file"] == "rome_v460_codes.csv"
    assert refused.value.values["line"] == line


def test_files_that_are_no_archive_or_no_register_are_refused(tmp_path: Path):
    (tmp_path / "a.zip").write_bytes(b"nonsense")
    (tmp_path / "b.csv").write_text("x;y\n1;2\n")
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    for name in ("a.zip", "b.csv", "c.zip"):
        with pytest.raises(AppError), open_tables([tmp_path / name]) as tables:
            read_rome(tables)


def test_a_table_with_own_headings_becomes_a_framework_of_the_campus(app: App, tmp_path: Path):
    file = tmp_path / "composites.csv"
    file.write_text(
        "Réf;Intitulé long;Niveaux;Parent\nC;Composites;;\nC1;Préparer un moule;Accompagné | Autonome;C\n",
        "utf-8",
    )
    with open_tables([file]) as tables:
        source = read_table(
            tables, code="composites", name="Composites", mapping={"code": "Réf", "label": "Intitulé long"}
        )
    owner = FrameworkOwner(campus_id=app.campus.id)
    assert write(app, source, owner).counts == {"new": 2}
    assert write(app, source, owner).is_empty
    with app.unit_of_work(reading=True) as services:
        found = {each.code: each for each, _ in services.competencies.list_of(app.campus)}
        assert found["C1"].parent_id == found["C"].id
        assert services.framework_search.search("moule", app.campus.id).items[0].path == ["Composites"]
        assert services.framework_search.search("moule", app.other_campus.id).items == []


def test_a_framework_of_a_network_is_seen_by_its_campuses_alone(app: App, tmp_path: Path):
    file = tmp_path / "reseau.csv"
    file.write_text("Code;Libellé\nR1;Animer un forum des métiers\n", "utf-8")
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
    with open_tables([file]) as tables:
        source = read_table(tables, code="reseau", name="Réseau")
    write(app, source, FrameworkOwner(network_id=network.id))
    with app.unit_of_work(reading=True) as services:
        assert services.framework_search.search("forum", app.campus.id).items
        assert not services.framework_search.search("forum", app.other_campus.id).items
    with pytest.raises(Conflict):
        write(app, source)


def test_an_item_under_itself_is_refused(tmp_path: Path, app: App):
    file = tmp_path / "rond.csv"
    file.write_text("Code;Libellé;Parent\nA;Un;B\nB;Deux;A\n", "utf-8")
    with open_tables([file]) as tables:
        source = read_table(tables, code="rond", name="Rond")
    with pytest.raises(Unreadable):
        write(app, source)


def test_import_that_was_killed_continues_and_ends_the_same(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Each chunk is a transaction; what a kill leaves is completed by the next run, as if in one go."""
    monkeypatch.setattr("app.services.frameworks.importing.CHUNK_SIZE", 2)
    source = rome(rome_archive(tmp_path))
    with app.unit_of_work() as services:
        plan = services.framework_imports.begin(source)
    with app.unit_of_work() as services:
        services.framework_imports.write_chunk(plan)
    assert len(items(app, "rome")) == 2, "what was committed before the kill"
    with app.unit_of_work() as services:
        again = services.framework_imports.begin(source)
        assert len(again.ordered) == 5, "only what remains"
        while not again.is_written:
            services.framework_imports.write_chunk(again)
        services.framework_imports.finish(again, by=COMMAND)
    with app.unit_of_work(reading=True) as services:
        framework = services.stores.frameworks.find_shared("rome")
        assert framework is not None
        [release] = services.stores.frameworks.releases_of(framework.id)
        assert sum(release.changes.values()) == 7, "the counts of the whole release"
        assert (framework.version, framework.extra) == (source.version, dict(source.extra))
        numbers = services.stores.frameworks.version_numbers(framework.id)
        assert set(numbers.values()) == {1}
    assert items(app, "rome") == {entry.code: entry.label for entry in source.entries}
    assert write(app, source).is_empty
