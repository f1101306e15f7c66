//! Files: records of known faults, and every way to write them.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::cells::{Care, Cell, attribute_cell, key_cell, note_cell};
use super::forms::{self, Form};
use super::model::{Content, Placed};
use super::processes::Process;

/// Why a record is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    FewFields(usize),
    ManyFields(usize),
    QuoteInside,
    TextAfterQuote,
    Unterminated,
}

#[derive(Debug, Clone)]
struct Record {
    key: Cell,
    attributes: Vec<Cell>,
    note: Cell,
    damage: Option<Damage>,
    /// Cells in quotes that need none, one bit each.
    quotes: u16,
    is_crlf: bool,
    blank_lines_before: usize,
}

/// A file of a process.
#[derive(Debug, Clone)]
pub struct File {
    form: Form,
    is_compressed: bool,
    delimiter: &'static str,
    has_bom: bool,
    has_final_newline: bool,
    /// Names in file order; `None` is an unmapped column of no interest.
    header: Vec<(String, Slot)>,
    records: Vec<Record>,
    header_quotes: u16,
}

/// Where a column's cells come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Key,
    Attribute(usize),
    Note,
    Other,
}

impl File {
    /// The bytes, and what they are by construction.
    pub fn write(&self) -> (Vec<u8>, Vec<Placed>) {
        if self.form == Form::Parquet {
            return self.rows();
        }
        let (text, mut placed) = self.text();
        for record in &mut placed {
            record.byte_start = self.form.encode(&text[..record.byte_start as usize]).len() as u64;
            record.raw = self.form.encode(&record.raw);
            record.byte_len = record.raw.len() as u64;
        }
        let bytes = self.form.encode(&text);
        (
            if self.is_compressed {
                forms::gzip(&bytes)
            } else {
                bytes
            },
            placed,
        )
    }

    fn rows(&self) -> (Vec<u8>, Vec<Placed>) {
        let mut rows = Vec::new();
        let placed = self.records.iter().map(|record| {
            let (row, raw) = forms::parquet_row(&self.cells(record), record.quotes);
            rows.push(row);
            Placed {
                content: self.content(record),
                line: 0,
                byte_start: 0,
                byte_len: 0,
                raw,
            }
        });
        let placed = placed.collect();
        let names = forms::once(self.header.iter().map(|(name, _)| (name.as_str(), ())));
        let names: Vec<&str> = names.into_iter().map(|(name, ())| name).collect();
        (forms::parquet(&names, &rows), placed)
    }

    /// The cells of a record under their names.
    fn cells<'a>(&'a self, record: &'a Record) -> Vec<(&'a str, &'a Cell)> {
        let cells = self.header.iter().map(|(name, slot)| {
            let cell = match slot {
                Slot::Key => &record.key,
                Slot::Attribute(at) => &record.attributes[*at],
                Slot::Note | Slot::Other => &record.note,
            };
            (name.as_str(), cell)
        });
        forms::once(cells)
    }

    /// In UTF-8, and places in that.
    fn text(&self) -> (Vec<u8>, Vec<Placed>) {
        let mut out = if self.has_bom && self.form != Form::Latin1 {
            b"\xef\xbb\xbf".to_vec()
        } else {
            Vec::new()
        };
        if self.form != Form::Ndjson {
            let names = self.header.iter().map(|(name, _)| name.as_bytes());
            out.extend(self.row(names, self.header_quotes));
            out.extend(b"\r\n");
        }
        let mut placed = Vec::new();
        let mut after_open_quote = false;
        for record in &self.records {
            let line_end: &[u8] = if record.is_crlf { b"\r\n" } else { b"\n" };
            out.extend(line_end.repeat(record.blank_lines_before));
            let raw = match self.form {
                Form::Ndjson => self.json(record, placed.is_empty()),
                _ => self.raw(record, after_open_quote),
            };
            after_open_quote = record.damage == Some(Damage::Unterminated);
            placed.push(Placed {
                content: self.content(record),
                line: 1 + out.iter().filter(|byte| **byte == b'\n').count() as u64,
                byte_start: out.len() as u64,
                byte_len: raw.len() as u64,
                raw: raw.clone(),
            });
            out.extend(raw);
            out.extend(line_end);
        }
        if !self.has_final_newline {
            while matches!(out.last(), Some(b'\n' | b'\r')) {
                out.pop();
            }
        }
        (out, placed)
    }

    fn json(&self, record: &Record, is_first: bool) -> Vec<u8> {
        let broken: &[u8] = match record.damage {
            None => return forms::json_line(&self.cells(record), record.quotes, is_first),
            Some(Damage::FewFields(_)) => b"[1]",
            Some(Damage::ManyFields(_)) => b"{\"a\": 1} {",
            Some(Damage::QuoteInside) => b"{\"a\": \"b\"c\"}",
            Some(Damage::TextAfterQuote) => b"{\"a\" \"b\"}",
            Some(Damage::Unterminated) => b"{\"a\": \"b",
        };
        broken.to_vec()
    }

    fn raw(&self, record: &Record, after_open_quote: bool) -> Vec<u8> {
        let Some(damage) = record.damage else {
            let cells = self.header.iter().map(|(_, slot)| match slot {
                Slot::Key => &record.key.bytes[..],
                Slot::Attribute(at) => &record.attributes[*at].bytes,
                Slot::Note => &record.note.bytes,
                Slot::Other => b"other",
            });
            return self.row(cells, record.quotes);
        };
        let expected = self.header.len();
        // A line of one field tells nobody that the open quote before it was a mistake.
        let fewest = if after_open_quote { 2 } else { 1 };
        let num_fields = match damage {
            Damage::FewFields(missing) => expected.saturating_sub(missing).max(fewest),
            Damage::ManyFields(more) => expected + more,
            _ => expected,
        };
        let mut fields: Vec<&[u8]> = vec![b"x"; num_fields];
        let at = usize::from(record.quotes) % num_fields;
        match damage {
            Damage::FewFields(_) | Damage::ManyFields(_) => {}
            Damage::QuoteInside => fields[at] = b"a\"b",
            Damage::TextAfterQuote => fields[at] = b"\"a\"b",
            Damage::Unterminated => fields[at] = b"\"a b",
        }
        fields.join(self.delimiter.as_bytes())
    }

    fn row<'a>(&self, cells: impl Iterator<Item = &'a [u8]>, quotes: u16) -> Vec<u8> {
        let written = |(at, cell): (usize, &[u8])| {
            let special =
                |byte: &u8| self.delimiter.as_bytes().contains(byte) || matches!(byte, b'"' | b'\n');
            let is_needed = cell.iter().any(special) || cell.ends_with(b"\r");
            if !is_needed && quotes & (1 << (at % 16)) == 0 {
                return cell.to_vec();
            }
            let doubled = cell
                .iter()
                .flat_map(|byte| std::iter::repeat_n(*byte, if *byte == b'"' { 2 } else { 1 }));
            std::iter::once(b'"').chain(doubled).chain([b'"']).collect()
        };
        let cells: Vec<Vec<u8>> = cells.enumerate().map(written).collect();
        cells.join(self.delimiter.as_bytes())
    }

    fn content(&self, record: &Record) -> Content {
        match record.damage {
            None => Content::Cells {
                key: record.key.clone(),
                attributes: record.attributes.clone(),
                note: record.note.clone(),
            },
            Some(_) if self.form == Form::Ndjson => Content::Malformed("syntax"),
            Some(Damage::FewFields(_) | Damage::ManyFields(_)) => Content::Malformed("field count"),
            Some(Damage::QuoteInside | Damage::TextAfterQuote) => Content::Malformed("stray quote"),
            Some(Damage::Unterminated) => Content::Malformed("unterminated quote"),
        }
    }
}

