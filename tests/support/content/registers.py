"""Small fictional registers in the format of their publishers."""

from __future__ import annotations

import csv
import io
import unicodedata
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from app.domain.frameworks.releases import Source
from app.services.frameworks.readers import open_tables, read_esco, read_rncp, read_rome
from tests.support.app import COMMAND, App

ROME_CODES = (
    ("H3203", "Mouleur-stratifieur / Mouleuse-stratifieuse"),
    ("H2913", "Soudeur / Soudeuse"),
    ("M1819", "Ingénieur / Ingénieure sécurité informatique"),
    ("I1307", "Installation et maintenance télécoms et courants faibles"),
)
APPELLATIONS = (
    ("H2913", "Soudeur / Soudeuse TIG"),
    ("H2913", "Chalumiste soudeur / soudeuse"),
    ("H3203", "Stratifieur / Stratifieuse composites"),
)


def text_of(heading: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([heading, *rows])
    return out.getvalue()


def rome_archive(
    folder: Path,
    codes: Sequence[tuple[str, str]] = ROME_CODES,
    appellations: Sequence[tuple[str, str]] = APPELLATIONS,
    *,
    version: str = "460",
) -> Path:
    path = folder / f"RefRomeCsv-{version}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, heading, rows in (
            (
                "referentiel_code_rome",
                ("code_rome", "code_ogr", "libelle_rome"),
                [(c, "1", w) for c, w in codes],
            ),
            (
                "referentiel_appellation",
                ("code_ogr", "libelle_appellation_long", "code_rome"),
                [("1", label, code) for code, label in appellations],
            ),
            ("grand_domaine", ("code_grand_domaine", "libelle_grand_domaine"), [("H", "Industrie")]),
            (
                "domaine_professionnel",
                ("code_domaine_professionnel", "libelle_domaine_professionnel"),
                [("H32", "Plastique, caoutchouc"), ("H29", "Mécanique, travail des métaux et outillage")],
            ),
        ):
            member = zipfile.ZipInfo(f"unix_{name}_v{version}_utf8.csv", (2025, 11, 24, 0, 0, 0))
            archive.writestr(member, text_of(heading, rows, ","))
    return path


SHEETS = (
    (
        "RNCP35229",
        "TP",
        "Stratifieur multiprocédés en matériaux composites",
        "NIV3",
        "23/02/2026",
        "INACTIVE",
    ),
    ("RNCP41000", "TP", "Stratifieur composites", "NIV3", "23/02/2031", "ACTIVE"),
    ("RS5801", "", "Sauveteur secouriste du travail", "", "01/01/2030", "ACTIVE"),
)


def rncp_archive(
    folder: Path, sheets: Sequence[Sequence[str]] = SHEETS, *, day: str = "2026-06-15", form: str = "NFC"
) -> Path:
    path = folder / f"export-fiches-csv-{day}.zip"
    stamp = day.replace("-", "_")
    with zipfile.ZipFile(path, "w") as archive:
        for name, heading, rows in (
            (
                "Standard",
                ("Numero_Fiche", "Abrege_Libelle", "Intitule", "Nomenclature_Europe_Niveau", "Date_Fin_Enregistrement", "Actif"),
                sheets,
            ),
            ("Rome", ("Numero_Fiche", "Codes_Rome_Code", "Codes_Rome_Libelle"), [("RNCP35229", "H3203", "…")]),
            (
                "Blocs_De_Compétences",
                ("Numero_Fiche", "Bloc_Competences_Code", "Bloc_Competences_Libelle"),
                [("RNCP35229", "RNCP35229BC01", "Mettre en œuvre un procédé par infusion")],
            ),
            (
                "Ancienne_Nouvelle_Certification",
                ("Ancienne_Certification", "Nouvelle_Certification"),
                [("RNCP35229", "RNCP41000")],
            ),
        ):  # fmt: skip
            member = unicodedata.normalize(form, f"export_fiches_CSV_{name}_{stamp}.csv")
            archive.writestr(member, text_of(heading, rows, ";"))
    return path


def esco_archive(folder: Path) -> Path:
    skill, pillar = "http://data.europa.eu/esco/skill/a1", "http://data.europa.eu/esco/skill/S1"
    path = folder / "ESCO dataset - v1.2.1 - classification - fr - csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        heading = ("conceptType", "conceptUri", "skillType", "preferredLabel", "altLabels", "description")
        rows = [
            ("KnowledgeSkillCompetence", skill, "skill/competence", "souder des tuyaux", "souder un tube\nbraser", "Assembler."),
            ("KnowledgeSkillCompetence", pillar, "", "travailler le métal", "", ""),
        ]  # fmt: skip
        archive.writestr("skills_fr.csv", text_of(heading, rows, ","))
        occupation = (
            "Occupation",
            "http://data.europa.eu/esco/occupation/b2",
            "",
            "soudeur/soudeuse",
            "",
            "",
        )
        archive.writestr("occupations_fr.csv", text_of(heading, [occupation], ","))
        archive.writestr(
            "broaderRelationsSkillPillar_fr.csv",
            text_of(("conceptUri", "broaderUri"), [(skill, pillar)], ","),
        )
        archive.writestr(
            "occupationSkillRelations_fr.csv",
            text_of(
                ("occupationUri", "skillUri"), [("http://data.europa.eu/esco/occupation/b2", skill)], ","
            ),
        )
    return path


def rome(path: Path, version: str = "") -> Source:
    with open_tables([path]) as tables:
        return read_rome(tables, version)[0]


def rncp(path: Path) -> list[Source]:
    with open_tables([path]) as tables:
        return read_rncp(tables)


def esco(path: Path) -> Source:
    with open_tables([path]) as tables:
        return read_esco(tables, "1.2.1")[0]


def import_occupations(app: App, folder: Path) -> None:
    """ROME and RNCP, as an operator imports both."""

    def write() -> None:
        with app.unit_of_work() as services:
            for source in (rome(rome_archive(folder)), *rncp(rncp_archive(folder))):
                services.framework_imports.write(source, by=COMMAND)

    app.once((__name__, "occupations"), write)
