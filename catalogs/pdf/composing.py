"""
Copies put together: pages that many copies share are made once, what is a member's own is written behind them.

A copy begins with the bytes of all that it shares with others (pages, drawings, faces, structure), which
are the same in each; then come its own pages and what ties everything together. It is tagged as PDF/UA-1 asks.
"""

import hashlib
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256
from typing import Any
from xml.sax.saxutils import escape

from catalogs.layouts import Fragment, Sheet
from catalogs.pages import Booklet
from catalogs.pdf.drawing import POINTS_PER_MM, Outlines, Pen, readable
from catalogs.pdf.objects import ENTRY, HEADER, Objects
from catalogs.pdf.page_contents import LEVEL, PageContent, draw_page
from catalogs.pdf.parts import sound, text_string
from catalogs.pdf.tagging import Structure
from catalogs.pdf.typefaces import FALLBACKS, load_typeface
from catalogs.pdf.typesetting import Typesetter
from catalogs.styles import letterer

CATALOG, PAGES, TREE, DOCUMENT, PARENTS, INFO, METADATA = range(1, 8)
"""Numbers of the objects that tie a copy together; shared ones are numbered from the next one on."""
FIRST_SHARED = 8
SHARED_KEY = b"/REGU_Shared"
"""In the trailer: how many bytes and objects the copy has in common with others, for the printer's file."""
SETS_KEPT = 32
"""How many sets of shared pages are remembered; copies come sorted by what they share."""

PENS_KEPT = 24
LEVEL_SHARED = 6
"""How hard pages are packed that some copies share: few members of a group shop in the same store and read the same language."""
STRUCTURES_KEPT = 200
"""A page's structure as bytes takes some kilobytes, and is the same in most copies that share pages."""


@dataclass(frozen=True, slots=True)
class Document:
    """A finished PDF."""

    content: bytes
    sha256: bytes
    pages: int


def compose(booklet: Booklet, typesetter: Typesetter) -> Document:
    """
    Return `booklet` as PDF: tagged, selectable text, embedded subset fonts, vector drawings and barcodes.

    The same booklet gives the same bytes, whatever was made before it.
    """
    return next(_composer(typesetter).documents([booklet]))


def compose_all(booklets: Sequence[Booklet], typesetter: Typesetter) -> Iterator[Document]:
    """Yield `booklets` as `compose` returns them; what they need drawn is drawn together, which is faster."""
    return _composer(typesetter).documents(booklets)


@lru_cache(maxsize=8)
def _composer(typesetter: Typesetter) -> "_Composer":
    return _Composer(typesetter)


@dataclass(frozen=True, slots=True)
class _Laid:
    """A page in a file: the numbers of its stream, of itself, of its list of marked pieces, and of the head of its structure."""

    stream: int
    page: int
    marks: int
    section: int


@dataclass(frozen=True, slots=True)
class _Shared:
    """What copies have in common: the bytes they begin with, and which numbers things have in there."""

    prefix: bytes
    digest: "hashlib._Hash"
    next: int
    table: bytes
    faces: Mapping[int, int]
    drawings: Mapping[Fragment, int]
    laid: Mapping[int, _Laid]


_Look = tuple[str, int, tuple[float, float], tuple[tuple[int, int], ...]]


@dataclass(frozen=True, slots=True)
class _Fresh:
    """Shared pages that no copy was made with yet, by their places: as they are, and laid out."""

    key: object
    pages: object
    sheets: Mapping[int, Sheet]


