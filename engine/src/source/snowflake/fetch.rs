//! Partitions of a result, one ahead of whoever reads.
//!
//! ```text
//!   Snowflake ─▶ task: partition 3 ─▶ [ partition 2 ] ─▶ reader: partition 1 becomes batches
//! ```

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::array::RecordBatch;
use snowflake_connector_rs::{QueryCanceller, QueryHandle, ResultCursor, ResultTable};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinSet;

use super::super::io::spawn;
use super::super::rows::Stop;
use super::account::Account;
use super::columns::Columns;
use crate::error::{Error, Result};

/// How long a partition may take, and how often it is asked for. The client itself waits for ever.
const PARTITION_TIME: Duration = Duration::from_secs(300);
const MAX_ATTEMPTS: u32 = 3;
/// How long the end of a query is waited for, when nobody wants it any more.
const CANCEL_TIME: Duration = Duration::from_secs(5);

/// The batches of a query, in order. Dropping them, and `stop`, end the query in Snowflake too.
#[derive(Debug)]
pub(super) struct Batches {
    partitions: Receiver<Result<(Columns, ResultTable)>>,
    ready: VecDeque<RecordBatch>,
    fetching: JoinSet<()>,
}

impl Batches {
    /// Sends the query.
    pub(super) fn start(account: Arc<Account>, select: String, stop: Stop) -> Result<Self> {
        let (sender, partitions) = mpsc::channel(1);
        let fetching = spawn(async move {
            let running = Running::default();
            let ended = tokio::select! {
                ended = fetch(&account, &select, &running, &sender) => ended,
                () = stop.asked() => Err(Error::interrupted()),
                () = sender.closed() => Err(Error::interrupted()),
            };
            if let Err(error) = ended {
                running.cancel().await;
                // Nobody listens: then nobody wants to know.
                let _ = sender.send(Err(error)).await;
            }
        })?;
        Ok(Self {
            partitions,
            ready: VecDeque::new(),
            fetching,
        })
    }

    fn fetched(&mut self) -> Option<Result<()>> {
        let partition = futures::executor::block_on(self.partitions.recv())?;
        let batches = partition.and_then(|(columns, table)| columns.batches(&table));
        Some(batches.map(|batches| self.ready.extend(batches)))
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        // It ends by itself when nobody listens any more, and tells Snowflake so.
        self.fetching.detach_all();
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Some(Ok(batch));
            }
            if let Err(error) = self.fetched()? {
                self.partitions.close();
                return Some(Err(error));
            }
        }
    }
}

async fn fetch(
    account: &Account,
    select: &str,
    running: &Running,
    sender: &Sender<Result<(Columns, ResultTable)>>,
) -> Result<()> {
    let mut cursor = account.query(select, |handle| running.started(handle)).await?;
    let columns = Columns::of(cursor.schema());
    while let Some(table) = next_partition(account, &mut cursor).await? {
        if sender.send(Ok((columns.clone(), table))).await.is_err() {
            return Err(Error::interrupted());
        }
    }
    Ok(())
}

async fn next_partition(account: &Account, cursor: &mut ResultCursor) -> Result<Option<ResultTable>> {
    for _ in 0..MAX_ATTEMPTS {
        // One that is given up is asked for again: the cursor stays where it is.
        if let Ok(partition) = tokio::time::timeout(PARTITION_TIME, cursor.next_table()).await {
            return partition.map_err(|error| account.named(error));
        }
    }
    let seconds = PARTITION_TIME.as_secs();
    Err(Error::runtime(format!(
        "a part of the result did not come, {MAX_ATTEMPTS} times within {seconds} s"
    ))
    .hint("check network and firewalls: parts are fetched from the store of the account's cloud"))
}

/// The query that is under way.
#[derive(Debug, Default)]
struct Running {
    canceller: Mutex<Option<QueryCanceller>>,
}

impl Running {
    fn started(&self, handle: &QueryHandle) {
        let canceller = handle.canceller();
        *self.canceller.lock().unwrap_or_else(PoisonError::into_inner) = Some(canceller);
    }

    /// Ends the query; one that has ended by itself is left alone.
    async fn cancel(&self) {
        let canceller = self
            .canceller
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(canceller) = canceller {
            // It ends by itself if that cannot be said.
            let _ = tokio::time::timeout(CANCEL_TIME, canceller.cancel()).await;
        }
    }
}
