"""The published Python clients against a gateway: algorithmia 2.0.5 and 1.0.4, unmodified.

    python py_suite.py CONFIG.json

Prints a JSON line per check, {"name", "ok", "detail"}, and one for each object that must now be
in the bucket, {"stored", "sha256"}; the driver looks there itself. See run.py for the rest.
"""

import csv
import datetime
import hashlib
import json
import os
import sys
import tempfile

import Algorithmia
from Algorithmia.acl import ReadAcl

from reading import BASE, BUCKET, CONFIG, WORK, check, main, shorten

KEYS = CONFIG["keys"]
# The two versions raise different things, and the older one lacks some methods.
NEW = hasattr(Algorithmia.client("", BASE), "username")


def only_new(function):
    """A check of methods that 1.0.4 does not have."""
    return check(function) if NEW else function


def client(key="full"):
    return Algorithmia.client(KEYS[key], BASE)


def at(connection, path=""):
    return f"{connection}://{path}"


def read_only(path):
    return at("s3+saha", f"{BUCKET}/{path}")


def work(path=""):
    return at("s3+rw", f"{BUCKET}/{WORK}{path}")


def equal(found, wanted, what=""):
    assert found == wanted, f"{what} is {shorten(found)}, not {shorten(wanted)}"


def raises(words, action):
    """Runs it, and wants an exception with all of these words in its text."""
    try:
        result = action()
    except Exception as error:  # The clients raise bare `Exception`s.
        text = str(error)
        missing = [word for word in words if word not in text]
        assert not missing, f"raised {type(error).__name__}: {text!r}, without {missing}"
        return text
    raise AssertionError(f"raised nothing, and returned {shorten(result)}")


def stored(key, data):
    print(json.dumps({"stored": f"{WORK}{key}", "sha256": hashlib.sha256(data).hexdigest()}))


def local_file(data):
    handle, path = tempfile.mkstemp()
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    return path


# The original guide's program.

@check
def seed_program_reads_csv():
    file = client().file("S3+saha://%s/test_data.csv" % BUCKET).getFile()
    with open(file.name, newline="", encoding="utf-8") as text:
        equal(list(csv.reader(text)), CONFIG["csv_rows"], "the parsed CSV")


@check
def seed_program_get():
    response = client().file("s3+saha://%s/test_data.csv" % BUCKET).get()
    equal(response.status_code, 200)
    equal(list(csv.reader(response.content.decode().splitlines())), CONFIG["csv_rows"])


@check
def seed_program_name():
    name = client().file("S3+saha://%s/test_data.csv" % BUCKET).getFile().name
    assert os.path.getsize(name) > 0, name


@check
def default_connection():
    equal(client().file(at("s3", f"{BUCKET}/test_data.csv")).getString().splitlines()[0],
          ",".join(CONFIG["csv_rows"][0]))


# Files.

@check
def file_exists():
    equal(client().file(read_only("team.jpg")).exists(), True)
    equal(client().file(read_only("reports/none.pdf")).exists(), False)


@check
def file_get_bytes():
    data = client().file(read_only("team.jpg")).getBytes()
    equal(hashlib.sha256(data).hexdigest(), CONFIG["team_sha256"])


@check
def file_get_string_utf8():
    equal(client().file(read_only("reports/text.txt")).getString(), CONFIG["text"])


@check
def file_get_json():
    equal(client().file(read_only("reports/data.json")).getJson(), {"ä": [1, 2.5, None]})


@check
def file_get_name():
    equal(client().file(read_only("reports/text.txt")).getName(), "text.txt")


@only_new
def file_get_as_path():
    path = client().file(read_only("team.jpg")).getFile(as_path=True)
    equal(hashlib.sha256(open(path, "rb").read()).hexdigest(), CONFIG["team_sha256"])


@only_new
def file_exists_with_error():
    equal(client().file(read_only("team.jpg")).existsWithError()[0], True)
    found, message = client().file(read_only("reports/none.pdf")).existsWithError()
    equal(found, False)
    assert message.startswith("there is no file or directory"), message


@only_new
def file_as_stream():
    with client().file(read_only("reports/text.txt")) as file:
        equal(file.read(), CONFIG["text"])
        file.seek(0)
        equal(file.read(4), CONFIG["text"][:4])


@check
def put_string():
    file = client().file(work("kept/string.txt"))
    file.put("grüße\n")
    equal(file.getString(), "grüße\n")
    stored("kept/string.txt", "grüße\n".encode())


@check
def put_bytes_verbatim():
    data = bytes(range(256)) * 3
    file = client().file(work("kept/bytes"))
    file.put(data)
    equal(file.getBytes(), data)
    stored("kept/bytes", data)


