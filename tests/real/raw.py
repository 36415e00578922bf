"""The checklist of the Data API, item by item, by requests that no client alters."""

import re
import time
import urllib.parse

from http_raw import Caller, Checks, equal, failed
from world import CSV_ROWS, FOLDERS, MANY, MAX_BODY, MESSAGES, REPORTS, TEAM, TEXT

check = Checks()
DATA, CONNECTOR = "/v1/data/s3+saha://", "/v1/connector/s3+saha/"
FAMILIES = ["/v1/data/{}://{}", "/v1/connector/{}/{}", "/api/v1/connector/{}/{}"]
CSV = "".join(",".join(row) + "\n" for row in CSV_ROWS).encode()
NODE = [("User-Agent", "algorithmia-nodejs/0.3.10 (NodeJS v20.0.0)")]


def odd(backend, name):
    return f"/v1/data/s3+all://{backend.bucket}/odd/{name}"


def target(connection, path, family=0):
    return FAMILIES[family].format(connection, path)


# 1. Targets.

@check
def both_families_and_every_way_to_write_a_connection(ask, backend):
    for start in (DATA, CONNECTOR, "/api" + CONNECTOR, "/v1/data/S3+saha://", "/v1/connector/S3%2Bsaha/",
                  "/v1/connector/s3%2bsaha/", "/v1/data/s3%2Bsaha://", "/v1/data/s3+saha%3A//"):
        answer = ask("GET", f"{start}{backend.bucket}/test_data.csv")
        equal((answer.status, answer.body), (200, CSV), start)
    for whole in (f"s3%2Bsaha%3A%2F%2F{backend.bucket}%2Ftest_data.csv", f"s3%2bsaha%3a%2f%2f{backend.bucket}%2ftest_data.csv"):
        equal(ask("GET", f"/v1/data/{whole}").body, CSV, whole)
    equal(ask("GET", f"/v1/connector/s3%2Bsaha/{backend.bucket}%2Ftest_data.csv").body, CSV)


@check
def default_connection_by_its_protocol(ask, backend):
    for start in ("/v1/data/s3://", "/v1/data/S3://", "/v1/connector/s3/"):
        equal(ask("GET", f"{start}{backend.bucket}/test_data.csv").body, CSV, start)


@check
def names_are_decoded_once(ask, backend):
    for sent, name in {
        "a%20b.txt": "a b.txt", "a+b.txt": "a+b.txt", "a%2Bb.txt": "a+b.txt", "x%3Fy%23z": "x?y#z",
        "%C3%BC.txt": "ü.txt", "%c3%bc.txt": "ü.txt", "%E6%97%A5%E6%9C%AC.txt": "日本.txt",
        "%41.txt": "A.txt", "%2541.txt": "%41.txt",
        # What is no escape stays as it is.
        "100%.txt": "100%.txt", "100%25.txt": "100%.txt", "pct%zz": "pct%zz", "pct%25zz": "pct%zz",
    }.items():
        answer = ask("GET", odd(backend, sent))
        equal((answer.status, answer.body.decode()), (200, f"the file {name}"), sent)


@check
def form_encoding_of_java(ask, backend):
    start = f"/v1/data/s3%2Ball%3A%2F%2F{backend.bucket}%2Fodd%2F"
    for sent, name in {"a+b.txt": "a b.txt", "a%2Bb.txt": "a+b.txt", "a%20b.txt": "a b.txt",
                       "%2541.txt": "%41.txt"}.items():
        equal(ask("GET", start + sent).body.decode(), f"the file {name}", sent)


@check
def raw_bytes(ask, backend):
    equal(ask("GET", odd(backend, "\xfc.txt")).body.decode(), "the file ü.txt", "Latin-1")
    equal(ask("GET", odd(backend, "\xc3\xbc.txt")).body.decode(), "the file ü.txt", "UTF-8")
    failed(ask("GET", odd(backend, "%FC.txt")), 400, 2015)
    failed(ask("GET", odd(backend, "%C3%28.txt")), 400, 2015)
    failed(ask("GET", odd(backend, "%C0%AF")), 400, 2015)


