"""The process that reads a picture or PDF on its standard input: codes, links and visible text, as JSON on its output."""

from __future__ import annotations

import ctypes
import json
import resource
import sys
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Final

import pypdfium2
import pypdfium2.raw as pdfium
import zxingcpp
from PIL import Image, ImageChops, ImageOps

_SECONDS: Final = 8
"""CPU time; a photo of twelve megapixels takes one."""
_MEMORY: Final = 1024 * 1024 * 1024
_MOST_PIXELS: Final = 50_000_000
_LONGEST_SIDE: Final = 3000
_ENLARGED: Final = (2, 3, 4)
_LONGEST_ENLARGED: Final = 2400
_MOST_PAGES: Final = 4
_MOST_CODES: Final = 8
_LONGEST_TEXT: Final = 2000
_MOST_LINKS: Final = 50
_MOST_SIGNS: Final = 20_000
_MOST_OBJECTS: Final = 5_000
_HIDDEN: Final = 0.3
"""Fraction of a character's box: from here on, paint over it makes it unreadable."""
_FAINT: Final = 20
"""Of 255: text that makes less difference than that to the page is invisible."""
_INVISIBLE: Final = 3
"""The render mode of text without ink."""
_SMALLEST: Final = 4
"""Points from the foot of a line to its head: smaller text is unreadable on paper."""
_NARROWEST: Final = 0.3
"""Points; of a sign squeezed to less, only a line remains."""
_MOST_SPOKEN: Final = 3
"""Letters that replace a ligature; a longer replacement text may differ from what is drawn."""
_Box = tuple[float, float, float, float]
_QR: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_PDF: Final = b"%PDF-"
_FORMATS: Final = ("PNG", "JPEG", "WEBP")


def _codes(pages: Iterable[Image.Image]) -> list[str]:
    texts: list[str] = []
    for drawn in pages:
        page = drawn.copy()
        page.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        for enlarged in _larger_and_larger(page):
            found = zxingcpp.read_barcodes(enlarged, formats=_QR)
            texts += [each.text for each in found if len(each.text) <= _LONGEST_TEXT]
            if texts:
                return texts[:_MOST_CODES]
    return []


def _larger_and_larger(page: Image.Image) -> Iterator[Image.Image]:
    """A reduced picture has modules of less than two pixels, which are detected once it is enlarged."""
    yield page
    for times in _ENLARGED:
        if max(page.size) * times <= _LONGEST_ENLARGED:
            yield page.resize((page.width * times, page.height * times), Image.Resampling.BICUBIC)


def _picture(content: bytes) -> Iterator[Image.Image]:
    image: Image.Image = Image.open(BytesIO(content), formats=_FORMATS)
    if image.width * image.height > _MOST_PIXELS:
        return
    image.draft("L", (_LONGEST_SIDE, _LONGEST_SIDE))
    yield _grey(ImageOps.exif_transpose(image))


def _drawn(page: pypdfium2.PdfPage) -> Image.Image:
    scale = _LONGEST_SIDE / max(*page.get_size(), 1)
    picture: Image.Image = page.render(scale=min(scale, 4), grayscale=True).to_pil()
    return picture.convert("L")


