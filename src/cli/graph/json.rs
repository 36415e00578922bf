//! A drawing for programs.

use serde::Serialize;

use super::Drawing;
use crate::{
    access::{Access, AccessSet},
    analysis::Decided,
    cli::output::{RuleJson, text_of},
};

#[derive(Serialize)]
pub(super) struct GraphJson<'d> {
    connection: String,
    owner: &'d str,
    keys: &'static str,
    under: String,
    access: Vec<&'static str>,
    places: Vec<PlaceJson<'d>>,
    ways: Vec<WayJson<'d>>,
    rules: Vec<RuleJson<'d>>,
    idle: &'d [usize],
}

#[derive(Serialize)]
struct PlaceJson<'d> {
    here: Option<DecidedJson>,
    below: DecidedJson,
    lists: bool,
    rules: &'d [usize],
}

#[derive(Serialize)]
struct DecidedJson {
    given: Vec<&'static str>,
    denied: Vec<&'static str>,
    shut: bool,
}

#[derive(Serialize)]
struct WayJson<'d> {
    from: usize,
    to: usize,
    texts: &'d [String],
}

impl<'d> GraphJson<'d> {
    pub(super) fn new(drawing: &'d Drawing<'_>) -> Self {
        let (connection, graph) = (drawing.connection, drawing.graph);
        let rules = connection.rules().iter().enumerate();
        Self {
            connection: connection.id().to_string(),
            owner: connection.owner(),
            keys: connection.keys().name(),
            under: text_of(graph.under()).0.into_owned(),
            access: names(drawing.access),
            places: graph
                .places()
                .iter()
                .map(|place| PlaceJson {
                    here: place.here.map(DecidedJson::new),
                    below: DecidedJson::new(place.below),
                    lists: place.lists,
                    rules: &place.rules,
                })
                .collect(),
            ways: graph
                .ways()
                .iter()
                .map(|way| WayJson {
                    from: way.from,
                    to: way.to,
                    texts: &drawing.items[way.to].texts,
                })
                .collect(),
            rules: rules
                .filter(|(id, _)| {
                    graph.idle().contains(id)
                        || graph.places().iter().any(|place| place.rules.contains(id))
                })
                .map(|(id, rule)| RuleJson::new(id, rule))
                .collect(),
            idle: graph.idle(),
        }
    }
}

impl DecidedJson {
    fn new(decided: Decided) -> Self {
        Self { given: names(decided.given), denied: names(decided.denied), shut: decided.is_shut }
    }
}

fn names(set: AccessSet) -> Vec<&'static str> {
    set.iter().map(Access::name).collect()
}