class _Composer:
    """Composes the copies of one theme, and remembers what they share."""

    def __init__(self, typesetter: Typesetter) -> None:
        self.typesetter = typesetter
        self.theme = typesetter.theme
        self.faces = (*dict.fromkeys(self.theme.data["fonts"].values()), *FALLBACKS)
        self._outlines = cache(lambda language: Outlines(letterer(self.theme, None, language), self.faces))
        self._pen = lru_cache(maxsize=PENS_KEPT)(self._new_pen)
        self._same: OrderedDict[object, tuple[object, _Shared]] = OrderedDict()
        self._equal: OrderedDict[object, _Shared] = OrderedDict()

    def documents(self, booklets: Sequence[Booklet]) -> Iterator[Document]:
        """Yield a document for every booklet."""
        own = [self._sheets(booklet, personal=True) for booklet in booklets]
        looks = [self._look(booklet) for booklet in booklets]
        shared: dict[_Look, _Shared | _Fresh] = {}
        for booklet, look in zip(booklets, looks, strict=True):
            if look not in shared:
                shared[look] = self._find(booklet, look)
        fresh = [found.sheets for found in shared.values() if isinstance(found, _Fresh)]
        self.typesetter.prepare(sheet for sheets in (*own, *fresh) for sheet in sheets.values())
        for booklet, look, sheets in zip(booklets, looks, own, strict=True):
            found = shared[look]
            if isinstance(found, _Fresh):
                found = shared[look] = self._share(look, found, booklet)
            yield self._document(booklet, sheets, found)

    def _sheets(self, booklet: Booklet, *, personal: bool) -> Mapping[int, Sheet]:
        return {
            at: self.theme.sheet(booklet, page)
            for at, page in enumerate(booklet.pages)
            if page.personal == personal
        }

    def _look(self, booklet: Booklet) -> _Look:
        """Return what tells whether booklets come with the very same shared pages, which is quicker than comparing pages."""
        same = tuple((at, id(page)) for at, page in enumerate(booklet.pages) if not page.personal)
        return booklet.language, booklet.colour, self.theme.size_of(booklet), same

    def _find(self, booklet: Booklet, look: _Look) -> _Shared | _Fresh:
        """Return what `booklet` has in common with others that were made before, or its shared pages laid out."""
        if look in self._same:
            return self._same[look][1]
        pages = tuple((at, page) for at, page in enumerate(booklet.pages) if not page.personal)
        key = look[:3], pages
        found = self._equal.get(key)
        if found is None:
            return _Fresh(key, pages, self._sheets(booklet, personal=False))
        _remember(self._same, look, (pages, found))
        return found

    def _share(self, look: _Look, fresh: _Fresh, booklet: Booklet) -> _Shared:
        """Return the shared pages of `booklet` as the bytes that copies begin with."""
        if (equal := self._equal.get(fresh.key)) is not None:
            return equal
        objects = Objects(FIRST_SHARED, len(HEADER))
        lay = _Laying(self, objects, booklet, faces={}, drawings={})
        lay.faces(number for number in range(len(self.faces) - len(FALLBACKS)))
        laid = lay.pages(
            {at: self._drawn(booklet, at, sheet, level=LEVEL_SHARED) for at, sheet in fresh.sheets.items()}
        )
        objects.close()
        prefix = HEADER + b"".join(objects.chunks)
        shared = _Shared(
            prefix, sha256(prefix), objects.next, objects.table(), lay.known_faces, lay.known_drawings, laid
        )
        _remember(self._equal, fresh.key, shared)
        _remember(self._same, look, (fresh.pages, shared))
        return shared

    def _drawn(self, booklet: Booklet, at: int, sheet: Sheet, *, level: int = LEVEL) -> PageContent:
        pen = self._pen(booklet.colour % self.theme.colours, booklet.language)
        height = self.theme.size_of(booklet)[1]
        return draw_page(sheet, pen, language=booklet.language, height=height, first=at == 0, level=level)

    def _new_pen(self, colour: int, language: str) -> Pen:
        return Pen(self._outlines(language), self.theme.data["colours"][colour])

    def _document(self, booklet: Booklet, sheets: Mapping[int, Sheet], shared: _Shared) -> Document:
        objects = Objects(shared.next, len(shared.prefix), level=LEVEL)
        lay = _Laying(self, objects, booklet, faces=shared.faces, drawings=shared.drawings)
        own = lay.pages({at: self._drawn(booklet, at, sheet) for at, sheet in sheets.items()})
        laid = {**shared.laid, **own}
        lay.tie([laid[at] for at in range(len(booklet.pages))])
        objects.close()
        digest = shared.digest.copy()
        for chunk in objects.chunks:
            digest.update(chunk)
        table = ENTRY.pack(0, 0, 65535)
        table += b"".join(objects.entries[number] for number in range(1, FIRST_SHARED))
        table += shared.table + objects.table()
        end = _trailer(table, objects, digest.digest()[:16].hex().encode("ascii"), shared)
        digest.update(end)
        content = b"".join((shared.prefix, *objects.chunks, end))
        return Document(content, digest.digest(), len(booklet.pages))


