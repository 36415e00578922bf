//! The form of a data source: from what was sent to a draft, and from what is stored to fields.

use zeroize::Zeroizing;

use super::{
    fields::Fields,
    view::{FormView, Problem, RowView},
};
use crate::{
    access::{Access, AccessSet},
    policy::{Conditions, CredentialsRef, Keys},
    store::{Draft, DraftCredentials, DraftRule, Secret, Stored},
};

/// What a restriction may say of its access: values and texts.
pub(super) const ACCESSES: &[(&str, &str)] = &[
    ("", "as the data source"),
    ("read", "read only"),
    ("read,write,delete", "read, write, delete"),
    ("read,write", "read, write"),
    ("write", "write only"),
    ("write,delete", "write, delete"),
    ("read,delete", "read, delete"),
    ("delete", "delete only"),
];
/// What a deny may say of the access that it takes.
pub(super) const DENY_ACCESSES: &[(&str, &str)] = &[
    ("", "all of it"),
    ("read", "read"),
    ("write", "write"),
    ("delete", "delete"),
    ("write,delete", "write, delete"),
    ("read,write", "read, write"),
    ("read,delete", "read, delete"),
    ("read,write,delete", "read, write, delete"),
];
/// What a data source may say of its access, beyond what its box says.
pub(super) const DETAILS: &[(&str, &str)] = &[
    ("", "as the box above says"),
    ("read,write", "read and write, without delete"),
    ("write", "write only"),
    ("write,delete", "write and delete"),
    ("read,delete", "read and delete"),
    ("delete", "delete only"),
];
/// Where credentials may be.
pub(super) const KINDS: &[(&str, &str)] = &[
    ("", "entered above"),
    ("profile", "a profile of the AWS files"),
    ("env", "environment variables"),
    ("file", "a file"),
    ("none", "wherever the AWS tools look"),
];
/// What can be tried.
pub(super) const OPERATIONS: &[(&str, &str)] = &[
    ("read", "Read a file"),
    ("list", "List a directory"),
    ("write", "Write a file"),
    ("delete", "Delete a file"),
    ("create-directory", "Create a directory"),
    ("delete-directory", "Delete an empty directory"),
    ("delete-tree", "Delete a directory and all in it"),
];

/// The number in a new row's names, for the script to replace.
pub(super) const BLANK: &str = "__N__";

/// A form, as it was filled in.
#[derive(Clone, Debug, Default)]
pub(super) struct Form {
    pub(super) view: FormView,
    pub(super) restrictions: Vec<RowView>,
    pub(super) deny: Vec<RowView>,
    /// A key that was entered with it.
    entered: Entered,
}

/// What stood in the fields for a key. `Debug` shows none of it.
#[derive(Clone, Default)]
struct Entered {
    id: Zeroizing<String>,
    secret: Zeroizing<String>,
    token: Zeroizing<String>,
}

impl std::fmt::Debug for Entered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entered").finish_non_exhaustive()
    }
}

impl Form {
    /// The form of a new data source: everything, read only, under this label.
    pub(super) fn new(label: String, is_compatible: bool) -> Self {
        let view = FormView { label, server_open: is_compatible, ..FormView::default() };
        let everything = RowView { text: "*".to_owned(), ..RowView::default() };
        let mut form = Self { view, restrictions: vec![everything], ..Self::default() };
        form.number();
        form
    }

    /// The form of a stored one.
    pub(super) fn of(stored: &Stored) -> Self {
        let draft = stored.draft();
        let (kind, name) = match stored.connection.credentials() {
            None => ("none", ""),
            Some(CredentialsRef::Sealed(_)) => ("", ""),
            Some(reference) => reference.kind_and_place(),
        };
        let access = list_of(draft.access);
        let is_usual = matches!(draft.access, AccessSet::READ_ONLY | AccessSet::READ_WRITE);
        let everything = || vec![DraftRule { text: "*".to_owned(), glob: false, access: None }];
        let rows = |rules: Vec<DraftRule>| rules.into_iter().map(row).collect::<Vec<_>>();
        let mut form = Self {
            view: FormView {
                revision: stored.revision.clone(),
                held: String::new(),
                label: draft.label,
                is_default: draft.is_default,
                server_open: draft.endpoint.is_some() || draft.region.is_some(),
                region: draft.region.unwrap_or_default(),
                endpoint: draft.endpoint.unwrap_or_default(),
                keys: draft.keys.map_or_else(String::new, |one| one.name().to_owned()),
                conditions: draft.conditions.map_or_else(String::new, |one| one.name().to_owned()),
                reference_kind: kind.to_owned(),
                reference_name: name.to_owned(),
                write_access: draft.access == AccessSet::READ_WRITE,
                access_detail: if is_usual { String::new() } else { access },
                ..FormView::default()
            },
            restrictions: rows(draft.restrictions.unwrap_or_else(everything)),
            deny: rows(draft.deny),
            entered: Entered::default(),
        };
        form.number();
        form
    }

