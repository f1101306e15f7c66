//! Lines as records of a file.

use super::table::TextTable;
use crate::decode::bytes::Encoding;
use crate::decode::csv::{HEAD_BYTES, Malformed, Position, RecordTable, Shape};

/// The records of `input`, whose first line is at `origin`; oversized ones are measured in the bytes of `encoding`.
#[must_use]
pub fn records(table: TextTable, input: &[u8], origin: Position, encoding: Encoding) -> RecordTable {
    let rows_before = |ordinal: u32| table.ordinal.partition_point(|row| *row < ordinal) as u32;
    let malformed = table.malformed.iter().map(|bad| {
        let line = input.get(bad.offset as usize..).unwrap_or_default();
        let line = line.get(..bad.byte_len as usize).unwrap_or(line);
        let is_oversized = bad.message.starts_with("oversized");
        Malformed {
            rows_before: rows_before(bad.ordinal),
            offset: bad.offset,
            byte_start: origin.byte + u64::from(bad.offset),
            byte_len: if is_oversized {
                encoding.original_bytes(line)
            } else {
                bad.byte_len
            },
            bytes_before: 0,
            record_no: origin.record_no + u64::from(bad.ordinal),
            line: origin.line + u64::from(bad.line),
            shape: if is_oversized {
                Shape::Oversized
            } else {
                Shape::NoObject
            },
            head: line
                .get(
                    ..if is_oversized {
                        HEAD_BYTES.min(line.len())
                    } else {
                        0
                    },
                )
                .unwrap_or_default()
                .to_vec(),
            message: Some(bad.message.clone().into_boxed_str()),
        }
    });
    let malformed = malformed.collect();
    let mut records = RecordTable::default();
    records.origin = origin;
    records.columns = table.columns;
    records.unescaped = table.unescaped;
    records.offset = table.offset;
    records.byte_len = table.byte_len;
    records.line = table.line;
    records.invalid = table.invalid;
    records.malformed = malformed;
    records
}
