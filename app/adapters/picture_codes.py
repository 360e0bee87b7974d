"""QR codes in pictures and scanned pages, read in a process of its own that is held to little memory and few seconds."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from threading import BoundedSemaphore
from typing import Final

import pypdfium2
import zxingcpp
from PIL import Image, ImageOps

_AT_ONCE: Final = 2
_SECONDS: Final = 8
"""Of processor time, and as many again of waiting for it; a photo of twelve million points takes one."""
_MEMORY: Final = 1024 * 1024 * 1024
_MOST_PIXELS: Final = 50_000_000
_LONGEST_SIDE: Final = 3000
_MOST_PAGES: Final = 4
_MOST_CODES: Final = 8
_LONGEST_TEXT: Final = 2000
_QR: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_PDF: Final = b"%PDF-"
_FORMATS: Final = ("PNG", "JPEG", "WEBP")
_READ: Final = (_PDF, b"\x89PNG", b"\xff\xd8\xff", b"RIFF")


class PictureCodes:
    """Decoders of pictures meet whatever strangers send: what they stumble over ends with their process."""

    def __init__(self) -> None:
        self._room = BoundedSemaphore(_AT_ONCE)

    def read(self, content: bytes) -> list[str]:
        """What the codes say, top first; nothing where there is none, or where it would take too long."""
        if not content.startswith(_READ) or not self._room.acquire(timeout=_SECONDS):
            return []
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", __name__],
                input=content,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=2 * _SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return []
        finally:
            self._room.release()
        return [str(text) for text in json.loads(done.stdout)] if done.returncode == 0 else []


def _codes(content: bytes) -> list[str]:
    texts: list[str] = []
    for page in _pages(content):
        page.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        found = zxingcpp.read_barcodes(page, formats=_QR)
        texts += [each.text for each in found if len(each.text) <= _LONGEST_TEXT]
        if texts:
            break
    return texts[:_MOST_CODES]


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
