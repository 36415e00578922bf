"""Requests whose targets go out byte for byte, which no ordinary client lets through."""

import http.client
import json


class Raw(http.client.HTTPConnection):
    """Sends any target: one character is one byte."""

    def _validate_path(self, url):
        pass

    def _encode_request(self, request):
        return request.encode("latin-1")


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = [(name.lower(), value) for name, value in response.getheaders()]
        self.body = response.read()

    def header(self, name):
        values = [value for found, value in self.headers if found == name]
        assert len(values) < 2, f"{name} stands {len(values)} times"
        return values[0] if values else None

    def json(self):
        assert self.header("content-type") == "application/json", self
        return json.loads(self.body)

    def all_bytes(self):
        head = "".join(f"{name}: {value}\n" for name, value in self.headers)
        return head.encode("latin-1") + self.body + b"\n"

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:200]!r}"


class Caller:
    """Asks a gateway, and keeps all that it answers."""

    def __init__(self, gateway):
        self.base, self.keys = gateway.base, gateway.keys
        self.answers = []

    def ask(self, method, target, body=None, key="full", headers=(), authorization=None):
        """`body`: bytes go with a length, an iterator in chunks. A connection of its own each time."""
        host, port = self.base.removeprefix("http://").split(":")
        connection = Raw(host, int(port), timeout=60)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            if authorization is None and key is not None:
                authorization = f"Simple {self.keys[key]}"
            if authorization is not None:
                connection.putheader("Authorization", authorization)
            for name, value in headers:
                connection.putheader(name, value)
            is_chunked = body is not None and not isinstance(body, bytes)
            if is_chunked:
                connection.putheader("Transfer-Encoding", "chunked")
            elif body is not None:
                connection.putheader("Content-Length", str(len(body)))
            try:
                connection.endheaders(body, encode_chunked=is_chunked)
            except (BrokenPipeError, ConnectionResetError):
                pass  # Refused before all of it was sent; the answer is there to be read.
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        self.answers.append(f"{method} {target}\n".encode("latin-1", "replace") + answer.all_bytes())
        return answer


class Checks:
    """Functions that assert, run one after another."""

    def __init__(self):
        self.functions = []

    def __call__(self, function):
        self.functions.append(function)
        return function

    def run(self, *arguments):
        results = []
        for function in self.functions:
            try:
                function(*arguments)
                ok, detail = True, ""
            except Exception as error:  # Whatever it is, the other checks go on.
                line = error.__traceback__.tb_next.tb_lineno if error.__traceback__.tb_next else "?"
                ok, detail = False, f"line {line}: {type(error).__name__}: {error}"
            results.append({"name": function.__name__, "ok": ok, "detail": detail})
        return results


def equal(found, wanted, *about):
    assert found == wanted, f"{found!r} is not {wanted!r} {about or ''}"


def failed(answer, status, code=None):
    """An error as every client can read it; gives its message."""
    equal(answer.status, status, answer)
    error = answer.json()["error"]
    assert isinstance(error["message"], str) and error["message"], answer
    assert all(isinstance(value, (str, int)) for value in error.values()), answer
    if code is not None:
        equal(error["code"], code, answer)
    message = answer.header("x-error-message")
    assert message and len(message) == len(error["message"]), answer
    return error["message"]
