//! Table functions: `source`, `incoming`, `records`, `customers_at`, `changes`, `diff`, `history`.

use std::path::Path;
use std::sync::Arc;

use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::Expr;
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;

use super::runs::resolve_commit;
use super::session::rows;
use super::source_table::{Relation, SourceTable};
use crate::decode::OpenFile;
use crate::error::{Error, Result};
use crate::history::{self, Timeline};
use crate::instance::{Instance, all};
use crate::plan::{layout, read_options};
use crate::process;
use crate::source::{Sources, typed_url};
use crate::spec;
use crate::table::SnapshotTable;

/// Registers every table function of `instance`.
pub(super) fn register(ctx: &SessionContext, instance: &Instance) {
    let function = |kind| {
        Arc::new(InstanceFunction {
            instance: instance.clone(),
            kind,
        })
    };
    ctx.register_udtf("source", function(Kind::Source));
    ctx.register_udtf("incoming", function(Kind::Process(Relation::Incoming)));
    ctx.register_udtf("records", function(Kind::Process(Relation::Records)));
    ctx.register_udtf("customers_at", function(Kind::CustomersAt));
    ctx.register_udtf("changes", function(Kind::Changes));
    ctx.register_udtf("diff", function(Kind::Diff));
    ctx.register_udtf("history", function(Kind::History));
}

#[derive(Debug)]
enum Kind {
    Source,
    Process(Relation),
    CustomersAt,
    Changes,
    Diff,
    History,
}

#[derive(Debug)]
struct InstanceFunction {
    instance: Instance,
    kind: Kind,
}

impl TableFunctionImpl for InstanceFunction {
    fn call_with_args(&self, args: TableFunctionArgs) -> DfResult<Arc<dyn TableProvider>> {
        let arguments = literals(args.exprs())?;
        let table: Arc<dyn TableProvider> = match &self.kind {
            Kind::Source => Arc::new(source(&self.instance, &arguments)?),
            Kind::Process(relation) => Arc::new(of_process(&self.instance, &arguments, *relation)?),
            Kind::CustomersAt => Arc::new(customers_at(&self.instance, &arguments)?),
            Kind::Changes => changes(&self.instance, args.session(), &arguments)?,
            Kind::Diff => diff(&self.instance, args.session(), &arguments)?,
            Kind::History => history(&self.instance, &arguments)?,
        };
        Ok(table)
    }
}

/// The arguments as text.
fn literals(exprs: &[Expr]) -> Result<Vec<String>> {
    let text = |expr: &Expr| match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)), _) => {
            Ok(text.clone())
        }
        Expr::Literal(value, _) => Ok(value.to_string()),
        other => Err(Error::usage(format!(
            "a table function takes literals, not {other}"
        ))),
    };
    exprs.iter().map(text).collect()
}

/// A path as typed where that is there, else from the instance's folder, as in a process file.
fn as_found(url: &str) -> Result<String> {
    match Path::new(url).exists() {
        true => typed_url(Path::new(url)),
        false => Ok(url.to_owned()),
    }
}

fn source(instance: &Instance, arguments: &[String]) -> Result<SourceTable> {
    let Some((url, options)) = arguments.split_first() else {
        return Err(Error::usage(
            "source takes a file: source('FILE'[, 'option', 'value' ...])",
        ));
    };
    let pairs: Vec<(String, String)> = options
        .chunks(2)
        .map(|pair| (pair[0].clone(), pair.get(1).cloned().unwrap_or_default()))
        .collect();
    let parsed = spec::parse_source(&as_found(url)?, &pairs).map_err(|problems| all(&problems))?;
    let options = read_options(&parsed, &instance.config().limits)?;
    let sources = Sources::of(instance);
    SourceTable::text(waited(|| OpenFile::open(sources.open(&parsed)?, options))?)
}

fn of_process(instance: &Instance, arguments: &[String], relation: Relation) -> Result<SourceTable> {
    let (name, file) = match arguments {
        [name] => (name, None),
        [name, file] => (name, Some(file.as_str())),
        _ => return Err(Error::usage("name a process: incoming('PROCESS'[, 'FILE'])")),
    };
    let mut process = now(process::check(instance, name))?;
    if let Some(file) = file {
        let at = process.source.with_file(&as_found(file)?);
        process.source = at.map_err(|problem| all(&[problem]))?;
        process.schedule = None;
    }
    let options = read_options(&process.source, &instance.config().limits)?;
    let layout = layout(&process)?;
    let sources = Sources::of(instance);
    let file = waited(|| {
        let Some(found) = sources.of_process(&process)? else {
            return Err(Error::runtime(sources.none_there(&process.source)));
        };
        OpenFile::open(found, options)?.with_rare_keys(&layout.source_columns())
    })?;
    SourceTable::typed(file, &layout, relation)
}

fn customers_at(instance: &Instance, arguments: &[String]) -> Result<SnapshotTable> {
    let [version] = arguments else {
        return Err(Error::usage("name a version: customers_at(7)"));
    };
    let log = instance.customers()?;
    let snapshot = now(history::at_version(&log, version_of(version)?))?;
    Ok(SnapshotTable::new(Arc::new(snapshot)))
}

fn version_of(text: &str) -> Result<u64> {
    text.parse().map_err(|_| {
        Error::usage(format!("{text:?} is no version of customers"))
            .hint("list the versions with: sluice history")
    })
}

fn changes(
    instance: &Instance,
    session: &dyn Session,
    arguments: &[String],
) -> Result<Arc<dyn TableProvider>> {
    let [run] = arguments else {
        return Err(Error::usage("name a run: changes('RUN')"));
    };
    let log = instance.customers()?;
    now(async {
        let run_id = resolve_commit(instance, run).await?;
        history::changes(&log, session, &run_id).await
    })
}

fn diff(instance: &Instance, session: &dyn Session, arguments: &[String]) -> Result<Arc<dyn TableProvider>> {
    let [from, to] = arguments else {
        return Err(Error::usage("name two versions: diff(6, 7)"));
    };
    let log = instance.customers()?;
    now(history::diff(&log, session, version_of(from)?, version_of(to)?))
}

fn history(instance: &Instance, arguments: &[String]) -> Result<Arc<dyn TableProvider>> {
    if !arguments.is_empty() {
        return Err(Error::usage("history takes nothing: history()"));
    }
    let log = instance.customers()?;
    let timeline = now(Timeline::read(&log))?;
    Ok(rows(history::history_schema(), &timeline.rows())?)
}

/// Does what may wait, where a plan is made.
fn waited<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    tokio::task::block_in_place(work)
}

/// Waits for `work`: a table function is called while a plan is made, which is not async; reading a log is.
fn now<T>(work: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work))
}
