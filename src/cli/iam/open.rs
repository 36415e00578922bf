//! From the bytes of a file to the document of a policy: alone, or within what the tools of AWS and others print.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::json::Json;
use crate::{
    analysis::iam::Problem,
    cli::encoding::{self, Encoding},
};

/// How many places of policies a message names.
const NAMED: usize = 5;
/// What holds a policy on who may take a role, which is no policy of what the role may do.
const OF_TRUST: [&str; 3] = ["AssumeRolePolicyDocument", "assume_role_policy", "TrustPolicy"];

/// The document of a policy, and where in the file it is: empty where it is the file.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) document: Json,
    pub(super) under: String,
}

/// Opens a file.
pub(super) fn open(bytes: &[u8]) -> Result<Opened, Problem> {
    let text = text(bytes)?;
    let json = match parsed(&text) {
        Ok(json) => json,
        Err(error) => {
            let (message, help) = not_json(&text, &error);
            return Err(problem(message, help));
        }
    };
    if let Some(document) = whole(&json) {
        return Ok(Opened { document, under: String::new() });
    }
    let mut found = Vec::new();
    search(&json, "", &mut found);
    match found.len() {
        0 => Err(nothing(&json)),
        1 => match found.pop() {
            Some((under, document)) => Ok(Opened { document, under }),
            None => Err(nothing(&json)),
        },
        count => {
            let places: Vec<String> =
                found.iter().take(NAMED).map(|(place, _)| format!("`{place}`")).collect();
            let more = if count > NAMED { ", …" } else { "" };
            Err(problem(
                format!("there are {count} policies in it: {}{more}", places.join(", ")),
                "give one of them alone, such as with `jq .PLACE`; a user or role with several has what any of them \
                 allows and none denies",
            ))
        }
    }
}

fn problem(message: impl Into<String>, help: impl Into<String>) -> Problem {
    Problem::new("the file", message, help)
}

/// The text of a file: without a byte order mark, and whatever Windows made of it.
fn text(bytes: &[u8]) -> Result<Cow<'_, str>, Problem> {
    let text = match encoding::of(bytes) {
        Encoding::Utf8 { mark } => std::str::from_utf8(&bytes[mark..])
            .map(Cow::Borrowed)
            .map_err(|error| problem(format!("it is not UTF-8: {error}"), "save it as UTF-8"))?,
        Encoding::Utf16 { is_big, mark } => encoding::utf16(&bytes[mark..], is_big)
            .map(Cow::Owned)
            .ok_or_else(|| problem("it is not UTF-16 throughout", "save it as UTF-8"))?,
        Encoding::Packed { format, unpack } => {
            return Err(problem(
                format!("it is packed with {format}"),
                format!("unpack it before: `{unpack} FILE | pathward import iam -`"),
            ));
        }
    };
    Ok(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(is_blank)),
        Cow::Owned(text) => Cow::Owned(text.trim_matches(is_blank).to_owned()),
    })
}

fn is_blank(character: char) -> bool {
    character.is_whitespace() || character == '\0'
}

/// JSON, or JSON as IAM's API gives it: percent-encoded.
fn parsed(text: &str) -> Result<Json, serde_json::Error> {
    match unescaped(text) {
        Some(decoded) => serde_json::from_str(&decoded)
            // Some encoders write a space as `+`.
            .or_else(|error| serde_json::from_str(&decoded.replace('+', " ")).map_err(|_| error)),
        None => serde_json::from_str(text),
    }
}

fn unescaped(text: &str) -> Option<String> {
    let start = text.get(..3)?;
    let is_encoded = ["%7b", "%5b", "%22"].iter().any(|code| start.eq_ignore_ascii_case(code));
    let decoded = is_encoded.then(|| percent_decode_str(text).decode_utf8().ok()).flatten();
    decoded.map(Cow::into_owned)
}

