//! Row rules, compiled once and evaluated batch by batch on the core that decoded the batch.
//!
//! All built-in predicates become one projection, so that DataFusion shares what they have in common; the user's
//! expressions become a second one. A user's expression can fail on a value (a division by zero kills a batch), so
//! when the second projection errs, each of its rules is tried alone and the batch is halved down to the row:
//!
//! ```text
//!   rows 0..8 err ─▶ 0..4 fine, 4..8 err ─▶ 4..6 err, 6..8 fine ─▶ 4 fine, 5 err: rule_error on row 5 alone
//! ```

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, RecordBatch, RecordBatchOptions, UInt16Array,
    new_null_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow::compute::{cast, not};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::prelude::SessionContext;

use super::rule::{Check, Rule};
use super::udf::unsupported_among;
use crate::decode::layout::SUSPICIOUS;
use crate::error::{Error, Result};
use crate::session::sibling;
use crate::stage::{BatchStore, StageBudget, StageTable};

/// What the rows of a batch broke: row and number of the rule, in row order.
pub type Broken = Vec<(u32, u16)>;

/// The row rules of a process, ready to run.
#[derive(Debug, Clone)]
pub struct RowRules {
    builtin: Projection,
    user: Option<Projection>,
    user_alone: Vec<Projection>,
    /// The rule that an error of a user's rule breaks, by the user's rule.
    errors: Vec<u16>,
}

/// Expressions over a batch, and the schema of what they make.
type Step = (Vec<Arc<dyn PhysicalExpr>>, SchemaRef);

/// Expressions evaluated one after the other: what common subexpressions need first, then the predicates.
#[derive(Debug, Clone)]
struct Projection {
    /// The columns of a batch that the first step reads, by name: a batch may have others.
    leaf: SchemaRef,
    steps: Vec<Step>,
    /// The numbers of the rules, in output order.
    rules: Vec<u16>,
    check: Check,
}

impl RowRules {
    /// Compiles the row rules among `rules` over batches of `schema`.
    ///
    /// # Errors
    /// SQL of a user that does not plan, or is no expression over one row.
    pub async fn compile(ctx: &SessionContext, rules: &[Rule], schema: &SchemaRef) -> Result<Self> {
        let numbered = |check: Check| -> Vec<(u16, &Rule)> {
            let of_check = rules.iter().enumerate().filter(|(_, rule)| rule.check == check);
            of_check.map(|(number, rule)| (number as u16, rule)).collect()
        };
        let builtin = Projection::compile(ctx, &numbered(Check::Row), Check::Row, schema).await?;
        let users = numbered(Check::UserRow);
        let mut user_alone = Vec::with_capacity(users.len());
        for rule in &users {
            user_alone.push(Projection::compile(ctx, &[*rule], Check::UserRow, schema).await?);
        }
        let user = match users.as_slice() {
            [] => None,
            all => Some(Projection::compile(ctx, all, Check::UserRow, schema).await?),
        };
        let error_of = |user: &Rule| {
            rules
                .iter()
                .position(|r| r.check == Check::Error && r.sql == user.id)
        };
        let errors = users
            .iter()
            .filter_map(|(_, rule)| error_of(rule))
            .map(|number| number as u16)
            .collect();
        Ok(Self {
            builtin,
            user,
            user_alone,
            errors,
        })
    }

    /// The columns that the rules read; [`Self::evaluate`] needs no others.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let projections = std::iter::once(&self.builtin)
            .chain(&self.user)
            .chain(&self.user_alone);
        let names = projections.flat_map(|projection| projection.leaf.fields());
        let mut columns: Vec<&str> = names.map(|field| field.name().as_str()).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Finds what each row of `batch` broke.
    ///
    /// # Errors
    /// A column of [`Self::columns`] is missing, or a built-in rule failed, which none does on any data.
    pub fn evaluate(&self, batch: &RecordBatch) -> Result<Broken> {
        let mut broken = Broken::new();
        self.builtin.evaluate(batch, &mut broken)?;
        if let Some(user) = &self.user {
            let mut found = Broken::new();
            if user.evaluate(batch, &mut found).is_err() {
                found.clear();
                for (rule, error) in self.user_alone.iter().zip(&self.errors) {
                    rule.halve(batch, 0, *error, &mut found);
                }
            }
            broken.append(&mut found);
        }
        broken.sort_unstable();
        Ok(broken)
    }
}

