//! Lines on two logarithmic axes, with their labels at their ends.

use super::svg::{Anchor, Svg};

/// A line.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// What stands at its end.
    pub(super) label: String,
    /// The class of its colour.
    pub(super) class: String,
    /// Whether it is drawn above the others, and stronger.
    pub(super) is_strong: bool,
    /// By number of restrictions.
    pub(super) points: Vec<(f64, f64)>,
}

/// A plot.
#[derive(Clone, Debug)]
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    /// What the numbers are.
    pub(super) unit: &'a str,
    pub(super) series: Vec<Series>,
    /// Numbers of restrictions that have a mark on the axis.
    pub(super) sizes: Vec<f64>,
    /// How a number on the axis is written.
    pub(super) write: fn(f64) -> String,
}

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 640.0;
const LEFT: f64 = 70.0;
/// Where lines end at the latest, and where labels begin.
const RIGHT: f64 = 660.0;
const LABELS: f64 = 700.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 580.0;
/// Between two labels, at least.
const SPACING: f64 = 17.0;

/// What is the same in both themes.
const COMMON: &str = "\
text { font: 13px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; }
.title { font-size: 17px; font-weight: 600; }
polyline { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.grid { stroke-width: 1; }
.leader { stroke-width: 1; stroke-dasharray: 1 3; }
.strong { stroke-width: 3.6; }
text.strong { font-weight: 700; stroke: none; }
.limit { stroke-dasharray: 5 4; }
text.limit { stroke: none; }
";

impl Plot<'_> {
    /// The image; `None` if there is nothing to draw.
    ///
    /// `light` and `dark` are the styles of the series' classes: `.x { stroke: …; fill: … }`.
    pub(super) fn draw(&self, light: &str, dark: &str) -> Option<String> {
        let [xs, ys] = [0, 1].map(|axis| {
            let values = self.series.iter().flat_map(|series| &series.points);
            let values = values.map(move |(x, y)| if axis == 0 { *x } else { *y });
            values.fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)))
        });
        if ys.0.is_infinite() || ys.0 <= 0.0 || self.sizes.is_empty() {
            return None;
        }
        // Whole powers of ten above and below.
        let (low, high) =
            (ys.0.log10().floor(), ys.1.log10().ceil().max(ys.0.log10().floor() + 1.0));
        let across = (xs.1 / xs.0).log10().max(0.1);
        let place = |(x, y): (f64, f64)| {
            (
                LEFT + (x / xs.0).log10() / across * (RIGHT - LEFT),
                BOTTOM - (y.log10() - low) / (high - low) * (BOTTOM - TOP),
            )
        };

        let mut svg = Svg::new(WIDTH, HEIGHT);
        svg.text("title", (LEFT, 20.0), Anchor::Start, self.title);
        svg.text("faint", (LEFT, 40.0), Anchor::Start, self.unit);
        svg.text(
            "faint",
            (f64::midpoint(LEFT, RIGHT), BOTTOM + 42.0),
            Anchor::Middle,
            "restrictions",
        );
        for power in low as i32..=high as i32 {
            let y = place((xs.0, 10_f64.powi(power))).1;
            svg.line("grid", &[(LEFT, y), (RIGHT, y)]);
            svg.text("faint", (LEFT - 8.0, y), Anchor::End, &(self.write)(10_f64.powi(power)));
        }
        for size in &self.sizes {
            let x = place((*size, ys.0)).0;
            svg.line("grid", &[(x, TOP), (x, BOTTOM)]);
            let text = super::tables::size(*size as usize);
            svg.text("faint", (x, BOTTOM + 18.0), Anchor::Middle, &text);
        }

        let mut series: Vec<&Series> =
            self.series.iter().filter(|series| !series.points.is_empty()).collect();
        let end =
            |series: &Series| series.points.last().map_or((LEFT, BOTTOM), |point| place(*point));
        series.sort_by(|a, b| end(a).1.total_cmp(&end(b).1));
        let ends: Vec<f64> = series.iter().map(|series| end(series).1).collect();
        let labels = spread(&ends, TOP, BOTTOM);
        let order = |is_strong| {
            series.iter().zip(&labels).filter(move |(series, _)| series.is_strong == is_strong)
        };
        for (series, label) in order(false).chain(order(true)) {
            let strong = if series.is_strong { " strong" } else { "" };
            let class = format!("{}{strong}", series.class);
            let points: Vec<_> = series.points.iter().map(|point| place(*point)).collect();
            svg.line(&class, &points);
            for point in &points {
                svg.dot(&class, *point, if series.is_strong { 4.0 } else { 2.2 });
            }
            // It could not go on.
            if series.points.last().is_some_and(|(n, _)| *n < xs.1) {
                let (x, y) = end(series);
                svg.text(&class, (x, y - 14.0), Anchor::Middle, "✗");
            }
            svg.line(&format!("{} leader", series.class), &[end(series), (LABELS - 6.0, *label)]);
            svg.text(&class, (LABELS, *label), Anchor::Start, &series.label);
        }
        Some(svg.finish(self.title, COMMON, light, dark))
    }
}

/// Places for labels near these, which are in order: none nearer to the next than [`SPACING`], and
/// all between two bounds, if they fit there.
///
/// Labels that would touch become a block around the middle of their wishes, until no blocks touch.
fn spread(wishes: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    // Blocks: the first one's place, and how many.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    let within = |first: f64, len: usize| first.min(bottom - (len - 1) as f64 * SPACING).max(top);
    for wish in wishes {
        let (mut first, mut len) = (within(*wish, 1), 1);
        while let Some((above, above_len)) =
            blocks.pop_if(|(above, above_len)| *above + *above_len as f64 * SPACING > first)
        {
            // Each wish of either block, as it would place the first of both.
            let offset = above_len as f64 * SPACING;
            let sum = above * above_len as f64 + (first - offset) * len as f64;
            len += above_len;
            first = within(sum / len as f64, len);
        }
        blocks.push((first, len));
    }
    blocks
        .into_iter()
        .flat_map(|(first, len)| (0..len).map(move |n| first + n as f64 * SPACING))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_do_not_touch() {
        for wishes in [
            vec![100.0, 300.0],
            vec![100.0, 101.0, 102.0, 300.0],
            vec![60.0, 60.0, 60.0, 579.0, 579.0, 580.0],
            (0..25).map(|n| 200.0 + f64::from(n)).collect(),
        ] {
            let places = spread(&wishes, TOP, BOTTOM);
            assert_eq!(places.len(), wishes.len());
            assert!(places.iter().all(|place| (TOP..=BOTTOM).contains(place)), "{places:?}");
            assert!(places.windows(2).all(|two| two[1] - two[0] > SPACING - 0.01), "{places:?}");
        }
        assert_eq!(spread(&[100.0, 300.0], TOP, BOTTOM), [100.0, 300.0]);
    }
}
