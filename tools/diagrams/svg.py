"""A small layouter for pictures: boxes, frames, arrows and words on a card, light or dark as the reader's system is.

Lengths are SVG units, one pixel at natural size. The same input gives the same bytes: nothing is measured by a font
that is installed here, only estimated, generously.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH = 760  # what GitHub and the pages show without scaling down
PADDING = 12
LINE = 17
_NARROW, _WIDE = set("iljtfrI.,:;|!'()[] ·-/"), set("mwMWABCDGHKNOQRU@→…—")

# role: (light fill, light stroke, dark fill, dark stroke)
COLOURS = {
    "plain": ("#ffffff", "#8c959f", "#21262d", "#8b949e"),
    "person": ("#fff8e5", "#bf8700", "#2d2410", "#d29922"),
    "identity": ("#f6f0ff", "#8250df", "#271d3a", "#a371f7"),
    "gateway": ("#e9f3ff", "#0969da", "#10263f", "#58a6ff"),
    "server": ("#eafbee", "#1a7f37", "#10291a", "#3fb950"),
    "data": ("#fff1ea", "#bc4c00", "#331a0c", "#f0883e"),
    "stop": ("#ffebe9", "#cf222e", "#35171a", "#f85149"),
}


def text_width(text: str, size: float = 13) -> float:
    """An upper estimate for common sans-serif fonts."""
    return size * sum(0.37 if char in _NARROW else 0.8 if char in _WIDE else 0.6 for char in text)


def wrap(text: str, width: float, size: float = 13) -> list[str]:
    """Lines no wider than `width`, broken at spaces; a longer word stands alone."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass
class Canvas:
    """`title` and `description` are what a screen reader says instead of the picture."""

    title: str
    description: str
    width: float = WIDTH
    _back: list[str] = field(default_factory=list)
    _front: list[str] = field(default_factory=list)

    def frame(self, box: Box, label: str) -> None:
        """A dashed border around others, with its name in the upper right corner."""
        self._back.append(_rect(box, "frame", 10))
        self.text(box.right - PADDING, box.y + 19, label, "label", "end")

    def box(self, x: float, y: float, width: float, title: str, lines: Sequence[str] = (), kind: str = "plain") -> Box:
        """Drawn as high as its lines need."""
        box = Box(x, y, width, box_height(width, title, lines))
        self._front.append(_rect(box, f"box {kind}", 8))
        row = y + PADDING + 11
        for style, text in [("title", title), *(("small", line) for line in lines)]:
            for part in wrap(text, width - 2 * PADDING, 14 if style == "title" else 12):
                self.text(x + PADDING, row, part, style)
                row += LINE
        return box

    def text(self, x: float, y: float, text: str, style: str = "small", anchor: str = "start") -> None:
        self._front.append(f'<text x="{x:g}" y="{y:g}" class="{style}" text-anchor="{anchor}">{escape(text)}</text>')

    def arrow(self, *points: tuple[float, float], dashed: bool = False) -> None:
        """Through the points, with a head at the last."""
        path = " ".join(f"{'M' if position == 0 else 'L'}{x:g} {y:g}" for position, (x, y) in enumerate(points))
        self._front.append(f'<path d="{path}" class="arrow{" dashed" if dashed else ""}" marker-end="url(#head)"/>')

    def note(self, x: float, y: float, text: str, anchor: str = "start") -> None:
        """Words at an arrow, on a patch of the card's colour, so that a line behind them does not cross them."""
        width = text_width(text, 12) + 8
        left = {"start": x - 4, "middle": x - width / 2, "end": x - width + 4}[anchor]
        self._front.append(_rect(Box(left, y - 13, width, 18), "patch", 4))
        self.text(x, y, text, "note", anchor)

    def mark(self, box: Box, kind: str) -> None:
        """A coloured ground behind a row of text."""
        self._back.append(_rect(box, f"{kind} ground", 5))

    def render(self, height: float) -> str:
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {height:g}" '
            f'width="{self.width:g}" height="{height:g}" role="img" aria-labelledby="title description">\n'
            f'<title id="title">{escape(self.title)}</title>\n'
            f'<desc id="description">{escape(self.description)}</desc>\n'
            f"<style>{_style()}</style>\n"
            '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
            'orient="auto-start-reverse"><path d="M0 0 L10 5 L0 10 z" class="head"/></marker></defs>\n'
        )
        card = _rect(Box(0.5, 0.5, self.width - 1, height - 1), "card", 12)
        return head + "\n".join([card, *self._back, *self._front, "</svg>", ""])


def box_height(width: float, title: str, lines: Sequence[str]) -> float:
    rows = len(wrap(title, width - 2 * PADDING, 14)) + sum(len(wrap(line, width - 2 * PADDING, 12)) for line in lines)
    return 2 * PADDING + rows * LINE - 4


def _rect(box: Box, style: str, radius: float) -> str:
    return (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" '
        f'rx="{radius:g}" class="{style}"/>'
    )


def _style() -> str:
    return (
        'text{font-family:system-ui,"Segoe UI",Helvetica,Arial,sans-serif;font-size:12px}'
        ".title{font-size:14px;font-weight:600}.label{font-size:12px;font-weight:600}.note{font-size:12px}"
        ".code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:11.5px}"
        ".ground{stroke-width:.75}.frame{fill:none;stroke-dasharray:5 4}.arrow{fill:none;stroke-width:1.5}"
        ".dashed{stroke-dasharray:5 4}" + _theme(0) + "@media(prefers-color-scheme:dark){" + _theme(2) + "}"
    )


def _theme(first: int) -> str:
    """`first`: 0 for the light colours, 2 for the dark."""
    card, edge, ink, faint, line = (
        ("#f6f8fa", "#d0d7de", "#1f2328", "#57606a", "#57606a")
        if first == 0
        else ("#0d1117", "#30363d", "#e6edf3", "#9da7b3", "#9da7b3")
    )
    boxes = "".join(f".{kind}{{fill:{shades[first]};stroke:{shades[first + 1]}}}" for kind, shades in COLOURS.items())
    return (
        f".card{{fill:{card};stroke:{edge}}}.patch{{fill:{card}}}text{{fill:{ink}}}.label,.note{{fill:{faint}}}"
        f".frame{{stroke:{line}}}.arrow{{stroke:{line}}}.head{{fill:{line}}}{boxes}"
    )
