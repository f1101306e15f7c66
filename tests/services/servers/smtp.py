"""Mail servers that keep what they get: one plain, one with STARTTLS and a password."""

from .box import accepts, free_ports, run

USER, PASSWORD = "user", "pass"
LEAF = "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n"


def start(box):
    plain, tls = free_ports(2)
    authority, certificate, key = make_certificate(box.folder)
    mails = box.folder / "mails.ndjson"
    mails.touch()
    box.start_app("smtp_app", [plain, tls, certificate, key, mails])
    box.wait_until("smtp_app", lambda: accepts(plain) and accepts(tls))
    return {
        "SLUICE_TEST_SMTP": f"127.0.0.1:{plain}",
        "SLUICE_TEST_SMTP_TLS": f"localhost:{tls}",
        "SLUICE_TEST_SMTP_CA": str(authority),
        "SLUICE_TEST_SMTP_USER": USER,
        "SLUICE_TEST_SMTP_PASSWORD": PASSWORD,
        "SLUICE_TEST_SMTP_MAILS": str(mails),
    }


def make_certificate(folder):
    """An authority's certificate, and one for localhost with its key: a self-signed one is refused by TLS clients."""
    authority, authority_key = folder / "ca.pem", folder / "ca.key"
    certificate, key, request = folder / "server.pem", folder / "server.key", folder / "server.csr"
    extensions = folder / "server.ext"
    extensions.write_text(LEAF)
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run("openssl", "req", "-x509", *new_key, "-keyout", authority_key, "-out", authority, "-days", 2,
        "-subj", "/CN=test authority", "-addext", "basicConstraints=critical,CA:TRUE")
    run("openssl", "req", *new_key, "-keyout", key, "-out", request, "-subj", "/CN=localhost")
    run("openssl", "x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority_key, "-CAcreateserial",
        "-days", 2, "-extfile", extensions, "-out", certificate)
    return authority, certificate, key
