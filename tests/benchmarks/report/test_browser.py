"""The page in a browser: Debian's Chromium, driven by Playwright. Skipped, and counted, where there is no Chromium."""

import itertools
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report import charts, html
from tests.support import report_text, two_networks
from tests.support.hostile_names import HOSTILE, hostile_records

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium (Debian: apt-get install chromium)")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
STRICT = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
ADDRESS = "http://report.test/report.html"
MATRIX = "#fastest table:has(caption:text('Times as long as the fastest'))"
OPEN_ALL = "document.querySelectorAll('main details').forEach((part) => { part.open = true; })"
VISIBLE_TEXTS = "(found) => found.filter((one) => one.checkVisibility()).map((one) => one.textContent.trim())"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any, quick_folder: Path) -> Iterator[Any]:
    """Opens a page of the quick run; what it asks the network for, and every complaint, ends up in `page.told`."""
    contexts = []

    def open_(name: str = "report.html", policy: str = "", source: str = "", **options: Any) -> Any:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.told = []
        page.on("console", lambda message: page.told.append(message.text))
        page.on("pageerror", lambda error: page.told.append(str(error)))

        def answer(route: Any) -> None:
            if not route.request.url.startswith(ADDRESS):
                page.told.append(f"asked for {route.request.url}")
                route.abort()
                return
            headers = {"Content-Type": "text/html; charset=utf-8"} | (
                {"Content-Security-Policy": policy} if policy else {}
            )
            route.fulfill(body=source or (quick_folder / name).read_bytes(), headers=headers)

        context.route("**/*", answer)
        page.goto(ADDRESS)
        return page

    yield open_
    for context in contexts:
        context.close()


def shown(page: Any, selector: str) -> list[str]:
    """The texts of what is to be seen of these elements."""
    return page.locator(selector).evaluate_all(VISIBLE_TEXTS)


def first_column(page: Any) -> list[str]:
    return shown(page, f"{MATRIX} tbody th")


@pytest.mark.parametrize("name", ["report.html", "steps.html"])
def test_nothing_is_asked_of_the_network_and_nothing_complains(opened: Any, name: str) -> None:
    page = opened(name)
    page.wait_for_timeout(300)
    assert page.told == []
    assert page.locator("button.sort").count() == page.locator("table:has(tbody tr + tr) thead th").count()


@pytest.mark.parametrize(
    "options", [{"java_script_enabled": False}, {"policy": STRICT}], ids=["no script", "strict policy"]
)
def test_it_is_complete_without_its_script(opened: Any, options: dict[str, Any]) -> None:
    with_script, without = opened(), opened(**options)
    assert without.locator("button").count() == 0 < with_script.locator("button").count()
    for selector in ("main p", "main h2", "main h3", "main li", "main td", "main figure svg text", "main summary"):
        assert len(shown(without, selector)) == len(shown(with_script, selector)) > 0
    folded = without.locator("#coverage td").first
    assert not folded.is_visible()
    without.click("#coverage summary")
    assert folded.is_visible()
    assert not [message for message in without.told if "Content Security Policy" not in message]


