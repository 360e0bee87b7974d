"""CASE 1.1 packages (1EdTech): read without loss, and written from rows; SKOS in JSON-LD."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from app.domain.core import as_stored, plain_text
from app.domain.frameworks import (
    AssociationKind,
    Competency,
    Framework,
    FrameworkAssociation,
    address_of,
)
from app.domain.frameworks.releases import LONGEST_CODE, LONGEST_LABEL, Entry, Link, Source, Unreadable
from app.language import N_

CASE_PATH: Final = "/ims/case/v1p1"
_FILE: Final = "CASE"
_RAW: Final = "case"
"""In `extra`: the object as the package has it, so that no member is lost."""
_CHILD_OF_PARENT: Final = 0xC0FFEE_0000_4000_8000_000000000001
_RUBRIC: Final = 0xC0FFEE_0000_4000_8000_000000000002
_CRITERION: Final = 0xC0FFEE_0000_4000_8000_000000000003

Json = dict[str, Any]
PACKAGES: Final = "CFPackages"


def packages_in(document: object) -> list[object]:
    """Of a file with one package, a list of them, or an object that lists them under CFPackages."""
    listed = (
        document.get(PACKAGES) if isinstance(document, dict) and "CFDocument" not in document else document
    )
    return list(listed) if isinstance(listed, list) and listed else [document]


def read_package(package: object, *, code: str = "") -> Source:
    """`code` names the framework here; without one it is derived from the title. The `line` of a fault is the
    number of the element; a reader of files puts its line there."""
    if not isinstance(package, dict) or not isinstance(package.get("CFDocument"), dict):
        raise Unreadable(N_("{file} n’est pas un paquet CASE : il lui manque CFDocument."), file=_FILE)
    document: Json = package["CFDocument"]
    title, identifier = _text(document, "title"), _text(document, "identifier")
    if not title or not identifier:
        raise Unreadable(N_("{file} : le document CASE n’a pas de titre ou pas d’identifiant."), file=_FILE)
    items = _objects(package, "CFItems")
    codes = _codes(items)
    associations = _objects(package, "CFAssociations")
    levels = _levels(package)
    parents = _parents(associations, codes)
    links, repeated = _links(associations, codes)
    rest = {key: value for key, value in package.items() if key not in ("CFItems", "CFAssociations")}
    return Source(
        code or _slug(title),
        title[:200],
        _text(document, "version")[:60],
        _day(document.get("statusStartDate")),
        [_entry(item, position, codes, parents, levels) for position, item in enumerate(items)],
        links,
        frozenset(link.kind for link in links) | {AssociationKind.CHILD.value},
        publisher=(_text(document, "publisher") or _text(document, "creator"))[:200],
        licence=_text(document.get("licenseURI"), "title")[:300],
        source=_text(document, "officialSourceURL")[:600],
        language=_text(document, "language")[:12] or "fr",
        description=_text(document, "description")[:2000],
        identifier=identifier,
        extra={_RAW: rest, "repeated": repeated} if repeated else {_RAW: rest},
        has_positions=True,
    )


def _objects(package: Json, name: str) -> list[Json]:
    found = package.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Unreadable(
            N_("{file} : dans ce paquet CASE, {name} n’est pas une liste d’objets."), file=_FILE, name=name
        )
    for number, each in enumerate(found, 1):
        if not _text(each, "identifier"):
            raise _fault(
                N_("{file}, ligne {line} : cet élément de {name} n’a pas d’identifiant."), name, number
            )
        if name == "CFItems" and not _text(each, "fullStatement").strip():
            raise _fault(N_("{file}, ligne {line} : cet élément de {name} n’a pas d’énoncé."), name, number)
    return found


def _fault(sentence: str, name: str, number: int, **values: str) -> Unreadable:
    return Unreadable(sentence, file=_FILE, name=name, line=number, **values)


def _codes(items: Sequence[Json]) -> dict[str, str]:
    """By identifier: the human code where it is unique, else the identifier."""
    counts = Counter(_text(item, "humanCodingScheme").strip() for item in items)
    found: dict[str, str] = {}
    for number, item in enumerate(items, 1):
        identifier, human = _text(item, "identifier"), _text(item, "humanCodingScheme").strip()
        if identifier in found:
            sentence = N_("{file}, ligne {line} : cet élément de {name} a l’identifiant d’un autre.")
            raise _fault(sentence, "CFItems", number)
        is_fit = human and counts[human] == 1 and len(human) <= LONGEST_CODE
        found[identifier] = human if is_fit else identifier
    return found


def _parents(associations: Sequence[Json], codes: Mapping[str, str]) -> dict[str, str]:
    """By identifier: the code of the item above, the first of several."""
    above: dict[str, str] = {}
    for number, each in enumerate(associations, 1):
        if each.get("associationType") != AssociationKind.CHILD.value:
            continue
        child, parent = _node(each, "originNodeURI"), _node(each, "destinationNodeURI")
        if child in codes and parent in codes and child not in above:
            if _leads_to(parent, child, above):
                sentence = N_("{file}, ligne {line} : « {code} » est rangé sous lui-même.")
                raise _fault(sentence, "CFAssociations", number, code=codes[child])
            above[child] = parent
    return {child: codes[parent] for child, parent in above.items()}


def _leads_to(start: str, end: str, above: Mapping[str, str]) -> bool:
    here: str | None = start
    while here is not None and here != end:
        here = above.get(here)
    return here == end


def _entry(
    item: Json,
    position: int,
    codes: Mapping[str, str],
    parents: Mapping[str, str],
    levels: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]],
) -> Entry:
    identifier = _text(item, "identifier")
    names, rubric = levels.get(identifier, ((), ()))
    others = [_text(item, name) for name in ("alternativeLabel", "abbreviatedStatement")]
    extensions = item.get("extensions")
    more = extensions.get("otherLabels") if isinstance(extensions, dict) else None
    others += [each for each in more or [] if isinstance(each, str)] if isinstance(more, list) else []
    return Entry(
        codes[identifier],
        " ".join(_text(item, "fullStatement").split())[:LONGEST_LABEL],
        "competency",
        identifier=identifier,
        parent=parents.get(identifier, ""),
        position=position,
        description=_text(item, "notes"),
        other_labels=tuple(dict.fromkeys(filter(None, others))),
        levels=names,
        rubric=rubric,
        ended_on=_day(item.get("statusEndDate")),
        extra={_RAW: item},
    )


def _levels(package: Json) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Names and descriptions of the levels of items that a rubric describes, from the lowest."""
    found: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for rubric in _objects(package, "CFRubrics"):
        for criterion in _members(rubric, "CFRubricCriteria"):
            identifier = _node(criterion, "CFItemURI")
            listed = _members(criterion, "CFRubricCriterionLevels")
            listed.sort(key=lambda each: (_number(each, "position"), _number(each, "score")))
            names = tuple((_text(each, "quality") or _text(each, "description"))[:120] for each in listed)
            if identifier and 0 < len(names) <= 10 and all(names):
                found.setdefault(identifier, (names, tuple(_text(each, "description") for each in listed)))
    return found


