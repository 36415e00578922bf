<?php
// A program of PHP against a gateway, by Guzzle, PHP's usual library for HTTP. Algorithmia's client for PHP is
// only on Packagist, so this asks as it does: `Simple KEY`, the connector's form of address, `?acl=false` of each
// listing, markers as they come, and the names of an answer's headers read in title case.
//
//     php php_suite.php CONFIG.json
//
// Prints lines as py_suite.py does. See run.py for the rest.

require "/usr/share/php/GuzzleHttp/autoload.php";

use GuzzleHttp\Client;
use GuzzleHttp\Exception\RequestException;

$CONFIG = json_decode(file_get_contents($argv[1]), true);
$BUCKET = $CONFIG["bucket"];
$WORK = $CONFIG["work"];

class Failed extends Exception {}

function client(string $key = "full", string $type = "application/octet-stream"): Client {
    global $CONFIG;
    return new Client(["base_uri" => $CONFIG["base"], "timeout" => 60, "headers" => [
        "Content-Type" => $type, "Authorization" => "Simple " . $CONFIG["keys"][$key]]]);
}

function at(string $connection, string $path): string {
    return "/v1/connector/$connection/" . implode("/", array_map("rawurlencode", explode("/", $path)));
}

function readable(string $path): string {
    global $BUCKET;
    return at("s3+saha", "$BUCKET/$path");
}

function work(string $path): string {
    global $BUCKET, $WORK;
    return at("s3+rw", "$BUCKET/$WORK$path");
}

function say(array $line): void {
    echo json_encode($line), "\n";
}

function stored(string $key, string $data): void {
    global $WORK;
    say(["stored" => $WORK . $key, "sha256" => hash("sha256", $data)]);
}

function shorten($value): string {
    return substr(var_export($value, true), 0, 400);
}

function equal($found, $wanted, string $about = ""): void {
    if ($found !== $wanted) {
        throw new Failed(shorten($found) . " is not " . shorten($wanted) . " $about");
    }
}

// What a request is refused with: its status, and the message that the client would raise.
function refused(callable $ask): array {
    try {
        $ask();
    } catch (RequestException $error) {
        $answer = $error->getResponse();
        return [$answer->getStatusCode(), json_decode($answer->getBody()->getContents())->error->message];
    }
    throw new Failed("it was not refused");
}

function denied(callable $ask, ?string $words = null, int $wanted = 403): void {
    global $CONFIG;
    [$status, $message] = refused($ask);
    equal($status, $wanted);
    equal(str_starts_with($message, $words ?? $CONFIG["messages"]["denied"]), true, $message);
}

function exists(string $address, string $key = "full"): bool {
    try {
        return client($key)->get($address)->getStatusCode() === 200;
    } catch (RequestException $error) {
        return false;
    }
}

function sync(string $address): object {
    $found = (object) ["files" => [], "folders" => [], "pages" => 0];
    $marker = "";
    do {
        $page = json_decode(client("full", "application/json")->get("$address?{$marker}acl=false")->getBody());
        $found->files = array_merge($found->files, $page->files);
        $found->folders = array_merge($found->folders, $page->folders);
        $found->pages++;
        $marker = property_exists($page, "marker") ? "marker=$page->marker&" : "";
    } while ($marker !== "" && $found->pages < 20);
    return $found;
}

function create(string $parent, string $name): object {
    $answer = client("full", "application/json")->post($parent, [
        "json" => ["name" => $name, "acl" => ["read" => ["algo://.my/*"]]]]);
    equal($answer->getStatusCode(), 200);
    return json_decode($answer->getBody());
}

