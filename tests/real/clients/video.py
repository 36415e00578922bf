"""Chromium's `<video>`, which seeks by ranges, in an MP4 whose index is behind its pictures.

    python video.py CONFIG.json

Prints lines as py_suite.py does. A page cannot give `<video>` a header, but what drives the browser can:
here Playwright, by `extra_http_headers`. A page of one's own would have a proxy that adds it, or a service worker.
"""

import os
import subprocess
import sys

from playwright.sync_api import Error, sync_playwright

from reading import BASE, CONFIG, FOLDER, VALUE, Sent, address, check, content, denied, equal, local, main, store

NAME = "colours.mp4"
COLOURS = ["red", "lime", "blue"]  # Of four seconds each.
PAGE = f"{BASE}/page-of-the-test"
SEEK = """async ([address, second]) => {
    const video = document.createElement('video');
    video.muted = true;
    document.body.replaceChildren(video);
    const happens = (name) => new Promise((resolve, reject) => {
        video.addEventListener(name, resolve, { once: true });
        video.addEventListener('error', () => reject(new Error(`the video fails: ${video.error.code}`)), { once: true });
    });
    const ready = happens('loadeddata');
    video.preload = 'metadata';
    video.src = address;
    await ready;
    const there = happens('seeked');
    video.currentTime = second;
    await there;
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
    const sums = [0, 0, 0];
    for (let at = 0; at < pixels.length; at += 4) for (let of = 0; of < 3; of++) sums[of] += pixels[at + of];
    return { duration: video.duration, at: video.currentTime, colour: sums.indexOf(Math.max(...sums)) };
}"""


def browse(address, second):
    """What the video shows at that second, and each (status, Content-Range) that its file was answered with."""
    answers = []
    page = CONTEXT.new_page()
    try:
        page.set_default_timeout(30_000)
        page.on("response", lambda answer: answers.append((answer.status, answer.headers.get("content-range")))
                if answer.url == address else None)
        page.goto(PAGE)
        try:
            return page.evaluate(SEEK, [address, second]), answers
        except Error as error:
            return str(error), answers
    finally:
        page.close()


@check
def the_file_is_stored():
    sources = []
    for colour in COLOURS:
        sources += ["-f", "lavfi", "-i", f"color={colour}:size=640x360:rate=12:duration=4"]
    subprocess.run(["ffmpeg", "-v", "error", *sources, "-filter_complex", f"concat=n={len(COLOURS)},noise=alls=40:allf=t",
                    "-c:v", "libx264", "-preset", "ultrafast", "-g", "12", "-pix_fmt", "yuv420p", "made.mp4"],
                   cwd=FOLDER, check=True, timeout=120)
    made = content("made.mp4")
    assert made.index(b"mdat") < made.index(b"moov"), "the index is in front"
    store(NAME, made)


@check
def the_video_seeks():
    size, sent = os.path.getsize(local(NAME)), Sent(NAME)
    for second, colour in ((9.5, 2), (5.5, 1)):
        found, answers = browse(address(NAME), second)
        assert isinstance(found, dict), (found, answers)
        equal((round(found["duration"]), found["at"], found["colour"]), (12, second, colour))
        assert len(answers) > 1 and all(status == 206 for status, _ in answers), answers
        # Of more than one place in it.
        assert len({said.split("-")[0] for _, said in answers}) > 1, answers
    sent.parts(size, and_whole=True)


@check
def the_video_is_denied():
    sent = Sent(NAME)
    found, answers = browse(denied(NAME), 5.5)
    assert "the video fails: 4" in found, found
    assert answers and all(status == 403 for status, _ in answers), answers
    sent.nothing()


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=CONFIG["chromium"], args=["--no-sandbox"])
    CONTEXT = browser.new_context(extra_http_headers={"Authorization": VALUE})
    CONTEXT.route(PAGE, lambda route: route.fulfill(content_type="text/html", body="<!doctype html><body>"))
    code = main()
    browser.close()
sys.exit(code)
