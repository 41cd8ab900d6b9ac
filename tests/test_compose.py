"""The cluster's file says what is so: settings that we read, commands that exist, services that wait for each other."""

import re
from typing import Any, Final

import pytest
import yaml

from api.app import _MOST_BYTES
from cli.late import Late
from infra.settings import ROOT, Settings, misspelt

FILE: Final = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: Final[dict[str, dict[str, Any]]] = FILE["services"]
OURS: Final = {name: service for name, service in SERVICES.items() if service["image"] == "counterfoil"}
EXAMPLE: Final = (ROOT / ".env.example").read_text()
NGINX: Final = (ROOT / "deploy" / "nginx.conf.template").read_text()
FILLED: Final = {
    "SITE": "receipts.test",
    "POSTGRES_PASSWORD": "a-password",
    "S3_SECRET": "a-secret",
    "METRICS_TOKEN": "a-token-of-sixteen-or-more",
    "SECRET_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}


def filled(text: str | None) -> str | None:
    return None if text is None else re.sub(r"\$\{(\w+)[^}]*\}", lambda found: FILLED[found[1]], text)


def test_it_is_two_servers_two_workers_a_database_a_store_and_a_proxy() -> None:
    commands = [" ".join(service["command"][:2]) for service in OURS.values()]
    assert sorted(commands) == [
        "counterfoil migrate",
        *["counterfoil serve"] * 2,
        *["counterfoil worker"] * 2,
        "python -c",
    ]
    assert {"postgres", "objects", "proxy"} == SERVICES.keys() - OURS.keys()


@pytest.mark.parametrize("name", OURS)
def test_every_setting_of_a_service_is_one_that_we_read_and_take(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {key: filled(value) for key, value in OURS[name]["environment"].items()}
    assert misspelt(environment) == []
    for key, value in environment.items():
        if value is not None:
            monkeypatch.setenv(key, value)
    settings = Settings()
    assert settings.data.where_database().startswith("postgresql+psycopg://counterfoil:a-password@postgres/")
    assert settings.server.address() == "https://receipts.test"


@pytest.mark.parametrize("name", [name for name, service in OURS.items() if service["command"][0] == "counterfoil"])
def test_every_command_of_a_service_exists(name: str) -> None:
    _, command, *options = OURS[name]["command"]
    known = Late().get_command(None, command)
    flags = {flag for option in known.params for flag in (*option.opts, *option.secondary_opts)}
    assert {option for option in options if option.startswith("--")} <= flags


def test_what_a_service_waits_for_is_there_and_can_be_waited_for() -> None:
    for service in SERVICES.values():
        for other, wanted in service.get("depends_on", {}).items():
            if wanted["condition"] == "service_healthy":
                assert "test" in SERVICES[other]["healthcheck"]
            else:
                assert wanted["condition"] == "service_completed_successfully"
                assert SERVICES[other]["restart"].startswith("on-failure")


def test_every_service_that_stays_is_watched_and_started_again() -> None:
    staying = {name: each for name, each in SERVICES.items() if not each["restart"].startswith("on-failure")}
    assert {each["restart"] for each in staying.values()} == {"unless-stopped"}
    assert all(each["healthcheck"]["test"][0] == "CMD" for each in staying.values())


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert [name for name, service in SERVICES.items() if "outside" in service["networks"]] == ["proxy"]


def test_every_volume_is_declared_and_used() -> None:
    named = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert {name for name in named if not name.startswith((".", "$"))} == FILE["volumes"].keys()


def test_no_secret_is_committed_and_each_is_asked_for() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))
    given = dict(re.findall(r"^(\w+)=(.*)$", EXAMPLE, re.MULTILINE))
    assert given.keys() == asked
    assert {name for name, value in given.items() if value} == {"SITE", "TLS_FOLDER", "TLS_PATH"}
    assert misspelt(re.findall(r"^#?(COUNTERFOIL_\w+)=", EXAMPLE, re.MULTILINE)) == []


def test_the_proxy_asks_the_servers_that_there_are() -> None:
    asked = set(re.findall(r"^\s+server (\S+):8000 ", NGINX, re.MULTILINE))
    assert asked == {name for name, service in OURS.items() if service["command"][1] == "serve"}


def test_the_proxy_lets_through_what_the_service_takes() -> None:
    limit = re.search(r"client_max_body_size (\d+)m;", NGINX)
    assert limit
    assert _MOST_BYTES < int(limit[1]) * 1024 * 1024 < _MOST_BYTES * 1.2


def test_the_image_runs_without_rights_and_is_watched() -> None:
    image = (ROOT / "Dockerfile").read_text()
    users = re.findall(r"^USER (\S+)$", image, re.MULTILINE)
    assert users == ["counterfoil"]
    assert "HEALTHCHECK" in image
    assert misspelt(re.findall(r"(COUNTERFOIL_\w+)=", image)) == []
