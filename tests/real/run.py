#!/usr/bin/env python3
"""Runs Algorithmia's published clients, and programs that read by ranges, unmodified, through the gateway
to real S3 servers.

    tests/real/run.py                          all backends, all suites
    tests/real/run.py --backend ceph           one backend (embedded, seaweedfs, ceph)
    tests/real/run.py --suite node --suite raw     some suites
    tests/real/run.py --no-backend ceph --no-suite portal     all but these
    tests/real/run.py --binary target/release/pathward
    tests/real/run.py --no-build               with what was built before

Suites: clients in their languages (py205, py104, node, rust, api-client, algo, typescript, php, r); programs
that read by ranges and conditions (programs, tables, video); requests of our own (raw, aliases); portal; canaries.

Then the portal, driven by a browser: PATHWARD_BLESS=1 writes its pictures into src/portal/pictures.

For each backend it starts the server, puts objects there, starts `pathward serve` with a policy
over them, runs the suites, and compares what is stored then with what the clients were told.
tests/real/setup installs what this needs. PATHWARD_REAL (target/real) is where that is.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
REAL = pathlib.Path(os.environ.get("PATHWARD_REAL", ROOT / "target/real")).resolve()

PYTHON = REAL / "servers/bin/python"
if pathlib.Path(sys.prefix) != REAL / "servers":  # boto3 is in that environment alone.
    if not PYTHON.exists():
        sys.exit("tests/real/run.py: run tests/real/setup first")
    os.execv(PYTHON, [str(PYTHON), "-B", *sys.argv])

import aliases  # noqa: E402
import canaries  # noqa: E402
import demo  # noqa: E402
import raw  # noqa: E402
import world  # noqa: E402

CLIENTS = {
    "py205": [REAL / "py205/bin/python", "-B", HERE / "clients/py_suite.py"],
    "py104": [REAL / "py104/bin/python", "-B", HERE / "clients/py_suite.py"],
    "node": ["node", "--no-deprecation", HERE / "clients/node_suite.js"],
    "rust": [REAL / "rust/debug/pathward-rust-client"],
    "api-client": [REAL / "py205/bin/python", "-B", HERE / "clients/api_client_suite.py"],
    "algo": [REAL / "py205/bin/python", "-B", HERE / "clients/algo_suite.py"],
    "typescript": ["env", f"NODE_PATH={REAL}/typescript/node_modules", "node", "--no-deprecation",
                   "--import", REAL / "typescript/node_modules/tsx/dist/loader.mjs", HERE / "clients/ts_suite.ts"],
    "php": ["php", HERE / "clients/php_suite.php"],
    "r": ["Rscript", "--vanilla", HERE / "clients/r_suite.R"],
    "programs": [REAL / "programs/bin/python", "-B", HERE / "clients/programs.py"],
    "tables": [REAL / "programs/bin/python", "-B", HERE / "clients/tables.py"],
    "video": [REAL / "portal/bin/python", "-B", HERE / "clients/video.py"],
}
SUITES = [*CLIENTS, "raw", "aliases", "portal", "canaries"]
# Where the portal is driven by a browser: keys are bytes on the one, and not on the other.
PORTAL = {"embedded", "seaweedfs"}
# More than the longest suite takes on two busy cores; past it, something hangs.
SUITE_SECONDS = 300


class Results:
    """What was checked: lines as they come, and a table at the end."""

    def __init__(self):
        self.rows, self.failures, self.passed, self.failed = [], [], 0, 0

    def add(self, backend, suite, checks, seconds):
        failed = [check for check in checks if not check["ok"]]
        self.passed += len(checks) - len(failed)
        self.failed += len(failed)
        self.rows.append((backend, suite, len(checks) - len(failed), len(failed), seconds))
        print(f"{backend:10} {suite:10} {len(checks) - len(failed):4} passed {len(failed):4} failed {seconds:6.1f} s",
              flush=True)
        for check in failed:
            print(f"    FAILED {check['name']}\n        {check['detail'][:1200]}", flush=True)

    def table(self):
        print(f"\n{'backend':10} {'suite':10} {'passed':>6} {'failed':>6} {'seconds':>8}")
        for backend, suite, passed, failed, seconds in self.rows:
            print(f"{backend:10} {suite:10} {passed:6} {failed:6} {seconds:8.1f}")
        print(f"{self.passed} passed, {self.failed} failed")


def check(name, problems):
    """A check of the driver's own: fine where there are no problems."""
    return {"name": name, "ok": not problems, "detail": "; ".join(map(str, problems))}


