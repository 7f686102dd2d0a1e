"""Boxes and arrows as SVG: what `figures.py` draws with.

Text always stands on a fill of its own and arrows are of a middle grey, so that a drawing can be
read on a light and on a dark page.
"""

import dataclasses
from html import escape

# Kind of a box -> fill, border, and what the legend calls it.
KINDS = {
    "data": ("#e7e9ee", "#8b909a", "data"),
    "space": ("#d9e8fb", "#4a7fc1", "within a frame"),
    "time": ("#fbdbe3", "#b3234f", "over time"),
    "head": ("#daf0dd", "#3f8a4d", "on the whole"),
}
GROUP = ("#f6f7f9", "#b9bdc6")
INK, ARROW = "#1c1f26", "#8b909a"
FONT_SIZE, LINE, PAD, GAP, TITLE = 13, 17, 9, 26, 22
_NARROW, _WIDE = set("iljtfr.,:;'|!()[] "), set("mwMW@")


def text_width(text: str, size: float = FONT_SIZE) -> float:
    """About how wide a line is in a common sans-serif font, in pixels."""
    widths = (0.34 if c in _NARROW else 0.9 if c in _WIDE else 0.6 for c in text)
    return sum(widths) * size


@dataclasses.dataclass
class Element:
    """Something that is drawn: `width` and `height` are known at once, `x` and `y` once placed."""

    width: float = dataclasses.field(init=False, default=0)
    height: float = dataclasses.field(init=False, default=0)
    x: float = dataclasses.field(init=False, default=0)
    y: float = dataclasses.field(init=False, default=0)

    def place(self, x: float, y: float) -> None:
        self.x, self.y = x, y

    def ends(self, last: bool) -> list["Element"]:
        """What arrows lead to, or where they come from."""
        return [self]

    def parts(self) -> list["Element"]:
        return [self]

    def arrows(self) -> list[str]:
        return []

    def draw(self) -> str:
        return ""

    def side(self, name: str) -> tuple[float, float]:
        """The middle of the left, right, top or bottom side."""
        across, down = self.x + self.width / 2, self.y + self.height / 2
        return {
            "left": (self.x, down),
            "right": (self.x + self.width, down),
            "top": (across, self.y),
            "bottom": (across, self.y + self.height),
        }[name]


@dataclasses.dataclass
class Box(Element):
    """A box, at least so wide; the first line of its text is its name, in bold."""

    text: str
    kind: str = "space"
    least: float = 0

    def __post_init__(self):
        self.lines = self.text.split("\n")
        widths = (
            text_width(line) * (1.0 if number else 1.16) for number, line in enumerate(self.lines)
        )
        self.width = max(round(max(widths) + 2 * PAD), self.least)
        self.height = LINE * len(self.lines) + 2 * PAD - 3

    def draw(self) -> str:
        fill, border, _ = KINDS[self.kind]
        drawn = [_rect(self.x, self.y, self.width, self.height, fill, border, 5)]
        for number, line in enumerate(self.lines):
            style = 'font-weight="600"' if number == 0 else 'font-size="12"'
            y = self.y + PAD + 10 + LINE * number
            drawn.append(_text(self.x + self.width / 2, y, line, style))
        return "".join(drawn)


class Space(Element):
    """A place that is left free."""

    def __init__(self, width: float):
        self.width = width


@dataclasses.dataclass
class Grid(Element):
    """Rows of small cells, each with a label: `{label: (kind, texts of the cells)}`."""

    rows: dict[str, tuple[str, list[str]]]
    cell: float = 26

    def __post_init__(self):
        self.label = max(text_width(label, 12) for label in self.rows) + 2 * PAD
        self.width = round(self.label + self.cell * max(len(c) for _, c in self.rows.values()))
        self.height = self.cell * len(self.rows)

    def draw(self) -> str:
        drawn = []
        for number, (label, (kind, cells)) in enumerate(self.rows.items()):
            y = self.y + self.cell * number
            fill, border, _ = KINDS[kind]
            drawn.append(_rect(self.x, y, self.label, self.cell, *GROUP, 0))
            middle = y + self.cell / 2 + 4
            drawn.append(_text(self.x + self.label / 2, middle, label, 'font-size="12"'))
            for column, text in enumerate(cells):
                x = self.x + self.label + self.cell * column
                drawn.append(_rect(x, y, self.cell, self.cell, fill, border, 0))
                drawn.append(_text(x + self.cell / 2, middle, text, 'font-size="12"'))
        return "".join(drawn)