def _remember(store: "OrderedDict[Any, Any]", key: object, value: object) -> None:
    """Keep a value, and forget the oldest beyond what is kept."""
    store[key] = value
    if len(store) > SETS_KEPT:
        store.popitem(last=False)


class _Laying:
    """Pages of one booklet being laid into a file."""

    def __init__(
        self,
        composer: _Composer,
        objects: Objects,
        booklet: Booklet,
        *,
        faces: Mapping[int, int],
        drawings: Mapping[Fragment, int],
    ) -> None:
        self.composer = composer
        self.objects = objects
        self.booklet = booklet
        self.known_faces = dict(faces)
        self.known_drawings = dict(drawings)
        self.size = composer.theme.size_of(booklet)

    def faces(self, numbers: Iterable[int]) -> None:
        """Embed faces that are not there yet."""
        for number in numbers:
            if number not in self.known_faces:
                part = load_typeface(self.composer.faces[number]).part
                self.known_faces[number] = self.objects.part(part)

    def drawings(self, fragments: Iterable[Fragment]) -> None:
        """Write drawings that are not there yet."""
        for fragment in fragments:
            if fragment not in self.known_drawings:
                self.known_drawings[fragment] = self.objects.part(self.composer.typesetter.part(fragment))

    def pages(self, contents: Mapping[int, PageContent]) -> dict[int, _Laid]:
        """Write pages by their places, and their structure."""
        # Numbers of structures do not depend on how many drawings a copy has of its own, and are the same in most.
        laid = {at: self._placed(content) for at, content in contents.items()}
        for at, content in contents.items():
            self._page(at, content, laid[at])
        return laid

    def _placed(self, content: PageContent) -> _Laid:
        """Set numbers aside for a page and its structure."""
        stream, page, marks, section = (self.objects.reserve() for _ in range(4))
        self.objects.next += len(content.structure.elements) - 1
        return _Laid(stream, page, marks, section)

    def _page(self, at: int, content: PageContent, laid: _Laid) -> None:
        objects = self.objects
        self.faces(content.fonts)
        self.drawings(content.drawings)
        objects.stream(laid.stream, content.stream)
        fonts = b"".join(b"/F%d %d 0 R" % (number, self.known_faces[number]) for number in content.fonts)
        forms = b"".join(
            b"/D%d %d 0 R" % (number, self.known_drawings[fragment])
            for number, fragment in enumerate(content.drawings)
        )
        width, height = (side * POINTS_PER_MM for side in self.size)
        objects.pack(
            laid.page,
            b"<</Type /Page/Parent %d 0 R/MediaBox [0 0 %.3f %.3f]/Contents %d 0 R/StructParents %d/Tabs /S"
            b"/Resources <</Font <<%b>>/XObject <<%b>>>>>>"
            % (PAGES, width, height, laid.stream, at, fonts, forms),
        )
        bodies, marked = _elements(content.structure, laid.section, laid.page)
        for number, (body, element) in enumerate(zip(bodies, content.structure.elements, strict=True)):
            said = content.alternatives.get(element.mark) if element.mark is not None else None
            objects.pack(laid.section + number, body % said if said else body)
        objects.pack(laid.marks, marked)

    def tie(self, laid: Sequence[_Laid]) -> None:
        """Write what ties the pages together."""
        objects, booklet = self.objects, self.booklet
        title, language = readable(booklet.title), text_string(booklet.language)
        pages = b" ".join(b"%d 0 R" % each.page for each in laid)
        objects.pack(
            CATALOG,
            b"<</Type /Catalog/Pages %d 0 R/Lang %b/MarkInfo <</Marked true>>/StructTreeRoot %d 0 R"
            b"/ViewerPreferences <</DisplayDocTitle true>>/Metadata %d 0 R>>"
            % (PAGES, language, TREE, METADATA),
        )
        objects.pack(PAGES, b"<</Type /Pages/Kids [%b]/Count %d>>" % (pages, len(laid)))
        objects.pack(
            TREE,
            b"<</Type /StructTreeRoot/K %d 0 R/ParentTree %d 0 R/ParentTreeNextKey %d>>"
            % (DOCUMENT, PARENTS, len(laid)),
        )
        sections = b" ".join(b"%d 0 R" % each.section for each in laid)
        objects.pack(
            DOCUMENT,
            b"<</Type /StructElem/S /Document/P %d 0 R/Lang %b/K [%b]>>" % (TREE, language, sections),
        )
        numbered = b" ".join(b"%d %d 0 R" % (at, each.marks) for at, each in enumerate(laid))
        objects.pack(PARENTS, b"<</Nums [%b]>>" % numbered)
        objects.pack(INFO, b"<</Title %b/Producer (Regulars)>>" % text_string(title))
        metadata = _metadata(title, booklet.language)
        objects.write(
            METADATA,
            b"<</Type /Metadata/Subtype /XML/Length %d>>\nstream\n%b\nendstream" % (len(metadata), metadata),
        )


