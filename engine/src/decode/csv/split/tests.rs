mod damage;
mod others;
mod properties;
mod reference;

use super::*;

/// One record as a caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    record_no: u64,
    line: u64,
    byte_start: u64,
    byte_len: u64,
    shape: Shape,
    raw: Vec<u8>,
    values: Vec<Vec<u8>>,
}

/// A file's dialect, kept fields and expected number of fields.
#[derive(Debug, Clone)]
struct Reading {
    dialect: Dialect,
    keep: Vec<usize>,
    expected_fields: Option<usize>,
}

impl Reading {
    fn of(num_fields: usize) -> Self {
        Self {
            dialect: Dialect::default(),
            keep: (0..num_fields).collect(),
            expected_fields: Some(num_fields),
        }
    }

    fn splitter(&self) -> Splitter {
        Splitter::new(
            &self.dialect,
            FieldSelection::new(self.keep.iter().copied()),
            self.expected_fields,
        )
    }

    fn whole(&self, file: &[u8]) -> Vec<Seen> {
        self.in_chunks(file, [])
    }

    /// By the grammar alone.
    fn by_the_grammar(&self, file: &[u8]) -> Vec<Seen> {
        read_chunks(self.splitter().without_fast_path(), file, [])
    }

    fn in_chunks(&self, file: &[u8], chunk_bytes: impl IntoIterator<Item = usize>) -> Vec<Seen> {
        read_chunks(self.splitter(), file, chunk_bytes)
    }

    /// In pieces that are split on their own, last one first, and then linked.
    fn in_pieces(&self, file: &[u8], owned_bytes: usize, look_ahead_bytes: usize) -> Vec<Seen> {
        let template = self.splitter();
        let starts = (0..file.len().max(1)).step_by(owned_bytes);
        let piece = |start: usize| {
            let owned_end = (start + owned_bytes).min(file.len());
            let seen_end = (owned_end + look_ahead_bytes).min(file.len());
            Piece {
                bytes: &file[start..seen_end],
                start: start as u64,
                owned_bytes: owned_end - start,
                end: if seen_end == file.len() {
                    End::Last
                } else {
                    End::More
                },
                is_first: start == 0,
            }
        };
        // A piece whose look-ahead reaches the end of the file is the last one.
        let mut pieces: Vec<Piece<'_>> = Vec::new();
        for start in starts {
            pieces.push(piece(start));
            if pieces.last().unwrap().end == End::Last {
                break;
            }
        }
        let mut guesses: Vec<Speculation> = pieces
            .iter()
            .rev()
            .map(|piece| Speculation::of(&template, *piece, RecordTable::default()))
            .collect();
        let (mut linker, mut seen) = (Linker::new(template), Vec::new());
        for piece in pieces {
            let linked = linker.link(piece, guesses.pop().unwrap());
            if let Some((bytes, table)) = &linked.seam {
                see(table, bytes, &mut seen);
            }
            see(&linked.table, piece.bytes, &mut seen);
        }
        assert_eq!(linker.position().byte, file.len() as u64);
        seen
    }
}

/// Reads as a caller does: chunk by chunk, the rest carried over. The last chunk is what the others leave.
fn read_chunks(
    mut splitter: Splitter,
    file: &[u8],
    chunk_bytes: impl IntoIterator<Item = usize>,
) -> Vec<Seen> {
    let (mut table, mut seen) = (RecordTable::default(), Vec::new());
    let (mut buffer, mut rest) = (Vec::new(), file);
    let mut chunks = chunk_bytes.into_iter();
    loop {
        let next = chunks.next().filter(|bytes| *bytes <= rest.len());
        let (chunk, behind) = rest.split_at(next.unwrap_or(rest.len()));
        let end = if next.is_some() { End::More } else { End::Last };
        (rest, buffer) = (behind, [buffer, chunk.to_vec()].concat());
        table.clear();
        let consumed = splitter.split(&buffer, end, &mut table);
        see(&table, &buffer, &mut seen);
        buffer.drain(..consumed);
        assert!(buffer.len() <= splitter.max_carry_bytes());
        assert_eq!(
            splitter.position().byte,
            (file.len() - rest.len() - buffer.len()) as u64
        );
        if end == End::Last {
            assert!(buffer.is_empty());
            return seen;
        }
    }
}