impl Projection {
    async fn compile(
        ctx: &SessionContext,
        rules: &[(u16, &Rule)],
        check: Check,
        schema: &SchemaRef,
    ) -> Result<Self> {
        let (leaf, steps) = if rules.is_empty() {
            (Arc::new(Schema::empty()), Vec::new())
        } else {
            steps(ctx, rules, schema).await?
        };
        Ok(Self {
            leaf,
            steps,
            rules: rules.iter().map(|(number, _)| *number).collect(),
            check,
        })
    }

    fn evaluate(&self, batch: &RecordBatch, broken: &mut Broken) -> Result<()> {
        if batch.num_rows() == 0 || self.steps.is_empty() {
            return Ok(());
        }
        let mut current = self.leaf_of(batch)?;
        for (expressions, schema) in &self.steps {
            let columns = expressions
                .iter()
                .map(|expression| expression.evaluate(&current)?.into_array(current.num_rows()))
                .collect::<datafusion::common::Result<Vec<_>>>()?;
            current = RecordBatch::try_new(Arc::clone(schema), columns)?;
        }
        for (column, rule) in current.columns().iter().zip(&self.rules) {
            let answers = self.offenders(&cast(column, &DataType::Boolean)?)?;
            if answers.true_count() > 0 {
                broken.extend(
                    answers
                        .values()
                        .set_indices()
                        .filter(|row| answers.is_valid(*row))
                        .map(|row| (row as u32, *rule)),
                );
            }
        }
        Ok(())
    }

    /// The columns of `batch` that the first step reads; there may be none.
    fn leaf_of(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let column = |field: &FieldRef| -> Result<ArrayRef> {
            Ok(Arc::clone(
                batch.column(batch.schema_ref().index_of(field.name())?),
            ))
        };
        let columns = self.leaf.fields().iter().map(column).collect::<Result<_>>()?;
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.leaf),
            columns,
            &rows,
        )?)
    }

    /// A built-in's predicate is true for an offender, a user's expression is false.
    fn offenders(&self, answers: &dyn Array) -> Result<BooleanArray> {
        let answers = answers.as_boolean();
        Ok(if self.check == Check::UserRow {
            not(answers)?
        } else {
            answers.clone()
        })
    }

    fn halve(&self, batch: &RecordBatch, first_row: u32, error: u16, broken: &mut Broken) {
        let mut found = Broken::new();
        if self.evaluate(batch, &mut found).is_ok() {
            broken.extend(found.into_iter().map(|(row, rule)| (row + first_row, rule)));
        } else if batch.num_rows() == 1 {
            broken.push((first_row, error));
        } else {
            let half = batch.num_rows() / 2;
            self.halve(&batch.slice(0, half), first_row, error, broken);
            self.halve(
                &batch.slice(half, batch.num_rows() - half),
                first_row + half as u32,
                error,
                broken,
            );
        }
    }
}

/// Plans the rules as one query over `incoming` and takes its leaf's columns and its projections out of the plan.
async fn steps(
    ctx: &SessionContext,
    rules: &[(u16, &Rule)],
    schema: &SchemaRef,
) -> Result<(SchemaRef, Vec<Step>)> {
    let empty = BatchStore::new(Arc::clone(schema), StageBudget::new(0, std::env::temp_dir()));
    let plan_ctx = sibling(ctx);
    plan_ctx.register_table("incoming", Arc::new(StageTable::new(Arc::new(empty))))?;
    let mut logical = Vec::with_capacity(rules.len());
    let df_schema = DFSchema::try_from_qualified_schema("incoming", schema)?;
    for (number, rule) in rules {
        let expression = plan_ctx
            .state()
            .create_logical_expr(&rule.sql, &df_schema)
            .map_err(|e| not_an_expression(rule).because(e))?;
        logical.push(looking_at_suspects(expression, schema)?.alias(format!("r{number}")));
    }
    let failed = |e| named(rules).because(datafusion::error::DataFusionError::strip_backtrace(&e));
    let plan = plan_ctx
        .table("incoming")
        .await?
        .select(logical)
        .map_err(failed)?;
    reject_subqueries(plan.logical_plan(), rules)?;
    let physical = plan.create_physical_plan().await.map_err(failed)?;
    collect_steps(&physical, rules)
}

