//! `sluice init`.

use clap::Args;
use sluice_engine::adopt::adopt;
use sluice_engine::instance::{Instance, Root};

use crate::context::Context;
use crate::error::Result;
use crate::printer::Object;
use crate::render::thousands;
use crate::shell;

/// Makes an instance: a folder, or a prefix of a bucket, with the tables of one customer base
///
/// With --from, its first customers are those of an existing table: a Delta folder, a Parquet file or several, or a CSV,
/// here or at a URL of s3 or gs; of sftp one Parquet or CSV file. Their attributes belong to `batch`, and no process writes them.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Folder to make it in, or s3://BUCKET/PREFIX or gs://BUCKET/PREFIX [default: that of -i, else the current folder]
    pub path: Option<String>,
    /// Delta folder, Parquet file or pattern, or CSV file to begin with; or the URL of a folder or file
    #[arg(long, value_name = "TABLE_OR_FILES", requires = "key")]
    pub from: Option<String>,
    /// Its column with the customer id
    #[arg(long, value_name = "COLUMN", requires = "from")]
    pub key: Option<String>,
}

/// Makes the instance, and adopts a table.
///
/// # Errors
/// There is an instance already; the table has NULL or repeated keys.
pub async fn run(context: &Context, args: InitArgs) -> Result<()> {
    let object = Object::of(context.settings.output)?;
    let place = args.path.as_deref().or(context.settings.instance.place());
    let instance = Instance::init(Root::named(place.unwrap_or("."))?)
        .await?
        .with_new_hosts(context.settings.new_hosts);
    context.say(format!("made an instance in {}", instance.shown()));
    let (Some(source), Some(key)) = (&args.from, &args.key) else {
        return Ok(());
    };
    let adopted = adopt(
        &instance,
        &context.settings.engine(&instance.config().defaults),
        source,
        key,
    )
    .await
    .map_err(|error| {
        let place = shell::quoted(&instance.shown());
        error.wrote("an instance without customers").hint(format!(
            "the instance is whole and empty; to begin again with init --from, remove {place} first"
        ))
    })?;
    object.print(&adopted, || {
        let counts = [
            (adopted.rows, "customers"),
            (adopted.attributes, "attributes"),
            (adopted.files, "files"),
        ];
        let words = counts
            .map(|(count, word)| format!("{} {word}", thousands(count)))
            .join(", ");
        format!("adopted {words}; version {}", adopted.version)
    })
}