/// Appends the records of a table in file order.
fn see(table: &RecordTable, input: &[u8], seen: &mut Vec<Seen>) {
    let first = seen.len();
    for (row, record_no) in table.record_numbers().enumerate() {
        seen.push(Seen {
            record_no,
            line: table.origin.line + u64::from(table.line[row]),
            byte_start: table.origin.byte.wrapping_add(u64::from(table.offset[row])),
            byte_len: u64::from(table.byte_len[row]),
            shape: WellFormed,
            raw: table.raw(row, input).to_vec(),
            values: (0..table.columns.len())
                .map(|slot| table.cell(slot, row, input))
                .collect(),
        });
    }
    for bad in &table.malformed {
        seen.push(Seen {
            record_no: bad.record_no,
            line: bad.line,
            byte_start: bad.byte_start,
            byte_len: bad.byte_len,
            shape: bad.shape,
            raw: bad.raw(input).to_vec(),
            values: vec![Vec::new(); table.columns.len()],
        });
    }
    seen[first..].sort_by_key(|seen| seen.record_no);
}

/// Line, raw text and shape of each record.
fn outline(reading: &Reading, file: &str) -> Vec<(u64, String, Shape)> {
    let seen = reading.whole(file.as_bytes());
    seen.into_iter()
        .map(|seen| (seen.line, String::from_utf8(seen.raw).unwrap(), seen.shape))
        .collect()
}

fn check(num_fields: usize, file: &str, expected: &[(u64, &str, Shape)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(line, raw, shape)| (*line, (*raw).to_owned(), *shape))
        .collect();
    assert_eq!(outline(&Reading::of(num_fields), file), expected, "{file}");
}

use Shape::{FieldCount, Oversized as TooLong, StrayQuote, UnterminatedQuote, WellFormed};

#[test]
fn records_end_at_lf_or_crlf_and_a_lone_cr_is_data() {
    check(
        2,
        "a,b\r\nc\r,d\r\r\n\"e\",\"f\"\r\ng,",
        &[
            (1, "a,b", WellFormed),
            (2, "c\r,d\r", WellFormed),
            (3, "\"e\",\"f\"", WellFormed),
            (4, "g,", WellFormed),
        ],
    );
    check(1, "a\r", &[(1, "a\r", WellFormed)]);
    check(1, "\"a\"\r", &[(1, "\"a\"\r", StrayQuote)]);
}

#[test]
fn blank_and_comment_lines_count_as_lines_only() {
    let mut reading = Reading::of(1);
    reading.dialect.comment = Some(b'#');
    let expected = [
        (3, "a".to_owned(), WellFormed),
        (4, "\"\n#b\"".to_owned(), WellFormed),
    ];
    assert_eq!(outline(&reading, "\n# no\na\n\"\n#b\"\n\r\n#"), expected);
    assert_eq!(reading.whole(b"\n# no\na\n\"\n#b\"\n\r\n#")[1].record_no, 2);
}

#[test]
fn fields_come_in_the_order_of_the_selection_without_their_quotes() {
    let reading = Reading {
        keep: vec![2, 0, 2, 9],
        ..Reading::of(3)
    };
    let seen = reading.whole(b"a,b,\"c\"\"\r\n\"\r\nx,y\n");
    assert_eq!(seen[0].values, [&b"c\"\r\n"[..], b"a", b""]);
    assert_eq!((seen[1].shape, seen[1].line), (FieldCount { found: 2 }, 3));
    assert_eq!(seen[1].values, [b"", b"", b""]);
    let selection = FieldSelection::new([2, 0, 2]);
    assert_eq!(
        (
            selection.len(),
            selection.slot(2),
            selection.slot(0),
            selection.slot(1)
        ),
        (2, Some(0), Some(1), None)
    );
}

#[test]
fn cells_are_without_quotes_and_escapes() {
    let mut table = RecordTable::default();
    let mut splitter = Reading::of(3).splitter();
    let file = b"a,\"b\",\"c\"\"\"\nd";
    assert_eq!(splitter.split(file, End::More, &mut table), 12);
    let cells: Vec<_> = (0..3).map(|slot| table.cell(slot, 0, file)).collect();
    assert_eq!(cells, [&b"a"[..], b"b", b"c\""]);
    assert_eq!((table.num_rows(), table.offset[0]), (1, 0));
}

