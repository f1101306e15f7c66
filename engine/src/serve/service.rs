//! The loop of a server.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tracing::{error, info, warn};

use super::Metrics;
use super::config::{ConfigFile, Reading};
use super::http;
use super::plan::{Definitions, Plan};
use crate::error::Result;
use crate::instance::Instance;
use crate::maintain;
use crate::notify;
use crate::process::{self, Agenda, StateFile, agenda, names};
use crate::run::{Effect, Extent, Guards, Repeat, Report, RunRequest, Trigger, Watch, run, settle};
use crate::settings::Settings;
use crate::spec::definition_hash;

/// How a server works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServeOptions {
    /// Runs at once; each gets its share of the memory.
    pub parallel_runs: usize,
    /// Longest time between two looks at the instance, which other programs change too.
    pub look_every: Duration,
    /// How long runs may take to end when the server is asked to stop; then they are abandoned.
    pub patience: Duration,
    /// Where `/healthz` and `/metrics` are answered; nowhere if `None`.
    pub listen: Option<SocketAddr>,
}

/// What a server tells while it works.
#[derive(Debug)]
pub enum Served<'a> {
    /// It answers here.
    Listening(SocketAddr),
    /// A run begins.
    Started {
        /// Its process.
        process: &'a str,
    },
    /// A run ended.
    Ended(&'a Report),
    /// `sluice.toml` was changed and is in use.
    Reconfigured {
        /// Keys whose new values wait for a restart, unless that was told before.
        waiting: &'a [&'static str],
    },
    /// `sluice.toml` was changed and cannot be used; the last good one is.
    Misconfigured {
        /// Why.
        reason: &'a crate::Error,
    },
    /// There was no run: the process has problems, or somebody else runs it.
    Refused {
        /// The process.
        process: &'a str,
        /// Why.
        reason: &'a crate::Error,
    },
}

