//! Every way to merge a file of `customers`: the same customers, the same counts, and what each leaves alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use sluice_engine::merge::cost::{Reason, Strategy};
use sluice_engine::run::{Effect, Report};

use crate::support::{Bench, definition, request};

const WAYS: [&str; 4] = ["auto", "deletion_vector", "splice", "rewrite"];

fn config(merge: &str, vectors: &str) -> String {
    format!("[defaults]\nmerge = \"{merge}\"\ndeletion_vectors = \"{vectors}\"\n")
}

/// Two processes; the base has customers of both.
async fn base(config: &str, customers: usize) -> Bench {
    let mut bench = Bench::with_config(config).await;
    let loyalty = definition("register", &["Tier=string", "Spend=decimal(9,2)"], "");
    bench.process("loyalty", &loyalty).await;
    bench
        .process("address", &definition("register", &["City=string"], ""))
        .await;
    let rows: String = (0..customers)
        .map(|i| format!("C{i:07},{},{}.25\n", ["Gold", "Silver", ""][i % 3], i % 1000))
        .collect();
    merge(&bench, "loyalty", &format!("cid,Tier,Spend\n{rows}")).await;
    let rows: String = (0..customers)
        .map(|i| format!("C{i:07},City {}\n", i % 77))
        .collect();
    bench.configure(config);
    merge(&bench, "address", &format!("cid,City\n{rows}")).await;
    bench
}

async fn merge(bench: &Bench, process: &str, csv: &str) -> Report {
    let file = bench.file(&format!("{process}.csv"), csv);
    let report = bench.run_on(process, &file).await.unwrap();
    assert!(report.run.is_merged(), "{:?}", report.error);
    report
}

/// Changes, clears, sends as they are and registers.
fn loyalty_csv(every: usize, customers: usize) -> String {
    let rows: String = (0..customers + 50)
        .step_by(every)
        .map(|i| match i % 5 {
            0 => format!("C{i:07},{},{}.25\n", ["Gold", "Silver", ""][i % 3], i % 1000),
            1 => format!("C{i:07},,\n"),
            _ => format!("C{i:07},Platinum,{}.5\n", i % 900),
        })
        .collect();
    format!("cid,Tier,Spend\n{rows}")
}

type Seen = (Vec<String>, Vec<String>, Vec<Option<u64>>);

