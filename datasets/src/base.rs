//! A wide table of existing customers, to start an instance from.

use std::io::{self, BufWriter, Write};

use crate::customers::CHUNK_BYTES;
use crate::expected::Expected;
use crate::ids::{IdOrder, Ids};
use crate::record::{push_spend, push_words};
use crate::rng::Rng;
use crate::text::{DAY_2012, DAY_2024, push_cid, push_date, push_number, push_padded, push_timestamp};
use crate::words::{REGIONS, SEGMENTS};

/// Cells of a million that are empty.
const EMPTY_PER_MILLION: u64 = 50_000;

/// A customer base to write as CSV: `customer_id`, then attributes of mixed types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CustomerBase {
    /// Customers to write, ids ascending.
    pub rows: u64,
    /// Attributes beside the key.
    pub attributes: usize,
    /// The same settings and seed give the same bytes.
    pub seed: u64,
    /// The lowest id, written as in a [`CustomerFile`](crate::CustomerFile).
    pub first_id: u64,
}

/// A column of the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseColumn {
    /// Header and attribute name, such as `segment_001`; none is the name of a customer file's attribute.
    pub name: String,
    /// The attribute type that its values fit.
    pub data_type: &'static str,
}

/// What an attribute holds; attributes take turns.
#[derive(Debug, Clone, Copy)]
enum Content {
    Segment,
    FirstOrder,
    LifetimeValue,
    LastVisit,
    Visits,
    Subscribed,
    Balance,
    ChurnScore,
    Region,
    Remark,
}

impl Content {
    const TURNS: [Self; 10] = [
        Self::Segment,
        Self::FirstOrder,
        Self::LifetimeValue,
        Self::LastVisit,
        Self::Visits,
        Self::Subscribed,
        Self::Balance,
        Self::ChurnScore,
        Self::Region,
        Self::Remark,
    ];

    /// The stem of the column's name, and its type.
    fn column(self) -> (&'static str, &'static str) {
        match self {
            Self::Segment => ("segment", "string"),
            Self::FirstOrder => ("first_order", "date"),
            Self::LifetimeValue => ("lifetime_value", "decimal(18,2)"),
            Self::LastVisit => ("last_visit", "timestamp"),
            Self::Visits => ("visits", "int"),
            Self::Subscribed => ("subscribed", "boolean"),
            Self::Balance => ("balance", "bigint"),
            Self::ChurnScore => ("churn_score", "double"),
            Self::Region => ("region", "string"),
            Self::Remark => ("remark", "string"),
        }
    }

    fn push(self, out: &mut Vec<u8>, rng: &mut Rng) {
        match self {
            Self::Segment => out.extend_from_slice(rng.pick(&SEGMENTS).as_bytes()),
            Self::FirstOrder => push_date(out, DAY_2012 + rng.below(DAY_2024 - DAY_2012)),
            Self::LifetimeValue => push_spend(out, rng),
            Self::LastVisit => push_timestamp(out, DAY_2024, 700, rng),
            Self::Visits => push_number(out, rng.below(5_000)),
            Self::Subscribed => out.extend_from_slice(rng.pick(&["true", "false"]).as_bytes()),
            Self::Balance => push_number(out, rng.below(1 << 40)),
            Self::ChurnScore => {
                out.extend_from_slice(b"0.");
                push_padded(out, rng.below(10_000), 4);
            }
            Self::Region => out.extend_from_slice(rng.pick(&REGIONS).as_bytes()),
            Self::Remark => push_words(out, rng),
        }
    }
}

impl CustomerBase {
    /// The key, then the attributes, in the order of the file.
    pub fn columns(&self) -> Vec<BaseColumn> {
        let key = BaseColumn {
            name: String::from("customer_id"),
            data_type: "string",
        };
        let attributes = self.contents().zip(1..).map(|(content, number)| {
            let (stem, data_type) = content.column();
            BaseColumn {
                name: format!("{stem}_{number:03}"),
                data_type,
            }
        });
        std::iter::once(key).chain(attributes).collect()
    }

    /// Writes the base and returns its rows and bytes.
    ///
    /// # Errors
    /// `InvalidInput` when the ids run past 64 bits; whatever `out` returns.
    pub fn write(&self, out: &mut impl Write) -> io::Result<Expected> {
        let ids = Ids::new(IdOrder::Ascending, self.first_id, self.rows, self.rows, self.seed)?;
        let mut rng = Rng::seeded(self.seed);
        let mut out = BufWriter::with_capacity(CHUNK_BYTES, out);
        let names: Vec<String> = self.columns().into_iter().map(|column| column.name).collect();
        let mut line = names.join(",").into_bytes();
        line.push(b'\n');
        out.write_all(&line)?;
        let mut bytes = line.len() as u64;
        for row in 0..self.rows {
            line.clear();
            push_cid(&mut line, ids.at(row));
            for content in self.contents() {
                line.push(b',');
                if !rng.chance(EMPTY_PER_MILLION) {
                    content.push(&mut line, &mut rng);
                }
            }
            line.push(b'\n');
            out.write_all(&line)?;
            bytes += line.len() as u64;
        }
        out.flush()?;
        Ok(Expected {
            rows: self.rows,
            bytes,
            ..Expected::default()
        })
    }

    fn contents(&self) -> impl Iterator<Item = Content> + use<> {
        Content::TURNS.into_iter().cycle().take(self.attributes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(base: CustomerBase) -> String {
        let mut csv = Vec::new();
        let expected = base.write(&mut csv).unwrap();
        assert_eq!((expected.rows, expected.bytes), (base.rows, csv.len() as u64));
        String::from_utf8(csv).unwrap()
    }

    #[test]
    fn every_row_of_the_base_has_every_column_and_its_own_id() {
        let base = CustomerBase {
            rows: 500,
            attributes: 33,
            seed: 9,
            first_id: 100,
        };
        let csv = written(base);
        let mut lines = csv.lines();
        let names: Vec<String> = base.columns().into_iter().map(|column| column.name).collect();
        assert_eq!(lines.next(), Some(names.join(",").as_str()));
        assert_eq!(names.len(), 34);
        for (line, id) in lines.by_ref().zip(100..) {
            assert_eq!(line.split(',').count(), 34, "{line}");
            assert!(line.starts_with(&format!("C{id:08},")), "{line}");
        }
        assert_eq!(csv.lines().count(), 501);
    }

    #[test]
    fn base_attributes_are_unique_and_valid_names() {
        let mut names: Vec<String> = CustomerBase {
            rows: 0,
            attributes: 200,
            seed: 0,
            first_id: 0,
        }
        .columns()
        .into_iter()
        .map(|column| column.name)
        .collect();
        assert!(names.iter().all(|name| {
            name.starts_with(|first: char| first.is_ascii_lowercase())
                && name.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_'))
        }));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 201);
    }

    #[test]
    fn the_same_seed_writes_the_same_base() {
        let base = CustomerBase {
            rows: 50,
            attributes: 12,
            seed: 4,
            first_id: 1,
        };
        assert_eq!(written(base), written(base));
        assert_ne!(written(base), written(CustomerBase { seed: 5, ..base }));
    }
}