@check
def malformed_paths(ask, backend):
    for family in range(len(FAMILIES)):
        for path in (f"{backend.bucket}/reports/../secret/k.txt", f"{backend.bucket}/./test_data.csv", f"{backend.bucket}/reports/..",
                     f"{backend.bucket}/reports/%2e%2e/secret/k.txt", f"{backend.bucket}/reports/.%2E/secret/k.txt",
                     f"{backend.bucket}/reports/..%2fsecret%2fk.txt", f"{backend.bucket}/a%00b", f"{backend.bucket}/a%0Ab", f"{backend.bucket}/a%7Fb",
                     f"{backend.bucket}/" + "k" * 1025, "ab/x", f"../{backend.bucket}/test_data.csv", f"{backend.bucket}/%2e", "b%20c/x"):
            for method in ("GET", "HEAD", "PUT", "DELETE"):
                answer = ask(method, target("s3+saha", path, family), b"x" if method == "PUT" else None)
                if method == "HEAD":
                    equal(answer.status, 400, path, answer)
                    assert answer.header("x-error-message"), answer
                else:
                    failed(answer, 400, 2015)


@check
def empty_segments_are_neither_merged_nor_redirected(ask, backend):
    for path in (f"{backend.bucket}//test_data.csv", f"{backend.bucket}/reports//text.txt", f"{backend.bucket}/reports\\text.txt"):
        assert failed(ask("GET", target("s3+saha", path)), 400, 2015).startswith(MESSAGES["ambiguous"]), path
    assert ask("GET", f"//v1/data/s3+saha://{backend.bucket}/test_data.csv").status in (400, 404)
    assert ask("GET", f"/v1//data/s3+saha://{backend.bucket}/test_data.csv").status in (400, 404)
    assert ask("GET", f"/v1/data//s3+saha://{backend.bucket}/test_data.csv").status != 200


@check
def roots(ask, backend):
    for root in ("/v1/data/", "/v1/data", "/v1/connector/data", "/v1/data/data://", "/v1/connector/data/"):
        answer = ask("GET", root)
        equal(answer.status, 200, root, answer)
        equal(answer.json(), {"folders": [{"name": "ana"}], "files": []}, root)
        equal(answer.header("x-data-type"), "directory", root)
    for root in ("/v1/data/s3+saha://", "/v1/data/s3+saha:/", "/v1/connector/s3+saha", "/v1/connector/s3+saha/"):
        equal(ask("GET", root).json(), {"folders": [{"name": backend.bucket}], "files": []}, root)
        equal(ask("HEAD", root).status, 200, root)
    failed(ask("GET", "/v1/data/.my/collection/file"), 404)


# 2. Who asks.

@check
def keys_in_every_form(ask, backend):
    key = ask.__self__.keys["full"]
    for form in (key, f"Simple {key}", f"simple {key}", f"SIMPLE {key}", f"Bearer {key}", f"bearer {key}"):
        equal(ask("GET", f"{DATA}{backend.bucket}/test_data.csv", authorization=form).status, 200, form[:7])


@check
def unknown_keys_are_all_alike(ask, backend):
    key = ask.__self__.keys["full"]
    answers = []
    for form in (None, "", "Simple", "Simple ", key[:-1], key + "x", f"Basic {key}", f"Simple Simple {key}",
                 "Simple " + key.upper(), "Bearer ", "Simple \xff", "Simple " + "k" * 5000):
        answer = ask("GET", f"{DATA}{backend.bucket}/test_data.csv", key=None, authorization=form)
        failed(answer, 401, 2002)
        answers.append((without_id(answer), sorted(n for n, _ in answer.headers)))
    assert all(answer == answers[0] for answer in answers), answers
    # Before a path is looked at, and whatever it is.
    for path in ("/v1/data/s3+nobodys://x/y", "/v1/data/s3+saha://../..", "/v1/connector/?"):
        failed(ask("GET", path, key=None), 401, 2002)
    two = [("Authorization", f"Simple {key}")]
    failed(ask("GET", f"{DATA}{backend.bucket}/test_data.csv", headers=two), 401, 2002)


