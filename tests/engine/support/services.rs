//! The servers that tests talk to, as `tests/services/serve.py` tells of them.

use std::path::PathBuf;

/// What a variable of the server called `name` says.
pub fn service(name: &str, variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!(
            "no server {name}: run the tests with tests/run, or some of them with\n  \
             ~/.cache/sluice/services/bin/python tests/services/serve.py {name} -- cargo test --workspace --test engine -- {name}"
        )
    })
}

/// The SFTP server.
pub struct SftpServer {
    pub host: String,
    pub port: u16,
    /// Keys, `known_hosts`.
    pub folder: PathBuf,
    /// The folder of login; tests make folders of their own in it.
    pub home: PathBuf,
}

impl SftpServer {
    pub fn find() -> Self {
        let address = service("sftp", "SLUICE_TEST_SFTP");
        let (host, port) = address.rsplit_once(':').unwrap();
        Self {
            host: host.to_owned(),
            port: port.parse().unwrap(),
            folder: service("sftp", "SLUICE_TEST_SFTP_FOLDER").into(),
            home: service("sftp", "SLUICE_TEST_SFTP_HOME").into(),
        }
    }

    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The lines of `known_hosts` for this server behind another port.
    pub fn known_hosts(&self, port: u16) -> String {
        let known = std::fs::read_to_string(self.folder.join("known_hosts")).unwrap();
        known.replace(&format!("]:{} ", self.port), &format!("]:{port} "))
    }
}

/// The counterpart of Snowflake.
pub struct SnowflakeServer {
    pub url: String,
    pub account: String,
    pub user: String,
    pub password: String,
}

impl SnowflakeServer {
    pub fn find() -> Self {
        Self {
            url: service("snowflake", "SLUICE_TEST_SNOWFLAKE"),
            account: service("snowflake", "SLUICE_TEST_SNOWFLAKE_ACCOUNT"),
            user: service("snowflake", "SLUICE_TEST_SNOWFLAKE_USER"),
            password: service("snowflake", "SLUICE_TEST_SNOWFLAKE_PASSWORD"),
        }
    }

    pub fn address(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }
}
