"""
What PDF/UA-1 asks of a copy, as far as a machine can tell: everything tagged, nothing lost, all fonts readable.

After the Matterhorn protocol's conditions for machines; `faults` returns a sentence for each one not met.
"""

import re
from collections.abc import Iterator

import pikepdf

PAINTING = {
    "TJ",
    "Tj",
    "'",
    '"',
    "f",
    "F",
    "f*",
    "B",
    "B*",
    "b",
    "b*",
    "S",
    "s",
    "sh",
    "Do",
    "EI",
    "INLINE IMAGE",
}
ROLES = {"/Document", "/Sect", "/H1", "/H2", "/H3", "/P", "/L", "/LI", "/LBody", "/Figure", "/Span"}
INSIDE = {"/L": {"/LI"}, "/LI": {"/Lbl", "/LBody"}, "/Document": {"/Sect"}}


def faults(pdf: pikepdf.Pdf) -> list[str]:
    """Return what is wrong with the accessibility of `pdf`; nothing when all is well."""
    return [*_whole(pdf), *_tree(pdf), *(fault for page in pdf.pages for fault in _page(pdf, page))]


def _whole(pdf: pikepdf.Pdf) -> Iterator[str]:
    root = pdf.Root
    if not root.get("/MarkInfo", {}).get("/Marked"):
        yield "the file does not say that it is tagged"
    if not str(root.get("/Lang", "")):
        yield "the file has no language"
    if not root.get("/ViewerPreferences", {}).get("/DisplayDocTitle"):
        yield "a reader would show the file's name as its title"
    with pdf.open_metadata() as metadata:
        if metadata.get("pdfuaid:part") != "1":
            yield "the file does not say that it keeps to PDF/UA"
        if not metadata.get("dc:title"):
            yield "the file has no title"
    if not pdf.docinfo.get("/Title"):
        yield "the file's information has no title"


def _elements(pdf: pikepdf.Pdf) -> Iterator[tuple[pikepdf.Object, pikepdf.Object]]:
    """Yield every element with its parent."""
    waiting = [(pdf.Root.StructTreeRoot.K, pdf.Root.StructTreeRoot)]
    while waiting:
        element, parent = waiting.pop(0)
        yield element, parent
        kids = element.K if isinstance(element.get("/K"), pikepdf.Array) else [element.get("/K")]
        waiting[:0] = [(kid, element) for kid in kids if isinstance(kid, pikepdf.Dictionary)]


def _tree(pdf: pikepdf.Pdf) -> Iterator[str]:
    level = 0
    for element, parent in _elements(pdf):
        role = str(element.S)
        if role not in ROLES:
            yield f"{role} is no standard role"
        if element.P.objgen != parent.objgen:
            yield f"a {role} names another parent than the one it hangs on"
        allowed = INSIDE.get(str(parent.get("/S", "")))
        if allowed is not None and role not in allowed:
            yield f"{role} may not stand in {parent.S}"
        if role == "/Figure":
            if not str(element.get("/Alt", "")).strip():
                yield "a figure has no words"
            if "/BBox" not in element.get("/A", {}):
                yield "a figure has no place"
        if heading := re.fullmatch(r"/H(\d)", role):
            if int(heading[1]) > level + 1:
                yield f"H{heading[1]} follows H{level}"
            level = int(heading[1])


def _page(pdf: pikepdf.Pdf, page: pikepdf.Page) -> Iterator[str]:
    name = f"page {page.index + 1}"
    if page.obj.get("/Tabs") != pikepdf.Name.S:
        yield f"{name}: tabbing does not follow the structure"
    nums = list(pdf.Root.StructTreeRoot.ParentTree.Nums)
    parents = nums[nums.index(int(page.obj.StructParents)) + 1]
    found: list[int] = []
    yield from (f"{name}: {fault}" for fault in _pieces(page, found))
    if sorted(found) != list(range(len(parents))):
        yield f"{name}: pieces {found} but {len(parents)} parents"
    for number, element in enumerate(parents):
        kids = list(element.K) if isinstance(element.K, pikepdf.Array) else [element.K]
        if number not in [int(kid) for kid in kids if not isinstance(kid, pikepdf.Object)]:
            yield f"{name}: piece {number} hangs on an element that does not know it"
        elif element.Pg.objgen != page.obj.objgen:
            yield f"{name}: piece {number} is said to be on another page"
    yield from (f"{name}: {fault}" for fault in _fonts(page))


def _pieces(page: pikepdf.Page, found: list[int]) -> Iterator[str]:
    """Put the numbers of marked pieces into `found`, and yield what is painted outside of any."""
    marks: list[str] = []
    for operands, operator in pikepdf.parse_content_stream(page):
        what = str(operator)
        if what in ("BDC", "BMC"):
            properties = operands[1] if what == "BDC" else {}
            number = properties.get("/MCID") if isinstance(properties, pikepdf.Dictionary) else None
            found += [] if number is None else [int(number)]
            tagged = "" if number is None else "tagged"
            marks.append("artifact" if str(operands[0]) == "/Artifact" else tagged)
            if {"artifact", "tagged"} <= set(marks):
                yield "decoration within content, or the other way round"
        elif what == "EMC":
            marks.pop()
        elif what in PAINTING and not any(marks):
            yield f"{what} paints what is neither content nor decoration"
        if what == "Do" and b"/MCID" in page.obj.Resources.XObject[str(operands[0])].read_bytes():
            yield "a drawing brings marks of its own"
    if marks:
        yield "a marked piece does not end"


def _fonts(page: pikepdf.Page) -> Iterator[str]:
    readable: dict[str, set[int]] = {}
    for name, font in page.obj.Resources.get("/Font", {}).items():
        below = font.DescendantFonts[0]
        if "/FontFile2" not in below.FontDescriptor:
            yield f"{font.BaseFont} is not embedded"
        text = font.ToUnicode.read_bytes()
        readable[name] = {int(code, 16) for code in re.findall(rb"<([0-9a-f]{4})> <", text)}
    current = ""
    for operands, operator in pikepdf.parse_content_stream(page):
        if str(operator) == "Tf":
            current = str(operands[0])
        elif str(operator) == "TJ":
            for piece in operands[0]:
                if isinstance(piece, pikepdf.String):
                    codes = bytes(piece)
                    for at in range(0, len(codes), 2):
                        code = int.from_bytes(codes[at : at + 2], "big")
                        if code == 0 or code not in readable[current]:
                            yield f"glyph {code} of {current} cannot be read as text"
