use super::*;

fn guess(text: &str) -> DialectGuess {
    guess_dialect(text.as_bytes(), Extent::Whole)
}

fn says(guess: &DialectGuess, words: &str) -> bool {
    guess.evidence.iter().any(|evidence| evidence.contains(words))
}

#[test]
fn every_usual_delimiter_is_found_in_the_same_table() {
    for delimiter in [
        ",", ";", "\t", "|", ":", "^", "~", "\u{1}", "||", "::", "~|~", ";;", "|~|",
    ] {
        let rows = [
            "cid,name,city,spend",
            "1,Ann,Bonn,12.50",
            "2,Bo,,7.00",
            "3,Cy,Ulm,",
            "4,Di,Rom,1.00",
        ];
        let text = rows.map(|row| row.replace(',', delimiter) + "\n").concat();
        let found = guess(&text);
        assert_eq!(
            (found.delimiter.as_str(), found.columns.len()),
            (delimiter, 4),
            "{delimiter:?} {:?}",
            found.evidence
        );
        assert_eq!(
            (found.consistency, found.skip_rows, found.has_header),
            (1.0, 0, true),
            "{delimiter:?}"
        );
    }
}

#[test]
fn a_german_file_is_divided_by_semicolons_not_by_its_decimal_commas() {
    let found = guess(
        "Kundennummer;Umsatz;Datum\r\n007;12,50;31.12.2024\r\n008;7,00;01.01.2025\r\n009;1.234,00;02.01.2025\r\n",
    );
    assert_eq!((found.delimiter.as_str(), found.line_end), (";", LineEnd::CrLf));
    assert_eq!(found.columns, ["Kundennummer", "Umsatz", "Datum"]);
}

#[test]
fn names_with_commas_do_not_hide_the_semicolon() {
    let found = guess("id;name, first\n1;Doe, Ann\n2;Roe, Bo\n3;Poe, Cy\n");
    assert_eq!((found.delimiter.as_str(), found.columns.len()), (";", 2));
}

#[test]
fn times_do_not_make_the_colon_a_delimiter() {
    let found = guess("id,at\n1,10:00:00\n2,11:30:00\n3,12:45:10\n");
    assert_eq!(found.delimiter, ",");
    let alone = guess("at\n10:00:00\n11:30:00\n12:45:10\n");
    assert_eq!(
        (alone.columns, alone.delimiter.as_str()),
        (vec!["at".to_owned()], ",")
    );
}

#[test]
fn quoted_line_ends_and_delimiters_are_data() {
    let found = guess("id,note\n1,\"a,\nb\"\n2,\"c\n\n,,d\"\"\"\n3,e\n");
    assert_eq!(
        (found.consistency, found.sampled_rows, found.malformed_rows),
        (1.0, 3, 0)
    );
    assert_eq!(found.quote, Some('"'));
}

#[test]
fn single_quotes_and_escapes_are_told() {
    let single = guess("id,note,n\n1,'a,b',2\n2,'c,d',3\n3,'e,f',4\n");
    assert_eq!((single.quote, single.consistency), (Some('\''), 1.0));
    let escaped = guess("id,note,n\n1,\"a\\\",b\",2\n2,\"c\\\"\",3\n3,\"e\",4\n");
    assert_eq!(
        (escaped.quote, escaped.escape, escaped.consistency),
        (Some('"'), Some('\\'), 1.0)
    );
}

#[test]
fn inches_are_no_quotes() {
    let found = guess("id|size|n\n1|5\" pipe|2\n2|\"6\" pipe|3\n3|7\" pipe|4\n4|8\"|4\n");
    assert_eq!((found.quote, found.consistency), (None, 1.0));
}

#[test]
fn a_file_without_header_is_told_by_its_values() {
    let found = guess("1,Ann,1980-01-31\n2,Bo,1975-12-01\n3,Cy,1990-02-01\n");
    assert!(!found.has_header);
    assert_eq!(found.columns, ["column_1", "column_2", "column_3"]);
    assert_eq!(found.sampled_rows, 3);
}

