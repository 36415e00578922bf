"""A backend with objects in it, a policy over them, and a gateway between that and the clients."""

import hashlib
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import string
import subprocess
import time

import boto3
import botocore.config

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
REAL = pathlib.Path(os.environ.get("PATHWARD_REAL", ROOT / "target/real")).resolve()

# SeaweedFS has no buckets with capitals: it refuses to make one, and where one is made through its
# filer, lists nothing in it. On the others the bucket is called as in the original guide.
BUCKETS = {"embedded": "Algorithmia", "ceph": "Algorithmia", "seaweedfs": "algorithmia"}
CSV_ROWS = [["basket", "item"], ["1", "bread"], ["1", "milk"], ["2", "café"], ["3", "beer"]]
TEXT = "Zeile eins\nline two: ü 日本\n"
TEAM = bytes(range(256)) * 41
MANY = {"files": 1100, "folders": 5}
MAX_BODY = 64 << 20  # More than any suite uploads, and little enough to go beyond.

# Where a key is its bytes; SeaweedFS is the one that serves an object under several keys.
EXACT = {"embedded": True, "ceph": True, "seaweedfs": False}

# What no answer may ever hold: the content of whatever is out of every caller's reach.
SECRET = b"NOT FOR CALLERS " + secrets.token_hex(16).encode()

# What the gateway's messages begin with.
MESSAGES = {
    "denied": "this data connection does not permit that for ",
    "key": "the API key is missing or unknown",
    "dots": "the segment at byte ",
    "control": "a control byte ",
    "ambiguous": "the data source could read ",
}

REPORTS = {  # A folder whose listing every client compares, whole and in order.
    "2026.pdf": (b"%PDF-1.4 \xff\xfe not text", "application/pdf"),
    "data.json": ('{"ä": [1, 2.5, null]}'.encode(), "application/json"),
    "text.txt": (TEXT.encode(), "text/plain"),
}
FOLDERS = ["q1", "q2"]
# Files for raw requests alone, in a folder of their own.
ODD = ["ü.txt", "a b.txt", "a+b.txt", "100%.txt", "pct%zz", "x?y#z", "日本.txt", "A.txt", "%41.txt"]


def new_key():
    alphabet = string.ascii_letters + string.digits
    return "sim" + "".join(secrets.choice(alphabet) for _ in range(32))


class Backend:
    """One of tests/real/servers, running."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.script = HERE / "servers" / name
        done = subprocess.run([self.script, "start", folder], stdout=subprocess.PIPE, check=True)
        found = json.loads(done.stdout)
        self.endpoint, self.key, self.secret = (found[k] for k in ("endpoint", "access_key", "secret_key"))
        self.bucket = BUCKETS[name]
        self.work = f"{self.bucket}/work/raw"  # Where raw requests may write.
        self.s3 = boto3.client(
            "s3", endpoint_url=self.endpoint, region_name="us-east-1",
            aws_access_key_id=self.key, aws_secret_access_key=self.secret,
            config=botocore.config.Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}))

    def stop(self):
        subprocess.run([self.script, "stop", self.folder], check=True)

    def put(self, key, data, content_type="application/octet-stream", bucket=None):
        self.s3.put_object(Bucket=bucket or self.bucket, Key=key, Body=data, ContentType=content_type)

    def get(self, key, bucket=None):
        try:
            return self.s3.get_object(Bucket=bucket or self.bucket, Key=key)["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return None

    def keys(self, prefix, bucket=None):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket or self.bucket, Prefix=prefix)
        return {item["Key"] for page in pages for item in page.get("Contents", [])}

    def seed(self):
        self.s3.create_bucket(Bucket=self.bucket)
        self.s3.create_bucket(Bucket=f"{self.bucket}2")
        text = "".join(",".join(row) + "\n" for row in CSV_ROWS)
        self.put("test_data.csv", text.encode(), "text/csv")
        self.put("team.jpg", TEAM, "image/jpeg")
        for name, (data, content_type) in REPORTS.items():
            self.put(f"reports/{name}", data, content_type)
        for folder in FOLDERS:
            self.put(f"reports/{folder}/part.csv", b"a,b\n", "text/csv")
        for name in ODD:
            self.put(f"odd/{name}", f"the file {name}".encode(), "text/plain")
        for number in range(MANY["files"]):
            self.put(f"many/file-{number:04}.txt", b"%d" % number)
        for number in range(MANY["folders"]):
            self.put(f"many/folder-{number}/inside.txt", b"")
        for key in ("secret/k.txt", "secret/deeper/k.txt", "work/locked/k.txt", "team.jpg.old", "test_data.csv2",
                    "many2/k.txt", "private.txt"):
            self.put(key, SECRET, "text/plain")
        self.put("secret/k.txt", SECRET, "text/plain", bucket=f"{self.bucket}2")


class Gateway:
    """`pathward serve` with a policy over a backend; its output goes to files, at trace level."""

    def __init__(self, binary, backend, folder):
        self.folder = folder
        folder.mkdir(parents=True)
        self.keys = {name: new_key() for name in ("full", "read_only", "none", "other", "wrong")}
        self.write_policy(backend)
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder),
            # A connection's credentials by each kind of reference.
            "CANARY_ACCESS_KEY_ID": backend.key, "CANARY_SECRET_ACCESS_KEY": backend.secret,
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "profiles"), "AWS_CONFIG_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true", "RUST_BACKTRACE": "full",
        }
        self.stdout, self.stderr = folder / "gateway.stdout", folder / "gateway.stderr"
        with open(self.stdout, "wb") as out, open(self.stderr, "wb") as err:
            self.process = subprocess.Popen(
                [binary, "serve", "--policy", folder / "policy", "--listen", "127.0.0.1:0", "--log-level", "trace",
                 "--log-format", "json", "--max-body", str(MAX_BODY)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment, cwd=folder)
        self.base = self.await_address()

    def await_address(self):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            found = re.search(r"http://127\.0\.0\.1:\d+", self.stdout.read_text())
            if found:
                return found.group()
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        self.process.kill()
        raise SystemExit(f"the gateway did not start:\n{self.stdout.read_text()}{self.stderr.read_text()}")

    def write_policy(self, backend):
        text = f"[default]\naws_access_key_id = {backend.key}\naws_secret_access_key = {backend.secret}\n"
        (self.folder / "credentials").write_text(text)
        (self.folder / "profiles").write_text(text.replace("default", "canary"))
        here = f"owner: ana, endpoint: '{backend.endpoint}', region: us-east-1"
        by = {"env": "credentials: { env: CANARY }", "profile": "credentials: { profile: canary }",
              "file": f"credentials: {{ file: '{self.folder}/credentials' }}"}
        exact = "keys: exact, " if EXACT[backend.name] else ""
        policy = self.folder / "policy"
        policy.mkdir()
        (policy / "connections.yaml").write_text(f"""\