def run_client(name, gateway, backend, folder):
    """Runs a client's suite, and compares what it says it stored with the backend."""
    folder.mkdir()
    config = folder / "config.json"
    config.write_text(json.dumps(world.config_of_suite(gateway, backend, name, folder)))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), "NO_PROXY": "127.0.0.1",
                   "PYTHONWARNINGS": "ignore"}
    with open(folder / "stdout", "wb") as out, open(folder / "stderr", "wb") as err:
        try:
            code = subprocess.run([*CLIENTS[name], config], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                  env=environment, cwd=folder, timeout=SUITE_SECONDS).returncode
        except subprocess.TimeoutExpired:
            code = f"none within {SUITE_SECONDS} s"
    lines = [json.loads(line) for line in (folder / "stdout").read_text().splitlines()]
    checks = [line for line in lines if "ok" in line]
    # A suite that ended early has run less than it should, whatever it has said until then.
    if code != (0 if checks and all(c["ok"] for c in checks) else 1):
        checks.append(check("the suite ends as it says", [f"exit code {code}",
                                                          (folder / "stderr").read_text()[-800:]]))
    wanted = {line["stored"]: digest(line) for line in lines if "stored" in line}
    found = backend.keys(f"work/{name}/")
    checks.append(check("every upload is stored under its exact key, and nothing else is left",
                        [f"missing {key!r}" for key in wanted.keys() - found]
                        + [f"there is {key!r}" for key in found - wanted.keys()] + ([] if wanted else ["no uploads"])))
    checks.append(check("every upload is stored verbatim",
                        [key for key in wanted.keys() & found
                         if hashlib.sha256(backend.get(key)).hexdigest() != wanted[key]]))
    return checks


def digest(line):
    if "sha256" in line:
        return line["sha256"]
    return hashlib.sha256(pathlib.Path(line["file"]).read_bytes()).hexdigest()


def search_canaries(gateway, backend, texts):
    """Looks for credentials, and for keys of the API, in all that came out of the gateway."""
    texts = dict(texts)
    for path in (gateway.stdout, gateway.stderr):
        texts[path.name] = path.read_bytes()
    credentials = {"the access key": backend.key, "the secret": backend.secret}
    keys = {f"the API key {name}": key for name, key in gateway.keys.items()}
    log = texts["gateway.stderr"]
    lines = log.count(b'"reason_code"')
    return [
        check("the search finds what is planted",
              [name for name, text in canaries.planted(backend.secret).items()
               if not canaries.search({"secret": backend.secret}, {name: text})]),
        # An empty log would hold no secret either.
        check("the log has a line for each decision", [] if lines > 500 else [f"{lines} lines"]),
        check("no credential in output, log or answers", canaries.search(credentials, texts)),
        check("no API key in output or log",
              canaries.search(keys, {name: texts[name] for name in ("gateway.stdout", "gateway.stderr")})),
        check("nothing of the secret objects in output, log or answers",
              canaries.search({"an object's secret": world.SECRET.decode()}, texts)),
        check("no panic", ["the log tells of one"] if b"panicked" in log else []),
    ]


def run_portal(binary, backend, folder):
    """Drives the portal of a demo with a browser, over this backend."""
    folder.mkdir()
    stdout, stderr = folder / "gateway.stdout", folder / "gateway.stderr"
    temporary = folder / "tmp"
    temporary.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(temporary), "NO_PROXY": "127.0.0.1"}
    with open(stdout, "wb") as out, open(stderr, "wb") as err:
        served = subprocess.Popen([binary, "serve", "--demo", "--listen", "127.0.0.1:0", "--portal", "127.0.0.1:0",
                                   "--allow-private-endpoint", "all", "--log-level", "trace"],
                                  stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment, cwd=folder)
    checks = []
    try:
        end = time.monotonic() + 60
        while "Ctrl-C" not in stdout.read_text() and served.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        text = stdout.read_text()
        found = {name: re.search(pattern, text) for name, pattern in (
            ("gateway", r"listening on (http://\S+)"), ("portal", r"portal on (http://\S+)"),
            ("link", r"(http://\S+/first\?link=\w+)"), ("key", r"Simple (\w+)"))}
        checks.append(check("the demo says where everything is", [name for name in found if not found[name]]))
        if not all(found.values()):
            return checks
        config = {name: match.group(1) for name, match in found.items()}
        config |= {"bucket": backend.bucket, "endpoint": backend.endpoint, "access_key": backend.key,
                   "secret_key": backend.secret, "python": str(CLIENTS["py205"][0]), "chromium": shutil.which("chromium"),
                   "axe": str(REAL / "axe/node_modules/axe-core/axe.min.js")}
        if backend.name == "embedded":
            pictures = ROOT / "src/portal/pictures" if "PATHWARD_BLESS" in os.environ else folder / "pictures"
            pictures.mkdir(exist_ok=True)
            config["pictures"] = str(pictures)
        (folder / "config.json").write_text(json.dumps(config))
        with open(folder / "stdout", "wb") as out, open(folder / "stderr", "wb") as err:
            code = subprocess.run([REAL / "portal/bin/python", "-B", HERE / "portal.py", folder / "config.json"],
                                  stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder,
                                  timeout=2 * SUITE_SECONDS).returncode
        lines = [json.loads(line) for line in (folder / "stdout").read_text().splitlines()]
        checks += lines
        if code != 0 or not lines:
            checks.append(check("the browser's suite ends as it should", [code, (folder / "stderr").read_text()[-2000:]]))
        if backend.name == "embedded":
            few = [name for name in ("sources", "restrictions", "review") if not (pictures / f"{name}.png").exists()]
            checks.append(check("the pictures of the README can be made", few))
        # At rest, in output and in the log: sealed, or not at all.
        files = {str(file.relative_to(folder)): file.read_bytes() for file in [stdout, stderr, *temporary.rglob("*")]
                 if file.is_file()}
        checks.append(check("the store is among what is searched", [] if any("tmp/" in name for name in files) else ["no"]))
        checks.append(check("no credential at rest, in output or in the log",
                            canaries.search({"the access key": backend.key, "the secret": backend.secret}, files)))
    finally:
        code = demo.stopped(served)
    checks.append(check("it stops with 0, and its store is gone", ([] if code == 0 else [code]) + list(temporary.iterdir())))
    return checks