#[test]
fn a_header_of_words_above_words_is_a_header() {
    let found = guess("first,last\nAnn,Doe\nBo,Roe\nAnn,Poe\n");
    assert!(
        found.has_header && says(&found, "a header is the rule"),
        "{:?}",
        found.evidence
    );
    let repeated = guess("red,green\nblue,red\nred,green\ngreen,red\n");
    assert!(!repeated.has_header, "{:?}", repeated.evidence);
}

#[test]
fn a_header_alone_is_a_header() {
    let found = guess("cid,name,email\n");
    assert_eq!(
        (found.has_header, found.sampled_rows, found.columns.len()),
        (true, 0, 3)
    );
}

#[test]
fn comment_lines_are_told_from_records_that_start_alike() {
    let found = guess("# made by crm\n# rows: 2, columns: 2\nid,name\n1,Ann\n# half\n2,Bo\n");
    assert_eq!(
        (found.comment, found.skip_rows, found.sampled_rows),
        (Some('#'), 0, 2)
    );
    let tags = guess("id,tag\n#1,a\n#2,b\n3,c\n");
    assert_eq!((tags.comment, tags.sampled_rows), (None, 3));
    let header = guess("#id,name\n1,Ann\n2,Bo\n");
    assert_eq!((header.comment, header.columns[0].as_str()), (None, "#id"));
}

#[test]
fn a_header_behind_a_comment_mark_and_a_blank_is_told_from_a_sentence() {
    let header = guess("#  a ,b , c\n123,TEST1,text1\n345,TEST1,text2\n");
    assert_eq!(
        (header.comment, header.has_header, header.columns[0].as_str()),
        (None, true, "#  a "),
        "{:?}",
        header.evidence
    );
    let sentence = guess("# made by Ann, Bo, Cy\nid,name,city\n1,Ann,Ulm\n2,Bo,Rom\n");
    assert_eq!(
        (sentence.comment, sentence.columns[0].as_str()),
        (Some('#'), "id")
    );
    let two = guess("# a, b\n1,Ann\n# c, d\n2,Bo\n3,Cy\n");
    assert_eq!(
        (two.comment, two.has_header),
        (Some('#'), false),
        "{:?}",
        two.evidence
    );
}

#[test]
fn one_column_whose_first_record_only_begins_with_a_quote_has_none() {
    for text in ["\"1\"aa\"2\"\n\"3\"aa\"4\"\n", "\"one\ntwo\nthree\n"] {
        let found = guess(text);
        assert_eq!(
            (found.quote, found.malformed_rows),
            (None, 0),
            "{text} {:?}",
            found.evidence
        );
    }
}

#[test]
fn a_damaged_first_record_is_no_header() {
    let found = guess("\"Pedro \"the\"\n\"Pedro \"\"the\"\" legend\"\n\"Ann\"\n");
    assert_eq!(
        (
            found.quote,
            found.has_header,
            found.sampled_rows,
            found.malformed_rows
        ),
        (Some('"'), false, 3, 1),
        "{:?}",
        found.evidence
    );
}

#[test]
fn a_delimiter_that_a_run_would_suspect_is_taken() {
    let damaged = "10;\"a\"x\n".repeat(6);
    let found = guess(&format!(
        "id;name\n{damaged}one\ntwo\nthree\nfour\nfive\nsix\nseven\n"
    ));
    assert_eq!(
        (found.delimiter.as_str(), found.columns.len(), found.skip_rows),
        (";", 2, 0),
        "{:?}",
        found.evidence
    );
}

#[test]
fn titles_before_the_header_are_skipped_by_physical_lines() {
    let found =
        guess("Customer export\n\nof 2025-01-01\nid,name,city\n1,Ann,Bonn\n2,Bo,Ulm\n3,Cy,Rom\n4,Di,Rom\n");
    assert_eq!(
        (found.skip_rows, found.columns.len(), found.sampled_rows),
        (3, 3, 4),
        "{:?}",
        found.evidence
    );
    assert_eq!(guess("sep=;\nid;name\n1;Ann\n").skip_rows, 1);
}

