"""docker-compose.yml and Dockerfile against the tree: settings, commands, rooms, files and ports that they name exist and fit together."""

import dataclasses
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
import yaml

from ledger import postgres
from ledger.database import read_database
from pratunam.cli import pratunam
from pratunam.settings import Settings, read_settings
from registrar.__main__ import command_line
from tests.source import ROOMS, ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SETTINGS = {f"PRATUNAM_{entry.name.upper()}" for entry in dataclasses.fields(Settings)}
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("pratunam:")}
GATE = {name: service for name, service in OURS.items() if "entrypoint" not in service}
#: where each service that others call listens
LISTENS = {"redis": 6379, "postgres": 5432, "registrar": 8080, "prometheus": 9090, "grafana": 3000}
#: sessions of PostgreSQL that one process of the gate may have open: writers, readers, and one for the keys
SESSIONS = postgres.WRITERS + postgres.READERS + 1


def test_every_part_of_the_design_has_its_service() -> None:
    """Redis, PostgreSQL, two schedulers, workers, registrar, Prometheus and Grafana; what a trial alone needs waits for its profile."""
    wanted = {"redis", "postgres", "migrate", "scheduler", "worker", "registrar", "prometheus", "grafana"}
    assert wanted - set(SERVICES) == set()
    assert SERVICES["scheduler"]["deploy"]["replicas"] == 2
    assert SERVICES["worker"]["deploy"]["replicas"] >= 2
    assert {name for name in SERVICES if "profiles" in SERVICES[name]} == {"registrar", "tools"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_pinned_unprivileged_and_watched(name: str) -> None:
    """One exact version, a user that is not root, nothing writable but volumes, no capability, and a health check if it stays up."""
    service = SERVICES[name]
    assert re.search(r":v?\d+\.\d+", service["image"])
    assert "latest" not in service["image"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    checked_by_image = name in OURS and "healthcheck" not in service and "HEALTHCHECK" in DOCKERFILE
    assert checked_by_image or service["healthcheck"].get("test") or service["restart"] == "no"


def test_only_settings_that_exist_are_set() -> None:
    """Every PRATUNAM_ variable of compose and image is a setting."""
    named = {key for service in OURS.values() for key in service.get("environment", {})}
    named |= set(re.findall(r"\b(PRATUNAM_\w+)=", DOCKERFILE))
    assert named - SETTINGS == set()


@pytest.mark.parametrize("name", sorted(GATE))
def test_the_settings_of_a_service_are_read_by_the_code_itself(name: str, tmp_path: Path) -> None:
    """All processes have one Redis, one ledger in PostgreSQL and one master key; addresses name services of this file at their ports."""
    environment = {key: str(value) for key, value in GATE[name]["environment"].items()}
    settings = read_settings(None, environment)
    password = tmp_path / "password"
    password.write_text("secret\n")
    assert read_database(settings.ledger_url, password).password == "secret"
    for address in (settings.redis_url, settings.ledger_url):
        place = urlsplit(address)
        assert place.port == LISTENS[str(place.hostname)]
    assert urlsplit(settings.ledger_url).username == SERVICES["postgres"]["environment"]["POSTGRES_USER"]
    assert urlsplit(settings.ledger_url).path == f"/{SERVICES['postgres']['environment']['POSTGRES_DB']}"
    assert settings == read_settings(None, {k: str(v) for k, v in GATE["worker"]["environment"].items()})


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_secrets_come_from_files_alone(name: str) -> None:
    """What is secret is named by a file of a secret that the service is given; no variable holds one."""
    service = SERVICES[name]
    for key, value in service.get("environment", {}).items():
        if re.search("PASSWORD|SECRET|KEY", key):
            assert key.endswith("_FILE")
            assert str(value).removeprefix("/run/secrets/") in service["secrets"]
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    for secret in COMPOSE["secrets"].values():
        assert f"*{Path(secret['file']).suffix}" in ignored


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_is_read_by_the_command_line_itself(name: str) -> None:
    """Its name and all of its options exist."""
    words = [str(word) for word in OURS[name]["command"]]
    if name in GATE:
        command = pratunam.get_command(click.Context(pratunam), words[0])
        assert command is not None
        assert command.make_context(words[0], words[1:]).args == []
    else:
        assert OURS[name]["entrypoint"] == ["python", "-m", "registrar"]
        assert command_line().parse_args(words).port == LISTENS["registrar"]
    assert 'ENTRYPOINT ["pratunam"]' in DOCKERFILE


def test_settings_of_the_image_and_of_compose_agree() -> None:
    """The port that the image's health check asks is the port that the processes are given, and that Prometheus scrapes of each."""
    ports = {service["environment"]["PRATUNAM_PORT"] for service in GATE.values()}
    assert ports == {"9464"}
    assert "127.0.0.1:9464/metrics" in DOCKERFILE
    assert "EXPOSE 9464" in DOCKERFILE
    scraped = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text(encoding="utf-8"))[
        "scrape_configs"
    ]
    long_running = {name for name, service in GATE.items() if service["restart"] != "no"}
    assert {(job["job_name"], job["dns_sd_configs"][0]["port"]) for job in scraped} == {
        (name, 9464) for name in long_running
    }
    assert {job["dns_sd_configs"][0]["names"][0] for job in scraped} == long_running


def test_every_port_that_is_named_is_one_that_a_service_listens_on() -> None:
    """Health checks ask their own service, boards ask Prometheus, and nothing is published that is not there."""
    for name, port in LISTENS.items():
        assert str(port) in " ".join(map(str, SERVICES[name]["healthcheck"]["test"])) or name == "redis"
    sources = yaml.safe_load(
        (ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text(encoding="utf-8")
    )
    place = urlsplit(sources["datasources"][0]["url"])
    assert (place.hostname, place.port) == ("prometheus", LISTENS["prometheus"])
    for name, service in SERVICES.items():
        for published in service.get("ports", []):
            assert int(published.rsplit(":", 1)[1]) == LISTENS[name]


def test_the_database_has_room_for_every_process() -> None:
    """As many sessions as all processes may open, two commands beside them, and those that the server keeps for itself."""
    settings = dict(
        word.split("=", 1) for word in SERVICES["postgres"]["command"] if "=" in word and word[0] != "-"
    )
    processes = sum(service.get("deploy", {}).get("replicas", 1) for service in GATE.values()) + 2
    assert processes * SESSIONS + 3 <= int(settings["max_connections"])


def test_nobody_starts_before_what_it_stands_on() -> None:
    """Redis and PostgreSQL answer and the tables are made before a scheduler or worker starts; the tables wait for PostgreSQL."""
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("scheduler", "worker", "tools"):
        assert SERVICES[name]["depends_on"] == {
            "redis": {"condition": "service_healthy"},
            "postgres": {"condition": "service_healthy"},
            "migrate": {"condition": "service_completed_successfully"},
        }


def test_redis_keeps_nothing_and_forgets_nothing() -> None:
    """No persistence, and no key is thrown away when memory is short, as the gate itself demands."""
    words = SERVICES["redis"]["command"]
    given = {words[place]: words[place + 1] for place in range(1, len(words), 2)}
    assert (given["--save"], given["--appendonly"], given["--maxmemory-policy"]) == ("", "no", "noeviction")


def test_every_room_is_in_the_image() -> None:
    """The image holds each package of the tree, and its build context lets each through."""
    let_through = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert [
        room for room in ROOMS if f"COPY {room} {room}" not in DOCKERFILE or f"!{room}" not in let_through
    ] == []


def test_every_mounted_file_of_the_clone_exists() -> None:
    """Each path of the clone that a service mounts is there and cannot be changed; secrets are made by the operator."""
    mounts = [m for service in SERVICES.values() for m in service.get("volumes", []) if m.startswith("./")]
    assert [mount for mount in mounts if not (ROOT / mount.split(":")[0]).exists()] == []
    assert [mount for mount in mounts if not mount.endswith(":ro")] == []


def test_every_named_volume_network_and_secret_is_declared_and_used() -> None:
    """What services refer to by name stands in the file's own lists, and nothing else does."""
    used: dict[str, set[str]] = {"volumes": set(), "networks": set(), "secrets": set()}
    for service in SERVICES.values():
        used["volumes"] |= {
            m.split(":")[0] for m in service.get("volumes", []) if not m.startswith((".", "/"))
        }
        used["networks"] |= set(service["networks"])
        used["secrets"] |= set(service.get("secrets", []))
        assert set(service.get("depends_on", {})) <= set(SERVICES)
    assert used == {kind: set(COMPOSE[kind]) for kind in used}


def test_no_port_is_open_to_the_world() -> None:
    """Published ports listen on the loopback address only; Redis and PostgreSQL are on the inner network alone."""
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert SERVICES["redis"]["networks"] == SERVICES["postgres"]["networks"] == ["inside"]


def test_images_run_as_somebody() -> None:
    """The image's last user is not root, and its base is of one exact version."""
    users = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)
    assert users
    assert not users[-1].startswith(("0", "root"))
    assert {service["user"] for service in OURS.values()} == {users[-1]}
    assert all(
        re.search(r":\d+\.\d+\.\d+", base) for base in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    )