def without_id(answer):
    error = dict(answer.json()["error"])
    error.pop("id", None)
    return error


@check
def an_unknown_label_is_like_anothers(ask, backend):
    for method, body in (("GET", None), ("HEAD", None), ("PUT", b"x"), ("POST", b'{"name":"d"}'), ("DELETE", None)):
        for family in range(2):
            answers = []
            # Of one length, so that the answers' lengths must be the same.
            for label in ("s3+nobody", "s3+theirs"):
                answer = ask(method, target(label, f"{backend.bucket}/test_data.csv", family), body)
                equal(answer.status, 403, method, answer)
                headers = [(n, v.replace(label, "LABEL")) for n, v in answer.headers
                           if n not in ("date", "x-request-id")]
                message = None
                if method != "HEAD":
                    failed(answer, 403, 2001)
                    message = {k: str(v).replace(label, "LABEL") for k, v in without_id(answer).items()}
                answers.append((headers, message))
            equal(answers[0], answers[1], method)
    equal(ask("GET", target("s3+theirs", f"{backend.bucket}/test_data.csv"), key="other").status, 200)
    failed(ask("GET", target("s3+saha", f"{backend.bucket}/test_data.csv"), key="other"), 403, 2001)


@check
def a_denial_tells_only_what_was_asked(ask, backend):
    """What is there and what is not read alike, near a restriction and far from any."""
    messages = set()
    for path in ("secret/k.txt", "secret/none", "team.jpg.old", "team.jp", "test_data.csv2", "many2/k.txt"):
        message = failed(ask("GET", target("s3+saha", f"{backend.bucket}/{path}")), 403, 2001)
        assert path in message, message
        messages.add(message.replace(path, "PATH"))
    equal(len(messages), 1, messages)
    for path in (f"{backend.bucket}2/secret/k.txt", "elsewhere/k.txt", f"{backend.bucket}-private/k"):
        failed(ask("GET", target("s3+saha", path)), 403, 2001)


@check
def keys_have_their_own_access(ask, backend):
    failed(ask("GET", target("s3+all", f"{backend.bucket}/test_data.csv"), key="none"), 403, 2001)
    failed(ask("GET", target("s3+all", backend.bucket), key="none"), 403, 2001)
    equal(ask("GET", target("s3+rw", f"{backend.bucket}/work/"), key="read_only").status in (200, 404), True)
    for method, body in (("PUT", b"x"), ("DELETE", None)):
        failed(ask(method, target("s3+rw", f"{backend.work}/k"), body, key="read_only"), 403, 2001)
    failed(ask("POST", target("s3+rw", backend.work), b'{"name":"d"}', key="read_only"), 403, 2001)


# 3. Success is 200 exactly, and JSON.

@check
def success_is_200_with_json(ask, backend):
    path = target("s3+rw", f"{backend.work}/one")
    answer = ask("PUT", path, b"1")
    equal((answer.status, answer.json()), (200, {"result": f"s3+rw://{backend.work}/one"}))
    answer = ask("PUT", path, b"12")
    equal(answer.status, 200, "overwriting")
    answer = ask("DELETE", path, headers=[("Content-Type", "text/plain")])
    equal((answer.status, answer.body), (200, b'{"result":{"deleted":1}}'), answer)
    equal(answer.header("content-type"), "application/json")
    failed(ask("DELETE", path), 404)


