//! One cell as text or as JSON.

use std::fmt::{self, Write};
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, GenericListArray, OffsetSizeTrait};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Float16Type, Float32Type, Float64Type};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::escape::{JsonText, write_binary, write_json_string};

/// The cells of one column.
pub struct Cells<'a> {
    nulls: Option<&'a NullBuffer>,
    kind: Kind<'a>,
}

/// What a column's type means for printing.
enum Kind<'a> {
    /// The type that has no values.
    Null,
    /// Bare in JSON: numbers and booleans.
    Bare(ArrayFormatter<'a>),
    /// Bare in JSON if finite, which JSON's numbers are.
    Float(ArrayFormatter<'a>, Box<dyn Fn(usize) -> bool + 'a>),
    /// A string in JSON: text, dates, times.
    Quoted(ArrayFormatter<'a>),
    /// UTF-8 with `\xNN`.
    Binary(Box<dyn Fn(usize) -> &'a [u8] + 'a>),
    /// JSON in every format.
    List(Box<dyn Fn(usize) -> Range<usize> + 'a>, Box<Cells<'a>>),
    /// JSON in every format.
    Struct(Vec<(&'a str, Cells<'a>)>),
    /// JSON in every format: an object whose names are the keys.
    Map(
        Box<dyn Fn(usize) -> Range<usize> + 'a>,
        Box<Cells<'a>>,
        Box<Cells<'a>>,
    ),
    /// The place of each row's value.
    Dictionary(Vec<usize>, Box<Cells<'a>>),
}

impl<'a> Cells<'a> {
    /// The cells of `array`.
    ///
    /// # Errors
    /// A type that Arrow cannot show.
    pub fn of(array: &'a ArrayRef) -> Result<Self, ArrowError> {
        Self::of_dyn(array.as_ref())
    }

    fn of_dyn(array: &'a dyn Array) -> Result<Self, ArrowError> {
        Ok(Self {
            nulls: array.nulls(),
            kind: Kind::of(array)?,
        })
    }

    /// Whether the cell has no value.
    pub fn is_null(&self, row: usize) -> bool {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return true;
        }
        match &self.kind {
            Kind::Null => true,
            Kind::Dictionary(places, values) => places.get(row).is_none_or(|place| values.is_null(*place)),
            _ => false,
        }
    }

    /// The cell as text; NULL is the empty text.
    ///
    /// # Errors
    /// A value that Arrow cannot show, as a date past the end of its calendar.
    pub fn text(&self, row: usize) -> Result<String, ArrowError> {
        let mut text = String::new();
        self.write_text(row, &mut text)?;
        Ok(text)
    }

    /// Appends the cell as text.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn write_text(&self, row: usize, out: &mut String) -> Result<(), ArrowError> {
        if self.is_null(row) {
            return Ok(());
        }
        match &self.kind {
            Kind::Null => Ok(()),
            Kind::Bare(values) | Kind::Float(values, _) | Kind::Quoted(values) => {
                values.value(row).write(out)
            }
            Kind::Binary(bytes) => write_binary(bytes(row), out).map_err(no_room),
            Kind::List(..) | Kind::Struct(_) | Kind::Map(..) => self.write_json(row, out),
            Kind::Dictionary(places, values) => values.write_text(place(places, row), out),
        }
    }

    /// Appends the cell as JSON.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn write_json(&self, row: usize, out: &mut String) -> Result<(), ArrowError> {
        if self.is_null(row) {
            out.push_str("null");
            return Ok(());
        }
        match &self.kind {
            Kind::Null => out.push_str("null"),
            Kind::Bare(values) => values.value(row).write(out)?,
            Kind::Float(values, is_finite) if is_finite(row) => values.value(row).write(out)?,
            Kind::Float(..) => out.push_str("null"),
            Kind::Quoted(_) | Kind::Binary(_) => self.write_json_text(row, out)?,
            Kind::List(range, items) => write_list(range(row), items, out)?,
            Kind::Struct(fields) => write_object(fields, row, out)?,
            Kind::Map(range, keys, values) => write_map(range(row), keys, values, out)?,
            Kind::Dictionary(places, values) => values.write_json(place(places, row), out)?,
        }
        Ok(())
    }

    fn write_json_text(&self, row: usize, out: &mut String) -> Result<(), ArrowError> {
        out.push('"');
        match &self.kind {
            Kind::Binary(bytes) => write_binary(bytes(row), &mut JsonText(out)).map_err(no_room)?,
            Kind::Quoted(values) => values.value(row).write(&mut JsonText(out))?,
            _ => JsonText(out).write_str(&self.text(row)?).map_err(no_room)?,
        }
        out.push('"');
        Ok(())
    }
}

