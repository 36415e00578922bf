"""`pathward serve --demo`, and the three lines that it prints: each does what it says."""

import os
import re
import shlex
import signal
import subprocess
import time


def stopped(gateway):
    """Interrupts a gateway; what it ended with, 0 where all is well."""
    gateway.send_signal(signal.SIGINT)
    try:
        return gateway.wait(40)
    except subprocess.TimeoutExpired:
        gateway.kill()
        return f"{gateway.wait()}, after it was killed"


def run(binary, folder, python):
    folder.mkdir()
    stdout, stderr = folder / "stdout", folder / "stderr"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), "NO_PROXY": "127.0.0.1"}
    with open(stdout, "wb") as out, open(stderr, "wb") as err:
        gateway = subprocess.Popen([binary, "serve", "--demo", "--listen", "127.0.0.1:0",
                                    "--portal", "127.0.0.1:0"], stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=err, env=environment, cwd=folder)
    checks = []

    def add(name, ok, detail):
        checks.append({"name": name, "ok": bool(ok), "detail": str(detail)})

    try:
        end = time.monotonic() + 30
        while "Ctrl-C" not in stdout.read_text() and gateway.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        lines = [line.strip() for line in stdout.read_text().splitlines() if re.match(r"\s+(curl|python3) ", line)]
        add("three lines to try are printed", len(lines) == 3, stdout.read_text() + stderr.read_text())
        for name, line, wanted in zip(("curl", "Python's client", "what is denied"), lines, ("OK", "OK", "2001")):
            command = shlex.split(line)
            if command[0] == "python3":
                command[0] = str(python)  # The one that has the client.
            else:
                command[1:1] = ["--silent", "--show-error"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment)
            denied = '"code":2001' in done.stdout
            ok = denied if wanted == "2001" else done.returncode == 0 and done.stdout.count(",") > 1 and not denied
            add(f"the line of {name}", ok, f"{line}\n{done.stdout}{done.stderr}")
    finally:
        code = stopped(gateway)
    add("it stops with 0", code == 0, code)
    left = [str(path) for path in folder.iterdir() if path not in (stdout, stderr)]
    add("its credentials are gone", not left, left)
    return checks
