//! One stage after the other, on one core, each with a referee: what it found is compared before anything is timed.
//!
//! ```text
//! cargo bench --workspace --bench stages
//! ```
//! The file is that of `sluice generate`, 200,000 records by 11 columns, in memory.
#![expect(
    clippy::expect_used,
    reason = "a benchmark takes for granted what it does not measure"
)]

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::buffer::{Buffer, ScalarBuffer};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sluice_datasets::{CustomerFile, DirtyShare, Expected, FlawDraws, IdOrder};
use sluice_engine::decode::cell::OnScale;
use sluice_engine::decode::csv::{
    Dialect, End, FieldSelection, Linker, Piece, Position, RecordTable, Speculation, Splitter,
};
use sluice_engine::decode::{Blanks, CellColumn, CellKind, Strip, cast};
use sluice_engine::validate::duplicates::{KeyHashes, KeyIndex};
use sluice_engine::validate::text;

const ROWS: u64 = 200_000;
const COLUMNS: usize = 11;
const BLOCK_BYTES: usize = 1 << 20;
const LOOK_AHEAD_BYTES: usize = 16 << 10;

struct Workload {
    bytes: Vec<u8>,
    /// First byte behind the header.
    start: usize,
    expected: Expected,
}

fn workload() -> Workload {
    let file = CustomerFile {
        rows: ROWS,
        seed: 2,
        first_id: 1,
        id_order: IdOrder::Random,
        id_space: ROWS,
        dirty: DirtyShare::well_formed(1_000),
        flaw_draws: FlawDraws::Own,
    };
    let mut bytes = Vec::new();
    let expected = file.write(&mut bytes).expect("memory does not fail");
    let start = bytes.iter().position(|byte| *byte == b'\n').expect("a header") + 1;
    Workload {
        bytes,
        start,
        expected,
    }
}

fn splitter(workload: &Workload) -> Splitter {
    let start = Position {
        byte: workload.start as u64,
        line: 2,
        record_no: 1,
    };
    Splitter::new(
        &Dialect::default(),
        FieldSelection::new(0..COLUMNS),
        Some(COLUMNS),
    )
    .starting_at(start)
}

/// All records as one splitter finds them; `table` lends its memory.
fn split(mut splitter: Splitter, workload: &Workload, table: &mut RecordTable) -> usize {
    table.clear();
    splitter.split(&workload.bytes[workload.start..], End::Last, table);
    table.num_records()
}

/// All records by pieces that are guessed and linked, as a load does it.
fn split_by_pieces(splitter: &Splitter, workload: &Workload) -> usize {
    let file = &workload.bytes;
    let (mut linker, mut start, mut num_records) = (Linker::new(splitter.clone()), workload.start, 0);
    let mut expected_rows = 0;
    while start < file.len() {
        let owned_end = (start + BLOCK_BYTES).min(file.len());
        let seen_end = (owned_end + LOOK_AHEAD_BYTES).min(file.len());
        let piece = Piece {
            bytes: &file[start..seen_end],
            start: start as u64,
            owned_bytes: owned_end - start,
            end: if seen_end == file.len() {
                End::Last
            } else {
                End::More
            },
            is_first: start == workload.start,
        };
        let speculation = Speculation::of(splitter, piece, RecordTable::expecting(expected_rows));
        let linked = linker.link(piece, speculation);
        expected_rows = linked.table.num_rows();
        num_records += linked.table.num_records();
        start = owned_end;
    }
    num_records
}

/// The cells of one column.
fn column(workload: &Workload, slot: usize) -> StringViewArray {
    let input = &workload.bytes[workload.start..];
    let mut table = RecordTable::default();
    let _ = split(splitter(workload), workload, &mut table);
    let buffers = vec![Buffer::from(input), Buffer::from(table.unescaped.as_slice())];
    StringViewArray::new(ScalarBuffer::from(table.columns[slot].clone()), buffers, None)
}

fn tokenise(criterion: &mut Criterion) {
    let workload = workload();
    let (fast, mut table) = (splitter(&workload), RecordTable::default());
    let grammar = fast.clone().without_fast_path();
    for found in [
        split(fast.clone(), &workload, &mut table),
        split(grammar.clone(), &workload, &mut table),
        split_by_pieces(&fast, &workload),
    ] {
        assert_eq!(found as u64, workload.expected.rows);
    }
    let mut group = criterion.benchmark_group("tokenise");
    group
        .throughput(Throughput::Bytes(workload.bytes.len() as u64))
        .sample_size(20);
    group.bench_function("one splitter", |b| {
        b.iter(|| split(fast.clone(), &workload, &mut table))
    });
    group.bench_function("pieces, linked", |b| b.iter(|| split_by_pieces(&fast, &workload)));
    group.bench_function("the grammar alone", |b| {
        b.iter(|| split(grammar.clone(), &workload, &mut table))
    });
    group.finish();
}

