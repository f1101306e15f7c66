"""Google Cloud Storage's XML interface in front of SeaweedFS; it demands the service account's signed token."""

import json

from . import s3, tls
from .box import accepts, free_ports, make_rsa_key


def start(box):
    s3_port = box.once("seaweed", s3.seaweed)
    (port,) = free_ports(1)
    private, public = make_rsa_key(box.folder, "gcs")
    url = f"http://127.0.0.1:{port}"
    account = box.folder / "gcs-account.json"
    account.write_text(json.dumps({
        "type": "service_account",
        "project_id": "sluice-test",
        "private_key_id": "1",
        "private_key": private.read_text(),
        "client_email": "tests@sluice-test.iam.example",
        "gcs_base_url": url,
        "disable_oauth": False,
    }))
    box.start_app("gcs_proxy", [port, f"127.0.0.1:{s3_port}", public])
    box.wait_until("gcs_proxy", lambda: accepts(port))
    tls_url, authority = tls.in_front_of(box, "gcs", port)
    return {
        "SLUICE_TEST_GCS": url,
        "SLUICE_TEST_GCS_TLS": tls_url,
        "SLUICE_TEST_CA": authority,
        "SLUICE_TEST_GCS_ACCOUNT": str(account),
        "SLUICE_TEST_GCS_BUCKET": s3.GCS_BUCKET,
    }
