"""The playground where a language model reads, too: drafts, blocks, and what models write."""

import asyncio
import re
import threading
from collections.abc import Iterator
from concurrent.futures import Future

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.engines.vlm.answers import refuses
from tests.engines.vlm.server import Answer, Exchange, ModelServer, serving
from tests.processes import serve_http
from tests.support import image_pdf, picture
from tests.web.accessibility import serious_faults
from tests.web.conftest import Site

MODEL = "deepseek-ai/DeepSeek-OCR"
HOSTILE = '<img src="x" onerror="window.harmed = 1"><script>window.harmed = 1</script>'
WRITTEN = f"""\
<|ref|>title<|/ref|><|det|>[[60, 30, 500, 80]]<|/det|>
# Harbour committee {HOSTILE}

<|ref|>table<|/ref|><|det|>[[60, 300, 930, 520]]<|/det|>
<table><tr><th>Item</th><th>Price</th></tr><tr><td>Oak</td><td>399.56</td></tr>\
<tr><td colspan="2">{HOSTILE}</td></tr></table>

<|ref|>footer<|/ref|><|det|>[[60, 930, 930, 970]]<|/det|>
Page 1 of 1
"""
DRAFT = "null line 1\nnull line 2\nnull line 3\nnull line 4\n"


class HeldModel:
    """A model's server in a thread of its own, which writes nothing until it is let."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._may_write = asyncio.Event()
        self._over = asyncio.Event()
        self._server: Future[ModelServer] = Future()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()

    @property
    def url(self) -> str:
        return self._server.result(timeout=30).url

    def answer(self, answer: Answer) -> None:
        """Answer all calls so from now on, once `write` is called."""
        self._may_write.clear()
        self._server.result().answers = [answer]

    def write(self) -> None:
        self._loop.call_soon_threadsafe(self._may_write.set)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(timeout=30)
        self._loop.close()

    async def writes_when_let(self, exchange: Exchange) -> None:
        await exchange.head()
        await self._may_write.wait()
        for at in range(0, len(WRITTEN), 7):
            await exchange.say(WRITTEN[at : at + 7])
        await exchange.finish(usage={"prompt_tokens": 900, "completion_tokens": 312})

    async def _run(self) -> None:
        async with serving(self.writes_when_let, model=MODEL) as server:
            self._server.set_result(server)
            await self._over.wait()


@pytest.fixture(scope="module")
def held() -> Iterator[HeldModel]:
    model = HeldModel()
    yield model
    model.close()


@pytest.fixture
def model(held) -> HeldModel:
    held.answer(held.writes_when_let)
    return held


@pytest.fixture(scope="module")
def server(held, tmp_path_factory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("web")
    with (
        serve_http(folder, ENGINE_WORKERS="1", LLM_BASE_URL=held.url) as (_, _, url),
        httpx.Client(base_url=url, timeout=30, trust_env=False) as client,
    ):
        yield Site(url, folder, client)


def read_twice(page: Page) -> None:
    page.goto("/playground")
    expect(page.locator(".sample").first).to_be_enabled()
    page.get_by_text("Options").click()
    page.get_by_label("Draft, then final").check()
    choose_scan(page)


def choose_scan(page: Page) -> None:
    scan = image_pdf([picture(["printed words"], (400, 500))])
    file = {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": scan}
    page.locator("input[type=file]").set_input_files(file)


def finished(page: Page) -> None:
    expect(page.locator(".result-progress [data-state=finished]")).to_be_visible()


def test_a_draft_is_shown_until_the_final_reading_comes(page, model):
    read_twice(page)
    expect(page.locator(".page-head .badge")).to_have_text("Draft")
    expect(page.locator(".page-text")).to_have_text(DRAFT)
    expect(page.locator(".line")).to_have_count(4)
    model.write()
    finished(page)
    expect(page.locator(".page-text")).to_contain_text("# Harbour committee")
    expect(page.locator(".page-text")).not_to_contain_text("null line")
    expect(page.locator(".line")).to_have_count(0)
    expect(page.locator(".page-head")).to_contain_text(MODEL)
    expect(page.locator(".result-progress")).to_contain_text(", 1,212 tokens.")


def test_a_block_that_is_clicked_has_its_text_marked(page, model):
    model.write()
    read_twice(page)
    finished(page)
    expect(page.locator(".block polygon")).to_have_count(3)
    page.get_by_role("option", name=re.compile("^footer:")).click()
    page.mouse.move(0, 0)
    expect(page.locator(".words.marked")).to_have_text("Page 1 of 1")


def test_html_of_a_model_is_text_except_for_plain_tables(page, model):
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    model.write()
    read_twice(page)
    finished(page)
    cells = page.locator(".page-text table").get_by_role("cell")
    expect(cells).to_have_text(["Oak", "399.56", HOSTILE])
    expect(page.locator(".page-text")).to_contain_text(f"# Harbour committee {HOSTILE}")
    assert page.locator(".page-text").locator("img, script").count() == 0
    assert page.evaluate("window.harmed") is None
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert serious_faults(page) == []


def test_a_page_that_another_engine_had_to_read_says_so(page, model):
    model.answer(refuses("This model takes no images."))
    read_twice(page)
    finished(page)
    expect(page.locator(".page-head")).to_contain_text("null at")
    expect(page.locator(".page-head")).to_contain_text("in place of vlm")
    expect(page.locator(".notice.warn")).to_contain_text("VLM_REFUSED")


def test_the_words_of_a_line_are_drawn_while_it_is_pointed_at(page):
    page.goto("/playground")
    expect(page.locator(".sample").first).to_be_enabled()
    page.get_by_text("Options").click()
    page.get_by_label("Words").check()
    choose_scan(page)
    finished(page)
    page.mouse.move(0, 0)
    expect(page.locator(".word")).to_have_count(0)
    page.get_by_role("option", name="null line 2").hover()
    expect(page.locator(".word")).to_have_count(3)
