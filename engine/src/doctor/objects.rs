//! The steps of a bucket.

use std::sync::Arc;

use chrono::TimeDelta;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, ObjectMeta, ObjectStore};

use super::finding::{Check, Outcome};
use super::network::Web;
use super::plan::Probe;
use crate::error::{Error, Result};
use crate::source::objects::connect::{connect_with, gcs_endpoint, s3_endpoint};
use crate::source::objects::faults::{About, Asked, about, worded};
use crate::source::objects::{Authorities, Patience};
use crate::source::{Sources, ask, blocking};
use crate::spec::{Connection, path_of};

/// Clocks may differ by so much until S3 refuses a signature.
const TOLERATED_BY_S3: TimeDelta = TimeDelta::minutes(15);
/// The same for a token of Google's.
const TOLERATED_BY_GOOGLE: TimeDelta = TimeDelta::minutes(5);
/// Objects among which one is looked for that has bytes to read.
const LOOKED_AT: usize = 1000;

/// A connection to S3 or Google Cloud Storage.
pub(super) struct ObjectProbe {
    sources: Sources,
    connection: Connection,
    /// URL of the folder that is looked into, if one is known.
    place: Option<String>,
    web: Result<Web, Outcome>,
    store: Option<Arc<dyn ObjectStore>>,
    /// How the listing ended, made when it was found out who we are.
    listed: Option<Outcome>,
    file: Option<ObjectMeta>,
}

impl ObjectProbe {
    pub(super) fn new(sources: &Sources, connection: &Connection, place: Option<String>) -> Self {
        let endpoint = match connection {
            Connection::S3(s3) => s3_endpoint(s3, sources.base()),
            Connection::Gcs(gcs) => gcs_endpoint(gcs, sources.base()),
            Connection::Sftp(_) | Connection::Snowflake(_) => Err(Error::usage("it has no buckets")),
        };
        Self {
            sources: sources.clone(),
            connection: connection.clone(),
            place,
            // A file that cannot be read is told by the secrets.
            web: endpoint
                .and_then(|url| Web::of(&url))
                .map(|web| web.trusting(Authorities::of(connection, sources.base()).unwrap_or_default()))
                .map_err(Outcome::from),
            store: None,
            listed: None,
            file: None,
        }
    }

    fn tolerated(&self) -> TimeDelta {
        match self.connection {
            Connection::Gcs(_) => TOLERATED_BY_GOOGLE,
            _ => TOLERATED_BY_S3,
        }
    }

    async fn secrets(&mut self) -> Result<Outcome> {
        let scheme = match self.connection {
            Connection::Gcs(_) => "gs",
            _ => "s3",
        };
        // Secrets are those of any bucket.
        let place = self.place.clone().unwrap_or_else(|| format!("{scheme}://any"));
        let (connection, base) = (self.connection.clone(), self.sources.base().to_owned());
        let connecting = move || connect_with(&place, Some(&connection), &base, &Patience::of_a_look());
        self.store = Some(blocking(connecting).await?);
        Ok(Outcome::good("all are where the connection says"))
    }

    async fn login(&mut self) -> Result<Outcome> {
        let (Some(store), Some(place)) = (self.store.clone(), self.place.clone()) else {
            return Ok(Outcome::skipped(
                "no bucket is known to ask for: write root = \"s3://BUCKET\", or gs://BUCKET, into the connection",
            ));
        };
        let prefix = prefix_of(&place)?;
        let listing = ask(async move { Ok(first_files(&store, &prefix).await) }).await?;
        let known = Outcome::good("the store knows who asks");
        match listing {
            Ok(files) => {
                let seen = match files.len() {
                    LOOKED_AT => format!("{LOOKED_AT} objects or more in {place}"),
                    number => format!("{number} objects in {place}"),
                };
                self.file = files.into_iter().find(|file| file.size > 0);
                self.listed = Some(Outcome::good(seen));
                Ok(known)
            }
            Err(error) => {
                let said = about(&error);
                let outcome = Outcome::from(worded(error, Asked::List).in_file(place));
                match said {
                    About::Permission | About::Bucket => {
                        self.listed = Some(outcome);
                        Ok(known)
                    }
                    About::Identity | About::Other => Ok(outcome),
                }
            }
        }
    }

    async fn read(&self) -> Result<Outcome> {
        let (Some(store), Some(file)) = (self.store.clone(), self.file.clone()) else {
            return Ok(Outcome::skipped("there is no file to read"));
        };
        let seen = format!("the first byte of {}", file.location);
        let reading = async move {
            let options = GetOptions {
                range: Some((0..1).into()),
                if_match: file.e_tag.filter(|etag| !etag.starts_with("W/")),
                ..GetOptions::default()
            };
            let read = async { store.get_opts(&file.location, options).await?.bytes().await };
            let shown = file.location.to_string();
            read.await
                .map_err(|error| worded(error, Asked::Read).in_file(shown))
        };
        ask(reading).await.map(|_| Outcome::good(seen))
    }
}

impl Probe for ObjectProbe {
    async fn probe(&mut self, check: Check) -> Outcome {
        let tolerated = self.tolerated();
        let outcome = match (check, &mut self.web) {
            (Check::Secrets, _) => self.secrets().await,
            (Check::Login, _) => self.login().await,
            (Check::List, _) => Ok(self
                .listed
                .clone()
                .unwrap_or_else(|| Outcome::skipped("no bucket is known"))),
            (Check::Read, _) => self.read().await,
            (_, Ok(web)) => Ok(web.step(check, tolerated).await),
            (_, Err(outcome)) => Ok(outcome.clone()),
        };
        outcome.unwrap_or_else(Outcome::from)
    }
}

fn prefix_of(place: &str) -> Result<Path> {
    Path::parse(path_of(place).trim_matches('/')).map_err(|error| {
        Error::usage("the root can be no folder of a bucket")
            .because(error)
            .in_file(place)
    })
}

async fn first_files(store: &Arc<dyn ObjectStore>, prefix: &Path) -> object_store::Result<Vec<ObjectMeta>> {
    store.list(Some(prefix)).take(LOOKED_AT).try_collect().await
}
