//! The JSON of a policy to its statements. What no connection gives is left out and noted; what is not known is
//! refused.

use std::collections::HashSet;

use super::{
    condition::{Conditions, conditions},
    open::{Opened, open},
    resource::{Resource, resource},
    template,
};
use crate::{
    analysis::iam::{Action, Actions, Document, Meant, Note, Problem, Statement, VERSION},
    automaton::Effect,
    json::Json,
    policy::distance,
};

/// A policy that was read.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) document: Document,
    /// Where in the file it is; empty where it is the file.
    pub(crate) under: String,
    /// Texts of allowed actions that stand for more than a connection can give.
    pub(crate) beyond: Vec<Beyond>,
    /// What else is left out.
    pub(crate) notes: Vec<Note>,
}

/// Allowed actions that are left out, because no connection gives them.
#[derive(Debug)]
pub(crate) struct Beyond {
    /// Where: `Statement[0].Action[1]`.
    pub(crate) place: String,
    /// As the policy says them.
    pub(crate) text: String,
    /// One of them.
    pub(crate) example: String,
    /// Whose they are.
    pub(crate) kind: Kind,
}

/// Whose actions are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Actions of S3.
    S3,
    /// Those of another service.
    Service,
    /// Parts of uploads, where uploads are not allowed.
    Part,
}

/// Why a policy was not read, and what of it was left out before that was found.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) problems: Vec<Problem>,
    pub(crate) read: Read,
}

/// Reads the document of an identity's policy.
///
/// # Errors
///
/// Everything in it that is not a known field, action, resource or condition, with its place.
pub(crate) fn read(bytes: &[u8]) -> Result<Read, Unread> {
    let Opened { document: json, under } = match open(bytes) {
        Ok(opened) => opened,
        Err(problem) => {
            return Err(Unread { problems: vec![problem], read: Read::default() });
        }
    };
    let mut reader = Reader::default();
    reader.read.under = under;
    reader.read.document = reader.document(&json).unwrap_or_default();
    let Reader { problems, read, .. } = reader;
    match problems.is_empty() {
        true => Ok(read),
        false => Err(Unread { problems, read }),
    }
}

#[derive(Default)]
struct Reader {
    problems: Vec<Problem>,
    read: Read,
    /// The partitions that all ARNs so far can be in.
    partitions: Option<Vec<&'static str>>,
    /// Whether the version is one in which `${…}` means anything.
    has_variables: bool,
    /// Whether it was said that this is a template.
    is_template: bool,
}

