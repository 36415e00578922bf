// The published Node client against a gateway: algorithmia 0.3.10, unmodified.
//
//     node node_suite.js CONFIG.json
//
// Prints a JSON line per check, {name, ok, detail}, and one for each object that must now be in
// the bucket, {stored, sha256}; the driver looks there itself. See run.py for the rest.

const assert = require("assert");
const crypto = require("crypto");
const fs = require("fs");
const os = require("os");
const path = require("path");

const CONFIG = JSON.parse(fs.readFileSync(process.argv[2]));
const algorithmia = require(path.join(CONFIG.node_modules, "algorithmia"));
const { base, keys, bucket, work: WORK, messages } = CONFIG;

// Callbacks of this client are never called where it throws inside its own; then this ends it.
const PATIENCE = 60_000;

const client = (key = "full") => algorithmia(keys[key], base);
const readOnly = (name) => `s3+saha://${bucket}/${name}`;
const work = (name) => `s3+rw://${bucket}/${WORK}${name}`;
const sha256 = (data) => crypto.createHash("sha256").update(data).digest("hex");
const stored = (key, data) => say({ stored: WORK + key, sha256: sha256(data) });
const say = (line) => fs.writeSync(1, JSON.stringify(line) + "\n");

// Calls a method that takes a callback last; gives all that the callback was given.
function call(object, method, ...parameters) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${method} called nothing back`)), PATIENCE);
    object[method](...parameters, (...results) => {
      clearTimeout(timer);
      resolve(results);
    });
  });
}

// All entries of a directory by its iterator, which alone reports errors.
function list(directory) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the listing does not end")), PATIENCE);
    const iterator = directory.iterator();
    const entries = [];
    const step = (error, entry) => {
      if (error || entry === undefined) {
        clearTimeout(timer);
        resolve({ error, entries });
      } else {
        entries.push(entry);
        iterator.next(step);
      }
    };
    iterator.next(step);
  });
}

// All entries by one of the forEach methods.
function each(directory, method) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${method} does not end`)), PATIENCE);
    const entries = [];
    const running = directory[method]((error, entry) => entries.push(entry));
    running.then(() => {
      clearTimeout(timer);
      resolve(entries);
    });
  });
}

const names = (entries) => entries.map((entry) => entry.basename());

async function put(file, data, method = "put") {
  const [body, status] = await call(file, method, data);
  assert.strictEqual(status, 200, JSON.stringify(body));
  assert.strictEqual(typeof body.result, "string", JSON.stringify(body));
}

function refused([body, status], wantedStatus, message) {
  assert.strictEqual(status, wantedStatus, JSON.stringify(body));
  assert.ok(body.error.message.startsWith(message), JSON.stringify(body));
}

const CHECKS = [];
const check = (name, run) => CHECKS.push([name, run]);

// The original guide's program.

check("seed program reads CSV", async () => {
  const [text, status] = await call(client().file(`S3+saha://${bucket}/test_data.csv`), "getString");
  assert.strictEqual(status, 200);
  const rows = text.trim().split("\n").map((line) => line.split(","));
  assert.deepStrictEqual(rows, CONFIG.csv_rows);
});

check("seed program get", async () => {
  const [error, data] = await call(client().file(`s3+saha://${bucket}/test_data.csv`), "get");
  assert.strictEqual(error, null);
  assert.ok(Buffer.isBuffer(data));
  assert.ok(data.toString().startsWith(CONFIG.csv_rows[0].join(",")));
});

check("default connection", async () => {
  const [text] = await call(client().file(`s3://${bucket}/test_data.csv`), "getString");
  assert.ok(text.startsWith(CONFIG.csv_rows[0].join(",")));
});

// Files.

check("file exists", async () => {
  assert.deepStrictEqual(await call(client().file(readOnly("team.jpg")), "exists"), [true]);
  const [found, status, body] = await call(client().file(readOnly("reports/none")), "exists");
  assert.deepStrictEqual([found, status], [false, 404]);
  assert.ok(body.error.message.startsWith("there is no file"), JSON.stringify(body));
});

check("file get bytes", async () => {
  const [error, data] = await call(client().file(readOnly("team.jpg")), "get");
  assert.strictEqual(error, null);
  assert.strictEqual(sha256(data), CONFIG.team_sha256);
});

