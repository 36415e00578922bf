//! The plots: what is drawn, and in which colours.

use super::{
    plot::{Plot, Series},
    tables, units,
};
use crate::{
    engine::Kind,
    engines,
    record::{Results, measure},
    workloads::{Cell, MIXES},
};

/// Limits that have a line; the others are near the bottom in all plots.
const LIMITS: [&str; 2] = ["probe", "step"];

/// Colours of peers, for light ground and for dark.
const COLOURS: [(&str, &str); 12] = [
    ("#1f6fb4", "#6cb6ff"),
    ("#2e7d32", "#6bc46d"),
    ("#8e44ad", "#d2a8ff"),
    ("#b8860b", "#e3b341"),
    ("#00838f", "#4fd1c5"),
    ("#6d4c41", "#c69c85"),
    ("#ad1457", "#f48fb1"),
    ("#558b2f", "#a5d66f"),
    ("#4527a0", "#a79bff"),
    ("#37729b", "#8ab8d8"),
    ("#9e6a03", "#d4a656"),
    ("#7a7a00", "#cccc66"),
];

/// A plot of each mixture: its name, its title, what its numbers are, and how they are written.
type Kinds = [(&'static str, &'static str, &'static str, fn(f64) -> String); 3];

const PLOTS: Kinds = [
    ("ns", "time of a decision", "caches warm", time),
    ("build", "time of building", "from the restrictions' texts", time),
    ("bytes", "memory of a restriction", "once all requests were answered", units::decimal_bytes),
];

/// Names and images.
pub(super) fn all(results: &Results) -> Vec<(String, String)> {
    let mut plots = Vec::new();
    for (name, _) in MIXES {
        let sizes = tables::sizes(results, name);
        for (kind, title, unit, write) in PLOTS {
            let plot = Plot {
                title: &format!("{name}: {title}"),
                unit,
                series: series(results, name, &sizes, kind),
                sizes: sizes.iter().map(|n| *n as f64).collect(),
                write,
            };
            let [light, dark] = styles();
            if let Some(svg) = plot.draw(&light, &dark) {
                plots.push((format!("{kind}-{name}.svg"), svg));
            }
        }
    }
    plots
}

/// The lines of one plot.
fn series(results: &Results, name: &'static str, sizes: &[usize], kind: &str) -> Vec<Series> {
    let measure = match kind {
        "ns" => measure::NS,
        "build" => measure::BUILD_NS,
        _ => measure::USED_BYTES,
    };
    let mut all = Vec::new();
    for entry in engines::ALL {
        let about = &entry.about;
        if about.kind == Kind::Limit && !(kind == "ns" && LIMITS.contains(&about.id)) {
            continue;
        }
        let point = |n: &usize| {
            let value = results.value(&Cell { name, n: *n }, about.id, measure)?;
            let each = if kind == "bytes" { *n as f64 } else { 1.0 };
            (value > 0.0).then_some((*n as f64, value / each))
        };
        all.push(Series {
            label: about.title.replace('`', ""),
            class: match about.kind {
                Kind::Limit => format!("{} limit", class(about.id)),
                _ => class(about.id),
            },
            is_strong: about.kind == Kind::Ours,
            points: sizes.iter().filter_map(point).collect(),
        });
    }
    all
}

fn class(id: &str) -> String {
    format!("e-{id}")
}

/// The styles of both themes: the ground, the grid, and each engine's colour.
fn styles() -> [String; 2] {
    let grounds = [
        (".ground { fill: #ffffff; }\ntext { fill: #1f2328; }\n.faint { fill: #59636e; }\n.grid { stroke: #e4e8ec; }\n"),
        (".ground { fill: #0d1117; }\ntext { fill: #f0f6fc; }\n.faint { fill: #9198a1; }\n.grid { stroke: #262c36; }\n"),
    ];
    let ours = [
        ("#d1242f", "#ff6b61"),
        ("#e0662a", "#ff9c5a"),
        ("#c9793a", "#ffc08a"),
        ("#a8324a", "#ff8fa3"),
    ];
    let (mut peer, mut own) = (0, 0);
    let mut styles = grounds.map(str::to_owned);
    for entry in engines::ALL {
        let (light, dark) = match entry.about.kind {
            Kind::Ours => {
                own += 1;
                ours[(own - 1) % ours.len()]
            }
            Kind::Peer => {
                peer += 1;
                COLOURS[(peer - 1) % COLOURS.len()]
            }
            Kind::Limit => ("#59636e", "#9198a1"),
        };
        for (style, colour) in styles.iter_mut().zip([light, dark]) {
            let class = class(entry.about.id);
            style.push_str(&format!(
                "polyline.{class} {{ stroke: {colour}; }}\ncircle.{class}, text.{class} {{ fill: {colour}; }}\n"
            ));
        }
    }
    styles
}

/// Nanoseconds in the unit that makes them short.
fn time(ns: f64) -> String {
    let (value, unit) = match ns {
        ns if ns < 1e3 => (ns, "ns"),
        ns if ns < 1e6 => (ns / 1e3, "µs"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    format!("{value} {unit}")
}
