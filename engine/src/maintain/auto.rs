//! Maintenance that runs do by themselves, after they have ended.

use std::sync::Arc;

use tokio::sync::Notify;

use super::erase::{Expired, expire};
use super::lock::MaintenanceLock;
use super::optimize::{Effect, Extent, OptimizeRequest, optimize_table};
use super::plan::Thresholds;
use super::report::TableReport;
use super::tables::MaintainedTable;
use crate::error::{Class, Error};
use crate::instance::Instance;
use crate::settings::Settings;
use crate::spec::AutoMaintenance;

/// What was done after a run.
#[derive(Debug, Default)]
pub struct AfterRun {
    /// By table.
    pub tables: Vec<TableReport>,
    /// Rejects that outlived the retention of their process.
    pub expired: Vec<Expired>,
    /// What went wrong. The run has ended before, well or badly, and nothing of it is lost.
    pub problems: Vec<Error>,
}

/// Looks after the tables where a threshold of `[maintenance]` is passed: a bounded piece of optimize, and
/// checkpoints. To be called when a run has ended: its row written, its lease given back. Whatever goes wrong is in
/// the answer, never a failure; while somebody else maintains the instance, nothing is done.
pub async fn after_run(instance: &Instance, settings: &Settings, stop: &Arc<Notify>) -> AfterRun {
    let mut done = AfterRun::default();
    let config = &instance.config().maintenance;
    if config.auto == AutoMaintenance::Off {
        return done;
    }
    let lock = match MaintenanceLock::try_take(instance, "maintenance after a run").await {
        Ok(Some(lock)) => lock,
        Ok(None) => return done,
        Err(error) => {
            done.problems.push(error);
            return done;
        }
    };
    match expire(instance, settings, chrono::Utc::now()).await {
        Ok(expired) => done.expired = expired,
        Err(error) => done.problems.push(error.in_file(MaintainedTable::Rejects.word())),
    }
    let request = OptimizeRequest {
        tables: MaintainedTable::ALL.to_vec(),
        effect: Effect::Apply,
        thresholds: Thresholds::patient(config),
        extent: Extent::Bytes(config.piece_bytes),
        stop: Arc::clone(stop),
    };
    for table in MaintainedTable::ALL {
        match optimize_table(instance, settings, &request, table, Some(&lock)).await {
            Ok(report) => done.tables.push(report),
            // The user asked to stop: no table is looked after any more.
            Err(error) if error.class() == Class::Interrupted => break,
            Err(error) => done.problems.push(error.in_file(table.word())),
        }
    }
    lock.release().await;
    done
}