check("file get string", async () => {
  const [text] = await call(client().file(readOnly("reports/text.txt")), "getString");
  assert.strictEqual(text, CONFIG.text);
});

check("file get string of bytes stored as another type", async () => {
  // Any answer but text would end the process: Buffer.concat of strings.
  const [text, status] = await call(client().file(readOnly("reports/2026.pdf")), "getString");
  assert.deepStrictEqual([typeof text, status], ["string", 200]);
});

check("file get json", async () => {
  const [value] = await call(client().file(readOnly("reports/data.json")), "getJson");
  assert.deepStrictEqual(value, { ä: [1, 2.5, null] });
});

check("file get of JSON is bytes", async () => {
  // Answered as application/json, it would be parsed, and its key `error` be taken for a failure.
  const file = client().file(work("error.json"));
  await put(file, JSON.stringify({ error: "mine" }), "putJson");
  const [error, data] = await call(file, "get");
  assert.strictEqual(error, null);
  assert.strictEqual(data.toString(), '{"error":"mine"}');
  await call(file, "delete");
});

check("put string", async () => {
  const file = client().file(work("kept/string.txt"));
  await put(file, "grüße\n", "putString");
  assert.strictEqual((await call(file, "getString"))[0], "grüße\n");
  stored("kept/string.txt", "grüße\n");
});

check("put bytes verbatim", async () => {
  const data = Buffer.from(Array.from({ length: 768 }, (_, n) => n % 256));
  const file = client().file(work("kept/bytes"));
  await put(file, data);
  assert.ok((await call(file, "get"))[1].equals(data));
  stored("kept/bytes", data);
});

check("put json", async () => {
  const text = '{"a": [1, "ü"]}';
  const file = client().file(work("kept/value.json"));
  await put(file, text, "putJson");
  assert.deepStrictEqual((await call(file, "getJson"))[0], { a: [1, "ü"] });
  stored("kept/value.json", text);
});

check("put empty, chunked", async () => {
  const file = client().file(work("kept/empty"));
  await put(file, "");
  assert.strictEqual((await call(file, "get"))[1].length, 0);
  assert.strictEqual((await call(file, "getString"))[0], "");
  stored("kept/empty", "");
});

check("put megabytes, chunked", async () => {
  const data = crypto.randomBytes(7 << 20);
  const file = client().file(work("kept/large"));
  await put(file, data);
  assert.strictEqual(sha256((await call(file, "get"))[1]), sha256(data));
  stored("kept/large", data);
});

check("put file of a directory", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "node-suite-"));
  for (const [name, data] of [["upload.bin", crypto.randomBytes(9 << 20)], ["upload-empty", ""]]) {
    const local = path.join(folder, name);
    fs.writeFileSync(local, data);
    const [body, status] = await call(client().dir(work("kept")), "putFile", local);
    assert.strictEqual(status, 200, JSON.stringify(body));
    stored(`kept/${name}`, data);
  }
  fs.rmSync(folder, { recursive: true });
});

check("delete file", async () => {
  const file = client().file(work("short-lived"));
  await put(file, "x");
  assert.deepStrictEqual(await call(file, "delete"), [{ result: { deleted: 1 } }, 200]);
  assert.deepStrictEqual((await call(file, "exists")).slice(0, 2), [false, 404]);
  refused(await call(file, "delete"), 404, "there is no file");
});

// Names. What the client makes of each is written beside it.

const NAMES = {
  "a b.txt": "a b.txt",
  "ü.txt": "ü.txt", // As the one byte 0xFC.
  "éÿ¡.txt": "éÿ¡.txt",
  "a+b%20c.txt": "a+b c.txt",
  "%41.txt": "A.txt",
  "%E6%97%A5.txt": "日.txt",
  "100%.txt": "100%.txt",
  "pct%zz": "pct%zz",
  "sub%2Fslash": "sub/slash",
  "other\\slash": "other/slash",
  "escaped%3Fmark%23and%2520more": "escaped?mark#and%20more",
  'q"<>|^`{}[].txt': 'q"<>|^`{}[].txt',
  "p!$&'()*,;=:@~.txt": "p!$&'()*,;=:@~.txt",
  "...": "...",
  "UPPER.TXT": "UPPER.TXT",
};

