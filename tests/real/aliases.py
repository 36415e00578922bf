"""Other names of a forbidden object, which some S3 servers serve it under: none comes through.

On SeaweedFS, `secret//k`, `/secret/k` and `secret\\k` are the object `secret/k`. A restriction on the
bytes of a key says nothing about them, so connections to such servers refuse them.
"""

import urllib.parse

from http_raw import Caller, Checks, equal
from world import EXACT, FOLDERS, REPORTS, SECRET, TEAM

check = Checks()
FAMILIES = ["/v1/data/{}://{}", "/v1/connector/{}/{}"]

# Keys that are, or on some server were, the object `secret/k.txt`; as they stand in a target.
ALIASES = [
    "secret//k.txt", "secret///k.txt", "/secret/k.txt", "//secret/k.txt", "secret\\k.txt", "\\secret\\k.txt",
    "\\secret/k.txt", "secret/\\k.txt", "secret\\/k.txt", "secret\\\\k.txt", "secret/./k.txt", "./secret/k.txt",
    "secret/x/../k.txt", "reports/../secret/k.txt", "x/../secret/k.txt", "secret/k.txt/.", "secret/k.txt/..",
    "secret%2F%2Fk.txt", "secret%2F/k.txt", "secret/%2Fk.txt", "%2Fsecret/k.txt", "%2fsecret%2fk.txt",
    "secret%5Ck.txt", "secret%5ck.txt", "%5Csecret%5Ck.txt", "secret%5C%5Ck.txt", "secret/%2e/k.txt", "%2E/secret/k.txt",
    "reports/%2e%2e/secret/k.txt", "reports/.%2e/secret/k.txt", "reports/%2E./secret/k.txt",
    "reports%2F..%2Fsecret%2Fk.txt", "reports%5C..%5Csecret%5Ck.txt", "reports\\..\\secret\\k.txt",
    "secret/k.txt%00", "secret%00/k.txt", "secret/k.txt%0A", "secret%0D/k.txt", "secret/%7Fk.txt",
    "secret%C0%AFk.txt", "secret%E0%80%AFk.txt", "secret%FF/k.txt", "//", "secret//", "/secret/", "/secret", "secret\\",
    "secret/.", "./secret", "reports/../secret", "reports/../secret/",
]
# Keys of their own, on every server so far, that look like it. There is no object under them.
NEIGHBOURS = [
    "SECRET/k.txt", "secret/K.TXT", "Secret/k.txt", "secret%252Fk.txt", "secret%255Ck.txt", "%252e%252e/secret/k.txt",
    "secret%EF%BC%8Fk.txt", "secret%E2%88%95k.txt", "secret/k.txt%20", "%20secret/k.txt", "secret%20/k.txt", "secret/k.txt.",
    "secret./k.txt", "secret/k.txt%3Fversions", "secret/k.txt%23", "secret/k.txt;v=1", "secret;/k.txt", "...//secret/k.txt",
    ".../secret/k.txt", "secret/k%E2%80%8B.txt", "%EF%BB%BFsecret/k.txt", "secre%74/k.txt/", "s%65cret%2fk.txt%2f",
]


def targets(backend, path):
    """Every way to send a path: both families, and the whole of it escaped as Java does."""
    for connection in ("s3+most", "s3+saha", "s3+rw"):
        for family in FAMILIES:
            yield family.format(connection, f"{backend.bucket}/{path}")
        # Only what is in plain text can be escaped again without its meaning something else.
        if "%" not in path:
            yield "/v1/data/" + urllib.parse.quote(f"{connection}://{backend.bucket}/{path}", safe="")


def sealed(answer, name):
    assert SECRET not in answer.all_bytes(), f"{name}: the secret came back"
    assert SECRET[16:] not in answer.all_bytes(), f"{name}: part of the secret came back"


@check
def the_secret_is_there_and_refused_by_its_name(ask, backend):
    equal(backend.get("secret/k.txt"), SECRET)
    for target in targets(backend, "secret/k.txt"):
        equal(ask("GET", target).status, 403, target)
    # So that a refusal says something: these same connections do read.
    equal(ask("GET", FAMILIES[0].format("s3+most", f"{backend.bucket}/team.jpg")).body, TEAM)
    equal(ask("GET", FAMILIES[1].format("s3+saha", f"{backend.bucket}/team.jpg")).body, TEAM)


