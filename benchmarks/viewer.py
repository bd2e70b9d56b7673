"""How soon does the viewer show a large atlas, what does that cost, and does it stay fluid?

A drawn atlas of 10,000 icons and 100,000 points, served on this machine, in a headless Chromium that draws in software.

    python benchmarks/viewer.py [--runs 5] [--static folder-of-the-built-page]
"""

import argparse
import math
import shutil
import statistics
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS / "browser"), str(TESTS)]

FIRST = """() => {
    const first = performance.getEntriesByName('pellucid-first-picture')[0].startTime
    const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    const before = all.filter(({ responseStart }) => responseStart <= first)
    return [first, before.reduce((sum, { transferSize }) => sum + transferSize, 0)]
}"""

# The times between frames while the map is zoomed for four seconds.
FRAMES = """() => new Promise((resolve) => {
    const map = document.querySelector('[data-testid=map]')
    const times = []
    let last = performance.now()
    const begun = last
    const step = (now) => {
        times.push(now - last)
        last = now
        map.dispatchEvent(new KeyboardEvent('keydown', { key: times.length % 40 < 20 ? '+' : '-', bubbles: true }))
        if (now - begun < 4000) requestAnimationFrame(step)
        else resolve(times.slice(1))
    }
    requestAnimationFrame(step)
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--static", type=Path)
    given = parser.parse_args()
    program = shutil.which("chromium")
    if program is None:
        print("no browser: install chromium")
        return
    from playwright.sync_api import sync_playwright

    from pellucid.web.app import make_app

    arguments = import_module("conftest").ARGUMENTS
    drawn, page_of, serving = (import_module(name) for name in ("tiled_study", "page", "serving"))
    layer = drawn.LAYER

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        study = drawn.make_tiled_study(
            Path(folder) / "study", levels=(10, 30, 100), size=80, tile=10, points=100_000
        ).path
        browser = playwright.chromium.launch(executable_path=program, args=arguments)

        def opened(origin: str, address: str) -> Any:
            context = browser.new_context(viewport={"width": 1200, "height": 800}, reduced_motion="reduce")
            return page_of.AtlasPage(context.new_page(), origin).open(address)

        with serving.serve_app(make_app(study, static=given.static)) as origin:
            for name, address in (
                ("whole map", f"#atlas={layer}"),
                ("deep", f"#atlas={layer}&zoom=9&x=0.4&y=0.6"),
                ("points", f"#atlas={layer}&icons=points"),
            ):
                runs = []
                for _ in range(given.runs):
                    page = opened(origin, address)
                    runs.append(page.page.evaluate(FIRST))
                    page.page.context.close()
                times, sizes = zip(*runs, strict=True)
                print(
                    f"{name}: first picture after {statistics.median(times) / 1000:.2f} s "
                    f"({min(times) / 1000:.2f} to {max(times) / 1000:.2f}), {max(sizes) / 1e6:.2f} MB before it"
                )
            for name, kind in (("10,000 icons", "level=100"), ("points", "icons=points&level=10")):
                address = f"#atlas={layer}&{kind}&labels=off"
                page = opened(origin, address)
                frames: list[Any] = page.page.evaluate(FRAMES)
                held = page.page.evaluate("window.pellucid.pixels()") / 1e6
                typical = statistics.median(frames) if frames else math.inf
                print(f"{name}: {typical:.0f} ms a frame while zooming, {held:.1f} megapixels kept")
                page.page.context.close()
        browser.close()


if __name__ == "__main__":
    main()