@check
def put_json():
    value = {"a": [1, "ü"], "error": "a key of the user's own"}
    file = client().file(work("kept/value.json"))
    file.putJson(value)
    equal(file.getJson(), value)
    stored("kept/value.json", json.dumps(value).encode())


@check
def put_overwrites():
    file = client().file(work("kept/twice"))
    file.put("the first, which is longer")
    file.put("second")
    equal(file.getString(), "second")
    stored("kept/twice", b"second")


@check
def put_empty():
    file = client().file(work("kept/empty"))
    file.put("")
    equal(file.getBytes(), b"")
    stored("kept/empty", b"")


@check
def put_file():
    file = client().file(work("kept/file"))
    file.putFile(local_file(b"line\n" * 1000))
    equal(file.getBytes(), b"line\n" * 1000)
    stored("kept/file", b"line\n" * 1000)


@check
def put_empty_file_chunked():
    # requests finds no length in it, and sends chunks: none.
    file = client().file(work("kept/empty-file"))
    file.putFile(local_file(b""))
    equal(file.exists(), True)
    equal(file.getBytes(), b"")
    stored("kept/empty-file", b"")


@check
def put_chunked_stream():
    # A generator is what requests sends in chunks, of unknown length; the client hands it through.
    data = os.urandom(1 << 20)
    parts = (data[start:start + 70_000] for start in range(0, len(data), 70_000))
    file = client().file(work("kept/stream"))
    result = client().putHelper(file.url, parts)
    assert "error" not in result, result
    equal(file.getBytes(), data)
    stored("kept/stream", data)


@check
def put_chunked_stream_of_many_parts():
    # More than two of S3's smallest parts, so that it becomes a multipart upload.
    block = os.urandom(1 << 20)
    file = client().file(work("kept/parts"))
    result = client().putHelper(file.url, (block for _ in range(18)))
    assert "error" not in result, result
    stored("kept/parts", block * 18)


@check
def put_megabytes():
    data = os.urandom(7 << 20)
    file = client().file(work("kept/large"))
    file.put(data)
    equal(hashlib.sha256(file.getBytes()).hexdigest(), hashlib.sha256(data).hexdigest())
    stored("kept/large", data)


@only_new
def put_file_megabytes():
    data = os.urandom(9 << 20)
    file = client().file(work("kept/large-file"))
    file.putFile(local_file(data))
    path = file.getFile(as_path=True)
    equal(hashlib.sha256(open(path, "rb").read()).hexdigest(), hashlib.sha256(data).hexdigest())
    stored("kept/large-file", data)


@only_new
def put_and_get_zip():
    folder = tempfile.mkdtemp()
    for name in ("one.txt", "two.txt"):
        with open(os.path.join(folder, name), "w") as file:
            file.write(name)
    file = client().file(work("archive.zip"))
    file.putAsZip(folder)
    found = sorted(os.path.basename(name) for _, _, names in os.walk(file.getAsZip()) for name in names)
    equal(found, ["one.txt", "two.txt"])
    file.delete()


@check
def delete_file():
    file = client().file(work("short-lived"))
    file.put("x")
    equal(file.delete(), True)
    equal(file.exists(), False)


@check
def delete_missing_file():
    raises(["there is no file or directory"], lambda: client().file(work("never-was")).delete())


# Names. What the client makes of each is written beside it.

NAMES = {
    "a b.txt": "a b.txt",
    "ü.txt": "ü.txt",
    "u\u0308.txt": "u\u0308.txt",
    "日本.txt": "日本.txt",
    "😀.txt": "😀.txt",
    "a+b%20c.txt": "a+b c.txt",
    "%41.txt": "A.txt",
    "100%.txt": "100%.txt",
    "pct%zz": "pct%zz",
    "sub%2Fslash": "sub/slash",
    "escaped%3Fmark%23and%2520more": "escaped?mark#and%20more",
    'q"<>|^`{}[].txt': 'q"<>|^`{}[].txt',
    "p!$&'()*,;=:@~.txt": "p!$&'()*,;=:@~.txt",
    "./dot": "dot",
    "d/../up": "up",
    "...": "...",
    "UPPER.TXT": "UPPER.TXT",
}


def odd_name(name, key):
    def run():
        data = f"the file called {name}".encode()
        file = client().file(work("names/" + name))
        file.put(data)
        equal(file.getBytes(), data)
        stored("names/" + key, data)
    run.__name__ = f"odd_name {name!r}"
    return run


for _name, _key in NAMES.items():
    check(odd_name(_name, _key))