def _grey(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("L")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("L")


def _links(page: pypdfium2.PdfPage) -> list[str]:
    """The URLs that a click on the page opens."""
    found: list[str] = []
    position, link = ctypes.c_int(0), pdfium.FPDF_LINK()
    while len(found) < _MOST_LINKS and pdfium.FPDFLink_Enumerate(page, position, link):
        action = pdfium.FPDFLink_GetAction(link)
        size = pdfium.FPDFAction_GetURIPath(page.pdf, action, None, 0) if action else 0
        if 1 < size <= _LONGEST_TEXT:
            buffer = ctypes.create_string_buffer(size)
            pdfium.FPDFAction_GetURIPath(page.pdf, action, buffer, size)
            found.append(buffer.value.decode("utf-8", errors="replace"))
    return found


def _visible_text(page: pypdfium2.PdfPage, drawn: Image.Image) -> str | None:
    """Without invisible text: without ink on the page as drawn, painted over, too small, or outside the page.

    None if the page was not read, or states another text for programs than it shows.
    """
    objects = {}
    for order, each in enumerate(page.get_objects(max_depth=4)):
        if order >= _MOST_OBJECTS or _is_spoken_otherwise(each):
            return None
        objects[ctypes.addressof(each.raw.contents)] = order, each
    covers = [
        (order, each.get_bounds())
        for order, each in objects.values()
        if each.type != pdfium.FPDF_PAGEOBJ_TEXT and _hides(each)
    ]
    covers += [(_MOST_OBJECTS, box) for box in _stamps(page)]
    text, paper = page.get_textpage(), page.get_cropbox()
    if text.count_chars() > _MOST_SIGNS:
        return None
    ink = _Ink(page, drawn, [each for _, each in objects.values() if each.type == pdfium.FPDF_PAGEOBJ_TEXT])
    signs = []
    for index in range(text.count_chars()):
        sign = chr(pdfium.FPDFText_GetUnicode(text, index))
        raw = pdfium.FPDFText_GetTextObject(text, index)
        order, written = objects.get(ctypes.addressof(raw.contents), (0, None)) if raw else (0, None)
        if sign.isspace() or (
            written is not None
            and _is_large(text.get_charbox(index, loose=True))
            and _overlap(box := text.get_charbox(index), paper) > 1 - _HIDDEN
            and not any(above > order and _overlap(box, over) > _HIDDEN for above, over in covers)
            and ink.is_at(box)
        ):
            signs.append(sign)
    return "".join(signs)


class _Ink:
    """The pixels that the text of a page changes: the page is drawn a second time without it.

    So text that is clipped away, transparent, on a hidden layer or in the colour of its background is not seen.
    """

    def __init__(
        self, page: pypdfium2.PdfPage, drawn: Image.Image, texts: Sequence[pypdfium2.PdfObject]
    ) -> None:
        for each in texts:
            pdfium.FPDFTextObj_SetTextRenderMode(each, _INVISIBLE)
        self._page = page
        self._change = ImageChops.difference(drawn, _drawn(page))

    def is_at(self, box: _Box) -> bool:
        width, height = self._change.size
        x, y = ctypes.c_int(), ctypes.c_int()
        corners = []
        for across, up in (box[:2], box[2:]):
            pdfium.FPDF_PageToDevice(self._page, 0, 0, width, height, 0, across, up, x, y)
            corners.append((x.value, y.value))
        (left, right), (top, bottom) = (sorted(each) for each in zip(*corners, strict=True))
        part = self._change.crop(
            (max(left, 0), max(top, 0), min(right, width - 1) + 1, min(bottom, height - 1) + 1)
        )
        return 0 not in part.size and part.point(lambda light: light >= _FAINT).getbbox() is not None


def _is_spoken_otherwise(each: pypdfium2.PdfObject) -> bool:
    """Whether a mark gives the text another reading than its signs (`ActualText`)."""
    if each.type != pdfium.FPDF_PAGEOBJ_TEXT:
        return False
    for index in range(pdfium.FPDFPageObj_CountMarks(each)):
        mark, size = pdfium.FPDFPageObj_GetMark(each, index), ctypes.c_ulong()
        if pdfium.FPDFPageObjMark_GetParamStringValue(mark, b"ActualText", None, 0, size) and (
            size.value > 2 * (_MOST_SPOKEN + 1)
        ):
            return True
    return False


def _is_large(line: _Box) -> bool:
    sides = line[2] - line[0], line[3] - line[1]
    return max(sides) >= _SMALLEST and min(sides) >= _NARROWEST


def _hides(each: pypdfium2.PdfObject) -> bool:
    if each.type != pdfium.FPDF_PAGEOBJ_PATH:
        return each.type in (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_SHADING)
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    return bool(pdfium.FPDFPath_GetDrawMode(each, mode, stroke)) and mode.value != 0


def _stamps(page: pypdfium2.PdfPage) -> Iterator[_Box]:
    """Boxes of annotations other than links: they are painted last."""
    for index in range(pdfium.FPDFPage_GetAnnotCount(page)):
        annotation, box = pdfium.FPDFPage_GetAnnot(page, index), pdfium.FS_RECTF()
        if pdfium.FPDFAnnot_GetSubtype(annotation) != pdfium.FPDF_ANNOT_LINK and pdfium.FPDFAnnot_GetRect(
            annotation, box
        ):
            yield box.left, box.bottom, box.right, box.top
        pdfium.FPDFPage_CloseAnnot(annotation)


def _overlap(one: _Box, other: _Box) -> float:
    """The fraction of the first box that the second covers."""
    width, height = one[2] - one[0], one[3] - one[1]
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    if across <= 0 or down <= 0:
        return 0
    return (across * down) / (width * height) if width > 0 and height > 0 else 1


def _everything(content: bytes) -> dict[str, object]:
    """`codes` as above; for a PDF also `links` and `text`, its pages separated by form feeds, and whether all of
    it was read.
    """
    if not content.startswith(_PDF):
        return {"codes": _codes(_picture(content)), "links": [], "text": "", "whole": True}
    document = pypdfium2.PdfDocument(content)
    pages = [document[number] for number in range(min(len(document), _MOST_PAGES))]
    drawn = [_drawn(page) for page in pages]
    links = [link for page in pages for link in _links(page)][:_MOST_LINKS]
    codes = _codes(drawn)
    texts = [*map(_visible_text, pages, drawn)]
    text = "\f".join(each or "" for each in texts)
    whole = len(pages) == len(document) and None not in texts and len(text) <= _MOST_SIGNS
    return {"codes": codes, "links": links, "text": text[:_MOST_SIGNS], "whole": whole}


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    json.dump(_everything(sys.stdin.buffer.read()), sys.stdout)