@check
def every_error_is_json(ask, backend):
    """The HTTP stack's own among them."""
    for path in ("/", "/v1", "/v1/", "/v2/data/x", "/v1/database", "/favicon.ico", "/v1/connectors/s3+saha/x"):
        failed(ask("GET", path), 404)
        answer = ask("HEAD", path)
        assert answer.status == 404 and answer.header("x-error-message"), answer
    for method in ("OPTIONS", "TRACE", "BREW", "PROPFIND", "COPY"):
        answer = ask(method, f"{DATA}{backend.bucket}/test_data.csv")
        failed(answer, 405)
        assert answer.header("allow"), answer
    failed(ask("GET", f"{DATA}{backend.bucket}/" + "k" * 20_000), 414)
    # Told beforehand, and found out on the way.
    answer = ask("PUT", target("s3+rw", f"{backend.work}/big"), headers=[("Content-Length", str(MAX_BODY + 1))])
    failed(answer, 413)
    block = bytes(1 << 20)
    failed(ask("PUT", target("s3+rw", f"{backend.work}/big"), (block for _ in range(MAX_BODY // len(block) + 2))), 413)
    failed(ask("GET", target("s3+rw", f"{backend.work}/big")), 404)
    answer = ask("GET", f"{DATA}{backend.bucket}/test_data.csv", headers=[("X-Large", "x" * 60_000)])
    failed(answer, 431)
    for query in ("?x=1", "?force=true", "?marker=a&marker=b", "?acl=perhaps"):
        failed(ask("GET", f"{DATA}{backend.bucket}/test_data.csv{query}"), 400)


@check
def errors_by_status(ask, backend):
    failed(ask("GET", target("s3+saha", f"{backend.bucket}/reports/none")), 404)
    failed(ask("GET", target("s3+saha", f"{backend.bucket}/reports/none/")), 404)
    failed(ask("PUT", target("s3+saha", f"{backend.bucket}/reports/x"), b"x"), 403, 2001)
    failed(ask("DELETE", target("s3+saha", f"{backend.bucket}/reports/text.txt")), 403, 2001)
    # A root and a bucket are never deleted, whatever may be deleted in them.
    for connection in ("s3+rw", "s3+all", "s3+most"):
        for path in ("", backend.bucket, f"{backend.bucket}/"):
            for query in ("", "?force=true"):
                answer = ask("DELETE", target(connection, path) + query)
                assert answer.status in (400, 403), answer
                failed(answer, answer.status)
    answer = ask("PUT", target("s3+most", backend.bucket), b"x")
    failed(answer, 400)


@check
def headers_of_every_answer(ask, backend):
    for method, path in (("GET", f"{DATA}{backend.bucket}/test_data.csv"), ("GET", f"{DATA}{backend.bucket}/reports"),
                         ("GET", f"{DATA}{backend.bucket}/secret"), ("HEAD", f"{DATA}{backend.bucket}/test_data.csv"), ("GET", "/x")):
        answer = ask(method, path)
        equal(answer.header("x-content-type-options"), "nosniff", path)
        assert answer.header("date"), answer
        for name, _ in answer.headers:
            assert not name.startswith("x-amz") and name not in ("server", "via"), (path, name)


# 4. Files and directories.

@check
def what_it_is_stands_in_a_header(ask, backend):
    for path, kind in (("test_data.csv", "file"), ("reports", "directory"), ("reports/", "directory")):
        for method in ("GET", "HEAD"):
            answer = ask(method, f"{DATA}{backend.bucket}/{path}")
            equal((answer.status, answer.header("x-data-type")), (200, kind), method, path)


@check
def lengths(ask, backend):
    for path, size in (("team.jpg", len(TEAM)), ("test_data.csv", len(CSV))):
        got, head = ask("GET", f"{DATA}{backend.bucket}/{path}"), ask("HEAD", f"{DATA}{backend.bucket}/{path}")
        equal((got.header("content-length"), len(got.body)), (str(size), size), path)
        equal((head.header("content-length"), head.body), (str(size), b""), path)
        assert got.header("transfer-encoding") is None and got.header("content-encoding") is None, got
    equal(ask("GET", f"{DATA}{backend.bucket}/team.jpg").body, TEAM)
    empty = ask("GET", target("s3+saha", f"{backend.bucket}/many/folder-0/inside.txt"))
    equal((empty.status, empty.header("content-length"), empty.body), (200, "0", b""))


@check
def content_type_is_negotiated_as_node_needs(ask, backend):
    for accept, starts in (("application/octet-stream", "application/octet-stream"), ("text/plain", "text/plain"),
                           ("application/json", "application/json"), ("*/*", "text/csv"), (None, "text/csv"),
                           ("text/html", "text/csv")):
        for method in ("GET", "HEAD"):
            answer = ask(method, f"{DATA}{backend.bucket}/test_data.csv", headers=[("Accept", accept)] if accept else [])
            assert answer.header("content-type").startswith(starts), (accept, answer)
    text = ask("GET", f"{DATA}{backend.bucket}/reports/text.txt")
    # Python's client takes text without a charset for Latin-1.
    equal(text.header("content-type").replace(" ", "").lower(), "text/plain;charset=utf-8")
    equal(text.body.decode(), TEXT)


@check
def only_what_is_kept_with_a_file_reaches_the_server(ask, backend):
    path = target("s3+rw", f"{backend.work}/headers")
    kept = [("Content-Type", "image/png"), ("x-amz-meta-m", "v"), ("Content-Disposition", "attachment"), ("Content-Encoding", "x-own"),
            ("Content-Language", "de")]
    sent = [*kept, ("x-amz-copy-source", f"/{backend.bucket}/secret/k.txt"), ("x-amz-acl", "public-read"), ("x-amz-tagging", "a=b"),
            ("x-amz-website-redirect-location", "/x"), ("x-amz-storage-class", "GLACIER")]
    equal(ask("PUT", path, b"own bytes", headers=sent).status, 200)
    head = backend.s3.head_object(Bucket=backend.bucket, Key="work/raw/headers")
    equal((head["ContentType"], head["ContentLength"], head["Metadata"]), ("image/png", 9, {"m": "v"}))
    equal((head["ContentDisposition"], head["ContentEncoding"]), ("attachment", "x-own"))
    assert "WebsiteRedirectLocation" not in head and head.get("StorageClass", "STANDARD") == "STANDARD", head
    answer = ask("GET", path)
    for name, value in kept:
        equal(answer.header(name.lower()), value, name)
    equal(ask("DELETE", path).status, 200)


@check
def ranges_and_conditions_are_those_of_http(ask, backend):
    path = target("s3+rw", f"{backend.work}/alphabet")
    text = b"abcdefghijklmnopqrstuvwxyz"
    equal(ask("PUT", path, text).status, 200)
    whole = ask("GET", path)
    etag = whole.header("etag")
    for asked, said, part in (("bytes=2-4", "bytes 2-4/26", b"cde"), ("bytes=24-", "bytes 24-25/26", b"yz"), ("bytes=-3", "bytes 23-25/26", b"xyz"),
                              ("bytes=0-99", "bytes 0-25/26", text)):
        for more in ([], [("If-Range", etag)]):
            answer = ask("GET", path, headers=[("Range", asked), *more])
            equal((answer.status, answer.header("content-range"), answer.body), (206, said, part), asked)
    answer = ask("GET", path, headers=[("Range", "bytes=26-")])
    equal((answer.status, answer.header("content-range")), (416, "bytes */26"))
    equal(ask("GET", path, headers=[("Range", "bytes=13-"), ("If-Range", '"other"')]).body, text)
    for name, value, status in (("If-None-Match", etag, 304), ("If-None-Match", '"other"', 200), ("If-Match", etag, 200), ("If-Match", '"other"', 412),
                                ("If-Modified-Since", "Sun, 22 Nov 2099 10:00:00 GMT", 304), ("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT", 412)):
        for method in ("GET", "HEAD"):
            answer = ask(method, path, headers=[(name, value)])
            # A date that is yet to come says nothing to some servers, which may give the file.
            equal(answer.status in ((304, 200) if "2099" in value else (status,)), True, (method, name, value, answer))
            if answer.status == 304:
                equal((answer.body, answer.header("etag")), (b"", etag))
    for name, value in (("If-None-Match", "*"), ("If-Match", etag)):
        equal(ask("PUT", path, b"other", headers=[(name, value)]).status, 501, name)
    equal(ask("PUT", path, b"part", headers=[("Content-Range", "bytes 5-8/9")]).status, 400)
    equal(ask("PUT", path, b"body", headers=[("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==")]).status, 400)
    equal(ask("GET", path).body, text)
    equal(ask("DELETE", path).status, 200)


# 5. Listings.

@check
def listing_is_what_all_clients_read(ask, backend):
    listing = ask("GET", f"{DATA}{backend.bucket}/reports").json()
    equal(sorted(listing), ["files", "folders"], "no marker on the last page, and no acl")
    equal(listing["folders"], [{"name": name} for name in FOLDERS])
    equal([file["filename"] for file in listing["files"]], sorted(REPORTS))
    for file in listing["files"]:
        equal(sorted(file), ["filename", "last_modified", "size"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", file["last_modified"]), file
        equal(file["size"], len(REPORTS[file["filename"]][0]))
    for query in ("?acl=true", "?acl=True", "?acl=false", "?acl=FALSE"):
        equal(ask("GET", f"{DATA}{backend.bucket}/reports{query}").json(), listing, query)
    equal(ask("GET", f"{CONNECTOR}{backend.bucket}/reports/").json(), listing)


@check
def listing_is_narrowed_to_what_may_be_read(ask, backend):
    listing = ask("GET", f"{DATA}{backend.bucket}").json()
    equal([f["name"] for f in listing["folders"]], ["many", "reports"])
    equal([f["filename"] for f in listing["files"]], ["team.jpg", "test_data.csv"])
    listing = ask("GET", target("s3+most", backend.bucket)).json()
    names = [f["name"] for f in listing["folders"]] + [f["filename"] for f in listing["files"]]
    assert "secret" not in names and "private.txt" not in names and "many2" in names, names
    failed(ask("GET", target("s3+most", f"{backend.bucket}/secret/")), 403, 2001)
    # The file `secret` may be read, and is not there; of the directory no more is told than that it is denied.
    nothing, secret = (f"{backend.bucket}/{name}" for name in ("nothing", "secret"))
    message = failed(ask("GET", target("s3+most", nothing)), 404)
    equal(message, f"there is no file or directory s3+most://{nothing}")
    message = failed(ask("GET", target("s3+most", secret)), 404)
    equal(message, f"there is no file s3+most://{secret}, and {MESSAGES['denied']}the directory s3+most://{secret}/")


def pages(ask, path, headers=(), key="full"):
    found, marker = [], None
    while True:
        query = "" if marker is None else "?" + urllib.parse.urlencode({"marker": marker})
        answer = ask("GET", path + query, headers=headers, key=key)
        equal(answer.status, 200, answer)
        page = answer.json()
        found.append(page)
        marker = page.get("marker")
        assert ("marker" not in page) or marker, "a marker is absent or has text"
        assert len(found) < 20, "the pages do not end"
        if marker is None:
            return found


def shape(page):
    return (len(page["folders"]), len(page["files"]), "marker" in page)


@check
def pages_of_thousands(ask, backend):
    found = pages(ask, target("s3+saha", f"{backend.bucket}/many"))
    equal(sum(len(p["files"]) for p in found), MANY["files"])
    equal(sum(len(p["folders"]) for p in found), MANY["folders"])
    assert all(len(p["files"]) + len(p["folders"]) == 1000 for p in found[:-1]), list(map(shape, found))
    names = [f["filename"] for p in found for f in p["files"]]
    equal(names, sorted(set(names)))


@check
def pages_for_node_have_one_kind(ask, backend):
    found = pages(ask, target("s3+saha", f"{backend.bucket}/many"), NODE)
    equal([shape(p) for p in found], [(MANY["folders"], 0, True), (0, 1000, True), (0, MANY["files"] - 1000, False)])
    found = pages(ask, target("s3+saha", f"{backend.bucket}/reports"), NODE)
    equal([shape(p) for p in found], [(len(FOLDERS), 0, True), (0, len(REPORTS), False)])
    equal([shape(p) for p in pages(ask, target("s3+saha", f"{backend.bucket}/reports/q1"), NODE)], [(0, 1, False)])


@check
def markers_belong_to_their_listing(ask, backend):
    path = target("s3+both", f"{backend.bucket}/many")
    marker = ask("GET", path).json()["marker"]

    def at(place, marker, key="full"):
        return ask("GET", f"{place}?" + urllib.parse.urlencode({"marker": marker}), key=key)

    rest = at(path, marker).json()
    equal(len(rest["folders"]) + len(rest["files"]), MANY["files"] + MANY["folders"] - 1000)
    equal(at(target("s3+both", f"{backend.bucket}/many/", 1), marker).status, 200, "the same directory, written otherwise")
    end = "0" if marker[-1] != "0" else "1"
    for forged in ("12-abc", "x", "0" * len(marker), marker[:-1], marker + "0", marker[:-1] + end, "file-0999.txt",
                   "ü", "a" * 3000, "../", "%00"):
        failed(at(path, forged), 400, 5002)
    # Of another directory, of another connection to the same one, of another user's.
    failed(at(target("s3+saha", f"{backend.bucket}/many/folder-0"), marker), 400, 5002)
    failed(at(target("s3+saha", f"{backend.bucket}/many"), marker), 400, 5002)
    failed(at(target("s3+all", f"{backend.bucket}/many"), marker), 400, 5002)
    failed(at(path, marker, key="other"), 400, 5002)
    for piece in ("file-", "many", backend.bucket, "0999"):
        assert piece not in marker and piece.encode().hex() not in marker.lower(), "a marker tells nothing"


# 6. Uploads.

@check
def uploads_of_every_kind(ask, backend):
    block = bytes(range(256)) * 4096
    for name, body, wanted in (
        ("length-0", b"", b""), ("length", b"some bytes", b"some bytes"),
        ("chunked-0", iter(()), b""), ("chunked", iter([b"some", b" ", b"bytes"]), b"some bytes"),
        ("chunked-large", (block for _ in range(13)), block * 13), ("length-large", block * 9, block * 9),
    ):
        path = target("s3+rw", f"{backend.work}/{name}")
        equal(ask("PUT", path, body).status, 200, name)
        assert backend.get(f"work/raw/{name}") == wanted, f"{name}: other bytes are stored"
        equal(ask("HEAD", path).header("content-length"), str(len(wanted)), name)
        equal(ask("DELETE", path).status, 200, name)


@check
def an_upload_that_breaks_off_stores_nothing(ask, backend):
    """With its length told and not kept, and in chunks without their end."""
    import socket
    host, port = ask.__self__.base.removeprefix("http://").split(":")
    for name, head in (("short", b"Content-Length: 1000000\r\n\r\nonly this"),
                       ("unended", b"Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n")):
        with socket.create_connection((host, int(port)), 10) as sock:
            start = f"PUT {target('s3+rw', f'{backend.work}/{name}')} HTTP/1.1\r\nHost: h\r\nAuthorization: {ask.__self__.keys['full']}\r\n"
            sock.sendall(start.encode() + head)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(4096):  # It answers or closes; then it has given up.
                pass
        equal(backend.get(f"work/raw/{name}"), None, name)
    # Uploads in parts that were given up leave none; the gateway ends them after it has answered.
    end = time.monotonic() + 10
    while backend.s3.list_multipart_uploads(Bucket=backend.bucket).get("Uploads") and time.monotonic() < end:
        time.sleep(0.1)
    equal(backend.s3.list_multipart_uploads(Bucket=backend.bucket).get("Uploads", []), [])


# 7. Directories are made.

@check
def mkdir_in_every_form(ask, backend):
    json_type, text = [("Content-Type", "application/json")], [("Content-Type", "text/plain")]
    for family in range(2):
        for name, path, body, headers in (
            ("d1", backend.work, b'{"name":"d1"}', json_type), ("d2", backend.work + "/", b'{"name": "d2"}', json_type),
            ("d3", f"{backend.work}/d3", b'{"name":""}', json_type), ("d4", f"{backend.work}/d4/", b'{"name":""}', json_type),
            ("d5", backend.work, b"d5", text), ("d6", backend.work, b'{"name":"d6","acl":{"read":["algo://.my/*"],"_dummy":null}}', json_type),
            ("d7", backend.work, b'{"name":"d7","acl":null}', text), ("d 8 \u00fc", backend.work, '{"name":"d 8 ü"}'.encode(), json_type),
        ):
            for _ in range(2):  # The second time changes nothing.
                answer = ask("POST", target("s3+rw", path, family), body, headers=headers)
                equal(answer.status, 200, name, answer)
                equal(list(answer.json()), ["result"])
            quoted = urllib.parse.quote(name)
            equal(ask("HEAD", target("s3+rw", f"{backend.work}/{quoted}")).header("x-data-type"), "directory", name)
            equal(ask("GET", target("s3+rw", f"{backend.work}/{quoted}/")).json(), {"folders": [], "files": []}, name)
            answer = ask("DELETE", target("s3+rw", f"{backend.work}/{quoted}") + "?force=true")
            equal((answer.status, answer.body), (200, b'{"result":{"deleted":1}}'), name)


@check
def mkdir_of_what_is_no_name(ask, backend):
    for body in (b'{"name":"a/b"}', b'{"name":"/"}', b'{"name":".."}', b'{"name":"."}', b'{"name":"a\\u0000b"}', b'{"name":3}',
                 b'{"name":null}', b"{}", b"[]", b"", b"{", b'"x"', b"\xff", '{"name":"%s"}'.replace("%s", "n" * 1100).encode()):
        failed(ask("POST", target("s3+rw", backend.work), body, headers=[("Content-Type", "application/json")]), 400)
    for body in (b"a/b", b"../x", b"..", b"\xff"):
        failed(ask("POST", target("s3+rw", backend.work), body, headers=[("Content-Type", "text/plain")]), 400)
    # Buckets are not made here.
    for path, body in (("", b'{"name":"newbucket"}'), (backend.bucket, b'{"name":""}'), ("", b'{"name":""}'), ("newbucket", b'{"name":""}')):
        answer = ask("POST", target("s3+most", path), body)
        assert answer.status in (400, 403), answer
        failed(answer, answer.status)
    assert "newbucket" not in {b["Name"] for b in backend.s3.list_buckets()["Buckets"]}


@check
def directories_are_deleted_as_they_should(ask, backend):
    for name in ("full/a", "full/b/c", "full/b/d"):
        equal(ask("PUT", target("s3+rw", f"{backend.work}/{name}"), b"x").status, 200)
    path = target("s3+rw", f"{backend.work}/full")
    for query in ("", "?force=false", "?force=False"):
        failed(ask("DELETE", path + query), 409)
    failed(ask("DELETE", path + "?force=maybe"), 400)
    equal(ask("DELETE", path + "?force=True").body, b'{"result":{"deleted":3}}')
    # SeaweedFS keeps folders as such, those below it too, until they are deleted themselves.
    for name in ("", "/b", "/b/c"):
        failed(ask("GET", path + name), 404)
        for query in ("", "?force=true"):
            failed(ask("DELETE", path + name + query), 404)
    equal(backend.keys("work/raw/full"), set())
    # Part of it may not be deleted: nothing is.
    failed(ask("DELETE", target("s3+rw", f"{backend.bucket}/work") + "?force=true"), 403, 2001)
    assert backend.get("work/locked/k.txt"), "what is denied was deleted"


# 8, 9 and 10: the rest of the checklist is above; PATCH.

@check
def patch_is_never_done(ask, backend):
    body = b'{"acl":{"read":["user://*"]}}'
    for family in range(len(FAMILIES)):
        for connection in ("s3+saha", "s3+rw", "s3"):
            for path in (f"{backend.bucket}/work", f"{backend.bucket}/work/", f"{backend.bucket}/test_data.csv", backend.bucket):
                failed(ask("PATCH", target(connection, path, family), body), 400)


def run(gateway, backend):
    caller = Caller(gateway)
    results = check.run(caller.ask, backend)
    left = backend.keys("work/raw/")
    results.append({"name": "nothing is left behind", "ok": not left, "detail": str(sorted(left))})
    return results, b"\n".join(caller.answers)
