"""OpenSSH's server with host keys, users and known_hosts of its own, in a mount namespace: the machine stays as it is.

The user `tester` logs in by password, by a key, by a key with a passphrase, by an RSA key, or by an agent's key, and
starts in SLUICE_TEST_SFTP_HOME, where tests put files. It is no root: permissions hold.
"""

import os
import shutil
from pathlib import Path

from .box import Failed, accepts, free_ports, run

USER, PASSWORD, PASSPHRASE = "tester", "pw-of-tester", "passphrase"
# `openssl passwd -6 -salt sluice pw-of-tester`
PASSWORD_HASH = "$6$sluice$vE3niaE5UX6z9GkN812nS6gVVxyA76duAkvXPxBxl78ovMdd95GBfyyBghALdsGSeLS.qtoVWIJ7rCePqoat1."
UID_FOR_ROOT = 64001

CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_ed25519
HostKey {folder}/host_rsa
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication yes
PubkeyAuthentication yes
KbdInteractiveAuthentication no
AllowUsers tester
MaxStartups 100
MaxSessions 100
Subsystem sftp internal-sftp
ForceCommand internal-sftp
AllowTcpForwarding no
X11Forwarding no
LogLevel VERBOSE
"""
IN_NAMESPACE = """\
mount --bind {folder}/passwd /etc/passwd &&
mount --bind {folder}/shadow /etc/shadow &&
mount -t tmpfs tmpfs /run &&
mkdir -m 755 /run/sshd &&
exec {sshd} -D -e -f {folder}/sshd_config
"""


def start(box):
    folder, home = box.folder / "sftp", box.folder / "sftp" / "home"
    home.mkdir(parents=True)
    (port,) = free_ports(1)
    make_keys(folder)
    write_config(folder, home, port)
    agent = folder / "agent"
    box.start("ssh-agent", ["ssh-agent", "-D", "-a", agent])
    box.wait_until("ssh-agent", agent.exists)
    add_to_agent(folder, agent)
    script = IN_NAMESPACE.format(folder=folder, sshd=sshd())
    box.start("sshd", [*as_root(), "unshare", "--mount", "--propagation", "private", "sh", "-c", script])
    box.wait_until("sshd", lambda: accepts(port))
    return {
        "SLUICE_TEST_SFTP": f"127.0.0.1:{port}",
        "SLUICE_TEST_SFTP_FOLDER": str(folder),
        "SLUICE_TEST_SFTP_HOME": str(home),
        "SLUICE_TEST_SFTP_USER": USER,
        "SLUICE_TEST_SFTP_PASSWORD": PASSWORD,
        "SLUICE_TEST_SFTP_PASSPHRASE": PASSPHRASE,
        "SLUICE_TEST_SFTP_AGENT": str(agent),
    }


def make_keys(folder):
    """Two host keys; four keys of the user, and one (`stranger`) that the server does not know."""
    keygen(folder, "host_ed25519")
    keygen(folder, "host_rsa", kind="rsa")
    keygen(folder, "user")
    keygen(folder, "user_rsa", kind="rsa")
    keygen(folder, "user_locked", passphrase=PASSPHRASE)
    keygen(folder, "user_agent")
    keygen(folder, "stranger")
    known = [folder / f"{name}.pub" for name in ("user", "user_rsa", "user_locked", "user_agent")]
    (folder / "authorized_keys").write_text("".join(path.read_text() for path in known))


def keygen(folder, name, kind="ed25519", passphrase=""):
    run("ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", name, "-f", folder / name)


def write_config(folder, home, port):
    (folder / "sshd_config").write_text(CONFIG.format(port=port, folder=folder))
    uid = os.getuid() or UID_FOR_ROOT
    passwd = Path("/etc/passwd").read_text()
    # The user's own name keeps its number; the last line gives the same number another name.
    (folder / "passwd").write_text(f"{passwd}{USER}:x:{uid}:{os.getgid() or uid}::{home}:/bin/sh\n")
    (folder / "shadow").write_text(f"{USER}:{PASSWORD_HASH}:19000:0:99999:7:::\n")
    keys = [(folder / f"host_{kind}.pub").read_text().rsplit(" ", 1)[0] for kind in ("ed25519", "rsa")]
    (folder / "known_hosts").write_text("".join(f"[127.0.0.1]:{port} {key}\n" for key in keys))


def add_to_agent(folder, agent):
    """The agent alone keeps this key."""
    run("env", f"SSH_AUTH_SOCK={agent}", "ssh-add", "-q", folder / "user_agent")
    (folder / "user_agent").unlink()


def sshd():
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise Failed("sshd is not installed: apt-get install openssh-server")
    return found


def as_root():
    """What makes a command root's: passwords are checked by nobody else."""
    return [] if os.getuid() == 0 else ["sudo", "--non-interactive"]
