"""What the installation asks of the machine: its user, its services, its proxy."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from script.installation.files import CADDY, NGINX, STARTED

USER = "eventreg"
CADDYFILE = Path("/etc/caddy/Caddyfile")
IMPORT = f"import {CADDY}"
NGINX_SITE = Path("/etc/nginx/conf.d/eventreg.conf")


def say(line: str = "") -> None:
    """Print a line for the person at the terminal."""
    print(line, flush=True)


@dataclass(frozen=True)
class Machine:
    """The machine, on which commands are run; or only named, if ``is_real`` is false."""

    is_real: bool

    def run(self, *command: str, may_fail: bool = False) -> str:
        """Run a command as root, and return its output."""
        if not self.is_real:
            say(f"  would run: {' '.join(command)}")
            return ""
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode and not may_fail:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}".rstrip())
        return done.stdout if done.returncode == 0 else ""

    def succeeds(self, *command: str) -> bool:
        """Whether a command ends well. It is only a question, so nothing is printed."""
        if not self.is_real:
            say(f"  would run: {' '.join(command)}")
            return True
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def start(self) -> None:
        """Start the service anew, and its timers, now and whenever the machine starts."""
        self.run("systemctl", "daemon-reload")
        self.run("systemctl", "try-restart", "systemd-journald.service")
        self.run("systemctl", "enable", "--quiet", *STARTED)
        if not self.succeeds("systemctl", "restart", STARTED[0]):
            told = self.run("journalctl", "-u", STARTED[0], "-n", "20", "-o", "cat", "--no-pager")
            sys.exit(f"eventreg does not start. The end of its log:\n{told}".rstrip())
        self.run("systemctl", "start", *STARTED[1:])

    def stop(self) -> None:
        """Stop the service and its timers for good."""
        self.run("systemctl", "disable", "--now", "--quiet", *STARTED, may_fail=True)

    def first_link(self) -> str:
        """The link for the first organiser that the server has just printed, or empty."""
        this_start = self.run("systemctl", "show", "-p", "InvocationID", "--value", STARTED[0])
        entry = f"_SYSTEMD_INVOCATION_ID={this_start.strip()}"
        told = self.run("journalctl", entry, "-o", "cat", "--no-pager", may_fail=True)
        found = re.search(r"https?://\S+/staff/welcome/[\w-]+", told)
        return found[0] if found else ""

    def lead_guests_here(self, proxy: str) -> str:
        """Let Caddy or nginx use our file. Returns what the operator has to do first, if so."""
        if proxy == "caddy":
            return self._use_caddy()
        if proxy == "nginx":
            return self._use_nginx()
        return f"No proxy is installed. Install Caddy (apt-get install caddy), or use {CADDY}."

    def _use_caddy(self) -> str:
        text = CADDYFILE.read_text() if self.is_real and CADDYFILE.exists() else ""
        if IMPORT not in text.splitlines():
            if self.is_real and not self._is_as_packaged(CADDYFILE):
                return f"{CADDYFILE} is yours. Add this line to it: {IMPORT}"
            say(f"One line is added to {CADDYFILE}: {IMPORT}")
            if self.is_real:
                CADDYFILE.write_text(f"{text.rstrip()}\n\n{IMPORT}\n")
        # As its own user: what it opens to try it out, such as its log, must stay its own.
        as_caddy = ("setpriv", "--reuid=caddy", "--regid=caddy", "--init-groups", "--")
        check = ("caddy", "validate", "--adapter", "caddyfile", "--config", str(CADDYFILE))
        if not self.succeeds(*as_caddy, "env", "HOME=/var/lib/caddy", *check):
            return f"Caddy does not accept {CADDYFILE}. See what it says: {' '.join(check)}"
        self.run("systemctl", "reload-or-restart", "caddy.service")
        return ""

    def _use_nginx(self) -> str:
        say(f"A link is made: {NGINX_SITE} leads to {NGINX}")
        before = os.path.lexists(NGINX_SITE) if self.is_real else False
        if self.is_real and not before:
            NGINX_SITE.symlink_to(NGINX)
        if not self.succeeds("nginx", "-t", "-q"):
            if not before:
                NGINX_SITE.unlink()
            return (
                f"nginx does not accept {NGINX} yet: most often the certificate is missing. "
                "Get one, and run this command again."
            )
        self.run("systemctl", "reload-or-restart", "nginx.service")
        return ""

    def leave_the_proxies(self) -> None:
        """Take our line and our link out of the proxies' configurations."""
        if not self.is_real:
            say(f"  would take the line `{IMPORT}` out of {CADDYFILE}, and remove {NGINX_SITE}")
            return
        if CADDYFILE.exists() and IMPORT in CADDYFILE.read_text().splitlines():
            lines = [line for line in CADDYFILE.read_text().splitlines() if line != IMPORT]
            CADDYFILE.write_text("\n".join(lines).rstrip() + "\n")
            self.run("systemctl", "reload-or-restart", "caddy.service", may_fail=True)
        if NGINX_SITE.is_symlink():
            NGINX_SITE.unlink()
            self.run("systemctl", "reload-or-restart", "nginx.service", may_fail=True)

    @staticmethod
    def _is_as_packaged(file: Path) -> bool:
        """Whether a configuration file is still as Debian's package brought it."""
        changed = subprocess.run(
            ["dpkg", "--verify", "caddy"], capture_output=True, text=True, check=False
        ).stdout
        return str(file) not in changed


def installed_proxy() -> str:
    """The proxy that is installed: caddy, nginx, or none."""
    for program in ("caddy", "nginx"):
        if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
            return program
    return "none"
