//! What belongs to an instance in a bucket: the doctor, TLS, and Delta tables in buckets that are its first customers.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{Home, Where, service};

const DEFINE: [&str; 6] = [
    "--key",
    "cid",
    "--attribute",
    "tier=string",
    "--attribute",
    "points=bigint",
];

/// What the doctor says of the instance to somebody with this environment: check, result and remedy of each step.
fn examined(home: &Home, environment: &[(&str, String)]) -> (Option<i32>, Vec<[String; 3]>) {
    let mut command = home.command();
    command.args(["doctor", "--output", "json"]);
    let output = command
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let word = |row: &Value, column: &str| row[column].as_str().unwrap_or_default().to_owned();
    let steps = rows
        .iter()
        .map(|row| ["check", "result", "remedy"].map(|column| word(row, column)));
    (output.status.code(), steps.collect())
}

/// The doctor asks for no more rights than a run has, and leaves nothing behind.
fn passes_with_the_rights_of_a_writer(place: Where, writer: &[(&str, String)]) {
    let home = Home::with_instance_at(place);
    let files = || [home.names(""), home.names("customers"), home.names("processes")];
    let before = files();
    let (code, steps) = examined(&home, writer);
    assert_eq!(code, Some(0), "{steps:#?}");
    let checks: Vec<&str> = steps.iter().map(|[check, ..]| check.as_str()).collect();
    let of_instance = [
        "config",
        "write",
        "conditional create",
        "conditional replace",
        "spill space",
    ];
    assert_eq!(checks, [&of_instance[..], &["delta protocol"; 4]].concat());
    assert!(steps.iter().all(|[_, result, _]| result == "ok"), "{steps:#?}");
    assert_eq!(files(), before);
    // As does a run.
    home.write("in.csv", "cid,tier,points\nC1,Gold,1\n");
    let mut ingest = home.command();
    ingest.args([&["ingest", "in.csv"], &DEFINE[..]].concat());
    let output = ingest
        .envs(writer.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    assert_succeeded(&output);
}

#[test]
fn s3_the_doctor_of_an_instance_passes_with_the_rights_of_a_writer() {
    let writer = service("s3", "SLUICE_TEST_S3_WRITE_KEY");
    passes_with_the_rights_of_a_writer(Where::S3, &[("AWS_ACCESS_KEY_ID", writer)]);
}

#[test]
fn gcs_the_doctor_of_an_instance_passes_with_the_rights_of_a_writer() {
    // Whom the counterpart lets in may read, list and write that one bucket.
    passes_with_the_rights_of_a_writer(Where::Gcs, &[]);
}

#[test]
fn s3_the_doctor_of_somebody_who_may_only_read_fails_at_write_with_what_to_allow() {
    let home = Home::with_instance_at(Where::S3);
    let reader = service("s3", "SLUICE_TEST_S3_READ_KEY");
    let (code, steps) = examined(&home, &[("AWS_ACCESS_KEY_ID", reader)]);
    assert_eq!(code, Some(1));
    let failed: Vec<_> = steps.iter().filter(|[_, result, _]| result == "failed").collect();
    assert_eq!(failed.len(), 1, "{steps:#?}");
    assert_eq!(failed[0][0], "write");
    assert!(failed[0][2].contains("write, read and remove"), "{failed:?}");
    let skipped = steps.iter().filter(|[_, result, _]| result == "skipped");
    assert_eq!(skipped.count(), 2, "{steps:#?}");
}

fn assert_succeeded(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// What leads to the server of a place over TLS.
fn over_tls(place: Where) -> [(&'static str, String); 2] {
    match place {
        Where::Gcs => [
            ("GOOGLE_BASE_URL", service("gcs", "SLUICE_TEST_GCS_TLS")),
            ("GOOGLE_ALLOW_HTTP", "false".to_owned()),
        ],
        _ => [
            ("AWS_ENDPOINT_URL", service("s3", "SLUICE_TEST_S3_TLS")),
            ("AWS_ALLOW_HTTP", "false".to_owned()),
        ],
    }
}

/// An instance behind TLS: refused while nobody vouches for the server, and whole where `variable` names who does.
fn is_trusted_by(place: Where, variable: &str) {
    let home = Home::empty_at(place);
    home.write("in.csv", "cid,tier,points\nC1,Gold,1\nC2,Blue,lots\n");
    let sluice = |args: &[&str], authority: Option<String>| {
        let mut command = home.command();
        command
            .env_remove("AWS_CA_BUNDLE")
            .env_remove("SSL_CERT_FILE")
            .env_remove("SSL_CERT_DIR");
        command
            .args(args)
            .envs(over_tls(place))
            .envs(authority.map(|file| (variable, file)));
        command.output().unwrap()
    };
    let refused = sluice(&["init"], None);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("the store's certificate is not trusted"), "{said}");
    assert!(said.contains("SSL_CERT_FILE"), "{said}");
    let trusting = |args: &[&str]| sluice(args, Some(service("s3", "SLUICE_TEST_CA")));
    assert_succeeded(&trusting(&["init"]));
    assert_succeeded(&trusting(&[&["ingest", "in.csv"], &DEFINE[..]].concat()));
    assert_succeeded(&trusting(&["doctor"]));
    let count = trusting(&["sql", "--output", "csv", "SELECT count(*) AS n FROM customers"]);
    assert_eq!(String::from_utf8_lossy(&count.stdout), "n\n1\n");
}

#[test]
fn s3_over_tls_has_an_instance_where_the_environment_names_the_authority() {
    is_trusted_by(Where::S3, "SSL_CERT_FILE");
    is_trusted_by(Where::S3, "AWS_CA_BUNDLE");
}

#[test]
fn gcs_over_tls_has_an_instance_where_the_environment_names_the_authority() {
    is_trusted_by(Where::Gcs, "SSL_CERT_FILE");
}

/// Adopts the Delta table at `url` into a folder beside; all its rows, by their key.
fn adopted(home: &Home, url: &str, key: &str) -> String {
    let init = ["init", "adopted", "--from", url, "--key", key];
    home.sluice(&init).succeeded();
    let query = "SELECT * FROM customers ORDER BY 1";
    let read = home.sluice(&["-i", "adopted", "sql", "--output", "csv", query]);
    read.succeeded().stdout()
}

#[test]
fn s3_has_a_delta_table_of_delta_rs_as_the_first_customers_of_an_instance() {
    let home = Home::empty_at(Where::S3);
    let python = std::env::var("SLUICE_PYTHON")
        .unwrap_or_else(|_| panic!("the readers are not set up: run the tests with tests/run"));
    // A folder whose name looks like a file's.
    let url = format!("{}/base.delta", home.place());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/readers/write_base.py");
    let mut writer = Command::new(python);
    writer.arg(script).arg(&url).arg("40").envs(home.environment());
    assert_succeeded(&writer.output().unwrap());
    let mut expected: Vec<String> = (0..40)
        .filter(|number| *number != 2)
        .map(|number| match number {
            1 => "C1,Changed,1\n".to_owned(),
            odd if odd % 2 == 1 => format!("C{odd},Gold,{odd}\n"),
            even => format!("C{even},,{even}\n"),
        })
        .collect();
    expected.sort();
    let expected = format!("customer_id,tier,points\n{}", expected.concat());
    assert_eq!(adopted(&home, &url, "cid"), expected);
    // Its files are data of the table, not the table.
    let history = home.sluice(&["-i", "adopted", "history", "--output", "csv"]);
    let history = history.succeeded().stdout();
    assert!(history.contains(&url), "{history}");
}

/// Customers of another instance, some of whom are marked in deletion vectors.
fn is_adopted_without_what_deletion_vectors_mark(place: Where) {
    let home = Home::with_instance_at(place);
    home.put(
        "sluice.toml",
        "format = 1\n[defaults]\nmerge = \"deletion_vector\"\n[maintenance]\nauto = \"off\"\n",
    );
    let rows: String = (0..500).map(|n| format!("C{n:03},Gold,{n}\n")).collect();
    home.write("first.csv", format!("cid,tier,points\n{rows}"));
    home.sluice(&[&["ingest", "first.csv", "--name", "p"], &DEFINE[..]].concat())
        .succeeded();
    home.write(
        "next.csv",
        "cid,tier,points\nC007,Blue,1\nC300,Blue,2\nC900,New,3\n",
    );
    home.sluice(&["run", "p", "--file", "next.csv"]).succeeded();
    let names = home.names("customers");
    let is_vector = |name: &&String| name.starts_with("deletion_vector_");
    assert!(names.iter().any(|name| is_vector(&name)), "{names:?}");
    let url = format!("{}/customers/", home.place());
    let found = adopted(&home, &url, "customer_id");
    assert_eq!(found, home.sql("SELECT * FROM customers ORDER BY 1"));
    assert!(found.contains("C007,Blue,1\n") && found.contains("C300,Blue,2\n"));
    assert_eq!(found.lines().count(), 502);
}

#[test]
fn s3_has_a_delta_table_with_deletion_vectors_as_the_first_customers_of_an_instance() {
    is_adopted_without_what_deletion_vectors_mark(Where::S3);
}

#[test]
fn gcs_has_a_delta_table_with_deletion_vectors_as_the_first_customers_of_an_instance() {
    is_adopted_without_what_deletion_vectors_mark(Where::Gcs);
}