for (const [name, key] of Object.entries(NAMES)) {
  check(`odd name ${name}`, async () => {
    const data = `the file called ${name}`;
    const file = client().file(work("names/" + name));
    await put(file, data);
    assert.strictEqual((await call(file, "getString"))[0], data);
    stored("names/" + key, data);
  });
}

check("odd name 日本.txt is refused by the client itself", async () => {
  assert.throws(() => client().file(work("names/日本.txt")).put("x", () => {}), { code: "ERR_UNESCAPED_CHARACTERS" });
});

for (const name of ["./dot", "d/../up"]) {
  check(`malformed name ${name}`, async () => {
    const file = client().file(work("names/" + name));
    refused(await call(file, "put", "x"), 400, messages.dots);
    refused(await call(file, "getString"), 400, messages.dots);
    assert.deepStrictEqual((await call(file, "exists")).slice(0, 2), [false, 400]);
  });
}

check("ambiguous name a//b", async () => {
  const file = client().file(work("ambiguous/a//b"));
  if (CONFIG.exact) {
    await put(file, "x");
    assert.strictEqual((await call(file, "getString"))[0], "x");
    stored("ambiguous/a//b", "x");
  } else {
    refused(await call(file, "put", "x"), 400, messages.ambiguous);
    refused(await call(file, "getString"), 400, messages.ambiguous);
  }
});

check("a question mark does not name another file", async () => {
  refused(await call(client().file(work("x?y#z")), "put", "x"), 400, "the query has a parameter");
  assert.deepStrictEqual((await call(client().file(work("x")), "exists")).slice(0, 2), [false, 404]);
});

check("names of a listing", async () => {
  const wanted = [...new Set(Object.values(NAMES).map((key) => key.split("/")[0]))].sort();
  const { entries } = await list(client().dir(work("names")));
  assert.deepStrictEqual(names(entries).sort(), wanted);
});

// Directories.

check("directory's life", async () => {
  const directory = client().dir(work("made"));
  assert.deepStrictEqual((await call(directory, "exists")).slice(0, 2), [false, 404]);
  const [body, status] = await call(directory, "create");
  assert.deepStrictEqual([body, status], [{ result: `s3+rw://${bucket}/${WORK}made` }, 200]);
  assert.deepStrictEqual(await call(directory, "exists"), [true]);
  assert.deepStrictEqual(await list(directory), { error: null, entries: [] });
  assert.strictEqual((await call(directory, "create"))[1], 200);
  assert.deepStrictEqual(await call(directory, "delete", true), [{ result: { deleted: 1 } }, 200]);
  assert.deepStrictEqual((await call(directory, "exists")).slice(0, 2), [false, 404]);
  refused(await call(directory, "delete", false), 404, "there is no file or directory");
});

check("directory made with a slash", async () => {
  assert.strictEqual((await call(client().dir(work("slashed/")), "create"))[1], 200);
  assert.deepStrictEqual(await call(client().dir(work("slashed")), "exists"), [true]);
  assert.strictEqual((await call(client().dir(work("slashed/")), "delete", false))[1], 200);
});

check("directory deleted with force alone", async () => {
  const directory = client().dir(work("full"));
  await call(directory, "create");
  await put(directory.file("a"), "a");
  await put(client().file(work("full/sub/b")), "b");
  refused(await call(directory, "delete", false), 409, `s3+rw://${bucket}/${WORK}full is not empty`);
  assert.deepStrictEqual(await call(directory, "delete", true), [{ result: { deleted: 3 } }, 200]);
  assert.deepStrictEqual((await call(directory, "exists")).slice(0, 2), [false, 404]);
});

check("buckets cannot be made", async () => {
  const [body, status] = await call(client().dir("s3+rw://newbucket"), "create");
  assert.ok(status >= 400 && status < 500 && body.error.message, JSON.stringify(body));
});

