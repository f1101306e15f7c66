//! `[connections.NAME]`: what it resolves to, and what is said of its mistakes.

use crate::spec::*;

fn connection(keys: &str) -> Connection {
    let config = parse_instance(&format!("format = 1\n[connections.c]\n{keys}"));
    config
        .unwrap_or_else(|problems| panic!("{problems:?}"))
        .connections["c"]
        .clone()
}

fn problems(keys: &str) -> Vec<String> {
    let text = format!("format = 1\n[connections.c]\n{keys}");
    let problems = parse_instance(&text).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn keys_of_s3_are_found_where_the_document_says() {
    let Connection::S3(s3) = connection(
        "type = \"s3\"\nroot = \"s3://b/x\"\nendpoint = \"http://127.0.0.1:9\"\nallow_http = true\nregion = \"r\"\n\
         path_style = false\naccess_key_id = \"AK\"\nsecret_access_key = { env = \"S\" }\n\
         session_token = { command = \"pass t\" }\nca_file = \"ca.pem\"",
    ) else {
        panic!("not S3")
    };
    assert_eq!(s3.addressing, Addressing::Host);
    assert_eq!(s3.transport, Transport::ClearAllowed);
    assert_eq!(s3.ca_file.as_deref(), Some("ca.pem"));
    let keys = S3Auth::Keys {
        access_key_id: Value::Plain("AK".into()),
        secret_access_key: Secret::Env("S".into()),
        session_token: Some(Secret::Command("pass t".into())),
    };
    assert_eq!(s3.auth, keys);
}

#[test]
fn a_connection_without_keys_is_whoever_the_environment_says() {
    let Connection::S3(s3) = connection("type = \"s3\"") else {
        panic!("not S3")
    };
    assert_eq!(
        (s3.auth, s3.transport),
        (S3Auth::Environment, Transport::Encrypted)
    );
    let Connection::S3(s3) = connection("type = \"s3\"\nprofile = \"crm\"") else {
        panic!("not S3")
    };
    assert_eq!(s3.auth, S3Auth::Profile("crm".into()));
    assert!(
        matches!(connection("type = \"gcs\""), Connection::Gcs(gcs) if gcs.service_account_file.is_none())
    );
}

#[test]
fn sftp_and_snowflake_have_their_own_keys() {
    let sftp = "type = \"sftp\"\nhost = \"h\"\nport = 2222\nuser = { env = \"U\" }\nkey_file = \"k\"\n\
                passphrase = { file = \"p\" }\nagent = true\nknown_hosts = \"kh\"\nroot = \"/in\"";
    assert!(
        matches!(connection(sftp), Connection::Sftp(sftp) if sftp.port == Some(2222) && sftp.agent == Some(true))
    );
    let snowflake = "type = \"snowflake\"\naccount = \"a\"\nrole = \"r\"\nwarehouse = \"w\"\ndatabase = \"d\"\n\
                     schema = \"s\"\noauth_token = { env = \"T\" }";
    let Connection::Snowflake(snowflake) = connection(snowflake) else {
        panic!("not Snowflake")
    };
    assert_eq!(snowflake.auth, SnowflakeAuth::OauthToken(Secret::Env("T".into())));
}

#[test]
fn a_secret_in_the_clear_is_refused_with_the_remedy_and_never_repeated() {
    for literal in ["\"hunter2\"", "[\"hunter2\"]"] {
        let found = problems(&format!(
            "type = \"s3\"\naccess_key_id = \"AK\"\nsecret_access_key = {literal}"
        ));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(!found[0].contains("hunter2"), "{found:?}");
        assert!(
            found[0].contains("connections.c.secret_access_key (line 5)"),
            "{found:?}"
        );
    }
    let found = problems("type = \"sftp\"\nhost = \"h\"\npassword = 8521");
    assert!(
        found[0].contains("in the clear") && found[0].contains("{ env ="),
        "{found:?}"
    );
    assert!(!found[0].contains("8521"), "{found:?}");
}

#[test]
fn every_problem_of_every_connection_is_reported_at_once() {
    let found = problems(
        "type = \"s3\"\nhost = \"h\"\ncolour = 1\nsecret_access_key = { env = \"A\", file = \"B\" }\n\
         endpoint = \"http://h\"\n[connections.d]\n[connections.e]\ntype = \"ftp\"\n[connections.f]\n\
         type = \"snowflake\"\n[connections.g]\ntype = \"sftp\"\npassphrase = { env = \"\" }",
    );
    for words in [
        "connections.c.host (line 4): means nothing for s3",
        "connections.c.colour (line 5): unknown key",
        "connections.c.secret_access_key (line 6): not one place",
        "connections.c.endpoint (line 7): http:// would send",
        "connections.d.type (line 8): missing",
        "connections.e.type (line 10): `ftp` is not one of the values",
        "connections.f.private_key (line 11): missing",
        "connections.g.passphrase (line 15): an empty place",
        "connections.g.host (line 13): missing",
    ] {
        assert!(
            found.iter().any(|problem| problem.starts_with(words)),
            "{words}: {found:#?}"
        );
    }
}

#[test]
fn half_a_key_of_s3_and_two_ways_to_log_in_are_refused() {
    let half = problems("type = \"s3\"\nsecret_access_key = { env = \"S\" }");
    assert!(half[0].contains("access_key_id"), "{half:?}");
    let both = problems(
        "type = \"s3\"\nprofile = \"p\"\naccess_key_id = \"A\"\nsecret_access_key = { env = \"S\" }",
    );
    assert!(both[0].contains("both a profile and keys"), "{both:?}");
    let ways = problems(
        "type = \"snowflake\"\naccount = \"a\"\nuser = \"u\"\npassword = { env = \"P\" }\nprivate_key = { file = \"K\" }",
    );
    assert!(ways[0].contains("several ways"), "{ways:?}");
}

#[test]
fn the_schema_of_a_connection_has_every_key_and_takes_no_secret_in_the_clear() {
    let schema = connection_schema();
    let properties = schema["properties"].as_object().unwrap();
    assert_eq!(properties.len(), 27);
    assert_eq!(schema["additionalProperties"], false);
    let secret = schema["properties"]["password"]["$ref"].as_str().unwrap();
    let definition = &schema["$defs"][secret.rsplit('/').next().unwrap()];
    assert_eq!(definition["type"], "object", "{schema:#}");
    assert!(
        properties.values().all(|key| key["description"].is_string()),
        "{schema:#}"
    );
}
