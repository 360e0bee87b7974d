"""The process that reads codes: a picture or PDF on its standard input, their texts as a JSON list on its output."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Final

import pypdfium2
import zxingcpp
from PIL import Image, ImageOps

_SECONDS: Final = 8
"""Of processor time; a photo of twelve million points takes one."""
_MEMORY: Final = 1024 * 1024 * 1024
_MOST_PIXELS: Final = 50_000_000
_LONGEST_SIDE: Final = 3000
_ENLARGED: Final = (2, 3, 4)
_LONGEST_ENLARGED: Final = 2400
_MOST_PAGES: Final = 4
_MOST_CODES: Final = 8
_LONGEST_TEXT: Final = 2000
_QR: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_PDF: Final = b"%PDF-"
_FORMATS: Final = ("PNG", "JPEG", "WEBP")


def _codes(content: bytes) -> list[str]:
    texts: list[str] = []
    for page in _pages(content):
        page.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        for enlarged in _larger_and_larger(page):
            found = zxingcpp.read_barcodes(enlarged, formats=_QR)
            texts += [each.text for each in found if len(each.text) <= _LONGEST_TEXT]
            if texts:
                return texts[:_MOST_CODES]
    return []


def _larger_and_larger(page: Image.Image) -> Iterator[Image.Image]:
    """A picture made small has modules of less than two points, which are found once it is drawn larger."""
    yield page
    for times in _ENLARGED:
        if max(page.size) * times <= _LONGEST_ENLARGED:
            yield page.resize((page.width * times, page.height * times), Image.Resampling.BICUBIC)


def _pages(content: bytes) -> Iterator[Image.Image]:
    if not content.startswith(_PDF):
        image: Image.Image = Image.open(BytesIO(content), formats=_FORMATS)
        if image.width * image.height > _MOST_PIXELS:
            return
        image.draft("L", (_LONGEST_SIDE, _LONGEST_SIDE))
        yield _grey(ImageOps.exif_transpose(image))
        return
    document = pypdfium2.PdfDocument(content)
    for number in range(min(len(document), _MOST_PAGES)):
        page = document[number]
        scale = _LONGEST_SIDE / max(*page.get_size(), 1)
        yield page.render(scale=min(scale, 4), grayscale=True).to_pil().convert("L")


def _grey(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("L")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("L")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    json.dump(_codes(sys.stdin.buffer.read()), sys.stdout)
