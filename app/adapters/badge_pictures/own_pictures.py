"""Logos and pictures of a campus: checked, rasterised or decoded, and encoded again from their pixels alone."""

from __future__ import annotations

import re
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from math import inf
from typing import Any, Final
from xml.etree import ElementTree

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from PIL import Image, ImageOps

from app.adapters.slots import NoSlot, Slots
from app.domain.campus.campus import contrast
from app.errors import InvalidInput

MOST_BYTES: Final = 2 * 1024 * 1024
SIDE: Final = 800
"""The longest side of what is stored, in pixels."""
_SMALL_SIDE: Final = 192
LEAST_LOGO: Final = 120
LEAST_OWN: Final = 600
_MOST_PIXELS: Final = 24_000_000
_MOST_SCANS: Final = 64
_MOST_RATIO: Final = 8
_MOST_DRAWN: Final = 60_000
"""Elements of an SVG, each counted as often as it is drawn."""
_LIGHT: Final = 150_000
_FORMATS: Final = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"RIFF": "WEBP"}
_SVG: Final = "{http://www.w3.org/2000/svg}"
_LENGTH: Final = re.compile(r"\s*+([0-9]*+\.[0-9]++|[0-9]++)(px)?+\s*+\Z")
_NUMBER: Final = re.compile(r"[+-]?+(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][+-]?+[0-9]++)?+", re.ASCII)
_LOCAL: Final = re.compile(r"""url\(\s*["']?#([^"')\s]+)""")
_ANY_URL: Final = re.compile(r"url\(|@import|expression", re.I)
_REFUSED: Final = frozenset({"script", "foreignObject", "iframe", "image", "feImage", "audio", "video"})
_MOVING: Final = frozenset({"animate", "animateMotion", "animateTransform", "set"})


_SECONDS: Final = 5
"""CPU time to draw an SVG: a few filters or layers over each other may cost more than thousands of elements."""
_SLOTS: Final = Slots(2, waiting=4, seconds=_SECONDS)
"""Decoding one takes a hundred megabytes at most."""
_MOST_MEMORY: Final = 1 << 30
_DRAW: Final = """
import resource, sys
seconds, memory = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
import resvg_py
svg = sys.stdin.buffer.read().decode()
sys.stdout.buffer.write(bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True)))
"""
"""Runs in a process of its own: a crash or an endless drawing ends only that process."""


def read_art(content: bytes) -> bytes:
    """A PNG, JPEG, WebP or SVG as a PNG or JPEG of at most `SIDE` pixels; raises InvalidInput with advice."""
    if len(content) > MOST_BYTES:
        raise InvalidInput("Ce fichier est trop lourd : 2 Mo au plus.")
    try:
        with _SLOTS.take():
            return _read(content)
    except NoSlot:
        raise InvalidInput(
            "Le service lit déjà plusieurs images. Envoyez la vôtre de nouveau dans une minute."
        ) from None


def _read(content: bytes) -> bytes:
    kind = next((kind for start, kind in _FORMATS.items() if content.startswith(start)), "")
    if kind:
        return _encoded(_decoded(content, kind))
    if b"<svg" in content[:4096] or b"<?xml" in content[:64]:
        return _encoded(_rasterised(content))
    raise InvalidInput("Ce fichier n’est pas une image SVG, PNG, JPEG ou WebP.")


def side_of(art: bytes) -> int:
    """The longest side, in pixels."""
    with Image.open(BytesIO(art)) as image:
        return max(image.size)


def ratio_of(art: bytes) -> float:
    """Width by height."""
    with Image.open(BytesIO(art)) as image:
        return image.width / image.height


def small_art(art: bytes) -> bytes:
    """For small sizes, where the whole picture would be a hundred times heavier."""
    with Image.open(BytesIO(art)) as image:
        small = image.convert("RGBA")
    small.thumbnail((_SMALL_SIDE, _SMALL_SIDE), Image.Resampling.LANCZOS)
    out = BytesIO()
    small.save(out, "PNG", optimize=True)
    return out.getvalue()


def as_data_url(art: bytes) -> str:
    kind = "png" if art.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{b64encode(art).decode()}"