    /// What was sent.
    pub(super) fn read(fields: &Fields) -> Self {
        let text = |name: &str| fields.get(name).trim().to_owned();
        let view = FormView {
            revision: text("revision"),
            held: text("held"),
            label: text("label"),
            is_default: fields.is_ticked("is_default"),
            region: text("region"),
            endpoint: text("endpoint"),
            keys: text("keys"),
            conditions: text("conditions"),
            server_open: false,
            reference_kind: text("reference_kind"),
            reference_name: text("reference_name"),
            write_access: fields.is_ticked("write_access"),
            access_detail: text("access_detail"),
            try_operation: text("try_operation"),
            // What is tried is tried as it is.
            try_path: fields.get("try_path").to_owned(),
        };
        let entered = |name: &str| Zeroizing::new(fields.get(name).trim().to_owned());
        let mut form = Self {
            restrictions: read_rows(fields, "restriction."),
            deny: read_rows(fields, "deny."),
            entered: Entered {
                id: entered("access_key_id"),
                secret: entered("secret_access_key"),
                token: entered("session_token"),
            },
            view,
        };
        form.view.server_open = !form.view.region.is_empty()
            || !form.view.endpoint.is_empty()
            || !form.view.keys.is_empty()
            || !form.view.conditions.is_empty();
        form.number();
        form
    }

    /// Does what a button of a row asks for: `add:LIST`, `remove:LIST.N`. Whether it was one.
    pub(super) fn press(&mut self, button: &str) -> bool {
        let (rows, n) = match button.split_once(':') {
            Some(("add", "restriction")) => (&mut self.restrictions, None),
            Some(("add", "deny")) => (&mut self.deny, None),
            Some(("remove", row)) => match row.split_once('.') {
                Some(("restriction", n)) => (&mut self.restrictions, Some(n)),
                Some(("deny", n)) => (&mut self.deny, Some(n)),
                _ => return false,
            },
            _ => return false,
        };
        match n {
            Some(n) => rows.retain(|row| row.n != n),
            None => {
                let next = rows.iter().filter_map(|row| row.n.parse::<u32>().ok()).max();
                let n = next.map_or(0, |n| n.saturating_add(1)).to_string();
                rows.push(RowView { n, ..RowView::default() });
            }
        }
        self.number();
        true
    }

    /// Counts the rows, and gives names to those that have none.
    fn number(&mut self) {
        for rows in [&mut self.restrictions, &mut self.deny] {
            for (at, row) in rows.iter_mut().enumerate() {
                row.number = at + 1;
                if row.n.is_empty() {
                    row.n = at.to_string();
                }
            }
        }
    }

    /// The key that was entered: one, none, or half of one.
    pub(super) fn secret(&self) -> Result<Option<Secret>, Problem> {
        let Entered { id, secret, token } = &self.entered;
        let lacks = |field: &str, message: &str| {
            Err(Problem { field: field.to_owned(), message: message.to_owned(), help: None })
        };
        match (id.is_empty(), secret.is_empty()) {
            (true, true) if token.is_empty() => Ok(None),
            (true, _) => lacks("access_key_id", "Enter the access key's id too."),
            (false, true) => lacks("secret_access_key", "Enter the access key's secret too."),
            (false, false) => Ok(Some(Secret {
                access_key_id: id.clone(),
                secret_access_key: secret.clone(),
                session_token: (!token.is_empty()).then(|| token.clone()),
            })),
        }
    }

    /// The places of the rows that say something, by the list: what a draft's entries are.
    pub(super) fn filled(rows: &[RowView]) -> Vec<usize> {
        let filled = rows.iter().enumerate().filter(|(_, row)| !row.text.is_empty());
        filled.map(|(at, _)| at).collect()
    }

