//! Policies by chance, imported.

use super::*;

/// Whatever a variable stands for, whoever asks, and whether or not conditions are met.
#[test]
fn an_imported_policy_is_what_it_was() {
    let mut chance = Chance(from_env("PATHWARD_SEED").unwrap_or(18));
    let most = comparisons(1_000_000, 60_000);
    let (mut pairs, mut allowed, mut refused) = (0_u64, 0_u64, 0_u64);
    // Imported although they have `NotResource`, a condition, a variable, a marker, `?`, a bucket alone.
    let mut kinds = [0_u64; 6];
    while pairs < most {
        let odd = chance.one_in(2);
        let statements = (0..=chance.below(3)).map(|_| {
            let actions = match chance.below(4) {
                0 => vec![Action::Get, Action::ListBucket],
                1 => Action::of(Access::Write).to_vec(),
                2 => vec![Action::Get, Action::Delete],
                _ => vec![Action::Get],
            };
            let pieces = [
                "a",
                "b",
                "/",
                "*",
                "*",
                "${*}",
                "${?}",
                "${$}",
                "$",
                "\\",
                "é",
                "日",
                "?",
                "{",
                "${aws:username}",
            ];
            let mut resource = || {
                let mut text = pick(&mut chance, &["pub/", "pub/", "pub", "*"]).to_owned();
                (0..chance.below(5)).for_each(|_| {
                    let piece = pick(&mut chance, &pieces);
                    let is_seldom = matches!(piece, "?" | "${aws:username}");
                    // `$` before `{` would be a variable.
                    if !(text.ends_with('$') && piece.starts_with('{'))
                        && (!is_seldom || odd && chance.one_in(4))
                    {
                        text.push_str(piece);
                    }
                });
                text
            };
            let resources = vec![resource(), resource()];
            let effect = if chance.one_in(3) { Effect::Deny } else { Effect::Allow };
            let mut statement = Statement::new(effect, actions, resources);
            statement.is_inverted = odd && chance.one_in(5);
            if odd && chance.one_in(5) {
                statement.conditions.push("`Bool` on `aws:SecureTransport`".into());
            }
            statement
        });
        let document = Document { statements: statements.collect() };
        let Ok(imported) = import(&document) else {
            refused += 1;
            continue;
        };
        let said = imported.relations(&document, States::new(1 << 14));
        assert!(said.are_equal(), "{document:#?}\n{imported:#?}\n{said:#?}");
        let any = |is: &dyn Fn(&Statement) -> bool| u64::from(document.statements.iter().any(is));
        let resource = |is: fn(&str) -> bool| any(&|s| s.resources.iter().any(|text| is(text)));
        kinds[0] += any(&|s| s.is_inverted);
        kinds[1] += any(&|s| !s.conditions.is_empty());
        kinds[2] += resource(|text| text.contains("${aws"));
        kinds[3] += resource(|text| text.len() > 4 && text.ends_with('/'));
        kinds[4] += resource(|text| text.replace("${?}", "").contains('?'));
        kinds[5] += resource(|text| text == "pub");
        let restrictions: Vec<Restriction> =
            imported.entries().map(|entry| entry.restriction.clone()).collect();
        for _ in 0..10 {
            let resource = path(&restrictions, &mut chance);
            let Ok(path) = Path::new(&resource) else { continue };
            if path.key().is_empty() {
                continue;
            }
            let user = pick(&mut chance, &["", "a", "b", "*", "a/b", "/", "x"]);
            let world = World { user, met: chance.next() };
            for access in Access::ALL {
                let asked = Asked {
                    action: action(access),
                    resource: &resource,
                    prefix: None,
                    delimiter: None,
                    world,
                };
                let ours = Language::of_entries(imported.entries(), access).contains(&path);
                assert_eq!(
                    is_allowed(&document, &asked),
                    ours,
                    "{resource} {user} {:b} {document:#?}\n{imported:#?}",
                    world.met
                );
                pairs += 1;
                allowed += u64::from(ours);
            }
        }
    }
    println!(
        "{pairs} pairs, {allowed} of them allowed; {refused} policies refused; imported with \
         NotResource, conditions, variables, markers, `?`, buckets {kinds:?}"
    );
    assert!(allowed > pairs / 20);
    assert!(kinds.iter().all(|kind| *kind > 0), "{kinds:?}");
}

