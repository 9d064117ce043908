"""The installed files of Caddy and nginx: the real programs accept them, and guests get an answer
also while eventreg is away."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from script.installation.files import CADDY, NGINX, Place, files
from tests.support import proxies
from tests.support.servers import free_port

TEXTS = {file.path: file.content for file in files(Place("register.example.org", "8123"))}


def test_caddy_accepts_the_installed_file(tmp_path: Path) -> None:
    site = TEXTS[CADDY].replace("/var/log/caddy/", f"{tmp_path}/")
    (tmp_path / "Caddyfile").write_text(site)
    said = subprocess.run(
        ["caddy", "validate", "--adapter", "caddyfile", "--config", tmp_path / "Caddyfile"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert "not formatted" not in said.stderr
    assert "enabling automatic HTTP->HTTPS redirects" in said.stderr, "it fetches a certificate"


def test_nginx_accepts_the_installed_file(tmp_path: Path) -> None:
    proxies.certificate(tmp_path)
    site = TEXTS[NGINX]
    for pattern, here in (
        (r"/etc/letsencrypt/live/register\.example\.org/fullchain\.pem", "certificate.pem"),
        (r"/etc/letsencrypt/live/register\.example\.org/privkey\.pem", "key.pem"),
    ):
        site, found = re.subn(pattern, f"{tmp_path}/{here}", site)
        assert found == 1
    site = site.replace("/var/log/nginx/", f"{tmp_path}/")
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/error.log;\nevents {{}}\nhttp {{\n{site}\n}}\n"
    )
    said = subprocess.run(
        ["nginx", "-t", "-q", "-p", tmp_path, "-c", tmp_path / "nginx.conf"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr


@pytest.mark.parametrize("path", [CADDY, NGINX])
def test_the_installed_files_name_our_host_and_port_alone(path: Path) -> None:
    assert "register.example.org" in TEXTS[path]
    assert "127.0.0.1:8123" in TEXTS[path] and ":8000" not in TEXTS[path]


@pytest.mark.parametrize("front", [proxies.caddy, proxies.nginx])
def test_while_eventreg_is_away_guests_read_when_to_try_again(
    front: proxies.Running, tmp_path: Path
) -> None:
    with front(tmp_path / "proxy", free_port(), free_port()) as proxy:
        answer = proxy.ask("GET", "/zh/")
    assert answer.status == 503
    assert answer.headers.get("Server", "") in {"Caddy", "nginx"}, "no version"
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "网页马上就好" in answer.text and "Back in a moment" in answer.text