impl Reader {
    fn problem(&mut self, place: &str, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(place, message, help));
    }

    /// Says once that the policy is a template.
    fn template(&mut self, place: &str, what: &str) {
        if !std::mem::replace(&mut self.is_template, true) {
            self.problem(
                place,
                format!("`{what}` is what a template has in place of a value"),
                "give the policy as it is deployed, with its values: `aws iam get-role-policy`, `get-user-policy` or \
                 `get-policy-version` show it",
            );
        }
    }

    /// The fields of an object, each known and there once. What is empty is as if it were not there.
    fn fields<'j>(
        &mut self,
        place: &str,
        json: &'j Json,
        known: &[&str],
    ) -> Option<&'j [(String, Json)]> {
        if let Some(function) = template::function(json) {
            self.template(place, function);
            return None;
        }
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
                self.problem(place, format!("`{name}` is not known here"), help_for(name, known));
            }
        }
        Some(fields)
    }

    fn document(&mut self, json: &Json) -> Option<Document> {
        // Consoles write `ID`.
        self.fields("the policy", json, &["Version", "Id", "ID", "Statement"])?;
        match json.field("Version") {
            None => {}
            Some(Json::Text(version)) if version == VERSION => self.has_variables = true,
            Some(Json::Text(version)) if version == "2008-10-17" => {}
            Some(_) => self.problem("Version", "it is none that there is", "write `2012-10-17`"),
        }
        let list = match json.field("Statement") {
            None => {
                self.problem("the policy", "it has no statement", "give the policy's document");
                return None;
            }
            Some(Json::List(list)) => &list[..],
            Some(one) => std::slice::from_ref(one),
        };
        if let Some(problem) = of_others(list) {
            self.problems.push(problem);
            return None;
        }
        let statements = list.iter().enumerate();
        let statements =
            statements.filter_map(|(n, json)| self.statement(&format!("Statement[{n}]"), json));
        Some(Document { statements: statements.collect() })
    }

    fn statement(&mut self, place: &str, json: &Json) -> Option<Statement> {
        let known = [
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ];
        self.fields(place, json, &known)?;
        let effect = match json.field("Effect") {
            Some(Json::Text(effect)) if effect == "Allow" => Some(Effect::Allow),
            Some(Json::Text(effect)) if effect == "Deny" => Some(Effect::Deny),
            other => {
                let place = format!("{place}.Effect");
                match other.and_then(template::function) {
                    Some(function) => self.template(&place, function),
                    None => self.problem(
                        &place,
                        "it is neither `Allow` nor `Deny`",
                        "write one of the two",
                    ),
                }
                None
            }
        };
        let actions = self.actions(place, json, effect);
        let mut statement = Statement::new(effect.unwrap_or(Effect::Deny), actions, Vec::new());
        // All of it is what no connection gives: whatever it is on, and whenever.
        if !statement.actions.is_empty() {
            self.resources(place, json, &mut statement);
            self.condition(place, json, &mut statement);
        }
        effect.map(|_| statement)
    }

    /// The texts of a field or of its opposite, each with its place, and whether it is the opposite.
    fn one_of<'j>(
        &mut self,
        place: &str,
        json: &'j Json,
        name: &str,
    ) -> (Vec<(String, &'j str)>, bool) {
        let not = format!("Not{name}");
        match (json.field(name), json.field(&not)) {
            (Some(_), Some(_)) => {
                self.problem(
                    place,
                    format!("it has both `{name}` and `{not}`, which IAM does not take"),
                    "take one of the two out",
                );
                (Vec::new(), false)
            }
            (None, None) => {
                let place = format!("{place}.{name}");
                self.problem(
                    &place,
                    "it is missing, or no text or list of texts",
                    "write `[\"…\"]`",
                );
                (Vec::new(), false)
            }
            (Some(json), None) => (self.texts(&format!("{place}.{name}"), json), false),
            (None, Some(json)) => (self.texts(&format!("{place}.{not}"), json), true),
        }
    }

    /// One text or a list of them, each with its place.
    fn texts<'j>(&mut self, place: &str, json: &'j Json) -> Vec<(String, &'j str)> {
        let list = match json {
            Json::List(list) => &list[..],
            one => std::slice::from_ref(one),
        };
        let mut texts = Vec::new();
        for (n, json) in list.iter().enumerate() {
            let place = format!("{place}[{n}]");
            match json {
                Json::Text(text) => match template::placeholder(text) {
                    Some(placeholder) => self.template(&place, placeholder),
                    None => texts.push((place, &**text)),
                },
                other => match template::function(other) {
                    Some(function) => self.template(&place, function),
                    None => self.problem(
                        &place,
                        format!("{} where a text belongs", other.kind()),
                        "write a text, in double quotes",
                    ),
                },
            }
        }
        texts
    }

    /// The actions of a statement that connections give, or that list.
    fn actions(&mut self, place: &str, json: &Json, effect: Option<Effect>) -> Vec<Action> {
        let (texts, is_opposite) = self.one_of(place, json, "Action");
        let mut found: Vec<Action> = Vec::new();
        let mut parts = Vec::new();
        for (place, text) in &texts {
            let Actions { known, beyond } = match Meant::by(text) {
                Meant::S3(actions) => actions,
                Meant::Elsewhere => {
                    if !is_opposite {
                        self.beyond(effect, place, text, text, Kind::Service);
                    }
                    continue;
                }
                Meant::Nothing { help } => {
                    self.problem(place, format!("there is no action `{text}`"), help);
                    continue;
                }
            };
            match beyond {
                _ if is_opposite => {}
                Some(example) => self.beyond(effect, place, text, example, Kind::S3),
                None if known.iter().all(|action| action.is_part()) => parts.push((place, text)),
                None => {}
            }
            found.extend(known);
        }
        if is_opposite {
            if effect == Some(Effect::Allow) && !texts.is_empty() {
                let message = "of all that it allows, what no connection gives is left out";
                self.read.notes.push(Note::new(format!("{place}.NotAction"), message));
            }
            found = match texts.is_empty() {
                true => Vec::new(),
                false => Action::ALL.into_iter().filter(|action| !found.contains(action)).collect(),
            };
        }
        if effect == Some(Effect::Allow) && !found.contains(&Action::Put) {
            // They are no access without the rest.
            found.retain(|action| !action.is_part());
            for (place, text) in parts {
                self.beyond(effect, place, text, text, Kind::Part);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Notes actions that are left out. What no connection gives need not be taken from one.
    fn beyond(
        &mut self,
        effect: Option<Effect>,
        place: &str,
        text: &str,
        example: &str,
        kind: Kind,
    ) {
        if effect == Some(Effect::Allow) {
            let (place, text, example) = (place.to_owned(), text.to_owned(), example.to_owned());
            self.read.beyond.push(Beyond { place, text, example, kind });
        }
    }

    fn resources(&mut self, place: &str, json: &Json, statement: &mut Statement) {
        let (texts, is_inverted) = self.one_of(place, json, "Resource");
        statement.is_inverted = is_inverted;
        for (place, text) in texts {
            self.variables(&place, text);
            match resource(text, Some(statement.effect)) {
                Resource::Named(resource, partitions) => {
                    if let Some(bucket) = template::stands_for_bucket(resource) {
                        self.problem(
                            &place,
                            format!("no bucket has the name `{bucket}`"),
                            "write the name of the bucket: this looks like what stands in place of one",
                        );
                        continue;
                    }
                    self.partition(&place, text, &partitions);
                    statement.resources.push(resource.to_owned());
                }
                Resource::Elsewhere(what) => {
                    let message = match statement.effect {
                        _ if is_inverted => continue,
                        Effect::Allow => {
                            format!("`{text}` is {what}, and no object of a bucket: it is left out")
                        }
                        Effect::Deny => format!(
                            "`{text}` is {what}, and no object of a bucket: this deny is left out, for no connection \
                             asks for it (an access point has an alias that is a bucket's name: deny that, if there \
                             is one)"
                        ),
                    };
                    self.read.notes.push(Note::new(place, message));
                }
                Resource::Wrong(message, help) => self.problem(&place, message, help),
            }
        }
    }

    /// Keeps to the partitions that all ARNs can be in.
    fn partition(&mut self, place: &str, text: &str, partitions: &[&'static str]) {
        let known = self.partitions.get_or_insert_with(|| partitions.to_vec());
        let both: Vec<&str> =
            known.iter().copied().filter(|one| partitions.contains(one)).collect();
        if both.is_empty() {
            let [of, others] =
                [partitions.first(), known.first()].map(|one| one.copied().unwrap_or_default());
            self.problem(
                place,
                format!("`{text}` is in the partition `{of}`, and others are in `{others}`"),
                "give what is of one partition: a key is of one, and reaches nothing in another",
            );
        } else {
            *known = both;
        }
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

    fn condition(&mut self, place: &str, json: &Json, statement: &mut Statement) {
        let Some(condition) = json.field("Condition") else { return };
        let place = format!("{place}.Condition");
        if let Some(function) = template::function(condition) {
            return self.template(&place, function);
        }
        let mut names = HashSet::new();
        if let Json::Fields(operators) = condition
            && let Some((twice, _)) = operators.iter().find(|(name, _)| !names.insert(&**name))
        {
            let message = format!("`{twice}` is there twice");
            return self.problem(&place, message, "write one of the two, with the keys of both");
        }
        let Some(Conditions { prefixes, is_delimited, unknown }) = conditions(condition) else {
            return self.problem(
                &place,
                "it has no keys",
                "write `{ \"StringLike\": { \"s3:prefix\": [\"…\"] } }`",
            );
        };
        for prefix in prefixes.iter().flatten() {
            self.variables(&place, prefix);
            if let Some(placeholder) = template::placeholder(prefix) {
                self.template(&place, placeholder);
            }
        }
        (statement.prefixes, statement.is_delimited) = (prefixes, is_delimited);
        statement.conditions = unknown;
    }
}

/// What a policy is that says whom it is for.
fn of_others(statements: &[Json]) -> Option<Problem> {
    let names = |json: &Json| json.field("Principal").or(json.field("NotPrincipal")).is_some();
    let (n, statement) = statements.iter().enumerate().find(|(_, json)| names(json))?;
    let place = format!("Statement[{n}].Principal");
    let is_trust = match statement.field("Action") {
        Some(Json::Text(text)) => text.starts_with("sts:"),
        Some(Json::List(list)) => {
            list.iter().any(|json| matches!(json, Json::Text(text) if text.starts_with("sts:")))
        }
        _ => false,
    };
    Some(match is_trust {
        true => Problem::new(
            place,
            "this is the trust policy of a role, with a `Principal`: it says who may take the role, and not what the \
             role may do",
            "give a policy of the role: `aws iam get-role-policy` or `get-policy-version` show them",
        ),
        false => Problem::new(
            place,
            "this is a bucket's policy, with a `Principal`: it says what others may do in the bucket",
            "give the policy of the user or role whose key the connection has; what the bucket's policy denies to it \
             has to be denied there as well",
        ),
    })
}

/// What to do about a field that is not known.
fn help_for(name: &str, known: &[&str]) -> String {
    let near =
        |known: &&&str| distance(&known.to_ascii_lowercase(), &name.to_ascii_lowercase()) <= 2;
    match known.iter().find(near) {
        Some(meant) => format!("write `{meant}`, or take it out"),
        None => "take it out, or give the policy's document alone, as IAM has it".to_owned(),
    }
}