/// What a variable stands for may have a `/` in it, and then the resource is an object: it was taken for a
/// bucket, and what it denies was left out.
#[test]
fn a_variable_in_a_bucket_is_no_reason_to_leave_a_deny_out() {
    let statement = |effect, resource: &str| {
        Statement::new(effect, vec![Action::Get], vec![resource.to_owned()])
    };
    for resource in ["pub${aws:username}x", "${aws:PrincipalTag/team}", "p${s3:prefix}b"] {
        let statements = vec![statement(Effect::Allow, "*"), statement(Effect::Deny, resource)];
        let problems = import(&Document { statements }).expect_err(resource);
        let text = format!("{problems:?}");
        assert!(text.contains("is a variable"), "{resource}: {text}");
    }
    let bucket = vec![statement(Effect::Allow, "*"), statement(Effect::Deny, "pub${?}x")];
    let imported = import(&Document { statements: bucket }).expect("a bucket is no object");
    assert_eq!((imported.deny.len(), imported.notes.len()), (0, 1), "{imported:?}");
}

/// A connection shows the names of what may be read. No statement denies one of them to be listed, whatever its
/// conditions.
#[test]
fn what_an_import_shows_is_denied_by_no_statement() {
    let mut chance = Chance(from_env("PATHWARD_SEED").unwrap_or(20));
    let most = comparisons(300_000, 30_000);
    let (mut asked, mut imports, mut refused) = (0_u64, 0_u64, 0_u64);
    while asked < most {
        let buckets = ["pub", "p*", "*", "*b", "pub-a", "pub/*", "pub-a/*"];
        let objects = ["pub/*", "pub/a*", "*b/*", "pub-a/*", "pub/b/*", "*"];
        let mut statements = Vec::new();
        for _ in 0..=chance.below(4) {
            let (actions, pieces) = match chance.below(3) {
                0 => (vec![Action::ListBucket], &buckets[..]),
                1 => (vec![Action::Get, Action::ListBucket], &buckets[..]),
                _ => (vec![Action::Get], &objects[..]),
            };
            let resources = (0..=chance.below(2)).map(|_| pick(&mut chance, pieces).to_owned());
            let resources = resources.collect();
            let effect = if chance.one_in(2) { Effect::Deny } else { Effect::Allow };
            let mut statement = Statement::new(effect, actions, resources);
            let lists = statement.actions == [Action::ListBucket];
            statement.is_inverted = chance.one_in(4);
            if lists && chance.one_in(3) {
                let prefix = pick(&mut chance, &["", "a", "a*", "b/*", "*", "?"]);
                statement.prefixes = Some(vec![prefix.to_owned()]);
            }
            statement.is_delimited = lists && chance.one_in(4);
            if lists && chance.one_in(4) {
                statement.conditions.push("`IpAddress` on `aws:SourceIp`".into());
            }
            statements.push(statement);
        }
        let document = Document { statements };
        let Ok(imported) = import(&document) else {
            refused += 1;
            continue;
        };
        imports += 1;
        let readable = Language::of_entries(imported.entries(), Access::Read);
        for _ in 0..20 {
            let mut text = pick(&mut chance, &["pub/", "pub-a/", "pxb/", "xxb/"]).to_owned();
            (0..=chance.below(4))
                .for_each(|_| text.push_str(pick(&mut chance, &["a", "b", "/", "x"])));
            let Ok(path) = Path::new(&text) else { continue };
            asked += 1;
            if !readable.contains(&path) {
                continue;
            }
            let (bucket, key) = text.split_once('/').expect("a key");
            for end in (0..=key.len()).map(Some).chain([None]) {
                for delimiter in [None, Some("/")] {
                    let request = Asked {
                        action: Action::ListBucket,
                        resource: bucket,
                        prefix: end.map(|end| &key[..end]),
                        delimiter,
                        world: World { user: "", met: u64::MAX },
                    };
                    let denies = document.statements.iter().enumerate().find(|(n, statement)| {
                        statement.effect == Effect::Deny && applies(*n, statement, &request)
                    });
                    assert!(denies.is_none(), "{text} {end:?} {document:#?}\n{imported:#?}");
                }
            }
        }
    }
    println!("{asked} paths of {imports} policies, {refused} refused");
    assert!(imports > 100);
}

