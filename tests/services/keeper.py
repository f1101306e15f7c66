"""Ends the servers of a test run when that ends, even if it was killed.    usage: keeper.py FOLDER

Reads a process group a line; when its input ends, so does each of them, and the folder goes.
"""

import os
import shutil
import signal
import sys
import time

PATIENCE_SECONDS = 5


def end(groups):
    send(groups, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and any(is_alive(group) for group in groups):
        time.sleep(0.02)
    send(groups, signal.SIGKILL)


def send(groups, number):
    for group in groups:
        try:
            os.killpg(group, number)
        except (ProcessLookupError, PermissionError):
            pass


def is_alive(group):
    try:
        os.killpg(group, 0)
        return True
    except ProcessLookupError:
        return False
    except PermissionError:
        return True


for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
end([int(line) for line in sys.stdin])
shutil.rmtree(sys.argv[1], ignore_errors=True)