#[test]
fn ragged_records_are_counted_and_the_first_is_named() {
    let found = guess("# x\nid,name\n1,Ann\n2\n3,Cy,x\n4,Di\n5,Ed\n6,Flo\n");
    assert_eq!((found.sampled_rows, found.malformed_rows), (6, 2));
    assert!(
        says(
            &found,
            "2 of 7 records are malformed, the first on line 4 with 1 fields"
        ),
        "{:?}",
        found.evidence
    );
}

#[test]
fn a_lone_carriage_return_ends_lines_only_where_nothing_else_does() {
    let found = guess("id,name\r1,Ann\r2,Bo\r");
    assert_eq!((found.line_end, found.sampled_rows), (LineEnd::Cr, 2));
    assert_eq!(guess("id,name\n1,A\rB\n").line_end, LineEnd::Lf);
    assert_eq!(guess("id,n\n1,A\r\n2,B\n3,C\r\n").line_end, LineEnd::Mixed);
}

#[test]
fn half_a_record_at_the_end_of_a_beginning_is_left_out() {
    let head = b"id,name,city\n1,Ann,Bonn\n2,Bo,Ulm\n3,C";
    let beginning = guess_dialect(head, Extent::Beginning);
    assert_eq!((beginning.sampled_rows, beginning.malformed_rows), (2, 0));
    assert_eq!(guess_dialect(head, Extent::Whole).malformed_rows, 1);
}

#[test]
fn encodings_are_told_from_the_same_text() {
    let text = "id;Straße\n1;Müllergasse\n2;Übelgasse\n";
    let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let with_mark = |mark: &[u8], bytes: &[u8]| -> Vec<u8> { [mark, bytes].concat() };
    for (bytes, encoding, bom_bytes) in [
        (text.as_bytes().to_vec(), Encoding::Utf8, 0),
        (with_mark(b"\xEF\xBB\xBF", text.as_bytes()), Encoding::Utf8, 3),
        (little.clone(), Encoding::Utf16Le, 0),
        (with_mark(b"\xFF\xFE", &little), Encoding::Utf16Le, 2),
        (big.clone(), Encoding::Utf16Be, 0),
        (with_mark(b"\xFE\xFF", &big), Encoding::Utf16Be, 2),
        (latin.clone(), Encoding::Windows1252, 0),
        (with_mark(&latin, b"3;5 \x80\n"), Encoding::Windows1252, 0),
        (with_mark(&latin, b"3;\x81\n"), Encoding::Latin1, 0),
    ] {
        let found = guess_dialect(&bytes, Extent::Whole);
        assert_eq!(
            (found.encoding.encoding, found.encoding.bom_bytes),
            (encoding, bom_bytes),
            "{:?}",
            found.encoding
        );
        assert_eq!(found.columns, ["id", "Straße"], "{encoding:?}");
    }
}

#[test]
fn one_unclosed_quote_does_not_make_data_of_all_quotes() {
    let rows: String = (0..9).map(|n| format!("{n},b\n")).collect();
    let found = guess(&format!("id,note\n{rows}10,\"never closed\n11,c\n"));
    assert_eq!((found.quote, found.malformed_rows), (Some('"'), 1));
}

#[test]
fn a_few_damaged_bytes_do_not_make_another_encoding_of_utf8() {
    let bytes = [
        "id,n\n1,caf\u{e9}\n2,\u{4e16}\u{754c}\n3,".as_bytes(),
        b"\xFF\n4,\xE9\n",
    ]
    .concat();
    assert_eq!(guess_encoding(&bytes, Extent::Whole).encoding, Encoding::Utf8);
}

