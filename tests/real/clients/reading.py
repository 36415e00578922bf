"""What the suites of programs that read share: where they read, and what the gateway says it sent.

A program's output shows that it got the right bytes; only the gateway's log shows that it got them by
ranges, and not the whole file each time. So each check looks at both.
"""

import json
import os
import sys
import time
import traceback
import urllib.request

CONFIG = json.load(open(sys.argv[1]))
BASE, BUCKET, WORK, FOLDER = (CONFIG[name] for name in ("base", "bucket", "work", "folder"))
VALUE = f"Simple {CONFIG['keys']['full']}"
HEADER = f"Authorization: {VALUE}"
CLOSED = "s3+saha"  # A connection that reads elsewhere, and nothing below WORK.
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def equal(found, wanted, *about):
    assert found == wanted, f"{shorten(found)} is not {shorten(wanted)} {about or ''}"


def shorten(value):
    text = repr(value)
    return text if len(text) < 300 else f"{text[:200]}…{text[-60:]}"


def address(name, connection="s3+rw"):
    return f"{BASE}/v1/data/{connection}://{BUCKET}/{WORK}{name}"


def denied(name):
    """The same file, by a connection that may not read it."""
    return address(name, CLOSED)


def local(name):
    return os.path.join(FOLDER, name)


def content(name):
    with open(local(name), "rb") as file:
        return file.read()


def store(name, data):
    """Puts a file there, and tells the driver that it must be there at the end."""
    with open(local(name), "wb") as file:
        file.write(data)
    request = urllib.request.Request(address(name), data=data, method="PUT",
                                     headers={"Authorization": VALUE, "Content-Type": "application/octet-stream"})
    with urllib.request.urlopen(request) as answer:
        equal(answer.status, 200, name)
    print(json.dumps({"stored": WORK + name, "file": local(name)}), flush=True)
    return data


class Sent:
    """What the gateway's log says of one file, from now on."""

    def __init__(self, name):
        self.key, self.start = WORK + name, os.path.getsize(CONFIG["log"])

    def decisions(self):
        with open(CONFIG["log"], "rb") as file:
            file.seek(self.start)
            lines = file.read().splitlines(keepends=True)
        found = [json.loads(line) for line in lines if line.endswith(b"\n") and b'"op"' in line]
        return [line for line in found if line["key"] == self.key]

    def await_lines(self, enough):
        """The decisions, once there are enough: a download's line is written at its end."""
        end = time.monotonic() + 10
        while not enough(found := self.decisions()) and time.monotonic() < end:
            time.sleep(0.02)
        shown = [{name: line.get(name) for name in ("op", "decision", "bytes", "ended")} for line in found]
        assert enough(found), f"the gateway says otherwise: {shown}"
        return found

    def parts(self, size, at_least=1, and_whole=False):
        """The lengths of the parts that were sent to their end; that the whole was is an error, unless told."""
        def lengths(found):
            return [line["bytes"] for line in found if line["op"] == "read" and line.get("ended") == "whole"]

        def parts(found):
            return [length for length in lengths(found) if length < size]

        found = self.await_lines(lambda found: len(parts(found)) >= at_least)
        assert and_whole or parts(found) == lengths(found), f"the whole file was sent: {lengths(found)}"
        return parts(found)

    def nothing(self):
        """A file that was asked for by the connection of `denied`: that is in the log, and none of it was sent."""
        def asked(found):
            return [line for line in found if line["connection"] == CLOSED]

        found = asked(self.await_lines(asked))
        assert all(line["decision"] == "deny" and not line.get("bytes") for line in found), found


def main():
    failed = 0
    for function in CHECKS:
        try:
            function()
            ok, detail = True, ""
        except Exception as error:  # Whatever it is, the other checks go on.
            line = traceback.extract_tb(error.__traceback__)
            own = [frame.lineno for frame in line if frame.filename == sys.argv[0]]
            ok, detail = False, f"line {own}: {type(error).__name__}: {error}"
            failed += 1
        print(json.dumps({"name": function.__name__, "ok": ok, "detail": detail}), flush=True)
    return 1 if failed else 0
