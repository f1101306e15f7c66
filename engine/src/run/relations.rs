//! The relations that rules speak of, made of what a load staged.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringViewBuilder, StructArray};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::prelude::SessionContext;

use super::load::Loaded;
use crate::decode::layout::{self, INVALID_ENCODING, Layout, RAW};
use crate::decode::{OpenFile, RecordReader, record_bytes};
use crate::error::Result;
use crate::plan::quoted;
use crate::stage::StageTable;

/// Columns of `incoming`: position, encoding faults, key, attributes, `raw`.
#[must_use]
pub fn incoming_schema(layout: &Layout, source_columns: &[String]) -> SchemaRef {
    let mut fields: Vec<FieldRef> = layout::position_fields();
    fields.extend(layout.value_fields());
    fields.push(layout::invalid_encoding_field());
    fields.push(layout::raw_field(source_columns));
    Arc::new(Schema::new(fields))
}

/// The well-formed records as `incoming`. `raw` is read again from the record's bytes, and only when asked for.
#[must_use]
pub fn incoming(loaded: &Loaded, layout: &Layout, file: &OpenFile) -> Arc<dyn TableProvider> {
    let columns = file.header.unique_columns();
    let schema = incoming_schema(layout, &columns);
    let (out, reader) = (Arc::clone(&schema), file.record_reader());
    let positions = file.positions(&columns).unwrap_or_default();
    let derive = move |batch: &RecordBatch, wanted: &[usize]| -> Result<RecordBatch> {
        let made: Vec<ArrayRef> = wanted
            .iter()
            .map(|position| match out.field(*position).name().as_str() {
                RAW => raw_structs(batch, &columns, &positions, &reader),
                name => Ok(Arc::clone(batch.column(batch.schema().index_of(name)?))),
            })
            .collect::<Result<_>>()?;
        let projected = Arc::new(out.project(wanted)?);
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(projected, made, &options)?)
    };
    Arc::new(StageTable::derived(
        Arc::clone(&loaded.staged),
        schema,
        Arc::new(derive),
    ))
}

fn raw_structs(
    batch: &RecordBatch,
    names: &[String],
    positions: &[usize],
    reader: &RecordReader,
) -> Result<ArrayRef> {
    let rows: Vec<usize> = (0..batch.num_rows()).collect();
    let mut builders: Vec<StringViewBuilder> = names.iter().map(|_| StringViewBuilder::new()).collect();
    for record in record_bytes(batch, &rows)? {
        let cells = reader.cells(&record);
        for (builder, position) in builders.iter_mut().zip(positions) {
            builder.append_option(
                cells
                    .get(*position)
                    .and_then(|cell| std::str::from_utf8(cell).ok()),
            );
        }
    }
    let columns = builders
        .iter_mut()
        .map(|b| -> ArrayRef { Arc::new(b.finish()) })
        .collect();
    Ok(Arc::new(StructArray::try_new_with_length(
        layout::raw_fields(names),
        columns,
        None,
        batch.num_rows(),
    )?))
}

/// Registers `incoming` and `records`.
///
/// # Errors
/// None but what DataFusion refuses.
pub async fn register(ctx: &SessionContext, loaded: &Loaded, layout: &Layout, file: &OpenFile) -> Result<()> {
    ctx.register_table("incoming", incoming(loaded, layout, file))?;
    ctx.register_table(
        "__malformed",
        Arc::new(StageTable::new(Arc::clone(&loaded.malformed))),
    )?;
    let records = ctx.sql(&records_sql(layout)).await?.into_view();
    ctx.register_table("records", records)?;
    Ok(())
}

fn records_sql(layout: &Layout) -> String {
    let position = layout::POSITION.join(", ");
    let values: Vec<String> = layout.columns().map(|c| quoted(&c.name)).collect();
    let values = values.join(", ");
    let nulls: Vec<String> = layout
        .columns()
        .map(|c| format!("NULL AS {}", quoted(&c.name)))
        .collect();
    format!(
        "SELECT {position}, CAST(NULL AS VARCHAR) AS malformed, {INVALID_ENCODING}, {values}, {RAW} FROM incoming \
         UNION ALL SELECT {position}, malformed, NULL AS {INVALID_ENCODING}, {}, NULL AS {RAW} FROM __malformed",
        nulls.join(", ")
    )
}

/// Positions of the change set's columns in a staged batch: key, record number, attributes as far as they are staged.
///
/// # Errors
/// A batch that was not staged by a run.
pub fn change_columns(staged: &SchemaRef, layout: &Layout) -> Result<Vec<usize>> {
    let mut names = vec![layout.key.name.as_str(), layout::POSITION[0]];
    names.extend(layout.attributes.iter().map(|a| a.name.as_str()));
    let key_and_number = names.drain(..2).map(|name| Ok(staged.index_of(name)?));
    let mut columns: Vec<usize> = key_and_number.collect::<Result<_>>()?;
    columns.extend(names.into_iter().filter_map(|name| staged.index_of(name).ok()));
    Ok(columns)
}
