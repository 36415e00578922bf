//! A drawing as text.

use std::io::{self, Write};

use super::Drawing;

/// Writes each place on a line, below the place that leads to it.
pub(super) fn write(drawing: &Drawing<'_>, out: &mut impl Write) -> io::Result<()> {
    let items = &drawing.items;
    let mut last_child = vec![0; items.len()];
    for (n, item) in items.iter().enumerate() {
        if let Some(parent) = item.parent {
            last_child[parent] = n;
        }
    }
    // What stands before the children of each place.
    let mut indents: Vec<String> = Vec::with_capacity(items.len());
    for (n, item) in items.iter().enumerate() {
        let words = item.look.line();
        let Some(parent) = item.parent else {
            writeln!(out, "{}  {words}", drawing.root)?;
            indents.push(String::new());
            continue;
        };
        let before = &indents[parent];
        let (branch, beside) =
            if last_child[parent] == n { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        writeln!(out, "{before}{branch}{}  {words}", item.texts.join("  or  "))?;
        let indent = format!("{before}{beside}");
        indents.push(indent);
    }
    for remark in drawing.remarks() {
        writeln!(out, "({remark})")?;
    }
    Ok(())
}
