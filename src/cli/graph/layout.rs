//! Where places and texts are in a picture: a tree from left to right, in which no two things share
//! a place. Units are pixels.

use unicode_width::UnicodeWidthStr;

use super::look::{Cell, Look};

/// A column of text: somewhat more than the widest of the usual fonts has at this size.
pub(super) const COLUMN: f64 = 8.1;
/// The size of text.
pub(super) const SIZE: f64 = 13.0;
/// From one line of text to the next.
pub(super) const LINE: f64 = 18.0;
const PADDING: f64 = 10.0;
/// Between places above one another.
const GAP: f64 = 14.0;
/// From a place to the texts of its ways.
const BEND: f64 = 44.0;
/// From a text to the place that it leads to.
const ARROW: f64 = 30.0;
/// Around everything.
pub(super) const MARGIN: f64 = 20.0;

/// A place with what leads to it, to be laid out.
#[derive(Debug)]
pub(super) struct Item {
    /// None for the first.
    pub(super) parent: Option<usize>,
    pub(super) texts: Vec<String>,
    pub(super) look: Look,
}

/// Where it is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spot {
    pub(super) x: f64,
    /// Of its middle.
    pub(super) y: f64,
    /// Of the part for the place itself, and of that for what starts so.
    pub(super) widths: [f64; 2],
    pub(super) height: f64,
    /// Where its texts start, and how wide they are.
    pub(super) text_x: f64,
    pub(super) text_width: f64,
}

impl Spot {
    pub(super) fn right(&self) -> f64 {
        self.x + self.widths[0] + self.widths[1]
    }
}

pub(super) fn width(text: &str) -> f64 {
    text.width() as f64 * COLUMN
}

fn widest<'t>(texts: impl IntoIterator<Item = &'t String>) -> f64 {
    texts.into_iter().map(|text| width(text)).fold(0.0, f64::max)
}

/// The spots, and how wide and high everything is. Each item stands behind its parent.
pub(super) fn layout(items: &[Item], top: f64) -> (Vec<Spot>, f64, f64) {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); items.len()];
    for (n, item) in items.iter().enumerate() {
        if let Some(parent) = item.parent {
            children[parent].push(n);
        }
    }
    let cell_width = |cell: &Cell| widest(&cell.lines) + 2.0 * PADDING;
    let mut spots: Vec<Spot> = items
        .iter()
        .map(|item| {
            let lines = item.look.cells().map(|cell| cell.lines.len()).max().unwrap_or_default();
            Spot {
                widths: [
                    cell_width(&item.look.here),
                    item.look.below.as_ref().map_or(0.0, cell_width),
                ],
                height: lines as f64 * LINE + 12.0,
                text_width: widest(&item.texts),
                ..Spot::default()
            }
        })
        .collect();
    // How high each place is with all that is behind it.
    let mut extents = vec![0.0_f64; items.len()];
    let mut behind = vec![0.0_f64; items.len()];
    for n in (0..items.len()).rev() {
        let all: f64 = children[n].iter().map(|child| extents[*child]).sum();
        behind[n] = all + GAP * children[n].len().saturating_sub(1) as f64;
        let texts = items[n].texts.len() as f64 * LINE;
        extents[n] = spots[n].height.max(texts).max(behind[n]);
    }
    spots[0].x = MARGIN;
    spots[0].y = top + extents[0] / 2.0;
    let (mut right, bottom) = (spots[0].right(), top + extents[0]);
    for n in 0..items.len() {
        let text_x = spots[n].right() + BEND;
        let texts = children[n].iter().map(|child| spots[*child].text_width).fold(0.0, f64::max);
        let mut y = spots[n].y - behind[n] / 2.0;
        for &child in &children[n] {
            let spot = &mut spots[child];
            (spot.text_x, spot.x) = (text_x, text_x + texts + ARROW);
            spot.y = y + extents[child] / 2.0;
            y += extents[child] + GAP;
            right = right.max(spot.right());
        }
    }
    (spots, right + MARGIN, bottom)
}

#[cfg(test)]
mod tests {
    use super::{super::look::Kind, *};

    #[test]
    fn nothing_overlaps() {
        // Places in every shape of a tree: the parent of each is one before it.
        for seed in 0..200_usize {
            let items: Vec<Item> = (0..2 + seed % 23)
                .map(|n| {
                    let texts = (0..1 + (n * seed) % 4).map(|t| "x".repeat(1 + (t * n) % 44));
                    let lines = (0..1 + (n + seed) % 2).map(|_| "read".to_owned()).collect();
                    let here = Cell { kind: Kind::Read, is_denied: false, lines };
                    let below = (n % 3 == 0).then(|| here.clone());
                    Item {
                        parent: (n > 0).then(|| (n * (seed + 3) / 7) % n.max(1)),
                        texts: if n == 0 { Vec::new() } else { texts.collect() },
                        look: Look { here, below },
                    }
                })
                .collect();
            let (spots, width, bottom) = layout(&items, 30.0);
            let boxes: Vec<[f64; 4]> = spots
                .iter()
                .zip(&items)
                .flat_map(|(spot, item)| {
                    let half = spot.height / 2.0;
                    let text = item.texts.len() as f64 * LINE / 2.0;
                    let texts =
                        [spot.text_x, spot.y - text, spot.text_x + spot.text_width, spot.y + text];
                    [[spot.x, spot.y - half, spot.right(), spot.y + half], texts]
                })
                .filter(|[left, _, right, _]| right > left)
                .collect();
            for (n, [left, top, right, below]) in boxes.iter().enumerate() {
                assert!(*left >= 0.0 && *top >= 29.9 && *right <= width && *below <= bottom + 0.1);
                for [other_left, other_top, other_right, other_below] in &boxes[..n] {
                    let apart = right <= other_left
                        || other_right <= left
                        || *below <= other_top + 0.1
                        || *other_below <= top + 0.1;
                    assert!(apart, "{seed}: {:?}", boxes[n]);
                }
            }
        }
    }
}
