//! What `process new` starts from: a file that was looked at, and what somebody chose of it.

use std::path::Path;

use super::ownership::{email_attribute, reserved_attributes};
use crate::discover::{
    Chosen, ColumnReport, Preview, SuggestOptions, SuggestedAttribute, process_text, raw_attribute, select,
};
use crate::error::{Error, Result};
use crate::instance::{Instance, all};
use crate::source::{Sources, typed};
use crate::spec::{self, Mapping, Mode, RawAttribute, RawSchedule, Source};

/// A source that was looked at.
#[derive(Debug, Clone)]
pub struct Looked {
    /// What is in it.
    pub preview: Preview,
    /// The source as a process names it.
    pub source: Source,
    options: SuggestOptions,
}

/// What a command line says of a new process; the rest is guessed.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The key column.
    pub key: Option<String>,
    /// What becomes of unknown customers.
    pub mode: Option<Mode>,
    /// `COL[:NAME]=TYPE`, read.
    pub attributes: Vec<Mapping>,
    /// When it runs.
    pub schedule: Option<RawSchedule>,
}

/// Looks at a file by path or URL. May wait.
///
/// # Errors
/// It is not there, empty, damaged, or in a format that is not read.
pub fn look(sources: &Sources, file: &Path, connection: Option<&str>) -> Result<Looked> {
    look_at(sources, typed(file, connection)?)
}

/// Looks at a source. May wait.
///
/// # Errors
/// As [`look`].
pub fn look_at(sources: &Sources, source: Source) -> Result<Looked> {
    let found = sources
        .current(&source)?
        .ok_or_else(|| Error::runtime(sources.none_there(&source)).hint("put a first file there"))?;
    // A folder or pattern stays what the process reads; one file is named in full.
    let url = match source.names_several() {
        true => source.location().to_owned(),
        false => found.url.clone(),
    };
    let connection = source.connection.clone();
    let preview = crate::preview::preview(&found, &url, connection.as_deref())?;
    let options = SuggestOptions {
        connection,
        ..SuggestOptions::new(url)
    };
    Ok(Looked {
        preview,
        source,
        options,
    })
}

impl Looked {
    /// Leaves names to others that they have, and allows as many attributes as the instance does.
    ///
    /// # Errors
    /// The instance cannot be read.
    pub async fn within(mut self, instance: &Instance) -> Result<Self> {
        let snapshot = instance.customers()?.snapshot(None).await?;
        self.options.email = email_attribute(instance, &snapshot).await?;
        let config = instance.config();
        self.options.max_attributes = config.limits.attributes_per_process;
        self.options.reserved = config.reserved_attributes.clone();
        self.options
            .reserved
            .extend(reserved_attributes(instance).await?.into_keys());
        Ok(self)
    }

    /// Most attributes of a process.
    #[must_use]
    pub fn max_attributes(&self) -> usize {
        self.options.max_attributes
    }

    /// The instance's e-mail attribute, where it has one.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.options.email.as_deref()
    }

    /// Names that are taken.
    #[must_use]
    pub fn reserved(&self) -> &[String] {
        &self.options.reserved
    }

    /// What the columns become beside this key, as guessed; and what is left out.
    #[must_use]
    pub fn guessed(&self, key: &str) -> (Vec<SuggestedAttribute>, Vec<String>) {
        select(&self.options, &self.preview.columns, key)
    }

    /// The column that is the likeliest key.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        let likeliest = self.preview.keys.first().map(|key| &key.column);
        let first = self.preview.columns.first().map(|column| &column.name);
        likeliest.or(first).map(String::as_str)
    }

    /// The text of a process: what is wanted, the rest guessed.
    ///
    /// # Errors
    /// A column that is not there.
    pub fn text(&self, wanted: &Wanted) -> Result<String> {
        let key = wanted
            .key
            .as_deref()
            .or_else(|| self.key())
            .unwrap_or_default()
            .to_owned();
        let columns = wanted.attributes.iter().map(|mapping| mapping.column.as_str());
        self.check_columns(columns.chain([key.as_str()]))?;
        let (guessed, notes) = self.guessed(&key);
        let mapped = wanted.attributes.iter();
        let mapped = mapped.map(|mapping| SuggestedAttribute::of_mapping(mapping, &self.preview.columns));
        let (attributes, notes) = match wanted.attributes.is_empty() {
            true => (guessed, notes),
            false => (mapped.collect(), Vec::new()),
        };
        let chosen = Chosen {
            mode: wanted.mode.unwrap_or(Mode::Register),
            key,
            attributes,
            schedule: wanted.schedule.clone(),
        };
        self.text_of(&chosen, &notes)
    }

    /// The text of a process that was chosen in full.
    ///
    /// # Errors
    /// Of the encoder.
    pub fn text_of(&self, chosen: &Chosen, notes: &[String]) -> Result<String> {
        process_text(&self.options, &self.preview.dialect, chosen, notes).map_err(|problem| all(&[problem]))
    }

    fn check_columns<'a>(&self, mut wanted: impl Iterator<Item = &'a str>) -> Result<()> {
        let columns = || self.preview.columns.iter().map(|column| column.name.as_str());
        match wanted.find(|wanted| columns().all(|column| column != *wanted)) {
            None => Ok(()),
            Some(absent) => {
                let there: Vec<String> = columns().map(|column| format!("{column:?}")).collect();
                Err(Error::usage(format!("no column {absent:?}"))
                    .in_file(&self.options.file)
                    .hint(format!("the file has the columns {}", there.join(", "))))
            }
        }
    }
}

/// Attributes as a process file has them, with the formats that were found in the columns.
#[must_use]
pub fn raw_attributes(mappings: &[Mapping], columns: &[ColumnReport]) -> Vec<RawAttribute> {
    let mapped = mappings
        .iter()
        .map(|mapping| SuggestedAttribute::of_mapping(mapping, columns));
    mapped.map(|attribute| raw_attribute(&attribute)).collect()
}

/// A commented example, for a file that is not there yet.
#[must_use]
pub fn example() -> &'static str {
    EXAMPLE
}

/// Reads `--attribute COL[:NAME]=TYPE`, all of them.
///
/// # Errors
/// Every one that cannot be read.
pub fn parse_mappings(texts: &[String]) -> Result<Vec<Mapping>> {
    let (mut mappings, mut problems) = (Vec::new(), Vec::new());
    for text in texts {
        match spec::parse_mapping(text) {
            Ok(mapping) => mappings.push(mapping),
            Err(problem) => problems.push(problem),
        }
    }
    match problems.is_empty() {
        true => Ok(mappings),
        false => Err(all(&problems)),
    }
}

const EXAMPLE: &str = r#"mode = "register"        # or "update": unknown customer IDs are rejected
key  = "cid"             # the column with the customer ID

[source]
url = "customers.csv"

[[attribute]]
column = "Loyalty Tier"  # as in the header, byte for byte
name = "loyalty_tier"
type = "string"          # int bigint decimal(p,s) double boolean date timestamp string varchar(n) nvarchar(n) email
"#;
