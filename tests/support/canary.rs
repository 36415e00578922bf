//! Canaries: secrets that are nowhere to come out, and every line that any crate logs, down to the level
//! of traces, searched for them.
//!
//! A hit ends the whole run: whichever test it was, the line is shown and the process aborts.
//!
//! One thing is let through: the id of the key, which is no secret but is nobody's business, in
//! lines of the AWS crates and of the S3 server, which is in this process too. `aws_config` says it
//! at `info`. What `pathward serve` logs has no lines
//! of other crates; `tests/real` searches that for both.

use std::{
    io,
    sync::{Mutex, OnceLock},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt as _,
};

/// The key id: 20 characters, as S3 has them.
pub const ID: &str = "CANARYKEYID012345678";
/// The secret, with the signs that encodings change.
pub const SECRET: &str = "CANARY/secret+bird=0123456789abcdefghijk";

/// Every form in which one of them could come out.
fn forms() -> &'static [Vec<u8>] {
    static FORMS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    FORMS.get_or_init(|| {
        let mut forms = Vec::new();
        for text in [ID, SECRET] {
            forms.push(text.as_bytes().to_vec());
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            forms.push(hex.to_uppercase().into_bytes());
            forms.push(hex.into_bytes());
            let url = |upper: bool| -> String {
                let escape = |byte: u8| match (byte.is_ascii_alphanumeric(), upper) {
                    (true, _) => char::from(byte).to_string(),
                    (false, true) => format!("%{byte:02X}"),
                    (false, false) => format!("%{byte:02x}"),
                };
                text.bytes().map(escape).collect()
            };
            forms.extend([url(true).into_bytes(), url(false).into_bytes()]);
            // Base64 of it within something else: at each of the three offsets, without the ends
            // that depend on what is around it.
            for offset in 0..3 {
                let padded = format!("{}{text}", "x".repeat(offset));
                let encoded = BASE64_STANDARD.encode(&padded);
                let inner = &encoded[4..encoded.len() - 4];
                forms.push(inner.as_bytes().to_vec());
                forms.push(inner.replace('+', "-").replace('/', "_").into_bytes());
            }
            // As a list of numbers, the way `Debug` shows bytes.
            let numbers = format!("{:?}", text.as_bytes());
            forms.push(numbers.trim_matches(['[', ']']).as_bytes().to_vec());
        }
        forms.sort();
        forms.dedup();
        forms
    })
}

/// The form of a canary that is in these bytes, if one is.
pub fn found(bytes: &[u8]) -> Option<String> {
    let hit = forms()
        .iter()
        .find(|form| bytes.windows(form.len()).any(|part| part == form.as_slice()))?;
    Some(String::from_utf8_lossy(hit).into_owned())
}

/// Whether one of the AWS crates wrote this line, or the S3 server.
fn of_aws(line: &[u8]) -> bool {
    line.windows(5).any(|part| part == b" aws_" || part == b" s3s:")
}

/// Where all lines go.
struct Watch;

impl io::Write for Watch {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(form) = found(line).filter(|form| !(form == ID && of_aws(line))) {
            eprintln!("a canary, as {form}, is in this line:\n{}", String::from_utf8_lossy(line));
            std::process::abort();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines of decisions, as JSON, by the id of their request.
static DECISIONS: Mutex<Vec<serde_json::Value>> = Mutex::new(Vec::new());

/// Where the lines of decisions go.
struct Decisions;

impl io::Write for Decisions {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let decision = serde_json::from_slice(line).map_err(io::Error::other)?;
        DECISIONS.lock().map_err(|_| io::ErrorKind::Other)?.push(decision);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The decisions that were logged of a request, in their order.
pub fn decisions(request_id: &str) -> Vec<serde_json::Value> {
    let all = DECISIONS.lock().expect("no test panics while it has it");
    all.iter().filter(|line| line["request_id"] == request_id).cloned().collect()
}

/// Watches every line that is logged in this process from now on.
pub fn watch() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let lines = fmt::layer().with_writer(|| Watch).with_ansi(false);
        let decisions = fmt::layer()
            .with_writer(|| Decisions)
            .json()
            .flatten_event(true)
            .with_filter(Targets::new().with_target("pathward::decision", LevelFilter::INFO));
        let all = tracing_subscriber::registry().with(lines).with(decisions);
        tracing::subscriber::set_global_default(all).unwrap();
    });
}
