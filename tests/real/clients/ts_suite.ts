// A program of TypeScript against a gateway, by typed-rest-client. Algorithmia's client in TypeScript was never
// published to npm (0.3.10, which is, has a suite of its own), so this asks as it does, by the library that it asks
// with: its User-Agent, `Accept` by what is wanted, every PUT as `application/json`, and a new directory's name as text.
//
//     node --import tsx ts_suite.ts CONFIG.json
//
// Prints lines as node_suite.js does. See run.py for the rest.

import assert from "assert";
import crypto from "crypto";
import fs from "fs";
import path from "path";
import { HttpClient, HttpClientResponse } from "typed-rest-client/HttpClient";

interface Config {
  base: string; bucket: string; work: string; folder: string; text: string;
  keys: Record<string, string>; messages: Record<string, string>;
  team_sha256: string; team_size: number; many: { files: number; folders: number };
  reports: { folders: string[]; files: string[] };
}
interface Listing { folders: { name: string }[]; files: { filename: string; size: number; last_modified: string }[]; marker?: string }
interface Answer { status: number; text: string; headers: Record<string, unknown> }

const CONFIG: Config = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const { base, bucket, work: WORK, messages } = CONFIG;
const BYTES = "application/octet-stream", TEXT = "text/plain", JSON_TYPE = "application/json";

// The client's own, which it sends with these braces.
const http = new HttpClient(`{User-Agent : algorithmia-nodejs/undefined (NodeJS ${process.version})}`);

const say = (line: object) => fs.writeSync(1, JSON.stringify(line) + "\n");
const sha256 = (data: string | Buffer) => crypto.createHash("sha256").update(data).digest("hex");
const stored = (key: string, data: string) => say({ stored: WORK + key, sha256: sha256(data) });
const at = (connection: string, name: string) => `${base}/v1/data/${connection}://${bucket}/${name}`;
const readable = (name: string) => at("s3+saha", name);
const work = (name: string) => at("s3+rw", WORK + name);
const headers = (more: Record<string, string> = {}, key = "full") => ({ Authorization: `Simple ${CONFIG.keys[key]}`, ...more });

async function read(asked: Promise<HttpClientResponse>): Promise<Answer> {
  const answer = await asked;
  return { status: answer.message.statusCode ?? 0, text: await answer.readBody(), headers: answer.message.headers };
}
const get = (url: string, accept = BYTES, key = "full") => read(http.get(url, headers({ Accept: accept }, key)));
const put = (url: string, data: string, key = "full") => read(http.put(url, data, headers({ "Content-Type": JSON_TYPE }, key)));
const remove = (url: string) => read(http.del(url, headers()));
const exists = async (url: string) => (await read(http.head(url, headers()))).status === 200;
const create = (parent: string, name: string) => read(http.post(parent, name, headers({ "Content-Type": TEXT })));

async function refused(asked: Promise<Answer>, status = 403, words = messages.denied) {
  const answer = await asked;
  assert.strictEqual(answer.status, status, answer.text);
  const message: string = JSON.parse(answer.text).error.message;
  assert(message.startsWith(words), message);
}

async function listing(url: string) {
  const found = { folders: [] as string[], files: [] as string[], pages: 0 };
  let marker: string | undefined;
  do {
    const query: string = marker === undefined ? "" : `?marker=${encodeURIComponent(marker)}`;
    const page: Listing = JSON.parse((await get(url + query)).text);
    found.folders.push(...page.folders.map((folder) => folder.name));
    found.files.push(...page.files.map((file) => file.filename));
    found.pages += 1;
    marker = page.marker;
  } while (marker !== undefined && found.pages < 20);
  return found;
}

