//! Files on the server become customers.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use sluice_engine::source::Sources;

use super::support::{Remote, csv};
use crate::support::{failure, request};

#[tokio::test(flavor = "multi_thread")]
async fn sftp_ingests_a_file_reports_it_and_skips_it_the_next_time() {
    let remote = Remote::new();
    remote.write("in/customers.csv", csv(5));
    let bench = remote.bench(remote.server.port, "in/customers.csv").await;
    let report = bench.run(request("p", None)).await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    assert_eq!(
        (report.run.rows_read, report.run.rows_rejected),
        (Some(5), Some(1))
    );
    assert_eq!(
        report.run.source_file.as_deref(),
        Some(remote.url("in/customers.csv").as_str())
    );
    assert_eq!(report.run.source_size_bytes, Some(csv(5).len() as u64));
    assert_eq!(bench.cell("SELECT count(*) FROM customers").await, "4");
    assert_eq!(bench.reasons(&report).await, ["3|type_mismatch"]);
    assert_eq!(
        bench.cell("SELECT source_file FROM rejects").await,
        remote.url("in/customers.csv")
    );

    let again = bench.run(request("p", None)).await.unwrap();
    assert_eq!(again.run.status.word(), "skipped");
    remote.write("in/customers.csv", csv(6));
    let changed = bench.run(request("p", None)).await.unwrap();
    assert_eq!(changed.run.rows_inserted, Some(1), "{:?}", changed.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_reads_compressed_files_parquet_and_links() {
    let remote = Remote::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(csv(3).as_bytes()).unwrap();
    remote.write("a.csv.gz", gzip.finish().unwrap());
    let column = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
    let columns = [
        ("cid", column("C9")),
        ("tier", column("Blue")),
        ("spend", column("9.50")),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    remote.write("b.parquet", writer.into_inner().unwrap());
    std::os::unix::fs::symlink(remote.path.join("b.parquet"), remote.path.join("c.parquet")).unwrap();
    let bench = remote.bench(remote.server.port, "a.csv.gz").await;
    for (name, rows) in [("a.csv.gz", 3), ("b.parquet", 1), ("c.parquet", 1)] {
        let url = remote.url(name);
        let report = bench.run_on("p", Path::new(&url)).await.unwrap();
        assert!(report.error.is_none(), "{name}: {:?}", report.error);
        assert_eq!(report.run.rows_read, Some(rows), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_lists_two_folders_deep() {
    let remote = Remote::new();
    for name in ["x.csv", "a/y.csv", "a/b/z.csv", "a/b/c/hidden.csv"] {
        remote.write(name, "cid\n");
    }
    std::os::unix::fs::symlink(remote.path.join("x.csv"), remote.path.join("link.csv")).unwrap();
    std::os::unix::fs::symlink("/nowhere", remote.path.join("dangling.csv")).unwrap();
    let bench = remote.bench(remote.server.port, "x.csv").await;
    let sources = Sources::of(&bench.instance);
    let (place, port) = (remote.url(""), remote.server.port);
    let listing =
        tokio::task::spawn_blocking(move || sources.list(place.trim_end_matches('/'), Some("files")));
    let listing = listing.await.unwrap().unwrap();
    let urls: Vec<String> = listing.files.iter().map(|file| file.url.clone()).collect();
    let expected = ["a/b/z.csv", "a/y.csv", "known_hosts", "link.csv", "x.csv"];
    assert_eq!(urls, expected.map(|name| remote.url_at(port, name)));
    assert_eq!(listing.deeper_files, 1);
    let too_deep = bench
        .run_on("p", Path::new(&remote.url("a/b/c/hidden.csv")))
        .await;
    assert!(
        failure(&too_deep).to_string().contains("nested folders"),
        "{too_deep:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_says_what_is_wrong_with_a_file_that_cannot_be_read() {
    let remote = Remote::new();
    remote.write("empty.csv", "");
    let secret = remote.write("secret.csv", csv(1));
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o000)).unwrap();
    remote.write("folder/a.csv", csv(1));
    let bench = remote.bench(remote.server.port, "gone.csv").await;
    for (name, expected, code) in [
        ("gone.csv", "the source file does not exist", 1),
        ("secret.csv", "the source file may not be read", 1),
        ("folder", "the source is a folder", 1),
        ("empty.csv", "file_empty", 3),
    ] {
        let report = bench.run_on("p", Path::new(&remote.url(name))).await;
        let error = failure(&report);
        assert!(error.to_string().contains(expected), "{name}: {error}");
        assert!(error.to_string().contains(name), "{name}: {error}");
        assert_eq!(error.class().exit_code(), code, "{name}: {error}");
    }
    assert_eq!(bench.cell("SELECT count(*) FROM customers").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_counts_folders_from_the_folder_of_login_where_no_root_is_set() {
    let remote = Remote::new();
    remote.write("a/b/deep.csv", csv(3));
    remote.write("a/near.csv", csv(3));
    let config = remote.connection(remote.server.port);
    let (config, _) = config.split_once("root = ").unwrap();
    let mut bench = remote.bench(remote.server.port, "a/near.csv").await;
    bench.configure(config);
    let near = bench
        .run_on("p", Path::new(&remote.url("a/near.csv")))
        .await
        .unwrap();
    assert!(near.error.is_none(), "{:?}", near.error);
    // The folder of the test is itself in the folder of login.
    let deep = bench.run_on("p", Path::new(&remote.url("a/b/deep.csv"))).await;
    assert!(
        failure(&deep).to_string().contains("3 nested folders"),
        "{deep:?}"
    );
    let folder = remote.path.file_name().unwrap().to_str().unwrap().to_owned();
    let home = format!("sftp://{}/~/{folder}/a/near.csv", remote.server.address());
    let same = bench.run_on("p", Path::new(&home)).await.unwrap();
    assert_eq!(same.run.status.word(), "skipped", "{:?}", same.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_lists_what_it_may_and_names_folders_that_it_may_not_look_into() {
    let remote = Remote::new();
    remote.write("x.csv", csv(1));
    remote.write("shut/y.csv", csv(1));
    let shut = remote.path.join("shut");
    let bench = remote.bench(remote.server.port, "x.csv").await;
    std::fs::set_permissions(&shut, std::fs::Permissions::from_mode(0o000)).unwrap();
    let list = |place: String| {
        let sources = Sources::of(&bench.instance);
        tokio::task::spawn_blocking(move || sources.list(&place, Some("files")))
    };
    let root = remote.url("").trim_end_matches('/').to_owned();
    let listing = list(root.clone()).await.unwrap().unwrap();
    let names: Vec<&str> = listing
        .files
        .iter()
        .filter_map(|file| file.url.rsplit('/').next())
        .collect();
    assert_eq!(names, ["known_hosts", "x.csv"]);
    assert_eq!(listing.closed_folders, [format!("{root}/shut")]);
    assert!(listing.closed_note().unwrap().ends_with("/shut"));
    // Asked for by name it is an error.
    let error = list(format!("{root}/shut")).await.unwrap().unwrap_err();
    assert!(
        error.to_string().contains("the folder may not be read"),
        "{error}"
    );
    std::fs::set_permissions(&shut, std::fs::Permissions::from_mode(0o755)).unwrap();
}