    /// The draft, with these credentials.
    pub(super) fn draft(&self, old: Option<&Stored>, credentials: DraftCredentials) -> Draft {
        let rules = |rows: &[RowView]| -> Vec<DraftRule> {
            let filled = rows.iter().filter(|row| !row.text.is_empty());
            filled
                .map(|row| DraftRule {
                    text: row.text.clone(),
                    glob: row.glob,
                    access: set_of(&row.access),
                })
                .collect()
        };
        let restrictions = rules(&self.restrictions);
        // A file without the field stays one.
        let had_none = old.is_some_and(|old| old.draft().restrictions.is_none());
        let is_everything = matches!(
            &*restrictions,
            [only] if only.text == "*" && !only.glob && only.access.is_none()
        );
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Draft {
            label: self.view.label.clone(),
            is_default: self.view.is_default,
            endpoint: given(&self.view.endpoint),
            region: given(&self.view.region),
            keys: Keys::named(&self.view.keys),
            conditions: Conditions::named(&self.view.conditions),
            credentials,
            access: match set_of(&self.view.access_detail) {
                Some(detail) => detail,
                None if self.view.write_access => AccessSet::READ_WRITE,
                None => AccessSet::READ_ONLY,
            },
            restrictions: (!(had_none && is_everything)).then_some(restrictions),
            deny: rules(&self.deny),
        }
    }

    /// All that was filled in, as fields of another form; without what is secret.
    pub(super) fn hidden(&self) -> Vec<(String, String)> {
        let view = &self.view;
        let mut hidden: Vec<(String, String)> = [
            ("revision", &view.revision),
            ("held", &view.held),
            ("label", &view.label),
            ("region", &view.region),
            ("endpoint", &view.endpoint),
            ("keys", &view.keys),
            ("conditions", &view.conditions),
            ("reference_kind", &view.reference_kind),
            ("reference_name", &view.reference_name),
            ("access_detail", &view.access_detail),
        ]
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .into();
        for (name, ticked) in [("is_default", view.is_default), ("write_access", view.write_access)]
        {
            if ticked {
                hidden.push((name.to_owned(), "yes".to_owned()));
            }
        }
        for (list, rows) in [("restriction", &self.restrictions), ("deny", &self.deny)] {
            for row in rows.iter().filter(|row| !row.text.is_empty()) {
                let kind = if row.glob { "glob" } else { "plain" };
                let fields = [("text", &*row.text), ("kind", kind), ("access", &*row.access)];
                for (name, value) in fields {
                    hidden.push((format!("{list}.{}.{name}", row.n), value.to_owned()));
                }
            }
        }
        hidden
    }
}

/// The row that a script adds.
pub(super) fn blank() -> RowView {
    RowView { n: BLANK.to_owned(), ..RowView::default() }
}

fn row(rule: DraftRule) -> RowView {
    let access = rule.access.map(list_of).unwrap_or_default();
    RowView { text: rule.text, glob: rule.glob, access, ..RowView::default() }
}

/// The rows of a list, in the order in which they came. A row's name is digits alone.
fn read_rows(fields: &Fields, list: &str) -> Vec<RowView> {
    let mut rows = Vec::<RowView>::new();
    for (name, value) in fields.iter() {
        let Some((n, part)) = name.strip_prefix(list).and_then(|rest| rest.split_once('.')) else {
            continue;
        };
        if n.is_empty() || n.len() > 9 || !n.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        // A row's fields come one after the other.
        if rows.last().is_none_or(|row| row.n != n) {
            if part != "text" {
                continue;
            }
            rows.push(RowView { n: n.to_owned(), ..RowView::default() });
        }
        if let Some(row) = rows.last_mut() {
            match part {
                "text" => value.clone_into(&mut row.text),
                "kind" => row.glob = value == "glob",
                "access" => value.clone_into(&mut row.access),
                _ => {}
            }
        }
    }
    rows
}

/// Accesses, as the choices of the form call them.
pub(super) fn list_of(set: AccessSet) -> String {
    set.iter().map(Access::name).collect::<Vec<_>>().join(",")
}

/// The accesses of a choice; `None` for none of its own.
pub(super) fn set_of(list: &str) -> Option<AccessSet> {
    let set: AccessSet = list.split(',').filter_map(Access::from_name).collect();
    (!set.is_empty()).then_some(set)
}
