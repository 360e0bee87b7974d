"""Uploaded files: photos with location and phone metadata, a test virus, and decompression bombs."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from PIL.PngImagePlugin import PngInfo

from app.domain.activities.files import FileState, TakenFile, media_type_of

PLACE = (46.0, 48.0, 25.5)
PHONE = "Fabricant-XJ9"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The harmless test file that every scanner reports as a virus."""


def photo(
    kind: str = "PNG", size: tuple[int, int] = (64, 40), *, colour: str = "#7a3", sideways: bool = False
) -> bytes:
    """A picture with the metadata of a phone; its left half has another colour."""
    image = Image.new("RGB", size, colour)
    image.paste("#24a", (0, 0, size[0] // 2, size[1]))
    exif = Image.Exif()
    exif[Base.Make] = PHONE
    exif[Base.Orientation] = 6 if sideways else 1
    exif.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude] = PLACE
    exif.get_ifd(IFD.GPSInfo)[GPS.GPSLatitudeRef] = "N"
    out, words = BytesIO(), PngInfo()
    words.add_text("Author", PHONE)
    extra = {"pnginfo": words} if kind == "PNG" else {"comment": PHONE.encode()} if kind == "JPEG" else {}
    image.save(
        out, kind, exif=exif, dpi=(300, 300), icc_profile=PHONE.encode() * 30, xmp=PHONE.encode(), **extra
    )
    return out.getvalue()


def taken(name: str, content: bytes, *, state: FileState = FileState.CLEAN) -> TakenFile:
    return TakenFile(name, media_type_of(content) or "", content, None, state)


def huge_png(width: int, height: int) -> bytes:
    """A small file that declares a picture of that size."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    # Limits what the test decompresses, for any declared size.
    rows = zlib.compress(b"\0" * min((width // 8 + 1) * min(height, 64), 8 * 1024 * 1024), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