#[test]
fn a_character_cut_in_half_is_no_damage_but_an_invalid_byte_is() {
    let bytes = "id\nMüller".as_bytes();
    let cut = guess_encoding(&bytes[..5], Extent::Beginning);
    assert_eq!(cut.encoding, Encoding::Utf8);
    assert_ne!(
        guess_encoding(&bytes[..5], Extent::Whole).encoding,
        Encoding::Utf8
    );
    let damaged = ["ü".repeat(20).as_bytes(), b"\xFF"].concat();
    let found = guess_encoding(&damaged, Extent::Whole);
    assert_eq!(found.encoding, Encoding::Utf8);
    assert!(found.evidence.contains("byte 40"), "{}", found.evidence);
}

#[test]
fn other_kinds_of_file_are_told_by_their_first_bytes() {
    for (head, container) in [
        (&b"PAR1\x15\x04"[..], Container::Parquet),
        (b"\x1F\x8B\x08\0", Container::Gzip),
        (b"\x28\xB5\x2F\xFDxx", Container::Zstd),
        (b"\x50\x2A\x4D\x18\0\0\0\0", Container::Zstd),
        (
            b"{\"id\": 1, \"a\": \"x\"}\n{\"id\": 2, \"b\": null}\n",
            Container::Ndjson,
        ),
    ] {
        assert_eq!(guess_dialect(head, Extent::Whole).container, container);
    }
    for head in [
        &b"PK\x03\x04\x14"[..],
        b"[\n  {\"id\": 1},\n  {\"id\": 2}\n]\n",
        b"{\n  \"id\": 1\n}\n",
    ] {
        assert!(matches!(
            guess_dialect(head, Extent::Whole).container,
            Container::Unreadable(_)
        ));
    }
}

#[test]
fn the_keys_of_objects_are_the_columns_in_the_order_they_come() {
    let found = guess("{\"id\": 1, \"a\": \"x\"}\n\n{\"id\": 2, \"b\": null}\n");
    assert_eq!(found.columns, ["id", "a", "b"]);
    assert_eq!((found.sampled_rows, found.malformed_rows), (2, 0));
}

