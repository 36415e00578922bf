"""The command `algo` of PyPI's algorithmia 2.0.5, unmodified, with a configuration in a HOME of its own.

    python algo_suite.py CONFIG.json

Prints lines as py_suite.py does. `algo auth` takes addresses of https://api.… alone, so the file that it would write
is written here. `algo cp` knows a remote place by `data://` only; in front of a connection's address it does no harm.
"""

import hashlib
import json
import os
import subprocess
import sys

from reading import BASE, BUCKET, CONFIG, FOLDER, WORK, check, content, equal, local, main

ALGO = [sys.executable, "-B", os.path.join(os.path.dirname(sys.executable), "algo")]
REPORTS = f"s3+saha://{BUCKET}/reports/"
WORKPLACE = f"s3+rw://{BUCKET}/{WORK}"


def configure():
    """Profiles of that file: one for each API key."""
    os.makedirs(local(".algorithmia"))
    with open(local(".algorithmia/config"), "w") as file:
        for name, key in CONFIG["keys"].items():
            file.write(f"[profiles.{'default' if name == 'full' else name}]\napi_key = '{key}'\napi_server = '{BASE}'\n"
                       "ca_cert = ''\nbearer_token = ''\n")


def algo(*arguments, code=0):
    done = subprocess.run([*ALGO, *arguments], cwd=FOLDER, stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                          env={**os.environ, "HOME": FOLDER})
    equal(done.returncode, code, done.stderr[-800:])
    return (done.stdout if code == 0 else done.stderr).decode()


def write(name, data):
    with open(local(name), "wb") as file:
        file.write(data)
    return name


def stored(name, data):
    print(json.dumps({"stored": WORK + name, "sha256": hashlib.sha256(data).hexdigest()}), flush=True)


@check
def ls():
    equal(algo("ls").split(), ["ana/"])
    names = [f"{name}/" for name in CONFIG["reports"]["folders"]] + CONFIG["reports"]["files"]
    equal(algo("ls", REPORTS).split(), [REPORTS + name for name in names])
    line = algo("ls", "-l", REPORTS + "text.txt").split()
    equal(line[2:], [str(len(CONFIG["text"].encode())), REPORTS + "text.txt"])


@check
def ls_of_thousands():
    lines = algo("ls", f"s3+saha://{BUCKET}/many/").split()
    equal((len(lines), len(set(lines))), (CONFIG["many"]["files"] + CONFIG["many"]["folders"],) * 2)


@check
def cat():
    equal(algo("cat", REPORTS + "text.txt"), CONFIG["text"] + "\n")
    equal(algo("cat", REPORTS + "q1/*"), "a,b\n\n")
    equal(algo("cat", REPORTS + "none"), f"file does not exist {REPORTS}none\n")


@check
def cp_up_down_and_across():
    data = os.urandom(1 << 20)
    algo("cp", write("up", data), f"data://{WORKPLACE}one")
    stored("one", data)
    algo("cp", f"data://{WORKPLACE}one", f"data://{WORKPLACE}two")
    stored("two", data)
    algo("cp", f"data://{WORKPLACE}two", "down")
    equal(content("down"), data)
    algo("cp", write("up", b"shorter"), f"data://{WORKPLACE}two")
    stored("two", b"shorter")


@check
def cp_of_a_folder():
    os.mkdir(local("reports"))
    algo("cp", REPORTS + "*", "reports")
    equal(sorted(os.listdir(local("reports"))), CONFIG["reports"]["files"])
    equal(content("reports/text.txt").decode(), CONFIG["text"])


@check
def cp_without_data():
    """The command's own answer: it sends nothing."""
    equal(algo("cp", write("up", b"x"), WORKPLACE + "none"),
          "at least one of the operands must be a path to a remote data source data://\n")
    equal(algo("cat", WORKPLACE + "none"), f"file does not exist {WORKPLACE}none\n")


@check
def mkdir_rm_rmdir():
    algo("mkdir", WORKPLACE + "made")
    algo("mkdir", WORKPLACE + "made")
    assert WORKPLACE + "made/" in algo("ls", WORKPLACE).split()
    algo("cp", write("up", b"x"), f"data://{WORKPLACE}made/file")
    equal(algo("rmdir", WORKPLACE + "made"), f"{WORKPLACE}made is not empty; `force=true` deletes all in it\n")
    algo("rm", WORKPLACE + "made/file")
    equal(algo("cat", WORKPLACE + "made/file"), f"file does not exist {WORKPLACE}made/file\n")
    algo("rmdir", "-f", WORKPLACE + "made")
    assert WORKPLACE + "made/" not in algo("ls", WORKPLACE).split()


@check
def denied():
    secret, words = f"s3+saha://{BUCKET}/secret/", CONFIG["messages"]["denied"]
    for arguments in (("ls", secret), ("ls", secret + "k.txt"), ("cp", f"data://{secret}k.txt", "secret"),
                      ("cp", f"data://{secret}*", "secret"), ("cp", "--profile", "none", f"data://{REPORTS}text.txt", "secret")):
        text = algo(*arguments, code=1)
        assert words in text, text
    assert not os.path.exists(local("secret"))
    # It takes whatever is refused for what is not there.
    equal(algo("cat", secret + "k.txt"), f"file does not exist {secret}k.txt\n")
    assert algo("rm", REPORTS + "text.txt").startswith(words)
    for arguments in (("mkdir", secret + "new"), ("cp", write("up", b"x"), f"data://{REPORTS}new"),
                      ("cp", "--profile", "read_only", "up", f"data://{WORKPLACE}none")):
        assert "<Response [403]>" in algo(*arguments, code=1)
    assert CONFIG["messages"]["key"] in algo("ls", "--profile", "wrong", REPORTS, code=1)
    # Hosted data, which it means by an address without a connection, is not kept here.
    assert "<Response [404]>" in algo("cp", "up", "data://.my/collection/up", code=1)


configure()
sys.exit(main())
