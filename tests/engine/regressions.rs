//! Decisions that were wrong once, each with its cause.

use pathward::{
    Access, AccessSet, Automaton, Effect, Entry, Restriction, Verdict,
    internal::{compile_to_every_form, here_each_way, here_side_by_side},
};

/// Forks hand on the nodes of a path in no order, and the blocks of a crowd were searched only
/// from the last one on that a group before had reached: a group nearer to the root was skipped
/// when one further down came first, and with it its denies.
#[test]
fn a_deny_in_an_earlier_block_counts_when_a_deeper_group_is_asked_first() {
    // A crowd of denies at "pub/" that fills the first block, then one at the deep node. The piece
    // of one byte is too short for a sieve.
    let mut denies: Vec<String> = (0..4_095).map(|n| format!("pub/*x{n:04}*z")).collect();
    denies.push("pub/*!*z".to_owned());
    denies.extend((0..10).map(|n| format!("pub/aaaaaaaaaa00000000*y{n:04}*z")));
    // What has the forks look further on than "pub" and "pub/" are long.
    let deep = (1..30).map(|n| format!("pub/aaaaaaaaaa{n:08}"));
    let parse = |text: &str| Restriction::parse(text).expect("a restriction");
    let allow = parse("pub*");
    let deep: Vec<Restriction> = deep.map(|text| parse(&text)).collect();
    let denies: Vec<Restriction> = denies.iter().map(|text| parse(text)).collect();
    let entry = |effect, access| move |restriction| Entry { restriction, access, effect };
    let entries: Vec<Entry<'_>> = [entry(Effect::Allow, AccessSet::READ_ONLY)(&allow)]
        .into_iter()
        .chain(deep.iter().map(entry(Effect::Allow, AccessSet::READ_WRITE)))
        .chain(denies.iter().map(entry(Effect::Deny, AccessSet::READ_ONLY)))
        .collect();
    let path = b"pub/aaaaaaaaaa00000000/!/z";
    assert!(denies.iter().any(|deny| deny.matches(path)), "the test's own premise");
    let automaton = Automaton::compile(entries.iter().copied()).expect("within the limits");
    assert!(matches!(automaton.here(path, Access::Read), Verdict::Denied(_)));
    let automaton = compile_to_every_form(entries).expect("within the limits");
    for verdict in here_each_way(&automaton, path, Access::Read) {
        assert!(matches!(verdict, Verdict::Denied(_)), "{verdict:?}");
    }
    for verdict in here_side_by_side(&automaton, [(&path[..], Access::Read)]) {
        assert!(matches!(verdict, Verdict::Denied(_)), "{verdict:?}");
    }
}
