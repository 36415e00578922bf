"""What starting any S3 server takes: ports, credentials, processes that can be stopped, readiness."""

import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import string
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
REAL = pathlib.Path(os.environ.get("PATHWARD_REAL", HERE.parents[2] / "target/real")).resolve()
READY_SECONDS = 90


class Failed(Exception):
    """Something did not start; its text is for a person."""


def tool(name):
    path = REAL / name
    if not path.exists():
        raise Failed(f"{path} is missing; run tests/real/setup")
    return str(path)


def credentials():
    """An access key and a secret, in the form that AWS gives them, new for every run.

    Every secret has a `+` and a `/`, so that it reads differently once it is URL-encoded.
    """
    upper = string.ascii_uppercase + "234567"
    mixed = string.ascii_letters + string.digits
    start, middle, end = ("".join(secrets.choice(mixed) for _ in range(n)) for n in (10, 14, 14))
    return "AKIA" + "".join(secrets.choice(upper) for _ in range(16)), f"{start}/{middle}+{end}"


def free_ports(count, below=65536, offsets=()):
    """Ports of loopback that nothing listens on, nor at these offsets from them."""
    found, held = [], []
    while len(found) < count:
        port = secrets.randbelow(min(below, 32768) - 10240) + 10240
        try:
            for number in [port, *(port + offset for offset in offsets)]:
                sock = socket.socket()
                held.append(sock)
                sock.bind(("127.0.0.1", number))
        except OSError:
            continue
        found.append(port)
    for sock in held:
        sock.close()
    return found


def launch(folder, name, command, **options):
    """Starts a daemon in a process group of its own, which `stop` finds by its number."""
    log = open(folder / f"{name}.out", "wb")
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                               start_new_session=True, **options)
    with open(folder / "pids", "a") as pids:
        pids.write(f"{process.pid} {name}\n")


def run(folder, command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, cwd=folder)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command[:1] + command[3:6])} failed: {done.stderr.decode(errors='replace')[-800:]}")
    return done.stdout


def running(pid):
    """Whether it runs; a child that ended and was not waited for does not."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def await_ready(folder, endpoint, key, secret):
    """Waits until the server takes an object, gives it back, and a daemon has not ended."""
    probe = f"""
import boto3, botocore.config
s3 = boto3.client("s3", endpoint_url={endpoint!r}, region_name="us-east-1",
    aws_access_key_id={key!r}, aws_secret_access_key={secret!r},
    config=botocore.config.Config(s3={{"addressing_style": "path"}}, connect_timeout=5, read_timeout=20,
                                  retries={{"total_max_attempts": 1}}))
try:
    s3.create_bucket(Bucket="ready-check")
except s3.exceptions.ClientError as error:
    if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
        raise
s3.put_object(Bucket="ready-check", Key="k", Body=b"v")
assert s3.get_object(Bucket="ready-check", Key="k")["Body"].read() == b"v"
s3.delete_object(Bucket="ready-check", Key="k")
s3.delete_bucket(Bucket="ready-check")
"""
    port = int(endpoint.rpartition(":")[2])
    end = time.monotonic() + READY_SECONDS
    last = "nothing listens"
    while time.monotonic() < end:
        for line in (folder / "pids").read_text().splitlines():
            pid, name = line.split()
            if not running(int(pid)):
                raise Failed(f"{name} ended by itself:\n{tail(folder / f'{name}.out')}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)  # A port has no other way to say that it opened.
            continue
        done = subprocess.run([tool("servers/bin/python"), "-c", probe], capture_output=True)
        if done.returncode == 0:
            return
        last = done.stderr.decode().strip().splitlines()[-1]
    raise Failed(f"not ready within {READY_SECONDS} s: {last}")


def tail(path):
    return path.read_text(errors="replace")[-1500:]


def stop(folder):
    """Kills every daemon's process group, and waits until none of them runs."""
    pids = folder / "pids"
    if not pids.exists():
        return
    groups = [int(line.split()[0]) for line in pids.read_text().splitlines()]
    # Nothing here is kept, and SIGTERM takes SeaweedFS over ten seconds.
    for group in reversed(groups):
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass
    end = time.monotonic() + 10
    while any(running(group) for group in groups):
        if time.monotonic() > end:
            raise Failed(f"still running: {[group for group in groups if running(group)]}")
        time.sleep(0.02)
    pids.unlink()


def main(start, usage):
    if len(sys.argv) != 3 or sys.argv[1] not in ("start", "stop"):
        print(usage, file=sys.stderr)
        return 2
    folder = pathlib.Path(sys.argv[2]).resolve()
    try:
        if sys.argv[1] == "stop":
            stop(folder)
            return 0
        stop(folder)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        try:
            print(json.dumps(start(folder)), flush=True)
        except BaseException:
            stop(folder)
            raise
        return 0
    except (Failed, subprocess.TimeoutExpired) as failed:
        print(f"{pathlib.Path(sys.argv[0]).name}: {failed}", file=sys.stderr)
        return 1
