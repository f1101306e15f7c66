//! What a customer of the table costs a merge, by the share of customers that change.

use sluice_engine::spec::Encoding;

/// Seconds a customer at one share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    /// Rows of the change set by customers of the table.
    pub share: f64,
    /// Copying what stays; it grows with the columns.
    pub copied: f64,
    /// Everything else; columns that stay have no part in it.
    pub other: f64,
}

/// Straight lines between points; below the least share the cost goes with the pages that are hit, above the largest as
/// the last line does.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve(Vec<Point>);

impl Curve {
    /// A curve through `points`, whose shares ascend.
    pub fn through(points: Vec<Point>) -> Self {
        Self(points)
    }

    /// What a customer costs at `share`.
    pub fn at(&self, share: f64) -> Point {
        let Some(least) = self.0.first() else {
            return Point {
                share,
                copied: 0.0,
                other: 0.0,
            };
        };
        if share <= least.share || self.0.len() < 2 {
            let part = hit(share) / hit(least.share);
            return Point {
                share,
                copied: least.copied * part,
                other: least.other * part,
            };
        }
        let after = self.0.iter().position(|point| share <= point.share);
        let after = after.unwrap_or(self.0.len() - 1);
        match self.0.get(after - 1..=after) {
            Some([low, high]) => between(*low, *high, share),
            _ => *least,
        }
    }
}

fn between(low: Point, high: Point, share: f64) -> Point {
    let part = (share - low.share) / (high.share - low.share);
    let line = |low: f64, high: f64| (low + (high - low) * part).max(0.0);
    Point {
        share,
        copied: line(low.copied, high.copied),
        other: line(low.other, high.other),
    }
}

/// The share of pages that hold a changed row, if changed rows are anywhere.
fn hit(share: f64) -> f64 {
    let page_rows = Encoding::default().page_rows as f64;
    1.0 - (1.0 - share.clamp(0.0, 1.0)).powf(page_rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve() -> Curve {
        Curve::through(vec![
            Point {
                share: 0.01,
                copied: 4.0,
                other: 2.0,
            },
            Point {
                share: 0.1,
                copied: 4.0,
                other: 3.0,
            },
            Point {
                share: 1.0,
                copied: 2.0,
                other: 12.0,
            },
        ])
    }

    fn at(share: f64) -> (f64, f64) {
        let Point { copied, other, .. } = curve().at(share);
        (copied, other)
    }

    #[test]
    fn it_goes_through_what_was_measured_and_is_straight_between() {
        assert_eq!(
            [at(0.01), at(0.1), at(1.0)],
            [(4.0, 2.0), (4.0, 3.0), (2.0, 12.0)]
        );
        let (copied, other) = at(0.055);
        assert!(
            (copied - 4.0).abs() < 1e-9 && (other - 2.5).abs() < 1e-9,
            "{other}"
        );
    }

    #[test]
    fn few_changed_customers_cost_the_pages_they_hit() {
        let (copied, _) = at(1e-6);
        let pages = 1e-6 * Encoding::default().page_rows as f64;
        assert!((copied / 4.0 / pages - 1.0).abs() < 0.01, "{copied}");
        assert!(at(0.002).0 > 3.9, "one in five hundred hits nearly every page");
    }

    #[test]
    fn more_rows_than_customers_go_on_as_the_last_line_does_and_never_below_nothing() {
        assert!((at(1.9).1 - 21.0).abs() < 1e-9);
        assert_eq!(at(10.0).0, 0.0);
    }
}
