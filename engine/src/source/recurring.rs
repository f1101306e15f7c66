//! Which file a recurring process takes.
//!
//! ```text
//!   first file   exports/Customers.csv        pattern  Customers_%
//!   taken        Customers_1.csv  Customers_1767225600.csv  Customers_x.csv  Customers.csv
//!   not taken    customers_1.csv  Customers_.csv  Customers_1.csv.gz  OldCustomers_1.csv  an empty file
//! ```
//!
//! A local folder has no first file: `exports/` takes any name but hidden ones, `exports/Customers_%.csv` those of the pattern.
//!
//! Of these the last modified one wins, even if it was merged already: older ones are not caught up. Where files are seen
//! while they are written and the last one was modified within [`REST_NS`], the folder is looked at again that much
//! later; a file that is not the same then is left for the next time.

use std::cmp::Ordering;

use super::store::Entry;
use crate::spec::{Source, stem_and_extension};

/// How long a file must not have been modified before it is taken, nanoseconds.
pub const REST_NS: i128 = 5_000_000_000;

/// The names of the files that follow a first one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Name of the first file, where one is named.
    first: Option<String>,
    /// What names begin with, the underscore included; nothing: any name.
    beginning: String,
    /// What names end in, behind the dot; `None`: in anything.
    extension: Option<String>,
}

impl Pattern {
    /// The pattern of a recurring process; none where rows do not come from a file.
    #[must_use]
    pub fn of(source: &Source) -> Option<Self> {
        let url = source.url.as_deref()?;
        let (_, extension) = stem_and_extension(url);
        let first = || url.rsplit('/').next().unwrap_or(url).to_owned();
        Some(Self {
            first: (!source.names_several()).then(first),
            beginning: source.recurring_pattern()?.strip_suffix('%')?.to_owned(),
            extension: (!url.ends_with('/')).then(|| extension.to_owned()),
        })
    }

    /// Whether a file of this name is one of them.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.first.as_deref() == Some(name) || self.serial(name).is_some_and(|serial| !serial.is_empty())
    }

    /// How the pattern is written, with the extension.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.extension.as_deref() {
            None | Some("") => format!("{}%", self.beginning),
            Some(extension) => format!("{}%.{extension}", self.beginning),
        }
    }

    /// What stands between beginning and extension.
    fn serial<'a>(&self, name: &'a str) -> Option<&'a str> {
        let (stem, extension) = stem_and_extension(name);
        let fits = self.extension.as_deref().is_none_or(|wanted| wanted == extension);
        // What is hidden is somebody's scratch, unless the pattern asks for it.
        let is_hidden = self.beginning.is_empty() && name.starts_with('.');
        stem.strip_prefix(self.beginning.as_str())
            .filter(|_| fits && !is_hidden)
    }

    /// The last modified of the files that match and have content.
    #[must_use]
    pub fn newest<'a>(&self, files: &'a [Entry]) -> Option<&'a Entry> {
        files
            .iter()
            .filter(|file| file.version.size_bytes > 0 && self.matches(file.name()))
            .max_by(|a, b| self.order(a, b))
    }

    fn order(&self, a: &Entry, b: &Entry) -> Ordering {
        // The first file has no serial, and is before all that have.
        let serial = |entry: &Entry| self.serial(entry.name()).unwrap_or_default().to_owned();
        let by_time = a.version.modified_ns.cmp(&b.version.modified_ns);
        by_time.then_with(|| by_serial(&serial(a), &serial(b)))
    }
}

/// As numbers where both are, else as text.
fn by_serial(a: &str, b: &str) -> Ordering {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    if !digits(a) || !digits(b) {
        return a.cmp(b);
    }
    let number = |text: &str| text.trim_start_matches('0').to_owned();
    let (x, y) = (number(a), number(b));
    x.len().cmp(&y.len()).then_with(|| x.cmp(&y))
}

/// Whether a file that was seen at `now_ns` may still be growing.
#[must_use]
pub fn is_restless(file: &Entry, now_ns: i128) -> bool {
    now_ns - file.version.modified_ns < REST_NS
}

