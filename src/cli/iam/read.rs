//! The JSON of a policy to its statements, refusing whatever is not known.

use super::json::Json;
use crate::{
    analysis::iam::{Action, Document, Problem, Statement, VERSION},
    automaton::Effect,
};

/// Reads the document of an identity's policy.
///
/// # Errors
///
/// Everything in it that is not a known field, action, resource or condition, with its place.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, Vec<Problem>> {
    let json = serde_json::from_slice(bytes).map_err(|error| {
        vec![Problem::new("the file", format!("it is not JSON: {error}"), "give it as IAM has it")]
    })?;
    let mut reader = Reader { problems: Vec::new(), has_variables: false };
    let document = reader.document(&json).unwrap_or_default();
    match reader.problems.is_empty() {
        true => Ok(document),
        false => Err(reader.problems),
    }
}

struct Reader {
    problems: Vec<Problem>,
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
        for (n, (name, _)) in fields.iter().enumerate() {
            if fields[..n].iter().any(|(other, _)| other == name) {
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
            actions.extend(self.action(&place, text));
        }
        let mut resources = Vec::new();
        for (place, text) in self.texts(place, "Resource", field(fields, "Resource")) {
            resources.extend(self.resource(&place, text));
        }
        let prefixes = match field(fields, "Condition") {
            None => None,
            Some(condition) => self.condition(&format!("{place}.Condition"), condition),
        };
        Some(Statement { effect: effect?, actions, resources, prefixes })
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

    fn action(&mut self, place: &str, text: &str) -> Option<Action> {
        let action = Action::from_name(text);
        if action.is_none() {
            let names: Vec<&str> = Action::ALL.into_iter().map(Action::name).collect();
            let message = match text.contains(['*', '?']) {
                true => format!("`{text}` stands for more actions than are known here"),
                false => format!("the action `{text}` is not known here"),
            };
            let help = format!("take it out, or write which of {} are meant", names.join(", "));
            self.problem(place, message, &help);
        }
        action
    }

    fn resource(&mut self, place: &str, text: &str) -> Option<String> {
        self.variables(place, text);
        if text == "*" {
            return Some(text.to_owned());
        }
        let resource = ["aws", "aws-cn", "aws-us-gov"]
            .iter()
            .find_map(|partition| text.strip_prefix(&format!("arn:{partition}:s3:::")))
            .filter(|resource| !resource.is_empty());
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

    /// The prefixes of a condition. One on `s3:delimiter` alone is any prefix: it makes a listing show
    /// less, and is a condition none the less.
    fn condition(&mut self, place: &str, json: &Json) -> Option<Vec<String>> {
        let operators = self.fields(place, json, &["StringLike", "StringEquals"])?;
        let mut prefixes = None;
        let mut is_any = false;
        for (operator, json) in operators {
            let place = format!("{place}.{operator}");
            let Json::Fields(keys) = json else {
                self.problem(&place, "it has no keys", "write `{ \"s3:prefix\": [\"…\"] }`");
                continue;
            };
            for (key, values) in keys {
                if key.eq_ignore_ascii_case("s3:delimiter") {
                    is_any = true;
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
        match (prefixes, is_any) {
            (None, true) => Some(vec!["*".to_owned()]),
            (prefixes, _) => prefixes,
        }
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