#[test]
fn an_empty_file_has_no_columns() {
    for text in ["", "\n\n", "# only\n# comments\n"] {
        let found = guess(text);
        assert_eq!((found.columns, found.sampled_rows), (vec![], 0), "{text:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_get_a_guess(head in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let found = guess_dialect(&head, Extent::Beginning);
        proptest::prop_assert!((0.0..=1.0).contains(&found.consistency));
    }

    #[test]
    fn a_quoted_table_is_read_back_under_any_delimiter(
        delimiter in proptest::sample::select(vec![",", ";", "\t", "|"]),
        rows in proptest::collection::vec(proptest::collection::vec("[a-z ,;|\n\"]{0,6}", 3), 1..12),
    ) {
        let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
        let line = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(delimiter) + "\n";
        let header = ["cid", "name", "note"].join(delimiter) + "\n";
        let found = guess(&(header + &rows.iter().map(line).collect::<String>()));
        proptest::prop_assert_eq!(found.delimiter.as_str(), delimiter);
        proptest::prop_assert_eq!(found.sampled_rows, rows.len() as u64);
        proptest::prop_assert_eq!(found.malformed_rows, 0);
    }
}

#[test]
fn a_line_within_a_quoted_value_is_no_comment() {
    let found = guess("cid,note\n1,\"one\n# two\"\n2,x\n3,y\n");
    assert_eq!(found.comment, None, "{:?}", found.evidence);
}

#[test]
fn quotes_inside_cells_that_a_run_would_reject_are_foretold_or_are_data() {
    let rows: String = (0..10).map(|n| format!("{n}|{{\"d\": \"x\"}}|2\n")).collect();
    let found = guess(&format!("id|q|t\n{rows}"));
    assert_eq!(
        (found.quote, found.malformed_rows),
        (None, 0),
        "{:?}",
        found.evidence
    );
    let rows: String = (0..30).map(|n| format!("{n},\"a, b\"\n")).collect();
    let found = guess(&format!("id,note\n{rows}31,5\" nail\n"));
    assert_eq!(
        (found.quote, found.malformed_rows),
        (Some('"'), 1),
        "{:?}",
        found.evidence
    );
}

#[test]
fn a_first_record_of_another_number_of_fields_is_a_header_and_not_skipped() {
    let found = guess("c1,c2\n1,2,\n3,4,\n");
    assert_eq!(
        (found.skip_rows, found.has_header),
        (0, true),
        "{:?}",
        found.evidence
    );
    assert_eq!((found.columns.len(), found.malformed_rows), (2, 2));
    let found = guess("one,two,three,four\n1,a,alice\n2,b,bob\n");
    assert_eq!(
        (found.skip_rows, found.columns.len(), found.malformed_rows),
        (0, 4, 2)
    );
}

#[test]
fn a_damaged_first_record_does_not_say_how_many_columns_there_are() {
    let found = guess("\"200,12,14\",#6,\"8'1','x','y'\n1,a\n2,b\n3,c\n4,d\n");
    assert_eq!(
        (found.columns.len(), found.has_header, found.malformed_rows),
        (2, false, 1),
        "{:?}",
        found.evidence
    );
}

#[test]
fn a_damaged_first_record_is_no_preamble() {
    let rows: String = (2..30).map(|n| format!("{n}\tx\t{n}\n")).collect();
    let found = guess(&format!("1\t\"x\t2\n{rows}"));
    assert_eq!(
        (found.skip_rows, found.malformed_rows),
        (0, 1),
        "{:?}",
        found.evidence
    );
}

#[test]
fn a_header_may_lack_its_first_or_its_last_name() {
    for text in [
        ",name,city\nx0,Ann,Rome\nx1,Bob,Ulm\n",
        "id,name,lat,\nx1,Ann,Rome,\nx2,Bob,Ulm,\n",
    ] {
        let found = guess(text);
        assert!(
            found.has_header && found.skip_rows == 0,
            "{text} {:?}",
            found.evidence
        );
    }
}

#[test]
fn one_column_of_quoted_values_below_a_bare_name_is_not_divided() {
    let found = guess("struct_col\n\"{'a': 1, 'b': 2}\"\n");
    assert_eq!(
        (found.columns.as_slice(), found.skip_rows, found.malformed_rows),
        (&["struct_col".to_owned()][..], 0, 0),
        "{:?}",
        found.evidence
    );
}

#[test]
fn single_quotes_around_the_very_first_cell_are_seen() {
    let found = guess("'''a,b,c''',45\n,234\nhello,234\nbye,2\n");
    assert_eq!(
        (found.quote, found.columns.len(), found.malformed_rows),
        (Some('\''), 2, 0),
        "{:?}",
        found.evidence
    );
}

#[test]
fn one_column_of_quoted_values_is_not_divided() {
    let found = guess("\"Dec 8, 2022\"\n\"Sep 26, 2022\"\n\"Aug 31, 2022\"\n");
    assert_eq!(
        (found.quote, found.columns.len()),
        (Some('"'), 1),
        "{:?}",
        found.evidence
    );
}

#[test]
fn a_few_nuls_in_utf8_are_data() {
    let found = guess_dialect(b"id|col\x002\nval1|val2\n", Extent::Whole);
    assert_eq!(found.encoding.encoding, Encoding::Utf8, "{:?}", found.encoding);
    let found = guess_dialect(b"a\0b", Extent::Whole);
    assert_eq!(found.encoding.encoding, Encoding::Utf8, "{:?}", found.encoding);
}

#[test]
fn single_quotes_around_the_last_column_are_seen() {
    let found = guess("id;name\n1;'a;b'\n2;'c;d'\n");
    assert_eq!(
        (found.quote, found.columns.len(), found.malformed_rows),
        (Some('\''), 2, 0),
        "{:?}",
        found.evidence
    );
}
