//! `init --from`: an existing base becomes the first `customers`, and its columns survive everything.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
    Time64MicrosecondArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Int32Type};
use parquet::arrow::ArrowWriter;
use sluice_engine::adopt::{AdoptReport, adopt};
use sluice_engine::process;
use sluice_engine::{Class, Result};

use crate::support::{Bench, definition};

fn parquet(bench: &Bench, name: &str, batch: &RecordBatch) -> PathBuf {
    let path = bench.folder.path().join(name);
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    path
}

async fn adopted(bench: &Bench, source: &Path, key: &str) -> Result<AdoptReport> {
    adopt(&bench.instance, &bench.settings, source.to_str().unwrap(), key).await
}

type Columns = Vec<(&'static str, ArrayRef)>;

/// Three customers, not in key order, with a column of every type.
fn every_type() -> RecordBatch {
    let key: Columns = vec![("id", Arc::new(Int64Array::from(vec![30, 10, 20])))];
    let columns = [key, numbers(), instants(), texts_and_nested()]
        .into_iter()
        .flatten();
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
}

fn numbers() -> Columns {
    let price = vec![Some(123_456_789_012_345_678), None, Some(-1)];
    let price = Decimal128Array::from(price).with_precision_and_scale(38, 9);
    vec![
        ("i8", Arc::new(Int8Array::from(vec![Some(-128), None, Some(127)]))),
        (
            "i16",
            Arc::new(Int16Array::from(vec![Some(i16::MIN), None, Some(i16::MAX)])),
        ),
        (
            "i32",
            Arc::new(Int32Array::from(vec![Some(i32::MIN), None, Some(i32::MAX)])),
        ),
        (
            "i64",
            Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)])),
        ),
        ("u8", Arc::new(UInt8Array::from(vec![Some(255), None, Some(0)]))),
        (
            "u16",
            Arc::new(UInt16Array::from(vec![Some(u16::MAX), None, Some(0)])),
        ),
        (
            "u32",
            Arc::new(UInt32Array::from(vec![Some(u32::MAX), None, Some(0)])),
        ),
        (
            "u64",
            Arc::new(UInt64Array::from(vec![Some(u64::MAX), None, Some(0)])),
        ),
        (
            "f32",
            Arc::new(Float32Array::from(vec![Some(0.1), None, Some(-0.0)])),
        ),
        (
            "f64",
            Arc::new(Float64Array::from(vec![Some(0.1), None, Some(1e300)])),
        ),
        (
            "flag",
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        ),
        ("price", Arc::new(price.unwrap())),
    ]
}

fn instants() -> Columns {
    let micros = TimestampMicrosecondArray::from(vec![Some(1_700_000_000_123_456), None, Some(-1)]);
    let millis = TimestampMillisecondArray::from(vec![Some(1_700_000_000_123), None, Some(-1)]);
    let nanos = TimestampNanosecondArray::from(vec![Some(1_700_000_000_123_456_000), None, Some(-1000)]);
    vec![
        (
            "day",
            Arc::new(Date32Array::from(vec![Some(0), None, Some(-719_162)])),
        ),
        ("at", Arc::new(micros.clone().with_timezone("UTC"))),
        ("local", Arc::new(micros)),
        ("ms", Arc::new(millis)),
        ("ns", Arc::new(nanos)),
    ]
}

fn texts_and_nested() -> Columns {
    let tags = [Some(vec![Some(1), None]), None, Some(vec![])];
    let city: ArrayRef = Arc::new(StringArray::from(vec![Some("Porto"), None, Some("Lima")]));
    let zip: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(2), None]));
    let place = StructArray::from(vec![
        (Arc::new(Field::new("city", DataType::Utf8, true)), city),
        (Arc::new(Field::new("zip", DataType::Int64, true)), zip),
    ]);
    vec![
        (
            "text",
            Arc::new(StringArray::from(vec![Some("c"), None, Some("")])),
        ),
        (
            "bytes",
            Arc::new(BinaryArray::from(vec![Some(&b"\x00\xff"[..]), None, Some(b"")])),
        ),
        (
            "tags",
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(tags)),
        ),
        ("place", Arc::new(place)),
    ]
}