/// The files that were the same at two looks.
#[must_use]
pub fn at_rest(before: &[Entry], after: Vec<Entry>) -> Vec<Entry> {
    after.into_iter().filter(|file| before.contains(file)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Version;
    use crate::spec::parse_source;

    fn pattern(url: &str, pattern: Option<&str>) -> Pattern {
        let options: Vec<(String, String)> = pattern
            .iter()
            .map(|pattern| ("pattern".to_owned(), (*pattern).to_owned()))
            .collect();
        Pattern::of(&parse_source(url, &options).unwrap()).unwrap()
    }

    fn file(name: &str, modified_ns: i128, size_bytes: u64) -> Entry {
        Entry {
            path: format!("exports/{name}"),
            version: Version {
                size_bytes,
                modified_ns,
                etag: None,
            },
        }
    }

    #[test]
    fn the_first_file_and_those_with_a_serial_and_the_same_extension_match() {
        let found = pattern("s3://b/exports/Customers.csv", None);
        assert_eq!(found.shown(), "Customers_%.csv");
        for name in [
            "Customers.csv",
            "Customers_1.csv",
            "Customers_1767225600.csv",
            "Customers_x_y.csv",
        ] {
            assert!(found.matches(name), "{name}");
        }
        for name in [
            "customers_1.csv",
            "Customers_.csv",
            "Customers_1.csv.gz",
            "OldCustomers_1.csv",
            "Customers2.csv",
            "Customers_1.CSV",
            "Customers_1",
        ] {
            assert!(!found.matches(name), "{name}");
        }
    }

    #[test]
    fn a_serial_of_the_first_file_is_no_part_of_the_pattern() {
        let found = pattern("s3://b/Customers_1.csv.gz", None);
        assert!(found.matches("Customers_2.csv.gz") && !found.matches("Customers_2.csv"));
        assert!(!found.matches("Customers.csv.gz"));
        let own = pattern("s3://b/start.csv", Some("daily_%"));
        assert!(own.matches("daily_3.csv") && own.matches("start.csv") && !own.matches("start_1.csv"));
    }

    #[test]
    fn a_folder_takes_any_name_or_those_of_its_pattern() {
        let any = pattern("in/", None);
        assert!(any.matches("a.csv") && any.matches("b") && any.matches("c.csv.gz"));
        assert!(!any.matches(".a.csv.swp"));
        assert_eq!(any.shown(), "%");
        let some = pattern("in/", Some("Customers_%"));
        assert!(some.matches("Customers_1.csv") && some.matches("Customers_2.parquet"));
        assert!(
            !some.matches("Customers_.csv") && !some.matches("Other_1.csv") && !some.matches("Customers.csv")
        );
        let of_one_kind = pattern("in/Customers_%.csv", None);
        assert!(of_one_kind.matches("Customers_1.csv") && !of_one_kind.matches("Customers_1.csv.gz"));
        assert!(!of_one_kind.matches("Customers.csv"));
        assert_eq!(of_one_kind.shown(), "Customers_%.csv");
    }

    #[test]
    fn the_last_modified_file_wins_and_an_empty_one_never() {
        let found = pattern("s3://b/exports/Customers.csv", None);
        let files = [
            file("Customers_9.csv", 10, 5),
            file("Customers_1.csv", 30, 5),
            file("Customers_2.csv", 40, 0),
            file("Other_1.csv", 50, 5),
        ];
        assert_eq!(found.newest(&files).unwrap().name(), "Customers_1.csv");
        assert!(found.newest(&files[2..]).is_none());
    }

    #[test]
    fn ties_go_to_the_higher_number_and_else_to_the_later_text() {
        let found = pattern("s3://b/exports/Customers.csv", None);
        let newest = |names: &[&str]| {
            let files: Vec<_> = names.iter().map(|name| file(name, 1, 1)).collect();
            found.newest(&files).unwrap().name().to_owned()
        };
        assert_eq!(
            newest(&["Customers_9.csv", "Customers_10.csv", "Customers.csv"]),
            "Customers_10.csv"
        );
        assert_eq!(
            newest(&["Customers_b.csv", "Customers_10.csv"]),
            "Customers_b.csv"
        );
        assert_eq!(
            newest(&["Customers_010.csv", "Customers_9.csv"]),
            "Customers_010.csv"
        );
        let long = "Customers_99999999999999999999999999999999999999999.csv";
        assert_eq!(newest(&[long, "Customers_8.csv"]), long);
    }

    #[test]
    fn a_file_rests_when_it_was_not_modified_for_some_seconds() {
        let young = file("Customers_1.csv", 100, 1);
        assert!(is_restless(&young, 100 + REST_NS - 1) && !is_restless(&young, 100 + REST_NS));
        let before = [
            file("a_1.csv", 7, 1),
            file("a_2.csv", 7, 1),
            file("a_3.csv", 7, 1),
        ];
        let after = vec![
            file("a_1.csv", 7, 2),
            file("a_2.csv", 8, 1),
            file("a_3.csv", 7, 1),
            file("a_4.csv", 7, 1),
        ];
        assert_eq!(at_rest(&before, after), [file("a_3.csv", 7, 1)]);
    }
}
