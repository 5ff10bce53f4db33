"""How a page looks: a picture in both widths and both colour schemes, enough contrast, and nothing that sticks out."""

from __future__ import annotations

from pathlib import Path

from tests.support.chromium import Chromium

SHOTS = Path("results") / "browser"
WIDE, NARROW = 1280, 390

#: Contrast of each text with what is behind it (WCAG 2.2, "relative luminance"), and the sizes that need less.
CONTRAST = """
(() => {
  const channel = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const luminance = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const parse = s => (s.match(/[\\d.]+/g) || []).map(Number);
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  const poor = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement, box = e.getBoundingClientRect();
    const hidden = box.width < 2 || box.right < 0 || e.closest('meter, caption, option');
    if (hidden || !texts.currentNode.textContent.trim()) continue;
    const style = getComputedStyle(e), a = luminance(parse(style.color)), b = luminance(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2) + ' ' + e.innerText.slice(0, 40));
  }
  return [...new Set(poor)];
})()
"""


def look_at(browser: Chromium, name: str) -> None:
    """Both widths, both colour schemes: a picture each; AssertionError for poor contrast or a page that is too wide."""
    for width in (WIDE, NARROW):
        for dark in (False, True):
            browser.look(width=width, dark=dark)
            label = f"{name}-{'wide' if width == WIDE else 'narrow'}-{'dark' if dark else 'light'}"
            browser.screenshot(SHOTS / f"{label}.png")
            assert browser.run(CONTRAST) == [], label
            assert browser.run("document.documentElement.scrollWidth") <= width, label
    browser.look(width=WIDE, dark=False)