/// A document, a statement, or a list of statements, alone.
fn whole(json: &Json) -> Option<Json> {
    let has = |json: &Json, name: &str| match json {
        Json::Fields(fields) => fields.iter().any(|(known, _)| known == name),
        _ => false,
    };
    let is_statement = |json: &Json| {
        has(json, "Effect")
            && ["Action", "NotAction", "Resource", "NotResource"].iter().any(|name| has(json, name))
    };
    let of = |statements| Json::Fields(vec![("Statement".to_owned(), statements)]);
    match json {
        json if has(json, "Statement") => Some(json.clone()),
        json if is_statement(json) => Some(of(Json::List(vec![json.clone()]))),
        Json::List(list) if !list.is_empty() && list.iter().all(is_statement) => {
            Some(of(json.clone()))
        }
        _ => None,
    }
}

/// The documents within, each with its place.
fn search(json: &Json, place: &str, found: &mut Vec<(String, Json)>) {
    if let Some(document) = whole(json) {
        found.push((place.to_owned(), document));
        return;
    }
    let at = |name: &str| match place {
        "" => name.to_owned(),
        place => format!("{place}.{name}"),
    };
    match json {
        Json::Fields(fields) => {
            for (name, json) in fields.iter().filter(|(name, _)| !OF_TRUST.contains(&&**name)) {
                search(json, &at(name), found);
            }
        }
        Json::List(list) => {
            for (n, json) in list.iter().enumerate() {
                search(json, &format!("{place}[{n}]"), found);
            }
        }
        // As `get-bucket-policy`, Terraform and the API give it: JSON within a text.
        Json::Text(text) if text.contains("Statement") => {
            if let Some(document) = parsed(text.trim()).ok().as_ref().and_then(whole) {
                found.push((place.to_owned(), document));
            }
        }
        _ => {}
    }
}

/// What a file is that is JSON and has no policy.
fn nothing(json: &Json) -> Problem {
    let has = |name| json.field(name).is_some();
    let deployed = "give the document: `aws iam get-user-policy`, `get-role-policy` or `get-policy-version` show it";
    if has("statement") || has("data") {
        return problem(
            "it has no `Statement`: it looks like Terraform's own words for a policy",
            "give the policy as JSON: the `json` of the `aws_iam_policy_document`, or as it is deployed",
        );
    }
    if has("PolicyNames") || has("AttachedPolicies") || has("Policies") || has("PolicyName") {
        return problem("it has names of policies, and no `Statement`", deployed);
    }
    if OF_TRUST.iter().any(|name| has(name)) || has("Role") || has("User") {
        return problem("it is a role or user, and its own policies are not in it", deployed);
    }
    let Json::Fields(fields) = json else {
        return problem(format!("{} where a policy belongs", json.kind()), deployed);
    };
    let meant = fields
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("statement") || name == "Statements");
    match meant {
        Some((name, _)) => {
            problem(format!("it has `{name}` and no `Statement`"), "write `Statement`")
        }
        None => problem("it has no `Statement`", "give the policy's document"),
    }
}

/// What a file is that is no JSON.
fn not_json(text: &str, error: &serde_json::Error) -> (String, &'static str) {
    let starts = |signs: &[&str]| signs.iter().any(|sign| text.starts_with(sign));
    let has = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
    if text.is_empty() {
        return ("it is empty".to_owned(), "give the policy's document");
    }
    if starts(&["<"]) {
        return (
            "it is XML or HTML".to_owned(),
            "give what stands in `PolicyDocument`, alone: percent-encoded, as IAM's API answers, it is read too",
        );
    }
    if has(&["jsonencode(", "aws_iam_policy", "aws_iam_role"]) && has(&[" = ", " {"]) {
        return (
            "it is a file of Terraform".to_owned(),
            "give the policy as JSON: what `terraform show -json` has of it, or as it is deployed",
        );
    }
    if has(&["AWSTemplateFormatVersion", "!Sub", "!Ref", "!Join", "!GetAtt", "!If"])
        || !starts(&["{", "[", "\""]) && has(&["Statement:", "Effect: "])
    {
        return (
            "it is YAML, as templates are".to_owned(),
            "give the policy as JSON, as it is deployed: `aws iam get-role-policy --query PolicyDocument`",
        );
    }
    if starts(&["{'", "{ '", "[{'"]) || has(&["'Statement'"]) {
        return (
            format!("it is not JSON: {error}"),
            "JSON has double quotes; this looks like Python's text of a dict (`json.dumps` writes JSON)",
        );
    }
    (format!("it is not JSON: {error}"), "give it as IAM has it")
}
