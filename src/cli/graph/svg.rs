//! A drawing as SVG: one file that needs nothing else, on light pages and dark ones.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use super::{
    Drawing, label,
    layout::{Item, LINE, MARGIN, SIZE, Spot, layout, width},
    look::{Cell, DENIED, Kind},
};
use crate::escape::xml;

/// How far a corner is rounded, or cut off where something is denied.
const CORNER: f64 = 8.0;

/// Writes a document.
pub(super) fn write(drawing: &Drawing<'_>, out: &mut impl Write) -> io::Result<()> {
    let items = shown(drawing);
    let remarks = drawing.remarks();
    let top = MARGIN + LINE * (1 + remarks.len()) as f64 + 12.0;
    let (spots, right, bottom) = layout(&items, top);
    let title = drawing.title();
    let head = remarks.iter().chain([&title]).map(|line| width(line)).fold(0.0, f64::max);
    let reading = reading(&items);
    let head = reading.iter().map(|line| width(line)).fold(head, f64::max);
    let right = right.max(head + 2.0 * MARGIN);
    let (legend, height) = legend(&items, &reading, right, bottom + 32.0);

    let mut body = String::new();
    text(&mut body, MARGIN, MARGIN + LINE / 2.0, "t h", &title);
    for (n, remark) in remarks.iter().enumerate() {
        text(&mut body, MARGIN, MARGIN + LINE * (n as f64 + 1.5), "m", remark);
    }
    for (n, (item, spot)) in items.iter().zip(&spots).enumerate() {
        if let Some(parent) = item.parent {
            way(&mut body, &spots[parent], spot, &item.texts, &drawing.items[n].texts);
        }
        place(&mut body, spot, item, &drawing.explanation(n));
    }
    let name = xml(&format!("What may be done where: {title}"));
    write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {right:.0} {height:.0}\" width=\"{right:.0}\" \
         height=\"{height:.0}\" role=\"img\" aria-label=\"{name}\">\n{}\n\
         <rect width=\"{right:.0}\" height=\"{height:.0}\" class=\"page\"/>\n{body}{legend}</svg>\n",
        style()
    )
}

/// The items as they are shown: long texts shortened, and the root with its name.
fn shown(drawing: &Drawing<'_>) -> Vec<Item> {
    let shorten = |(n, item): (usize, &Item)| {
        let mut look = item.look.clone();
        if n == 0 {
            look.here.lines.insert(0, label::short(&drawing.root));
        }
        let texts = item.texts.iter().map(|text| label::short(text)).collect();
        Item { parent: item.parent, texts, look }
    };
    drawing.items.iter().enumerate().map(shorten).collect()
}

/// The colours, for light pages and for dark ones, and the hatching of what is denied.
fn style() -> String {
    let sheet = |page: &str, ink: &str, faint: &str, n: usize| {
        let mut css = format!(
            ".page{{fill:{page}}}.t{{fill:{ink}}}.m{{fill:{faint}}}.e{{fill:none;stroke:{faint};stroke-width:1.3}}\
             .a{{fill:{faint}}}.hatch{{stroke:{};stroke-width:2;stroke-opacity:.3}}",
            DENIED[n + 1]
        );
        for kind in Kind::ALL {
            let colors = kind.colors();
            let (class, area, line) = (kind.class(), colors[n], colors[n + 1]);
            let _ = write!(css, ".{class}{{fill:{area};stroke:{line}}}");
        }
        // After the others, so that it wins where both are.
        let _ =
            write!(css, ".x{{stroke:{};stroke-width:2.2}}.xn{{fill:{}}}", DENIED[n + 1], DENIED[n]);
        css
    };
    format!(
        "<style>text{{font:{SIZE}px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;\
         white-space:pre}}.h{{font-weight:bold}}.c{{stroke-width:1.5}}.n{{stroke-dasharray:4 3}}.over{{fill:url(#denied);stroke:none}}\n{}\n@media (prefers-color-scheme:dark){{{}}}</style>\n\
         <defs><pattern id=\"denied\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><path d=\"M0 0V7\" class=\"hatch\"/></pattern></defs>",
        sheet("#ffffff", "#111827", "#57606a", 0),
        sheet("#0d1117", "#f0f3f6", "#9aa4b0", 2)
    )
}

/// A way: a bend, its texts, and an arrow.
fn way(body: &mut String, from: &Spot, to: &Spot, shown: &[String], whole: &[String]) {
    let (x, y, text_x, to_y) = (from.right(), from.y, to.text_x - 6.0, to.y);
    let middle = (x + text_x) / 2.0;
    let end = to.text_x + to.text_width + 6.0;
    let tip = to.x - 1.0;
    let _ = writeln!(
        body,
        "<path d=\"M{x:.1} {y:.1}C{middle:.1} {y:.1} {middle:.1} {to_y:.1} {text_x:.1} {to_y:.1}M{end:.1} \
         {to_y:.1}H{:.1}\" class=\"e\"/><path d=\"M{tip:.1} {to_y:.1}l-8 -4.5v9z\" class=\"a\"/>",
        tip - 6.0
    );
    let half = shown.len() as f64 * LINE / 2.0;
    if shown.len() > 1 {
        // Each of several texts is enough.
        let (top, bottom) = (to_y - half + 3.0, to_y + half - 3.0);
        let _ = writeln!(
            body,
            "<path d=\"M{:.1} {top:.1}h-3V{bottom:.1}h3M{:.1} {top:.1}h3V{bottom:.1}h-3\" class=\"e\"/>",
            text_x + 3.0,
            end - 3.0
        );
    }
    let _ = writeln!(body, "<g><title>{}</title>", xml_lines(whole));
    for (n, line) in shown.iter().enumerate() {
        text(body, to.text_x, to_y - half + LINE * (n as f64 + 0.5), "t", line);
    }
    body.push_str("</g>\n");
}

