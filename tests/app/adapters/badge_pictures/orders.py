"""A typical order for a badge picture, and the elements of the drawing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

from app.adapters.badge_pictures import PictureOrder

TEMPLATES = Path(__file__).parents[4] / "badge_templates"
KINDS = ("appartenance", "participation", "engagement", "savoir-etre", "competence", "realisation")


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


def elements(svg: str) -> list[Element]:
    return list(fromstring(svg.encode("utf-8")).iter())


def name_of(element: Element) -> str:
    return element.tag.rpartition("}")[2]