def _links(associations: Sequence[Json], codes: Mapping[str, str]) -> tuple[list[Link], list[Json]]:
    """`repeated`: associations that equal an earlier one under another identifier."""
    links: dict[tuple[str, str, str], Link] = {}
    repeated = []
    for order, each in enumerate(associations):
        origin, target = _node(each, "originNodeURI"), _node(each, "destinationNodeURI")
        kind = _text(each, "associationType")[:60]
        if not kind or not target:
            sentence = N_(
                "{file}, ligne {line} : cet élément de {name} n’a pas de type ou pas de destination."
            )
            raise _fault(sentence, "CFAssociations", order + 1)
        from_item = codes.get(origin, "")
        target = codes.get(target, target) if from_item else f"{origin} {target}"
        key = (from_item, kind, target[:600])
        if key in links:
            repeated.append({_RAW: each, "order": order})
            continue
        links[key] = Link(
            from_item, kind, target[:600], _text(each, "identifier"), {_RAW: each, "order": order}
        )
    return list(links.values()), repeated


def _node(association: Json, name: str) -> str:
    node = association.get(name)
    return _text(node, "identifier") or _text(node, "uri") if isinstance(node, dict) else ""


def _text(holder: object, name: str) -> str:
    value = holder.get(name) if isinstance(holder, dict) else None
    return as_stored(value) if isinstance(value, str) else ""


def _members(holder: Json, name: str) -> list[Json]:
    found = holder.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _number(holder: Json, name: str) -> float:
    value = holder.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", plain_text(title)).strip("-")[:60].strip("-") or "case"


