//! A drawing for Graphviz.

use std::io::{self, Write};

use super::{
    Drawing, label,
    look::{DENIED, Kind},
};

/// Writes a digraph.
pub(super) fn write(drawing: &Drawing<'_>, out: &mut impl Write) -> io::Result<()> {
    let mut title = vec![drawing.title()];
    title.extend(drawing.remarks());
    writeln!(out, "digraph {} {{", quoted([&drawing.title()]))?;
    writeln!(out, "  rankdir=LR; labelloc=t; labeljust=l; label={};", quoted(&title))?;
    writeln!(
        out,
        "  node [shape=box, style=\"rounded,filled\", fontname=monospace, fontsize=12];"
    )?;
    writeln!(out, "  edge [fontname=monospace, fontsize=12];")?;
    for (n, item) in drawing.items.iter().enumerate() {
        let look = &item.look;
        let mut lines = look.here.lines.clone();
        if n == 0 {
            lines.insert(0, label::short(&drawing.root));
        }
        lines.extend(look.below.iter().flat_map(|below| below.lines.iter().cloned()));
        // Where both differ, the colours are those of the place itself.
        let [mut area, mut line, ..] = look.here.kind.colors();
        let mut shape = "";
        if look.here.is_denied {
            line = DENIED[1];
            shape = ", shape=octagon, style=filled, peripheries=2";
            if look.here.kind == Kind::Nothing {
                area = DENIED[0];
            }
        }
        let tooltip = quoted(&drawing.explanation(n));
        let lines = quoted(&lines);
        writeln!(
            out,
            "  p{n} [label={lines}, fillcolor=\"{area}\", color=\"{line}\"{shape}, tooltip={tooltip}];"
        )?;
    }
    for (to, item) in drawing.items.iter().enumerate() {
        if let Some(from) = item.parent {
            let short: Vec<String> = item.texts.iter().map(|text| label::short(text)).collect();
            let (lines, tooltip) = (quoted(&short), quoted(&item.texts));
            writeln!(out, "  p{from} -> p{to} [label={lines}, labeltooltip={tooltip}];")?;
        }
    }
    writeln!(out, "}}")
}

/// Lines as a quoted string, in which Graphviz finds neither an escape nor an entity.
fn quoted<'l>(lines: impl IntoIterator<Item = &'l String>) -> String {
    let mut text = String::from("\"");
    for (n, line) in lines.into_iter().enumerate() {
        if n > 0 {
            text.push_str("\\n");
        }
        for character in line.chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '&' => text.push_str("&amp;"),
                other => text.push(other),
            }
        }
    }
    text.push('"');
    text
}
