//! What `complete` locks, and how an edited process differs from it.

use serde::{Deserialize, Serialize};

use super::process::Process;

/// What stands for a thing that is not there.
const ABSENT: &str = "absent";

/// The locked fields of a completed process, as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// `register` or `update`.
    pub mode: String,
    /// The URL, or else the query.
    pub source: String,
    /// The key column.
    pub key: String,
    /// The attributes, in the order of the file.
    pub attributes: Vec<LockedAttribute>,
}

/// The locked fields of an attribute, as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedAttribute {
    /// The source's column.
    pub column: String,
    /// Name of the attribute.
    pub name: String,
    /// Type of the attribute.
    #[serde(rename = "type")]
    pub ty: String,
}

/// A locked field that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// `mode`, `source`, `key`, or as `attribute loyalty_tier` and `attribute loyalty_tier.type`.
    pub field: String,
    /// What was completed.
    pub was: String,
    /// What is written now.
    pub is: String,
}

impl Locked {
    /// What completing this process locks.
    pub fn of(process: &Process) -> Self {
        let attributes = process.attributes.iter().map(|attribute| LockedAttribute {
            column: attribute.column.clone(),
            name: attribute.name.clone(),
            ty: attribute.ty.to_string(),
        });
        Self {
            mode: process.mode.to_string(),
            source: process.source.location().to_owned(),
            key: process.key.clone(),
            attributes: attributes.collect(),
        }
    }

    /// Where an edited process differs; the order of attributes does not matter.
    pub fn differences(&self, edited: &Process) -> Vec<Difference> {
        let now = Self::of(edited);
        let mut found = Vec::new();
        compare("mode", &self.mode, &now.mode, &mut found);
        compare("source", &self.source, &now.source, &mut found);
        compare("key", &self.key, &now.key, &mut found);
        for was in &self.attributes {
            let field = format!("attribute {}", was.name);
            match now.attribute(&was.name) {
                None => compare(&field, &was.described(), ABSENT, &mut found),
                Some(is) => {
                    compare(&format!("{field}.column"), &was.column, &is.column, &mut found);
                    compare(&format!("{field}.type"), &was.ty, &is.ty, &mut found);
                }
            }
        }
        for is in now
            .attributes
            .iter()
            .filter(|is| self.attribute(&is.name).is_none())
        {
            compare(
                &format!("attribute {}", is.name),
                ABSENT,
                &is.described(),
                &mut found,
            );
        }
        found
    }

    /// The names of the attributes that an edit adds; none where it changes anything else that is locked.
    pub fn additions(&self, edited: &Process) -> Vec<String> {
        let adds = |difference: &Difference| {
            let name = difference.field.strip_prefix("attribute ")?;
            (difference.was == ABSENT).then(|| name.to_owned())
        };
        let differences = self.differences(edited);
        let names: Option<Vec<String>> = differences.iter().map(adds).collect();
        names.unwrap_or_default()
    }

    fn attribute(&self, name: &str) -> Option<&LockedAttribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

impl LockedAttribute {
    fn described(&self) -> String {
        format!("{} from column `{}`", self.ty, self.column)
    }
}

/// Where two versions of a process differ in what completing the first one locked.
pub fn locked_differences(completed: &Process, edited: &Process) -> Vec<Difference> {
    Locked::of(completed).differences(edited)
}

fn compare(field: &str, was: &str, is: &str, found: &mut Vec<Difference>) {
    if was != is {
        found.push(Difference {
            field: field.to_owned(),
            was: was.to_owned(),
            is: is.to_owned(),
        });
    }
}
