//! The published Rust client against a gateway: algorithmia 3.0.0-beta.3, unmodified.
//!
//! `pathward-rust-client CONFIG.json` prints a JSON line per check, `{name, ok, detail}`, and one
//! for each object that must now be in the bucket, `{stored, file}`; the driver looks there itself.
//! See `tests/real/run.py` for the rest.

use std::{collections::BTreeSet, fs, panic, process::ExitCode};

use algorithmia::{
    data::{DataAcl, DataItem, DataType, HasDataPath, ReadAcl},
    error::Error,
    Algorithmia, Body,
};
use serde_json::{json, Value};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// What the driver tells.
struct Suite {
    config: Value,
    failed: usize,
}

impl Suite {
    fn text(&self, pointer: &str) -> String {
        self.config
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{pointer}"))
            .to_owned()
    }

    fn texts(&self, pointer: &str) -> Vec<String> {
        let items = self
            .config
            .pointer(pointer)
            .and_then(Value::as_array)
            .unwrap_or_else(|| panic!("{pointer}"));
        items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
    }

    fn number(&self, pointer: &str) -> usize {
        self.config.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer}"))
            as usize
    }

    fn client(&self, key: &str) -> Algorithmia {
        Algorithmia::client_with_url(&*self.text(&format!("/keys/{key}")), &*self.text("/base"))
            .unwrap()
    }

    fn at(&self, connection: &str, name: &str) -> String {
        format!("{connection}://{}/{name}", self.text("/bucket"))
    }

    fn read_only(&self, name: &str) -> String {
        self.at("s3+saha", name)
    }

    fn work(&self, name: &str) -> String {
        self.at("s3+rw", &format!("{}{name}", self.text("/work")))
    }

    fn stored(&self, name: &str, data: &[u8]) {
        let copy = format!("{}/{}", self.text("/folder"), name.replace('/', "-"));
        fs::write(&copy, data).expect("a copy of what was stored");
        println!("{}", json!({ "stored": format!("{}{name}", self.text("/work")), "file": copy }));
    }

    fn check(&mut self, name: &str, run: impl FnOnce(&Suite) -> Outcome) {
        let outcome = panic::catch_unwind(panic::AssertUnwindSafe(|| run(self)));
        let detail = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!("{error} ({error:?})")),
            Err(panicked) => Some(
                (panicked.downcast_ref::<String>().cloned())
                    .or_else(|| panicked.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                    .unwrap_or_default(),
            ),
        };
        self.failed += usize::from(detail.is_some());
        println!(
            "{}",
            json!({ "name": name, "ok": detail.is_none(), "detail": detail.unwrap_or_default() })
        );
    }

    /// Entries of a directory: folders' and files' names, in the order in which they came.
    fn list(&self, uri: &str) -> Result<(Vec<String>, Vec<String>), Error> {
        let (mut folders, mut files) = (Vec::new(), Vec::new());
        for item in self.client("full").dir(uri).list() {
            match item? {
                DataItem::Dir(dir) => folders.push(dir.basename().unwrap()),
                DataItem::File(file) => files.push(file.basename().unwrap()),
            }
        }
        Ok((folders, files))
    }
}

/// Wants a failure with this status and a message that starts so.
fn refused<T>(result: Result<T, Error>, status: u16, message: &str) {
    let error = match result {
        Ok(_) => panic!("was not refused"),
        Err(error) => error,
    };
    assert_eq!(error.status().map(|status| status.as_u16()), Some(status), "{error:?}");
    let found = &error.api_error().unwrap_or_else(|| panic!("no message: {error:?}")).message;
    assert!(found.starts_with(message), "{found:?} does not start with {message:?}");
}

/// `exists` fails with the header's text alone.
fn exists_refused(result: Result<bool, Error>, status: u16, message: &str) {
    let error = result.expect_err("was not refused");
    let text = &error.api_error().expect("a message").message;
    assert!(text.starts_with(&status.to_string()) && text.contains(message), "{text:?}");
}

