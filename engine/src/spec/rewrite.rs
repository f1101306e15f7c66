//! A process file with something changed, everything else as it was written.

use serde::Deserialize;
use toml::Spanned;

use super::names::default_attribute_name;
use super::problem::{Findings, Problem};
use super::process::{RawAttribute, RawProcess};
use super::read::Document;
use super::render::render_raw;
use super::types::AttributeType;

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    attribute: Vec<WrittenAttribute>,
}

#[derive(Deserialize)]
struct WrittenAttribute {
    column: Option<String>,
    name: Option<String>,
    #[serde(rename = "type")]
    ty: Option<Spanned<String>>,
}

impl WrittenAttribute {
    fn is(&self, attribute: &str) -> bool {
        let column = self.column.as_deref().unwrap_or_default();
        self.name.as_deref().map_or_else(
            || default_attribute_name(column) == attribute,
            |name| name == attribute,
        )
    }
}

/// The text with another type for `attribute`; `None` where the text has no such attribute with a type.
#[must_use]
pub fn with_type(text: &str, attribute: &str, ty: AttributeType) -> Option<String> {
    let written: Written = toml::from_str(text).ok()?;
    let found = written.attribute.into_iter().find(|found| found.is(attribute))?;
    let mut changed = text.to_owned();
    changed.replace_range(found.ty?.span(), &format!("\"{ty}\""));
    Some(changed)
}

/// The text of a process over the source of another one, with attributes of its own. Mode, key, policies and schedule
/// are the other's; its rules, which are about its attributes, are not.
///
/// # Errors
/// The other's text has problems.
pub fn beside(text: &str, attributes: Vec<RawAttribute>) -> Result<String, Vec<Problem>> {
    let other = read_raw(text)?;
    let process = RawProcess {
        attribute: attributes,
        rule: Vec::new(),
        ..other
    };
    render_raw(&process).map_err(|problem| vec![problem])
}

/// The attributes of a text whose names are not among `known`.
///
/// # Errors
/// The text has problems.
pub fn attributes_beside(text: &str, known: &[&str]) -> Result<Vec<RawAttribute>, Vec<Problem>> {
    let name = |attribute: &RawAttribute| {
        let column = attribute.column.as_deref().unwrap_or_default();
        attribute
            .name
            .clone()
            .unwrap_or_else(|| default_attribute_name(column))
    };
    let all = read_raw(text)?.attribute.into_iter();
    Ok(all
        .filter(|attribute| !known.contains(&name(attribute).as_str()))
        .collect())
}

fn read_raw(text: &str) -> Result<RawProcess, Vec<Problem>> {
    let document = Document::parse(text).map_err(|problem| vec![problem])?;
    let mut findings = Findings::default();
    let raw = document.read(&mut findings);
    match findings.problems.is_empty() {
        true => Ok(raw),
        false => Err(findings.problems),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# mine\nmode = \"register\"\nkey = \"cid\"\n[source]\nurl = \"in/\" # daily\n\
                        [[attribute]]\ncolumn = \"E Mail\" # the address\ntype = \"string\" # text\n\
                        [[attribute]]\nname = \"b\"\ncolumn = \"B\"\ntype = 'int'\n\
                        [schedule]\nevery = \"6h\"\n[[rule]]\nid = \"r\"\nsql = \"b > 0\"\n";

    #[test]
    fn a_type_is_changed_and_not_a_letter_besides() {
        let changed = with_type(TEXT, "e_mail", AttributeType::Email).unwrap();
        assert_eq!(changed, TEXT.replace("\"string\" # text", "\"email\" # text"));
        let changed = with_type(TEXT, "b", AttributeType::Bigint).unwrap();
        assert_eq!(changed, TEXT.replace("'int'", "\"bigint\""));
        assert_eq!(with_type(TEXT, "c", AttributeType::Int), None);
        let inline = "attribute = [{ column = \"A\", type = \"string\" }]";
        let changed = with_type(inline, "a", AttributeType::Email).unwrap();
        assert_eq!(changed, inline.replace("string", "email"));
    }

    #[test]
    fn a_process_beside_another_has_its_source_and_schedule_and_other_attributes() {
        let own = RawAttribute {
            column: Some("C".to_owned()),
            ty: Some("date".to_owned()),
            ..RawAttribute::default()
        };
        let text = beside(TEXT, vec![own.clone()]).unwrap();
        for kept in ["register", "cid", "in/", "6h", "\"C\""] {
            assert!(text.contains(kept), "{kept}: {text}");
        }
        assert!(!text.contains("E Mail") && !text.contains("[[rule]]"), "{text}");
        assert_eq!(attributes_beside(&text, &["e_mail", "b"]), Ok(vec![own]));
        assert_eq!(attributes_beside(TEXT, &["e_mail", "b"]), Ok(Vec::new()));
        assert!(beside("mode = 1", Vec::new()).is_err());
    }
}
