//! Escapes: binary as text, text as JSON, text for a terminal.

use std::fmt::{self, Write};

/// Writes bytes as UTF-8, what is none as `\xNN`.
pub fn write_binary(bytes: &[u8], out: &mut impl Write) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        out.write_str(chunk.valid())?;
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02X}")?;
        }
    }
    Ok(())
}

/// A writer into the inside of a JSON string.
pub struct JsonText<'a>(pub &'a mut String);

impl Write for JsonText<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                '\t' => self.0.push_str("\\t"),
                c if c < ' ' => write!(self.0, "\\u{:04x}", u32::from(c))?,
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

/// Writes a JSON string.
pub fn write_json_string(text: &str, out: &mut String) -> fmt::Result {
    out.push('"');
    JsonText(out).write_str(text)?;
    out.push('"');
    Ok(())
}

/// The text without what a terminal would obey: control characters but the line feed are escaped.
pub fn for_terminal(text: String) -> String {
    let obeyed = |c: char| c.is_control() && c != '\n';
    if !text.contains(obeyed) {
        return text;
    }
    text.chars()
        .fold(String::with_capacity(text.len() + 8), |mut shown, c| {
            if obeyed(c) {
                shown.extend(c.escape_default());
            } else {
                shown.push(c);
            }
            shown
        })
}
