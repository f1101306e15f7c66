//! A POST with the message as JSON, signed if there is a secret.
//!
//! ```text
//!   X-Sluice-Timestamp: 1767225600
//!   X-Sluice-Signature: sha256=HEX      HMAC-SHA-256 by the secret of TIMESTAMP, a point, and the body
//! ```

use std::time::Duration;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::Message;
use crate::error::{Error, Result};
use crate::spec::SecretText;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends the message to `url`.
///
/// # Errors
/// No answer, or one that is not 2xx.
pub(super) async fn post(url: &str, secret: Option<&SecretText>, message: &Message) -> Result<()> {
    let failed =
        |e: reqwest::Error| Error::runtime("the webhook did not take the message").because(e.without_url());
    let body = serde_json::to_vec(message)?;
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .build()
        .map_err(failed)?;
    let mut request = client.post(url).header("content-type", "application/json");
    if let Some(secret) = secret {
        let timestamp = chrono::Utc::now().timestamp().to_string();
        let signature = signature(secret, &timestamp, &body);
        request = request
            .header("x-sluice-timestamp", timestamp)
            .header("x-sluice-signature", signature);
    }
    let answer = request.body(body).send().await.map_err(failed)?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        status => Err(Error::runtime(format!("the webhook answered {status}"))),
    }
}

fn signature(secret: &SecretText, timestamp: &str, body: &[u8]) -> String {
    // A key of any length is one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()) else {
        return String::new();
    };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    let bytes = mac.finalize().into_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_other_programs() {
        // printf '1767225600.{}' | openssl dgst -sha256 -hmac hunter2
        assert_eq!(
            signature(&SecretText::new("hunter2"), "1767225600", b"{}"),
            "sha256=246a5e00d17bc3755945e9acd1ac91b91ca24075d7e1a1d753ebd7b6b97586b7"
        );
    }
}
