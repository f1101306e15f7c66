//! What a store answers when it does not do what it was asked, in words and with a remedy.

use object_store::Error as StoreError;

use super::patience::{COME_BACK_LATER, DISTRUSTED};
use crate::error::Error;
use crate::source::file::changed;

/// What a store was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A file, or what it is.
    Read,
    /// The files of a folder.
    List,
    /// To write a file, or to read one that is written anew.
    Write,
}

/// The code by which the services say that there is no such bucket.
const NO_BUCKET: &str = "NoSuchBucket";
/// Codes by which they say that they do not believe who asks.
const OF_IDENTITY: [&str; 7] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
];
/// Characters of an answer that are repeated.
const SHOWN_CHARACTERS: usize = 300;

/// `error` in words. The answer of the service stays readable behind them.
#[must_use]
pub fn worded(error: StoreError, asked: Asked) -> Error {
    let text = chain(&error);
    match (&error, code_of(&text)) {
        (StoreError::Precondition { .. }, _) => return changed(),
        (_, Some(NO_BUCKET)) => return no_bucket(""),
        (StoreError::NotFound { .. }, _) if asked == Asked::Read => {
            return Error::runtime("the source file does not exist")
                .hint("case matters; list what is there with: sluice discover URL-OF-THE-FOLDER");
        }
        _ => {}
    }
    let (message, hint) = words(&error, &text);
    Error::runtime(message).because(shortened(&text)).hint(hint)
}

/// There is no bucket at `place`.
#[must_use]
pub fn no_bucket(place: &str) -> Error {
    let error = Error::runtime("the bucket does not exist")
        .hint("check its name, and the account, region or endpoint of the connection");
    match place {
        "" => error,
        place => error.in_file(place),
    }
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Who asks: the store does not know him, or does not believe him.
    Identity,
    /// What he may do.
    Permission,
    /// The bucket, which is not there.
    Bucket,
    /// Something else.
    Other,
}

/// What the store's answer is about.
#[must_use]
pub fn about(error: &StoreError) -> About {
    let text = chain(error);
    // The answer to a listing has no kind of its own.
    let answers = |status: &str| text.contains(status);
    match (error, code_of(&text)) {
        (_, Some(NO_BUCKET)) => About::Bucket,
        (_, Some(code)) if OF_IDENTITY.contains(&code) => About::Identity,
        (StoreError::Unauthenticated { .. }, _) => About::Identity,
        (StoreError::PermissionDenied { .. }, _) => About::Permission,
        _ if answers("401 Unauthorized") => About::Identity,
        _ if answers("403 Forbidden") => About::Permission,
        _ => About::Other,
    }
}

/// Whether the service says that there is no such bucket.
#[must_use]
pub fn is_no_bucket(error: &StoreError) -> bool {
    code_of(&chain(error)) == Some(NO_BUCKET)
}

/// What a code says, whatever else the error does.
fn words_of_code(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "ExpiredToken" | "TokenRefreshRequired" | "ExpiredTokenException" => {
            ("the credentials have expired", "get new ones, and run it again")
        }
        "InvalidAccessKeyId" => (
            "the store does not know the access key",
            "check access_key_id of the connection, or AWS_ACCESS_KEY_ID or the profile",
        ),
        "SignatureDoesNotMatch" => (
            "the secret key does not belong to the access key",
            "check secret_access_key of the connection, or AWS_SECRET_ACCESS_KEY or the profile",
        ),
        "RequestTimeTooSkewed" => (
            "this machine's clock differs from the store's",
            "set the clock, for example with NTP",
        ),
        "AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraintException" => (
            "the bucket is in another region",
            "set region of the connection, or AWS_REGION",
        ),
        _ => return None,
    })
}

