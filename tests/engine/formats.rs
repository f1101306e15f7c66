//! The same customers, however the file is written: dialects, encodings, compression, NDJSON, Parquet.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::support::Bench;

const CUSTOMERS: [&str; 3] = ["C1|Gold, or \"more\"|1.50", "C2|Zoë|2.00", "C4|Two\nlines|4.25"];

/// A record with a wrong spend between the good ones.
const CSV: &str =
    "cid,Tier,Spend\nC1,\"Gold, or \"\"more\"\"\",1.50\nC2,Zoë,2\nC3,x,lots\nC4,\"Two\nlines\",4.25\n";

/// Runs a process with these keys in `[source]` on `content`, and expects the customers and one reject.
async fn check(name: &str, source: &str, content: impl AsRef<[u8]>) -> Bench {
    let bench = Bench::new().await;
    let file = bench.file(name, content);
    let toml = format!(
        "mode = \"register\"\nkey = \"cid\"\n[source]\nurl = {:?}\n{source}\n\
         [[attribute]]\ncolumn = \"Tier\"\ntype = \"string\"\n\
         [[attribute]]\ncolumn = \"Spend\"\ntype = \"decimal(18,2)\"\n",
        file.display().to_string()
    );
    bench.process("p", &toml).await;
    let report = bench.run_on("p", &file).await.unwrap();
    assert!(report.error.is_none(), "{name}: {:?}", report.error);
    assert_eq!(bench.customers().await, CUSTOMERS, "{name}");
    let rejects = bench
        .rows("SELECT record_no, customer_id, rules[1] FROM rejects")
        .await;
    assert_eq!(rejects, ["3|C3|type_mismatch"], "{name}");
    bench
}

fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xfeff)
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn delimiters_of_several_characters_names_and_footers_are_as_the_process_says() {
    let piped = CSV
        .replace("cid,Tier,Spend", "cid||Tier||Spend")
        .replace(",1.50", "||1.50");
    let piped = piped.replace("C1,", "C1||").replace("C2,Zoë,2", "C2||Zoë||2");
    let piped = piped
        .replace("C3,x,lots", "C3||x||lots")
        .replace("C4,", "C4||")
        .replace(",4.25", "||4.25");
    check("a.csv", "delimiter = \"||\"", piped).await;
    let bare = CSV.split_once('\n').unwrap().1;
    check("b.csv", "columns = [\"cid\", \"Tier\", \"Spend\"]", bare).await;
    let report = format!("Report of today\n{CSV}TOTAL;4\nend of file");
    check("c.csv", "skip_rows = 1\nskip_footer_rows = 2", report).await;
    let commented = CSV.replace("C2,", "# a comment\n\nC2,");
    check("d.csv", "comment = \"#\"", commented).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_a_header_has_numbered_columns() {
    let bench = Bench::new().await;
    let file = bench.file("in.csv", "C1,Gold\nC2,Blue\n");
    let rows = bench
        .rows(&format!(
            "SELECT column_1, column_2, line FROM source('{}', 'header', 'false')",
            file.display()
        ))
        .await;
    assert_eq!(rows, ["C1|Gold|1", "C2|Blue|2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_carriage_return_ends_records_where_the_process_says_so() {
    // Between quotes a line feed is data, as ever.
    let old = CSV.replace("\nC", "\rC").replace("4.25\n", "4.25\r");
    check("in.csv", "newline = \"cr\"", old).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_of_other_encodings_are_kept_in_their_own_bytes_and_places() {
    let bench = check("in.csv", "encoding = \"utf-16\"", utf16(CSV)).await;
    let start = 2 * (1 + CSV.find("C3").unwrap() - "Zoë".len() + "Zoë".chars().count());
    let place = bench
        .rows("SELECT byte_start, byte_len, encode(raw, 'hex') FROM rejects")
        .await;
    let raw: String = "C3,x,lots"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(place, [format!("{start}|18|{raw}")]);
    let western: Vec<u8> = CSV.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let bench = check("in.csv", "encoding = \"windows-1252\"", western).await;
    let start = CSV.chars().take_while(|c| *c != 'x').count() - "C3,".len();
    assert_eq!(
        bench.rows("SELECT byte_start, byte_len FROM rejects").await,
        [format!("{start}|9")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_files_are_known_by_their_content() {
    let gzip = |text: &str| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    };
    let (first, second) = CSV.split_at(40);
    check("in.csv", "", gzip(CSV)).await;
    check("in.csv", "", [gzip(first), gzip(second)].concat()).await;
    let zstd = |text: &str| zstd::encode_all(text.as_bytes(), 3).unwrap();
    let bench = check("in.csv", "", [zstd(first), zstd(second)].concat()).await;
    // Positions are those of the decompressed text.
    let start = CSV.find("C3").unwrap();
    assert_eq!(
        bench.cell("SELECT byte_start FROM rejects").await,
        start.to_string()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_file_that_is_cut_off_changes_nothing() {
    let bench = Bench::new().await;
    let packed = zstd::encode_all(CSV.repeat(50).as_bytes(), 3).unwrap();
    let file = bench.file("in.csv", &packed[..packed.len() - 3]);
    let failed = bench.ingest(&file, "cid", &["Tier=string"], "register").await;
    let error = match failed {
        Ok(report) => report.error.unwrap(),
        Err(error) => error,
    };
    assert_eq!(error.code(), Some("source_corrupt"), "{error}");
    assert!(bench.customers().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn json_lines_are_records_and_broken_ones_are_rejects() {
    let lines = [
        r#"{"cid": "C1", "Tier": "Gold, or \"more\"", "Spend": 1.50}"#,
        r#"{"Spend": "2", "Tier": "Zo\u00eb", "cid": "C2", "other": [1, {"a": null}]}"#,
        r#"{"cid": "C3", "Tier": "x", "Spend": "lots"}"#,
        r#"{"cid": "C4", "Tier": "Two\nlines", "Spend": 4.25}"#,
    ];
    check("in.ndjson", "", lines.join("\n")).await;
    check(
        "in.csv",
        "format = \"ndjson\"",
        zstd::encode_all(lines.join("\r\n").as_bytes(), 3).unwrap(),
    )
    .await;
    let bench = Bench::new().await;
    let file = bench.file(
        "bad.jsonl",
        "{\"cid\": \"C1\", \"Tier\": null}\n[1]\n{\"cid\": \"C2\"\n\n{\"cid\": \"C3\", \"Tier\": true}",
    );
    bench
        .ingest(&file, "cid", &["Tier=string"], "register")
        .await
        .unwrap();
    assert_eq!(bench.customers().await, ["C1|-", "C3|true"]);
    let rejects = bench
        .rows("SELECT record_no, line, rules[1], arrow_cast(raw, 'Utf8') FROM rejects ORDER BY 1")
        .await;
    assert_eq!(
        rejects,
        [
            "2|2|malformed_record|[1]",
            "3|3|malformed_record|{\"cid\": \"C2\""
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_rows_have_numbers_and_go_through_the_same_rules() {
    let columns: [(&str, ArrayRef); 3] = [
        ("cid", Arc::new(StringArray::from(vec!["C1", "C2", "C3", "C4"]))),
        (
            "Tier",
            Arc::new(StringArray::from(vec![
                "Gold, or \"more\"",
                "Zoë",
                "x",
                "Two\nlines",
            ])),
        ),
        (
            "Spend",
            Arc::new(StringArray::from(vec!["1.50", "2", "lots", "4.25"])),
        ),
    ];
    let file = check("in.parquet", "", parquet_file(columns)).await;
    let raw = file
        .rows("SELECT line, byte_start, arrow_cast(raw, 'Utf8') FROM rejects")
        .await;
    assert_eq!(raw, ["-|-|{\"cid\":\"C3\",\"Tier\":\"x\",\"Spend\":\"lots\"}"]);
    // Typed columns: what converts without loss fits.
    let bench = Bench::new().await;
    let spend = Decimal128Array::from(vec![1500, 2000, 12_345])
        .with_precision_and_scale(12, 3)
        .unwrap();
    let columns: [(&str, ArrayRef); 2] = [
        ("cid", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("Spend", Arc::new(spend)),
    ];
    let file = bench.file("typed.parquet", parquet_file(columns));
    bench
        .ingest(&file, "cid", &["Spend=decimal(18,2)"], "register")
        .await
        .unwrap();
    assert_eq!(bench.customers().await, ["1|1.50", "2|2.00"]);
    assert_eq!(
        bench.rows("SELECT record_no, rules[1] FROM rejects").await,
        ["3|type_mismatch"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_of_every_compression_is_read() {
    let texts = |texts: [&str; 2]| -> ArrayRef { Arc::new(StringArray::from_iter_values(texts)) };
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let columns = [("cid", texts(["C1", "C2"])), ("Tier", texts(["Gold", "Silver"]))];
        let properties = WriterProperties::builder().set_compression(compression).build();
        let bench = Bench::new().await;
        let file = bench.file("in.parquet", parquet_with(columns, Some(properties)));
        bench
            .ingest(&file, "cid", &["Tier=string"], "register")
            .await
            .unwrap();
        assert_eq!(
            bench.customers().await,
            ["C1|Gold", "C2|Silver"],
            "{compression:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_json_key_that_only_a_late_record_has_is_a_column_and_one_that_none_has_is_missing() {
    let early =
        (0..30_000).map(|i| format!("{{\"cid\": \"C{i}\", \"Tier\": \"Gold, and a longer text\"}}\n"));
    let text: String = early
        .chain(["{\"cid\": \"L\", \"Spend\": 1}".to_owned()])
        .collect();
    assert!(text.len() > 1 << 20);
    let bench = Bench::new().await;
    let file = bench.file("in.ndjson", &text);
    bench
        .ingest(&file, "cid", &["Tier=string", "Spend=int"], "register")
        .await
        .unwrap();
    let found = "SELECT count(*), count(tier), count(spend), max(spend) FROM customers";
    assert_eq!(bench.rows(found).await, ["30001|30000|1|1"]);
    let error = bench
        .ingest(&file, "cid", &["Spent=int"], "register")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("Spent"), "{error}");
}

fn parquet_file<const N: usize>(columns: [(&str, ArrayRef); N]) -> Vec<u8> {
    parquet_with(columns, None)
}

fn parquet_with<const N: usize>(
    columns: [(&str, ArrayRef); N],
    properties: Option<WriterProperties>,
) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), properties).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_many_blocks_is_read_as_one() {
    let bench = Bench::new().await;
    let mut text = String::from("cid,Note\n");
    for number in 0..40_000 {
        // Quoted line ends and lines that look like records, all over the cuts between blocks.
        text.push_str(&format!(
            "C{number},\"{}\nD{number},x\n\"\"{number}\"\"\"\n",
            "n".repeat(number % 97)
        ));
    }
    assert!(text.len() > 2 << 20);
    let file = bench.file("many.csv", &text);
    let sql = format!(
        "SELECT count(*), count(malformed), count(DISTINCT cid), max(record_no), max(line), sum(byte_len + 1) \
         FROM source('{}')",
        file.display()
    );
    let bytes = text.len() - "cid,Note\n".len();
    assert_eq!(
        bench.rows(&sql).await,
        [format!("40000|0|40000|40000|119999|{bytes}")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_header_a_malformed_first_record_is_a_reject_like_any_other() {
    let bench = Bench::new().await;
    let file = bench.file("in.csv", "\"a\"b,1\n1,2,3\nx,2\ny,3\n");
    let sql = format!(
        "SELECT record_no, column_1, column_2, malformed IS NOT NULL FROM source('{}', 'header', 'false') ORDER BY 1",
        file.display()
    );
    // The first well-formed record has three fields; the two after it have not.
    let expected = ["1|-|-|true", "2|1|2|false", "3|-|-|true", "4|-|-|true"];
    assert_eq!(bench.rows(&sql).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_of_the_file_keeps_its_name_whatever_it_is() {
    let bench = Bench::new().await;
    let file = bench.file("in.csv", "malformed,record_no,__record_no\nx,y,z\n1,2\n");
    let sql = format!(
        "SELECT malformed, record_no, __record_no, ____record_no, __malformed IS NOT NULL FROM source('{}') ORDER BY 4",
        file.display()
    );
    assert_eq!(bench.rows(&sql).await, ["x|y|z|1|false", "-|-|-|2|true"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_record_over_several_blocks_has_its_place_in_the_encoding_of_the_file() {
    let (before, after) = ("C1,\u{1f600}\u{e9}", "C3,x");
    let long = format!("C2,\u{e9}{}", "\u{20ac}\u{e9}".repeat(4 << 20));
    let units = |text: &str| text.encode_utf16().count();
    for line_end in ["\n", "\r\n"] {
        let bench = Bench::new().await;
        let text = ["cid,Note", before, &long, after, ""].join(line_end);
        let file = bench.file("in.csv", utf16(&text));
        let sql = |format: &str| {
            format!(
                "SELECT record_no, byte_start, byte_len, malformed IS NOT NULL FROM source('{}', 'encoding', 'utf-16', \
                 'format', '{format}') ORDER BY 1",
                file.display()
            )
        };
        let start = 2 * (1 + units("cid,Note") + units(before) + 2 * line_end.len());
        let expected = [
            format!(
                "1|{}|{}|false",
                2 * (1 + units("cid,Note") + line_end.len()),
                2 * units(before)
            ),
            format!("2|{start}|{}|true", 2 * units(&long)),
            format!("3|{}|8|false", start + 2 * (units(&long) + line_end.len())),
        ];
        assert_eq!(bench.rows(&sql("csv")).await, expected, "{line_end:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_line_of_json_has_its_place_in_the_encoding_of_the_file() {
    let long = format!("{{\"cid\": \"\u{20ac}{}\"}}", "\u{e9}".repeat(20 << 20));
    let units = |text: &str| text.encode_utf16().count();
    for line_end in ["\n", "\r\n"] {
        let bench = Bench::new().await;
        let text = ["{\"cid\": \"C1\"}", &long, "{\"cid\": \"C3\"}", ""].join(line_end);
        let file = bench.file("in.ndjson", utf16(&text));
        let sql = format!(
            "SELECT record_no, byte_start, byte_len, malformed IS NOT NULL FROM source('{}', 'encoding', 'utf-16') \
             ORDER BY 1",
            file.display()
        );
        let second = 2 * (1 + 13 + line_end.len());
        let third = second + 2 * (units(&long) + line_end.len());
        let expected = [
            "1|2|26|false".to_owned(),
            format!("2|{second}|{}|true", 2 * units(&long)),
            format!("3|{third}|26|false"),
        ];
        assert_eq!(bench.rows(&sql).await, expected, "{line_end:?}");
    }
}
