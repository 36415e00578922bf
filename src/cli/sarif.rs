//! Findings as SARIF 2.1.0, which code hosts show beside the lines.

use serde_json::{Value, json};

use super::{lint::message, output::text_of};
use crate::analysis::{CODES, Finding, Level};

/// The log of one run.
pub(super) fn log(findings: &[Finding<'_>]) -> Value {
    let rules: Vec<Value> = CODES
        .iter()
        .map(|(code, meaning)| json!({ "id": code, "shortDescription": { "text": meaning } }))
        .collect();
    let results: Vec<Value> = findings.iter().map(result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "pathward",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(finding: &Finding<'_>) -> Value {
    let level = match finding.level {
        Level::Note => "note",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    let mut result = json!({
        "ruleId": finding.code,
        "level": level,
        "message": { "text": message(finding) },
    });
    let at = finding.location.as_ref().or(finding.connection.map(|c| c.location()));
    if let Some(at) = at {
        let mut place = json!({ "artifactLocation": { "uri": uri(&at.file) } });
        if at.line > 0 {
            place["region"] = json!({ "startLine": at.line, "startColumn": at.column.max(1) });
        }
        result["locations"] = json!([{ "physicalLocation": place }]);
    }
    if let Some(path) = &finding.witness {
        result["properties"] = json!({ "witness": text_of(path.as_bytes()).0 });
    }
    result
}

/// A file's name as a relative reference of a URI.
fn uri(file: &str) -> String {
    let mut uri = String::with_capacity(file.len());
    for byte in file.trim_start_matches("./").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}
