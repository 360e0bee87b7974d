"""Static files, held in memory and served under URLs that change with their content."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from app.errors import NotFound
from app.http.request_scope import public

FOLDER = Path(__file__).parent / "static"
_STYLES = FOLDER / "css"
# Stylesheets are served as one file, so that a page needs one request; print comes last and wins.
STYLE_ORDER = (
    "tokens",
    "ground",
    "frame",
    "document",
    "checks",
    "evidence",
    "tables",
    "forms",
    "notices",
    "pages",
    "circumstances",
)
# Separate files with their parts, so that public pages stay light.
SEPARATE_STYLES = {
    "workspace": ("workspace",),
    "learner": ("gallery", "learner"),
    "catalogue": ("gallery", "catalogue"),
    "campus": ("gallery", "catalogue", "campus"),
    "reports": ("reports",),
    "pathways": ("pathways",),
}
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".ico": "image/x-icon",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_AN_HOUR = "public, max-age=3600"
# A picture may style itself, and do nothing else, even when opened on its own.
SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@dataclass(frozen=True)
class StaticFile:
    body: bytes
    zipped: bytes | None
    media_type: str
    etag: str


@cache
def files() -> dict[str, StaticFile]:
    """Every servable file by its path below `static/`. Only these exist: no request ever opens a path."""
    found = {
        path.relative_to(FOLDER).as_posix(): _static_file(path.read_bytes(), path.suffix)
        for path in sorted(FOLDER.rglob("*"))
        if path.is_file() and path.suffix in _TYPES and path.parent != _STYLES
    }
    return {
        **found,
        "sceau.css": _joined(STYLE_ORDER),
        **{f"{name}.css": _joined(parts) for name, parts in SEPARATE_STYLES.items()},
    }


def _joined(parts: Iterable[str]) -> StaticFile:
    styles = "".join((_STYLES / f"{name}.css").read_text("utf-8") for name in parts)
    return _static_file(_tight(styles).encode(), ".css")


def _tight(styles: str) -> str:
    """Without comments, and on one line; spaces inside a line may be significant and stay."""
    lines = (line.strip() for line in re.sub(r"/\*.*?(?:\*/|\Z)", "", styles, flags=re.DOTALL).splitlines())
    joined = re.sub(r"(?<=[{};,]) ", "", " ".join(filter(None, lines)))
    return joined.replace(" {", "{").replace(";}", "}").replace(": ", ":")


def _static_file(body: bytes, suffix: str) -> StaticFile:
    zipped = gzip.compress(body, 9, mtime=0) if suffix in {".css", ".svg", ".txt", ".js"} else None
    return StaticFile(body, zipped, _TYPES[suffix], f'"{hashlib.sha256(body).hexdigest()[:20]}"')


@cache
def edition() -> str:
    """One digest for the whole folder: files name each other relatively (CSS its fonts), so they move
    together."""
    digest = hashlib.sha256()
    for name, file in files().items():
        digest.update(f"{name} {file.etag}\n".encode())
    return digest.hexdigest()[:12]


def asset(name: str) -> str:
    """The URL of a static file, immutable and cacheable; an unknown name is a programming error."""
    if name not in files():
        raise KeyError(f"no static file {name!r}")
    return f"/static/{edition()}/{name}"


def asset_if_there(name: str) -> str:
    """The same of a file that this installation may lack; empty without it."""
    return asset(name) if name in files() else ""


router = APIRouter(include_in_schema=False)


@router.get("/static/{path:path}")
@public
def static_file(path: str, request: Request) -> Response:
    held, _, name = path.partition("/")
    file, caching = files().get(name), _FOR_EVER if held == edition() else _FOR_AN_HOUR
    if file is None:
        file, caching = files().get(path), _FOR_AN_HOUR
    if file is None:
        raise NotFound("Ce fichier n’existe pas.")
    headers = {"Cache-Control": caching, "ETag": file.etag, "Vary": "Accept-Encoding"}
    if file.media_type == _TYPES[".svg"]:
        headers["Content-Security-Policy"] = SVG_POLICY
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    body = file.body
    if file.zipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = file.zipped, "gzip"
    return Response(body, media_type=file.media_type, headers=headers)