def ambiguous_name(name):
    """A name that some servers read as another one: a key of its own where keys are exact, else refused."""
    def run():
        data = f"the file called {name}".encode()
        file = client().file(work("ambiguous/" + name))
        if CONFIG["exact"]:
            file.put(data)
            equal(file.getBytes(), data)
            stored("ambiguous/" + name, data)
        else:
            raises(["400"] if NEW else ["could read"], lambda: file.put(data))
            equal(file.exists(), False)
            raises(["could read"] if NEW else ["does not exist"], file.getBytes)
    run.__name__ = f"ambiguous_name {name!r}"
    return run


for _name in ("a//b", "back\\slash"):
    check(ambiguous_name(_name))


@check
def names_of_a_listing_come_back():
    wanted = sorted({key.split("/")[0] for key in NAMES.values() if "/" not in key})
    equal(sorted(file.getName() for file in client().dir(work("names")).files()), wanted)


# Directories.

@check
def dir_lifecycle():
    directory = client().dir(work("made"))
    equal(directory.exists(), False)
    directory.create()
    equal(directory.exists(), True)
    equal(list(directory.list()), [])
    equal([d.getName() for d in client().dir(work("")).dirs() if d.getName() == "made"], ["made"])
    directory.create()  # A second time changes nothing.
    equal(directory.delete(), True)
    equal(directory.exists(), False)


@check
def dir_create_with_slash():
    # Posts the name "" to the directory itself.
    client().dir(work("slashed/")).create()
    equal(client().dir(work("slashed")).exists(), True)
    equal(client().dir(work("slashed/")).delete(True), True)
    equal(client().dir(work("slashed/")).exists(), False)


@check
def dir_create_with_acl():
    directory = client().dir(work("with-acl"))
    directory.create(ReadAcl.public)
    equal(directory.get_permissions(), None)
    directory.delete()


@check
def dir_create_odd_name():
    directory = client().dir(work("odd dir ü+&"))
    directory.create()
    directory.file("f").put("x")
    equal([f.getName() for f in directory.files()], ["f"])
    directory.delete(True)
    equal(directory.exists(), False)


@check
def dir_delete_needs_force():
    directory = client().dir(work("full"))
    directory.create()
    directory.file("a").put("a")
    directory.dir("sub").create()
    directory.dir("sub").file("b").put("b")
    raises(["not empty"], directory.delete)
    equal(directory.file("a").exists(), True)
    equal(directory.delete(force=True), True)
    equal(directory.exists(), False)
    equal(directory.file("a").exists(), False)
    equal(directory.dir("sub").exists(), False)


@check
def dir_delete_missing():
    raises(["there is no file or directory"], client().dir(work("never-was")).delete)


@check
def dir_of_a_bucket_cannot_be_made():
    raises(create_error("this cannot be done with"), client().dir(at("s3+rw", "newbucket")).create)


@check
def dir_list_mixed():
    directory = client().dir(read_only("reports"))
    equal([d.getName() for d in directory.dirs()], CONFIG["reports"]["folders"], "dirs()")
    equal([f.getName() for f in directory.files()], CONFIG["reports"]["files"], "files()")
    equal([x.getName() for x in directory.list()],
          CONFIG["reports"]["folders"] + CONFIG["reports"]["files"], "list()")
    text = next(f for f in directory.files() if f.getName() == "text.txt")
    equal(text.size, len(CONFIG["text"].encode()))
    age = datetime.datetime.utcnow() - text.last_modified
    assert datetime.timedelta(minutes=-5) < age < datetime.timedelta(hours=2), text.last_modified


@check
def dir_list_thousands():
    found = list(client().dir(read_only("many")).list())
    names = [x.getName() for x in found]
    equal(len(names), CONFIG["many"]["files"] + CONFIG["many"]["folders"])
    equal(len(set(names)), len(names), "the number of different names")
    equal(len(list(client().dir(read_only("many/")).files())), CONFIG["many"]["files"])
    equal(len(list(client().dir(read_only("many")).dirs())), CONFIG["many"]["folders"])


@check
def dir_list_is_narrowed():
    names = [x.getName() for x in client().dir(at("s3+saha", BUCKET)).list()]
    equal(names, ["many", "reports", "team.jpg", "test_data.csv"])
    equal([x.getName() for x in client().dir(at("s3+saha", "")).list()], [BUCKET])


@check
def dir_file_and_dir_of():
    directory = client().dir(read_only("reports"))
    equal(directory.file("text.txt").getString(), CONFIG["text"])
    equal(directory.dir("q1").exists(), True)
    equal(directory.getName(), "reports")


