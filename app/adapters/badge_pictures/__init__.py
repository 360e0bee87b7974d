"""Badge pictures: a template in the campus's colours with outlined text, as SVG and as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Final

import resvg_py
from PIL import Image

from app.adapters.badge_pictures.drawing import (
    CV_WIDTH,
    CardWords,
    Faces,
    Inks,
    Words,
    at_300_dots,
    draw_card,
    draw_for_cv,
    small_mark,
    with_palette,
)
from app.adapters.badge_pictures.drawing import WIDTH as CARD_WIDTH
from app.adapters.badge_pictures.own_pictures import (
    LEAST_OWN,
    as_data_url,
    contrast_of,
    read_art,
    side_of,
    small_art,
)
from app.adapters.badge_pictures.picture_spec import PictureOrder, kind_alone, picture_alternative, plain
from app.adapters.badge_pictures.templates import Template, Typeface, read_templates
from app.domain.campus.campus import CampusColours
from app.errors import InvalidInput

__all__ = ["BadgeArtist", "CardWords", "PictureOrder", "kind_alone", "picture_alternative"]

_SMALL_UNDER: Final = 150
_PLAIN: Final = (208.0, 0.08)
"""Default hue and liveliness, for pictures without a campus."""
_OWN: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 1000" lang="fr" role="img" '
    'aria-labelledby="{id}-alt">\n<title id="{id}-alt">{alt}</title>\n<desc>{where}</desc>\n'
    '<style>{swap}</style>\n<image width="1000" height="1000" href="{art}"/>\n'
    '<g id="{id}-large">{plate}</g>\n<g id="{id}-small" display="none"></g>\n</svg>\n'
)
_MOST_EXACT: Final = 20_000
"""Colours that a palette is chosen from exactly; photographs have more."""
_SMALL_SVG: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 1000" aria-hidden="true">{}</svg>\n'
)


class BadgeArtist:
    """Draws badges from a folder of templates, read once; deterministic: the same order gives the same
    bytes."""

    def __init__(self, templates: Path) -> None:
        self._templates = read_templates(templates)
        fonts = templates / "fonts"
        self._faces = Faces(Typeface(fonts / "sceau-serif-600.ttf"), Typeface(fonts / "sceau-sans-600.ttf"))
        self._kept = lru_cache(maxsize=256)(self._drawn)

    def draw(self, order: PictureOrder) -> str:
        """A self-contained SVG: browsers that show it under 150 pixels wide show its small mark instead."""
        return self._kept(order)

    def _drawn(self, order: PictureOrder) -> str:
        template, inks = self._shape(order)
        sentence, values = picture_alternative(order)
        # The art is no part of `repr`: pictures without any keep the identifier they always had.
        key = repr(order).encode("utf-8", "backslashreplace") + order.logo + order.own
        ident = "b" + sha256(key).hexdigest()[:10]
        alt = escape(sentence.format(**values))
        where = escape(f"Vérifier : {plain(order.address)}") if order.address else ""
        if order.own:
            plate = Words(order, template, inks, self._faces).plate()
            return _OWN.format(
                id=ident, alt=alt, where=where, swap=_swap(ident), art=as_data_url(order.own), plate=plate
            )
        return template.filled(
            {
                "id": ident,
                "alt": alt,
                "where": where,
                "swap": _swap(ident),
                "rim": inks.rim,
                "contour": inks.contour,
                "rim_line": inks.rim_line,
                "dot": inks.dot,
                "field": inks.field,
                "fine": inks.fine,
                "soft": inks.soft,
                "words": Words(order, template, inks, self._faces).drawn(),
                "small": small_mark(order, template, inks, self._faces),
            }
        )

    def small_mark(self, order: PictureOrder) -> str:
        """The « poinçon » alone, for lists and clients that cannot choose by width; always beside text."""
        if order.own:
            small = as_data_url(small_art(order.own))
            return _SMALL_SVG.format(f'<image width="1000" height="1000" href="{small}"/>')
        template, inks = self._shape(order)
        return _SMALL_SVG.format(small_mark(order, template, inks, self._faces))

    def card(self, order: PictureOrder | None, words: CardWords) -> bytes:
        """The card of a link, as a PNG of 1200 × 630; its badge, if any, is the picture of `order`."""
        colours = CampusColours.of(order.hue, order.liveliness) if order else CampusColours.of(*_PLAIN)
        badge = self.draw(order) if order else ""
        return _of_all_colours(draw_card(words, badge, colours, self._faces), CARD_WIDTH)

    def public_card(
        self, order: PictureOrder | None, words: CardWords, emblem: str, look: tuple[float, float] | None
    ) -> bytes:
        """As `card`, cached; without a badge, with `emblem` in the colours of `look`: hue and liveliness."""
        colours = CampusColours.of(*(look or _PLAIN))
        badge = self.draw(order) if order else ""
        return _cached_card(draw_card(words, badge, colours, self._faces, emblem))

    def for_cv(self, order: PictureOrder, code: Sequence[Sequence[int]], lines: Sequence[str]) -> bytes:
        """A PNG of 76 × 38 mm at 300 dots per inch: the badge, the QR code and where it leads."""
        return at_300_dots(_of_all_colours(draw_for_cv(self.draw(order), code, lines, self._faces), CV_WIDTH))

    def rasterise(self, svg: str, *, width: int = 600) -> bytes:
        """A PNG of at most 256 colours; independent of system libraries and fonts."""
        return _rasterised(svg, width)

    def rasterise_quickly(self, svg: str) -> bytes:
        """A PNG of all colours, three times larger and six times faster, for pictures of one award."""
        return _of_all_colours(svg, 600)

    def read_art(self, content: bytes, *, is_own: bool) -> bytes:
        """A campus's file as a version stores it; raises InvalidInput with advice."""
        art = read_art(content)
        if is_own and side_of(art) < LEAST_OWN:
            raise InvalidInput("Cette image est trop petite : {least} px de côté au moins.", least=LEAST_OWN)
        return art

    def read_photograph(self, content: bytes) -> tuple[bytes, tuple[int, int]]:
        """A picture for a gallery, encoded again, with its size in pixels; raises InvalidInput with advice."""
        art = read_art(content)
        with Image.open(BytesIO(art)) as picture:
            return art, picture.size

    def logo_contrast(self, order: PictureOrder) -> float:
        """Of the logo with the field it stands on."""
        return contrast_of(order.logo, self._shape(order)[1].field)

    def _shape(self, order: PictureOrder) -> tuple[Template, Inks]:
        template = self._templates[order.kind]
        colours = CampusColours.of(order.hue, order.liveliness)
        return template, Inks.of(colours, enamel=template.layout.enamel)


@lru_cache(maxsize=64)
def _rasterised(svg: str, width: int) -> bytes:
    """Cached, since drawing one takes a third of a second and editors request the same one again."""
    drawn = _of_all_colours(svg, width)
    if "<image" not in svg:
        return with_palette(drawn)
    with Image.open(BytesIO(drawn)) as picture:
        if picture.getcolors(_MOST_EXACT):
            return with_palette(drawn)
        out = BytesIO()
        picture.convert("RGBA").quantize(256, method=Image.Quantize.FASTOCTREE).save(out, "PNG")
        return out.getvalue()


@lru_cache(maxsize=64)
def _of_all_colours(svg: str, width: int) -> bytes:
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, width=width, skip_system_fonts=True))


@lru_cache(maxsize=64)
def _cached_card(svg: str) -> bytes:
    return _of_all_colours(svg, CARD_WIDTH)


def _swap(ident: str) -> str:
    return f"@media(max-width:{_SMALL_UNDER}px){{#{ident}-large{{display:none}}#{ident}-small{{display:inline}}}}"