@lru_cache(maxsize=STRUCTURES_KEPT)
def _elements(structure: Structure, first: int, page: int) -> tuple[tuple[bytes, ...], bytes]:
    """
    Return the elements of a page's structure, which are numbered from `first` on, and its list of marked pieces.

    What is read instead of a figure is left open in its element, as %b.
    """
    bodies: list[bytes] = []
    for element in structure.elements:
        kids, more = b" ".join(b"%d 0 R" % (first + kid) for kid in element.kids), b""
        if element.mark is not None:
            kids, more = b"%d" % element.mark, b"/Pg %d 0 R" % page
        if element.role == "Figure":
            more += b"/Alt %b"
        if element.box:
            more += b"/A <</O /Layout/BBox [%.2f %.2f %.2f %.2f]>>" % element.box
        elif element.role == "L":
            more += b"/A <</O /List/ListNumbering /None>>"
        parent = first + element.parent if bodies else DOCUMENT
        role = element.role.encode("ascii")
        bodies.append(b"<</S /%b/P %d 0 R%b/K [%b]>>" % (role, parent, more, kids))
    return tuple(bodies), b"[%b]" % b" ".join(b"%d 0 R" % (first + number) for number in structure.marked)


def _trailer(table: bytes, objects: Objects, identity: bytes, shared: _Shared) -> bytes:
    """Return the end of a file: the table of its objects, as a stream, and where that begins."""
    number = objects.next
    table += ENTRY.pack(1, objects.offset, 0)
    packed = zlib.compress(table, LEVEL)
    return (
        b"%d 0 obj\n<</Type /XRef/Size %d/W [1 4 2]/Root %d 0 R/Info %d 0 R/ID [<%b> <%b>]%b [%d %d]"
        b"/Filter /FlateDecode/Length %d>>\nstream\n%b\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n"
    ) % (
        number,
        number + 1,
        CATALOG,
        INFO,
        identity,
        identity,
        SHARED_KEY,
        len(shared.prefix),
        shared.next,
        len(packed),
        packed,
        objects.offset,
    )


@lru_cache(maxsize=64)
def _metadata(title: str, language: str) -> bytes:
    """Return what a file says of itself, and that it keeps to PDF/UA-1."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">'
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(sound(title))}</rdf:li></rdf:Alt></dc:title>'
        f"<dc:language><rdf:Bag><rdf:li>{escape(language)}</rdf:li></rdf:Bag></dc:language>"
        "<pdf:Producer>Regulars</pdf:Producer><pdfuaid:part>1</pdfuaid:part>"
        '</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end="r"?>'
    ).encode()
