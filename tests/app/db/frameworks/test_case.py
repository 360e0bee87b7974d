"""CASE packages: valid against the published schema, and nothing is lost on the way through."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from app.domain.frameworks.case import read_package
from app.domain.frameworks.releases import Unreadable
from app.services.frameworks import Details
from app.services.frameworks.importing import FrameworkOwner
from app.services.frameworks.own_files import read_case, read_table, uploaded_table
from tests.support.app import COMMAND, App
from tests.support.shared_data import shared

pytestmark = pytest.mark.both_engines

CASE = "/ims/case/v1p1"
STAMP = "2026-05-04T10:00:00+00:00"


def foreign_package() -> dict[str, Any]:
    """With members, terms and shapes that nothing here models."""
    ids = [str(uuid4()) for _ in range(9)]

    def uri(kind: str, at: int) -> str:
        return f"https://autre.exemple.org/ims/case/v1p1/{kind}/{ids[at]}"

    def link(kind: str, at: int, title: str = "…") -> dict[str, str]:
        return {"title": title, "identifier": ids[at], "uri": uri(kind, at)}

    def item(at: int, **members: Any) -> dict[str, Any]:
        return {"identifier": ids[at], "uri": uri("CFItems", at), "lastChangeDateTime": STAMP, **members}

    def association(at: int, kind: str, origin: int, target: int, **members: Any) -> dict[str, Any]:
        return {
            "identifier": ids[at], "uri": uri("CFAssociations", at), "associationType": kind,
            "originNodeURI": link("CFItems", origin), "destinationNodeURI": link("CFItems", target),
            "lastChangeDateTime": STAMP, **members,
        }  # fmt: skip

    return {
        "CFDocument": {
            "identifier": ids[0], "uri": uri("CFDocuments", 0), "creator": "Autre", "title": "Bois & forêt",
            "lastChangeDateTime": STAMP, "version": "3", "adoptionStatus": "Draft", "subject": ["Bois"],
            "extensions": {"colour": "vert"},
        },
        "CFItems": [
            item(1, fullStatement="Choisir  un arbre\n", humanCodingScheme="B.1", educationLevel=["09"]),
            item(2, fullStatement="Abattre un arbre", humanCodingScheme="B.1", abbreviatedStatement="Abattre"),
            item(3, fullStatement="Débarder", statusEndDate="2025-01-01", CFItemType="Geste"),
        ],
        "CFAssociations": [
            association(4, "isChildOf", 1, 0, sequenceNumber=1),
            association(5, "isChildOf", 2, 1, sequenceNumber=2),
            association(6, "precedes", 1, 2),
            association(7, "ext:voisin", 3, 2, notes="À côté"),
            association(8, "precedes", 1, 2),
        ],
        "CFDefinitions": {"CFConcepts": []},
        "extensions": {"exported": "by hand"},
    }  # fmt: skip


def imported(app: App, package: dict[str, Any]) -> str:
    """The identifier of the framework of campus ITIP."""
    owner = FrameworkOwner(campus_id=app.campus.id)
    with app.unit_of_work() as services:
        services.framework_imports.write(read_package(package, code="essai"), owner, by=COMMAND)
    with app.unit_of_work(reading=True) as services:
        return str(services.frameworks.writer("essai", owner).framework.id)


def in_order(package: dict[str, Any]) -> dict[str, Any]:
    ordered = sorted(package["CFAssociations"], key=lambda each: each["identifier"])
    return {**package, "CFAssociations": ordered}


def test_a_foreign_package_comes_out_as_it_came_in(app: App):
    package = foreign_package()
    number = imported(app, package)
    answer = app.client().get(f"{CASE}/CFPackages/{number}")
    assert in_order(answer.json()) == in_order(package)
    again = read_package(answer.json(), code="essai")
    with app.unit_of_work() as services:
        assert services.framework_imports.write(
            again, FrameworkOwner(campus_id=app.campus.id), by=COMMAND
        ).is_empty


@pytest.fixture
def own(app: App) -> str:
    """A framework written here, with levels and a rubric."""
    with app.unit_of_work() as services:
        framework = services.competencies.framework(app.campus, code="ca", name="Accès", by=COMMAND)
        for code, label in (("CA-1", "Poser une serrure"), ("CA-2", "Régler une ventouse")):
            services.competencies.create(
                app.campus,
                framework,
                code=code,
                statement=label,
                levels=["Accompagné", "Autonome"],
                details=Details("Sur une porte.", ["Avec quelqu’un.", "Seul."], ["Verrou"]),
                by=COMMAND,
            )
        return str(framework.id)


def test_an_own_framework_is_valid_and_loses_nothing(app: App, own: str):
    client = app.client()
    package = client.get(f"{CASE}/CFPackages/{own}").json()
    schema = json.loads(shared("referentiels/case/official_case-v1p1-cfpackage.json").read_text("utf-8"))
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(package)
    number = imported(app, package)
    assert in_order(client.get(f"{CASE}/CFPackages/{number}").json()) == in_order(package)
    with app.unit_of_work(reading=True) as services:
        listed = services.competencies.list_of(app.campus)
        copy = {item.code: item for item, framework in listed if framework.code == "essai"}["CA-1"]
    assert (copy.levels, copy.rubric) == (["Accompagné", "Autonome"], ["Avec quelqu’un.", "Seul."])
    assert (copy.description, copy.other_labels) == ("Sur une porte.", ["Verrou"])


def addresses_in(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["uri"].partition("#")[0]} if "uri" in value else set()
        return own.union(*(addresses_in(each) for each in value.values()))
    return set().union(*map(addresses_in, value)) if isinstance(value, list) else set()


def test_every_address_in_a_package_leads_to_its_object(app: App, own: str):
    client: TestClient = app.client()
    package = client.get(f"{CASE}/CFPackages/{own}").json()
    for address in addresses_in(package):
        answer = client.get(address.removeprefix("http://localhost:8000"))
        assert answer.status_code == 200, address
    listed = client.get(f"{CASE}/CFDocuments").json()["CFDocuments"]
    assert [each["identifier"] for each in listed] == [own]
    item = package["CFItems"][0]["identifier"]
    related = client.get(f"{CASE}/CFItemAssociations/{item}").json()
    assert len(related["CFAssociations"]) == 1
    skos = client.get(f"{CASE}/CFPackages/{own}/skos").json()["@graph"]
    assert {each.get("skos:notation") for each in skos} == {None, "CA-1", "CA-2"}


def test_skos_has_what_a_concept_is_related_to(app: App):
    """Inside the framework, in a register, and nothing where a target has no address."""
    table = "Code;Libellé;Parent;En lien avec;Remplacé par\nA;Bois;;;\nB;Scier;A;C | rome:H2201 | voisin;\nC;Raboter;A;;B\n"
    owner = FrameworkOwner(campus_id=app.campus.id)
    with app.unit_of_work() as services:
        source = read_table([uploaded_table("bois.csv", table.encode())], code="bois", name="Bois")
        services.framework_imports.write(source, owner, by=COMMAND)
    with app.unit_of_work(reading=True) as services:
        graph = services.frameworks.writer("bois", owner).skos()["@graph"]
    concepts = {each["skos:notation"]: each for each in graph if "skos:notation" in each}
    a, b, c = ({"@id": concepts[code]["@id"]} for code in "ABC")
    assert (concepts["B"]["skos:broader"], concepts["B"]["skos:related"]) == (a, [c])
    [match] = concepts["B"]["skos:relatedMatch"]
    assert match["@id"].endswith("/H2201")
    assert concepts["C"]["dct:isReplacedBy"] == [b]


def test_what_is_not_there_is_absent(app: App):
    client = app.client()
    for kind in ("CFDocuments", "CFPackages", "CFItems", "CFItemAssociations", "CFAssociations", "CFRubrics"):
        assert client.get(f"{CASE}/{kind}/{uuid4()}").status_code == 404


@pytest.mark.parametrize(
    "broken",
    [
        [], {}, {"CFDocument": {}}, {"CFDocument": {"title": "x", "identifier": "y"}, "CFItems": [1]},
        {"CFDocument": {"title": "x", "identifier": "y"}, "CFItems": [{"identifier": "a"}]},
        {"CFDocument": {"title": "x", "identifier": "y"}, "CFAssociations": [{"identifier": "a"}]},
    ],
)  # fmt: skip
def test_a_broken_package_is_refused_with_a_sentence(broken: object):
    with pytest.raises(Unreadable):
        read_package(broken)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["identifier", "fullStatement", "title", "associationType", "originNodeURI", "CFItemURI"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(["CFDocument", "CFItems", "CFAssociations", "CFRubrics", "CFDefinitions"]), JSON
    )
)
def test_any_json_is_read_or_refused(package: dict[str, Any]):
    document = {"title": "x", "identifier": "y"}
    with contextlib.suppress(Unreadable):
        read_package({"CFDocument": document, **package})


def test_the_command_names_the_line_of_broken_json(tmp_path: Path):
    (file := tmp_path / "paquet.json").write_text('{\n"CFDocument": ,\n}')
    with pytest.raises(Unreadable) as refused:
        read_case(file)
    assert refused.value.values == {"file": "paquet.json", "line": 2}


@pytest.mark.parametrize("spoilt", ['"\\ud800 seul"', "NaN", "-Infinity"])
def test_json_that_cannot_be_stored_or_written_again_is_refused(spoilt: str, tmp_path: Path):
    package = json.dumps(foreign_package() | {"extensions": {"x": 0}}).replace('"x": 0', f'"x": {spoilt}')
    (file := tmp_path / "paquet.json").write_text(package)
    with pytest.raises(Unreadable) as refused:
        read_case(file)
    assert refused.value.values["file"] == "paquet.json"


def refused_at(file: Path, text: str) -> tuple[object, str]:
    """The file of the sentence, and the text from its line on."""
    file.write_text(text, "utf-8")
    with pytest.raises(Unreadable) as refused:
        read_case(file)
    values = refused.value.values
    assert set(re.findall(r"{(\w+)}", refused.value.sentence)) <= set(values)
    return values["file"], "\n".join(text.splitlines()[int(str(values["line"])) - 1 :])


@pytest.mark.parametrize("of_several", [False, True])
def test_a_fault_in_an_element_names_file_and_line(of_several: bool, tmp_path: Path):
    def faulty(package: dict[str, Any]) -> tuple[str, str]:
        document = [foreign_package(), package] if of_several else package
        name, rest = refused_at(tmp_path / "paquet.json", json.dumps(document, indent=1))
        assert name == "paquet.json"
        return rest.splitlines()[0].strip(), rest

    package = foreign_package()
    package["CFItems"].append(package["CFItems"][0])
    begun, rest = faulty(package)
    assert (begun, rest.count('"fullStatement"')) == ("{", 1), "the second of them, not the first"
    package = foreign_package()
    first, second = package["CFAssociations"][:2]
    circle = {**first, "identifier": str(uuid4()), "destinationNodeURI": second["originNodeURI"]}
    package["CFAssociations"] = [second, circle]
    begun, rest = faulty(package)
    assert begun == "{"
    assert circle["identifier"] in "".join(rest.splitlines()[:3]), "the association that closes the circle"
    package = foreign_package()
    package["CFItems"][1] |= {"identifier": "x" * 301, "humanCodingScheme": ""}
    begun, rest = faulty(package)
    assert "x" * 301 in "".join(rest.splitlines()[:3])


@pytest.mark.parametrize("wrap", [list, lambda packages: {"CFPackages": packages}])
def test_every_document_of_a_file_becomes_a_framework(app: App, tmp_path: Path, wrap: Any):
    """Two of them have the same title: identifiers tell them apart."""
    packages = [foreign_package() for _ in range(3)]
    packages[2]["CFDocument"]["title"] = "Pierre"
    (file := tmp_path / "paquets.json").write_text(json.dumps(wrap(packages)))
    owner = FrameworkOwner(campus_id=app.campus.id)
    for is_new in (True, False, False):
        sources = read_case(file)
        assert len({source.code for source in sources}) == 3
        with app.unit_of_work() as services:
            written = [services.framework_imports.write(each, owner, by=COMMAND) for each in sources]
        assert [each.is_empty for each in written] == [not is_new] * 3
    with app.unit_of_work(reading=True) as services:
        for source, package in zip(sources, packages, strict=True):
            found = services.frameworks.writer(source.code, owner).package()
            assert in_order(found) == in_order(package)


def test_a_document_twice_and_one_code_for_several_are_refused(tmp_path: Path):
    file, package = tmp_path / "paquets.json", foreign_package()
    for packages, code in (([package, package], ""), ([package, foreign_package()], "bois")):
        file.write_text(json.dumps(packages))
        with pytest.raises(Unreadable) as refused:
            read_case(file, code)
        assert refused.value.values["file"] == "paquets.json"


def test_repeated_associations_come_out_in_their_places(app: App):
    package = foreign_package()
    again = {**package["CFAssociations"][0], "identifier": "00000000-0000-4000-8000-00000000abcd"}
    package["CFAssociations"].insert(1, again)
    number = imported(app, package)
    assert (
        app.client().get(f"{CASE}/CFPackages/{number}").json()["CFAssociations"] == package["CFAssociations"]
    )