check("listing of folders and files", async () => {
  const wanted = [...CONFIG.reports.folders, ...CONFIG.reports.files];
  const { error, entries } = await list(client().dir(readOnly("reports")));
  assert.strictEqual(error, null);
  assert.deepStrictEqual(names(entries), wanted);
  assert.deepStrictEqual(names(await each(client().dir(readOnly("reports")), "forEach")), wanted);
  assert.deepStrictEqual(names(await each(client().dir(readOnly("reports")), "forEachDir")), CONFIG.reports.folders);
  assert.deepStrictEqual(names(await each(client().dir(readOnly("reports")), "forEachFile")), CONFIG.reports.files);
  const text = entries.find((entry) => entry.basename() === "text.txt");
  assert.strictEqual(text.size, Buffer.byteLength(CONFIG.text));
  assert.match(text.last_modified, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
});

check("listing of thousands", async () => {
  const { error, entries } = await list(client().dir(readOnly("many")));
  assert.strictEqual(error, null);
  assert.strictEqual(entries.length, CONFIG.many.files + CONFIG.many.folders);
  assert.strictEqual(new Set(names(entries)).size, entries.length);
});

check("listing is narrowed", async () => {
  const { entries } = await list(client().dir(`s3+saha://${bucket}`));
  assert.deepStrictEqual(names(entries), ["many", "reports", "team.jpg", "test_data.csv"]);
});

// Errors: what each surfaces in this client.

async function isRefused(key, connection, name, status, message) {
  const file = client(key).file(`${connection}://${bucket}/${name}`);
  const [found, foundStatus, body] = await call(file, "exists");
  assert.deepStrictEqual([found, foundStatus], [false, status]);
  assert.ok(body.error.message.startsWith(message), JSON.stringify(body));
  const [error, data] = await call(file, "get");
  assert.strictEqual(data, null);
  assert.ok(error.message.startsWith(message), JSON.stringify(error));
  refused(await call(file, "getString"), status, message);
  refused(await call(file, "getJson"), status, message);
  await writesAreRefused(key, connection, name, status, message);
  const directory = client(key).dir(`${connection}://${bucket}/${name}`);
  assert.deepStrictEqual((await call(directory, "exists")).slice(0, 2), [false, status]);
  const listing = await list(directory);
  assert.ok(listing.error && listing.error.message.startsWith(message), JSON.stringify(listing));
  // It ends without a word; an answer that is not JSON would make it ask again for ever.
  assert.deepStrictEqual(await each(directory, "forEach"), []);
}

async function writesAreRefused(key, connection, name, status, message) {
  const file = client(key).file(`${connection}://${bucket}/${name}`);
  for (const method of ["put", "putString", "putJson"]) {
    refused(await call(file, method, '"x"'), status, message);
  }
  refused(await call(file, "delete"), status, message);
  const directory = client(key).dir(`${connection}://${bucket}/${name}-dir`);
  refused(await call(directory, "create"), status, message);
  refused(await call(directory, "delete", true), status, message);
}

const unknown = (label) => `you have no data connection ${label}`;
check("error: denied path", () => isRefused("full", "s3+saha", "secret/k.txt", 403, messages.denied));
check("error: unknown label", () => isRefused("full", "s3+nobodys", "test_data.csv", 403, unknown("s3+nobodys")));
check("error: another user's label", () => isRefused("full", "s3+theirs", "test_data.csv", 403, unknown("s3+theirs")));
check("error: wrong API key", () => isRefused("wrong", "s3+saha", "test_data.csv", 401, messages.key));
check("error: key without data access", () => isRefused("none", "s3+saha", "test_data.csv", 403, messages.denied));
check("error: read-only connection", () => writesAreRefused("full", "s3+saha", "reports/text.txt", 403, messages.denied));
check("error: read-only key", () => writesAreRefused("read_only", "s3+rw", `${WORK}x`, 403, messages.denied));

check("error: missing file", async () => {
  const file = client().file(readOnly("reports/none"));
  assert.ok((await call(file, "get"))[0].message.startsWith("there is no file or directory"));
  refused(await call(file, "getString"), 404, "there is no file or directory");
  const listing = await list(client().dir(readOnly("reports/none")));
  assert.ok(listing.error.message.startsWith("there is no file or directory"));
});

(async () => {
  let failed = 0;
  let running = "the suite itself";
  // What the client throws in its own callbacks reaches nobody; without this, checks would be lost.
  process.on("uncaughtException", (error) => {
    say({ name: running, ok: false, detail: `ended the process: ${error.stack}` });
    process.exit(1);
  });
  for (const [name, run] of CHECKS) {
    running = name;
    try {
      await run();
      say({ name, ok: true, detail: "" });
    } catch (error) {
      failed += 1;
      say({ name, ok: false, detail: String(error.stack).slice(0, 1500) });
    }
  }
  process.exit(failed ? 1 : 0);
})();
