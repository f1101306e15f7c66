"""The folder and the processes of the servers: all end, and go, with the box."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

SERVICES = Path(__file__).resolve().parent.parent
READY_SECONDS = 300


class Failed(Exception):
    """A server did not start; the text says which, and why."""


class Box:
    """Processes that end with this one, and their folder. A keeper ends them, which outlives a kill of this one."""

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="sluice-services-"))
        self.folder.chmod(0o755)  # a server may run as another user
        keeper = [sys.executable, SERVICES / "keeper.py", self.folder]
        self.keeper = subprocess.Popen(keeper, stdin=subprocess.PIPE, start_new_session=True)
        self.children = {}
        self.shared = {}
        self.making = threading.Lock()
        return self

    def __exit__(self, *_):
        self.keeper.stdin.close()
        # Children that ended are waited for: until then they count as alive.
        while self.keeper.poll() is None:
            for child in self.children.values():
                child.poll()
            time.sleep(0.02)

    def start(self, name, command, environment=None):
        """Starts a process; what it says goes into NAME.log of the folder."""
        log = open(self.folder / f"{name}.log", "wb")
        child = subprocess.Popen(
            [str(part) for part in command],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the command alone
        )
        self.children[name] = child
        self.keeper.stdin.write(f"{child.pid}\n".encode())
        self.keeper.stdin.flush()
        return child

    def start_app(self, app, arguments, environment=None, name=None):
        """Starts a program of `apps`."""
        return self.start(name or app, [sys.executable, SERVICES / "apps" / f"{app}.py", *arguments], environment)

    def wait_until(self, name, is_ready):
        """Waits for the server called `name`."""
        child = self.children[name]
        deadline = time.monotonic() + READY_SECONDS
        while not is_ready():
            if child.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / f"{name}.log").read_text(errors="replace")
                raise Failed(f"{name} did not start; it said:\n{log[-4000:]}")
            time.sleep(0.05)

    def once(self, name, make):
        """What `make` gave the first time it was asked for."""
        with self.making:
            if name not in self.shared:
                self.shared[name] = make(self)
            return self.shared[name]


given_ports, giving = set(), threading.Lock()


def free_ports(count):
    """Ports that nobody listens on and nobody else was given."""
    with giving:
        sockets, ports = [], []
        while len(ports) < count:
            sockets.append(socket.socket())
            sockets[-1].bind(("127.0.0.1", 0))
            port = sockets[-1].getsockname()[1]
            if port not in given_ports:
                ports.append(port)
        given_ports.update(ports)
        for one in sockets:
            one.close()
        return ports


def accepts(port):
    """Whether somebody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(url):
    """Whether a web server answers, whatever it says."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def make_rsa_key(folder, name):
    """An RSA key pair as PEM: the paths of its halves."""
    private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    run("openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", private)
    run("openssl", "pkey", "-in", private, "-pubout", "-out", public)
    return private, public


def run(*command):
    """Runs a program to its end."""
    try:
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except FileNotFoundError:
        raise Failed(f"{command[0]} is not installed") from None
    except subprocess.CalledProcessError as error:
        raise Failed(f"{command[0]} failed: {error.output.decode(errors='replace')}") from None

