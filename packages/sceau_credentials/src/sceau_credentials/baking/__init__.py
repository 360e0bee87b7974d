"""A credential embedded in a picture or a PDF. The file proves nothing: it is only the credential's envelope."""

from __future__ import annotations

from typing import Final

from sceau_credentials.baking.carrier import Unbaked
from sceau_credentials.baking.png import SIGNATURE, PngMaster, unbake_png
from sceau_credentials.baking.svg import SvgMaster, unbake_svg
from sceau_credentials.errors import ImageError

__all__ = ["PngMaster", "SvgMaster", "Unbaked", "bake_png", "bake_svg", "unbake"]

_PDF_SIGNATURE: Final = b"%PDF-"


def bake_png(png: bytes, credential: str) -> bytes:
    """Return the same picture, byte for byte, with the credential (JSON or compact JWS) in it.

    To bake one picture many times, check it once as a `PngMaster`.
    """
    return PngMaster(png).bake(credential)


def bake_svg(svg: bytes, credential: str) -> bytes:
    """Return the same drawing with the credential in it. For our own drawings only: an uploaded one stays
    unsafe.
    """
    return SvgMaster(svg).bake(credential)


def unbake(data: bytes) -> Unbaked:
    """The one credential embedded in a picture or PDF (type detected from content), or ImageError with a
    reason.

    Reasons: `not_an_image`, `too_large`, `malformed_png`, `truncated`, `bad_checksum`, `malformed_svg`,
    `unsafe_svg`, `malformed_pdf`, `pdf_extra_missing`, `compressed_text`, `not_utf8`, `no_credential`,
    `several_credentials`.
    """
    if data.startswith(SIGNATURE):
        return unbake_png(data)
    if data.startswith(_PDF_SIGNATURE):
        return _unbake_pdf(data)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or data.startswith(
        (b"\xff\xfe<", b"\xfe\xff\0<")
    ):
        return unbake_svg(data)
    raise ImageError("not_an_image")


def _unbake_pdf(data: bytes) -> Unbaked:
    """Import pypdf with the first PDF: it is an optional dependency."""
    try:
        from sceau_credentials.baking.pdf import unbake_pdf
    except ImportError:
        raise ImageError("pdf_extra_missing", "to read PDF, install sceau-credentials[pdf]") from None
    return unbake_pdf(data)
