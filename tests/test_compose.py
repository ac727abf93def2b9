"""docker-compose.yml and Dockerfile against the tree: settings, commands, rooms and files that they name exist."""

import dataclasses
import re
from typing import Any

import click
import pytest
import yaml

from pratunam.cli import pratunam
from pratunam.settings import Settings
from tests.source import ROOMS, ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SETTINGS = {f"PRATUNAM_{entry.name.upper()}" for entry in dataclasses.fields(Settings)}
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("pratunam:")}


def test_every_part_of_the_design_has_its_service() -> None:
    """Redis, PostgreSQL, scheduler, workers, registrar, Prometheus and Grafana can all be started."""
    wanted = {"redis", "postgres", "scheduler", "worker", "registrar", "prometheus", "grafana"}
    assert wanted - set(SERVICES) == set()


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_pinned_unprivileged_and_watched(name: str) -> None:
    """Each service has an image of one exact version, a user that is not root, and a health check if it stays up."""
    service = SERVICES[name]
    assert re.search(r":v?\d+\.\d+", service["image"])
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    checked_by_image = name in OURS and "healthcheck" not in service and "HEALTHCHECK" in DOCKERFILE
    assert checked_by_image or service["healthcheck"].get("test") or service["restart"] == "no"


def test_only_settings_that_exist_are_set() -> None:
    """Every PRATUNAM_ variable of compose and image is a setting."""
    named = {key for service in OURS.values() for key in service.get("environment", {})}
    named |= set(re.findall(r"\b(PRATUNAM_\w+)=", DOCKERFILE))
    assert named - SETTINGS == set()


def test_only_commands_that_exist_are_started() -> None:
    """Every service of our image that keeps its entry point runs a command of the command line."""
    started = {service["command"][0] for service in OURS.values() if "entrypoint" not in service}
    assert started - set(pratunam.list_commands(click.Context(pratunam))) == set()
    assert 'ENTRYPOINT ["pratunam"]' in DOCKERFILE


def test_settings_of_the_image_and_of_compose_agree() -> None:
    """The port that the image's health check asks is the port that the processes are given."""
    ports = {service["environment"]["PRATUNAM_PORT"] for service in OURS.values() if "environment" in service}
    assert ports == {"9464"}
    assert "127.0.0.1:9464/metrics" in DOCKERFILE
    scraped = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text(encoding="utf-8"))[
        "scrape_configs"
    ]
    assert {(job["job_name"], job["dns_sd_configs"][0]["port"]) for job in scraped} == {
        ("scheduler", 9464),
        ("worker", 9464),
    }


def test_every_room_is_in_the_image() -> None:
    """The image holds each package of the tree, and its build context lets each through."""
    let_through = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert [
        room for room in ROOMS if f"COPY {room} {room}" not in DOCKERFILE or f"!{room}" not in let_through
    ] == []


def test_every_mounted_file_of_the_clone_exists() -> None:
    """Each path of the clone that a service mounts is there; secrets are made by the operator."""
    mounts = [
        m.split(":")[0]
        for service in SERVICES.values()
        for m in service.get("volumes", [])
        if m.startswith("./")
    ]
    assert [mount for mount in mounts if not (ROOT / mount).exists()] == []


def test_every_named_volume_network_and_secret_is_declared() -> None:
    """What services refer to by name stands in the file's own lists."""
    for service in SERVICES.values():
        volumes = {m.split(":")[0] for m in service.get("volumes", []) if not m.startswith((".", "/"))}
        assert volumes <= set(COMPOSE["volumes"])
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
        assert set(service.get("networks", [])) <= set(COMPOSE["networks"])
        assert set(service.get("depends_on", {})) <= set(SERVICES)


def test_no_port_is_open_to_the_world() -> None:
    """Published ports listen on the loopback address only."""
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_images_run_as_somebody() -> None:
    """The image's last user is not root, and its base is of one exact version."""
    users = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)
    assert users
    assert not users[-1].startswith(("0", "root"))
    assert all(
        re.search(r":\d+\.\d+\.\d+", base) for base in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    )
