//! Proving who we are: each proof in turn, until the server is content.

use std::path::Path;
use std::sync::Arc;

use russh::MethodKind;
use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{Error as KeyError, HashAlg, PrivateKeyWithHashAlg, load_secret_key};

use super::client::HostCheck;
use super::fault::{Fault, lost};
use super::login::{Login, Proof};
use crate::error::{Error, Result};
use crate::spec::SecretText;

/// Proofs after which a server that hangs up has had enough of us; before, the connection broke.
const FEW_PROOFS: usize = 3;
/// Questions that a server may ask before it is content or not.
const MAX_QUESTIONS: usize = 8;

/// Logs in.
pub(super) async fn log_in(session: &mut Handle<HostCheck>, login: &Login) -> Result<(), Fault> {
    let mut tried = Tried::default();
    for proof in &login.proofs {
        let is_content = match proof {
            Proof::Agent(socket) => agent(session, login, socket, &mut tried).await?,
            Proof::KeyFile { path, passphrase } => {
                key_file(session, login, path, passphrase.as_ref(), &mut tried).await?
            }
            Proof::Password(text) => {
                tried.names.push("the password".to_owned());
                password(session, login, text, &mut tried).await?
            }
        };
        if is_content {
            return Ok(());
        }
    }
    if session.is_closed() && tried.names.len() < FEW_PROOFS {
        return Err(Fault::Lost(lost()));
    }
    Err(Fault::Final(tried.refused(login)))
}

/// What the server was shown, and what it wants to see.
#[derive(Debug, Default)]
struct Tried {
    names: Vec<String>,
    /// Why a proof could not be shown; others may do.
    failures: Vec<String>,
    wanted: Vec<String>,
}

impl Tried {
    /// Whether the server is content.
    fn note(&mut self, result: AuthResult) -> bool {
        match result {
            AuthResult::Success => true,
            AuthResult::Failure {
                remaining_methods, ..
            } => {
                self.wanted = remaining_methods.iter().map(String::from).collect();
                false
            }
        }
    }

    fn refused(self, login: &Login) -> Error {
        if self.names.is_empty() && self.failures.is_empty() {
            return Error::usage(format!("nothing proves to {} who you are", login.shown()))
                .hint("write password, key_file or agent = true into the connection");
        }
        let mut error = match self.names.as_slice() {
            [] => Error::runtime(format!("could not log in to {} as {}", login.shown(), login.user)),
            names => Error::runtime(format!(
                "{} refused the user {}, shown {}",
                login.shown(),
                login.user,
                names.join(", ")
            )),
        };
        for failure in self.failures {
            error = error.hint(failure);
        }
        if !self.wanted.is_empty() {
            error = error.hint(format!("the server accepts: {}", self.wanted.join(", ")));
        }
        error.hint("check the user and the secrets of the connection")
    }
}

async fn key_file(
    session: &mut Handle<HostCheck>,
    login: &Login,
    path: &Path,
    passphrase: Option<&SecretText>,
    tried: &mut Tried,
) -> Result<bool, Fault> {
    let key = match load_secret_key(path, passphrase.map(SecretText::reveal)) {
        Ok(key) => key,
        Err(error) => {
            tried.failures.push(unreadable(path, passphrase, &error));
            return Ok(false);
        }
    };
    tried.names.push(format!("the key {}", path.display()));
    let hash = rsa_hash(session).await?;
    let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
    Ok(tried.note(session.authenticate_publickey(&login.user, key).await?))
}

/// The strongest hash for RSA that the server knows; of other keys it is ignored.
async fn rsa_hash(session: &Handle<HostCheck>) -> Result<Option<HashAlg>, Fault> {
    Ok(session.best_supported_rsa_hash().await?.flatten())
}

fn unreadable(path: &Path, passphrase: Option<&SecretText>, error: &KeyError) -> String {
    let reason = match (error, passphrase) {
        (KeyError::KeyIsEncrypted, None) => {
            "needs a passphrase: write passphrase into the connection".to_owned()
        }
        (KeyError::IO(error), _) => format!("cannot be read: {error}"),
        (_, Some(_)) => "is not opened by the passphrase of the connection".to_owned(),
        (error, None) => format!("is no private key of OpenSSH's or in PEM: {error}"),
    };
    format!("the key {} {reason}", path.display())
}

/// Shows all keys of an agent.
async fn agent(
    session: &mut Handle<HostCheck>,
    login: &Login,
    socket: &Path,
    tried: &mut Tried,
) -> Result<bool, Fault> {
    let asked = async {
        let mut agent = AgentClient::connect_uds(socket).await?;
        let identities = agent.request_identities().await?;
        Ok::<_, KeyError>((agent, identities))
    };
    let (mut agent, identities) = match asked.await {
        Ok(found) => found,
        Err(error) => {
            tried.failures.push(format!(
                "the agent at {} cannot be asked: {error}",
                socket.display()
            ));
            return Ok(false);
        }
    };
    if identities.is_empty() {
        tried
            .failures
            .push("the agent has no keys: ssh-add FILE".to_owned());
    }
    let hash = rsa_hash(session).await?;
    for identity in identities {
        let AgentIdentity::PublicKey { key, comment } = identity else {
            continue;
        };
        tried.names.push(format!("the agent's key {comment}"));
        let hash = if key.algorithm().is_rsa() { hash } else { None };
        match session
            .authenticate_publickey_with(&login.user, key, hash, &mut agent)
            .await
        {
            Ok(result) if tried.note(result.clone()) => return Ok(true),
            Ok(_) => (),
            Err(error) => tried.failures.push(format!("the agent did not sign: {error}")),
        }
    }
    Ok(false)
}

async fn password(
    session: &mut Handle<HostCheck>,
    login: &Login,
    text: &SecretText,
    tried: &mut Tried,
) -> Result<bool, Fault> {
    let result = session.authenticate_password(&login.user, text.reveal()).await?;
    let asks = match &result {
        AuthResult::Failure {
            remaining_methods, ..
        } => remaining_methods.contains(&MethodKind::KeyboardInteractive),
        AuthResult::Success => false,
    };
    Ok(tried.note(result) || (asks && answer(session, login, text).await?))
}

/// Some servers ask for the password as a question; whatever is to be typed unseen is taken for that.
async fn answer(session: &mut Handle<HostCheck>, login: &Login, text: &SecretText) -> Result<bool, Fault> {
    let mut reply = session
        .authenticate_keyboard_interactive_start(&login.user, None)
        .await?;
    for _ in 0..MAX_QUESTIONS {
        let prompts = match reply {
            KeyboardInteractiveAuthResponse::Success => return Ok(true),
            KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => prompts,
        };
        let answers = prompts.iter().map(|prompt| match prompt.echo {
            true => login.user.clone(),
            false => text.reveal().to_owned(),
        });
        reply = session
            .authenticate_keyboard_interactive_respond(answers.collect())
            .await?;
    }
    Ok(false)
}