async fn seen(bench: &Bench, reports: &[Report]) -> Seen {
    let mut changes = Vec::new();
    let mut counts = Vec::new();
    for report in reports {
        let sql = format!(
            "SELECT * FROM changes('{}') ORDER BY customer_id",
            report.run.run_id
        );
        changes.extend(bench.rows(&sql).await);
        let run = &report.run;
        counts.extend([
            run.rows_inserted,
            run.rows_updated,
            run.rows_unchanged,
            run.cells_changed,
        ]);
        counts.extend(report.attributes.iter().map(|cells| Some(cells.cells_cleared)));
    }
    let customers = bench.rows("SELECT * FROM customers ORDER BY customer_id").await;
    (customers, changes, counts)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_gives_the_same_customers_changes_and_counts() {
    let mut all: BTreeMap<String, Seen> = BTreeMap::new();
    for (merge_by, vectors) in WAYS.map(|way| (way, "on")).into_iter().chain([("auto", "off")]) {
        let mut bench = base(&config(merge_by, vectors), 3_000).await;
        let mut reports = Vec::new();
        for every in [1, 7, 100] {
            reports.push(merge(&bench, "loyalty", &loyalty_csv(every, 3_000)).await);
            reports.push(
                merge(
                    &bench,
                    "address",
                    "cid,City\nC0000001,\nC0000700,Porto\nC9,Lima\n",
                )
                .await,
            );
            bench.configure(&config(merge_by, vectors));
        }
        all.insert(format!("{merge_by} {vectors}"), seen(&bench, &reports).await);
    }
    let expected = all["rewrite on"].clone();
    assert!(expected.0.len() > 3_000 && !expected.1.is_empty());
    for (way, seen) in all {
        assert!(seen == expected, "{way} differs");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ways_that_take_turns_on_the_same_files_give_the_same_customers_too() {
    let mut mixed = base(&config("auto", "on"), 2_000).await;
    let mut plain = base(&config("rewrite", "off"), 2_000).await;
    for (turn, every) in [3, 2, 11, 1, 50, 4].into_iter().enumerate() {
        let csv = loyalty_csv(every, 2_000).replace("Platinum", &format!("Tier {turn}"));
        mixed.configure(&config(["deletion_vector", "splice", "rewrite"][turn % 3], "on"));
        merge(&mixed, "loyalty", &csv).await;
        plain.configure(&config("rewrite", "off"));
        merge(&plain, "loyalty", &csv).await;
        let all = "SELECT * FROM customers ORDER BY customer_id";
        assert!(mixed.rows(all).await == plain.rows(all).await, "turn {turn}");
        let one = "SELECT * FROM customers WHERE customer_id = 'C0000100'";
        assert_eq!(mixed.rows(one).await, plain.rows(one).await);
        assert_eq!(
            mixed.cell("SELECT count(*) FROM customers").await,
            plain.cell("SELECT count(*) FROM customers").await
        );
    }
}

/// Data files and vectors of `customers`.
fn files(bench: &Bench) -> BTreeSet<String> {
    let folder = std::fs::read_dir(bench.instance.base().join("customers")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with('_')).collect()
}

fn vectors(files: &BTreeSet<String>) -> usize {
    files
        .iter()
        .filter(|name| name.starts_with("deletion_vector_"))
        .count()
}

async fn live(bench: &Bench) -> Vec<sluice_engine::table::LiveFile> {
    bench
        .instance
        .customers()
        .unwrap()
        .snapshot(None)
        .await
        .unwrap()
        .files
}

#[tokio::test(flavor = "multi_thread")]
async fn marked_rows_leave_the_file_as_it_is_and_raise_the_tables_protocol_once() {
    let bench = base(&config("deletion_vector", "off"), 500).await;
    let protocol = |bench: &Bench| -> Vec<String> {
        let log = std::fs::read_dir(bench.instance.base().join("customers/_delta_log")).unwrap();
        let texts = log.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
        texts
            .filter(|text| text.contains("\"deletionVectors\""))
            .collect()
    };
    assert_eq!((vectors(&files(&bench)), protocol(&bench).len()), (0, 0), "off");
    let before = live(&bench).await;
    let mut bench = bench;
    bench.configure(&config("deletion_vector", "on"));
    let report = merge(
        &bench,
        "loyalty",
        "cid,Tier,Spend\nC0000003,New,1\nC0000004,,\nC0000499,New,2\n",
    )
    .await;
    assert_eq!(report.merge.ways[0].strategy, Strategy::DeletionVector);
    assert!(report.merge.vector_bytes > 0 && report.merge.copied_bytes == 0);
    let after = live(&bench).await;
    let [base] = before.as_slice() else {
        panic!("one file")
    };
    assert_eq!(after.len(), 2);
    let marked = after.iter().find(|file| file.add.path == base.add.path).unwrap();
    assert_eq!((marked.num_rows, marked.live_rows()), (Some(500), Some(497)));
    assert_eq!(vectors(&files(&bench)), 1);
    merge(&bench, "loyalty", "cid,Tier,Spend\nC0000005,New,1\n").await;
    assert_eq!(protocol(&bench).len(), 1, "raised by the first");
    let again = live(&bench).await;
    let marked = again.iter().find(|file| file.add.path == base.add.path).unwrap();
    assert_eq!(marked.live_rows(), Some(496));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_set_equal_to_what_is_stored_writes_no_file() {
    for way in WAYS {
        let bench = base(&config(way, "on"), 300).await;
        let csv = "cid,Tier,Spend\nC0000000,Gold,0.25\nC0000001,Silver,1.25\nC0000002,,2.25\n";
        let before = files(&bench);
        let report = merge(&bench, "loyalty", csv).await;
        assert_eq!(
            (report.run.rows_updated, report.run.rows_unchanged),
            (Some(0), Some(3))
        );
        assert_eq!(report.merge.ways[0].reason, Reason::NothingDiffers, "{way}");
        assert_eq!(files(&bench), before, "{way}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explained_run_says_how_each_file_would_be_merged_and_writes_nothing() {
    let bench = base(&config("auto", "on"), 20_000).await;
    let before = files(&bench);
    let csv = bench.file("few.csv", "cid,Tier,Spend\nC0000003,New,1\n");
    let mut asked = request("loyalty", Some(&csv));
    asked.effect = Effect::Explain;
    let report = bench.run(asked).await.unwrap();
    assert_eq!(files(&bench), before);
    let [file] = report.merge.files.as_slice() else {
        panic!("one file")
    };
    assert_eq!(
        (file.strategy, file.reason),
        (Strategy::DeletionVector, Reason::Cheapest)
    );
    assert!(file.costs.rewrite_ns > file.costs.deletion_vector_ns);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["merge"]["ways"][0]["strategy"], "deletion_vector");
    assert_eq!(json["merge"]["files"][0]["rows_updated"], 1);
}

fn metadata(file: &Path) -> ParquetMetaData {
    ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Optional)
        .parse_and_finish(&std::fs::File::open(file).unwrap())
        .unwrap()
}

/// The bytes of a column's chunks, by row group.
fn chunks(file: &Path, column: &str) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(file).unwrap();
    let groups = metadata(file);
    let chunk = |group: &parquet::file::metadata::RowGroupMetaData| {
        let chunk = group
            .columns()
            .iter()
            .find(|chunk| chunk.column_path().string() == column)
            .unwrap();
        let (start, length) = chunk.byte_range();
        bytes[start as usize..(start + length) as usize].to_vec()
    };
    groups.row_groups().iter().map(chunk).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_splice_copies_what_does_not_change_byte_for_byte_with_its_indexes() {
    // More than one row group, of which the second alone changes.
    let mut bench = base(&config("splice", "on"), 140_000).await;
    let folder = bench.instance.base().join("customers");
    let [before] = live(&bench)
        .await
        .try_into()
        .unwrap_or_else(|_| panic!("one file"));
    let before = folder.join(&before.add.path);
    bench.configure(&config("splice", "on"));
    let report = merge(
        &bench,
        "loyalty",
        "cid,Tier,Spend\nC0139990,New,1\nC0139991,Gold,7\nC0000001,Silver,1.25\n",
    )
    .await;
    assert_eq!(report.merge.ways[0].strategy, Strategy::Splice);
    let [after] = live(&bench)
        .await
        .try_into()
        .unwrap_or_else(|_| panic!("one file"));
    assert_eq!(
        report.merge.copied_bytes + report.merge.encoded_bytes,
        after.add.size.unsigned_abs()
    );
    assert!(report.merge.copied_bytes > report.merge.encoded_bytes);
    let after = folder.join(&after.add.path);
    assert_ne!(before, after);
    for column in ["customer_id", "city"] {
        assert_eq!(chunks(&after, column), chunks(&before, column), "{column}");
    }
    let (old, new) = (chunks(&before, "tier"), chunks(&after, "tier"));
    assert_eq!(old.len(), 2);
    assert_eq!(old[0], new[0], "a row group without a change");
    assert_ne!(old[1], new[1]);
    let (old, new) = (metadata(&before), metadata(&after));
    for (group, (was, is)) in old.row_groups().iter().zip(new.row_groups()).enumerate() {
        assert_eq!(was.sorting_columns(), is.sorting_columns());
        assert_eq!(is.num_rows(), was.num_rows());
        for (leaf, chunk) in is.columns().iter().enumerate() {
            assert!(chunk.statistics().is_some() && chunk.offset_index_offset().is_some());
            let pages =
                |file: &ParquetMetaData| file.offset_index().unwrap()[group][leaf].page_locations().len();
            if ["customer_id", "city"].contains(&chunk.column_path().string().as_str()) {
                assert_eq!(chunk.statistics(), was.column(leaf).statistics());
                assert_eq!(pages(&new), pages(&old));
            }
        }
        let bounds = |file: &ParquetMetaData| file.column_index().unwrap()[group][0].clone();
        assert_eq!(bounds(&new), bounds(&old), "the key's page bounds");
    }
    let one = "SELECT tier, city FROM customers WHERE customer_id = 'C0139990'";
    assert_eq!(bench.rows(one).await, [format!("New|City {}", 139_990 % 77)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_splice_adds_columns_at_the_end_and_keeps_the_files_deletion_vector() {
    let mut bench = base(&config("deletion_vector", "on"), 1_000).await;
    merge(
        &bench,
        "loyalty",
        "cid,Tier,Spend\nC0000003,New,1\nC0000007,New,1\n",
    )
    .await;
    bench.configure(&config("splice", "on"));
    bench
        .process("score", &definition("update", &["Score=int"], ""))
        .await;
    merge(&bench, "score", "cid,Score\nC0000001,5\nC0000007,6\nC0000009,\n").await;
    let files = live(&bench).await;
    assert_eq!(
        files
            .iter()
            .map(|file| file.live_rows().unwrap())
            .collect::<BTreeSet<_>>(),
        BTreeSet::from([2, 998])
    );
    let marked = files.iter().find(|file| file.dead_rows() > 0).unwrap();
    assert_eq!((marked.num_rows, marked.dead_rows()), (Some(1_000), 2));
    let columns = metadata(&bench.instance.base().join("customers").join(&marked.add.path));
    let names: Vec<_> = columns
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .map(|c| c.name().to_owned())
        .collect();
    assert_eq!(names, ["customer_id", "tier", "spend", "city", "score"]);
    let rows = "SELECT customer_id, tier, city, score FROM customers \
                WHERE customer_id IN ('C0000001', 'C0000003', 'C0000007', 'C0000009') ORDER BY 1";
    assert_eq!(
        bench.rows(rows).await,
        [
            "C0000001|Silver|City 1|5",
            "C0000003|New|City 3|-",
            "C0000007|New|City 7|6",
            "C0000009|Gold|City 9|-"
        ]
    );
    // A column that no change gives a value stays absent.
    merge(&bench, "address", "cid,City\nC0000001,Porto\n").await;
    assert_eq!(
        bench
            .cell("SELECT count(*) FROM customers WHERE score IS NOT NULL")
            .await,
        "2"
    );
}

/// How the chunks of each column of the live files are compressed.
async fn codecs(bench: &Bench) -> BTreeMap<String, BTreeSet<String>> {
    let folder = bench.instance.base().join("customers");
    let mut codecs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in live(bench).await {
        let metadata = metadata(&folder.join(&file.add.path));
        for chunk in metadata.row_groups().iter().flat_map(|group| group.columns()) {
            let codec = format!("{:?}", chunk.compression());
            codecs
                .entry(chunk.column_path().string())
                .or_default()
                .insert(codec);
        }
    }
    codecs
}

#[tokio::test(flavor = "multi_thread")]
async fn a_splice_copies_chunks_as_they_are_encoded_and_encodes_its_own_as_configured() {
    let mut bench = base(&config("splice", "off"), 3_000).await;
    bench.configure(&format!(
        "{}[write]\ncompression = \"lz4\"\nrow_group_rows = 1024\n",
        config("splice", "off")
    ));
    let folder = bench.instance.base().join("customers");
    let [before] = live(&bench)
        .await
        .try_into()
        .unwrap_or_else(|_| panic!("one file"));
    let city = chunks(&folder.join(&before.add.path), "city");
    let csv = "cid,Tier,Spend\nC0000003,New,0.25\nC0000700,,700.25\n";
    let report = merge(&bench, "loyalty", csv).await;
    assert_eq!(report.merge.ways[0].strategy, Strategy::Splice);
    let [after] = live(&bench)
        .await
        .try_into()
        .unwrap_or_else(|_| panic!("one file"));
    assert_eq!(chunks(&folder.join(&after.add.path), "city"), city);
    let codecs = codecs(&bench).await;
    assert_eq!(codecs["tier"], BTreeSet::from(["LZ4_RAW".to_owned()]));
    assert!(
        codecs["city"].iter().all(|codec| codec.starts_with("ZSTD")),
        "{codecs:?}"
    );
    let rows = "SELECT customer_id, tier, city FROM customers WHERE customer_id IN ('C0000003', 'C0000700') ORDER BY 1";
    assert_eq!(
        bench.rows(rows).await,
        ["C0000003|New|City 3", "C0000700|-|City 7"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_all_settings_are_merged_with_each_other() {
    let settings = [
        "compression = \"lz4\"\npage_rows = 1024\nrow_group_rows = 1024\n",
        "compression = \"none\"\ndictionary = \"off\"\n",
        "compression = \"snappy\"\nrow_group_rows = 1500\n",
        "compression = \"zstd(7)\"\npage_rows = 100_000\n",
    ];
    let mut mixed = base(&config("auto", "on"), 5_000).await;
    let mut plain = base(&config("rewrite", "off"), 5_000).await;
    for turn in 0..8 {
        let csv = loyalty_csv([3, 40, 1][turn % 3], 5_000).replace("Platinum", &format!("Tier {turn}"));
        let way = ["deletion_vector", "splice", "rewrite"][turn % 3];
        mixed.configure(&format!("{}[write]\n{}", config(way, "on"), settings[turn % 4]));
        merge(&mixed, "loyalty", &csv).await;
        plain.configure(&config("rewrite", "off"));
        merge(&plain, "loyalty", &csv).await;
        let all = "SELECT * FROM customers ORDER BY customer_id";
        assert!(mixed.rows(all).await == plain.rows(all).await, "turn {turn}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_another_program_is_written_anew() {
    let mut bench = base(&config("splice", "on"), 100).await;
    // As another writer would have made it: the same rows under its own name.
    let folder = bench.instance.base().join("customers");
    let [ours] = live(&bench)
        .await
        .try_into()
        .unwrap_or_else(|_| panic!("one file"));
    let path = folder.join(&ours.add.path);
    let bytes = std::fs::read(&path).unwrap();
    let (from, to) = (b"sluice 0".as_slice(), b"foreign0".as_slice());
    let at = bytes
        .windows(from.len())
        .position(|window| window == from)
        .unwrap();
    let mut foreign = bytes.clone();
    foreign[at..at + to.len()].copy_from_slice(to);
    std::fs::write(&path, foreign).unwrap();
    bench.configure(&config("splice", "on"));
    let report = merge(&bench, "loyalty", "cid,Tier,Spend\nC0000003,New,1\n").await;
    let way = &report.merge.ways[0];
    assert_eq!(
        (way.strategy, way.reason),
        (Strategy::Rewrite, Reason::NotSpliceable)
    );
    assert_eq!(
        bench
            .cell("SELECT tier FROM customers WHERE customer_id = 'C0000003'")
            .await,
        "New"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_of_customers_fails_the_run_whichever_way_it_is_merged() {
    for way in WAYS {
        let bench = base(&config(way, "on"), 2_000).await;
        let [file] = live(&bench)
            .await
            .try_into()
            .unwrap_or_else(|_| panic!("one file"));
        let path = bench.instance.base().join("customers").join(&file.add.path);
        let mut bytes = std::fs::read(&path).unwrap();
        let (start, length) = metadata(&path).row_group(0).column(1).byte_range();
        bytes[start as usize..(start + length) as usize].fill(0xff);
        std::fs::write(&path, bytes).unwrap();
        let before = files(&bench);
        let csv = bench.file("few.csv", "cid,Tier,Spend\nC0000003,New,1\n");
        let report = bench.run_on("loyalty", &csv).await.unwrap();
        assert_eq!(report.error.unwrap().class().exit_code(), 1, "{way}");
        assert_eq!(files(&bench), before, "{way}");
    }
}
