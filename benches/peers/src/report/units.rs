//! Numbers as tables have them.

/// Nanoseconds: `8.5`, `123`, `4.8k` (µs), `32M` (ms), `4.3G` (s).
pub(super) fn ns(value: f64) -> String {
    scaled(value, 1e3, ["", "k", "M", "G"])
}

/// Bytes, in powers of 1,024: `78`, `4.8k`, `1.2M`.
pub(super) fn bytes(value: f64) -> String {
    scaled(value, 1_024.0, ["", "k", "M", "G"])
}

/// A power of ten of bytes, as an axis has it: `100 B`, `10 kB`, `1 MB`.
pub(super) fn decimal_bytes(value: f64) -> String {
    let (value, unit) = match value {
        value if value < 1e3 => (value, "B"),
        value if value < 1e6 => (value / 1e3, "kB"),
        value if value < 1e9 => (value / 1e6, "MB"),
        value => (value / 1e9, "GB"),
    };
    format!("{value} {unit}")
}

/// A ratio: `0.003`, `0.38`, `4.2`, `57`, `20,000`.
pub(super) fn ratio(value: f64) -> String {
    match value {
        value if value < 0.1 => format!("{value:.3}"),
        value if value < 1.0 => format!("{value:.2}"),
        value if value < 10.0 => format!("{value:.1}"),
        value => thousands(value),
    }
}

/// A whole number with commas.
pub(super) fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Two digits at least, none behind the point from 10 on; three below a thousand of the smallest.
fn scaled(value: f64, step: f64, names: [&str; 4]) -> String {
    let (mut value, mut place) = (value, 0);
    // What would be rounded up to the step is one of the next.
    while value >= step - 0.5 && place + 1 < names.len() {
        value /= step;
        place += 1;
    }
    match value < 9.95 {
        true => format!("{value:.1}{}", names[place]),
        false => format!("{value:.0}{}", names[place]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (value, text) in [
            (8.46, "8.5"),
            (9.96, "10"),
            (123.4, "123"),
            (999.6, "1.0k"),
            (4_830.0, "4.8k"),
            (17_400.0, "17k"),
            (1.84e6, "1.8M"),
            (4.3e9, "4.3G"),
        ] {
            assert_eq!(ns(value), text);
        }
        assert_eq!(bytes(5.0 * 1_024.0), "5.0k");
        for (value, text) in
            [(0.0028, "0.003"), (0.384, "0.38"), (4.23, "4.2"), (57.1, "57"), (20_000.0, "20,000")]
        {
            assert_eq!(ratio(value), text);
        }
    }
}