@dataclass(frozen=True)
class CaseWriter:
    """Writes the rows of one framework; `base` is the service's own address."""

    base: str
    creator: str
    framework: Framework
    items: Sequence[Competency]
    associations: Sequence[FrameworkAssociation] = ()
    changed_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    """Of the objects that were written here."""

    def package(self) -> Json:
        rest = dict(self.framework.extra.get(_RAW) or {})
        rubrics = [*(rest.pop("CFRubrics", None) or []), *self._rubrics()]
        document = rest.pop("CFDocument", None) or self.document()
        return {
            "CFDocument": document,
            "CFItems": [self.item(each) for each in self.items],
            "CFAssociations": self.all_associations(),
            **rest,
            **({"CFRubrics": rubrics} if rubrics else {}),
        }

    def document(self) -> Json:
        raw = (self.framework.extra.get(_RAW) or {}).get("CFDocument")
        if raw:
            return dict(raw)
        framework = self.framework
        return _filled(
            identifier=str(framework.id),
            uri=self._address("CFDocuments", framework.id),
            creator=framework.publisher or self.creator,
            title=framework.name,
            lastChangeDateTime=self._stamp(),
            caseVersion="1.1",
            officialSourceURL=framework.source,
            publisher=framework.publisher or self.creator,
            description=framework.description,
            language=framework.language,
            version=framework.version,
            adoptionStatus="Adopted",
            statusStartDate=framework.published_on.isoformat() if framework.published_on else "",
        )

    def item(self, item: Competency) -> Json:
        raw = item.extra.get(_RAW)
        if raw:
            is_same = " ".join(str(raw.get("fullStatement", "")).split())[:LONGEST_LABEL] == item.statement
            return dict(raw) if is_same else {**raw, "fullStatement": item.statement}
        ended = item.ended_on or (item.archived_at.date() if item.archived_at else None)
        return _filled(
            identifier=str(item.id),
            fullStatement=item.statement,
            uri=self._address("CFItems", item.id),
            humanCodingScheme=item.code,
            notes=item.description,
            language=self.framework.language,
            statusEndDate=ended.isoformat() if ended else "",
            lastChangeDateTime=self._stamp(),
            extensions={"otherLabels": item.other_labels} if item.other_labels else {},
        )

    def all_associations(self) -> list[Json]:
        """Stored ones, then the tree where no stored one has it."""
        by_id = {item.id: item for item in self.items}
        given = [
            (row.extra.get("order", 0), row.target, self._association(row, by_id))
            for row in self.associations
        ]
        given += [
            (each.get("order", len(given)), "", each.get(_RAW, each))
            for each in self.framework.extra.get("repeated") or []
        ]
        found = [association for _, _, association in sorted(given, key=lambda each: each[:2])]
        stored = {
            row.origin_id
            for row in self.associations
            if row.kind == AssociationKind.CHILD.value and row.origin_id
        }
        return [*found, *(self.child(item, by_id) for item in self.items if item.id not in stored and not item.extra.get(_RAW))]  # fmt: skip

    def child(self, item: Competency, by_id: Mapping[uuid.UUID, Competency]) -> Json:
        """The position of one item in the tree; its identifier is derived from the item's."""
        parent = by_id.get(item.parent_id) if item.parent_id else None
        number = association_id(item.id)
        return {
            "identifier": str(number),
            "associationType": AssociationKind.CHILD.value,
            "sequenceNumber": item.position,
            "uri": self._address("CFAssociations", number),
            "originNodeURI": self._link(item),
            "destinationNodeURI": self._link(parent) if parent else self._document_link(),
            "lastChangeDateTime": self._stamp(),
        }

    def _association(self, row: FrameworkAssociation, by_id: Mapping[uuid.UUID, Competency]) -> Json:
        raw = row.extra.get(_RAW)
        if raw:
            return dict(raw)
        target = next((item for item in self.items if item.code == row.target), None)
        return {
            "identifier": str(row.id),
            "associationType": row.kind,
            "uri": self._address("CFAssociations", row.id),
            "originNodeURI": self._link(by_id[row.origin_id]) if row.origin_id else self._document_link(),
            "destinationNodeURI": self._link(target) if target else _outside(row.target),
            "lastChangeDateTime": self._stamp(),
        }

    def _rubrics(self) -> list[Json]:
        listed = (self.framework.extra.get(_RAW) or {}).get("CFRubrics") or []
        known = {
            _node(criterion, "CFItemURI")
            for rubric in listed
            for criterion in _members(rubric, "CFRubricCriteria")
        }
        return [
            self._rubric(item)
            for item in self.items
            if item.levels and self._link(item)["identifier"] not in known
        ]

    def _rubric(self, item: Competency) -> Json:
        rubric, criterion = _derived(item.id, _RUBRIC), _derived(item.id, _CRITERION)
        stamp = self._stamp()
        levels = [
            _filled(
                identifier=str(uuid.uuid5(criterion, str(position))),
                uri=f"{self._address('CFRubrics', rubric)}#{position}",
                quality=name,
                description=item.rubric[position - 1] if position <= len(item.rubric) else "",
                score=position,
                position=position,
                rubricCriterionId=str(criterion),
                lastChangeDateTime=stamp,
            )
            for position, name in enumerate(item.levels, 1)
        ]
        return {
            "identifier": str(rubric),
            "uri": self._address("CFRubrics", rubric),
            "title": item.statement,
            "lastChangeDateTime": stamp,
            "CFRubricCriteria": [
                {
                    "identifier": str(criterion),
                    "uri": f"{self._address('CFRubrics', rubric)}#critere",
                    "CFItemURI": self._link(item),
                    "position": 1,
                    "rubricId": str(rubric),
                    "lastChangeDateTime": stamp,
                    "CFRubricCriterionLevels": levels,
                }
            ],
        }

    def _link(self, item: Competency) -> Json:
        raw = item.extra.get(_RAW) or {}
        return {
            "title": item.statement,
            "identifier": raw.get("identifier") or str(item.id),
            "uri": raw.get("uri") or self._address("CFItems", item.id),
        }

    def _document_link(self) -> Json:
        document = self.document()
        return {"title": document["title"], "identifier": document["identifier"], "uri": document["uri"]}

    def _address(self, kind: str, number: uuid.UUID) -> str:
        return f"{self.base}{CASE_PATH}/{kind}/{number}"

    def _stamp(self) -> str:
        return f"{self.changed_at:%Y-%m-%dT%H:%M:%SZ}"

    def skos(self) -> Json:
        """The same tree as SKOS concepts."""
        scheme = self.document()["uri"]
        by_id = {item.id: item for item in self.items}
        by_code = {item.code: item for item in self.items}
        language = self.framework.language
        from_item: dict[uuid.UUID, list[FrameworkAssociation]] = {}
        for row in self.associations:
            if row.origin_id:
                from_item.setdefault(row.origin_id, []).append(row)
        return {
            "@context": {"skos": "http://www.w3.org/2004/02/skos/core#", "dct": "http://purl.org/dc/terms/"},
            "@graph": [
                {
                    "@id": scheme,
                    "@type": "skos:ConceptScheme",
                    "dct:title": {"@value": self.framework.name, "@language": language},
                    "dct:publisher": self.framework.publisher or self.creator,
                },
                *(
                    self._concept(item, by_id, scheme, language)
                    | self._matches(from_item.get(item.id, ()), by_code)
                    for item in self.items
                ),
            ],
        }

    def _concept(
        self, item: Competency, by_id: Mapping[uuid.UUID, Competency], scheme: str, language: str
    ) -> Json:
        parent = by_id.get(item.parent_id) if item.parent_id else None
        return _filled(
            **{
                "@id": self._link(item)["uri"],
                "@type": "skos:Concept",
                "skos:inScheme": {"@id": scheme},
                "skos:notation": item.code,
                "skos:prefLabel": {"@value": item.statement, "@language": language},
                "skos:altLabel": [{"@value": each, "@language": language} for each in item.other_labels],
                "skos:definition": {"@value": item.description, "@language": language} if item.description else {},
                "skos:broader": {"@id": self._link(parent)["uri"]} if parent else {},
                "skos:topConceptOf": {} if parent else {"@id": scheme},
            }
        )  # fmt: skip

    def _matches(self, rows: Iterable[FrameworkAssociation], by_code: Mapping[str, Competency]) -> Json:
        """What one concept is associated with, besides the one above it; targets without an address are left out."""
        found: Json = {}
        for row in rows:
            target = by_code.get(row.target)
            node = (row.extra.get(_RAW) or {}).get("destinationNodeURI")
            address = self._link(target)["uri"] if target else address_of(row.target) or _text(node, "uri")
            name = _SKOS.get((row.kind, target is not None))
            if name and re.match(r"(https?|urn):", address):
                found.setdefault(name, []).append({"@id": address})
        return found