/// Runs what is due until `stop` is notified; then lets the runs under way end, or cuts them off.
///
/// # Errors
/// The address to listen at is taken. What goes wrong later is told and logged, and the server goes on.
pub async fn serve(
    instance: Instance,
    settings: Settings,
    options: ServeOptions,
    stop: &Notify,
    mut tell: impl FnMut(Served<'_>),
) -> Result<()> {
    let metrics = Arc::new(Metrics::default());
    let _answering = match options.listen {
        Some(address) => {
            let (address, answering) = http::answer(address, Arc::clone(&metrics)).await?;
            tell(Served::Listening(address));
            Some(answering)
        }
        None => None,
    };
    let mut server = Server {
        config: ConfigFile::of(&instance),
        instance,
        settings: share(settings, options.parallel_runs),
        options,
        metrics,
        runs: JoinSet::new(),
        deliveries: JoinSet::new(),
        watches: BTreeMap::new(),
        tasks: HashMap::new(),
        plan: Plan::default(),
    };
    loop {
        let next = server.look(&mut tell).await;
        tokio::select! {
            Some(ended) = server.runs.join_next() => server.ended(ended, &mut tell).await,
            () = tokio::time::sleep(next) => {}
            () = stop.notified() => break,
        }
    }
    server.wind_down(&mut tell).await;
    Ok(())
}

/// What one of several runs may use.
fn share(settings: Settings, parallel_runs: usize) -> Settings {
    Settings {
        memory_bytes: settings.memory_bytes / parallel_runs.max(1),
        ..settings
    }
    .within_memory()
}

/// A run as its task returns it: its process, and the report, or why there was no run.
type Ended = (String, Result<Report>);

struct Server {
    instance: Instance,
    config: ConfigFile,
    /// Those of one run.
    settings: Settings,
    options: ServeOptions,
    metrics: Arc<Metrics>,
    runs: JoinSet<Ended>,
    deliveries: JoinSet<()>,
    /// Of the runs under way, by process.
    watches: BTreeMap<String, Watch>,
    /// Whose each of their tasks is.
    tasks: HashMap<Id, String>,
    plan: Plan,
}

impl Server {
    /// Settles dead runs, starts what is due, and says how long to wait.
    async fn look(&mut self, tell: &mut impl FnMut(Served<'_>)) -> Duration {
        let now = Utc::now();
        let agenda = match self.configure(tell).await {
            Ok(()) => self.agenda(now).await,
            Err(failure) => Err(failure),
        };
        match agenda {
            Ok(agenda) => {
                self.metrics.looked(now, self.watches.len());
                let definitions = self.definitions().await;
                self.start_due(&agenda, now, &definitions, tell);
                self.wait(&agenda, now)
            }
            Err(failure) => {
                error!(error = %failure, "the instance cannot be read");
                self.options.look_every
            }
        }
    }

    /// Goes by `sluice.toml` as it is now. Runs under way keep what they began with.
    async fn configure(&mut self, tell: &mut impl FnMut(Served<'_>)) -> Result<()> {
        match self.config.read(&self.instance).await? {
            Reading::Same => {}
            Reading::Taken { instance, waiting } => {
                let waiting_keys = waiting.join(", ");
                info!(waiting_for_restart = waiting_keys, "sluice.toml was changed");
                self.instance = instance;
                self.plan.reconfigured();
                self.metrics.misconfigured(None);
                tell(Served::Reconfigured { waiting: &waiting });
            }
            Reading::Refused(reason) => {
                error!(error = %reason, "sluice.toml cannot be used; the last good one is");
                self.metrics.misconfigured(Some(Utc::now()));
                tell(Served::Misconfigured { reason: &reason });
            }
        }
        Ok(())
    }

    async fn agenda(&mut self, now: DateTime<Utc>) -> Result<Agenda> {
        for name in names(&self.instance).await? {
            if let Err(failure) = settle(&self.instance, &name).await {
                warn!(process = name, error = %failure, "a dead run could not be settled");
            }
            self.deliver(name);
        }
        agenda(&self.instance, now).await
    }

    /// Delivers what is undelivered of a process, beside everything else.
    fn deliver(&mut self, process: String) {
        while self.deliveries.try_join_next().is_some() {}
        let instance = self.instance.clone();
        // Cut off with the program: what was not delivered stays to be.
        self.deliveries.spawn(async move {
            if let Err(error) = notify::flush(&instance, &process).await {
                warn!(process, %error, "messages could not be delivered");
            }
        });
    }

    /// Those that may have been edited since they were refused.
    async fn definitions(&self) -> Definitions {
        let mut found = Definitions::new();
        for name in self.plan.watched() {
            let hash = definition(&self.instance, name).await;
            found.extend(hash.map(|hash| (name.to_owned(), hash)));
        }
        found
    }

    fn start_due(
        &mut self,
        agenda: &Agenda,
        now: DateTime<Utc>,
        definitions: &Definitions,
        tell: &mut impl FnMut(Served<'_>),
    ) {
        for (process, trigger) in self.plan.wanted(agenda, now, definitions) {
            let is_free = self.watches.len() < self.options.parallel_runs.max(1);
            if is_free && !self.watches.contains_key(&process) {
                tell(Served::Started { process: &process });
                self.start(process, trigger);
            }
        }
    }

    fn start(&mut self, process: String, trigger: Trigger) {
        info!(process, trigger = trigger.word(), "run starts");
        let watch = Watch::default();
        self.watches.insert(process.clone(), watch.clone());
        let (instance, settings) = (self.instance.clone(), self.settings);
        let name = process.clone();
        let task = self.runs.spawn(async move {
            let report = run(&instance, &settings, scheduled(&process, trigger), &watch).await;
            if report.is_ok() {
                for problem in maintain::after_run(&instance, &settings, &watch.stop)
                    .await
                    .problems
                {
                    warn!(process, problem = %problem, "maintenance");
                }
            }
            (process, report)
        });
        self.tasks.insert(task.id(), name);
    }

    /// Until the next slot or retry, but not longer than until the next look.
    fn wait(&self, agenda: &Agenda, now: DateTime<Utc>) -> Duration {
        let is_full = self.watches.len() >= self.options.parallel_runs.max(1);
        let next = self.plan.next(agenda).filter(|_| !is_full);
        let until = next.and_then(|next| (next - now).to_std().ok());
        until.map_or(self.options.look_every, |until| {
            until.min(self.options.look_every)
        })
    }

    async fn ended(
        &mut self,
        ended: Result<Ended, tokio::task::JoinError>,
        tell: &mut impl FnMut(Served<'_>),
    ) {
        let (process, outcome) = match ended {
            Ok(ended) => ended,
            Err(panic) => {
                // Its lease is ours, and lapses in a while: then the run is settled.
                let process = self.tasks.remove(&panic.id()).unwrap_or_default();
                error!(process, error = %panic, "a run ended without a word");
                self.watches.remove(&process);
                return;
            }
        };
        self.watches.remove(&process);
        self.tasks.retain(|_, other| *other != process);
        match outcome {
            Ok(report) => {
                self.metrics.ended(&report.run);
                log(&report);
                let failure = report.error.as_ref().map(crate::Error::class);
                if let Some(retry) = self.plan.ended(&process, failure, Utc::now()) {
                    info!(process, at = %retry.at, "run is tried again");
                }
                tell(Served::Ended(&report));
            }
            Err(reason) => {
                warn!(process, error = %reason, "no run");
                tell(Served::Refused {
                    process: &process,
                    reason: &reason,
                });
                let state = StateFile::of(&self.instance, &process).read().await;
                let slot = state.ok().and_then(|state| state.due_since(Utc::now()));
                let definition = definition(&self.instance, &process).await;
                self.plan.refused(&process, slot, definition);
            }
        }
    }

    /// Asks the runs to stop, waits for them as long as the options say, and abandons the rest.
    async fn wind_down(mut self, tell: &mut impl FnMut(Served<'_>)) {
        info!(runs = self.watches.len(), "stops");
        let patience = tokio::time::sleep(self.options.patience);
        let mut patience = std::pin::pin!(patience);
        while !self.runs.is_empty() {
            for watch in self.watches.values() {
                watch.stop.notify_waiters();
            }
            tokio::select! {
                Some(ended) = self.runs.join_next() => self.ended(ended, tell).await,
                // A run may be between two phases when it is asked, and is asked again.
                () = tokio::time::sleep(Duration::from_millis(100)) => {}
                () = &mut patience => return,
            }
        }
    }
}

/// Hash of the definition as it is now, if it can be read.
async fn definition(instance: &Instance, name: &str) -> Option<String> {
    let text = process::text(instance, name).await.ok()?;
    Some(definition_hash(&text))
}

fn scheduled(process: &str, trigger: Trigger) -> RunRequest {
    RunRequest {
        process: process.to_owned(),
        file: None,
        effect: Effect::Merge,
        extent: Extent::Whole,
        repeat: Repeat::SkipMerged,
        max_rejects: None,
        trigger,
        replay: None,
        guards: Guards::Heeded,
    }
}

fn log(report: &Report) {
    let run = &report.run;
    let (process, run_id, status) = (&run.process, &run.run_id, run.status.word());
    let (read, rejected, ms) = (run.rows_read, run.rows_rejected, run.duration_ms);
    match &report.error {
        None => info!(
            process,
            run_id,
            status,
            rows_read = read,
            rows_rejected = rejected,
            duration_ms = ms,
            "run ended"
        ),
        Some(e) => {
            error!(process, run_id, status, rows_read = read, rows_rejected = rejected, duration_ms = ms, error = %e, "run ended")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_at_once_share_the_memory() {
        let all = Settings {
            memory_bytes: 900_000_000,
            threads: 4,
        };
        let of = |parallel_runs| {
            let one = share(all, parallel_runs);
            (one.memory_bytes / 1_000_000, one.threads)
        };
        assert_eq!(
            [of(0), of(1), of(2), of(9)],
            [(900, 4), (900, 4), (450, 2), (100, 1)]
        );
    }
}
