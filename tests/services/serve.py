"""Starts servers, runs a command that finds them in its environment, and stops them.

usage: serve.py SERVER... -- COMMAND...        SERVER: s3 gcs sftp snowflake smtp, or all

The exit code is the command's. The servers listen on free ports of 127.0.0.1, keep everything in one temporary
folder, and end with this process however it ends.
"""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from servers import gcs, s3, sftp, smtp, snowflake
from servers.box import Box, Failed

SERVERS = {"s3": s3.start, "gcs": gcs.start, "sftp": sftp.start, "snowflake": snowflake.start, "smtp": smtp.start}


def parse(arguments):
    """The servers and the command, or None if that is not what was typed."""
    if "--" not in arguments:
        return None
    at = arguments.index("--")
    names, command = arguments[:at], arguments[at + 1 :]
    names = list(SERVERS) if names == ["all"] else names
    return (names, command) if names and command and all(name in SERVERS for name in names) else None


def run(command, environment):
    """The command's exit code; signals meant for it are passed on."""
    child = subprocess.Popen(command, env=environment)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: child.send_signal(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the command too
    code = child.wait()
    return 128 - code if code < 0 else code


def main():
    parsed = parse(sys.argv[1:])
    if parsed is None:
        sys.exit(__doc__)
    names, command = parsed
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    with Box() as box:
        environment = dict(os.environ)
        try:
            with ThreadPoolExecutor() as pool:
                for found in pool.map(lambda name: SERVERS[name](box), names):
                    environment.update(found)
        except Failed as failed:
            sys.exit(f"serve: {failed}")
        return run(command, environment)


if __name__ == "__main__":
    sys.exit(main())
