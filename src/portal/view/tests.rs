//! Every text of every page is a text, whatever it holds.

use askama::Template;

use super::*;

/// Closes attributes and elements, opens scripts, and is no template's either.
const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}&lt;\u{0}";

fn h() -> String {
    HOSTILE.to_owned()
}

fn frame() -> Frame {
    Frame {
        owner: Some(h()),
        csrf: h(),
        said: Some(h()),
        warning: Some(h()),
        at: "sources",
        ..Frame::new(h())
    }
}

fn problem() -> Problem {
    Problem { field: h(), message: h(), help: Some(h()) }
}

fn finding() -> Finding {
    Finding { level: "warning", message: h(), witness: Some(h()), fix: Some(h()) }
}

fn row() -> RowView {
    RowView {
        n: h(),
        number: 1,
        text: h(),
        glob: true,
        access: h(),
        problems: vec![problem()],
        words: Some(h()),
        findings: vec![finding()],
    }
}

fn edit() -> EditPage {
    EditPage {
        frame: frame(),
        heading: h(),
        id: Some(h()),
        action: h(),
        form: FormView {
            revision: h(),
            held: h(),
            label: h(),
            is_default: true,
            region: h(),
            endpoint: h(),
            keys: h(),
            conditions: h(),
            server_open: true,
            reference_kind: h(),
            reference_name: h(),
            write_access: true,
            access_detail: h(),
            try_operation: h(),
            try_path: h(),
        },
        credentials: CredentialsView {
            stored: Some(h()),
            references_allowed: true,
            other_open: true,
            kinds: &[("a", HOSTILE)],
        },
        restrictions: vec![row()],
        deny: vec![row()],
        blank: row(),
        problems: vec![problem(), problem()],
        said: Said {
            label: vec![problem()],
            credentials: vec![problem()],
            region: vec![problem()],
            endpoint: vec![problem()],
            restrictions: vec![problem()],
        },
        findings: vec![finding()],
        note: Some(h()),
        attempt: Some(AttemptView {
            kind: "deny",
            title: "Denied.",
            words: h(),
            line: Some(Line { field: h(), name: h(), text: h() }),
            reason: h(),
        }),
        can_test: true,
        tested: Some(Tested { ok: false, words: h() }),
        gateway: Some(h()),
        accesses: &[(HOSTILE, HOSTILE)],
        deny_accesses: &[(HOSTILE, HOSTILE)],
        details: &[(HOSTILE, HOSTILE)],
        operations: &[(HOSTILE, HOSTILE)],
    }
}

/// Every page, with the hostile text in every place that takes a text.
fn pages() -> Vec<(&'static str, String)> {
    let delta = || vec![Delta { access: h(), words: h(), example: h() }];
    let key = || KeyRow {
        id: h(),
        href: h(),
        access: h(),
        writes: true,
        manage: true,
        is_own: true,
        reach: Some(vec![(true, h()), (false, h())]),
    };
    let source = || SourceRow {
        id: h(),
        href: h(),
        is_default: true,
        place: h(),
        credentials: h(),
        paths: vec![h()],
        more: Some(h()),
        access: h(),
        writes: true,
    };
    vec![
        ("edit", edit().render().unwrap()),
        ("edit, new", EditPage { id: None, ..edit() }.render().unwrap()),
        (
            "review",
            ReviewPage {
                frame: frame(),
                id: h(),
                action: h(),
                note: Some(h()),
                fields: vec![Field { name: "Name", was: Some(h()), now: h(), note: None }],
                opened: delta(),
                lost: delta(),
                undecided: Some(h()),
                hidden: vec![(h(), h())],
            }
            .render()
            .unwrap(),
        ),
        (
            "sources",
            SourcesPage { frame: frame(), search: h(), rows: vec![source()], is_empty: false }
                .render()
                .unwrap(),
        ),
        (
            "sources, nothing found",
            SourcesPage { frame: frame(), search: h(), rows: Vec::new(), is_empty: true }
                .render()
                .unwrap(),
        ),
        (
            "remove",
            RemovePage {
                frame: frame(),
                lines: vec![h()],
                action: h(),
                hidden: vec![("revision", h())],
                button: h(),
                cancel: h(),
                back: "/sources",
                list: "Data sources",
            }
            .render()
            .unwrap(),
        ),
        (
            "keys",
            KeysPage {
                frame: frame(),
                rows: vec![key()],
                problem: Some(("id", h())),
                id: h(),
                access: h(),
                manage: true,
                is_for_some: true,
                sources: vec![(true, h()), (false, h())],
                accesses: &[("none", HOSTILE)],
            }
            .render()
            .unwrap(),
        ),
        (
            "key shown",
            KeyShownPage {
                frame: frame(),
                id: h(),
                secret: h(),
                access: h(),
                manage: false,
                is_first: true,
                gateway: Some(h()),
                next: ("/keys", "Go on"),
            }
            .render()
            .unwrap(),
        ),
        (
            "browse",
            BrowsePage {
                frame: frame(),
                id: h(),
                href: h(),
                path: h(),
                crumbs: vec![Crumb { name: h(), href: h() }, Crumb { name: h(), href: h() }],
                entries: vec![
                    Entry { name: h(), href: Some(h()), size: h(), changed: h() },
                    Entry { name: h(), href: None, size: h(), changed: h() },
                ],
                denial: None,
                next: Some(h()),
            }
            .render()
            .unwrap(),
        ),
        (
            "browse, denied",
            BrowsePage {
                frame: frame(),
                id: h(),
                href: h(),
                path: h(),
                crumbs: Vec::new(),
                entries: Vec::new(),
                denial: Some(Denial { title: h(), text: h() }),
                next: None,
            }
            .render()
            .unwrap(),
        ),
        ("sign in", SignInPage { frame: frame(), problem: Some(h()), next: h() }.render().unwrap()),
        (
            "first",
            FirstPage {
                frame: frame(),
                problem: Some(h()),
                link: h(),
                name: h(),
                known: vec![h()],
            }
            .render()
            .unwrap(),
        ),
        (
            "notice",
            NoticePage { frame: frame(), lines: vec![h()], back: (h(), "Back") }.render().unwrap(),
        ),
    ]
}

#[test]
fn what_owners_and_storages_write_is_text_on_every_page() {
    for (name, page) in pages() {
        assert!(page.starts_with("<!doctype html>"), "{name}");
        // It is there, and escaped: nothing opens an element or closes an attribute.
        assert!(page.contains("&#60;script&#62;alert(1)"), "{name}");
        for broken in ["<script>", "<img", "\"'>", "onerror=alert(1)>"] {
            assert!(!page.contains(broken), "{name} has {broken}");
        }
        // The template's own script is the one with an address.
        assert_eq!(page.matches("<script").count(), 1, "{name}");
        assert!(page.contains("{{ 7*7 }}"), "{name}");
    }
}

/// What the Content-Security-Policy would refuse is not on any page to begin with.
#[test]
fn no_page_has_inline_scripts_or_styles() {
    for (name, page) in pages() {
        for refused in [" style=", "<style", " onclick=", " onsubmit=", "javascript:", "http-equiv"]
        {
            assert!(!page.contains(refused), "{name} has {refused}");
        }
    }
}