@check
def the_server_is_what_we_take_it_for(ask, backend):
    """Where keys are exact none of these is the object; SeaweedFS must serve it, or this shows nothing."""
    served = {key for key in ("secret//k.txt", "/secret/k.txt", "secret\\k.txt") if backend.get(key) == SECRET}
    equal(len(served), 0 if EXACT[backend.name] else 3, served)


@check
def no_alias_is_read(ask, backend):
    for alias in ALIASES:
        for target in targets(backend, alias):
            for method in ("GET", "HEAD"):
                answer = ask(method, target)
                # A connection whose keys are exact may answer that there is no such object.
                allowed = (400, 403, 404) if EXACT[backend.name] and "s3+rw" in urllib.parse.unquote(target) else (400, 403)
                assert answer.status in allowed, f"{method} {target}: {answer}"
                sealed(answer, target)


@check
def no_neighbour_is_read(ask, backend):
    for name in NEIGHBOURS:
        for target in targets(backend, name):
            answer = ask("GET", target)
            assert answer.status in (400, 403, 404), f"{target}: {answer}"
            sealed(answer, target)


@check
def no_alias_is_listed(ask, backend):
    for alias in ALIASES:
        if alias.endswith("k.txt"):
            folder = alias[:-len("k.txt")]
            for target in targets(backend, folder):
                answer = ask("GET", target)
                if answer.status == 200:  # The alias ended with its file: this is an ordinary folder.
                    assert b"k.txt" not in answer.body, f"{target}: {answer}"
                sealed(answer, target)


@check
def no_alias_is_written_or_deleted(ask, backend):
    before = backend.keys("")
    for alias in ALIASES:
        for target in targets(backend, alias):
            if EXACT[backend.name] and "s3+rw" in urllib.parse.unquote(target):
                continue  # There these are keys of their own, below what may be written.
            for method, body in (("PUT", b"overwritten"), ("DELETE", None), ("POST", b'{"name":"x"}'), ("POST", b'{"name":""}')):
                answer = ask(method, target, body)
                assert answer.status in (400, 403), f"{method} {target}: {answer}"
            answer = ask("DELETE", target + "?force=true")
            assert answer.status in (400, 403), f"DELETE {target}?force=true: {answer}"
    equal(backend.get("secret/k.txt"), SECRET)
    equal(backend.keys("") ^ before, set(), "the keys that changed")


@check
def a_denied_folder_where_writing_is_allowed_is_not_reached_by_an_alias(ask, backend):
    for alias in ("work//locked/k.txt", "work/locked//k.txt", "work\\locked\\k.txt", "work/./locked/k.txt", "work/x/../locked/k.txt",
                  "work/%2Flocked/k.txt", "work%2F%2Flocked%2Fk.txt", "work/%5Clocked/k.txt", "work/locked%5Ck.txt", "/work/locked/k.txt"):
        for family in FAMILIES:
            target = family.format("s3+rw", f"{backend.bucket}/{alias}")
            for method, body in (("GET", None), ("PUT", b"overwritten"), ("DELETE", None)):
                answer = ask(method, target, body)
                if not EXACT[backend.name]:
                    assert answer.status in (400, 403), f"{method} {target}: {answer}"
                sealed(answer, target)
    equal(backend.get("work/locked/k.txt"), SECRET)


@check
def a_folder_made_by_an_odd_name_reaches_nothing(ask, backend):
    for name in ("..", ".", "../secret", "/secret", "\\secret", "secret\\k.txt", "a\\..\\secret"):
        for family in FAMILIES:
            body = ('{"name":"%s"}' % name.replace("\\", "\\\\")).encode()
            answer = ask("POST", family.format("s3+most", f"{backend.bucket}/reports"), body)
            assert answer.status == 400, f"{name}: {answer}"
    # Below `reports`, which s3+most may write to: nothing came to be.
    equal(backend.keys("reports/"), {f"reports/{name}" for name in REPORTS} | {f"reports/{f}/part.csv" for f in FOLDERS})


def run(gateway, backend):
    caller = Caller(gateway)
    results = check.run(caller.ask, backend)
    for key in backend.keys("work/") - {"work/locked/k.txt"}:
        # Where keys are exact, an alias below `work/` was an object like any other.
        if key.startswith("work/") and ("//" in key or "\\" in key) and "ambiguous" not in key:
            backend.s3.delete_object(Bucket=backend.bucket, Key=key)
    return results, b"\n".join(caller.answers)
