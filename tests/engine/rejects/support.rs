//! Short ways to rejects.

use std::path::Path;

use sluice_engine::process;
use sluice_engine::run::{Effect, Overtaken, Replay, Report, RunRequest, Trigger};

use crate::support::{Bench, definition, request};

/// Replays a run, with changes to what is asked for.
pub async fn replay(bench: &Bench, run_id: &str, change: impl Fn(&mut Replay)) -> Report {
    let report = bench.run(asked(run_id, change)).await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    report
}

/// What a replay of `p` asks for.
pub fn asked(run_id: &str, change: impl Fn(&mut Replay)) -> RunRequest {
    let mut replay = Replay::of(run_id);
    change(&mut replay);
    RunRequest {
        trigger: Trigger::Replay,
        replay: Some(replay),
        ..request("p", None)
    }
}

pub fn forced(replay: &mut Replay) {
    replay.overtaken = Overtaken::Written;
}

/// The same without writing.
pub fn dry(request: RunRequest) -> RunRequest {
    RunRequest {
        effect: Effect::Explain,
        ..request
    }
}

/// An instance with the process `p` of `attributes`.
pub async fn bench(attributes: &[&str], more: &str) -> Bench {
    let bench = Bench::new().await;
    bench
        .process("p", &definition("register", attributes, more))
        .await;
    bench
}

/// The process `p` with another end of its definition.
pub async fn edit(bench: &Bench, attributes: &[&str], more: &str) {
    let text = definition("register", attributes, more);
    process::edit(&bench.instance, "p", &text).await.unwrap();
}

/// The id of a run of `p` on a file of this content.
pub async fn run(bench: &Bench, name: &str, content: impl AsRef<[u8]>) -> String {
    let file = bench.file(name, content);
    run_on(bench, &file).await
}

pub async fn run_on(bench: &Bench, file: &Path) -> String {
    let report = bench.run_on("p", file).await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    report.run.run_id
}

/// `record_no|state` of all rejects, in order.
pub async fn states(bench: &Bench) -> Vec<String> {
    bench
        .rows("SELECT record_no, state FROM reject_states ORDER BY run_id, record_no")
        .await
}