def contrast_of(art: bytes, ground: str) -> float:
    """Contrast of half of a logo's pixels, at least, with its ground: its own, where it is opaque."""
    with Image.open(BytesIO(art)) as image:
        small = image.convert("RGBA")
    small.thumbnail((96, 96))
    pixels = [small.getpixel((x, y)) for y in range(small.height) for x in range(small.width)]
    seen = [pixel for pixel in pixels if isinstance(pixel, tuple) and pixel[3] > 127]
    if len(seen) == len(pixels):
        ground = _hex(Counter(seen).most_common(1)[0][0])
        seen = [pixel for pixel in seen if _hex(pixel) != ground]
    ratios = sorted(contrast(_hex(pixel), ground) for pixel in seen)
    return ratios[len(ratios) // 2] if ratios else 1.0


def _hex(pixel: tuple[int, ...]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*pixel[:3])


def _decoded(content: bytes, kind: str) -> Image.Image:
    """The first frame, upright, without profiles or comments."""
    if content.count(b"\xff\xda") > _MOST_SCANS and kind == "JPEG":
        raise _unreadable()
    try:
        image: Image.Image = Image.open(BytesIO(content), formats=(kind,))
        width, height = image.size
    except Exception as error:
        raise _unreadable() from error
    if width * height > _MOST_PIXELS:
        raise InvalidInput("Cette image est trop grande : 24 millions de points au plus.")
    _check_ratio(width, height)
    try:
        image.draft("RGB", (SIDE, SIDE))
        turned = ImageOps.exif_transpose(image)
        plain = turned.convert("RGBA" if turned.has_transparency_data else "RGB")
    # Any decoder error means an invalid picture.
    except Exception as error:
        raise _unreadable() from error
    plain.info = {}
    return plain


def _encoded(image: Image.Image) -> bytes:
    """As PNG; a heavy one with fewer colours, or as JPEG where nothing is transparent."""
    if max(image.size) < LEAST_LOGO:
        raise InvalidInput("Cette image est trop petite : {least} px de côté au moins.", least=LEAST_LOGO)
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    out = BytesIO()
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    image.save(out, "PNG", optimize=True)
    if out.tell() > _LIGHT:
        out = BytesIO()
        if image.mode == "RGBA":
            image.quantize(256, method=Image.Quantize.FASTOCTREE).save(out, "PNG", optimize=True)
        else:
            image.save(out, "JPEG", quality=88, optimize=True)
    return out.getvalue()


def _rasterised(content: bytes) -> Image.Image:
    root = _read_svg(content)
    width, height = _size(root)
    scale = SIDE / max(width, height)
    if "viewBox" not in root.attrib:
        root.set("viewBox", f"0 0 {width:g} {height:g}")
    root.set("width", f"{max(1, round(width * scale))}")
    root.set("height", f"{max(1, round(height * scale))}")
    return _decoded(_drawn(ElementTree.tostring(root, encoding="utf-8")), "PNG")


def _drawn(svg: bytes) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and program
            [sys.executable, "-I", "-c", _DRAW, str(_SECONDS), str(_MOST_MEMORY)],
            input=svg,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=4 * _SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _too_complicated() from None
    if done.returncode < 0:  # Killed by a limit.
        raise _too_complicated()
    if done.returncode:
        raise _unreadable()
    return done.stdout


def _read_svg(content: bytes) -> ElementTree.Element:
    """An SVG that reads no file and no address, holds no script, and is not drawn thousands of times over."""
    try:
        # Without entities a document type is harmless; drawing programs write one.
        root: ElementTree.Element = fromstring(content.decode("utf-8-sig"), forbid_external=False)
    except (DefusedXmlException, ElementTree.ParseError, ValueError, RecursionError) as error:
        raise _unreadable() from error
    if root.tag != f"{_SVG}svg":
        raise _unreadable()
    for element in root.iter():
        _check_element(element)
    _check_work(root)
    return root


def _check_element(element: ElementTree.Element) -> None:
    name = str(element.tag).removeprefix(_SVG)
    if name in ("text", "tspan"):
        raise InvalidInput("Ce SVG contient du texte : transformez-le en tracés, ou enregistrez-le en PNG.")
    if name == "image":
        raise InvalidInput("Ce SVG contient une image : enregistrez-le en PNG.")
    if name in _REFUSED or name in _MOVING:
        raise InvalidInput("Ce SVG contient un programme ou une animation : enregistrez-le en PNG.")
    for attribute, value in element.attrib.items():
        is_link = attribute.rpartition("}")[2] == "href" and name != "a"
        if is_link and not value.strip().startswith("#"):
            raise _goes_out()
        if _ANY_URL.search(_LOCAL.sub("", value)) and not is_link:
            raise _goes_out()
    if name == "style" and _ANY_URL.search(_LOCAL.sub("", element.text or "")):
        raise _goes_out()


def _check_work(root: ElementTree.Element) -> None:
    """Counts elements as drawn: `use`, patterns, masks and filters repeat others, nested ones exponentially."""
    by_id = {element.get("id", ""): element for element in root.iter() if element.get("id")}
    by_style = _references_of_styles(root)
    known: dict[int, float] = {}

    def work(element: ElementTree.Element, depth: int) -> float:
        if depth > 200:
            return inf
        key = id(element)
        if key not in known:
            known[key] = inf  # A cycle repeats for ever.
            parts = [work(each, depth + 1) for each in element]
            parts += [work(by_id[name], depth + 1) for name in _references(element) if name in by_id]
            for selector in _selectors_of(element) if by_style else ():
                parts += [
                    work(by_id[name], depth + 1) for name in by_style.get(selector, ()) if name in by_id
                ]
            known[key] = 1 + sum(parts)
        return known[key]

    if work(root, 0) > _MOST_DRAWN:
        raise _too_complicated()


_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_SIMPLE: Final = re.compile(r"([.#]?[\w-]++)(?![^.#:\[])")
_ANY: Final = "*"


def _references_of_styles(root: ElementTree.Element) -> dict[str, list[str]]:
    """What the rules of style sheets refer to, by the first part of the element that each selector names.

    A name, a class or an identifier; `_ANY` where it is none of them.
    """
    found: dict[str, list[str]] = {}
    for style in root.iter(f"{_SVG}style"):
        for rule in _COMMENT.sub(" ", "".join(style.itertext())).split("}"):
            selectors, _, declarations = rule.rpartition("{")
            names = _LOCAL.findall(declarations)
            for selector in selectors.rpartition("{")[2].split(",") if names else ():
                last = (re.split(r"[\s>+~]", selector.strip()) or [""])[-1]
                simple = _SIMPLE.match(last)
                found.setdefault(simple[1] if simple else _ANY, []).extend(names)
    return found


def _selectors_of(element: ElementTree.Element) -> Iterator[str]:
    yield _ANY
    yield str(element.tag).removeprefix(_SVG)
    yield f"#{element.get('id', '')}"
    for name in element.get("class", "").split():
        yield f".{name}"


def _references(element: ElementTree.Element) -> Iterator[str]:
    for attribute, value in element.attrib.items():
        if attribute.rpartition("}")[2] == "href":
            yield value.strip().removeprefix("#")
        yield from _LOCAL.findall(value)


def _size(root: ElementTree.Element) -> tuple[float, float]:
    numbers = [float(each) for each in _NUMBER.findall(root.get("viewBox", ""))[:4]]
    found: Any = numbers[2:] if len(numbers) == 4 else ()
    if not found:
        sides = [_LENGTH.match(root.get(name, "")) for name in ("width", "height")]
        found = [float(side[1]) for side in sides if side]
    if len(found) != 2 or not all(0 < each < 1e6 for each in found):
        raise InvalidInput("Ce SVG ne dit pas sa taille : enregistrez-le en PNG.")
    _check_ratio(*found)
    return found[0], found[1]


def _check_ratio(width: float, height: float) -> None:
    if not 1 / _MOST_RATIO <= width / height <= _MOST_RATIO:
        raise InvalidInput("Cette image est trop allongée : choisissez-en une plus carrée.")


def _too_complicated() -> InvalidInput:
    return InvalidInput("Ce SVG est trop compliqué à dessiner : enregistrez-le en PNG.")


def _goes_out() -> InvalidInput:
    return InvalidInput("Ce SVG va chercher un autre fichier : enregistrez-le en PNG.")


def _unreadable() -> InvalidInput:
    return InvalidInput("Cette image est abîmée ou incomplète : elle ne s’ouvre pas. Envoyez-la de nouveau.")
