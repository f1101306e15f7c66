//! A mail over SMTP.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::Message;
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::source::find_secret;
use crate::spec::{Smtp, SmtpTls};

/// The client's own timeout bounds no wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Sends the message to `address`.
///
/// # Errors
/// There is no `[smtp]`, no server, or it refused; the message says which.
pub(super) async fn send(instance: &Instance, address: &str, message: &Message) -> Result<()> {
    let smtp = instance.config().smtp.as_ref().ok_or_else(|| {
        Error::usage("there is no [smtp] in sluice.toml to send mail by")
            .hint("write [smtp] with host and from")
    })?;
    let mail = lettre::Message::builder()
        .from(mailbox(&smtp.from)?)
        .to(mailbox(address)?)
        .subject(message.subject())
        .body(message.text())
        .map_err(|e| Error::runtime("the mail could not be written").because(e))?;
    let transport = transport(instance, smtp)?;
    let sent = tokio::time::timeout(TIMEOUT, transport.send(mail)).await;
    let at = format!("{}:{}", smtp.host, smtp.port);
    match sent {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(e)) => Err(Error::runtime(format!("the mail server {at} did not take the mail")).because(e)),
        Err(_) => Err(Error::runtime(format!(
            "the mail server {at} said nothing for {} s",
            TIMEOUT.as_secs()
        ))),
    }
}

fn mailbox(address: &str) -> Result<Mailbox> {
    address.parse().map_err(|e| {
        Error::usage(format!("{address:?} is no mail address"))
            .because(e)
            .hint("write it as ops@example.com or Sluice <sluice@example.com>")
    })
}

fn transport(instance: &Instance, smtp: &Smtp) -> Result<AsyncSmtpTransport<Tokio1Executor>> {
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
        .port(smtp.port)
        .timeout(Some(TIMEOUT));
    let builder = match smtp.tls {
        SmtpTls::None => builder,
        SmtpTls::Starttls => builder.tls(Tls::Required(parameters(instance, smtp)?)),
        SmtpTls::Tls => builder.tls(Tls::Wrapper(parameters(instance, smtp)?)),
    };
    let builder = match (&smtp.user, &smtp.password) {
        (Some(user), Some(password)) => {
            let password = find_secret(password, instance.base())?;
            builder.credentials(Credentials::new(user.clone(), password.reveal().to_owned()))
        }
        _ => builder,
    };
    Ok(builder.build())
}

fn parameters(instance: &Instance, smtp: &Smtp) -> Result<TlsParameters> {
    let unusable = |e| Error::usage("the certificates for the mail server cannot be used").because(e);
    let mut parameters = TlsParameters::builder(smtp.host.clone());
    if let Some(file) = &smtp.ca_file {
        let path = instance.base().join(file);
        let pem = std::fs::read(&path).map_err(|e| Error::from(e).in_file(path.display().to_string()))?;
        parameters = parameters.add_root_certificate(Certificate::from_pem(&pem).map_err(unusable)?);
    }
    parameters.build().map_err(unusable)
}
