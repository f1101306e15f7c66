//! Names of runs and of the files they write.

use uuid::Uuid;

/// A new run id: UUIDv7 text, which sorts by time.
#[must_use]
pub fn new_run_id() -> String {
    Uuid::now_v7().to_string()
}

/// A new data file name. Names carry the run and are never used twice, so a second attempt of a run can never
/// meet the files of the first.
#[must_use]
pub fn data_file(run_id: &str) -> String {
    format!("part-{run_id}-{}.parquet", Uuid::new_v4().simple())
}

/// Microseconds since the epoch, now.
#[must_use]
pub fn now_micros() -> i64 {
    chrono::Utc::now().timestamp_micros()
}
