"""Libraries that read by ranges, unmodified: fsspec, pyarrow, polars and DuckDB.

    python tables.py CONFIG.json

Prints lines as py_suite.py does. How each is told the header:

* fsspec: `client_kwargs`; pyarrow opens what fsspec opens, and polars scans a dataset of pyarrow's.
* DuckDB: a secret with EXTRA_HTTP_HEADERS, for its extension `httpfs`, here from PyPI's package of it.
* polars' own reader of HTTP can send no header. A proxy on one's own machine that adds it helps
  (`add_header` below is one; nginx: `proxy_set_header Authorization …`). What fsspec has opened it reads whole.
"""

import contextlib
import http.client
import http.server
import io
import random
import sys
import threading
import urllib.parse

import duckdb
import duckdb_ext
import fsspec
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet

from reading import BASE, BUCKET, VALUE, WORK, Sent, address, check, content, denied, equal, main, store

ROWS, GROUPS = 200_000, 10
NAME = "table.parquet"


def web(connection="s3+rw"):
    """fsspec's file system, and the file's address in the other of the two forms, which has no `//`."""
    return (fsspec.filesystem("http", client_kwargs={"headers": {"Authorization": VALUE}}, skip_instance_cache=True),
            f"{BASE}/v1/connector/{connection}/{BUCKET}/{WORK}{NAME}")


def table():
    numbers = random.Random(16)
    return pyarrow.table({"id": range(ROWS), "value": [numbers.random() for _ in range(ROWS)],
                          "name": [f"row {number}" for number in range(ROWS)]})


TABLE = table()


def rows(first, last, columns=("id", "value")):
    return TABLE.slice(first, last - first).select(columns).to_pylist()


@check
def the_table_is_stored():
    file = io.BytesIO()
    pyarrow.parquet.write_table(TABLE, file, row_group_size=ROWS // GROUPS)
    data = store(NAME, file.getvalue())
    assert len(data) > 2 << 20, len(data)


def size():
    return len(content(NAME))


def is_denied(words, action):
    """Runs it: an exception with one of these words, and none of the file was sent."""
    sent = Sent(NAME)
    try:
        found = action()
    except Exception as error:  # Each library raises its own.
        assert any(word in f"{type(error).__name__} {error}" for word in words), f"{type(error).__name__}: {error}"
    else:
        raise AssertionError(f"this came: {found!r}")
    sent.nothing()


@check
def fsspec_seeks():
    system, url = web()
    data, sent = content(NAME), Sent(NAME)
    with system.open(url, "rb", block_size=1 << 16) as file:
        equal(file.size, len(data))
        for at in (len(data) - 8, 4, 1_000_000, 17):
            file.seek(at)
            equal((file.read(8), file.tell()), (data[at:at + 8], min(at + 8, len(data))), at)
        file.seek(-4, 2)
        equal(file.read(), b"PAR1")
    assert sum(sent.parts(len(data), at_least=3)) < len(data) // 2


@check
def fsspec_takes_parts():
    system, url = web()
    data, sent = content(NAME), Sent(NAME)
    equal(system.cat_file(url, 5, 9), data[5:9])
    equal(system.cat_file(url, -8, None), data[-8:])
    equal(system.cat_ranges([url] * 3, [0, 100, 70_000], [4, 200, 70_001]), [data[:4], data[100:200], data[70_000:70_001]])
    equal(sorted(sent.parts(len(data), at_least=5)), [1, 4, 4, 8, 100])


@check
def fsspec_is_denied():
    system, url = web("s3+saha")
    is_denied(["403", "Forbidden"], lambda: system.cat_file(url, 5, 9))
    is_denied(["403", "FileNotFound"], lambda: system.open(url).read(4))


@check
def pyarrow_reads_row_groups():
    system, url = web()
    sent = Sent(NAME)
    with system.open(url, "rb", block_size=1 << 16) as opened:
        file = pyarrow.parquet.ParquetFile(opened)
        equal((file.metadata.num_rows, file.num_row_groups), (ROWS, GROUPS))
        step = ROWS // GROUPS
        equal(file.read_row_group(7, columns=["id", "value"]).to_pylist(), rows(7 * step, 8 * step))
    assert sum(sent.parts(size(), at_least=2)) < size() // 2


@check
def pyarrow_is_denied():
    system, url = web("s3+saha")
    is_denied(["403", "FileNotFound"], lambda: pyarrow.parquet.ParquetFile(system.open(url)).read())


def dataset(connection="s3+rw"):
    system, url = web(connection)
    return pyarrow.dataset.dataset(url, filesystem=pyarrow.fs.PyFileSystem(pyarrow.fs.FSSpecHandler(system)))


@check
def polars_scans_a_dataset():
    sent = Sent(NAME)
    lazy = polars.scan_pyarrow_dataset(dataset())
    found = lazy.filter(polars.col("id").is_between(150_000, 150_009)).select("id", "value").collect()
    equal(found.to_dicts(), rows(150_000, 150_010))
    sent.parts(size(), and_whole=True)


@check
def polars_scans_an_address():
    with add_header() as base:
        sent = Sent(NAME)
        lazy = polars.scan_parquet(address(NAME).replace(BASE, base))
        found = lazy.filter(polars.col("id").is_between(50_000, 50_009)).select("id", "value").collect()
        equal(found.to_dicts(), rows(50_000, 50_010))
        assert sum(sent.parts(size(), at_least=2)) < size() // 2
        sent = Sent(NAME)
        found = polars.read_parquet(address(NAME).replace(BASE, base), columns=["id", "value"], n_rows=10)
        equal(found.to_dicts(), rows(0, 10))
        sent.parts(size())


@check
def polars_is_denied():
    is_denied(["403", "FileNotFound"], lambda: polars.scan_pyarrow_dataset(dataset("s3+saha")).collect())
    with add_header() as base:
        for read in (polars.read_parquet, lambda url: polars.scan_parquet(url).collect()):
            is_denied(["403", "Permission"], lambda: read(denied(NAME).replace(BASE, base)))


def duck():
    connection = duckdb.connect(config={"autoinstall_known_extensions": False})
    version = connection.execute("SELECT version()").fetchone()[0]
    connection.load_extension(f"{duckdb_ext.__path__[0]}/extensions/{version}/linux_amd64/httpfs.duckdb_extension")
    connection.execute(f"CREATE SECRET (TYPE http, EXTRA_HTTP_HEADERS MAP {{'Authorization': '{VALUE}'}})")
    return connection


QUERY = "SELECT id, value FROM read_parquet('{}') WHERE id BETWEEN 180000 AND 180009 ORDER BY id"


@check
def duckdb_queries():
    sent = Sent(NAME)
    found = duck().execute(QUERY.format(address(NAME))).fetchall()
    equal([dict(zip(("id", "value"), row)) for row in found], rows(180_000, 180_010))
    assert sum(sent.parts(size(), at_least=2)) < size() // 2


@check
def duckdb_is_denied():
    is_denied(["403"], lambda: duck().execute(QUERY.format(denied(NAME))).fetchall())


class AddHeader(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(BASE).netloc, timeout=60)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            connection.request(self.command, self.path, headers=headers | {"Authorization": VALUE})
            answer = connection.getresponse()
            body = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name not in ("Date", "Server"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        finally:
            connection.close()

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def add_header():
    """A proxy that adds the header: where it listens."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), AddHeader)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


sys.exit(main())
