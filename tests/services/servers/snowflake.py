"""A server that speaks as Snowflake does to its clients, on top of fakesnow (apps/snowflake_app.py)."""

from .box import answers, free_ports, make_rsa_key, run

ACCOUNT, USER, PASSWORD, TOKEN, PASSPHRASE = "acct", "tester", "pw-of-tester", "token-of-tester", "passphrase"


def start(box):
    (port,) = free_ports(1)
    private, public = make_rsa_key(box.folder, "snowflake")
    locked = box.folder / "snowflake.locked.pem"
    run("openssl", "pkcs8", "-topk8", "-in", private, "-out", locked, "-v2", "aes-256-cbc", "-passout", f"pass:{PASSPHRASE}")
    secrets = {"PASSWORD": PASSWORD, "TOKEN": TOKEN, "PUBLIC_KEY": str(public)}
    box.start_app("snowflake_app", [port], secrets)
    url = f"http://127.0.0.1:{port}"
    box.wait_until("snowflake_app", lambda: answers(f"{url}/test/aborted"))
    return {
        "SLUICE_TEST_SNOWFLAKE": url,
        "SLUICE_TEST_SNOWFLAKE_ACCOUNT": ACCOUNT,
        "SLUICE_TEST_SNOWFLAKE_USER": USER,
        "SLUICE_TEST_SNOWFLAKE_PASSWORD": PASSWORD,
        "SLUICE_TEST_SNOWFLAKE_TOKEN": TOKEN,
        "SLUICE_TEST_SNOWFLAKE_KEY": str(private),
        "SLUICE_TEST_SNOWFLAKE_LOCKED_KEY": str(locked),
        "SLUICE_TEST_SNOWFLAKE_PASSPHRASE": PASSPHRASE,
    }