const CHECKS: Record<string, () => Promise<void>> = {
  async a_file_by_what_is_accepted() {
    for (const [accept, type] of [[BYTES, BYTES], [TEXT, "text/plain"], [JSON_TYPE, JSON_TYPE]]) {
      const answer = await get(readable("reports/text.txt"), accept);
      assert(String(answer.headers["content-type"]).startsWith(type), String(answer.headers["content-type"]));
      assert.strictEqual(answer.text, CONFIG.text);
    }
    const json = JSON.parse((await get(readable("reports/data.json"), JSON_TYPE)).text);
    assert.deepStrictEqual(json, { ä: [1, 2.5, null] });
  },
  async a_file_as_bytes_and_as_a_stream() {
    const file = path.join(CONFIG.folder, "team.jpg");
    const answer = await http.get(readable("team.jpg"), headers({ Accept: BYTES }));
    await new Promise((resolve, reject) => answer.message.pipe(fs.createWriteStream(file)).on("finish", resolve).on("error", reject));
    assert.strictEqual(sha256(fs.readFileSync(file)), CONFIG.team_sha256);
    const part = await read(http.get(readable("team.jpg"), headers({ Range: "bytes=65-69" })));
    assert.deepStrictEqual([part.status, part.text], [206, "ABCDE"]);
  },
  async put_get_overwrite_delete() {
    for (const text of ["the first, which is longer", "zweite: grüße"]) {
      assert.strictEqual((await put(work("kept/twice"), text)).status, 200);
      assert.strictEqual((await get(work("kept/twice"), TEXT)).text, text);
    }
    stored("kept/twice", "zweite: grüße");
    await put(work("gone"), "x");
    assert.strictEqual(await exists(work("gone")), true);
    assert.strictEqual((await remove(work("gone"))).text, '{"result":{"deleted":1}}');
    assert.strictEqual(await exists(work("gone")), false);
    await refused(remove(work("gone")), 404, "there is no file or directory");
  },
  async put_json_and_text() {
    const json = JSON.stringify({ error: "of the user" }, null, 2);
    for (const [name, data, type] of [["value.json", json, JSON_TYPE], ["notes.txt", "no JSON", "text/plain"]]) {
      await put(work(`kept/${name}`), data);
      const answer = await get(work(`kept/${name}`), "*/*");
      assert.strictEqual(answer.text, data);
      assert.strictEqual(String(answer.headers["content-type"]).split(";")[0], type, name);
      stored(`kept/${name}`, data);
    }
  },
  async put_a_stream() {
    const data = crypto.randomBytes(3 << 20).toString("hex");
    const file = path.join(CONFIG.folder, "large");
    fs.writeFileSync(file, data);
    const answer = await http.sendStream("PUT", work("kept/large"), fs.createReadStream(file), headers());
    assert.strictEqual(answer.message.statusCode, 200);
    await answer.readBody();
    assert.strictEqual(sha256((await get(work("kept/large"))).text), sha256(data));
    stored("kept/large", data);
  },
  async odd_names() {
    const names = ["a b.txt", "ü.txt", "日本.txt", "a+b.txt", "%41.txt", "x?y#z"];
    for (const name of names) {
      await put(work(`names/${encodeURIComponent(name)}`), `the file ${name}`);
      stored(`names/${name}`, `the file ${name}`);
    }
    assert.deepStrictEqual((await listing(work("names"))).files.sort(), names.sort());
  },
  async a_listing() {
    // In one page, unlike the old client's.
    const { folders, files, pages } = await listing(readable("reports"));
    assert.deepStrictEqual({ folders, files, pages }, { ...CONFIG.reports, pages: 1 });
  },
  async a_listing_of_thousands() {
    const found = await listing(readable("many"));
    assert.deepStrictEqual({ files: new Set(found.files).size, folders: found.folders.length }, CONFIG.many);
    assert(found.pages > 1 && found.files.length === CONFIG.many.files);
  },
  async directories() {
    assert.strictEqual(await exists(work("made")), false);
    for (let time = 0; time < 2; time++) assert.strictEqual((await create(work(""), "made")).status, 200);
    assert.strictEqual(await exists(work("made")), true);
    await put(work("made/sub/file"), "x");
    await refused(remove(work("made") + "?force=false"), 409, "");
    assert.strictEqual((await remove(work("made") + "?force=true")).status, 200);
    assert.deepStrictEqual([await exists(work("made")), await exists(work("made/sub/file"))], [false, false]);
  },
  async denied() {
    const secret = readable("secret/k.txt");
    for (const accept of [BYTES, TEXT, JSON_TYPE]) await refused(get(secret, accept));
    await refused(put(secret, "x"));
    await refused(remove(secret));
    await refused(get(readable("secret/")));
    await refused(create(readable("secret"), "new"));
    await refused(remove(readable("secret?force=true")));
    await refused(put(readable("reports/text.txt"), "x"));
    await refused(put(work("none"), "x", "read_only"));
    await refused(get(readable("team.jpg"), BYTES, "none"));
    await refused(get(readable("team.jpg"), BYTES, "wrong"), 401, messages.key);
    await refused(get(at("s3+theirs", "team.jpg")), 403, "you have no data connection s3+theirs");
    assert.strictEqual(await exists(secret), false);
    await refused(get(readable("reports/none")), 404, "there is no file or directory");
  },
};

async function main() {
  let failed = 0;
  for (const [name, check] of Object.entries(CHECKS)) {
    try {
      await check();
      say({ name, ok: true, detail: "" });
    } catch (error) {
      failed += 1;
      say({ name, ok: false, detail: String(error instanceof Error ? error.stack : error).slice(0, 600) });
    }
  }
  process.exitCode = failed > 0 ? 1 : 0;
}

void main();
