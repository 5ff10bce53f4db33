"""`python -m tools.pages SITE`: opens every page that `nox -s docs` made, in light and dark, wide and narrow.

Pictures of them go to the folder of --out. Exit code 1 where a page is wider than its window, a picture is missing, a
page has no heading or more than one, or the browser complains.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.chromium import Chromium, find

ROOT = Path(__file__).parents[2]
LOOKS = {
    "wide-light": (1280, False),
    "wide-dark": (1280, True),
    "narrow-light": (390, False),
    "narrow-dark": (390, True),
}
# What a page must not do, as expressions that name what is wrong, and are empty where all is well.
_TOO_FAR = "[...document.querySelectorAll('article *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
FAULTS = {
    "is wider than its window": f"""document.documentElement.scrollWidth <= innerWidth ? '' :
        {_TOO_FAR}.map(e => e.tagName + ' ' + e.textContent.trim().slice(0, 40)).slice(0, 3).join('; ')""",
    "lacks a picture": "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src).join(' ')",
    "has not one first heading": "(n => n === 1 ? '' : `${n} of them`)(document.querySelectorAll('article h1').length)",
    "shows markup": r"(document.querySelector('article').innerText.match(/\]\(\S+\)|^\|.*\|$|<.?details/m) || [''])[0]",
    "is not in the colours of the system": """
        matchMedia('(prefers-color-scheme: dark)').matches === (document.body.dataset.mdColorScheme === 'slate')
            ? '' : document.body.dataset.mdColorScheme + ''""",
    "has no title of its own": "document.title.length > 5 ? '' : document.title",
}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the report is what counts."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()


def look(browser: Chromium, address: str, pages: Sequence[str], out: Path) -> list[str]:
    """A sentence for each fault; one picture of each page and look."""
    found = []
    for name, (width, dark) in LOOKS.items():
        browser.look(width=width, dark=dark)
        for page in pages:
            browser.open(f"{address}/{page}")
            faults = ((what, browser.run(script)) for what, script in FAULTS.items())
            found += [f"{page or 'index.html'} ({name}) {what}: {detail}" for what, detail in faults if detail]
            browser.screenshot(out / f"{(page.strip('./') or 'index').replace('/', '-')}-{name}.png")
    return found + [f"the browser complains: {problem}" for problem in browser.problems]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.pages", description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "pages", metavar="FOLDER")
    parser.add_argument("--only", action="append", metavar="PAGE", help="its folder in the site; may be repeated")
    given = parser.parse_args(arguments)
    binary = find()
    if binary is None:
        sys.stderr.write("error: no Chromium is here: apt-get install chromium, or set CHROMIUM to a browser's path\n")
        return 1
    there = sorted(str(path.parent.relative_to(given.site)) + "/" for path in given.site.rglob("index.html"))
    pages = [page.removeprefix("./") for page in there if not given.only or page.strip("/") in given.only]
    with tempfile.TemporaryDirectory() as profile, served(given.site) as address:
        browser = Chromium(binary, Path(profile))
        try:
            faults = look(browser, address, pages, given.out)
        finally:
            browser.close()
    sys.stdout.write("\n".join([*faults, f"{len(pages)} pages, {len(LOOKS)} looks each, {len(faults)} faults", ""]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
