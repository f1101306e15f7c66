//! The command line as typed.

use clap::Parser;

use crate::commands::Command;
use crate::settings::GlobalArgs;

/// Loads customer attributes from files into one table, and keeps every rejected row in SQL
///
/// A process says which columns of a source become which attributes; a run merges one file, or nothing of it. Try
/// `sluice demo` first.
#[derive(Debug, Parser)]
#[command(
    name = "sluice",
    version,
    arg_required_else_help = true,
    infer_subcommands = false
)]
pub struct Cli {
    /// Options before or after the command.
    #[command(flatten)]
    pub globals: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_stand_before_or_after_the_command() {
        for line in ["sluice -i base --quiet status", "sluice status -i base --quiet"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.globals.instance.as_deref(), Some("base"), "{line}");
            assert!(cli.globals.quiet, "{line}");
        }
    }

    #[test]
    fn a_run_is_strict_or_has_a_budget_but_not_both() {
        assert!(Cli::try_parse_from(["sluice", "run", "p", "--strict"]).is_ok());
        assert!(Cli::try_parse_from(["sluice", "run", "p", "--max-rejects", "1%"]).is_ok());
        assert!(Cli::try_parse_from(["sluice", "run", "p", "--strict", "--max-rejects", "1%"]).is_err());
    }
}
