//! The steps of an instance.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use super::finding::{Check, Outcome};
use super::plan::Probe;
use super::space;
use crate::document::conditions::{self, Heed, REMEDY};
use crate::error::Result;
use crate::ids;
use crate::instance::Instance;
use crate::settings::Settings;
use crate::source::objects::faults::{Asked, worded};

/// What a test writes, and expects to read.
const CONTENT: &[u8] = b"sluice doctor";

/// An instance.
pub(super) struct InstanceProbe<'a> {
    pub(super) instance: &'a Instance,
    pub(super) settings: &'a Settings,
    pub(super) num_processes: usize,
}

impl InstanceProbe<'_> {
    fn config(&self) -> Outcome {
        let config = self.instance.config();
        Outcome::good(format!(
            "format {}, {} connections, {} processes",
            config.format,
            config.connections.len(),
            self.num_processes
        ))
    }

    /// Where commits go.
    fn store(&self) -> Result<Arc<dyn ObjectStore>> {
        Ok(self.instance.customers()?.store().object_store(None))
    }

    async fn write(&self) -> Result<Outcome> {
        let store = self.store()?;
        let path = Path::from(name());
        let written = async {
            store.put(&path, PutPayload::from_static(CONTENT)).await?;
            let read = store.get(&path).await?.bytes().await?;
            store.delete(&path).await?;
            Ok(read)
        };
        Ok(match written.await {
            Ok(read) if read == CONTENT => Outcome::good("an object was written, read and removed"),
            Ok(_) => Outcome::failed(
                "another content was read than written",
                "check the disk, or the store",
            ),
            Err(error) => Outcome::failed(
                worded(error, Asked::Write).to_string(),
                "let the user who runs sluice write, read and remove objects in the instance",
            ),
        })
    }

    async fn replace(&self) -> Result<Outcome> {
        let document = self.instance.root().document(&name());
        let found = conditions::replace(&document).await;
        document.discard().await?;
        Ok(reported(found?))
    }

    async fn create(&self) -> Result<Outcome> {
        Ok(reported(conditions::create(&self.store()?, &name()).await?))
    }
}

fn reported(heed: Heed) -> Outcome {
    match heed {
        Heed::Heeded(seen) => Outcome::good(seen),
        Heed::Ignored(showed) => Outcome::failed(showed, REMEDY),
    }
}

/// A name that nobody else has.
fn name() -> String {
    format!("_doctor-{}", ids::new_run_id())
}

impl Probe for InstanceProbe<'_> {
    async fn probe(&mut self, check: Check) -> Outcome {
        let outcome = match check {
            Check::Config => Ok(self.config()),
            Check::Write => self.write().await,
            Check::Create => self.create().await,
            Check::Replace => self.replace().await,
            _ => space::look(&std::env::temp_dir(), self.settings.memory_bytes as u64),
        };
        outcome.unwrap_or_else(Outcome::from)
    }
}
