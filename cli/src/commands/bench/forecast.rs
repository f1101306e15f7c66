//! A forecast for people.

use super::model::{Forecast, Phase, Stage};
use super::outcome::Outcome;
use crate::render::{Align, columns, megabytes, thousands};

impl Forecast {
    /// For people; with a bench of that size, how far off it is.
    pub fn words(&self, measured: Option<&Outcome>) -> String {
        let mut text = format!(
            "{} customers by {} attributes, from a bench of {} by {}\n",
            thousands(self.customers),
            self.attributes,
            thousands(self.measured.customers),
            self.measured.attributes
        );
        let mut head = vec![
            "step",
            "rows",
            "file",
            "seconds",
            "instance",
            "log",
            "memory",
            "seconds are",
        ];
        let mut aligns = vec![Align::Right; head.len()];
        aligns[0] = Align::Left;
        aligns[head.len() - 1] = Align::Left;
        if measured.is_some() {
            head.splice(4..4, ["measured", "times"]);
            aligns.splice(4..4, [Align::Right, Align::Right]);
        }
        let mut lines = vec![head.into_iter().map(str::to_owned).collect()];
        lines.extend(self.phases.iter().map(|phase| {
            let mut line = phase.line();
            line.splice(
                4..4,
                measured.into_iter().flat_map(|outcome| against(phase, outcome)),
            );
            line
        }));
        text.push_str(&columns(&aligns, &lines));
        text.push_str(&format!(
            "{} files of customers after optimize\nnot known:\n",
            thousands(self.files)
        ));
        for unknown in &self.unknown {
            text.push_str(&format!("  {unknown}\n"));
        }
        text
    }
}

impl Phase {
    fn line(&self) -> Vec<String> {
        let size = |bytes: Option<u64>| bytes.map(in_words).unwrap_or_default();
        let memory = match self.stage {
            Some(Stage::Disk) => format!("{}, rest on disk", size(self.peak_rss_bytes)),
            _ => size(self.peak_rss_bytes),
        };
        let terms: Vec<String> = self
            .terms
            .iter()
            .map(|term| format!("{} {:.2}", term.what, term.seconds))
            .collect();
        vec![
            self.step.clone(),
            thousands(self.rows),
            size(self.file_bytes),
            format!("{:.2}", self.seconds),
            size(self.disk_bytes),
            size(self.log_bytes),
            memory,
            terms.join(" + "),
        ]
    }
}

/// From 10 GB on in GB.
fn in_words(bytes: u64) -> String {
    match bytes {
        ..10_000_000_000 => megabytes(bytes),
        _ => format!("{} GB", thousands(bytes / 1_000_000_000)),
    }
}

/// What was measured, and how many times as much that is; nothing of a bench that gave the step a much larger or smaller
/// file.
fn against(phase: &Phase, outcome: &Outcome) -> [String; 2] {
    let is_of_its_size = |rows: u64| (phase.rows / 2..=phase.rows * 2).contains(&rows);
    let mut steps = outcome.steps.iter();
    let step = steps.find(|step| step.step == phase.step && is_of_its_size(step.rows));
    step.map_or_else(Default::default, |step| {
        [
            format!("{:.2}", step.seconds),
            format!("{:.2}", step.seconds / phase.seconds),
        ]
    })
}
