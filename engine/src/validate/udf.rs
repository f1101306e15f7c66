//! The functions that rules call beside DataFusion's own, registered by name in one place.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, Int64Array, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use datafusion::common::{Result as DfResult, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;

use super::text;
use crate::table::schemas::timestamp;

/// Registers every function of ours.
pub fn register(ctx: &SessionContext) {
    for function in [
        text_function("utf16_units", DataType::Int64, |texts| Arc::new(lengths(texts))),
        text_function("is_windows_1252", DataType::Boolean, |texts| {
            answers(texts, text::is_windows_1252)
        }),
        text_function("has_unsupported", DataType::Boolean, |texts| {
            answers(texts, text::has_unsupported)
        }),
        text_function("is_email", DataType::Boolean, |texts| {
            answers(texts, text::is_email)
        }),
        text_function("trim_blanks", DataType::Utf8View, |texts| {
            Arc::new(trimmed(texts))
        }),
    ] {
        ctx.register_udf(function);
    }
    ctx.register_udf(ScalarUDF::new_from_impl(LocalDate::new()));
}

fn lengths(texts: &StringViewArray) -> Int64Array {
    texts
        .iter()
        .map(|t| t.map(|t| text::utf16_units(t) as i64))
        .collect()
}

/// What `trim` makes of cells: SQL's own takes off spaces and no other blank.
fn trimmed(texts: &StringViewArray) -> StringViewArray {
    texts.iter().map(|t| t.map(str::trim)).collect()
}

fn answers(texts: &StringViewArray, ask: fn(&str) -> bool) -> ArrayRef {
    Arc::new(texts.iter().map(|t| t.map(ask)).collect::<BooleanArray>())
}

type Apply = fn(&StringViewArray) -> ArrayRef;

fn text_function(name: &'static str, returns: DataType, apply: Apply) -> ScalarUDF {
    let signature = Signature::new(TypeSignature::String(1), Volatility::Immutable);
    ScalarUDF::new_from_impl(TextFunction {
        name,
        returns,
        signature,
        apply,
    })
}

/// A function of one text.
#[derive(Debug, Clone)]
struct TextFunction {
    name: &'static str,
    returns: DataType,
    signature: Signature,
    apply: Apply,
}

/// There is one function of a name.
impl PartialEq for TextFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for TextFunction {}

impl std::hash::Hash for TextFunction {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for TextFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _args: &[DataType]) -> DfResult<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        on_array(args, &DataType::Utf8View, |texts| {
            Ok((self.apply)(texts.as_string_view()))
        })
    }
}

/// Applies `apply` to the first argument as an array of `data_type`; a scalar stays a scalar.
fn on_array(
    args: ScalarFunctionArgs,
    data_type: &DataType,
    apply: impl Fn(&dyn Array) -> DfResult<ArrayRef>,
) -> DfResult<ColumnarValue> {
    let is_scalar = matches!(args.args.first(), Some(ColumnarValue::Scalar(_)));
    let Some(value) = args.args.into_iter().next() else {
        return exec_err!("an argument is missing");
    };
    let rows = if is_scalar { 1 } else { args.number_rows };
    let array = cast(&value.into_array(rows)?, data_type)?;
    let result = apply(array.as_ref())?;
    if is_scalar {
        Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?))
    } else {
        Ok(ColumnarValue::Array(result))
    }
}

/// `local_date(instant, 'Europe/Madrid')`: the calendar date that a clock there showed.
#[derive(Debug, PartialEq, Eq, Hash)]
struct LocalDate {
    signature: Signature,
}

impl LocalDate {
    fn new() -> Self {
        let accepted = TypeSignature::Exact(vec![timestamp(), DataType::Utf8]);
        Self {
            signature: Signature::new(accepted, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for LocalDate {
    fn name(&self) -> &'static str {
        "local_date"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _args: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Date32)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let Some(ColumnarValue::Scalar(zone)) = args.args.get(1) else {
            return exec_err!("local_date takes a time zone as a literal");
        };
        let Ok(zone) = zone.try_as_str().flatten().unwrap_or_default().parse::<Tz>() else {
            return exec_err!("local_date does not know the time zone {zone}");
        };
        on_array(args, &timestamp(), |instants| {
            let instants = instants.as_primitive::<TimestampMicrosecondType>();
            let dates: Date32Array = instants.iter().map(|micros| local_days(micros?, &zone)).collect();
            Ok(Arc::new(dates))
        })
    }
}

fn local_days(micros: i64, zone: &Tz) -> Option<i32> {
    let local = DateTime::from_timestamp_micros(micros)?
        .with_timezone(zone)
        .date_naive();
    i32::try_from(
        local
            .signed_duration_since(NaiveDate::from_ymd_opt(1970, 1, 1)?)
            .num_days(),
    )
    .ok()
}
