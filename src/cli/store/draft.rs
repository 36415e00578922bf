//! What the options of `connection new` and `set` make of a draft.

use std::io::{BufRead as _, Read as _};

use clap::{Arg, Args, Command, ValueEnum};
use zeroize::Zeroizing;

use crate::{
    access::{Access, AccessSet},
    cli::output::Failure,
    escape::escape,
    policy::{Conditions, CredentialsRef, Keys},
    store::{Draft, DraftCredentials, DraftRule, Secret},
};

/// The longest secret and token that are read.
const MAX_SECRET: u64 = 16 << 10;

/// What is to be so.
#[derive(Debug, Args)]
pub(super) struct DraftArgs {
    /// Give it another label
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,

    /// The server, where it is not AWS; empty for AWS
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,

    /// The region; empty for none
    #[arg(long, value_name = "NAME")]
    region: Option<String>,

    /// How the server reads keys
    #[arg(long, value_enum, value_name = "KIND")]
    keys: Option<KeysArg>,

    /// Whether the server honours conditions on what is written or deleted
    #[arg(long, value_enum, value_name = "KIND")]
    conditions: Option<ConditionsArg>,

    /// What may be done where a restriction says nothing of its own: `read-only`, `read-write`, or a
    /// list such as `read,write`
    #[arg(long, value_name = "ACCESS", value_parser = access)]
    access: Option<AccessSet>,

    /// Allow this path; all that are given together replace those that there were
    #[arg(long, value_name = "PATH")]
    allow: Vec<String>,

    /// Allow the paths of this glob, behind those of `--allow`
    #[arg(long, value_name = "GLOB")]
    allow_glob: Vec<String>,

    /// Allow everything
    #[arg(long, conflicts_with_all = ["allow", "allow_glob"])]
    allow_all: bool,

    /// Take this path away; all that are given together replace those that there were
    #[arg(long, value_name = "PATH")]
    deny: Vec<String>,

    /// Take the paths of this glob away, behind those of `--deny`
    #[arg(long, value_name = "GLOB")]
    deny_glob: Vec<String>,

    /// Take nothing away
    #[arg(long, conflicts_with_all = ["deny", "deny_glob"])]
    deny_none: bool,

    /// The credentials are in this profile of the shared AWS configuration
    #[arg(long, value_name = "NAME", group = "credentials")]
    profile: Option<String>,

    /// The credentials are in variables that start so
    #[arg(long, value_name = "NAME", group = "credentials")]
    env: Option<String>,

    /// The credentials are in this file
    #[arg(long, value_name = "PATH", group = "credentials")]
    file: Option<String>,

    /// The access key has this id, and its secret is on standard input
    #[arg(long, value_name = "ID", group = "credentials")]
    access_key_id: Option<String>,

    /// The credentials are those of the AWS tools
    #[arg(long, group = "credentials")]
    no_credentials: bool,
}

/// What a server does about conditions.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ConditionsArg {
    /// It does what has one only if that is met.
    Honoured,
    /// It may ignore them: they are refused.
    None,
}

/// How a server reads keys.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum KeysArg {
    /// A key is its bytes.
    Exact,
    /// It may read some keys as others.
    Plain,
}

fn access(text: &str) -> Result<AccessSet, String> {
    match text {
        "read-only" => Ok(AccessSet::READ_ONLY),
        "read-write" => Ok(AccessSet::READ_WRITE),
        list => list
            .split(',')
            .map(|name| {
                let name = name.trim();
                Access::from_name(name).ok_or_else(|| {
                    format!(
                        "`{}` is no access: write `read-only`, `read-write`, or a list of `read`, \
                         `write` and `delete`",
                        escape(name)
                    )
                })
            })
            .collect(),
    }
}

