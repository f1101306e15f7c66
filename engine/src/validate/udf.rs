//! The functions that rules call beside DataFusion's own, registered by name in one place.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use datafusion::common::{Result as DfResult, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
    create_udf,
};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;

use super::text;
use crate::table::schemas::timestamp;

/// Registers every function of ours.
pub fn register(ctx: &SessionContext) {
    for function in [
        text_function("utf16_units", DataType::Int64, |texts| {
            Arc::new(text::utf16_units_column(texts))
        }),
        text_function("is_windows_1252", DataType::Boolean, |texts| {
            Arc::new(text::is_windows_1252_column(texts))
        }),
        text_function("has_unsupported", DataType::Boolean, |texts| {
            Arc::new(text::has_unsupported_column(texts))
        }),
        text_function("is_email", DataType::Boolean, |texts| {
            Arc::new(text::is_email_column(texts))
        }),
        text_function("trim_blanks", DataType::Utf8View, |texts| {
            Arc::new(text::trimmed_column(texts))
        }),
    ] {
        ctx.register_udf(function);
    }
    ctx.register_udf(ScalarUDF::new_from_impl(LocalDate::new()));
    ctx.register_udf(ScalarUDF::new_from_impl(LongerThan::new()));
    ctx.register_udf(unsupported_among());
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

/// `longer_than(text, 4000)`: whether the text has more UTF-16 units than that; NULL has not.
#[derive(Debug, PartialEq, Eq, Hash)]
struct LongerThan {
    signature: Signature,
}

impl LongerThan {
    fn new() -> Self {
        let accepted = [DataType::Utf8View, DataType::Utf8, DataType::LargeUtf8]
            .map(|text| TypeSignature::Exact(vec![text, DataType::Int64]));
        Self {
            signature: Signature::one_of(accepted.to_vec(), Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for LongerThan {
    fn name(&self) -> &'static str {
        "longer_than"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _args: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let Some(ColumnarValue::Scalar(ScalarValue::Int64(Some(units)))) = args.args.get(1) else {
            return exec_err!("longer_than takes a length as a literal");
        };
        let units = usize::try_from(*units).unwrap_or(0);
        on_array(args, &DataType::Utf8View, |texts| {
            Ok(Arc::new(text::longer_than_column(texts.as_string_view(), units)))
        })
    }
}

/// `has_unsupported_among(text, suspected)`: `has_unsupported(text)`, where it is known that it is false of every row
/// that is not suspected.
pub(super) fn unsupported_among() -> ScalarUDF {
    let arguments = vec![DataType::Utf8View, DataType::Boolean];
    create_udf(
        "has_unsupported_among",
        arguments,
        DataType::Boolean,
        Volatility::Immutable,
        Arc::new(|arguments| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let [texts, suspected] = arrays.as_slice() else {
                return exec_err!("has_unsupported_among takes a text and whether it is suspected");
            };
            let found = text::has_unsupported_among(texts.as_string_view(), suspected.as_boolean());
            Ok(ColumnarValue::Array(Arc::new(found)))
        }),
    )
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
            if zone == Tz::UTC {
                let days = |micros: i64| micros.div_euclid(MICROS_OF_A_DAY) as i32;
                return Ok(Arc::new(instants.unary::<_, Date32Type>(days)));
            }
            let dates: Date32Array = instants.iter().map(|micros| local_days(micros?, &zone)).collect();
            Ok(Arc::new(dates))
        })
    }
}

/// A day without a change of clocks.
const MICROS_OF_A_DAY: i64 = 86_400_000_000;

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
