"""Mail servers that keep what they get: one plain, one with STARTTLS and a password."""

from . import tls
from .box import accepts, free_ports

USER, PASSWORD = "user", "pass"


def start(box):
    plain, encrypted = free_ports(2)
    authority, certificate, key = tls.certificates(box)
    mails = box.folder / "mails.ndjson"
    mails.touch()
    box.start_app("smtp_app", [plain, encrypted, certificate, key, mails])
    box.wait_until("smtp_app", lambda: accepts(plain) and accepts(encrypted))
    return {
        "SLUICE_TEST_SMTP": f"127.0.0.1:{plain}",
        "SLUICE_TEST_SMTP_TLS": f"localhost:{encrypted}",
        "SLUICE_TEST_SMTP_CA": str(authority),
        "SLUICE_TEST_SMTP_USER": USER,
        "SLUICE_TEST_SMTP_PASSWORD": PASSWORD,
        "SLUICE_TEST_SMTP_MAILS": str(mails),
    }