/// Listings of statements by chance, with buckets that have stars and `/`, prefixes and the delimiter: it was
/// once said that a bucket's star stands for `/` too (`*x` for `aaa/x`), and that a listing of `pub/*`, which is
/// no bucket, shows names.
#[test]
fn what_is_said_of_listings_is_true() {
    let mut chance = Chance(from_env("PATHWARD_SEED").unwrap_or(19));
    let most = comparisons(300_000, 30_000);
    let (mut asked, mut kinds) = (0_u64, [0_u64; 4]);
    while asked < most {
        let mut statements = Vec::new();
        for _ in 0..=chance.below(4) {
            let listing = chance.one_in(2);
            let pieces: &[&str] = match listing {
                true => &["pub", "p*", "*b", "*", "pub/*", "p?b", "pub-a", "pub/a"],
                false => &[
                    "pub/*",
                    "pub/a*",
                    "*b/*",
                    "p*/a",
                    "pub-a/*",
                    "*",
                    "*/a/*",
                    "pub/${*}*",
                    "pub*",
                ],
            };
            let resources =
                (0..=chance.below(2)).map(|_| pick(&mut chance, pieces).to_owned()).collect();
            let effect = if chance.one_in(4) { Effect::Deny } else { Effect::Allow };
            let prefixes = ["", "a", "a*", "a/*", "*", "?", "${*}", "b/"];
            let actions = match (listing, effect) {
                (true, Effect::Allow) => vec![Action::ListBucket],
                (true, Effect::Deny) => vec![Action::Get, Action::ListBucket],
                (false, _) if chance.one_in(3) => vec![Action::Get, Action::ListBucket],
                (false, _) => vec![Action::Get],
            };
            let is_bound = listing && effect == Effect::Allow;
            statements.push(Statement {
                prefixes: (is_bound && chance.one_in(2)).then(|| {
                    (0..=chance.below(2)).map(|_| pick(&mut chance, &prefixes).to_owned()).collect()
                }),
                is_delimited: is_bound && chance.one_in(3),
                ..Statement::new(effect, actions, resources)
            });
        }
        let document = Document { statements };
        let Ok(imported) = import(&document) else { continue };
        let said = imported.relations(&document, States::new(1 << 14));
        let show = || format!("{document:#?}\n{imported:#?}\n{said:#?}");
        let language = Language::of_entries(imported.entries(), Access::Read);
        assert!(said.are_equal(), "{}", show());
        assert_witnesses(&said.listed, &document, &|path| language.contains(path), &show);
        kinds[match said.listed {
            Relation::Equal => 0,
            Relation::Wider(_) => 1,
            Relation::Narrower(_) => 2,
            Relation::Neither { .. } | Relation::Undecided { .. } => 3,
        }] += 1;
        for _ in 0..20 {
            let mut text =
                pick(&mut chance, &["pub/", "pub-a/", "pxb/", "xxb/", "aaa/"]).to_owned();
            (0..=chance.below(4))
                .for_each(|_| text.push_str(pick(&mut chance, &["a", "b", "/", "x", "*", "é"])));
            let Ok(path) = Path::new(&text) else { continue };
            assert_listed(&said.listed, &document, &path, language.contains(&path), &show);
            asked += 1;
        }
    }
    println!("{asked} paths; equal, wider, narrower, neither {kinds:?}");
    assert!(kinds.iter().all(|kind| *kind > 0), "{kinds:?}");
}
