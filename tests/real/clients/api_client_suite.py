"""The generated client of Algorithmia's whole API, unmodified: algorithmia-api-client, which PyPI's algorithmia brings.

    python api_client_suite.py CONFIG.json

Prints lines as py_suite.py does. What this client makes of it: it gives a file's bytes only where it is told not to
read them; it sends what is put as JSON, unless another type is set for all; it knows labels of letters and digits.
"""

import hashlib
import json
import sys
import urllib.parse

import Algorithmia
from algorithmia_api_client import ApiException, ApiValueError

from reading import BASE, BUCKET, CONFIG, WORK, check, equal, main


def api(key="full"):
    return Algorithmia.client(CONFIG["keys"][key], BASE).manageApi


def get(connection, path, **more):
    return api().get_file_or_directory(connection, f"{BUCKET}/{path}", **more)


def bytes_of(connection, path):
    return get(connection, path, _preload_content=False).data


def put(path, body, as_type=None):
    client = api()
    if as_type:
        client.api_client.set_default_header("Content-Type", as_type)
    answer = client.upload_file("s3+rw", f"{BUCKET}/{WORK}{path}", body=body)
    equal(answer.result, f"s3+rw://{BUCKET}/{WORK}{path}")


def delete(path, **more):
    answer = api().connector_connector_id_connector_path_delete("s3+rw", f"{BUCKET}/{WORK}{path}".rstrip("/"), **more)
    return int(answer.result.deleted)


def exists(connection, path):
    try:
        return api().verify_file_existence_with_http_info(connection, f"{BUCKET}/{path}")[1] == 200
    except ApiException as error:
        equal(error.status, 404)
        return False


def stored(path, data):
    print(json.dumps({"stored": WORK + path, "sha256": hashlib.sha256(data).hexdigest()}), flush=True)


def refused(status, words, action):
    try:
        found = action()
    except ApiException as error:
        equal(error.status, status)
        # An answer to HEAD has no body, but the message among its headers.
        message = json.loads(error.body)["error"]["message"] if error.body else error.headers["X-Error-Message"]
        assert message.startswith(words), message
    else:
        raise AssertionError(f"this came: {found!r}")


def denied(action):
    refused(403, CONFIG["messages"]["denied"], action)


@check
def a_file():
    equal(hashlib.sha256(bytes_of("s3+saha", "team.jpg")).hexdigest(), CONFIG["team_sha256"])
    equal(bytes_of("s3+saha", "reports/text.txt").decode(), CONFIG["text"])
    equal(json.loads(bytes_of("s3+saha", "reports/data.json")), {"ä": [1, 2.5, None]})
    equal(bytes_of("s3", "test_data.csv").splitlines()[0].decode(), ",".join(CONFIG["csv_rows"][0]))


@check
def a_file_exists():
    equal([exists("s3+saha", path) for path in ("team.jpg", "reports", "reports/none")], [True, True, False])
    headers = api().verify_file_existence_with_http_info("s3+saha", f"{BUCKET}/team.jpg")[2]
    equal((headers["Content-Length"], headers["X-Data-Type"]), (str(CONFIG["team_size"]), "file"))


@check
def a_listing():
    for more in ({}, {"acl": True}):
        found = get("s3+saha", "reports", **more)
        equal([folder.name for folder in found.folders], CONFIG["reports"]["folders"])
        equal([file.filename for file in found.files], CONFIG["reports"]["files"])
        equal((int(found.files[2].size), found.marker), (len(CONFIG["text"].encode()), None))


@check
def a_listing_of_thousands():
    files, folders, marker, pages = [], [], None, 0
    while pages == 0 or marker:
        page = get("s3+saha", "many", **({"marker": marker} if marker else {}))
        files += [file.filename for file in page.files or []]
        folders += [folder.name for folder in page.folders or []]
        marker, pages = page.marker, pages + 1
        assert pages < 20, "the pages do not end"
    equal((len(set(files)), len(files), len(folders)), (CONFIG["many"]["files"],) * 2 + (CONFIG["many"]["folders"],))
    assert pages > 1, pages