fn words(error: &StoreError, text: &str) -> (&'static str, &'static str) {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let code = code_of(text);
    if let Some(words) = code.and_then(words_of_code) {
        return words;
    }
    match code {
        _ if has(&[DISTRUSTED]) => (
            "the store's certificate is not trusted",
            "if its authority is your own: ca_file = \"AUTHORITY.pem\" in the connection, or SSL_CERT_FILE; else the \
             endpoint's name is not the one in the certificate, or somebody sits in between",
        ),
        _ if has(&[COME_BACK_LATER]) => (
            "the store asks to stay away for longer than a run waits",
            "run it again when that time is over",
        ),
        Some("SlowDown" | "ServiceUnavailable" | "TooManyRequests" | "RequestLimitExceeded") => (
            "the store asks to slow down, and did so until patience ended",
            "run it again later",
        ),
        _ if matches!(error, StoreError::PermissionDenied { .. })
            || has(&["AccessDenied", "403 Forbidden"]) =>
        {
            (
                "the store denies access",
                "check who asks (connection, environment, profile), and that reading and listing are allowed",
            )
        }
        _ if matches!(error, StoreError::Unauthenticated { .. })
            || has(&["401 Unauthorized", "invalid_grant"]) =>
        {
            (
                "the store does not accept the credentials",
                "check them, or get new ones if they have expired",
            )
        }
        _ if has(&["169.254.", "metadata.google.internal", "computeMetadata"]) => (
            "there are no credentials, and this machine has no role in the cloud",
            "name a connection, or set the variables of the service (AWS_ACCESS_KEY_ID ..., AWS_PROFILE, GOOGLE_APPLICATION_CREDENTIALS)",
        ),
        _ if has(&["without LOCATION"]) => (
            "the bucket is in another region",
            "set region of the connection, or AWS_REGION",
        ),
        _ if has(&["URL scheme is not allowed", "scheme is not http"]) => (
            "the endpoint is not encrypted",
            "use https, or allow_http = true in the connection, or AWS_ALLOW_HTTP=true",
        ),
        _ if has(&["status code: 429", "status code: 5"]) => (
            "the store failed, or was too busy, until patience ended",
            "run it again later",
        ),
        _ if has(&["timed out"]) => (
            "the store did not answer in time",
            "check the network and the endpoint, and run it again",
        ),
        _ if has(&["error sending request", "connection", "dns error"]) => (
            "the store cannot be reached",
            "check the network, and the endpoint and region of the connection",
        ),
        _ => (
            "the store failed",
            "run it again; if it stays so, check the connection with the store's own tools",
        ),
    }
}

/// What an error and its causes say, each once.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = inner.source();
    }
    text
}

/// The code in an answer in XML.
fn code_of(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("<Code>")?;
    rest.split_once("</Code>").map(|(code, _)| code)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> StoreError {
        StoreError::Generic {
            store: "S3",
            source: body.to_owned().into(),
        }
    }

    #[test]
    fn every_answer_has_words_of_its_own_and_a_remedy() {
        for (body, words) in [
            (
                "<Error><Code>NoSuchBucket</Code></Error>",
                "bucket does not exist",
            ),
            ("<Code>ExpiredToken</Code>", "expired"),
            ("<Code>InvalidAccessKeyId</Code>", "access key"),
            ("<Code>SignatureDoesNotMatch</Code>", "secret key"),
            ("<Code>RequestTimeTooSkewed</Code>", "clock"),
            ("<Code>AccessDenied</Code>", "denies"),
            ("<Code>SlowDown</Code>", "slow down"),
            ("status code: 503 Service Unavailable", "too busy"),
            ("Received redirect without LOCATION", "region"),
            (
                "error sending request: invalid peer certificate: UnknownIssuer",
                "not trusted",
            ),
            ("operation timed out", "in time"),
            ("error sending request", "reached"),
            ("http://169.254.169.254/latest", "no credentials"),
        ] {
            let error = worded(answer(body), Asked::Read);
            assert!(error.to_string().contains(words), "{body}: {error}");
            assert!(!error.hints().is_empty(), "{body}");
        }
    }

    #[test]
    fn a_refusal_is_about_who_asks_or_what_he_may_do_or_the_bucket() {
        for (body, expected) in [
            ("403 Forbidden: <Code>AccessDenied</Code>", About::Permission),
            (
                "403 Forbidden: <Code>SignatureDoesNotMatch</Code>",
                About::Identity,
            ),
            (
                "403 Forbidden: <Code>RequestTimeTooSkewed</Code>",
                About::Identity,
            ),
            ("400 Bad Request: <Code>ExpiredToken</Code>", About::Identity),
            ("401 Unauthorized", About::Identity),
            ("404 Not Found: <Code>NoSuchBucket</Code>", About::Bucket),
            ("error sending request", About::Other),
        ] {
            assert_eq!(about(&answer(body)), expected, "{body}");
        }
    }

    #[test]
    fn a_version_that_is_not_there_any_more_is_a_changed_source() {
        let precondition = StoreError::Precondition {
            path: "a".into(),
            source: "412".into(),
        };
        assert_eq!(worded(precondition, Asked::Read).code(), Some("source_changed"));
    }
}