@pytest.mark.parametrize(
    ("name", "scheme", "width"),
    [
        *(("report.html", scheme, width) for scheme in ("light", "dark") for width in (1280, 320)),
        *(("steps.html", *how) for how in (("light", 1280), ("dark", 320))),
    ],
)
def test_axe_finds_nothing(opened: Any, name: str, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(name, color_scheme=scheme, viewport={"width": width, "height": 900})
    page.evaluate(OPEN_ALL)
    violations = Axe().run(page)
    assert violations.violations_count == 0, violations.generate_report()


@pytest.mark.parametrize("width", [320, 700, 1280])
@pytest.mark.parametrize("name", ["report.html", "steps.html"])
def test_the_page_does_not_scroll_sideways(opened: Any, name: str, width: int) -> None:
    page = opened(name, viewport={"width": width, "height": 900})
    page.evaluate(OPEN_ALL)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def headline_boxes(page: Any) -> list[dict[str, Any]]:
    """Where each part of the first section lies."""
    box = "({left: r.left, right: r.right, top: r.top + scrollY, bottom: r.bottom + scrollY, tag: part.tagName, text: part.innerText.slice(0, 40)})"
    return page.evaluate(
        f"[...document.querySelector('#headline').children].map((part) => {{ const r = part.getBoundingClientRect(); return {box}; }})"
    )


def test_the_answer_and_how_sure_it_is_lie_on_the_first_screen(opened: Any) -> None:
    boxes = headline_boxes(opened(viewport={"width": 1280, "height": 900}))
    until = next(at for at, box in enumerate(boxes) if box["text"] == "How sure") + 1
    assert [box["tag"] for box in boxes[: until + 1]].count("FIGURE") == 1
    assert boxes[until]["tag"] == "UL"
    assert max(box["bottom"] for box in boxes[: until + 1]) <= 900


@pytest.mark.parametrize("width", [1280, 320])
def test_no_part_of_the_answer_covers_another(opened: Any, width: int) -> None:
    document = report_text.document(two_networks.records())
    source = html.render(document, charts.draw(document.figures()))
    for page in (
        opened(viewport={"width": width, "height": 900}),
        opened(source=source, viewport={"width": width, "height": 900}),
    ):
        boxes = headline_boxes(page)
        for one, other in itertools.combinations(boxes, 2):
            apart = one["right"] <= other["left"] or other["right"] <= one["left"]
            assert apart or one["bottom"] <= other["top"] + 1 or other["bottom"] <= one["top"] + 1, (one, other)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_answers_chart_fits_its_frame_and_is_there_once(opened: Any, width: int, scheme: str) -> None:
    page = opened(viewport={"width": width, "height": 900}, color_scheme=scheme)
    frame = page.locator("#answer-mlp .chart")
    assert frame.evaluate("(frame) => frame.scrollWidth <= frame.clientWidth")
    assert frame.locator("svg").evaluate_all("(all) => all.map((one) => one.checkVisibility())") == [
        width == 1280,
        width < 1280,
    ]
    texts = frame.locator("svg:visible text").evaluate_all("(all) => all.map((one) => one.textContent)")
    assert texts.count("Keras-TensorFlow (stock)") == 1
    assert frame.aria_snapshot().count('group "Times as long as the fastest') == 1
    smallest = frame.locator("svg:visible text").evaluate_all(
        "(all) => Math.min(...all.map((one) => one.getBoundingClientRect().height))"
    )
    assert width == 1280 or smallest >= 12


def test_a_link_of_the_contents_brings_its_section_into_sight(opened: Any) -> None:
    page = opened(viewport={"width": 1280, "height": 900})
    page.click("nav a[href='#equivalence']")
    assert 0 <= page.locator("#equivalence h2").bounding_box()["y"] < 900


def press_until(page: Any, selector: str) -> None:
    """Tab until this element has the focus."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached by keyboard")


def test_the_first_key_leads_past_the_title(opened: Any) -> None:
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#headline"


def test_folded_parts_open_by_keyboard(opened: Any) -> None:
    page = opened()
    press_until(page, "#coverage summary")
    page.keyboard.press("Enter")
    assert page.locator("#coverage td").first.is_visible()


def test_sorting_by_keyboard_goes_by_value_keeps_holes_last_and_comes_back(opened: Any) -> None:
    page = opened()
    column = f"{MATRIX} thead th:nth-child(3)"
    assert page.inner_text(column) == "prediction, batch 1"
    press_until(page, "#fastest th:nth-child(3) button")
    given = first_column(page)
    for direction, sign in (("ascending", 1), ("descending", -1)):
        page.keyboard.press("Enter")
        assert page.get_attribute(column, "aria-sort") == direction
        *values, hole = page.locator(f"{MATRIX} tbody tr td:nth-child(3)").evaluate_all(
            "(cells) => cells.map((cell) => Number(cell.dataset.value))"
        )
        assert values == sorted(values, key=lambda value: sign * value)
        assert len(set(values)) == 3
        assert math.isnan(hole)
    page.keyboard.press("Enter")
    assert first_column(page) == given
    assert page.get_attribute(column, "aria-sort") is None
    assert page.url == ADDRESS


def test_a_chart_tells_its_numbers_under_the_pointer(opened: Any) -> None:
    page = opened()
    assert not page.is_visible("#tip")
    mark = page.query_selector("#answer-mlp svg .mark-symbol [aria-label]")
    mark.scroll_into_view_if_needed()
    mark.hover(force=True)
    assert page.is_visible("#tip")
    assert page.inner_text("#tip").split() == mark.get_attribute("aria-label").split()
    page.keyboard.press("Escape")
    assert not page.is_visible("#tip")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_printing_shows_everything(opened: Any, script: bool) -> None:
    page = opened(java_script_enabled=script)
    assert len(shown(page, "main td")) < page.locator("main td").count()
    if script:
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator("main details:not([open])").count() == 0
    page.emulate_media(media="print")
    assert not page.is_visible("nav")
    for selector in ("main td", "main h3", "main pre", "main figure"):
        assert len(shown(page, selector)) == len(page.query_selector_all(selector)) > 0
    clipped = "[...document.querySelectorAll('.scroll, pre')].filter((part) => getComputedStyle(part).overflow !== 'visible').length"
    assert page.evaluate(clipped) == 0


def test_hostile_names_stay_text_in_the_script_too(browser: Any) -> None:
    for name in HOSTILE:
        document = report_text.document(hostile_records(name))
        page = browser.new_page()
        messages: list[str] = []
        page.on("pageerror", lambda error, messages=messages: messages.append(str(error)))
        page.on("dialog", lambda dialog, messages=messages: (messages.append("dialog"), dialog.dismiss()))
        page.set_content(html.render(document, {}))
        assert page.evaluate("document.querySelectorAll('script').length") == 1
        assert messages == []
        page.close()
