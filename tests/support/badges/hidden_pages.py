"""Handwritten PDF pages on which a reader sees one name and a program extracts another."""

from __future__ import annotations

from typing import Final

HOLDER: Final = "Rayan Humblot"
FALSE: Final = "Jean Faux"
_FONT: Final = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding%s>>"
_VISIBLE: Final = (
    b"BT /F1 24 Tf 40 500 Td (Certificat de %s, robotique, mention bien) Tj ET " % FALSE.encode()
)
_NAME: Final = b"BT /F1 12 Tf 40 300 Td (%s) Tj ET " % HOLDER.encode()
_BAND: Final = b"0 250 595 100 re f "


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(data), data)


def document(
    *pages: bytes,
    resources: bytes = b"",
    page: bytes = b"",
    catalog: bytes = b"",
    attached: bytes | None = None,
    others: tuple[bytes, ...] = (),
) -> bytes:
    """`others` are numbered from object 100; `attached` is embedded as badge.json."""
    objects: dict[int, bytes] = {}
    kids = b" ".join(b"%d 0 R" % (3 + 2 * number) for number in range(len(pages)))
    names = b"/Names<</EmbeddedFiles<</Names[(badge.json)90 0 R]>>>>" if attached is not None else b""
    objects[1] = b"<</Type/Catalog/Pages 2 0 R%s%s>>" % (names, catalog)
    objects[2] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(pages))
    for number, content in enumerate(pages):
        objects[3 + 2 * number] = (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 %s>>%s>>/Contents %d 0 R%s>>"
            % (_FONT % b"", resources, 4 + 2 * number, page)
        )
        objects[4 + 2 * number] = stream(content)
    if attached is not None:
        objects[90] = b"<</Type/Filespec/F(badge.json)/EF<</F 91 0 R>>>>"
        objects[91] = stream(attached, b"/Type/EmbeddedFile")
    objects |= {100 + number: each for number, each in enumerate(others)}
    out, table = b"%PDF-1.7\n", b""
    for number in sorted(objects):
        table += b"%d 1\n%010d 00000 n \n" % (number, len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    trailer = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (max(objects) + 1, len(out))
    return out + b"xref\n0 1\n0000000000 65535 f \n" + table + trailer


def revised(pdf: bytes, **_objects: bytes) -> bytes:
    """The file with an incremental update that replaces these objects (`_4` for number 4)."""
    previous = pdf[pdf.rindex(b"startxref\n") + 10 :].split(b"\n")[0]
    out, table = pdf, b"xref\n"
    for name, content in _objects.items():
        table += b"%d 1\n%010d 00000 n \n" % (int(name[1:]), len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (int(name[1:]), content)
    return (
        out
        + table
        + b"trailer\n<</Size 120/Root 1 0 R/Prev %s>>\nstartxref\n%d\n%%%%EOF\n"
        % (
            previous,
            len(out),
        )
    )


def named(before: bytes = b"", after: bytes = b"", **parts: object) -> bytes:
    """The false name visible, and the holder's name between these operators."""
    return document(_VISIBLE + b"q " + before + _NAME + after + b"Q", **parts)  # type: ignore[arg-type]


def _form(content: bytes, entries: bytes = b"/BBox[0 0 595 842]") -> bytes:
    fonts = b"/Resources<</Font<</F1 %s>>>>" % (_FONT % b"")
    return stream(content, b"/Type/XObject/Subtype/Form" + entries + fonts)


def _state(entries: bytes) -> bytes:
    return b"/ExtGState<</G0<<%s>>>>" % entries


_LAYER: Final = b"<</Type/OCG/Name(x)>>"
_FORM_0: Final = b"/XObject<</X0 100 0 R>>"
_BLANK_FONT: Final = (
    b"<</Type/Font/Subtype/Type3/FontBBox[0 0 10 10]/FontMatrix[.1 0 0 .1 0 0]/CharProcs<</a 101 0 R>>"
    b"/Encoding<</Type/Encoding/Differences[32%s]>>/FirstChar 32/LastChar 126/Widths[%s]/ToUnicode 102 0 R>>"
    % (b"/a" * 95, b"5 " * 95)
)
_AS_ASCII: Final = (
    b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
    b"1 begincodespacerange <00> <FF> endcodespacerange 95 beginbfchar\n%s endbfchar endcmap end end"
    % b"".join(b"<%02X> <%04X>\n" % (code, code) for code in range(32, 127))
)

HIDDEN: Final[dict[str, bytes]] = {
    "render mode 3": named(b"3 Tr "),
    "render mode 7": named(b"7 Tr "),
    "white": named(b"1 g "),
    "white outline": named(b"1 Tr 1 G "),
    "no paint at all": named(b"/G0 gs ", resources=_state(b"/ca 0/CA 0")),
    "white pattern": named(
        b"/Pattern cs /P0 scn ",
        resources=b"/Pattern<</P0 100 0 R>>",
        others=(
            stream(
                b"1 g 0 0 10 10 re f",
                b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 10 10]/XStep 10/YStep 10/Resources<<>>",
            ),
        ),
    ),
    "mask": named(
        b"/G0 gs ",
        resources=_state(b"/SMask<</S/Luminosity/G 100 0 R>>"),
        others=(
            _form(b"0 g 0 0 595 842 re f", b"/BBox[0 0 595 842]/Group<</S/Transparency/CS/DeviceGray>>"),
        ),
    ),
    "black on black": named(b"0 g " + _BAND),
    "grey on grey": named(b"0.5 g " + _BAND),
    "clipped away": named(b"0 0 1 1 re W n "),
    "painted over by a rectangle": named(after=b"1 g " + _BAND),
    "painted over by a stroke": named(after=b"1 G 100 w 0 300 m 595 300 l S "),
    "painted over by letters": named(after=b"1 g BT /F1 400 Tf 0 200 Td (MMM) Tj ET "),
    "beside the page": named(b"1 0 0 1 2000 0 cm "),
    "outside the crop": named(page=b"/CropBox[0 400 595 842]"),
    "squeezed to a line": named(b"0.1 Tz "),
    "one point high": named(b"0.08 0 0 0.08 0 0 cm "),
    "hidden layer": named(
        b"/OC /L0 BDC ",
        b"EMC ",
        resources=b"/Properties<</L0 100 0 R>>",
        catalog=b"/OCProperties<</OCGs[100 0 R]/D<</OFF[100 0 R]>>>>",
        others=(_LAYER,),
    ),
    "form on a hidden layer": document(
        _VISIBLE + b"/X0 Do",
        resources=_FORM_0,
        catalog=b"/OCProperties<</OCGs[101 0 R]/D<</OFF[101 0 R]>>>>",
        others=(_form(_NAME, b"/BBox[0 0 595 842]/OC 101 0 R"), _LAYER),
    ),
    "form clipped by its box": document(
        _VISIBLE + b"/X0 Do", resources=_FORM_0, others=(_form(_NAME, b"/BBox[0 0 5 5]"),)
    ),
    "transparent form": document(
        _VISIBLE + b"/G0 gs /X0 Do",
        resources=_state(b"/ca 0") + _FORM_0,
        others=(_form(_NAME, b"/BBox[0 0 595 842]/Group<</S/Transparency>>"),),
    ),
    "letters without shape": document(
        _VISIBLE + _NAME.replace(b"/F1", b"/F3"),
        resources=b"/Font<</F1 %s/F3 100 0 R>>" % (_FONT % b""),
        others=(_BLANK_FONT, stream(b"5 0 0 0 10 10 d1 "), stream(_AS_ASCII)),
    ),
}
"""The false name is visible; the holder's name is readable by programs only."""

SPOKEN_OTHERWISE: Final = document(
    b"BT /F1 12 Tf 40 700 Td (Certificat de robotique, mention bien, de ) Tj "
    b"/Span <</ActualText (%s)>> BDC (%s) Tj EMC ET" % (HOLDER.encode(), FALSE.encode())
)
"""One name is drawn; another is its replacement text for copying and screen readers."""
PLAIN: Final = document(
    b"BT /F1 12 Tf 40 700 Td (Certificat de %s pour la robotique) Tj ET" % HOLDER.encode()
)
NAMES_ANOTHER: Final = document(_VISIBLE)
WHITE_ON_BLACK: Final = document(
    b"0 g 0 450 595 200 re f 1 g BT /F1 24 Tf 40 500 Td (Certificat de %s) Tj ET" % HOLDER.encode()
)