impl DraftArgs {
    /// Whether nothing is given.
    pub(super) fn is_empty(&self) -> bool {
        let Self { label, endpoint, region, keys, access, .. } = self;
        let Self { allow, allow_glob, allow_all, deny, deny_glob, deny_none, .. } = self;
        let Self { profile, env, file, access_key_id, no_credentials, .. } = self;
        let texts = [label, endpoint, region, profile, env, file, access_key_id];
        let lists = [allow, allow_glob, deny, deny_glob];
        texts.into_iter().all(Option::is_none)
            && lists.into_iter().all(Vec::is_empty)
            && (keys.is_none() && access.is_none())
            && !(*allow_all || *deny_none || *no_credentials)
    }

    /// The names of all options, for messages.
    pub(super) fn options() -> String {
        let command = Self::augment_args(Command::new("set"));
        let names = command.get_arguments().filter_map(Arg::get_long);
        names.map(|name| format!("`--{name}`")).collect::<Vec<_>>().join(", ")
    }

    /// Whether it is given what is allowed, be it everything.
    pub(super) fn says_what_is_allowed(&self) -> bool {
        self.allow_all || !self.allow.is_empty() || !self.allow_glob.is_empty()
    }

    /// Changes what is given.
    pub(super) fn apply(&self, draft: &mut Draft) -> Result<(), Failure> {
        if let Some(label) = &self.label {
            draft.label.clone_from(label);
        }
        let text = |text: &String| (!text.is_empty()).then(|| text.clone());
        if let Some(endpoint) = &self.endpoint {
            draft.endpoint = text(endpoint);
        }
        if let Some(region) = &self.region {
            draft.region = text(region);
        }
        if let Some(keys) = self.keys {
            draft.keys = Some(match keys {
                KeysArg::Exact => Keys::Exact,
                KeysArg::Plain => Keys::Plain,
            });
        }
        if let Some(conditions) = self.conditions {
            draft.conditions = Some(match conditions {
                ConditionsArg::Honoured => Conditions::Honoured,
                ConditionsArg::None => Conditions::None,
            });
        }
        if let Some(access) = self.access {
            draft.access = access;
        }
        let allowed = rules(&self.allow, &self.allow_glob);
        if self.allow_all {
            draft.restrictions = None;
        } else if !allowed.is_empty() {
            draft.restrictions = Some(allowed);
        }
        let denied = rules(&self.deny, &self.deny_glob);
        if self.deny_none || !denied.is_empty() {
            draft.deny = denied;
        }
        if let Some(credentials) = self.credentials()? {
            draft.credentials = credentials;
        }
        Ok(())
    }

    fn credentials(&self) -> Result<Option<DraftCredentials>, Failure> {
        let reference = |reference| Ok(Some(DraftCredentials::Reference(reference)));
        if let Some(name) = &self.profile {
            return reference(CredentialsRef::Profile(name.as_str().into()));
        }
        if let Some(name) = &self.env {
            return reference(CredentialsRef::Env(name.as_str().into()));
        }
        if let Some(path) = &self.file {
            return reference(CredentialsRef::File(path.as_str().into()));
        }
        if self.no_credentials {
            return Ok(Some(DraftCredentials::None));
        }
        let Some(id) = &self.access_key_id else { return Ok(None) };
        let mut input = std::io::stdin().lock().take(MAX_SECRET);
        let mut line = || -> Result<Zeroizing<String>, Failure> {
            let mut line = Zeroizing::new(String::with_capacity(8 << 10));
            input.read_line(&mut line).map_err(|error| {
                Failure::question(format!("the secret cannot be read: {error}"))
            })?;
            Ok(Zeroizing::new(line.trim().to_owned()))
        };
        let mut secret = Secret::new(id.clone(), line()?.as_str());
        if secret.secret_access_key.is_empty() {
            return Err(Failure::question(
                "the secret of the access key is the first line of standard input, which is empty",
            ));
        }
        secret.session_token = Some(line()?).filter(|token| !token.is_empty());
        Ok(Some(DraftCredentials::Secret(secret)))
    }
}

fn rules(paths: &[String], globs: &[String]) -> Vec<DraftRule> {
    let rule = |text: &String, glob| DraftRule { text: text.clone(), glob, access: None };
    let paths = paths.iter().map(|text| rule(text, false));
    paths.chain(globs.iter().map(|text| rule(text, true))).collect()
}
