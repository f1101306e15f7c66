//! What counts as naming a customer. Pure.
//!
//! ```text
//!   id C10042     "C10042,Gold"  yes     "C100421"  no     "xC10042"  no
//!   id 7          "7"            yes     "run 7"    no     {"a":"7"}  yes
//! ```
//!
//! A short id is found where it stands alone only: text is full of short numbers.

use serde_json::Value;

/// An id of fewer bytes is a short one.
const LONG_BYTES: usize = 6;
/// What stands in place of an id that was taken out of a text.
const FORGOTTEN: &str = "[forgotten]";

/// A customer id that is looked for.
#[derive(Debug, Clone)]
pub(super) struct Needle {
    id: String,
}

impl Needle {
    /// Looks for `id`.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether bytes that look like the id can hardly be anything else.
    pub fn is_long(&self) -> bool {
        self.id.len() >= LONG_BYTES
    }

    /// Whether `text` names the customer; in a text of JSON, one of its strings.
    pub fn is_named_in(&self, text: &str) -> bool {
        match json(text) {
            Some(value) => self.is_in_json(&value),
            None => self.places(text).next().is_some(),
        }
    }

    /// Whether the id stands in `text` as a word, however short it is.
    pub fn is_word_of(&self, text: &str) -> bool {
        self.words(text).next().is_some()
    }

    /// Whether the id is a word of a record in whatever encoding it was kept.
    pub fn is_word_of_record(&self, raw: &[u8]) -> bool {
        readings(raw).iter().any(|text| self.is_word_of(text))
    }

    /// Whether a record names the customer, in whatever encoding it was kept.
    pub fn is_named_in_record(&self, raw: &[u8]) -> bool {
        match self.is_long() {
            true => self.is_word_of_record(raw),
            false => readings(raw).iter().any(|text| self.is_named_in(text)),
        }
    }

    /// Whether the bytes of a long id are in `bytes`.
    pub fn is_in_bytes(&self, bytes: &[u8]) -> bool {
        self.is_long() && memchr::memmem::find(bytes, self.id.as_bytes()).is_some()
    }

    /// The text without the id.
    pub fn taken_out_of(&self, text: &str) -> String {
        if let Some(mut value) = json(text) {
            self.take_out_of_json(&mut value);
            return value.to_string();
        }
        let mut out = String::with_capacity(text.len());
        let mut end = 0;
        for start in self.places(text) {
            out.push_str(text.get(end..start).unwrap_or_default());
            out.push_str(FORGOTTEN);
            end = start + self.id.len();
        }
        out + text.get(end..).unwrap_or_default()
    }

    /// The value with the id taken out of all its strings.
    pub fn take_out_of_json(&self, value: &mut Value) {
        match value {
            Value::String(text) if self.is_named_in(text) => *text = self.taken_out_of(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.take_out_of_json(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.take_out_of_json(field)),
            _ => {}
        }
    }

    fn is_in_json(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.is_named_in(text),
            Value::Array(items) => items.iter().any(|item| self.is_in_json(item)),
            Value::Object(fields) => fields
                .iter()
                .any(|(name, field)| self.is_named_in(name) || self.is_in_json(field)),
            _ => false,
        }
    }

    /// Where the text names the customer: a short id is the whole text or in quotes.
    fn places<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        let is_quote = |c: Option<char>| matches!(c, Some('"' | '\'' | '`'));
        self.words(text).filter(move |start| {
            let (before, after) = self.around(text, *start);
            self.is_long() || (before.is_none() && after.is_none()) || (is_quote(before) && is_quote(after))
        })
    }

    /// Where the id stands with nothing beside it that an id may have too.
    fn words<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_');
        let found = (!self.id.is_empty()).then(|| text.match_indices(self.id.as_str()));
        found
            .into_iter()
            .flatten()
            .map(|(start, _)| start)
            .filter(move |start| {
                let (before, after) = self.around(text, *start);
                !is_part(before) && !is_part(after)
            })
    }

    fn around(&self, text: &str, start: usize) -> (Option<char>, Option<char>) {
        let before = text.get(..start).and_then(|text| text.chars().next_back());
        let after = text
            .get(start + self.id.len()..)
            .and_then(|text| text.chars().next());
        (before, after)
    }
}

/// A text that is an object or a list of JSON.
fn json(text: &str) -> Option<Value> {
    let text = text.trim_start();
    if !text.starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// A record as text, in each encoding that it may be in.
fn readings(raw: &[u8]) -> Vec<String> {
    let mut readings = vec![String::from_utf8_lossy(raw).into_owned()];
    if std::str::from_utf8(raw).is_err() {
        readings.push(raw.iter().map(|byte| char::from(*byte)).collect());
    }
    if raw.contains(&0) {
        for order in [u16::from_le_bytes, u16::from_be_bytes] {
            let units = raw
                .chunks_exact(2)
                .filter_map(|pair| Some(order(pair.try_into().ok()?)));
            readings.push(
                char::decode_utf16(units)
                    .map(|c| c.unwrap_or('\u{fffd}'))
                    .collect(),
            );
        }
    }
    readings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_id_is_a_word_wherever_it_stands() {
        let needle = Needle::new("C10042");
        for text in [
            "C10042",
            "C10042,Gold",
            "\"C10042\"",
            "a C10042.",
            "{\"a\":[\"x C10042\"]}",
        ] {
            assert!(needle.is_named_in(text), "{text}");
            assert!(!needle.is_named_in(&needle.taken_out_of(text)), "{text}");
        }
        for text in [
            "C100421",
            "C10042-2",
            "xC10042",
            "C1004",
            "",
            "{\"a\":\"C100420\"}",
        ] {
            assert!(!needle.is_named_in(text), "{text}");
            assert_eq!(needle.taken_out_of(text), text);
        }
    }

    #[test]
    fn a_short_id_is_named_where_it_stands_alone() {
        let needle = Needle::new("7");
        assert!(needle.is_named_in("7") && needle.is_named_in("customer \"7\" twice"));
        assert!(
            needle.is_named_in("{\"stats\":\"{\\\"min\\\":\\\"7\\\"}\"}"),
            "JSON in JSON"
        );
        assert!(!needle.is_named_in("run 7 of 9") && !needle.is_named_in("{\"version\":7}"));
        assert!(needle.is_word_of("7,Gold") && !needle.is_word_of("17,Gold"));
        assert_eq!(needle.taken_out_of("customer \"7\""), "customer \"[forgotten]\"");
    }

    #[test]
    fn a_record_is_read_in_every_encoding_that_it_may_have() {
        let needle = Needle::new("Zoë-1234");
        let text = "Zoë-1234,Gold";
        let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for raw in [text.as_bytes(), &latin, &utf16] {
            assert!(needle.is_named_in_record(raw), "{raw:?}");
        }
        assert!(!needle.is_named_in_record("Zoë-12345,Gold".as_bytes()));
    }
}