@check
def put_json():
    put("kept/value.json", {"a": 1, "error": "of the user"})
    data = json.dumps({"a": 1, "error": "of the user"}).encode()
    equal(bytes_of("s3+rw", f"{WORK}kept/value.json"), data)
    stored("kept/value.json", data)
    put("kept/text", "a string")  # As JSON, too.
    equal(bytes_of("s3+rw", f"{WORK}kept/text"), b'"a string"')
    stored("kept/text", b'"a string"')


@check
def put_bytes_and_overwrite():
    for data in (bytes(range(256)) * 4000, b"shorter"):
        put("kept/bytes", data, as_type="application/octet-stream")
        equal(bytes_of("s3+rw", f"{WORK}kept/bytes"), data)
    stored("kept/bytes", b"shorter")


@check
def delete_a_file():
    put("gone", b"x", as_type="text/plain")
    equal((exists("s3+rw", f"{WORK}gone"), delete("gone"), exists("s3+rw", f"{WORK}gone")), (True, 1, False))
    refused(404, "there is no file or directory", lambda: delete("gone"))


@check
def odd_names():
    """It escapes all there is, the `/` between names too."""
    names = ["a b.txt", "ü.txt", "日本.txt", "a+b.txt", "%41.txt", "x?y#z", 'q"<>|^`{}[].txt']
    for name in names:
        put(f"names/{name}", name.encode(), as_type="application/octet-stream")
        equal(bytes_of("s3+rw", f"{WORK}names/{name}"), name.encode())
        stored(f"names/{name}", name.encode())
    equal(sorted(file.filename for file in get("s3+rw", f"{WORK}names").files), sorted(names))


@check
def directories():
    client = api()
    for _ in range(2):
        answer = client.create_directory("s3+rw", f"{BUCKET}/{WORK}".rstrip("/"), unknown_base_type={"name": "made"})
        equal(urllib.parse.unquote(answer.result), f"s3+rw://{BUCKET}/{WORK}made")
    equal(exists("s3+rw", f"{WORK}made"), True)
    put("made/sub/file", b"x", as_type="text/plain")
    refused(409, "", lambda: delete("made"))
    assert delete("made", force=True) >= 1
    equal((exists("s3+rw", f"{WORK}made"), exists("s3+rw", f"{WORK}made/sub/file")), (False, False))


@check
def denied_paths():
    secret = f"{BUCKET}/secret/k.txt"
    denied(lambda: api().get_file_or_directory("s3+saha", secret))
    denied(lambda: api().get_file_or_directory("s3+saha", secret, _preload_content=False).data)
    denied(lambda: api().get_file_or_directory("s3+saha", f"{BUCKET}/secret/"))
    denied(lambda: api().verify_file_existence("s3+saha", secret))
    denied(lambda: api().upload_file("s3+saha", secret, body="x"))
    denied(lambda: api().upload_file("s3+saha", f"{BUCKET}/reports/text.txt", body="x"))
    denied(lambda: api().connector_connector_id_connector_path_delete("s3+saha", f"{BUCKET}/secret", force=True))
    denied(lambda: api().create_directory("s3+saha", f"{BUCKET}/secret", unknown_base_type={"name": "new"}))
    denied(lambda: api("none").get_file_or_directory("s3+saha", f"{BUCKET}/team.jpg"))
    denied(lambda: api("read_only").upload_file("s3+rw", f"{BUCKET}/{WORK}none", body="x"))
    refused(403, "you have no data connection s3+theirs", lambda: get("s3+theirs", "team.jpg"))
    refused(401, CONFIG["messages"]["key"], lambda: api("wrong").get_file_or_directory("s3+saha", f"{BUCKET}/team.jpg"))
    refused(404, "there is no file or directory", lambda: get("s3+saha", "reports/none"))


@check
def what_it_refuses_itself():
    for connection, path in (("s3+under_score", "x"), ("s3+saha", "a//b")):
        try:
            get(connection, path)
        except ApiValueError:
            continue
        raise AssertionError((connection, path))


sys.exit(main())
