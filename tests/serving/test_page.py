"""The page of the server, in a real browser."""

import base64

import numpy as np
import pytest
from canned_server import ACTIONS, LABELS, LONG, CannedServer, serve
from chromium import require_chromium
from playwright.sync_api import expect, sync_playwright

from keras_video.data import render_motion_clip, write_video
from keras_video.inference import Predictor
from keras_video.serving import Settings, create_app


@pytest.fixture(scope="module")
def browser():
    expect.set_options(timeout=20_000)  # for busy machines
    with sync_playwright() as playwright:
        path = require_chromium(playwright)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def canned():
    server = CannedServer()
    with serve(server.app) as server.address:
        yield server


@pytest.fixture
def visit(browser):
    """Opens the page of a server. In the end nothing may have failed, nor left for elsewhere."""
    pages, complaints, addresses = [], [], []

    def open_page(address, timeout=20_000, **options):
        context = browser.new_context(**options)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: addresses.append(request.url))
        page.goto(address)
        pages.append((address, page))
        choose = page.get_by_role("button", name="Choose a video")
        expect(choose).to_be_enabled(timeout=timeout)
        return page

    yield open_page
    for address, page in pages:
        page.context.close()
        elsewhere = [url for url in addresses if not url.startswith((address, f"blob:{address}"))]
        assert elsewhere == []
    # Chromium reports answers of errors itself.
    own = [text for text in complaints if "the server responded with a status of" not in text]
    assert own == []


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Two seconds of something that moves left."""
    path = tmp_path_factory.mktemp("videos") / "left.mp4"
    write_video(path, render_motion_clip("moving left", seed=7, num_frames=50, size=96))
    return path


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory):
    """Twelve seconds."""
    path = tmp_path_factory.mktemp("videos") / "long.mp4"
    clips = [render_motion_clip(label, seed=1, num_frames=24, size=96) for label in LABELS]
    write_video(path, np.concatenate(clips), fps=8)
    return path


def choose(page, path):
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a video").click()
    chooser.value.set_files(path)


def transfer(page, *paths):
    """What the browser makes of files that are dragged or copied."""
    files = [(path.name, base64.b64encode(path.read_bytes()).decode()) for path in paths]
    return page.evaluate_handle(
        """(files) => {
          const transfer = new DataTransfer();
          for (const [name, text] of files) {
            const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], name, { type: "video/mp4" }));
          }
          return transfer;
        }""",
        files,
    )


def drop(page, *paths):
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer(page, *paths)})


def current_time(page):
    return page.evaluate("document.querySelector('video').currentTime")


def wait_for_time(page, low, high=1e9):
    page.wait_for_function(
        "([low, high]) => { const t = document.querySelector('video').currentTime;"
        " return t >= low && t <= high; }",
        arg=[low, high],
    )


def pause(page):
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    page.evaluate("document.querySelector('video').pause()")


def click_at(locator, share):
    box = locator.bounding_box()
    locator.click(position={"x": share * box["width"], "y": box["height"] / 2})


def test_a_dropped_video_plays_and_the_answer_stands_beside_it(visit, canned, clip):
    canned.tell("classify", {**LONG, "windows": []})
    page = visit(canned.address)
    drop(page, clip)
    rows = page.get_by_role("list", name="Whole video").get_by_role("listitem")
    expect(rows.first).to_have_text("moving left 60.0\u202f%")
    expect(rows).to_have_count(4)
    wait_for_time(page, 0.2)
    expect(page.get_by_text("0:12.0 · 96 × 96 · 8 frames/s")).to_be_visible()
    expect(page.get_by_text("decode 42\u202fms · queue 0\u202fms")).to_be_visible()
    expect(page.get_by_role("region", name="What is seen when")).to_be_hidden()
    assert canned.uploads == [("classify", "left.mp4", clip.read_bytes())]


def test_the_served_model_answers_with_what_the_video_shows(visit, clip):
    predictor = Predictor("tsm_tiny_motion")
    with serve(
        create_app(predictor, Settings(workers=1, max_batch=1), "tsm_tiny_motion")
    ) as address:
        page = visit(address, timeout=60_000)
        expect(page.get_by_text("tsm_tiny_motion · keras")).to_be_visible()
        drop(page, clip)
        best = page.get_by_role("list", name="Whole video").get_by_role("listitem").first
        expect(best).to_contain_text("moving left 9")
        wait_for_time(page, 0.2)


def test_the_page_waits_until_the_server_is_ready(browser, canned):
    canned.tell("classify", LONG)
    canned.ready = False
    page = browser.new_page()
    page.goto(canned.address)
    expect(page.get_by_text("The server is not ready yet.")).to_be_visible()
    expect(page.get_by_role("button", name="Choose a video")).to_be_disabled()
    canned.ready = True
    expect(page.get_by_role("button", name="Choose a video")).to_be_enabled()
    page.close()


def test_a_video_chosen_with_the_keyboard_gets_its_answer(visit, canned, clip):
    canned.tell("classify", LONG)
    page = visit(canned.address)
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    chooser.value.set_files(clip)
    expect(page.get_by_text("60.0\u202f%")).to_be_visible()


def test_a_pasted_video_gets_its_answer_and_pasted_text_a_word(visit, canned, clip):
    canned.tell("classify", LONG)
    page = visit(canned.address)
    paste = """(transfer) => document.body.dispatchEvent(
        new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }))"""
    page.evaluate(paste, transfer(page))
    expect(page.get_by_text("There is no video file in that.")).to_be_visible()
    page.evaluate(paste, transfer(page, clip))
    expect(page.get_by_text("60.0\u202f%")).to_be_visible()


def test_the_bar_over_time_seeks_and_follows_the_video(visit, canned, long_clip):
    canned.tell("classify", LONG)
    page = visit(canned.address)
    choose(page, long_clip)
    bar = page.get_by_role("slider", name="What is seen when")
    expect(bar).to_be_visible()
    pause(page)
    best = page.locator("#now li").first

    click_at(bar, 5 / 12)  # the third window is from 4 to 6 seconds
    wait_for_time(page, 4.9, 5.1)
    expect(page.get_by_role("heading", name="At 0:04–0:06")).to_be_visible()
    expect(best).to_have_text("moving up 70.0\u202f%")

    bar.press("ArrowRight")
    wait_for_time(page, 6, 6.1)
    expect(best).to_have_text("moving down 60.0\u202f%")
    expect(bar).to_have_attribute("aria-valuetext", "0:06.0, moving down 60.0\u202f%, 0:06–0:08")

    page.get_by_role("button", name="moving left 0:06").click()  # next at 8 seconds
    wait_for_time(page, 8, 8.1)
    bar.hover(position={"x": 5, "y": 5})
    expect(page.locator(".tip")).to_have_text("moving left 90.0\u202f%, 0:00–0:02")

    page.evaluate("document.querySelector('video').play()")
    wait_for_time(page, 8.3)
    page.wait_for_function("parseFloat(document.querySelector('[role=slider]').ariaValueNow) > 8.2")


def test_actions_have_rows_over_time_and_a_list_that_seek(visit, canned, long_clip):
    canned.tell("localize", ACTIONS, labels=["run-up", "long jump"])
    page = visit(canned.address)
    choose(page, long_clip)
    actions = page.get_by_role("list", name="3 actions").get_by_role("button")
    expect(actions).to_have_text(
        [
            "run-up 75.0\u202f% 0:01–0:04",
            "run-up 15.0\u202f% 0:02.5–0:05.0",
            "long jump 91.0\u202f% 0:08.0–0:11.5",
        ]
    )
    expect(page.locator(".row-label")).to_have_text(["run-up", "long jump"])
    pause(page)
    page.locator(".block", has_text="91.0").click()
    wait_for_time(page, 8, 8.1)
    expect(actions.nth(2)).to_have_attribute("aria-current", "true")
    actions.first.click()
    wait_for_time(page, 1, 1.1)
    click_at(page.locator(".row").first, 0.75)  # where no action is
    wait_for_time(page, 8.9, 9.1)

    page.get_by_role("slider", name="Score at least").fill("20")
    expect(page.get_by_role("heading", name="2 actions")).to_be_visible()
    expect(page.locator(".block:visible")).to_have_count(2)


def test_a_video_without_actions_is_called_so(visit, canned, clip):
    canned.tell("localize", {**ACTIONS, "actions": []}, labels=None)
    page = visit(canned.address)
    drop(page, clip)
    expect(page.get_by_role("heading", name="No actions")).to_be_visible()


def test_errors_of_the_server_are_shown_as_text_and_another_try_works(visit, canned, clip):
    message = "clip.mp4: <img src=x onerror=alert(1)> is no video"
    canned.tell("classify", {"error": {"code": "undecodable", "message": message}}, status=422)
    page = visit(canned.address)
    drop(page, clip)
    expect(page.get_by_role("alert").filter(has_text=message)).to_be_visible()
    canned.tell("classify", LONG)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("60.0\u202f%")).to_be_visible()
    expect(page.get_by_text(message)).to_be_hidden()


def test_labels_of_the_server_are_text(visit, canned, clip):
    label = "<b>bold</b>"
    canned.tell("localize", {**ACTIONS, "actions": [{**ACTIONS["actions"][0], "label": label}]})
    page = visit(canned.address)
    drop(page, clip)
    expect(page.locator(".row-label")).to_have_text(label)


def test_videos_beyond_the_limits_are_refused_before_they_travel(visit, canned, clip, long_clip):
    canned.tell("classify", LONG, limits={"max_bytes": 1000, "max_seconds": 600})
    page = visit(canned.address)
    drop(page, clip)
    alert = page.get_by_role("alert").filter(has_text="this server takes up to")
    expect(alert).to_contain_text("this server takes up to 1.0\u202fkB")
    assert canned.uploads == []

    canned.tell("classify", LONG, limits={"max_bytes": 10**8, "max_seconds": 10})
    canned.go.clear()
    page = visit(canned.address)
    drop(page, long_clip)
    alert = page.get_by_role("alert").filter(has_text="this server takes up to")
    expect(alert).to_contain_text("The video lasts 0:12; this server takes up to 10 seconds")


def test_cancelling_closes_the_connection_and_another_video_may_follow(visit, canned, clip):
    canned.tell("classify", LONG)
    canned.go.clear()
    page = visit(canned.address)
    drop(page, clip)
    expect(page.get_by_text("The server is watching")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    assert canned.left.wait(10)
    expect(page.get_by_role("button", name="Choose a video")).to_be_focused()
    canned.go.set()
    choose(page, clip)
    expect(page.get_by_text("60.0\u202f%")).to_be_visible()


def test_another_video_replaces_the_one_under_way(visit, canned, clip, long_clip):
    canned.tell("classify", {**LONG, "windows": []})
    canned.go.clear()
    page = visit(canned.address)
    drop(page, clip)
    expect(page.get_by_text("The server is watching")).to_be_visible()
    drop(page, clip, long_clip)
    expect(page.get_by_text("Drop one video at a time. These are 2 files.")).to_be_visible()
    drop(page, long_clip)
    assert canned.left.wait(10)
    canned.go.set()
    expect(page.get_by_text("60.0\u202f%")).to_be_visible()
    expect(page.get_by_text("long.mp4")).to_be_visible()
    assert [name for _, name, _ in canned.uploads] == ["left.mp4", "long.mp4"]


def test_a_video_that_the_browser_cannot_play_gets_its_results_all_the_same(
    visit, canned, tmp_path
):
    path = tmp_path / "lossless.mkv"
    frames = render_motion_clip("moving left", seed=7, num_frames=8, size=32)
    write_video(path, frames, codec="ffv1")
    canned.tell("classify", LONG)
    page = visit(canned.address)
    choose(page, path)
    expect(page.get_by_text("This browser cannot play the file.")).to_be_visible()
    expect(page.get_by_text("The results do not depend on it.")).to_be_visible()
    click_at(page.get_by_role("slider", name="What is seen when"), 5 / 12)
    expect(page.locator("#now li").first).to_have_text("moving up 70.0\u202f%")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_shows_everything_in_readable_colours(visit, canned, long_clip, scheme):
    canned.tell("localize", ACTIONS, labels=["a very long name of a class " * 5, "long jump"])
    size = {"width": 360, "height": 740}
    page = visit(canned.address, viewport=size, color_scheme=scheme)
    assert unreadable(page) == []
    drop(page, long_clip)
    expect(page.locator(".block")).to_have_count(3)
    assert unreadable(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def unreadable(page):
    """Texts that contrast less with their ground than WCAG's level AA asks, 4.5 to 1."""
    return page.evaluate(
        """() => {
          const light = (colour) => {
            const [r, g, b] = colour.match(/[\\d.]+/g).map((part) => part / 255)
              .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const ground = (element) => {
            const colour = getComputedStyle(element).backgroundColor;
            return /, 0\\)$/.test(colour) ? ground(element.parentElement) : colour;
          };
          const found = [];
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const element = walker.currentNode.parentElement;
            if (!walker.currentNode.textContent.trim() || !element.checkVisibility(
                { visibilityProperty: true })) continue;
            const pair = [light(getComputedStyle(element).color), light(ground(element))];
            const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
            if (contrast < 4.5) found.push([walker.currentNode.textContent, contrast]);
          }
          return found;
        }"""
    )
