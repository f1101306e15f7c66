//! Profiles of `~/.aws`: the files `config` and `credentials`, which the client does not read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use object_store::aws::AmazonS3Builder;

use crate::error::{Error, Result};

/// Sections of a file, and the keys of each.
type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// What a profile says, both files together.
#[derive(Debug, Default)]
pub(super) struct Profile {
    name: String,
    keys: BTreeMap<String, String>,
}

/// Keys by which a profile gets its credentials from somebody else.
const INDIRECT: [&str; 5] = [
    "role_arn",
    "sso_session",
    "sso_start_url",
    "credential_process",
    "login_session",
];

impl Profile {
    /// The profile `name`; without a name that of `AWS_PROFILE`, else the default one, which need not be there.
    ///
    /// # Errors
    /// A profile that was named is not there, or a file cannot be read.
    pub(super) fn read(name: Option<&str>) -> Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let named = name.map(str::to_owned).or_else(|| variable("AWS_PROFILE"));
        let home = variable("HOME").map(|home| PathBuf::from(home).join(".aws"));
        let file = |set: &str, name: &str| {
            variable(set)
                .map(PathBuf::from)
                .or_else(|| home.as_ref().map(|home| home.join(name)))
        };
        let config = text(file("AWS_CONFIG_FILE", "config").as_deref())?;
        let credentials = text(file("AWS_SHARED_CREDENTIALS_FILE", "credentials").as_deref())?;
        Self::of(named.as_deref(), &config, &credentials)
    }

    /// The profile of these two files.
    fn of(name: Option<&str>, config: &str, credentials: &str) -> Result<Self> {
        let shown = name.unwrap_or("default");
        let (config, credentials) = (sections(config), sections(credentials));
        let section = match shown {
            "default" => config.get("default").or_else(|| config.get("profile default")),
            other => config.get(&format!("profile {other}")),
        };
        let keys = credentials.get(shown);
        if name.is_some() && section.is_none() && keys.is_none() {
            return Err(Error::usage(format!("~/.aws has no profile {shown:?}"))
                .hint("list the profiles with: aws configure list-profiles"));
        }
        // What stands in both is taken from credentials.
        let all = section.into_iter().chain(keys).flatten();
        Ok(Self {
            name: shown.to_owned(),
            keys: all.map(|(key, value)| (key.clone(), value.clone())).collect(),
        })
    }

    /// Puts what the profile says into `builder`.
    ///
    /// # Errors
    /// A profile that gets its keys in a way that Sluice does not know.
    pub(super) fn apply(&self, builder: AmazonS3Builder) -> Result<AmazonS3Builder> {
        let get = |key: &str| self.keys.get(key);
        let mut builder = builder;
        if let (Some(id), Some(secret)) = (get("aws_access_key_id"), get("aws_secret_access_key")) {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret);
            if let Some(token) = get("aws_session_token") {
                builder = builder.with_token(token);
            }
        } else if let Some(way) = INDIRECT.iter().find(|key| self.keys.contains_key(**key)) {
            let name = &self.name;
            return Err(Error::usage(format!("the profile {name:?} gets its keys by {way}, which is not followed"))
                .hint(format!(
                    "let the AWS CLI do it: eval \"$(aws configure export-credentials --profile {name} --format env)\""
                )));
        }
        if let Some(region) = get("region").filter(|_| !is_set(["AWS_REGION", "AWS_DEFAULT_REGION"])) {
            builder = builder.with_region(region);
        }
        if let Some(url) =
            get("endpoint_url").filter(|_| !is_set(["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"]))
        {
            builder = builder.with_endpoint(url);
        }
        Ok(builder)
    }
}

/// Whether the environment says so itself, which counts more than a profile.
fn is_set(names: [&str; 2]) -> bool {
    names.iter().any(|name| std::env::var_os(name).is_some())
}

/// The text of a file; nothing of one that is not there.
fn text(path: Option<&Path>) -> Result<String> {
    let Some(path) = path else {
        return Ok(String::new());
    };
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|error| {
            Error::usage("a file of AWS profiles cannot be read")
                .because(error)
                .in_file(path.display().to_string())
        }),
    }
}

/// The sections of a file: `[NAME]`, `key = value`; comments begin with `#` or `;`; an indented line is part of the key
/// above it and means nothing here.
fn sections(text: &str) -> Sections {
    let mut sections = Sections::new();
    let mut current = None;
    for line in text.lines() {
        let is_indented = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) || is_indented {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let name = name.split(']').next().unwrap_or_default();
            let name: Vec<&str> = name.split_whitespace().collect();
            current = Some(name.join(" "));
        } else if let (Some(section), Some((key, value))) = (&current, line.split_once('=')) {
            let value = value.split(" #").next().unwrap_or_default();
            sections
                .entry(section.clone())
                .or_default()
                .insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "\
# everyday
[default]
region = eu-west-1
s3 =
    max_concurrent_requests = 20

[profile  crm]
region=eu-central-1   # Frankfurt
endpoint_url = http://127.0.0.1:18333

[profile work]
sso_session = corp
";
    const CREDENTIALS: &str = "\
[default]
aws_access_key_id = AK
aws_secret_access_key = a=b/c+d==
[crm]
aws_access_key_id=CRM
aws_secret_access_key=S
aws_session_token = T
";

    fn profile(name: Option<&str>) -> Result<Profile> {
        Profile::of(name, CONFIG, CREDENTIALS)
    }

    #[test]
    fn a_profile_is_what_both_files_say_of_it() {
        let found = profile(None).unwrap();
        assert_eq!(found.keys["aws_secret_access_key"], "a=b/c+d==");
        assert_eq!(found.keys["region"], "eu-west-1");
        assert!(!found.keys.contains_key("max_concurrent_requests"));
        let crm = profile(Some("crm")).unwrap();
        assert_eq!(crm.keys["region"], "eu-central-1");
        assert_eq!(crm.keys["aws_session_token"], "T");
    }

    #[test]
    fn a_named_profile_must_be_there_and_the_default_one_need_not() {
        let error = profile(Some("nobody")).unwrap_err();
        assert!(error.to_string().contains("nobody"), "{error}");
        assert!(Profile::of(None, "", "").unwrap().keys.is_empty());
    }

    #[test]
    fn a_profile_that_asks_somebody_else_for_keys_is_refused_with_what_to_type() {
        let error = profile(Some("work"))
            .unwrap()
            .apply(AmazonS3Builder::new())
            .unwrap_err();
        assert!(error.to_string().contains("sso_session"), "{error}");
        assert!(error.hints().concat().contains("--profile work"), "{error:?}");
    }

    #[test]
    fn keys_of_a_profile_reach_the_client() {
        use object_store::aws::AmazonS3ConfigKey::{AccessKeyId, Endpoint, Token};
        let builder = profile(Some("crm"))
            .unwrap()
            .apply(AmazonS3Builder::new())
            .unwrap();
        assert_eq!(builder.get_config_value(&AccessKeyId).as_deref(), Some("CRM"));
        assert_eq!(builder.get_config_value(&Token).as_deref(), Some("T"));
        assert_eq!(
            builder.get_config_value(&Endpoint).as_deref(),
            Some("http://127.0.0.1:18333")
        );
    }
}
