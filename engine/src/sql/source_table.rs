//! A source file as a table, read as it is asked for.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as DfResult;
use datafusion::datasource::TableType;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream};
use futures::future::ready;
use futures::{TryStreamExt, stream};

use crate::decode::layout::{self, MALFORMED};
use crate::decode::{
    Blanks, CellColumn, CellKind, ChunkDecoder, Decoded, Layout, LoadMeter, OpenFile, Strip, process,
};
use crate::error::Result;
use crate::run::relations::incoming_schema;

/// Which relation of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The well-formed records, typed.
    Incoming,
    /// Every record; a malformed one has its reason and no values.
    Records,
}

/// A file, read anew by each scan.
#[derive(Debug)]
pub struct SourceTable {
    file: OpenFile,
    decoder: Arc<ChunkDecoder>,
    kept: Vec<usize>,
    relation: Relation,
    schema: SchemaRef,
}

impl SourceTable {
    /// The records of `file` as a process with `layout` sees them.
    ///
    /// # Errors
    /// A mapped column that is not there.
    pub fn typed(file: OpenFile, layout: &Layout, relation: Relation) -> Result<Self> {
        file.positions(&layout.source_columns())?;
        let raw = file.header.unique_columns();
        let kept = file.positions(&raw)?;
        let incoming = incoming_schema(layout, &raw);
        let schema = match relation {
            Relation::Incoming => incoming,
            Relation::Records => with_malformed(&incoming),
        };
        let decoder = ChunkDecoder::new(layout.clone(), &file, raw);
        Ok(Self {
            file,
            decoder: Arc::new(decoder),
            kept,
            relation,
            schema,
        })
    }

    /// The records of `file` as text columns under their own names, and where they stand.
    ///
    /// # Errors
    /// None but what opening found.
    pub fn text(file: OpenFile) -> Result<Self> {
        let columns = file.header.unique_columns();
        let kept = file.positions(&columns)?;
        let mut fields: Vec<FieldRef> = columns
            .iter()
            .map(|c| Arc::new(Field::new(c, DataType::Utf8View, true)))
            .collect();
        for field in layout::position_fields() {
            // A column of the file keeps its name; where it stood goes by another then.
            fields.push(Arc::new(
                field
                    .as_ref()
                    .clone()
                    .with_name(free_name(field.name(), &columns)),
            ));
        }
        fields.push(Arc::new(Field::new(
            free_name(MALFORMED, &columns),
            DataType::Utf8,
            true,
        )));
        let text = |source: &String| CellColumn {
            source: source.clone(),
            name: source.clone(),
            kind: CellKind::Text {
                truncate: None,
                strip: Strip::Nothing,
            },
            null_tokens: Vec::new(),
            blanks: Blanks::Data,
        };
        let mut cells = columns.iter().map(text);
        let key = cells
            .next()
            .unwrap_or_else(|| layout::key_column("", Vec::new(), Blanks::Data));
        let layout = Layout {
            key,
            attributes: cells.collect(),
        };
        let decoder = ChunkDecoder::new(layout, &file, columns);
        Ok(Self {
            file,
            decoder: Arc::new(decoder),
            kept,
            relation: Relation::Records,
            schema: Arc::new(Schema::new(fields)),
        })
    }
}

fn with_malformed(incoming: &SchemaRef) -> SchemaRef {
    let mut fields: Vec<FieldRef> = incoming.fields().iter().cloned().collect();
    fields.insert(
        layout::POSITION.len(),
        Arc::new(Field::new(MALFORMED, DataType::Utf8, true)),
    );
    Arc::new(Schema::new(fields))
}

#[async_trait]
impl TableProvider for SourceTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        };
        let names: Vec<&str> = schema.fields().iter().flat_map(names_of).collect();
        let partition = FilePartition {
            file: self.file.clone(),
            decoder: Arc::new(self.decoder.as_ref().clone().only(&names)),
            kept: self.kept.clone(),
            schema: Arc::clone(&schema),
            wants_malformed: self.relation == Relation::Records,
            threads: state.config().target_partitions(),
        };
        Ok(Arc::new(StreamingTableExec::try_new(
            schema,
            vec![Arc::new(partition)],
            None,
            [],
            false,
            limit,
        )?))
    }
}

#[derive(Debug)]
struct FilePartition {
    file: OpenFile,
    decoder: Arc<ChunkDecoder>,
    kept: Vec<usize>,
    schema: SchemaRef,
    wants_malformed: bool,
    threads: usize,
}

impl PartitionStream for FilePartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _ctx: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (schema, decoder) = (Arc::clone(&self.schema), Arc::clone(&self.decoder));
        let wants_malformed = self.wants_malformed;
        let work = move |chunk| -> Result<Vec<RecordBatch>> {
            let Decoded { incoming, malformed } = decoder.decode(chunk)?;
            let bad = malformed.filter(|_| wants_malformed);
            std::iter::once(incoming)
                .chain(bad)
                .map(|batch| shaped(&batch, &schema))
                .collect()
        };
        let meter = Arc::new(LoadMeter::default());
        let batches = stream::once(ready(process(&self.file, &self.kept, meter, self.threads, work)))
            .try_flatten()
            .map_ok(|batches| stream::iter(batches.into_iter().map(DfResult::Ok)))
            .map_err(datafusion::error::DataFusionError::from)
            .try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

/// What is put before a name of ours that a column of the file has.
const PREFIX: &str = "__";

/// The name, with as many prefixes as keep it apart from the columns of the file.
fn free_name(name: &str, columns: &[String]) -> String {
    let mut free = name.to_owned();
    while columns.contains(&free) {
        free.insert_str(0, PREFIX);
    }
    free
}

/// The names by which the decoder may know a column, see [`free_name`].
fn names_of(field: &FieldRef) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(field.name().as_str()), |name| name.strip_prefix(PREFIX))
}

/// The columns of `schema`, by name; what the batch lacks is NULL.
fn shaped(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    // A column of the file may have the name of one of ours: the type tells them apart.
    let named = |name: &str, data_type: &DataType| {
        let columns = batch.schema_ref().fields().iter().zip(batch.columns());
        let mut same = columns.filter(|(field, _)| field.name() == name && field.data_type() == data_type);
        same.next().map(|(_, column)| Arc::clone(column))
    };
    let column = |field: &FieldRef| -> ArrayRef {
        let found = names_of(field).find_map(|name| named(name, field.data_type()));
        found.unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows()))
    };
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let columns = schema.fields().iter().map(column).collect();
    Ok(RecordBatch::try_new_with_options(
        Arc::clone(schema),
        columns,
        &options,
    )?)
}
