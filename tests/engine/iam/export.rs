//! Connections by chance, exported.

use super::*;

#[test]
fn an_exported_policy_gives_what_it_is_said_to() {
    let mut chance = Chance(from_env("PATHWARD_SEED").unwrap_or(17));
    let most = comparisons(2_000_000, 120_000);
    let (mut pairs, mut allowed, mut listings) = (0_u64, 0_u64, 0_u64);
    let mut relations = [0_u64; 5];
    while pairs < most {
        let Some((policy, restrictions, yaml)) = connection(&mut chance) else { continue };
        let connection = &policy.connections()[0];
        let rounding = *chance.pick(&[Rounding::Wider, Rounding::Wider, Rounding::Narrower]);
        let export = export(connection, rounding);
        let document = &export.document;
        let mut said = export.relations(connection, States::new(1 << 14));
        // Seldom it takes more, such as with seed 34.
        let is_undecided = |relation: &Relation| matches!(relation, Relation::Undecided { .. });
        if said.accesses.iter().any(|(_, relation)| is_undecided(relation)) {
            said = export.relations(connection, States::default());
        }
        let show = || format!("{yaml}{document:#?}\n{said:#?}");
        for (access, relation) in &said.accesses {
            relations[match relation {
                Relation::Equal => 0,
                Relation::Wider(_) => 1,
                Relation::Narrower(_) => 2,
                Relation::Neither { .. } => 3,
                Relation::Undecided { .. } => 4,
            }] += 1;
            // A path that is said to show a difference shows it.
            for (witness, is_wider) in [(relation.wider(), true), (relation.narrower(), false)] {
                let Some(path) = witness else { continue };
                let resource = path.to_string();
                let asked = Asked {
                    action: action(*access),
                    resource: &resource,
                    prefix: None,
                    delimiter: None,
                    world: NO_WORLD,
                };
                assert_eq!(is_allowed(document, &asked), is_wider, "{path:?} {}", show());
                assert_eq!(gives(connection, path, *access), !is_wider, "{path:?} {}", show());
            }
            assert!(
                rounding == Rounding::Narrower || said.listed.narrower().is_none(),
                "{}",
                show()
            );
            // What is not rounded is equal, and what is rounded goes one way alone.
            match (export.inexact.is_empty(), rounding) {
                _ if is_undecided(relation) => {}
                (true, _) => assert_eq!(*relation, Relation::Equal, "{}", show()),
                (false, Rounding::Wider) => assert!(relation.narrower().is_none(), "{}", show()),
                (false, Rounding::Narrower) => assert!(relation.wider().is_none(), "{}", show()),
            }
        }
        let reads = |path: &Path<'_>| gives(connection, path, Access::Read);
        assert_witnesses(&said.listed, document, &reads, &show);
        for _ in 0..12 {
            let resource = path(&restrictions, &mut chance);
            let Ok(path) = Path::new(&resource) else { continue };
            if path.key().is_empty() {
                continue;
            }
            assert_listed(&said.listed, document, &path, reads(&path), &show);
            for (access, relation) in &said.accesses {
                let asked = Asked {
                    action: action(*access),
                    resource: &resource,
                    prefix: None,
                    delimiter: None,
                    world: NO_WORLD,
                };
                let iam = is_allowed(document, &asked);
                let ours = gives(connection, &path, *access);
                let (may_add, may_lack) = match relation {
                    Relation::Equal => (false, false),
                    Relation::Wider(_) => (true, false),
                    Relation::Narrower(_) => (false, true),
                    Relation::Neither { .. } | Relation::Undecided { .. } => (true, true),
                };
                assert!(ours || !iam || may_add, "{resource} {access} {}", show());
                assert!(iam || !ours || may_lack, "{resource} {access} {}", show());
                pairs += 1;
                allowed += u64::from(ours);
            }
            if rounding == Rounding::Wider {
                listings += listed(connection, document, &path, &show);
            }
        }
    }
    println!(
        "{pairs} pairs, {allowed} of them allowed, {listings} listings; relations {relations:?}"
    );
    assert!(1_000 * relations[4] < relations.iter().sum(), "{relations:?}");
    assert!(allowed > pairs / 20 && listings > pairs / 100 && relations[1] > 0 && relations[2] > 0);
}

/// Every listing that a narrowed plan asks for, of the directories above a path, is allowed. (Of a folder
/// the executor asks further down, at what the restrictions below start with.)
fn listed(
    connection: &Connection,
    document: &Document,
    path: &Path<'_>,
    show: &dyn Fn() -> String,
) -> u64 {
    let mut asked = 0;
    let bytes = path.as_bytes();
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
        let directory = &bytes[..=at];
        let below = connection.automaton().below(directory);
        let prefixes = match below.all.contains(Access::Read) {
            true => vec![directory.to_vec()],
            false => connection.automaton().leads(directory, Access::Read),
        };
        for prefix in prefixes {
            let Ok(text) = std::str::from_utf8(&prefix) else { continue };
            let Some((bucket, prefix)) = text.split_once('/') else { continue };
            if prefix.ends_with('/') && text.len() > directory.len() {
                continue;
            }
            // A directory above what restrictions name is asked for where a wildcard leaves open what comes
            // next, or for what only denies and writes have below.
            let named = matches!(
                connection.automaton().here(text.as_bytes(), Access::Read),
                Verdict::Allowed(_)
            );
            if !named && text.len() == directory.len() && !below.all.contains(Access::Read) {
                let open = Asked {
                    action: Action::ListBucket,
                    resource: bucket,
                    prefix: Some(prefix),
                    delimiter: Some("/"),
                    world: NO_WORLD,
                };
                asked += u64::from(is_allowed(document, &open));
                continue;
            }
            let request = Asked {
                action: Action::ListBucket,
                resource: bucket,
                prefix: Some(prefix),
                delimiter: None,
                world: NO_WORLD,
            };
            assert!(is_allowed(document, &request), "{text} is listed {}", show());
            asked += 1;
        }
    }
    asked
}

/// Of `keys: plain` the export says what it refuses by denies. From these a search went through all combinations of
/// the patterns, for paths that the connection refuses anyway, and was given up: found with seed 33.
#[test]
fn what_plain_keys_refuse_needs_no_search() {
    let yaml = "\
connections:
  - id: s3+x
    owner: o
    keys: plain
    restrictions:
      - { glob: \"pub/**/{a,b/c}/**/{a,b/c}{a,b/c}\", access: [write, delete] }
      - { path: \"pub-a/${\", access: [read] }
";
    let policy = Policy::from_yaml("policy.yaml", yaml).unwrap_or_else(|error| panic!("{error}"));
    let connection = &policy.connections()[0];
    let exported = export(connection, Rounding::Wider);
    let denies = exported.document.statements.iter().filter(|s| s.effect == Effect::Deny);
    assert!(denies.flat_map(|deny| &deny.resources).any(|resource| resource == "*//*"));
    let said = exported.relations(connection, States::new(1 << 10));
    assert!(said.are_equal(), "{said:#?}");
}
