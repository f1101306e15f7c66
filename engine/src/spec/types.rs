//! The types an attribute can have.

use std::fmt;
use std::str::FromStr;

use super::problem::Problem;

/// Most digits of a decimal.
pub const MAX_DECIMAL_PRECISION: u8 = 38;
/// Longest `varchar`, in characters of Windows-1252.
pub const MAX_VARCHAR_CHARS: u16 = 8000;
/// Longest `nvarchar`, in UTF-16 code units.
pub const MAX_NVARCHAR_UNITS: u16 = 4000;

/// The type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttributeType {
    /// 32-bit integer.
    Int,
    /// 64-bit integer.
    Bigint,
    /// Exact number.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: i8,
    },
    /// 64-bit floating point, finite.
    Double,
    /// True or false.
    Boolean,
    /// Calendar day, years 0001 to 9999.
    Date,
    /// Instant, UTC microseconds.
    Timestamp,
    /// Text up to 4000 UTF-16 code units, or 8000 characters if all are in Windows-1252.
    String,
    /// Text of at most so many characters, all in Windows-1252; 1 to 8000.
    Varchar(u16),
    /// Text of at most so many UTF-16 code units; 1 to 4000.
    Nvarchar(u16),
    /// Address of a customer; at most one attribute of an instance.
    Email,
}

impl AttributeType {
    /// Whether values are text of a bounded length, which can be truncated.
    pub fn is_string(self) -> bool {
        matches!(self, Self::String | Self::Varchar(_) | Self::Nvarchar(_))
    }

    /// Whether values are text.
    pub fn is_text(self) -> bool {
        self.is_string() || self == Self::Email
    }

    /// Whether values have a calendar day.
    pub fn is_temporal(self) -> bool {
        matches!(self, Self::Date | Self::Timestamp)
    }
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int => f.write_str("int"),
            Self::Bigint => f.write_str("bigint"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Double => f.write_str("double"),
            Self::Boolean => f.write_str("boolean"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::String => f.write_str("string"),
            Self::Varchar(chars) => write!(f, "varchar({chars})"),
            Self::Nvarchar(units) => write!(f, "nvarchar({units})"),
            Self::Email => f.write_str("email"),
        }
    }
}

impl FromStr for AttributeType {
    type Err = Problem;

    /// Reads a type in any case, blanks allowed inside and around the brackets.
    fn from_str(text: &str) -> Result<Self, Problem> {
        let lower = text.trim().to_ascii_lowercase();
        match lower.as_str() {
            "int" => Ok(Self::Int),
            "bigint" => Ok(Self::Bigint),
            "double" => Ok(Self::Double),
            "boolean" => Ok(Self::Boolean),
            "date" => Ok(Self::Date),
            "timestamp" => Ok(Self::Timestamp),
            "string" => Ok(Self::String),
            "email" => Ok(Self::Email),
            _ => sized(text, &lower),
        }
    }
}

/// The types with arguments.
fn sized(text: &str, lower: &str) -> Result<AttributeType, Problem> {
    let (word, arguments) = match lower.strip_suffix(')').and_then(|open| open.split_once('(')) {
        Some((word, arguments)) => (word.trim_end(), Some(arguments)),
        None => (lower, None),
    };
    match word {
        "decimal" => arguments.and_then(decimal).ok_or_else(|| {
            let remedy = "write decimal(p,s) with p from 1 to 38 and s from 0 to p, as decimal(18,2)";
            Problem::new("type", format!("`{text}` is no decimal type"), remedy)
        }),
        "varchar" => length(text, arguments, MAX_VARCHAR_CHARS).map(AttributeType::Varchar),
        "nvarchar" => length(text, arguments, MAX_NVARCHAR_UNITS).map(AttributeType::Nvarchar),
        _ => Err(Problem::new(
            "type",
            format!("`{text}` is no type"),
            "write int, bigint, decimal(p,s), double, boolean, date, timestamp, string, varchar(n), nvarchar(n) or email",
        )),
    }
}

fn decimal(arguments: &str) -> Option<AttributeType> {
    let (precision, scale) = arguments.split_once(',')?;
    let precision = digits(precision)?;
    let scale = digits(scale)?;
    let legal = (1..=u16::from(MAX_DECIMAL_PRECISION)).contains(&precision) && scale <= precision;
    let ty = AttributeType::Decimal {
        precision: u8::try_from(precision).ok()?,
        scale: i8::try_from(scale).ok()?,
    };
    legal.then_some(ty)
}

fn length(text: &str, arguments: Option<&str>, most: u16) -> Result<u16, Problem> {
    arguments
        .and_then(digits)
        .filter(|length| (1..=most).contains(length))
        .ok_or_else(|| {
            let word = if most == MAX_VARCHAR_CHARS {
                "varchar"
            } else {
                "nvarchar"
            };
            let remedy = format!("write {word}(n) with n from 1 to {most}");
            Problem::new("type", format!("`{text}` has no legal length"), remedy)
        })
}

/// A number of plain digits: `parse` alone would take a sign.
fn digits(text: &str) -> Option<u16> {
    let text = text.trim();
    text.bytes()
        .all(|c| c.is_ascii_digit())
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_reads_back_as_it_prints() {
        for text in [
            "int",
            "bigint",
            "decimal(38,38)",
            "decimal(1,0)",
            "double",
            "boolean",
            "date",
            "timestamp",
            "string",
            "varchar(1)",
            "varchar(8000)",
            "nvarchar(4000)",
            "email",
        ] {
            assert_eq!(text.parse::<AttributeType>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn case_and_blanks_do_not_matter() {
        let ty: AttributeType = " Decimal ( 18 , 2 ) ".parse().unwrap();
        assert_eq!(
            ty,
            AttributeType::Decimal {
                precision: 18,
                scale: 2
            }
        );
        assert_eq!("NVARCHAR(10)".parse(), Ok(AttributeType::Nvarchar(10)));
    }

    #[test]
    fn arguments_outside_the_limits_are_refused_with_the_limits() {
        for (text, remedy) in [
            ("decimal(39,0)", "1 to 38"),
            ("decimal(0,0)", "1 to 38"),
            ("decimal(5,6)", "0 to p"),
            ("decimal(5,-1)", "0 to p"),
            ("decimal(18)", "decimal(18,2)"),
            ("decimal", "decimal(18,2)"),
            ("varchar(8001)", "1 to 8000"),
            ("varchar(0)", "1 to 8000"),
            ("varchar", "1 to 8000"),
            ("varchar(+5)", "1 to 8000"),
            ("nvarchar(4001)", "1 to 4000"),
            ("nvarchar()", "1 to 4000"),
        ] {
            let problem = text.parse::<AttributeType>().unwrap_err();
            assert!(problem.remedy.contains(remedy), "{text}: {problem}");
        }
    }

    #[test]
    fn an_unknown_type_is_refused_with_the_known_ones() {
        for text in ["", "text", "int(4)", "strin", "decimal(1,1", "(5)"] {
            let problem = text.parse::<AttributeType>().unwrap_err();
            assert!(problem.remedy.contains("varchar"), "{text}: {problem}");
        }
    }
}
