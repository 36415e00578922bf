"""Programs that read by ranges and conditions, unmodified: curl, aria2c, wget, ffmpeg, ffprobe.

    python programs.py CONFIG.json

Prints lines as py_suite.py does. Each program sends the header that its own option is for.
"""

import glob
import json
import os
import random
import signal
import subprocess
import sys
import time

from reading import FOLDER, HEADER, WORK, Sent, address, check, content, denied, equal, local, main, store

MIB = 1 << 20
SIZE = 6 * MIB
# Slow enough to be cut in the middle, on any machine: curl first takes a hundred times what it may in a second.
SLOW = "20k"


def data(seed, size=SIZE):
    return random.Random(seed).randbytes(size)


def run(*command, code=0):
    done = subprocess.run(command, cwd=FOLDER, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    text = (done.stdout[-600:] + done.stderr[-600:]).decode("utf-8", "replace")
    assert done.returncode == code, f"exit code {done.returncode}, not {code}: {text}"
    return done


def cut(name, *command):
    """Starts a download of `name`, and interrupts it when some of it is there."""
    process = subprocess.Popen(command, cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while not (os.path.exists(local(name)) and os.stat(local(name)).st_blocks):
            assert process.poll() is None and time.monotonic() < end, f"it ended too early: {process.poll()}"
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.wait(20)
    finally:
        process.kill()
    size = os.path.getsize(local(name))
    assert 0 < size <= SIZE, size
    return size


def nothing_came(*names):
    found = [path for name in names for path in glob.glob(local(name) + "*")]
    equal([path for path in found if os.path.getsize(path)], [], "files that came")


def statuses(file):
    """What an answer's headers say in a file where curl wrote them."""
    return [int(line.split()[1]) for line in content(file).split(b"\r\n") if line.startswith(b"HTTP/")]


# curl: https://curl.se. `--header`, or `header = …` in a file that `--config` names.

def curl(*arguments, code=0):
    return run("curl", "--silent", "--show-error", "--dump-header", local("curl.headers"), "--header", HEADER,
               *arguments, code=code)


@check
def curl_resumes_a_download():
    wanted = store("resumed.bin", data(1))
    have = cut("resumed.got", "curl", "--silent", "--header", HEADER, "--limit-rate", SLOW, "--output", "resumed.got",
               address("resumed.bin"))
    assert have < SIZE, "it was not cut"
    sent = Sent("resumed.bin")
    curl("--continue-at", "-", "--output", "resumed.got", address("resumed.bin"))
    equal(statuses("curl.headers"), [206])
    equal(content("resumed.got"), wanted)
    equal(sent.parts(SIZE), [SIZE - have])
    # Once it is all there, there is no more of it.
    curl("--continue-at", "-", "--output", "resumed.got", address("resumed.bin"))
    equal(statuses("curl.headers"), [416])
    equal(content("resumed.got"), wanted)


@check
def curl_never_joins_two_versions():
    first, second = data(2, MIB), data(3, MIB)
    store("changed.bin", first)
    curl("--range", "0-999", "--output", "changed.got", address("changed.bin"))
    tag = next(line for line in content("curl.headers").split(b"\r\n") if line.lower().startswith(b"etag: "))[6:].decode()
    store("changed.bin", second)
    # Not the rest of another file: the whole of it, which curl then refuses to append.
    curl("--continue-at", "-", "--header", f"If-Range: {tag}", "--output", "changed.got", address("changed.bin"), code=33)
    equal(statuses("curl.headers"), [200])
    equal(content("changed.got"), first[:1000])
    curl("--fail", "--continue-at", "-", "--header", f"If-Match: {tag}", "--output", "changed.got",
         address("changed.bin"), code=22)
    equal(statuses("curl.headers"), [412])
    equal(content("changed.got"), first[:1000])


@check
def curl_takes_the_end_and_a_part():
    wanted = store("range.bin", data(4, MIB))
    for asked, part in (("-100", wanted[-100:]), ("1000-1999", wanted[1000:2000])):
        sent = Sent("range.bin")
        equal(curl("--range", asked, address("range.bin")).stdout, part, asked)
        equal(sent.parts(MIB), [len(part)], asked)


@check
def curl_asks_only_for_what_is_new():
    wanted = store("news.bin", data(5, MIB))
    tag = ("--etag-save", "news.tag", "--etag-compare", "news.tag")
    curl(*tag, "--output", "news.got", address("news.bin"))
    equal((statuses("curl.headers"), content("news.got")), ([200], wanted))
    curl(*tag, "--output", "news.again", address("news.bin"))
    equal(statuses("curl.headers"), [304])
    nothing_came("news.again")
    curl("--time-cond", "news.got", "--remote-time", "--output", "news.again", address("news.bin"))
    equal(statuses("curl.headers"), [304])
    newer = store("news.bin", data(6, MIB))
    curl(*tag, "--output", "news.got", address("news.bin"))
    equal((statuses("curl.headers"), content("news.got")), ([200], newer))


@check
def curl_uploads():
    with open(local("up.bin"), "wb") as file:
        file.write(data(7, MIB))
    curl("--fail", "--upload-file", "up.bin", address("up.bin"))
    print(json.dumps({"stored": WORK + "up.bin", "file": local("up.bin")}), flush=True)
    equal(curl(address("up.bin")).stdout, data(7, MIB))


@check
def curl_cannot_resume_an_upload_and_nothing_is_lost():
    """A part of a file is not the file: it is refused, and the file that was there stays whole."""
    wanted = store("kept.bin", data(8, MIB))
    with open(local("longer.bin"), "wb") as file:
        file.write(data(8, MIB) + b"and more")
    for at in ("-", "5", str(MIB)):
        done = curl("--continue-at", at, "--upload-file", "longer.bin", address("kept.bin"))
        equal(statuses("curl.headers")[-1], 400, at)
        assert b"Content-Range" in done.stdout, done.stdout
        equal(curl(address("kept.bin")).stdout, wanted, at)
        curl("--fail", "--continue-at", at, "--upload-file", "longer.bin", address("none.bin"), code=22)
        curl("--fail", address("none.bin"), code=22)


@check
def curl_is_denied():
    store("closed.bin", data(9, MIB))
    for more in ((), ("--range", "5-9"), ("--continue-at", "7")):
        sent = Sent("closed.bin")
        curl("--fail", *more, "--output", "closed.got", denied("closed.bin"), code=22)
        equal(statuses("curl.headers"), [403], more)
        nothing_came("closed.got")
        sent.nothing()


# aria2c: https://aria2.github.io. `--header`, or `header=…` in its configuration.

def aria2c(name, *arguments):
    return ("aria2c", "--no-conf", "--quiet", "--header", HEADER, "--split=4", "--max-connection-per-server=4",
            "--min-split-size=1M", "--file-allocation=none", "--disk-cache=0", "--max-tries=1", "--out", name, *arguments)


@check
def aria2c_takes_several_parts_at_once():
    wanted = store("split.bin", data(10))
    sent = Sent("split.bin")
    # At full speed the first connection may be done before the others begin.
    run(*aria2c("split.got", "--max-overall-download-limit=4M", "--log=split.log", "--log-level=info",
                address("split.bin")))
    equal(content("split.got"), wanted)
    # The first one asks for all, and leaves what the others take; the gateway may have sent it.
    sent.parts(SIZE, and_whole=True)
    assert content("split.log").count(b"HTTP/1.1 206 ") >= 3, "there were fewer parts than three"


@check
def aria2c_resumes():
    wanted = store("again.bin", data(11))
    cut("again.got", *aria2c("again.got", "--split=1", f"--max-overall-download-limit={SLOW}", address("again.bin")))
    assert os.path.exists(local("again.got.aria2")), "it was not cut"
    sent = Sent("again.bin")
    run(*aria2c("again.got", "--continue=true", "--split=1", address("again.bin")))
    equal(content("again.got"), wanted)
    assert sum(sent.parts(SIZE)) < SIZE


@check
def aria2c_is_denied():
    store("closed2.bin", data(12, MIB))
    sent = Sent("closed2.bin")
    run(*aria2c("closed2.got", denied("closed2.bin")), code=22)
    nothing_came("closed2.got")
    sent.nothing()


# wget: https://www.gnu.org/software/wget. `--header`, or `header = …` in its `wgetrc`.

def wget(*arguments, code=0):
    done = run("wget", "--no-config", "--no-verbose", "--server-response", "--tries=1", "--header", HEADER, *arguments,
               code=code)
    return [int(line.split()[1]) for line in done.stderr.decode().splitlines() if line.lstrip().startswith("HTTP/")]


@check
def wget_resumes():
    wanted = store("wget.bin", data(13))
    have = cut("wget.got", "wget", "--no-config", "--quiet", "--header", HEADER, f"--limit-rate={SLOW}",
               "--output-document=wget.got", address("wget.bin"))
    assert have < SIZE, "it was not cut"
    sent = Sent("wget.bin")
    equal(wget("--continue", "--output-document=wget.got", address("wget.bin")), [206])
    equal(content("wget.got"), wanted)
    equal(sent.parts(SIZE), [SIZE - have])
    equal(wget("--continue", "--output-document=wget.got", address("wget.bin")), [416])
    equal(content("wget.got"), wanted)


@check
def wget_takes_only_what_is_new():
    wanted = store("stamp.bin", data(14, MIB))
    os.remove(local("stamp.bin"))
    equal(wget("--timestamping", address("stamp.bin")), [200])
    equal(content("stamp.bin"), wanted)
    equal(wget("--timestamping", address("stamp.bin")), [304])
    equal(content("stamp.bin"), wanted)


@check
def wget_is_denied():
    store("closed3.bin", data(15, MIB))
    sent = Sent("closed3.bin")
    equal(wget("--output-document=closed3.got", denied("closed3.bin"), code=8), [403])
    nothing_came("closed3.got")
    sent.nothing()


# ffmpeg and ffprobe: https://ffmpeg.org. `-headers`, in front of `-i`.

FFMPEG_HEADER = ("-headers", HEADER + "\r\n")


def movie(name):
    """An MP4 whose index is behind its pictures, as ffmpeg makes it unless told otherwise."""
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=12,noise=alls=20:allf=t",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p", "made.mp4")
    made = content("made.mp4")
    assert made.index(b"mdat") < made.index(b"moov") and len(made) > 2 * MIB, len(made)
    return store(name, made)


@check
def ffmpeg_seeks():
    wanted = movie("movie.mp4")

    def frame(*source):
        return run("ffmpeg", "-v", "error", "-ss", "10", *source, "-frames:v", "1", "-f", "framemd5", "-").stdout

    sent = Sent("movie.mp4")
    equal(frame(*FFMPEG_HEADER, "-i", address("movie.mp4")), frame("-i", local("movie.mp4")))
    # The index, from the end; the pictures before the tenth second are never asked for.
    assert min(sent.parts(len(wanted))) < len(wanted) // 10


@check
def ffprobe_reads_the_end():
    sent = Sent("movie.mp4")
    show = ("ffprobe", "-v", "error", "-show_entries", "format=duration,size:stream=codec_name,nb_frames", "-of", "json")
    equal(json.loads(run(*show, *FFMPEG_HEADER, address("movie.mp4")).stdout),
          json.loads(run(*show, local("movie.mp4")).stdout))
    sent.parts(os.path.getsize(local("movie.mp4")))


@check
def ffmpeg_is_denied():
    for command in (("ffprobe", "-v", "error", *FFMPEG_HEADER, denied("movie.mp4")),
                    ("ffmpeg", "-v", "error", *FFMPEG_HEADER, "-i", denied("movie.mp4"), "closed.mkv")):
        sent = Sent("movie.mp4")
        done = run(*command, code=1)
        assert b"403 Forbidden" in done.stderr, done.stderr
        nothing_came("closed.mkv")
        sent.nothing()


sys.exit(main())
