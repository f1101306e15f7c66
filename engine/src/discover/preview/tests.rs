use super::*;
use crate::spec::AttributeType;

fn look(text: &str) -> Preview {
    preview(
        text.as_bytes(),
        Extent::Whole,
        &SuggestOptions::new("in/customers.csv"),
    )
    .unwrap()
}

fn types(preview: &Preview) -> Vec<String> {
    preview
        .columns
        .iter()
        .map(|column| column.guess.ty.to_string())
        .collect()
}

#[test]
fn a_plain_file_goes_all_the_way_to_a_line_to_copy() {
    let shown = look(
        "cid,email,spend,since\nC1,a@b.co,12.50,2024-01-31\nC2,c@d.co,7.00,\nC3,e@f.co,1.25,2023-05-01\n",
    );
    assert_eq!(types(&shown), ["string", "email", "decimal(9,2)", "date"]);
    assert_eq!(shown.keys[0].column, "cid");
    assert_eq!(
        shown.suggestion.ingest_line.as_deref(),
        Some(
            "sluice ingest in/customers.csv --key cid --attribute 'email:email=email' \
             --attribute 'spend:spend=decimal(9,2)' --attribute 'since:since=date'"
        )
    );
    assert!(!shown.suggestion.needs_process);
    assert_eq!(
        shown.sample[1],
        [Some("C2"), Some("c@d.co"), Some("7.00"), Some("")].map(|c| c.map(str::to_owned))
    );
    assert_eq!(
        (shown.columns[3].null_rows, shown.columns[3].min.as_deref()),
        (1, Some("2023-05-01"))
    );
}

#[test]
fn a_german_file_needs_a_process_and_says_why() {
    let shown =
        look("Kundennummer;PLZ;Umsatz;Seit\n1001;01067;12,50;31.12.2023\n1002;80331;1.007,00;01.02.2024\n");
    assert_eq!(types(&shown), ["int", "string", "string", "date"]);
    assert_eq!(shown.keys[0].column, "Kundennummer");
    assert!(shown.suggestion.needs_process);
    let notes = shown.columns[2].guess.notes.join("\n");
    assert!(notes.contains("decimal comma"), "{notes}");
    let toml = shown.suggestion.process_toml.unwrap();
    for words in [
        "delimiter = \";\"",
        "format = [\"%d.%m.%Y\"]",
        "column = \"Seit\"",
        "key = \"Kundennummer\"",
    ] {
        assert!(toml.contains(words), "{words}: {toml}");
    }
}

#[test]
fn malformed_records_are_not_profiled() {
    let shown = look("cid,n\n1,5\n2,6,x\n3\n4,7\n5,8\n");
    assert_eq!((shown.columns[1].num_rows, shown.dialect.malformed_rows), (3, 2));
    assert_eq!(types(&shown), ["int", "int"]);
}

#[test]
fn lines_that_are_skipped_are_no_rows() {
    let shown = look("Export\nof 2025\n\ncid,n\n1,5\n# x\n2,6\n4,7\n");
    assert_eq!(shown.dialect.skip_rows, 3);
    assert_eq!((shown.columns.len(), shown.columns[1].num_rows), (2, 3));
}

#[test]
fn utf16_and_headerless_files_are_read_as_they_are_written() {
    let text = "1\tÄnne\t2024-01-01\n2\tBœ\t2024-01-02\n";
    let head: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let shown = preview(&head, Extent::Whole, &SuggestOptions::new("a.csv")).unwrap();
    assert_eq!(types(&shown), ["int", "string", "date"]);
    assert_eq!(shown.columns[1].max.as_deref(), Some("Änne"));
    let toml = shown.suggestion.process_toml.unwrap();
    for words in ["encoding = \"utf-16le\"", "header = false", "delimiter = \"\\t\""] {
        assert!(toml.contains(words), "{words}: {toml}");
    }
}

#[test]
fn ndjson_cells_are_texts_and_missing_keys_are_null() {
    let text =
        "{\"id\":1,\"spend\":1.10,\"tags\":[1]}\n{\"id\":2,\"spend\":null}\n{\"id\":3,\"spend\":2.25}\n";
    let shown = look(text);
    assert_eq!(shown.dialect.container, Container::Ndjson);
    assert_eq!(shown.columns[0].guess.ty, AttributeType::Int);
    assert_eq!((shown.columns[1].null_rows, shown.columns[2].null_rows), (1, 2));
    assert_eq!(shown.sample[0][2].as_deref(), Some("[1]"));
}

#[test]
fn the_key_is_unique_complete_and_named_like_one() {
    let shown = look("row_no,customer_id,email,tier\n1,A7,x@y.de,gold\n2,B8,z@y.de,gold\n3,C9,,silver\n");
    let ranked: Vec<&str> = shown.keys.iter().map(|key| key.column.as_str()).collect();
    assert_eq!(ranked[..2], ["customer_id", "row_no"]);
    assert!(!ranked.contains(&"tier"));
    assert!(
        shown.keys[0]
            .reasons
            .iter()
            .any(|reason| reason.contains("all 3 values are distinct"))
    );
    let twice = look("cid,cid,n\n1,2,3\n4,5,6\n");
    assert!(twice.keys.iter().all(|key| key.column != "cid"));
}

#[test]
fn a_preview_is_json() {
    let json = serde_json::to_value(look("cid,flag\n1,0\n2,1\n")).unwrap();
    assert_eq!(json["columns"][1]["guess"]["type"], "boolean");
    assert_eq!(json["columns"][1]["guess"]["runner_up"]["type"], "int");
    assert_eq!(json["dialect"]["encoding"]["encoding"], "utf-8");
    assert_eq!(json["suggestion"]["attributes"][0]["type"], "boolean");
}

#[test]
fn other_files_are_only_told_by_kind() {
    let shown = preview(b"PAR1....", Extent::Whole, &SuggestOptions::new("a.parquet")).unwrap();
    assert!(shown.columns.is_empty() && shown.suggestion.ingest_line.is_none());
}
