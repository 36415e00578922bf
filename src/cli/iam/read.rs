//! The JSON of a policy to its statements, refusing whatever is not known.

use std::collections::HashSet;

use super::json::Json;
use crate::{
    analysis::iam::{Action, Actions, Document, PARTITIONS, Problem, Statement, VERSION},
    automaton::Effect,
};

/// A policy that was read.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) document: Document,
    /// Texts of allowed actions that stand for more than a connection can give.
    pub(crate) beyond: Vec<Beyond>,
}

/// Allowed actions that are left out, because no connection gives them.
#[derive(Debug)]
pub(crate) struct Beyond {
    /// Where: `Statement[0].Action[1]`.
    pub(crate) place: String,
    /// As the policy says them.
    pub(crate) text: String,
    /// One of them.
    pub(crate) example: &'static str,
}

/// Reads the document of an identity's policy.
///
/// # Errors
///
/// Everything in it that is not a known field, action, resource or condition, with its place.
pub(crate) fn read(bytes: &[u8]) -> Result<Read, Vec<Problem>> {
    let json = serde_json::from_slice(bytes).map_err(|error| {
        vec![Problem::new("the file", format!("it is not JSON: {error}"), "give it as IAM has it")]
    })?;
    let mut reader =
        Reader { problems: Vec::new(), beyond: Vec::new(), has_variables: false, partition: None };
    let document = reader.document(&json).unwrap_or_default();
    match reader.problems.is_empty() {
        true => Ok(Read { document, beyond: reader.beyond }),
        false => Err(reader.problems),
    }
}

struct Reader {
    problems: Vec<Problem>,
    beyond: Vec<Beyond>,
    /// The partition of the ARNs so far.
    partition: Option<&'static str>,
    /// Whether the version is one in which `${…}` means anything.
    has_variables: bool,
}

impl Reader {
    fn problem(&mut self, place: &str, message: impl Into<String>, help: &str) {
        self.problems.push(Problem::new(place, message, help));
    }