@dataclasses.dataclass
class Flow(Element):
    """Elements one after the other with arrows between them, to the right or down.

    Arrows of what is around it pass it by where it is `apart`. `align` is 0 for elements whose left
    or upper sides are in a line, 0.5 for their middles.
    """

    children: list[Element]
    down: bool = False
    gap: float = GAP
    apart: bool = False
    align: float = 0.5
    joined = True

    def __post_init__(self):
        widths, heights = zip(*((c.width, c.height) for c in self.children), strict=True)
        between = self.gap * (len(self.children) - 1)
        self.width = max(widths) if self.down else sum(widths) + between
        self.height = sum(heights) + between if self.down else max(heights)

    def place(self, x: float, y: float) -> None:
        super().place(x, y)
        for child in self.children:
            if self.down:
                child.place(self.x + (self.width - child.width) * self.align, y)
                y += child.height + self.gap
            else:
                child.place(x, self.y + (self.height - child.height) * self.align)
                x += child.width + self.gap

    def ends(self, last: bool) -> list[Element]:
        return [] if self.apart else self.children[-1 if last else 0].ends(last)

    def parts(self) -> list[Element]:
        return [part for child in self.children for part in child.parts()]

    def arrows(self) -> list[str]:
        found = [arrow for child in self.children for arrow in child.arrows()]
        if self.joined:
            for before, after in zip(self.children, self.children[1:], strict=False):
                for source in before.ends(last=True):
                    for target in after.ends(last=False):
                        found.append(self._arrow(source, target))
        return found

    def _arrow(self, source: Element, target: Element) -> str:
        if self.down:
            (x1, y1), (x2, y2) = source.side("bottom"), target.side("top")
            return _path([(x1, y1), (x1, (y1 + y2) / 2), (x2, (y1 + y2) / 2), (x2, y2)])
        (x1, y1), (x2, y2) = source.side("right"), target.side("left")
        # Arrows that part or meet turn at the same place.
        turn = x2 - self.gap / 2
        return _path([(x1, y1), (turn, y1), (turn, y2), (x2, y2)])


@dataclasses.dataclass
class Beside(Flow):
    """Elements that do their part at the same time: no arrows, by default one below the other."""

    down: bool = True
    gap: float = 12
    joined = False

    def ends(self, last: bool) -> list[Element]:
        return [] if self.apart else [e for child in self.children for e in child.ends(last)]


@dataclasses.dataclass
class Group(Element):
    """A frame with a title around something."""

    title: str
    child: Element

    def __post_init__(self):
        self.width = max(self.child.width, text_width(self.title)) + 4 * PAD
        self.height = self.child.height + TITLE + 2 * PAD

    def place(self, x: float, y: float) -> None:
        super().place(x, y)
        self.child.place(x + (self.width - self.child.width) / 2, y + TITLE + PAD - 2)

    def parts(self) -> list[Element]:
        return [self, *self.child.parts()]

    def arrows(self) -> list[str]:
        return self.child.arrows()

    def draw(self) -> str:
        frame = _rect(self.x, self.y, self.width, self.height, *GROUP, 8)
        return frame + _text(self.x + self.width / 2, self.y + 18, self.title, 'font-size="12"')


@dataclasses.dataclass(frozen=True)
class Link:
    """An arrow of its own, from a side of one element to a side of another."""

    source: Element
    target: Element
    sides: tuple[str, str] = ("top", "bottom")

    def draw(self) -> str:
        (x1, y1), (x2, y2) = self.source.side(self.sides[0]), self.target.side(self.sides[1])
        level = [side in ("left", "right") for side in self.sides]
        if level[0]:
            corners = [(x2, y1)]
        elif level[1]:
            corners = [(x1, y2)]
        else:
            corners = [(x1, (y1 + y2) / 2), (x2, (y1 + y2) / 2)]
        return _path([(x1, y1), *corners, (x2, y2)])


def draw(title: str, content: Element, links: tuple[Link, ...] = ()) -> str:
    """The SVG of a figure, with a legend of the kinds that it has."""
    margin = 10
    content.place(margin, margin)
    parts = content.parts()
    kinds = {part.kind for part in parts if isinstance(part, Box)}
    kinds |= {kind for part in parts if isinstance(part, Grid) for kind, _ in part.rows.values()}
    legend = Beside([Box(KINDS[kind][2], kind) for kind in KINDS if kind in kinds], down=False)
    width = max(content.width, legend.width) + 2 * margin
    legend.place(margin, content.height + 2 * margin + 14)
    height = legend.y + legend.height + margin
    # Frames lie behind arrows, boxes before them.
    frames = [part.draw() for part in parts if isinstance(part, Group)]
    arrows = [*content.arrows(), *(link.draw() for link in links)]
    boxes = [part.draw() for part in (*parts, *legend.parts()) if not isinstance(part, Group)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" '
        f'font-family="system-ui, Roboto, Helvetica, Arial, sans-serif" '
        f'font-size="{FONT_SIZE}" fill="{INK}">\n'
        f"<title>{escape(title)}</title>\n"
        f'<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="{ARROW}"/></marker></defs>\n'
        + "\n".join([*frames, *arrows, *boxes])
        + "\n</svg>\n"
    )


def _rect(x, y, width, height, fill, border, radius) -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius}" '
        f'fill="{fill}" stroke="{border}"/>'
    )


def _text(x, y, text, style) -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="middle" {style}>{escape(text)}</text>'


def _path(points) -> str:
    kept = [points[0], *(p for p, before in zip(points[1:], points, strict=False) if p != before)]
    line = "L".join(f"{x:g} {y:g}" for x, y in kept)
    return (
        f'<path d="M{line}" fill="none" stroke="{ARROW}" stroke-width="1.5" '
        'stroke-linejoin="round" marker-end="url(#arrow)"/>'
    )