$CHECKS = [
    "headers_by_their_names" => function () use ($CONFIG) {
        $answer = client()->get(readable("team.jpg"));
        // An array with the names as they came: PHP tells capitals and small letters apart.
        $headers = $answer->getHeaders();
        equal($headers["Content-Length"][0], (string) $CONFIG["team_size"], "getSize");
        equal($headers["Content-Type"][0], "image/jpeg", "getContentType");
        equal(abs(strtotime($headers["Last-Modified"][0]) - time()) < 7200, true, "getLastModified");
        equal($headers["X-Data-Type"][0], "file");
        equal(hash("sha256", $answer->getBody()->getContents()), $CONFIG["team_sha256"]);
    },
    "a_file_as_bytes_text_and_json" => function () use ($CONFIG) {
        equal(client()->get(readable("reports/text.txt"))->getBody()->getContents(), $CONFIG["text"]);
        $json = json_decode(client()->get(readable("reports/data.json"))->getBody()->getContents());
        equal($json->{"ä"}, [1, 2.5, null]);
        $rows = array_map("str_getcsv", explode("\n", trim(client()->get(readable("test_data.csv"))->getBody())));
        equal($rows, $CONFIG["csv_rows"]);
    },
    "a_file_into_a_file" => function () use ($CONFIG) {
        $path = $CONFIG["folder"] . "/team.jpg";
        client()->get(readable("team.jpg"), ["sink" => $path]);
        equal(hash_file("sha256", $path), $CONFIG["team_sha256"]);
    },
    "a_part_of_a_file" => function () {
        $whole = client()->get(readable("team.jpg"))->getBody()->getContents();
        $answer = client()->get(readable("team.jpg"), ["headers" => ["Range" => "bytes=100-199"]]);
        equal([$answer->getStatusCode(), $answer->getBody()->getContents()], [206, substr($whole, 100, 100)]);
    },
    "by_fopen" => function () use ($CONFIG) {
        $context = stream_context_create(["http" => ["header" => "Authorization: Simple " . $CONFIG["keys"]["full"]]]);
        equal(file_get_contents($CONFIG["base"] . readable("reports/text.txt"), false, $context), $CONFIG["text"]);
    },
    "put_get_overwrite_delete" => function () {
        foreach (["the first, which is longer", "second", ""] as $data) {
            client()->put(work("kept/twice"), ["body" => $data]);
            equal(client()->get(work("kept/twice"))->getBody()->getContents(), $data);
        }
        stored("kept/twice", "");
        client()->put(work("gone"), ["body" => "x"]);
        equal(exists(work("gone")), true);
        equal(client()->delete(work("gone"))->getBody()->getContents(), '{"result":{"deleted":1}}');
        equal(exists(work("gone")), false);
        equal(refused(fn () => client()->delete(work("gone")))[0], 404);
    },
    "put_bytes_json_and_megabytes" => function () {
        $large = random_bytes(7 << 20);
        foreach (["bytes" => implode(array_map("chr", range(0, 255))), "value.json" => '{"error":"of the user"}', "large" => $large] as $name => $data) {
            client()->put(work("kept/$name"), ["body" => $data]);
            equal(hash("sha256", client()->get(work("kept/$name"))->getBody()->getContents()), hash("sha256", $data), $name);
            stored("kept/$name", $data);
        }
    },
    "the_type_is_that_of_the_name" => function () {
        // What the client says of everything is application/octet-stream.
        client()->put(work("kept/page.html"), ["body" => "<p>"]);
        stored("kept/page.html", "<p>");
        equal(explode(";", client()->get(work("kept/page.html"))->getHeaders()["Content-Type"][0])[0], "text/html");
    },
    "odd_names" => function () {
        $names = ["a b.txt", "ü.txt", "日本.txt", "a+b.txt", "100%.txt", "%41.txt", "x?y#z", "q\"<>|^`{}[].txt"];
        foreach ($names as $name) {
            client()->put(work("names/$name"), ["body" => "the file $name"]);
            equal(client()->get(work("names/$name"))->getBody()->getContents(), "the file $name");
            stored("names/$name", "the file $name");
        }
        sort($names, SORT_STRING);
        equal(array_column(sync(work("names"))->files, "filename"), $names);
    },
    "a_listing" => function () use ($CONFIG) {
        $found = sync(readable("reports"));
        equal(array_column($found->folders, "name"), $CONFIG["reports"]["folders"]);
        equal(array_column($found->files, "filename"), $CONFIG["reports"]["files"]);
        equal($found->files[2]->size, strlen($CONFIG["text"]));
        equal(json_encode(sync(readable("reports/"))), json_encode($found));
    },
    "a_listing_of_thousands" => function () use ($CONFIG) {
        $found = sync(readable("many"));
        equal([count($found->files), count($found->folders)], [$CONFIG["many"]["files"], $CONFIG["many"]["folders"]]);
        equal(count(array_unique(array_column($found->files, "filename"))), $CONFIG["many"]["files"]);
        equal($found->pages > 1, true);
    },
    "directories" => function () {
        equal(exists(work("made")), false);
        create(work(""), "made");
        create(work(""), "made");
        equal(exists(work("made")), true);
        client()->put(work("made/sub/file"), ["body" => "x"]);
        equal(refused(fn () => client()->delete(work("made")))[0], 409);
        equal(client()->delete(work("made") . "?force=true")->getStatusCode(), 200);
        equal([exists(work("made")), exists(work("made/sub/file"))], [false, false]);
    },
    "denied" => function () use ($CONFIG, $BUCKET, $WORK) {
        $secret = readable("secret/k.txt");
        denied(fn () => client()->get($secret));
        denied(fn () => client()->put($secret, ["body" => "x"]));
        denied(fn () => client()->delete($secret));
        denied(fn () => client()->delete(readable("secret") . "?force=true"));
        denied(fn () => create(readable("secret"), "new"));
        denied(fn () => sync(readable("secret/")));
        denied(fn () => client()->put(readable("reports/text.txt"), ["body" => "x"]));
        denied(fn () => client("read_only")->put(work("none"), ["body" => "x"]));
        denied(fn () => client("none")->get(readable("team.jpg")));
        denied(fn () => client()->get(at("s3+theirs", "$BUCKET/team.jpg")), "you have no data connection s3+theirs");
        denied(fn () => client("wrong")->get(readable("team.jpg")), $CONFIG["messages"]["key"], 401);
        equal(exists($secret), false);
        equal(refused(fn () => client()->get(readable("reports/none")))[0], 404);
    },
];

$failed = 0;
foreach ($CHECKS as $name => $check) {
    try {
        $check();
        say(["name" => $name, "ok" => true, "detail" => ""]);
    } catch (Throwable $error) {
        $failed++;
        $of = get_class($error);
        say(["name" => $name, "ok" => false, "detail" => "line {$error->getLine()}: $of: {$error->getMessage()}"]);
    }
}
exit($failed > 0 ? 1 : 0);