#[test]
fn numbering_goes_on_behind_a_header() {
    let (file, mut table) = (b"\xef\xbb\xbfid,name\n1,Ann\n", RecordTable::default());
    let bom = bom_len(file);
    let mut header =
        Splitter::new(&Dialect::default(), FieldSelection::new([0, 1]), None).starting_at(Position {
            byte: bom as u64,
            ..Position::default()
        });
    let consumed = bom + header.split_some(&file[bom..], 0, End::Last, 1, &mut table);
    assert_eq!(table.cell(1, 0, &file[bom..]), b"name");
    assert_eq!(
        header.position(),
        Position {
            byte: 11,
            line: 2,
            record_no: 2
        }
    );
    table.clear();
    let mut records = Reading::of(2).splitter().starting_at(Position {
        record_no: 1,
        ..header.position()
    });
    assert_eq!(records.split(&file[consumed..], End::Last, &mut table), 6);
    assert_eq!(
        (table.origin.byte, table.origin.line, table.origin.record_no),
        (11, 2, 1)
    );
    assert_eq!(bom_len(b"\xef\xbb"), 0);
}

#[test]
fn a_stray_quote_costs_only_its_own_record() {
    check(
        2,
        "a,b\"\nc,d\n",
        &[(1, "a,b\"", StrayQuote), (2, "c,d", WellFormed)],
    );
    check(
        2,
        "\"a\"x,b\r\nc,d\n",
        &[(1, "\"a\"x,b", StrayQuote), (2, "c,d", WellFormed)],
    );
}

#[test]
fn an_unterminated_quote_costs_only_its_own_record() {
    check(
        2,
        "a,\"b\nc,\"d\"\n",
        &[(1, "a,\"b", UnterminatedQuote), (2, "c,\"d\"", WellFormed)],
    );
    check(
        2,
        "a,\"b\nc,\"d\ne\"\n",
        &[(1, "a,\"b", UnterminatedQuote), (2, "c,\"d\ne\"", WellFormed)],
    );
    check(
        2,
        "a,\"b\r\n\nc,d",
        &[(1, "a,\"b", UnterminatedQuote), (3, "c,d", WellFormed)],
    );
    check(2, "a,\"b", &[(1, "a,\"b", UnterminatedQuote)]);
    check(2, "a,\"b\n", &[(1, "a,\"b", UnterminatedQuote)]);
}

#[test]
fn a_wrong_number_of_fields_is_told_and_costs_one_record() {
    check(
        2,
        "a\nb,c,d\ne,f\n",
        &[
            (1, "a", FieldCount { found: 1 }),
            (2, "b,c,d", FieldCount { found: 3 }),
            (3, "e,f", WellFormed),
        ],
    );
    check(
        3,
        "a,\"b\nx\nb\",c,d\ne,f,g\n",
        &[
            (1, "a,\"b\nx\nb\",c,d", FieldCount { found: 4 }),
            (4, "e,f,g", WellFormed),
        ],
    );
}

#[test]
fn damaged_neighbours_are_rejects_of_their_own() {
    check(
        3,
        "a,\"b,c\nd,\"e,f\ng,h,i\n",
        &[
            (1, "a,\"b,c", UnterminatedQuote),
            (2, "d,\"e,f", UnterminatedQuote),
            (3, "g,h,i", WellFormed),
        ],
    );
    check(
        3,
        "a,\"b,c\nd,e\ng,h,i\n",
        &[
            (1, "a,\"b,c", UnterminatedQuote),
            (2, "d,e", FieldCount { found: 2 }),
            (3, "g,h,i", WellFormed),
        ],
    );
    check(
        3,
        "a,\"b,c\nd,e\"x,f\ng,h,i\n",
        &[
            (1, "a,\"b,c", UnterminatedQuote),
            (2, "d,e\"x,f", StrayQuote),
            (3, "g,h,i", WellFormed),
        ],
    );
}

#[test]
fn a_damaged_record_of_several_lines_stays_one_reject() {
    check(
        3,
        "a,\"one\n\ntwo\nthree,c\nd,e,f\n",
        &[
            (1, "a,\"one\n\ntwo\nthree,c", UnterminatedQuote),
            (5, "d,e,f", WellFormed),
        ],
    );
}

#[test]
fn a_record_with_a_stray_quote_and_a_line_break_behind_it_is_one_reject() {
    for record in [
        "1,An\"n,\"12 Elm St\nFlat 2\",5",
        "1,\"An\"n,\"12 Elm St\r\n\r\nFlat 2\",\"5\"",
    ] {
        let file = format!("{record}\n2,Bob,\"9 Oak Rd\",7\n");
        let line = 2 + record.matches('\n').count() as u64;
        check(
            4,
            &file,
            &[
                (1, record, StrayQuote),
                (line, "2,Bob,\"9 Oak Rd\",7", WellFormed),
            ],
        );
        check(4, record, &[(1, record, StrayQuote)]);
    }
}