/// A place: its own part, and beside it what all is that starts so.
fn place(body: &mut String, spot: &Spot, item: &Item, title: &[String]) {
    let _ = writeln!(body, "<g><title>{}</title>", xml_lines(title));
    let [width, below] = spot.widths;
    let ends = [true, item.look.below.is_none()];
    cell(body, [spot.x, spot.y, width, spot.height], &item.look.here, ends, item.parent.is_none());
    if let Some(look) = &item.look.below {
        cell(body, [spot.x + width, spot.y, below, spot.height], look, [false, true], false);
    }
    body.push_str("</g>\n");
}

/// A part of a place. `ends` says on which sides it has corners; the first of several lines is bold
/// where it is a name.
fn cell(
    body: &mut String,
    [x, y, width, height]: [f64; 4],
    cell: &Cell,
    ends: [bool; 2],
    is_named: bool,
) {
    let (top, bottom, right) = (y - height / 2.0, y + height / 2.0, x + width);
    let [left_corner, right_corner] = ends.map(|is_end| if is_end { CORNER } else { 0.0 });
    let corner = |radius: f64, dx: f64, dy: f64| {
        let (dx, dy) = (dx * radius, dy * radius);
        match (radius > 0.0, cell.is_denied) {
            (false, _) => String::new(),
            // Cut off.
            (true, true) => format!("l{dx:.1} {dy:.1}"),
            (true, false) => format!("a{radius:.1} {radius:.1} 0 0 1 {dx:.1} {dy:.1}"),
        }
    };
    let outline = format!(
        "M{:.1} {top:.1}H{:.1}{}V{:.1}{}H{:.1}{}V{:.1}{}z",
        x + left_corner,
        right - right_corner,
        corner(right_corner, 1.0, 1.0),
        bottom - right_corner,
        corner(right_corner, -1.0, 1.0),
        x + left_corner,
        corner(left_corner, -1.0, -1.0),
        top + left_corner,
        corner(left_corner, 1.0, -1.0),
    );
    let kind = cell.kind.class();
    let class = match (cell.is_denied, cell.kind) {
        (false, _) => format!("c {kind}"),
        // A line of its own, whole.
        (true, Kind::Nothing) => "c x xn".into(),
        (true, _) => format!("c {kind} x"),
    };
    let _ = writeln!(body, "<path d=\"{outline}\" class=\"{class}\"/>");
    if cell.is_denied {
        let _ = writeln!(body, "<path d=\"{outline}\" class=\"over\"/>");
    }
    let first = y - (cell.lines.len() as f64 - 1.0) * LINE / 2.0;
    for (n, line) in cell.lines.iter().enumerate() {
        let class = if is_named && n == 0 { "t h" } else { "t" };
        let middle = x + width / 2.0 - self::width(line) / 2.0;
        text(body, middle, first + LINE * n as f64, class, line);
    }
}

/// What the signs mean, those that are there, and how to read the whole.
fn reading(items: &[Item]) -> Vec<&'static str> {
    let has =
        |sign: char| items.iter().flat_map(|item| &item.texts).any(|text| text.contains(sign));
    let mut lines = Vec::new();
    if items.iter().any(|item| item.look.below.is_some()) || has('*') {
        lines.push("* in a place: and all that starts so; in a text: any characters, / too");
    }
    if has('‹') {
        lines.push("‹*› any characters but /, ‹?› one of them, ‹a-z› one of these");
    }
    lines.push("A path takes every way whose text it has: what any gives, less what any denies.");
    lines
}

/// What the colours mean, those that are there, and then these lines. Returns it and where the picture
/// ends.
fn legend(items: &[Item], lines: &[&str], right: f64, top: f64) -> (String, f64) {
    let cells = || items.iter().flat_map(|item| item.look.cells());
    let mut entries: Vec<(Cell, &str)> = Kind::ALL
        .into_iter()
        .filter(|kind| {
            cells().any(|cell| cell.kind == *kind && !(cell.is_denied && *kind == Kind::Nothing))
        })
        .map(|kind| (Cell { kind, is_denied: false, lines: Vec::new() }, kind.meaning()))
        .collect();
    if cells().any(|cell| cell.is_denied) {
        let denied = Cell { kind: Kind::Nothing, is_denied: true, lines: Vec::new() };
        entries.push((denied, "denied, whatever gives it"));
    }
    let mut body = String::new();
    let (mut x, mut y) = (MARGIN, top);
    for (look, meaning) in entries {
        let needed = 30.0 + width(meaning);
        if x > MARGIN && x + needed > right - MARGIN {
            (x, y) = (MARGIN, y + LINE + 6.0);
        }
        cell(&mut body, [x, y, 22.0, 18.0], &look, [true, true], false);
        text(&mut body, x + 30.0, y, "m", meaning);
        x += needed + 24.0;
    }
    y += 8.0;
    for line in lines {
        y += LINE + 2.0;
        text(&mut body, MARGIN, y, "m", line);
    }
    (body, y + LINE / 2.0 + MARGIN)
}

/// A line of text whose middle is at this height.
fn text(body: &mut String, x: f64, y: f64, class: &str, line: &str) {
    let (y, line) = (y + SIZE * 0.35, xml(line));
    let _ = writeln!(
        body,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\" xml:space=\"preserve\">{line}</text>"
    );
}

/// Lines as text of XML. What ends a line is ours, and stays; within one, nothing does.
fn xml_lines(lines: &[String]) -> String {
    lines.iter().map(|line| xml(line)).collect::<Vec<_>>().join("\n")
}