    /// The fields of an object, each known and there once.
    fn fields<'j>(
        &mut self,
        place: &str,
        json: &'j Json,
        known: &[&str],
    ) -> Option<&'j [(String, Json)]> {
        let Json::Fields(fields) = json else {
            self.problem(
                place,
                format!("{} where an object belongs", json.kind()),
                "write `{ … }`",
            );
            return None;
        };
        let mut seen = HashSet::new();
        for (name, _) in fields {
            if !seen.insert(&**name) {
                self.problem(place, format!("`{name}` is there twice"), "take one of the two out");
            }
            if !known.contains(&&**name) {
                self.problem(place, format!("`{name}` is not known here"), help_for(name));
            }
        }
        Some(fields)
    }

    fn document(&mut self, json: &Json) -> Option<Document> {
        let fields = self.fields("the policy", json, &["Version", "Id", "Statement"])?;
        match field(fields, "Version") {
            None => {}
            Some(Json::Text(version)) if version == VERSION => self.has_variables = true,
            Some(Json::Text(version)) if version == "2008-10-17" => {}
            Some(_) => self.problem("Version", "it is none that there is", "write `2012-10-17`"),
        }
        let mut statements = Vec::new();
        match field(fields, "Statement") {
            None => {
                self.problem("the policy", "it has no `Statement`", "give the policy's document")
            }
            Some(Json::List(list)) => {
                for (n, json) in list.iter().enumerate() {
                    statements.extend(self.statement(&format!("Statement[{n}]"), json));
                }
            }
            Some(json) => statements.extend(self.statement("Statement[0]", json)),
        }
        Some(Document { statements })
    }

    fn statement(&mut self, place: &str, json: &Json) -> Option<Statement> {
        let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
        let fields = self.fields(place, json, &known)?;
        let effect = match field(fields, "Effect") {
            Some(Json::Text(effect)) if effect == "Allow" => Some(Effect::Allow),
            Some(Json::Text(effect)) if effect == "Deny" => Some(Effect::Deny),
            _ => {
                let place = format!("{place}.Effect");
                self.problem(&place, "it is neither `Allow` nor `Deny`", "write one of the two");
                None
            }
        };
        let mut actions = Vec::new();
        for (place, text) in self.texts(place, "Action", field(fields, "Action")) {
            for action in self.actions(&place, text, effect) {
                if !actions.contains(&action) {
                    actions.push(action);
                }
            }
        }
        let mut resources = Vec::new();
        for (place, text) in self.texts(place, "Resource", field(fields, "Resource")) {
            resources.extend(self.resource(&place, text));
        }
        let (prefixes, is_delimited) = match field(fields, "Condition") {
            None => (None, false),
            Some(condition) => self.condition(&format!("{place}.Condition"), condition),
        };
        Some(Statement { effect: effect?, actions, resources, prefixes, is_delimited })
    }

    /// One text or a list of them, each with its place.
    fn texts<'j>(
        &mut self,
        place: &str,
        name: &str,
        json: Option<&'j Json>,
    ) -> Vec<(String, &'j str)> {
        let place = format!("{place}.{name}");
        let list = match json {
            Some(Json::List(list)) if !list.is_empty() => &list[..],
            Some(one @ Json::Text(_)) => std::slice::from_ref(one),
            _ => {
                self.problem(
                    &place,
                    "it is missing, or no text or list of texts",
                    "write `[\"…\"]`",
                );
                return Vec::new();
            }
        };
        let mut texts = Vec::new();
        for (n, json) in list.iter().enumerate() {
            let place = format!("{place}[{n}]");
            match json {
                Json::Text(text) => texts.push((place, &**text)),
                other => {
                    self.problem(
                        &place,
                        format!("{} where a text belongs", other.kind()),
                        "quote it",
                    );
                }
            }
        }
        texts
    }

    /// What an action stands for. Of those with wildcards, parts of uploads are left out: they are no access
    /// without the rest, and follow from it.
    fn actions(&mut self, place: &str, text: &str, effect: Option<Effect>) -> Vec<Action> {
        let Actions { mut known, beyond } = Actions::of(text);
        if known.is_empty() && beyond.is_none() {
            let names: Vec<&str> = Action::ALL.into_iter().map(Action::name).collect();
            let help = format!("take it out, or write which of {} are meant", names.join(", "));
            self.problem(place, format!("the action `{text}` is not known here"), &help);
        }
        // What no connection gives need not be taken from one.
        if let (Some(example), Some(Effect::Allow)) = (beyond, effect) {
            self.beyond.push(Beyond { place: place.to_owned(), text: text.to_owned(), example });
        }
        if text.contains(['*', '?']) {
            known.retain(|action| action.access().is_some() || action.is_listing());
        }
        known
    }

    fn resource(&mut self, place: &str, text: &str) -> Option<String> {
        self.variables(place, text);
        if text == "*" {
            return Some(text.to_owned());
        }
        let named = text.strip_prefix("arn:").and_then(|rest| rest.split_once(":s3:::"));
        let named = named.and_then(|(partition, resource)| {
            let known = PARTITIONS.iter().find(|(known, _)| *known == partition)?;
            (!resource.is_empty()).then_some((known.0, resource))
        });
        if let Some((partition, _)) = named
            && *self.partition.get_or_insert(partition) != partition
        {
            let first = self.partition.unwrap_or_default();
            self.problem(
                place,
                format!("`{text}` is in the partition `{partition}`, and others are in `{first}`"),
                "give what is of one partition: a key is of one, and reaches nothing in another",
            );
        }
        let resource = named.map(|(_, resource)| resource);
        if resource.is_none() {
            self.problem(
                place,
                format!("`{text}` is no bucket and no object"),
                "write `arn:aws:s3:::bucket/key`, in which the bucket and the key may have `*`",
            );
        }
        resource.map(str::to_owned)
    }

    fn variables(&mut self, place: &str, text: &str) {
        if text.contains("${") && !self.has_variables {
            self.problem(
                place,
                "`${` means nothing in the version of this policy, which is 2008-10-17 if it names none",
                "write `\"Version\": \"2012-10-17\"`",
            );
        }
    }

    /// The prefixes of a condition, and whether it has the one on `s3:delimiter`.
    fn condition(&mut self, place: &str, json: &Json) -> (Option<Vec<String>>, bool) {
        let mut prefixes = None;
        let mut is_delimited = false;
        let operators = self.fields(place, json, &["StringLike", "StringEquals"]);
        for (operator, json) in operators.unwrap_or_default() {
            let place = format!("{place}.{operator}");
            let Json::Fields(keys) = json else {
                self.problem(&place, "it has no keys", "write `{ \"s3:prefix\": [\"…\"] }`");
                continue;
            };
            for (key, values) in keys {
                if key.eq_ignore_ascii_case("s3:delimiter") {
                    is_delimited = true;
                    for (place, text) in self.texts(&place, key, Some(values)) {
                        if text != "/" {
                            self.problem(
                                &place,
                                format!("`{text}` is a delimiter that no listing here asks for"),
                                "write `/`",
                            );
                        }
                    }
                    continue;
                }
                if !key.eq_ignore_ascii_case("s3:prefix") {
                    self.problem(
                        &place,
                        format!("the condition on `{key}` is not known here"),
                        "take it out: a decision here depends on the caller and the path alone; \
                         `s3:prefix` and `s3:delimiter` are conditions of listings",
                    );
                    continue;
                }
                if prefixes.is_some() {
                    self.problem(&place, "a second condition on `s3:prefix`", "write one of them");
                }
                let mut read = Vec::new();
                for (place, text) in self.texts(&place, key, Some(values)) {
                    self.variables(&place, text);
                    read.push(match &**operator {
                        "StringEquals" => exactly(text),
                        _ => text.to_owned(),
                    });
                }
                prefixes = Some(read);
            }
        }
        (prefixes, is_delimited)
    }
}

fn field<'j>(fields: &'j [(String, Json)], name: &str) -> Option<&'j Json> {
    fields.iter().find(|(known, _)| known == name).map(|(_, json)| json)
}

/// The text of `StringEquals` as `StringLike` has it. Variables stay what they are.
fn exactly(text: &str) -> String {
    let mut like = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['*', '?', '$']) {
        let (before, sign) = rest.split_at(at);
        like.push_str(before);
        let len = match sign.strip_prefix("${").and_then(|behind| behind.find('}')) {
            Some(end) => {
                like.push_str(&sign[..end + 3]);
                end + 3
            }
            None => {
                like.push_str(&format!("${{{}}}", &sign[..1]));
                1
            }
        };
        rest = &sign[len..];
    }
    like + rest
}

/// What to do about a field that is not known.
fn help_for(name: &str) -> &'static str {
    match name {
        "NotAction" => "write `Action`, with the actions that are meant",
        "NotResource" => "write `Resource`, and what is left out as a statement with `Deny`",
        "Principal" | "NotPrincipal" => {
            "give the policy of a user or role: a bucket's policy is about others' access"
        }
        _ => "take it out, or give the policy's document alone, as IAM has it",
    }
}
