"""The page in a browser: Debian's Chromium, driven by Playwright. Skipped, and counted, where there is no Chromium."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report import html
from tests.support import report_text
from tests.support.hostile_names import HOSTILE, hostile_records

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium (Debian: apt-get install chromium)")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
STRICT = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
ADDRESS = "http://report.test/report.html"
TABLE = "#fastest table:has(caption:text('Ranking: training step'))"
VISIBLE_TEXTS = "(found) => found.filter((one) => one.checkVisibility()).map((one) => one.textContent.trim())"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any, quick_folder: Path) -> Iterator[Any]:
    """Opens the quick report's page; what it asks the network for, and every complaint, ends up in `page.told`."""
    contexts = []

    def open_(query: str = "", policy: str = "", **options: Any) -> Any:
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
            route.fulfill(body=(quick_folder / "report.html").read_bytes(), headers=headers)

        context.route("**/*", answer)
        page.goto(ADDRESS + query)
        return page

    yield open_
    for context in contexts:
        context.close()


def shown(page: Any, selector: str) -> list[str]:
    """The texts of what is to be seen of these elements."""
    return page.locator(selector).evaluate_all(VISIBLE_TEXTS)


def first_column(page: Any) -> list[str]:
    return shown(page, f"{TABLE} tbody th")


def test_nothing_is_asked_of_the_network_and_nothing_complains(opened: Any) -> None:
    page = opened()
    page.wait_for_timeout(300)
    assert page.told == []
    assert page.is_visible("#controls")


@pytest.mark.parametrize(
    "options", [{"java_script_enabled": False}, {"policy": STRICT}], ids=["no script", "strict policy"]
)
def test_it_is_complete_without_its_script(opened: Any, options: dict[str, Any]) -> None:
    with_script, without = opened(), opened(**options)
    assert not without.is_visible("#controls")
    for selector in ("main p", "main h2", "main h3", "main td", "main figure svg text", "main pre"):
        assert len(shown(without, selector)) == len(shown(with_script, selector)) > 0
    assert not [message for message in without.told if "Content Security Policy" not in message]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing(opened: Any, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(color_scheme=scheme, viewport={"width": width, "height": 900})
    page.click("#controls summary")
    page.evaluate("document.querySelectorAll('main details').forEach((part) => { part.open = true; })")
    violations = Axe().run(page)
    assert violations.violations_count == 0, violations.generate_report()


@pytest.mark.parametrize("width", [320, 700, 1280])
def test_the_page_does_not_scroll_sideways(opened: Any, width: int) -> None:
    page = opened(viewport={"width": width, "height": 900})
    page.click("#controls summary")
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_a_link_leads_to_is_not_under_the_bar(opened: Any) -> None:
    page = opened()
    page.click("nav a[href='#equivalence']")
    bar, heading = (page.locator(part).bounding_box() for part in ("#controls", "#equivalence h2"))
    assert heading["y"] >= bar["y"] + bar["height"]


def press_until(page: Any, selector: str) -> None:
    """Tab until this element has the focus."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached by keyboard")


def test_narrowing_by_keyboard_hides_and_the_address_keeps_it(opened: Any) -> None:
    page = opened()
    assert any("prediction" in caption for caption in shown(page, "#fastest caption"))
    press_until(page, "#controls summary")
    page.keyboard.press("Enter")
    press_until(page, "#controls input[name=phase][value=prediction]")
    page.keyboard.press("Space")
    assert not any("prediction" in caption for caption in shown(page, "#fastest caption"))
    assert "phase: training step" in page.inner_text("#controls summary")
    again = opened(page.url.removeprefix(ADDRESS))
    assert shown(again, "#fastest caption") == shown(page, "#fastest caption")
    press_until(page, "#controls button")
    page.keyboard.press("Enter")
    assert page.url == ADDRESS
    assert any("prediction" in caption for caption in shown(page, "#fastest caption"))


def test_a_framework_that_is_not_chosen_loses_its_rows_and_no_rank_changes(opened: Any) -> None:
    page = opened()
    before = dict(zip(first_column(page), shown(page, f"{TABLE} tbody td:nth-of-type(1)"), strict=True))
    page.click("#controls summary")
    page.uncheck("#controls input[name=framework][value=NumPy]")
    after = dict(zip(first_column(page), shown(page, f"{TABLE} tbody td:nth-of-type(1)"), strict=True))
    assert len(after) == len(before) - 1
    assert after.items() <= before.items()


def test_sorting_by_keyboard_goes_by_value_and_comes_back(opened: Any) -> None:
    page = opened()
    given, column = first_column(page), f"{TABLE} thead th:nth-child(4)"
    assert page.inner_text(column) == "time per call"
    page.focus(f"{column} button")
    page.keyboard.press("Enter")
    times = "[...document.querySelector(selector).closest('table').tBodies[0].rows].map((row) => Number(row.cells[3].dataset.value))"
    values = page.evaluate(f"(selector) => {times}", TABLE.split(":has")[0] + " [aria-sort=ascending]")
    assert values == sorted(values)
    assert len(set(values)) > 2
    page.keyboard.press("Enter")
    assert page.get_attribute(column, "aria-sort") == "descending"
    down = first_column(page)
    assert down == first_column(opened(page.url.removeprefix(ADDRESS)))
    page.keyboard.press("Enter")
    assert first_column(page) == given
    assert page.url == ADDRESS


def test_a_chart_tells_its_numbers_under_the_pointer(opened: Any) -> None:
    page = opened()
    mark = page.query_selector("#fastest .chart svg .mark-symbol [aria-label]")
    mark.scroll_into_view_if_needed()
    mark.hover(force=True)
    assert page.is_visible("#tip")
    assert page.inner_text("#tip") == mark.get_attribute("aria-label")


def test_printing_shows_everything(opened: Any) -> None:
    page = opened("?phase=&phase=training+step")
    hidden = len(page.query_selector_all(".out"))
    assert hidden
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert not page.is_visible("#controls")
    for selector in ("main td", "main h3", "main pre", "main figure"):
        assert len(shown(page, selector)) == len(page.query_selector_all(selector)) > 0
    clipped = "[...document.querySelectorAll('.scroll, pre')].filter((part) => getComputedStyle(part).overflow !== 'visible').length"
    assert page.evaluate(clipped) == 0


def test_a_wrong_address_is_the_whole_page(opened: Any) -> None:
    page = opened("?sort=99.1&sort=x.y&phase=nothing&colour=blue")
    page.click("#controls summary")
    page.click("#controls button")
    assert page.told == []
    assert len(shown(page, "#fastest caption")) == len(shown(opened(), "#fastest caption"))


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