/// The same expression, asking for unsupported characters only where the decoder saw a byte of one.
fn looking_at_suspects(expression: Expr, schema: &SchemaRef) -> Result<Expr> {
    if schema.column_with_name(SUSPICIOUS).is_none() {
        return Ok(expression);
    }
    let among = Arc::new(unsupported_among());
    let changed = expression.transform_up(|node| match node {
        Expr::ScalarFunction(call)
            if call.name() == "has_unsupported" && matches!(call.args.as_slice(), [Expr::Column(_)]) =>
        {
            let suspected = Expr::Column(Column::new(Some("incoming"), SUSPICIOUS));
            let args = call.args.into_iter().chain([suspected]).collect();
            let call = ScalarFunction::new_udf(Arc::clone(&among), args);
            Ok(Transformed::yes(Expr::ScalarFunction(call)))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(changed.data)
}

fn collect_steps(plan: &Arc<dyn ExecutionPlan>, rules: &[(u16, &Rule)]) -> Result<(SchemaRef, Vec<Step>)> {
    let Some(projection) = plan.downcast_ref::<ProjectionExec>() else {
        return match plan.children().as_slice() {
            [] => Ok((plan.schema(), Vec::new())),
            // Repartitioning and coalescing change no row.
            [child] => collect_steps(child, rules),
            _ => Err(named(rules)
                .hint("a row rule is an expression over one record; write a set rule with SELECT")),
        };
    };
    let (leaf, mut steps) = collect_steps(projection.input(), rules)?;
    let expressions = projection.expr().iter().map(|e| Arc::clone(&e.expr)).collect();
    steps.push((expressions, projection.schema()));
    Ok((leaf, steps))
}

fn reject_subqueries(plan: &LogicalPlan, rules: &[(u16, &Rule)]) -> Result<()> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found |= matches!(node, LogicalPlan::Subquery(_));
        Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
    })?;
    if found {
        Err(named(rules).hint("a subquery belongs into a set rule: a SELECT that returns record_no"))
    } else {
        Ok(())
    }
}

fn not_an_expression(rule: &Rule) -> Error {
    Error::usage(format!(
        "the rule {} is not an expression over the columns of incoming",
        rule.id
    ))
    .hint("a row rule is true for a good record, such as spend >= 0; `sluice rules` shows the columns")
}

fn named(rules: &[(u16, &Rule)]) -> Error {
    let ids: Vec<&str> = rules.iter().map(|(_, rule)| rule.id.as_str()).collect();
    Error::usage(format!("a row rule does not plan ({})", ids.join(", ")))
}

/// The carrier column of what rows broke: a list of rule numbers, NULL for a clean row.
#[must_use]
pub fn broken_column(num_rows: usize, broken: &Broken) -> ArrayRef {
    if broken.is_empty() {
        return new_null_array(broken_field().data_type(), num_rows);
    }
    let mut num_rules = vec![0; num_rows];
    for (row, _) in broken {
        if let Some(rules) = num_rules.get_mut(*row as usize) {
            *rules += 1;
        }
    }
    let rules = UInt16Array::from_iter_values(broken.iter().map(|(_, rule)| *rule));
    let nulls = NullBuffer::new(BooleanBuffer::collect_bool(num_rows, |row| {
        num_rules.get(row).is_some_and(|rules| *rules > 0)
    }));
    let item = Arc::new(Field::new("item", DataType::UInt16, true));
    let offsets = OffsetBuffer::from_lengths(num_rules);
    Arc::new(ListArray::new(item, offsets, Arc::new(rules), Some(nulls)))
}

/// The field of [`broken_column`].
#[must_use]
pub fn broken_field() -> FieldRef {
    let item = Arc::new(Field::new("item", DataType::UInt16, true));
    Arc::new(Field::new(
        crate::decode::layout::BROKEN,
        DataType::List(item),
        true,
    ))
}
