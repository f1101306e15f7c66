"""An authority of the tests' own, a certificate of it, and TLS in front of servers that speak none."""

from .box import accepts, free_ports, run

LEAF = "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n"


def in_front_of(box, name, port):
    """Starts TLS in front of the server at `port`: the URL, and the authority's certificate."""
    authority, certificate, key = certificates(box)
    (own,) = free_ports(1)
    box.start_app("tls_proxy", [own, f"127.0.0.1:{port}", certificate, key], name=f"{name}_tls")
    box.wait_until(f"{name}_tls", lambda: accepts(own))
    return f"https://localhost:{own}", str(authority)


def certificates(box):
    """The authority's certificate, one for localhost, and its key; the same for all servers of the box."""
    return box.once("certificates", lambda box: make_certificates(box.folder))


def make_certificates(folder):
    """A self-signed one is refused by TLS clients: it takes two."""
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