#[test]
fn a_line_behind_a_stray_quote_that_may_be_a_record_is_one() {
    check(
        3,
        "1,An\"n,\"Elm\n2,Bob,Oak\n3,Cy,Fir\"\n",
        &[
            (1, "1,An\"n,\"Elm", StrayQuote),
            (2, "2,Bob,Oak", WellFormed),
            (3, "3,Cy,Fir\"", StrayQuote),
        ],
    );
}

#[test]
fn an_oversized_record_is_dropped_but_measured() {
    for (record, shape) in [
        ("x".repeat(40), TooLong),
        (format!("x,{}", "y".repeat(39)), TooLong),
        (format!("x,\"{}\n{}\"", "y\n".repeat(20), "z".repeat(30)), TooLong),
        (format!("x,\"{}", "y".repeat(40)), TooLong),
        (format!("x,\"{}", "y".repeat(13)), UnterminatedQuote),
        (format!("x,{}", "y".repeat(14)), WellFormed),
        (format!("x,{}", "y".repeat(15)), TooLong),
    ] {
        let mut reading = Reading::of(2);
        reading.dialect.record_bytes = 16;
        let file = format!("a,b\n{record}\r\nc,d\n");
        let seen = reading.whole(file.as_bytes());
        assert_eq!(seen.len(), 3, "{record}");
        assert_eq!(
            (seen[1].shape, seen[1].byte_len, seen[1].byte_start),
            (shape, record.len() as u64, 4),
            "{record}"
        );
        assert!(record.as_bytes().starts_with(&seen[1].raw) && (shape != TooLong || seen[1].raw.len() == 16));
        assert_eq!((seen[2].shape, seen[2].record_no), (WellFormed, 3));
        assert_eq!(seen[2].line, 3 + record.matches('\n').count() as u64);
    }
}

#[test]
fn the_head_of_an_oversized_record_is_bounded() {
    let mut reading = Reading::of(1);
    reading.dialect.record_bytes = 100_000;
    let file = [vec![b'x'; 300_000], b"\ny\n".to_vec()].concat();
    let seen = reading.in_chunks(&file, std::iter::repeat(1000));
    assert_eq!(seen[0].raw, &file[..HEAD_BYTES]);
    assert_eq!(
        (seen[0].byte_len, seen[1].raw.as_slice(), seen[1].line),
        (300_000, &b"y"[..], 2)
    );
    assert_eq!(seen, reading.whole(&file));
}

#[test]
fn a_long_quoted_record_in_small_chunks_is_whole() {
    let file = format!("a,\"{}\"\nb,c\n", "text, and\n".repeat(30_000));
    let seen = Reading::of(2).in_chunks(file.as_bytes(), std::iter::repeat(777));
    assert_eq!(seen.len(), 2);
    assert_eq!(
        (seen[0].shape, seen[0].values[1].len(), seen[1].line),
        (WellFormed, 300_000, 30_002)
    );
}

#[test]
fn quotes_that_hide_a_long_file_are_found_out_in_linear_time() {
    let mut reading = Reading::of(3);
    reading.dialect.record_bytes = 1 << 20;
    let seen = reading.whole("a,\"b\n\n".repeat(200_000).as_bytes());
    assert!(seen.iter().all(|seen| seen.shape != WellFormed));
    assert_eq!(seen.iter().map(|seen| seen.byte_len).max(), Some(10));
    let seen = reading.whole(format!("a,\"b\n{}c,d,e", "xyz\n".repeat(500_000)).as_bytes());
    let outline: Vec<_> = seen
        .iter()
        .map(|seen| (seen.line, seen.byte_len, seen.shape))
        .collect();
    assert_eq!(outline, [(1, 2_000_004, TooLong), (500_002, 5, WellFormed)]);
    let seen = reading.whole("a\"b,\"c\n\n".repeat(200_000).as_bytes());
    assert_eq!((seen.len(), seen[0].shape), (200_000, StrayQuote));
}

#[test]
fn a_comment_longer_than_any_record_is_not_carried() {
    let mut reading = Reading::of(1);
    reading.dialect.comment = Some(b'#');
    reading.dialect.record_bytes = 4;
    let file = format!("#{}\na\n", "x".repeat(1000));
    let seen = reading.in_chunks(file.as_bytes(), std::iter::repeat(7));
    assert_eq!((seen.len(), seen[0].line, seen[0].byte_start), (1, 2, 1002));
}