fn kinds() -> Vec<(usize, &'static str, CellKind)> {
    let decimal = CellKind::Decimal {
        precision: 18,
        scale: 2,
        on_scale: OnScale::Reject,
    };
    let timestamp = CellKind::Timestamp {
        zone: chrono_tz::UTC,
        formats: Vec::new(),
    };
    vec![
        (
            2,
            "text",
            CellKind::Text {
                truncate: None,
                strip: Strip::Nothing,
            },
        ),
        (4, "date", CellKind::Date { formats: Vec::new() }),
        (5, "timestamp", timestamp),
        (6, "decimal(18,2)", decimal),
        (7, "int", CellKind::Int),
        (8, "boolean", CellKind::Boolean),
        (9, "bigint", CellKind::Bigint),
        (6, "double", CellKind::Double),
    ]
}

fn cell(name: &str, kind: CellKind) -> CellColumn {
    CellColumn {
        source: name.to_owned(),
        name: name.to_owned(),
        kind,
        null_tokens: Vec::new(),
        blanks: Blanks::Data,
    }
}

fn casts(criterion: &mut Criterion) {
    let workload = workload();
    let mut group = criterion.benchmark_group("cast");
    group.throughput(Throughput::Elements(ROWS)).sample_size(20);
    for (slot, name, kind) in kinds() {
        let texts = column(&workload, slot);
        let cell = cell(name, kind);
        let values = cast(&texts, &cell).expect("a cast of texts");
        let non_empty = texts.iter().flatten().filter(|text| !text.is_empty()).count();
        let misfits = non_empty - (values.len() - values.null_count());
        assert!(
            misfits <= ROWS as usize / 100,
            "{name}: {misfits} cells do not fit"
        );
        group.bench_with_input(BenchmarkId::from_parameter(name), &texts, |b, texts| {
            b.iter(|| black_box(cast(texts, &cell)));
        });
    }
    group.finish();
}

fn rules(criterion: &mut Criterion) {
    let workload = workload();
    let (mail, note) = (column(&workload, 1), column(&workload, 10));
    assert!(text::is_email_column(&mail).true_count() as u64 > ROWS * 9 / 10);
    assert!((text::has_unsupported_column(&note).true_count() as u64) < ROWS / 100);
    let mut group = criterion.benchmark_group("rules");
    group.throughput(Throughput::Elements(ROWS)).sample_size(20);
    group.bench_function("is_email", |b| b.iter(|| black_box(text::is_email_column(&mail))));
    group.bench_function("has_unsupported", |b| {
        b.iter(|| black_box(text::has_unsupported_column(&note)))
    });
    group.finish();
}

fn duplicates(criterion: &mut Criterion) {
    let workload = workload();
    // An empty key is NULL, and no duplicate of another.
    let (_, name, text) = kinds().swap_remove(0);
    let keys = cast(&column(&workload, 0), &cell(name, text)).expect("a cast of texts");
    let keys = keys.as_string_view();
    let batches: Vec<StringViewArray> = (0..keys.len())
        .step_by(8192)
        .map(|at| keys.slice(at, 8192.min(keys.len() - at)))
        .collect();
    let index = || {
        let mut index = KeyIndex::new(usize::MAX, std::env::temp_dir());
        for (number, batch) in batches.iter().enumerate() {
            index
                .add(number as u32, KeyHashes::of(batch).expect("hashes"))
                .expect("memory");
        }
        index
    };
    let fetch = |batch: u32| Ok(batches[batch as usize].clone());
    let found = index().repeated(fetch).expect("memory").num_rows();
    assert_eq!(found, workload.expected.broken_by("cid_duplicate"));
    let mut group = criterion.benchmark_group("duplicates");
    group.throughput(Throughput::Elements(ROWS)).sample_size(20);
    group.bench_function("index and candidates", |b| {
        b.iter(|| index().repeated(fetch).map(|found| found.num_rows()))
    });
    group.finish();
}

fn encoding(criterion: &mut Criterion) {
    let workload = workload();
    let array: ArrayRef = Arc::new(column(&workload, 2));
    assert_eq!(array.null_count(), 0);
    let mut group = criterion.benchmark_group("encoding");
    group
        .throughput(Throughput::Bytes(workload.bytes.len() as u64))
        .sample_size(20);
    group.bench_function("utf-8 check", |b| {
        b.iter(|| simdutf8::basic::from_utf8(&workload.bytes).is_ok())
    });
    group.finish();
}

criterion_group!(stages, tokenise, encoding, casts, rules, duplicates);
criterion_main!(stages);