impl<'a> Kind<'a> {
    fn of(array: &'a dyn Array) -> Result<Self, ArrowError> {
        let shown = || ArrayFormatter::try_new(array, &SHOWN);
        Ok(match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Bare(shown()?),
            DataType::Float16 => {
                let values = array.as_primitive::<Float16Type>();
                Self::Float(shown()?, Box::new(|row| values.value(row).is_finite()))
            }
            DataType::Float32 => {
                let values = array.as_primitive::<Float32Type>();
                Self::Float(shown()?, Box::new(|row| values.value(row).is_finite()))
            }
            DataType::Float64 => {
                let values = array.as_primitive::<Float64Type>();
                Self::Float(shown()?, Box::new(|row| values.value(row).is_finite()))
            }
            ty if ty.is_numeric() => Self::Bare(shown()?),
            DataType::Binary => Self::Binary(Box::new(|row| array.as_binary::<i32>().value(row))),
            DataType::LargeBinary => Self::Binary(Box::new(|row| array.as_binary::<i64>().value(row))),
            DataType::BinaryView => Self::Binary(Box::new(|row| array.as_binary_view().value(row))),
            DataType::FixedSizeBinary(_) => {
                Self::Binary(Box::new(|row| array.as_fixed_size_binary().value(row)))
            }
            DataType::List(_) => Self::list(array.as_list::<i32>())?,
            DataType::LargeList(_) => Self::list(array.as_list::<i64>())?,
            DataType::FixedSizeList(_, items) => {
                let (list, length) = (array.as_fixed_size_list(), usize::try_from(*items).unwrap_or(0));
                let range = move |row: usize| row * length..(row + 1) * length;
                Self::List(Box::new(range), Box::new(Cells::of(list.values())?))
            }
            DataType::Struct(fields) => {
                let columns = fields.iter().zip(array.as_struct().columns());
                let cells = columns.map(|(field, column)| Ok((field.name().as_str(), Cells::of(column)?)));
                Self::Struct(cells.collect::<Result<_, ArrowError>>()?)
            }
            DataType::Map(..) => {
                let map = array.as_map();
                let range = |row| offsets(map.value_offsets(), row);
                Self::Map(
                    Box::new(range),
                    Box::new(Cells::of(map.keys())?),
                    Box::new(Cells::of(map.values())?),
                )
            }
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                Self::Dictionary(
                    dictionary.normalized_keys(),
                    Box::new(Cells::of(dictionary.values())?),
                )
            }
            _ => Self::Quoted(shown()?),
        })
    }

    fn list<O: OffsetSizeTrait>(list: &'a GenericListArray<O>) -> Result<Self, ArrowError> {
        let range = |row| offsets(list.value_offsets(), row);
        Ok(Self::List(Box::new(range), Box::new(Cells::of(list.values())?)))
    }
}

/// NULL as nothing; dates and timestamps as RFC 3339.
const SHOWN: FormatOptions<'static> = FormatOptions::new().with_display_error(false);

fn offsets<O: OffsetSizeTrait>(offsets: &[O], row: usize) -> Range<usize> {
    let at = |place: usize| offsets.get(place).map_or(0, |offset| offset.as_usize());
    at(row)..at(row + 1)
}

fn place(places: &[usize], row: usize) -> usize {
    places.get(row).copied().unwrap_or_default()
}

fn write_list(range: Range<usize>, items: &Cells<'_>, out: &mut String) -> Result<(), ArrowError> {
    out.push('[');
    let first = range.start;
    for item in range {
        if item > first {
            out.push(',');
        }
        items.write_json(item, out)?;
    }
    out.push(']');
    Ok(())
}

/// Appends a row of named columns as a JSON object.
///
/// # Errors
/// As [`Cells::text`].
pub fn write_object(fields: &[(&str, Cells<'_>)], row: usize, out: &mut String) -> Result<(), ArrowError> {
    out.push('{');
    for (number, (name, cells)) in fields.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        write_json_string(name, out).map_err(no_room)?;
        out.push(':');
        cells.write_json(row, out)?;
    }
    out.push('}');
    Ok(())
}

fn write_map(
    range: Range<usize>,
    keys: &Cells<'_>,
    values: &Cells<'_>,
    out: &mut String,
) -> Result<(), ArrowError> {
    out.push('{');
    let first = range.start;
    for entry in range {
        if entry > first {
            out.push(',');
        }
        write_json_string(&keys.text(entry)?, out).map_err(no_room)?;
        out.push(':');
        values.write_json(entry, out)?;
    }
    out.push('}');
    Ok(())
}

fn no_room(_: fmt::Error) -> ArrowError {
    ArrowError::MemoryError("a cell could not be written".to_owned())
}

#[cfg(test)]
mod tests;