/// A file of `process` with up to `most` records.
pub fn file(process: &Process, most: usize) -> impl Strategy<Value = File> + use<> {
    let mut header = vec![(process.key.clone(), Slot::Key), ("note".to_owned(), Slot::Note)];
    let mapped = process.attributes.iter().enumerate();
    header.extend(mapped.map(|(at, attribute)| (attribute.column.clone(), Slot::Attribute(at))));
    let others = vec(select(vec!["other", "another", ""]), 0..3);
    let header = others.prop_flat_map(move |others| {
        let unmapped = others.into_iter().map(|name| (name.to_owned(), Slot::Other));
        Just(header.iter().cloned().chain(unmapped).collect::<Vec<_>>()).prop_shuffle()
    });
    let (form, delimiter) = (process.form, process.delimiter);
    let process = process.clone();
    // Keys that no object has are columns that the file lacks.
    let least = usize::from(form == Form::Ndjson);
    let care = prop_oneof![2 => Just(Care::Tidy), 1 => Just(Care::Dirty)];
    let records = care.prop_flat_map(move |care| {
        let records = vec(record(&process, care), least..=most);
        records.prop_map(move |records| {
            let records = held(records, form);
            if care == Care::Tidy {
                without_repeated_keys(records)
            } else {
                records
            }
        })
    });
    (header, any::<(bool, bool, u16, bool)>(), records).prop_map(move |(header, flags, records)| File {
        form,
        is_compressed: flags.3,
        delimiter,
        has_bom: flags.0,
        has_final_newline: flags.1,
        header,
        records,
        header_quotes: flags.2,
    })
}

/// The records as far as a file of this form can hold them.
fn held(mut records: Vec<Record>, form: Form) -> Vec<Record> {
    for (at, record) in records.iter_mut().enumerate() {
        for cell in record
            .attributes
            .iter_mut()
            .chain([&mut record.key, &mut record.note])
        {
            *cell = form.holds(cell.clone());
        }
        if form == Form::Parquet || form == Form::Ndjson && at == 0 {
            record.damage = None;
        }
    }
    records
}

fn without_repeated_keys(mut records: Vec<Record>) -> Vec<Record> {
    let mut seen = BTreeSet::new();
    records.retain(|record| seen.insert(record.key.value.clone()));
    records
}

fn record(process: &Process, care: Care) -> impl Strategy<Value = Record> + use<> {
    let attributes: Vec<_> = process
        .attributes
        .iter()
        .map(|attribute| attribute_cell(attribute, process, care))
        .collect();
    let damage = prop_oneof![
        (1..4usize).prop_map(Damage::FewFields),
        (1..3usize).prop_map(Damage::ManyFields),
        Just(Damage::QuoteInside),
        Just(Damage::TextAfterQuote),
        Just(Damage::Unterminated),
    ];
    let shape = (
        option::weighted(if care == Care::Tidy { 0.04 } else { 0.15 }, damage),
        any::<u16>(),
        any::<bool>(),
        prop_oneof![8 => Just(0), 1 => 1..3usize],
    );
    (key_cell(process, care), attributes, note_cell(), shape).prop_map(|(key, attributes, note, shape)| {
        Record {
            key,
            attributes,
            note,
            damage: shape.0,
            quotes: shape.1,
            is_crlf: shape.2,
            blank_lines_before: shape.3,
        }
    })
}