fn files(suite: &mut Suite) {
    suite.check("seed program reads CSV", |s| {
        let text = s
            .client("full")
            .file(&format!("S3+saha://{}/test_data.csv", s.text("/bucket")))
            .get()?
            .into_string()?;
        let rows: Vec<Vec<&str>> =
            text.trim().lines().map(|line| line.split(',').collect()).collect();
        assert_eq!(json!(rows), s.config["csv_rows"]);
        Ok(())
    });
    suite.check("default connection", |s| {
        let text = s.client("full").file(&s.at("s3", "test_data.csv")).get()?.into_string()?;
        assert_eq!(text.lines().count(), s.config["csv_rows"].as_array().unwrap().len());
        Ok(())
    });
    suite.check("file exists", |s| {
        assert!(s.client("full").file(&s.read_only("team.jpg")).exists()?);
        assert!(!s.client("full").file(&s.read_only("reports/none")).exists()?);
        Ok(())
    });
    suite.check("file get bytes, size and type", |s| {
        let file = s.client("full").file(&s.read_only("team.jpg")).get()?;
        assert_eq!(file.size as usize, s.number("/team_size"));
        assert_eq!(file.into_bytes()?.len(), s.number("/team_size"));
        let object = s.client("full").data(&s.read_only("team.jpg"));
        assert!(matches!(object.get_type()?, DataType::File));
        match object.into_type()? {
            DataItem::File(file) => assert_eq!(file.size as usize, s.number("/team_size")),
            DataItem::Dir(_) => panic!("a file is taken for a directory"),
        }
        let reports = s.client("full").data(&s.read_only("reports"));
        assert!(matches!(reports.get_type()?, DataType::Dir));
        assert!(matches!(reports.into_type()?, DataItem::Dir(_)));
        Ok(())
    });
    suite.check("file get of a directory is an error", |s| {
        let error = s.client("full").file(&s.read_only("reports")).get().err().expect("an error");
        assert!(error.to_string().contains("received 'directory'"), "{error}");
        Ok(())
    });
    suite.check("put string", |s| {
        let file = s.client("full").file(&s.work("kept/string.txt"));
        file.put("grüße\n")?;
        assert_eq!(file.get()?.into_string()?, "grüße\n");
        s.stored("kept/string.txt", "grüße\n".as_bytes());
        Ok(())
    });
    suite.check("put bytes verbatim", |s| {
        let data: Vec<u8> = (0..768).map(|n| n as u8).collect();
        let file = s.client("full").file(&s.work("kept/bytes"));
        file.put(data.clone())?;
        assert_eq!(file.get()?.into_bytes()?, data);
        s.stored("kept/bytes", &data);
        Ok(())
    });
    suite.check("put empty", |s| {
        let file = s.client("full").file(&s.work("kept/empty"));
        file.put("")?;
        assert_eq!(file.get()?.into_bytes()?, b"");
        s.stored("kept/empty", b"");
        Ok(())
    });
    suite.check("put of a reader, chunked", |s| {
        let data: Vec<u8> =
            (0..3 << 20).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let file = s.client("full").file(&s.work("kept/stream"));
        file.put(body_of_unknown_length(data.clone()))?;
        assert!(file.get()?.into_bytes()? == data, "other bytes came back");
        s.stored("kept/stream", &data);
        file_of_no_bytes(s)
    });
    suite.check("put file of a directory", |s| {
        let folder = std::env::temp_dir().join(format!("rust-suite-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let data: Vec<u8> =
            (0..7 << 20).map(|n: u32| (n.wrapping_mul(40_503) >> 7) as u8).collect();
        for (name, data) in [("upload.bin", &data[..]), ("upload-empty", b"")] {
            fs::write(folder.join(name), data)?;
            s.client("full").dir(&s.work("kept")).put_file(folder.join(name))?;
            assert!(
                s.client("full").file(&s.work(&format!("kept/{name}"))).get()?.into_bytes()?
                    == data,
                "{name}"
            );
            s.stored(&format!("kept/{name}"), data);
        }
        fs::remove_dir_all(folder)?;
        Ok(())
    });
    suite.check("delete file", |s| {
        let file = s.client("full").file(&s.work("short-lived"));
        file.put("x")?;
        file.delete()?;
        assert!(!file.exists()?);
        refused(file.delete(), 404, "there is no file");
        Ok(())
    });
}

fn body_of_unknown_length(data: Vec<u8>) -> Body {
    Body::new(std::io::Cursor::new(data))
}

fn file_of_no_bytes(s: &Suite) -> Outcome {
    s.client("full").file(&s.work("kept/empty-stream")).put(body_of_unknown_length(Vec::new()))?;
    s.stored("kept/empty-stream", b"");
    Ok(())
}

/// Names, and the keys that this client makes of them.
const NAMES: [(&str, &str); 17] = [
    ("a b.txt", "a b.txt"),
    ("ü.txt", "ü.txt"),
    ("u\u{308}.txt", "u\u{308}.txt"),
    ("日本.txt", "日本.txt"),
    ("😀.txt", "😀.txt"),
    ("a+b%20c.txt", "a+b c.txt"),
    ("%41.txt", "A.txt"),
    ("100%.txt", "100%.txt"),
    ("pct%zz", "pct%zz"),
    ("sub%2Fslash", "sub/slash"),
    ("other\\slash", "other/slash"),
    ("escaped%3Fmark%23and%2520more", "escaped?mark#and%20more"),
    ("q\"<>|^`{}[].txt", "q\"<>|^`{}[].txt"),
    ("p!$&'()*,;=:@~.txt", "p!$&'()*,;=:@~.txt"),
    ("./dot", "dot"),
    ("d/../up", "up"),
    ("...", "..."),
];

fn names(suite: &mut Suite) {
    for (name, key) in NAMES {
        suite.check(&format!("odd name {name}"), |s| {
            let data = format!("the file called {name}");
            let file = s.client("full").file(&s.work(&format!("names/{name}")));
            file.put(data.clone())?;
            assert_eq!(file.get()?.into_string()?, data);
            s.stored(&format!("names/{key}"), data.as_bytes());
            Ok(())
        });
    }
    suite.check("ambiguous name a//b", |s| {
        let file = s.client("full").file(&s.work("ambiguous/a//b"));
        if s.config["exact"] == true {
            file.put("x")?;
            assert_eq!(file.get()?.into_string()?, "x");
            s.stored("ambiguous/a//b", b"x");
        } else {
            refused(file.put("x"), 400, &s.text("/messages/ambiguous"));
            refused(file.get().map(|_| ()), 400, &s.text("/messages/ambiguous"));
        }
        Ok(())
    });
    suite.check("a question mark does not name another file", |s| {
        refused(s.client("full").file(&s.work("x?y#z")).put("x"), 400, "the query has a parameter");
        assert!(!s.client("full").file(&s.work("x")).exists()?);
        Ok(())
    });
    suite.check("names of a listing", |s| {
        let wanted: BTreeSet<&str> =
            NAMES.iter().map(|(_, key)| *key).filter(|key| !key.contains('/')).collect();
        let (_, files) = s.list(&s.work("names"))?;
        assert_eq!(files.iter().map(String::as_str).collect::<BTreeSet<_>>(), wanted);
        Ok(())
    });
}

fn directories(suite: &mut Suite) {
    suite.check("directory's life", |s| {
        let dir = s.client("full").dir(&s.work("made"));
        assert!(!dir.exists()?);
        dir.create(DataAcl::default())?;
        assert!(dir.exists()?);
        assert_eq!(s.list(&s.work("made"))?, (vec![], vec![]));
        dir.create(ReadAcl::Public)?;
        assert_eq!(dir.delete(true)?.deleted, 1);
        assert!(!dir.exists()?);
        refused(dir.delete(false), 404, "there is no file or directory");
        Ok(())
    });
    suite.check("directory deleted with force alone", |s| {
        let dir = s.client("full").dir(&s.work("full"));
        dir.create(DataAcl::default())?;
        s.client("full").file(&s.work("full/a")).put("a")?;
        s.client("full").file(&s.work("full/sub/b")).put("b")?;
        refused(dir.delete(false), 409, &format!("{} is not empty", s.work("full")));
        assert_eq!(dir.delete(true)?.deleted, 3);
        assert!(!dir.exists()?);
        Ok(())
    });
    suite.check("buckets cannot be made", |s| {
        let error = s
            .client("full")
            .dir("s3+rw://newbucket")
            .create(DataAcl::default())
            .expect_err("an error");
        let status = error.status().expect("a status").as_u16();
        assert!((400..500).contains(&status), "{error:?}");
        Ok(())
    });
    suite.check("listing of folders and files", |s| {
        let (folders, files) = s.list(&s.read_only("reports"))?;
        assert_eq!(folders, s.texts("/reports/folders"));
        assert_eq!(files, s.texts("/reports/files"));
        let (folders, files) = s.list(&s.read_only("reports/"))?;
        assert_eq!(
            (folders.len(), files.len()),
            (s.texts("/reports/folders").len(), s.texts("/reports/files").len())
        );
        for item in s.client("full").dir(&s.read_only("reports")).list() {
            if let DataItem::File(file) = item? {
                if file.basename().as_deref() == Some("text.txt") {
                    assert_eq!(file.size as usize, s.text("/text").len());
                    return Ok(());
                }
            }
        }
        panic!("text.txt is not listed");
    });
    suite.check("listing of thousands", |s| {
        let (folders, files) = s.list(&s.read_only("many"))?;
        assert_eq!(
            (folders.len(), files.len()),
            (s.number("/many/folders"), s.number("/many/files"))
        );
        assert_eq!(files.iter().collect::<BTreeSet<_>>().len(), files.len());
        Ok(())
    });
    suite.check("listing is narrowed", |s| {
        let (folders, files) = s.list(&format!("s3+saha://{}", s.text("/bucket")))?;
        assert_eq!(
            (folders, files),
            (
                vec!["many".into(), "reports".into()],
                vec!["team.jpg".into(), "test_data.csv".into()]
            )
        );
        let (folders, _) = s.list("s3+saha://")?;
        assert_eq!(folders, [s.text("/bucket")]);
        Ok(())
    });
}

/// Every verb is refused in the same way.
fn is_refused(
    s: &Suite,
    key: &str,
    connection: &str,
    name: &str,
    status: u16,
    message: &str,
) -> Outcome {
    let file = s.client(key).file(&s.at(connection, name));
    exists_refused(file.exists(), status, message);
    refused(file.get().map(|_| ()), status, message);
    refused(s.client(key).data(&s.at(connection, name)).get_type().map(|_| ()), status, "");
    let dir = s.client(key).dir(&s.at(connection, name));
    refused(dir.list().next().expect("an item").map(|_| ()), status, message);
    writes_are_refused(s, key, connection, name, status, message)
}

fn writes_are_refused(
    s: &Suite,
    key: &str,
    connection: &str,
    name: &str,
    status: u16,
    message: &str,
) -> Outcome {
    let file = s.client(key).file(&s.at(connection, name));
    refused(file.put("x"), status, message);
    refused(file.delete(), status, message);
    let dir = s.client(key).dir(&s.at(connection, &format!("{name}-dir")));
    refused(dir.create(DataAcl::default()), status, message);
    refused(dir.delete(true), status, message);
    Ok(())
}

fn errors(suite: &mut Suite) {
    let denied = suite.text("/messages/denied");
    let wrong = suite.text("/messages/key");
    suite.check("error: denied path", |s| {
        is_refused(s, "full", "s3+saha", "secret/k.txt", 403, &denied)
    });
    for (what, label) in [("unknown label", "s3+nobodys"), ("another user's label", "s3+theirs")] {
        let message = format!("you have no data connection {label}");
        suite.check(&format!("error: {what}"), |s| {
            is_refused(s, "full", label, "test_data.csv", 403, &message)
        });
    }
    suite.check("error: wrong API key", |s| {
        is_refused(s, "wrong", "s3+saha", "test_data.csv", 401, &wrong)
    });
    suite.check("error: key without data access", |s| {
        is_refused(s, "none", "s3+saha", "test_data.csv", 403, &denied)
    });
    suite.check("error: read-only connection", |s| {
        writes_are_refused(s, "full", "s3+saha", "reports/text.txt", 403, &denied)
    });
    suite.check("error: read-only key", |s| {
        writes_are_refused(s, "read_only", "s3+rw", &format!("{}x", s.text("/work")), 403, &denied)
    });
    suite.check("error: missing file", |s| {
        refused(
            s.client("full").file(&s.read_only("reports/none")).get().map(|_| ()),
            404,
            "there is no file or directory",
        );
        let dir = s.client("full").dir(&s.read_only("reports/none"));
        refused(
            dir.list().next().expect("an item").map(|_| ()),
            404,
            "there is no file or directory",
        );
        Ok(())
    });
}

fn main() -> ExitCode {
    let path = std::env::args().nth(1).expect("usage: pathward-rust-client CONFIG.json");
    let config = serde_json::from_slice(&fs::read(path).expect("the file")).expect("JSON");
    let mut suite = Suite { config, failed: 0 };
    // What a check panics with is its detail, and stands in its line.
    panic::set_hook(Box::new(|_| {}));
    files(&mut suite);
    names(&mut suite);
    directories(&mut suite);
    errors(&mut suite);
    ExitCode::from(u8::from(suite.failed > 0))
}