def run_backend(name, suites, binary, results, folder):
    started = time.monotonic()
    backend = world.Backend(name, folder / "server")
    try:
        backend.seed()
        print(f"{name:10} started and seeded in {time.monotonic() - started:.1f} s", flush=True)
        if "portal" in suites and name in PORTAL:
            started = time.monotonic()
            results.add(name, "portal", run_portal(binary, backend, folder / "portal"), time.monotonic() - started)
        gateway = world.Gateway(binary, backend, folder / "gateway")
        texts = {}
        try:
            for suite in suites:
                started = time.monotonic()
                if suite in CLIENTS:
                    checks = run_client(suite, gateway, backend, folder / suite)
                    texts[f"{suite}'s output"] = (folder / suite / "stdout").read_bytes()
                elif suite == "raw":
                    checks, texts["answers to raw requests"] = raw.run(gateway, backend)
                elif suite == "aliases":
                    checks, texts["answers to aliases"] = aliases.run(gateway, backend)
                else:
                    continue
                results.add(name, suite, checks, time.monotonic() - started)
            memory = gateway.memory()
        finally:
            code = gateway.stop()
        started = time.monotonic()
        checks = [check("the gateway stops when told to, with 0", [] if code == 0 else [code])]
        if "canaries" in suites:
            checks += search_canaries(gateway, backend, texts)
        results.add(name, "canaries", checks, time.monotonic() - started)
        print(f"{name:10} the gateway had {memory} MiB at most", flush=True)
    finally:
        backend.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", action="append", choices=list(world.EXACT))
    parser.add_argument("--suite", action="append", choices=[*SUITES, "demo"])
    parser.add_argument("--no-backend", action="append", choices=list(world.EXACT), default=[])
    parser.add_argument("--no-suite", action="append", choices=[*SUITES, "demo"], default=[])
    parser.add_argument("--binary", type=pathlib.Path, help="the gateway; built when not given")
    parser.add_argument("--no-build", action="store_true",
                        help="take what was built before; the embedded server may be PATHWARD_EMBEDDED_S3")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs")
    arguments = parser.parse_args()
    # What ends this ends the servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    # With the packages and features of tests/run, so that what that has built is not built again.
    if not arguments.no_build:
        subprocess.run(["cargo", "build", "--locked", "--quiet", "--workspace", "--features", "conformance",
                        "--bin", "pathward", "--example", "embedded-s3"], cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    binary = (arguments.binary or target / "debug/pathward").resolve()
    embedded = str(target.resolve() / "debug/examples/embedded-s3")
    os.environ["PATHWARD_EMBEDDED_S3"] = os.environ.get("PATHWARD_EMBEDDED_S3", embedded) if arguments.no_build else embedded
    suites = [suite for suite in arguments.suite or [*SUITES, "demo"] if suite not in arguments.no_suite]
    backends = [name for name in arguments.backend or world.EXACT if name not in arguments.no_backend]
    results = Results()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pathward-real-"))
    try:
        if "demo" in suites:
            started = time.monotonic()
            results.add("demo", "demo", demo.run(binary, folder / "demo", CLIENTS["py205"][0]), time.monotonic() - started)
        for name in backends:
            if suites != ["demo"]:
                (folder / name).mkdir()
                run_backend(name, suites, binary, results, folder / name)
    finally:
        if arguments.keep or results.failed:
            print(f"logs are in {folder}")
        else:
            shutil.rmtree(folder)
    results.table()
    return 1 if results.failed or not results.passed else 0


sys.exit(main())
