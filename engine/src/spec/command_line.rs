//! `--attribute COL[:NAME]=TYPE`.

use std::fmt;
use std::str::FromStr;

use super::names::{check_attribute_name, default_attribute_name};
use super::problem::Problem;
use super::types::AttributeType;

/// A column and the attribute it becomes, as a command line gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The source's column.
    pub column: String,
    /// Name of the attribute.
    pub name: String,
    /// Type of the attribute.
    pub ty: AttributeType,
}

impl Mapping {
    /// The mapping of a column under its default name.
    pub fn of_column(column: &str, ty: AttributeType) -> Self {
        Self {
            column: column.to_owned(),
            name: default_attribute_name(column),
            ty,
        }
    }
}

impl fmt::Display for Mapping {
    /// Prints what [`parse_mapping`] reads back, as short as it can be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.column.chars() {
            match c {
                ':' | '=' | '\\' => write!(f, "\\{c}")?,
                _ => write!(f, "{c}")?,
            }
        }
        if self.name != default_attribute_name(&self.column) {
            write!(f, ":{}", self.name)?;
        }
        write!(f, "={}", self.ty)
    }
}

impl FromStr for Mapping {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        parse_mapping(text)
    }
}

/// Reads `COL[:NAME]=TYPE`: the last `=` and, before it, the last `:` divide; `\` makes the next character data.
///
/// # Errors
/// No `=`, an empty column, a name or type that is none. Names reserved by the instance are judged with the process.
pub fn parse_mapping(text: &str) -> Result<Mapping, Problem> {
    let at = format!("--attribute {text}");
    mapping(text).map_err(|problem| Problem { at, ..problem })
}

fn mapping(text: &str) -> Result<Mapping, Problem> {
    let shape = "write COLUMN=TYPE or COLUMN:NAME=TYPE, as \"Loyalty Tier:loyalty_tier=string\"";
    let (left, ty) = split_last(text, '=').ok_or_else(|| Problem::new("", "no `=` before a type", shape))?;
    let (column, name) = match split_last(left, ':') {
        Some((column, name)) => (column, Some(unescaped(name)?)),
        None => (left, None),
    };
    let column = unescaped(column)?;
    if column.is_empty() {
        return Err(Problem::new("", "no column", shape));
    }
    let name = name.unwrap_or_else(|| default_attribute_name(&column));
    check_attribute_name(&name, &[]).map_err(|problem| Problem {
        remedy: format!(
            "{}: COLUMN:NAME=TYPE; a `:` or `=` in the column is written `\\:` or `\\=`",
            problem.remedy
        ),
        ..problem
    })?;
    let ty = unescaped(ty)?.parse()?;
    Ok(Mapping { column, name, ty })
}

/// Splits at the last divider that no backslash makes data.
fn split_last(text: &str, divider: char) -> Option<(&str, &str)> {
    let mut last = None;
    let mut is_data = false;
    for (place, c) in text.char_indices() {
        match c {
            _ if is_data => is_data = false,
            '\\' => is_data = true,
            _ if c == divider => last = Some(place),
            _ => {}
        }
    }
    let (left, right) = text.split_at(last?);
    Some((left, right.strip_prefix(divider)?))
}

fn unescaped(text: &str) -> Result<String, Problem> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => chars.next().ok_or_else(|| {
                Problem::new(
                    "",
                    "a `\\` with nothing behind it",
                    "write `\\\\` for a backslash that is data",
                )
            })?,
            _ => c,
        });
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping_of(column: &str, name: &str, ty: &str) -> Mapping {
        Mapping {
            column: column.into(),
            name: name.into(),
            ty: ty.parse().unwrap(),
        }
    }

    #[test]
    fn the_last_equals_sign_and_the_last_colon_divide() {
        for (text, mapping) in [
            (
                "Loyalty Tier:loyalty_tier=string",
                mapping_of("Loyalty Tier", "loyalty_tier", "string"),
            ),
            (
                "Loyalty Tier=string",
                mapping_of("Loyalty Tier", "loyalty_tier", "string"),
            ),
            (
                "spend=decimal(18,2)",
                mapping_of("spend", "spend", "decimal(18,2)"),
            ),
            ("a:b:c=int", mapping_of("a:b", "c", "int")),
            ("a=b:c=int", mapping_of("a=b", "c", "int")),
            ("x=y=varchar(10)", mapping_of("x=y", "x_y", "varchar(10)")),
        ] {
            assert_eq!(parse_mapping(text), Ok(mapping), "{text}");
        }
    }

    #[test]
    fn a_backslash_makes_the_next_character_data() {
        assert_eq!(parse_mapping(r"a\:b=int"), Ok(mapping_of("a:b", "a_b", "int")));
        assert_eq!(parse_mapping(r"a\=b:c=int"), Ok(mapping_of("a=b", "c", "int")));
        assert_eq!(parse_mapping(r"a\\b=int"), Ok(mapping_of(r"a\b", "a_b", "int")));
        assert_eq!(parse_mapping(r"a\\:b=int"), Ok(mapping_of(r"a\", "b", "int")));
    }

    #[test]
    fn a_mapping_reads_back_as_it_prints() {
        for (column, name) in [
            ("a:b", "a_b"),
            ("a:b", "c"),
            (r"a\b", "x"),
            ("a=b:c", "d"),
            ("Größe", "size"),
        ] {
            let mapping = mapping_of(column, name, "decimal(18,2)");
            assert_eq!(mapping.to_string().parse(), Ok(mapping));
        }
        assert_eq!(
            mapping_of("Loyalty Tier", "loyalty_tier", "string").to_string(),
            "Loyalty Tier=string"
        );
    }

    #[test]
    fn a_mapping_without_column_name_or_type_is_refused_with_the_text() {
        for (text, what) in [
            ("tier", "no `=`"),
            ("=int", "no column"),
            (":name=int", "no column"),
            ("a:=int", "cannot name"),
            ("a=", "is no type"),
            ("a=strng", "is no type"),
            ("a:Tier=int", "cannot name"),
            ("2nd=int", "cannot name"),
            ("a:line=int", "column of the engine"),
            (r"a\=int", "no `=`"),
            ("a=int\\", "nothing behind"),
        ] {
            let problem = parse_mapping(text).unwrap_err();
            assert!(problem.what.contains(what), "{text}: {problem}");
            assert_eq!(problem.at, format!("--attribute {text}"));
        }
    }
}
