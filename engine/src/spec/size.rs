//! Sizes as people write them: `16777216`, `16MiB`, `4GB`.

use serde::{Deserialize, Deserializer, de};

use super::problem::Problem;

/// A size as typed: an integer or a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawBytes(String);

impl RawBytes {
    pub(super) fn resolve(&self) -> Result<u64, Problem> {
        parse_bytes(&self.0)
    }
}

/// Reads a size in bytes: digits, then nothing, `B`, or a unit of 1000 (`kB`, `MB`, `GB`, `TB`) or 1024 (`KiB`, ...),
/// in any case.
///
/// # Errors
/// Anything else, 0, and what does not fit 64 bits.
pub fn parse_bytes(text: &str) -> Result<u64, Problem> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let factor: Option<u64> = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "kb" => Some(1_000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        "tb" => Some(1_000_000_000_000),
        "kib" => Some(1 << 10),
        "mib" => Some(1 << 20),
        "gib" => Some(1 << 30),
        "tib" => Some(1 << 40),
        _ => None,
    };
    let bytes = digits
        .parse::<u64>()
        .ok()
        .zip(factor)
        .and_then(|(count, factor)| count.checked_mul(factor));
    bytes.filter(|bytes| *bytes > 0).ok_or_else(|| {
        Problem::new(
            "size",
            format!("`{text}` is no size"),
            "write bytes, or a number with a unit, as \"16MiB\" or \"4GB\"",
        )
    })
}

impl<'de> Deserialize<'de> for RawBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawBytesVisitor)
    }
}

struct RawBytesVisitor;

impl de::Visitor<'_> for RawBytesVisitor {
    type Value = RawBytes;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number of bytes, or a size as \"16MiB\"")
    }

    fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<RawBytes, E> {
        Ok(RawBytes(bytes.to_string()))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RawBytes, E> {
        Ok(RawBytes(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_1000_and_of_1024_are_told_apart() {
        for (text, bytes) in [
            ("1", 1),
            ("2b", 2),
            ("1 kB", 1000),
            ("1KiB", 1024),
            ("16MiB", 16 << 20),
            ("4gb", 4_000_000_000),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn nothing_negative_fractional_or_unknown_is_a_size() {
        for text in ["", "0", "-1", "1.5GB", "GB", "1K", "1 parsec", "99999999999TiB"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }
}