connections:
  - {{ id: s3+saha, {here}, {by["env"]}, restrictions: [{backend.bucket}/test_data.csv, {backend.bucket}/team.jpg, {backend.bucket}/many/, {backend.bucket}/reports/] }}
  - {{ id: s3+rw, {here}, {by["file"]}, {exact}access: read-write, restrictions: [{backend.bucket}/work/], deny: [{backend.bucket}/work/locked/] }}
  - {{ id: s3+all, {here}, {by["profile"]}, default: true, restrictions: [{backend.bucket}/] }}
  # What a server that aliases keys would leak by: everything but one folder, and where it may write.
  - {{ id: s3+most, {here}, {by["env"]}, access: read-write, restrictions: [{backend.bucket}/], deny: [{backend.bucket}/secret/, {backend.bucket}/private.txt] }}
  - {{ id: s3+theirs, {here.replace("ana", "bob")}, {by["env"]}, restrictions: [{backend.bucket}/] }}
  # A label that both have, which are different connections.
  - {{ id: s3+both, {here}, {by["env"]}, restrictions: [{backend.bucket}/many/] }}
  - {{ id: s3+both, {here.replace("ana", "bob")}, {by["env"]}, restrictions: [{backend.bucket}/many/] }}
""")
        hashed = {name: hashlib.sha256(key.encode()).hexdigest() for name, key in self.keys.items()}
        (policy / "users.yaml").write_text(f"""\
users:
  - name: ana
    keys:
      - {{ id: full, sha256: {hashed["full"]}, access: read-write }}
      - {{ id: read-only, sha256: {hashed["read_only"]}, access: read-only }}
      - {{ id: none, sha256: {hashed["none"]}, access: none }}
  - name: bob
    keys:
      - {{ id: full, sha256: {hashed["other"]}, access: read-write }}
""")

    def stop(self):
        """Stops it as a service manager would; it must end by itself, with 0."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "killed: it did not stop within 40 s"

    def memory(self):
        """The most memory it has had, in MiB."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", text).group(1)) // 1024


def config_of_suite(gateway, backend, name, folder):
    """What a client's suite is told."""
    return {
        "base": gateway.base, "keys": gateway.keys, "bucket": backend.bucket, "work": f"work/{name}/",
        "exact": EXACT[backend.name],
        "csv_rows": CSV_ROWS, "text": TEXT, "messages": MESSAGES,
        "team_sha256": hashlib.sha256(TEAM).hexdigest(), "team_size": len(TEAM), "many": MANY,
        "reports": {"folders": FOLDERS, "files": sorted(REPORTS)}, "q1": ["part.csv"],
        "node_modules": str(REAL / "node/node_modules"), "folder": str(folder),
        "log": str(gateway.stderr), "chromium": shutil.which("chromium"),
    }
