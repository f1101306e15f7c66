//! `sluice customer`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::error::ArrowError;
use clap::Args;
use futures::TryStreamExt;
use sluice_engine::maintain::Forgetting;
use sluice_engine::session::new_session;
use sluice_engine::{Error, history};

use crate::context::Context;
use crate::error::Result;
use crate::printer::{self, Cells, Object, OutputFormat};
use crate::render;
use crate::session::Session;
use crate::shell::sql_literal;
use crate::talk::{Answer, confirm, is_asked};

/// Shows one customer, an attribute a line
///
/// Its history has a line for each cell that a run or a rollback changed, oldest first, with the value before and
/// after, and for each reason for which a record of it was rejected.
///
/// To forget a customer is to remove it from every table and from every version of them, with its rejects and what logs,
/// events and messages say of it, and then to search all bytes of the instance for it. Versions that held it can not be
/// read, compared or gone back to any more, and whoever reads one at that moment fails. A later file registers the
/// customer again.
#[derive(Debug, Args)]
pub struct CustomerArgs {
    /// The customer id, exactly as the source writes it
    cid: String,
    /// Show everything that happened to it
    #[arg(long)]
    history: bool,
    /// Remove it from the instance for good, and prove it
    #[arg(long, conflicts_with = "history")]
    forget: bool,
    /// Say what forgetting would remove, and remove nothing
    #[arg(long, requires = "forget")]
    dry_run: bool,
    /// Answer yes to every question
    #[arg(long, short, requires = "forget")]
    yes: bool,
}

/// Shows the customer.
///
/// # Errors
/// There is no such customer.
pub async fn run(context: &Context, args: &CustomerArgs) -> Result<()> {
    if args.forget {
        return forget(context, args).await;
    }
    if args.history {
        return tell_history(context, &args.cid).await;
    }
    let session = context.session().await?;
    let query = format!(
        "SELECT * FROM customers WHERE customer_id = {}",
        sql_literal(&args.cid)
    );
    let batches: Vec<RecordBatch> = session
        .query(&query)
        .await?
        .try_collect()
        .await
        .map_err(Error::from)?;
    let Some(found) = batches.iter().find(|batch| batch.num_rows() > 0) else {
        return Err(not_found(context, &args.cid).into());
    };
    let table = upright(found, &owners(&session).await?)?;
    printer::print_batch(&table, context.settings.output)
}

async fn forget(context: &Context, args: &CustomerArgs) -> Result<()> {
    let object = Object::of(context.settings.output)?;
    let instance = context.instance().await?;
    let settings = context.settings.engine(&instance.config().defaults);
    if !args.yes && !args.dry_run && !is_asked() {
        return Err(Error::usage("forgetting a customer cannot be undone")
            .hint("see what it would do with --dry-run, then say --yes")
            .wrote("nothing")
            .into());
    }
    let planned = Forgetting::plan(&instance, &settings, &args.cid).await?;
    if args.dry_run || planned.report().is_empty() {
        let report = planned.give_up().await;
        return object.print(&report, || render::forgotten(&report));
    }
    if !args.yes {
        context.say(render::forgetting(planned.report()));
        if let Err(no) = confirm("forget this customer for good?", Answer::Asked).await {
            planned.give_up().await;
            return Err(no);
        }
    }
    let report = planned.carry_out().await?;
    object.print(&report, || render::forgotten(&report))
}

async fn tell_history(context: &Context, cid: &str) -> Result<()> {
    let instance = context.instance().await?;
    let settings = context.settings.engine(&instance.config().defaults);
    let ctx = new_session(&settings, settings.memory_bytes)?;
    let story = history::trace(&instance, &ctx, cid).await?;
    for note in &story.notes {
        context.say(format!("note: {note}"));
    }
    if story.rows.is_empty() {
        return Err(not_found(context, cid).into());
    }
    let mut table = history::trace_batch(&story.rows)?;
    if context.settings.output == OutputFormat::Table {
        table = table.project(&history::TRACE_BRIEF).map_err(Error::from)?;
    }
    printer::print_batch(&table, context.settings.output)
}

fn not_found(context: &Context, cid: &str) -> Error {
    let start: String = cid.chars().take(3).collect();
    let like = sql_literal(&format!("{start}%"));
    Error::runtime(format!("there is no customer {cid:?}"))
        .hint("customer ids are compared byte by byte: case and blanks count")
        .hint(format!(
            "look for it: {} sql \"SELECT customer_id FROM customers WHERE customer_id LIKE {like} LIMIT 10\"",
            context.program()
        ))
}

/// What the view `attributes` says of one.
struct Owner {
    ty: String,
    process: String,
}

async fn owners(session: &Session) -> Result<HashMap<String, Owner>> {
    let rows = session
        .texts("SELECT attribute, type, process FROM attributes")
        .await?;
    let owner = |row: Vec<String>| {
        let mut row = row.into_iter();
        Some((
            row.next()?,
            Owner {
                ty: row.next()?,
                process: row.next()?,
            },
        ))
    };
    Ok(rows.into_iter().filter_map(owner).collect())
}

/// The first row of `customer`, a line for each attribute.
fn upright(customer: &RecordBatch, owners: &HashMap<String, Owner>) -> Result<RecordBatch, ArrowError> {
    let schema = customer.schema_ref();
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let names: StringArray = names.map(Some).collect();
    let owned = |part: fn(&Owner) -> &str| -> ArrayRef {
        let parts = names.iter().map(|name| owners.get(name?).map(part));
        Arc::new(parts.collect::<StringArray>())
    };
    let value = |column: &ArrayRef| {
        let cells = Cells::of(column)?;
        if cells.is_null(0) {
            Ok(None)
        } else {
            cells.text(0).map(Some)
        }
    };
    let values = customer
        .columns()
        .iter()
        .map(value)
        .collect::<Result<StringArray, ArrowError>>()?;
    let (types, processes) = (owned(|owner| &owner.ty), owned(|owner| &owner.process));
    let named: [(&str, ArrayRef); 4] = [
        ("attribute", Arc::new(names.clone())),
        ("type", types),
        ("value", Arc::new(values)),
        ("process", processes),
    ];
    debug_assert!(
        named
            .iter()
            .all(|(_, column)| column.len() == customer.num_columns())
    );
    RecordBatch::try_from_iter_with_nullable(named.map(|(name, column)| (name, column, true)))
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;

    use super::*;

    #[test]
    fn a_customer_is_shown_an_attribute_a_line_with_its_owner() {
        let cid: ArrayRef = Arc::new(StringArray::from(vec!["C1"]));
        let orders: ArrayRef = Arc::new(Int64Array::from(vec![None]));
        let row =
            RecordBatch::try_from_iter_with_nullable([("customer_id", cid, false), ("orders", orders, true)])
                .unwrap();
        let owner = Owner {
            ty: "int".into(),
            process: "crm".into(),
        };
        let table = upright(&row, &HashMap::from([("orders".to_owned(), owner)])).unwrap();
        let texts = |place: usize| {
            let cells = Cells::of(table.column(place)).unwrap();
            [cells.text(0).unwrap(), cells.text(1).unwrap()]
        };
        assert_eq!(texts(0), ["customer_id", "orders"]);
        assert_eq!(texts(1), ["", "int"]);
        assert_eq!(texts(2), ["C1", ""]);
        assert_eq!(texts(3), ["", "crm"]);
    }
}