/// What is in `customers`, beside the attributes of processes.
async fn base(bench: &Bench) -> Vec<String> {
    bench
        .rows(
            "SELECT customer_id, text, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, flag, day, price, at, local, ms, ns, \
             encode(bytes, 'hex'), tags, place FROM customers ORDER BY customer_id",
        )
        .await
}

const ROWS: [&str; 3] = [
    "10|-|-|-|-|-|-|-|-|-|-|-|-|-|-|-|-|-|-|-|-|{city: -, zip: 2}",
    "20||127|32767|2147483647|9223372036854775807|0|0|0|0|-0.0|1e300|false|0001-01-01|-0.000000001|\
     1969-12-31T23:59:59.999999Z|1969-12-31T23:59:59.999999Z|1969-12-31T23:59:59.999Z|1969-12-31T23:59:59.999999Z||[]|\
     {city: Lima, zip: -}",
    "30|c|-128|-32768|-2147483648|-9223372036854775808|255|65535|4294967295|18446744073709551615|0.1|0.1|true|\
     1970-01-01|123456789.012345678|2023-11-14T22:13:20.123456Z|2023-11-14T22:13:20.123456Z|2023-11-14T22:13:20.123Z|\
     2023-11-14T22:13:20.123456Z|00ff|[1, -]|{city: Porto, zip: 1}",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_type_survives_adoption_and_the_merges_after_it() {
    let bench = Bench::new().await;
    let report = adopted(&bench, &parquet(&bench, "base.parquet", &every_type()), "id")
        .await
        .unwrap();
    assert_eq!((report.rows, report.attributes, report.version), (3, 21, 1));
    assert_eq!(base(&bench).await, ROWS);
    bench
        .process(
            "p",
            &definition("register", &["Tier=string", "Spend=decimal(9,2)"], ""),
        )
        .await;
    let file = bench.file("in.csv", "cid,Tier,Spend\n10,Gold,1\n30,,2\n40,Silver,3\n");
    let run = bench.run_on("p", &file).await.unwrap().run;
    assert_eq!((run.rows_inserted, run.rows_updated), (Some(1), Some(2)));
    let mut with_new = ROWS.map(str::to_owned).to_vec();
    with_new.push(format!("40{}", "|-".repeat(21)));
    assert_eq!(base(&bench).await, with_new);
    let tiers = "SELECT customer_id, tier, spend FROM customers ORDER BY 1";
    assert_eq!(
        bench.rows(tiers).await,
        ["10|Gold|1.00", "20|-|-", "30|-|2.00", "40|Silver|3.00"]
    );
    let again = bench.file("again.csv", "cid,Tier,Spend\n20,Gold,1\n");
    bench.run_on("p", &again).await.unwrap();
    assert_eq!(base(&bench).await, with_new);
}

#[tokio::test(flavor = "multi_thread")]
async fn adopted_attributes_belong_to_the_batch_and_no_process_takes_them() {
    let bench = Bench::new().await;
    adopted(&bench, &parquet(&bench, "base.parquet", &every_type()), "id")
        .await
        .unwrap();
    let owned = "SELECT count(*) FROM attributes WHERE process = 'batch' AND since_version = 1";
    assert_eq!(bench.cell(owned).await, "21");
    for name in ["text", "i8", "place"] {
        let error = bench
            .try_process(
                &format!("p_{name}"),
                &definition("update", &[&format!("{name}=string")], ""),
            )
            .await;
        let error = error.unwrap_err();
        assert_eq!(error.class(), Class::Usage);
        assert!(error.to_string().contains("adopted"), "{error}");
    }
    // Not even under the owner's name.
    let named = process::create(
        &bench.instance,
        "batch",
        &definition("update", &["text=string"], ""),
    )
    .await;
    assert_eq!(named.unwrap_err().class(), Class::Usage);
    // And they do not count: a process has its ten, the instance its two hundred.
    let ten: Vec<String> = (0..10).map(|i| format!("n{i}=int")).collect();
    let ten: Vec<&str> = ten.iter().map(String::as_str).collect();
    bench.process("ten", &definition("update", &ten, "")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_with_capitals_is_taken_too() {
    let bench = Bench::new().await;
    let file = bench.file("base.csv", "id,Email\n1,a@example.com\n");
    adopted(&bench, &file, "id").await.unwrap();
    let error = bench
        .try_process("p", &definition("update", &["email=email"], ""))
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Usage, "{error}");
    assert!(error.to_string().contains("adopted"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_and_repeated_keys_stop_the_adoption_with_a_report() {
    for (content, code, says) in [
        ("id,a\n1,x\n,y\n,z\n", "cid_null", "2 rows"),
        (
            "id,a\n1,x\n2,y\n1,z\n3,a\n3,b\n3,c\n",
            "cid_duplicate",
            "such as 1, 3",
        ),
        ("id,a\n1,x\n2\n", "malformed_record", "record 2, line 3"),
    ] {
        let bench = Bench::new().await;
        let error = adopted(&bench, &bench.file("base.csv", content), "id")
            .await
            .unwrap_err();
        assert_eq!(
            (error.code(), error.class()),
            (Some(code), Class::Data),
            "{error}"
        );
        assert!(
            error.to_string().contains(says) && error.to_string().contains("base.csv"),
            "{error}"
        );
        assert!(!error.hints().is_empty() && bench.customers().await.is_empty());
        // The instance is as new: mended, the base is adopted.
        adopted(&bench, &bench.file("base.csv", "id,a\n1,x\n"), "id")
            .await
            .unwrap();
        assert_eq!(bench.customers().await, ["1|x"]);
    }
    let bench = Bench::new().await;
    let batch = RecordBatch::try_from_iter([
        (
            "id",
            Arc::new(Int32Array::from(vec![Some(1), None, Some(1)])) as ArrayRef,
        ),
        ("a", Arc::new(Int32Array::from(vec![1, 2, 3]))),
    ]);
    let error = adopted(&bench, &parquet(&bench, "base.parquet", &batch.unwrap()), "id")
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("cid_null"), "{error}");
}

/// A folder of Parquet files with a column `id` of these keys.
fn parts(bench: &Bench, name: &str, parts: &[Vec<String>]) -> PathBuf {
    let folder = bench.folder.path().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for (number, keys) in parts.iter().enumerate() {
        let (ids, texts) = (
            StringArray::from_iter_values(keys),
            StringArray::from_iter_values(keys),
        );
        let columns: Columns = vec![("id", Arc::new(ids)), ("text", Arc::new(texts))];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        parquet(bench, &format!("{name}/{number}.parquet"), &batch);
    }
    folder.join("*.parquet")
}

/// Keys of customers, from the first to before the last, in steps.
fn keys(first: usize, end: usize, step: usize) -> Vec<String> {
    (first..end).step_by(step).map(|id| format!("C{id:06}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_is_the_same_whether_its_rows_came_in_order_or_not() {
    let mut late = keys(0, 30_000, 1);
    late.swap(29_998, 29_999);
    let bases = [
        (
            "ordered",
            vec![
                keys(0, 10_000, 1),
                keys(10_000, 29_999, 1),
                keys(29_999, 30_000, 1),
            ],
        ),
        ("woven", vec![keys(0, 30_000, 2), keys(1, 30_000, 2)]),
        ("late", vec![late]),
    ];
    for (name, base) in bases {
        let bench = Bench::new().await;
        let report = adopted(&bench, &parts(&bench, name, &base), "id").await.unwrap();
        assert_eq!(report.rows, 30_000, "{name}");
        let expected = keys(0, 30_000, 1).into_iter().map(|key| format!("{key}|{key}"));
        assert_eq!(bench.customers().await, expected.collect::<Vec<_>>(), "{name}");
        let folder = std::fs::read_dir(bench.folder.path().join("instance/customers")).unwrap();
        let files = folder.filter(|file| {
            file.as_ref()
                .unwrap()
                .path()
                .extension()
                .is_some_and(|e| e == "parquet")
        });
        assert_eq!(
            files.count() as u64,
            report.files,
            "{name}: nothing is left of what was tried"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_stands_at_the_end_of_one_file_and_the_beginning_of_the_next_is_repeated() {
    let bench = Bench::new().await;
    let base = [keys(0, 10_001, 1), keys(10_000, 20_000, 1)];
    let error = adopted(&bench, &parts(&bench, "twice", &base), "id")
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("cid_duplicate"), "{error}");
    assert!(error.to_string().contains("such as C010000"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_that_is_not_there_or_lacks_its_key_is_told_so() {
    let bench = Bench::new().await;
    let error = adopted(&bench, Path::new("/nowhere.parquet"), "id")
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Runtime, "{error}");
    let file = bench.file("base.csv", "a,b\n1,2\n");
    let error = adopted(&bench, &file, "id").await.unwrap_err();
    assert_eq!(error.class(), Class::Usage, "{error}");
    assert!(error.hints().join(" ").contains("\"a\", \"b\""), "{error}");
    let error = adopted(&bench, &bench.file("two.csv", "id,customer_id\n1,2\n"), "id")
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Usage, "{error}");
    adopted(
        &bench,
        &bench.file("own.csv", "customer_id,a\n1,2\n"),
        "customer_id",
    )
    .await
    .unwrap();
    let again = adopted(&bench, &file, "a").await.unwrap_err();
    assert_eq!(again.class(), Class::Usage, "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_csv_is_adopted_as_text_without_a_value_changed() {
    let bench = Bench::new().await;
    let file = bench.file("base.csv", "cid,Code,Full Name\n007,0012,\"Ruiz, Ana\"\n7,1e3,\n");
    adopted(&bench, &file, "cid").await.unwrap();
    assert_eq!(
        bench
            .rows("SELECT customer_id, \"Code\", \"Full Name\" FROM customers ORDER BY 1")
            .await,
        ["007|0012|Ruiz, Ana", "7|1e3|-"]
    );
    bench
        .process("p", &definition("update", &["Tier=string"], ""))
        .await;
    let report = bench
        .run_on("p", &bench.file("in.csv", "cid,Tier\n007,Gold\n07,Gold\n"))
        .await
        .unwrap();
    assert_eq!(bench.reasons(&report).await, ["2|cid_unknown"]);
    let row = "SELECT \"Code\", \"Full Name\", tier FROM customers WHERE customer_id = '007'";
    assert_eq!(bench.rows(row).await, ["0012|Ruiz, Ana|Gold"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delta_table_is_adopted_as_its_readers_see_it() {
    let other = Bench::new().await;
    adopted(&other, &parquet(&other, "base.parquet", &every_type()), "id")
        .await
        .unwrap();
    other
        .process("p", &definition("register", &["Tier=string"], ""))
        .await;
    other
        .run_on("p", &other.file("in.csv", "cid,Tier\n20,Gold\n99,Silver\n"))
        .await
        .unwrap();
    let bench = Bench::new().await;
    let report = adopted(&bench, &other.instance.base().join("customers"), "customer_id")
        .await
        .unwrap();
    assert_eq!((report.rows, report.attributes), (4, 22));
    assert_eq!(bench.customers().await, other.customers().await);
    assert_eq!(base(&bench).await[..3], ROWS);
    // Whoever owned an attribute there, it is of the batch here.
    assert_eq!(
        bench
            .cell("SELECT process FROM attributes WHERE attribute = 'tier'")
            .await,
        "batch"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wide_table_keeps_every_column() {
    let bench = Bench::new().await;
    let rows = 500;
    let keys: Vec<String> = (0..rows).map(|i| format!("C{i:04}")).collect();
    let mut columns: Vec<(String, ArrayRef)> = vec![("id".to_owned(), Arc::new(StringArray::from(keys)))];
    for column in 0..300 {
        columns.push((
            format!("a{column:03}"),
            Arc::new(Int32Array::from_iter_values((0..rows).map(|r| r * 1000 + column))),
        ));
    }
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let report = adopted(&bench, &parquet(&bench, "wide.parquet", &batch), "id")
        .await
        .unwrap();
    assert_eq!((report.rows, report.attributes), (500, 300));
    bench
        .process("p", &definition("update", &["Tier=string"], ""))
        .await;
    let run = bench
        .run_on("p", &bench.file("in.csv", "cid,Tier\nC0007,Gold\nC0499,Gold\n"))
        .await
        .unwrap()
        .run;
    assert_eq!((run.rows_updated, run.rows_rejected), (Some(2), Some(0)));
    let sums: Vec<String> = (0..300).map(|c| format!("sum(a{c:03})")).collect();
    let row = bench
        .rows(&format!("SELECT count(tier), {} FROM customers", sums.join(", ")))
        .await;
    let expected: Vec<String> = (0..300).map(|c| (124_750_000 + 500 * c).to_string()).collect();
    assert_eq!(row, [format!("2|{}", expected.join("|"))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_would_be_rounded_stops_the_adoption() {
    let bench = Bench::new().await;
    let batch = RecordBatch::try_from_iter([
        ("id", Arc::new(Int32Array::from(vec![1, 2])) as ArrayRef),
        (
            "seen",
            Arc::new(TimestampNanosecondArray::from(vec![1_000, 1_001])),
        ),
    ]);
    let error = adopted(&bench, &parquet(&bench, "base.parquet", &batch.unwrap()), "id")
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Data, "{error}");
    assert_eq!(error.place().column.as_deref(), Some("seen"), "{error}");
    assert!(bench.customers().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn types_that_delta_lacks_are_widened_inside_lists_and_structs_or_refused_by_name() {
    let bench = Bench::new().await;
    let seen = TimestampMillisecondArray::from(vec![Some(1), None]);
    let place = StructArray::from(vec![
        (
            Arc::new(Field::new("zip", DataType::UInt16, true)),
            Arc::new(UInt16Array::from(vec![65_535, 1])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("seen", seen.data_type().clone(), true)),
            Arc::new(seen),
        ),
    ]);
    let id: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let batch = RecordBatch::try_from_iter([("id", Arc::clone(&id)), ("place", Arc::new(place))]).unwrap();
    adopted(&bench, &parquet(&bench, "base.parquet", &batch), "id")
        .await
        .unwrap();
    let rows = ["1|65535|1970-01-01T00:00:00.001Z", "2|1|-"];
    let query = "SELECT customer_id, place['zip'], place['seen'] FROM customers ORDER BY 1";
    assert_eq!(bench.rows(query).await, rows);
    bench
        .process("p", &definition("update", &["Tier=string"], ""))
        .await;
    bench
        .run_on("p", &bench.file("in.csv", "cid,Tier\n2,Gold\n"))
        .await
        .unwrap();
    assert_eq!(bench.rows(query).await, rows);
    let bench = Bench::new().await;
    let noon = Time64MicrosecondArray::from(vec![1, 2]);
    let batch = RecordBatch::try_from_iter([("id", id), ("noon", Arc::new(noon))]).unwrap();
    let error = adopted(&bench, &parquet(&bench, "base.parquet", &batch), "id")
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.place().column.as_deref()),
        (Class::Usage, Some("noon")),
        "{error}"
    );
}