_SKOS: Final = {
    (AssociationKind.EXACT.value, True): "skos:exactMatch",
    (AssociationKind.EXACT.value, False): "skos:exactMatch",
    (AssociationKind.RELATED.value, True): "skos:related",
    (AssociationKind.RELATED.value, False): "skos:relatedMatch",
    (AssociationKind.PART.value, True): "dct:isPartOf",
    (AssociationKind.PART.value, False): "dct:isPartOf",
    (AssociationKind.REPLACED.value, True): "dct:isReplacedBy",
    (AssociationKind.REPLACED.value, False): "dct:isReplacedBy",
}
"""By kind, and whether the target is of the same framework."""


def association_id(item_id: uuid.UUID) -> uuid.UUID:
    """Of an item's position in the tree, and back again."""
    return _derived(item_id, _CHILD_OF_PARENT)


def rubric_id(item_id: uuid.UUID) -> uuid.UUID:
    """Of an item's rubric, and back again."""
    return _derived(item_id, _RUBRIC)


def _derived(number: uuid.UUID, mark: int) -> uuid.UUID:
    # The mark leaves version and variant alone.
    return uuid.UUID(int=number.int ^ (mark & ~(0xF << 76) & ~(0x3 << 62)))


def _outside(target: str) -> Json:
    return {"title": target, "identifier": target, "uri": target, "targetType": "ext:register"}


def _filled(**members: Any) -> Json:
    return {name: value for name, value in members.items() if value not in ("", None, [], {})}