@only_new
def dir_get():
    folder = client().dir(read_only("reports/q1")).getDir()
    equal(sorted(os.listdir(folder)), CONFIG["q1"])


@check
def file_of_a_directory_is_its_listing():
    listing = json.loads(client().file(read_only("reports")).getString())
    equal([f["name"] for f in listing["folders"]], CONFIG["reports"]["folders"])


@check
def permissions():
    directory = client().dir(work(""))
    equal(directory.get_permissions(), None)
    raises(["Unable to update permissions: permissions of a data connection"],
           lambda: directory.update_permissions(ReadAcl.private))


@only_new
def username():
    equal(client().username(), "ana")


# Errors: what each surfaces in this client.

def put_error(message):
    """What a refused `put` raises: 2.0.5 loses the message."""
    return ["Non-Algorithm related Failure: <Response ["] if NEW else [message]


def create_error(message):
    """What a refused `create` raises: 2.0.5 loses the message here too."""
    return put_error("Directory creation failed: ") + ([] if NEW else [message])


def get_error(message):
    """What a refused get raises: 1.0.4 takes every refusal for absence."""
    return ["unable to get file", message] if NEW else ["file does not exist - "]


def error_checks(what, key, connection, path, message):
    """The same place, asked in every way; each way is refused."""
    folder, _, name = path.rpartition("/")

    def run():
        file = client(key).file(at(connection, path))
        equal(file.exists(), False)
        for get in (file.getString, file.getBytes, file.getFile, file.getJson):
            raises(get_error(message), get)
        response = file.get()
        equal(response.json()["error"]["message"].startswith(message), True, "get()")
        raises(["Directory iteration failed", message],
               lambda: list(client(key).dir(at(connection, path + "/")).list()))
        equal(client(key).dir(at(connection, path)).exists(), False)
        raises(put_error(message), lambda: file.put("x"))
        raises(put_error(message), lambda: file.putJson({}))
        raises([message], file.delete)
        raises(create_error(message),
               client(key).dir(at(connection, path + "-dir")).create)
        raises([message], lambda: client(key).dir(at(connection, path)).delete(True))
    run.__name__ = f"error {what}"
    check(run)


error_checks("denied path", "full", "s3+saha", f"{BUCKET}/secret/k.txt", CONFIG["messages"]["denied"])
error_checks("unknown label", "full", "s3+nobodys", f"{BUCKET}/test_data.csv", "you have no data connection s3+nobodys")
error_checks("another user's label", "full", "s3+theirs", f"{BUCKET}/test_data.csv", "you have no data connection s3+theirs")
error_checks("wrong API key", "wrong", "s3+saha", f"{BUCKET}/test_data.csv", CONFIG["messages"]["key"])
error_checks("key without data access", "none", "s3+saha", f"{BUCKET}/test_data.csv", CONFIG["messages"]["denied"])


@check
def error_malformed_path():
    file = client().file(read_only("reports/a%00b"))
    equal(file.exists(), False)
    raises(get_error(CONFIG["messages"]["control"]), file.getString)
    raises(put_error(CONFIG["messages"]["control"]), lambda: file.put("x"))


@check
def error_question_mark():
    # The client sends `?y` as a query and leaves `#z` out; it must not become the file x.
    file = client().file(work("x?y#z"))
    raises(put_error("the query has a parameter"), lambda: file.put("x"))
    equal(client().file(work("x")).exists(), False)


@check
def error_missing_file():
    file = client().file(read_only("reports/none.pdf"))
    for get in (file.getString, file.getBytes, file.getFile, file.getJson):
        raises(get_error("there is no file or directory"), get)
    raises(["Directory iteration failed", "there is no file or directory"],
           lambda: list(client().dir(read_only("reports/none")).list()))


def writes_are_refused(key, connection, path):
    file = client(key).file(at(connection, path + "/text.txt"))
    equal(file.exists(), connection == "s3+saha")
    raises(put_error(CONFIG["messages"]["denied"]), lambda: file.put("x"))
    raises([CONFIG["messages"]["denied"]], file.delete)
    raises(create_error(CONFIG["messages"]["denied"]), client(key).dir(at(connection, path + "/new")).create)
    raises([CONFIG["messages"]["denied"]], lambda: client(key).dir(at(connection, path)).delete(True))


@check
def error_read_only_connection():
    writes_are_refused("full", "s3+saha", f"{BUCKET}/reports")


@check
def error_read_only_key():
    writes_are_refused("read_only", "s3+rw", f"{BUCKET}/{WORK}".rstrip("/"))


sys.exit(main())
