"""deploy/kubernetes: what published schemas say of it, and that it fits image, service and rules."""

import json
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from sqlalchemy import make_url

from service.api.telemetry.health import LIVE, READY
from service.environment import OF_FILES, PREFIX
from service.settings import Settings, SettingsError, from_environment, unknown_variables
from tests.deployment.dockerfile import stage
from tests.deployment.expressions import RULES
from tests.deployment.kubernetes import EXAMPLE, MANIFESTS, Manifest, merged, rendered
from tests.support.checkout import ROOT
from tests.support.children import run_program
from tests.support.tokens import SCRAPE_TOKEN, SECRET

# The oldest that has all that is used, and the newest.
VERSIONS = ("1.27", kubernetes_validate.latest_version())
# The Prometheus Operator's, which those schemas do not know.
CUSTOM = {"ServiceMonitor", "PrometheusRule"}
MANIFEST = {each["kind"]: each for each in merged(EXAMPLE)}
POD: Manifest = MANIFEST["Deployment"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
LABELS = MANIFEST["Deployment"]["spec"]["template"]["metadata"]["labels"]


def variables() -> dict[str, str]:
    """The environment of the container."""
    assert CONTAINER["envFrom"] == [{"configMapRef": {"name": MANIFEST["ConfigMap"]["metadata"]["name"]}}]
    return {**MANIFEST["ConfigMap"]["data"], **{each["name"]: each["value"] for each in CONTAINER["env"]}}


def with_secrets(**secrets: str) -> dict[str, str]:
    """The environment, with the example's secrets, or others, in place of the names of their files."""
    values = MANIFEST["Secret"]["stringData"] | secrets
    return {
        name.removesuffix(OF_FILES): values[Path(value).name] if name.endswith(OF_FILES) else value
        for name, value in variables().items()
        if name.startswith(PREFIX)
    }


def settings() -> Settings:
    """What the service makes of it, once there are secrets."""
    return from_environment(with_secrets(jwt_secret=SECRET, scrape_token=SCRAPE_TOKEN))


def ports(rules: list[Manifest]) -> list[int | str]:
    return [port["port"] for rule in rules for port in rule["ports"]]


def test_kubectl_makes_of_it_what_the_files_say() -> None:
    """But for the hash behind a name, by which a changed setting rolls the pods."""
    text, hashed = re.subn(r"name: parallel-ops-[a-z0-9]{10}\n", "name: parallel-ops\n", rendered())
    assert hashed == 2
    assert {each["kind"]: each for each in yaml.safe_load_all(text)} == MANIFEST


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", sorted(MANIFEST.keys() - CUSTOM))
def test_kubernetes_schemas_take_it(kind: str, version: str) -> None:
    kubernetes_validate.validate(MANIFEST[kind], version, strict=True)


def test_each_kind_is_there_once_and_in_one_namespace() -> None:
    assert len(merged(EXAMPLE)) == len(MANIFEST)
    namespace = MANIFEST["Namespace"]["metadata"]["name"]
    assert {each["metadata"].get("namespace", namespace) for each in MANIFEST.values()} == {namespace}


def test_all_variables_are_settings_and_files_are_keys_of_the_secret() -> None:
    assert unknown_variables(variables()) == []
    assert POD["enableServiceLinks"] is False  # PARALLEL_OPS_PORT and others would be there, too
    (mounted,) = (each["mountPath"] for each in CONTAINER["volumeMounts"] if each["name"] == "secrets")
    files = {value for name, value in variables().items() if name.endswith(OF_FILES)}
    assert files == {f"{mounted}/{key}" for key in MANIFEST["Secret"]["stringData"]}
    (secret,) = (each["secret"] for each in POD["volumes"] if each["name"] == "secrets")
    assert secret["secretName"] == MANIFEST["Secret"]["metadata"]["name"]


def test_the_examples_secrets_are_refused_and_good_ones_make_settings() -> None:
    with pytest.raises(SettingsError) as refused:
        from_environment(with_secrets())
    assert {problem.variable for problem in refused.value.problems} == {
        f"{PREFIX}JWT_SECRET",
        f"{PREFIX}SCRAPE_TOKEN",
    }
    assert settings().auth == "required"


def test_pods_have_time_to_end() -> None:
    drain, shutdown = settings().drain_seconds, settings().shutdown_seconds
    assert POD["terminationGracePeriodSeconds"] > drain + shutdown
    assert "lifecycle" not in CONTAINER  # a hook's time would be taken from that of the end


def test_ports_are_the_images() -> None:
    instructions = dict(stage("service"))
    (port,) = CONTAINER["ports"]
    assert str(port["containerPort"]) == instructions["EXPOSE"] == json.loads(instructions["CMD"])[-1]
    assert not {"command", "args"} & CONTAINER.keys()
    (service,) = MANIFEST["Service"]["spec"]["ports"]
    assert service["targetPort"] == port["name"]
    assert {each["port"] for each in MANIFEST["ServiceMonitor"]["spec"]["endpoints"]} == {service["name"]}
    assert ports(MANIFEST["NetworkPolicy"]["spec"]["ingress"]) == [port["name"]]


def test_what_the_service_asks_may_be_reached() -> None:
    allowed = ports(MANIFEST["NetworkPolicy"]["spec"]["egress"])
    servers = [make_url(url).port for url in (settings().database_url, settings().redis_url)]
    assert allowed == [53, 53, *servers]


def test_probes_ask_what_is_theirs_to_ask() -> None:
    asked = {name: CONTAINER[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {name: each["path"] for name, each in asked.items()} == {
        "startup": LIVE,
        "liveness": LIVE,
        "readiness": READY,
    }
    assert {each["port"] for each in asked.values()} == {CONTAINER["ports"][0]["name"]}


def test_last_good_figures_are_served_as_long_as_there_are_some() -> None:
    probe = CONTAINER["readinessProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= settings().max_stale_seconds


def test_it_is_the_images_user_and_may_do_no_more_than_restricted_pods() -> None:
    confined = POD["securityContext"]
    assert f"{confined['runAsUser']}:{confined['runAsGroup']}" == dict(stage("base"))["USER"]
    assert confined["fsGroup"] == confined["runAsGroup"]  # whose the secrets' files are
    assert confined["runAsNonRoot"] is True
    assert confined["seccompProfile"] == {"type": "RuntimeDefault"}
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert POD["automountServiceAccountToken"] is False
    assert MANIFEST["Namespace"]["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}


def test_it_can_write_where_it_does() -> None:
    (mounted,) = (each["name"] for each in CONTAINER["volumeMounts"] if not each.get("readOnly"))
    (volume,) = (each for each in POD["volumes"] if each["name"] == mounted)
    assert volume["emptyDir"]["medium"] == "Memory"
    paths = {each["name"]: each["mountPath"] for each in CONTAINER["volumeMounts"]}
    assert paths[mounted] == variables()["RUNTIME_DIRECTORY"]


def test_memory_is_bounded_as_everywhere() -> None:
    memory = CONTAINER["resources"]["limits"]["memory"]
    composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["parallel-ops-1"]
    assert memory == composed["mem_limit"].replace("m", "Mi")


def test_everything_selects_the_pods() -> None:
    deployment, scaled = MANIFEST["Deployment"], MANIFEST["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert scaled == {key: deployment[key] for key in ("apiVersion", "kind")} | {
        "name": deployment["metadata"]["name"]
    }
    selectors: list[Any] = [
        deployment["spec"]["selector"]["matchLabels"],
        MANIFEST["Service"]["spec"]["selector"],
        MANIFEST["Service"]["metadata"]["labels"],  # by which the ServiceMonitor finds it
        MANIFEST["ServiceMonitor"]["spec"]["selector"]["matchLabels"],
        MANIFEST["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        MANIFEST["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        *(each["labelSelector"]["matchLabels"] for each in POD["topologySpreadConstraints"]),
    ]
    assert all(selector == LABELS for selector in selectors)


def test_some_are_left_when_one_goes_and_their_number_is_the_autoscalers() -> None:
    assert "replicas" not in MANIFEST["Deployment"]["spec"]
    away = MANIFEST["PodDisruptionBudget"]["spec"]["maxUnavailable"]
    assert 0 < away < MANIFEST["HorizontalPodAutoscaler"]["spec"]["minReplicas"]
    (metric,) = MANIFEST["HorizontalPodAutoscaler"]["spec"]["metrics"]
    assert metric["resource"]["name"] in CONTAINER["resources"]["requests"]


def test_alerts_are_those_of_prometheus(tmp_path: Path) -> None:
    assert MANIFEST["PrometheusRule"]["apiVersion"] == "monitoring.coreos.com/v1"
    assert MANIFEST["PrometheusRule"]["spec"] == yaml.safe_load(RULES.read_text())
    made = tmp_path / "prometheusrule.yaml"
    run_program(["make", "rules", f"RULE={made}"], cwd=ROOT, check=True)
    current = (MANIFESTS / "monitoring" / "prometheusrule.yaml").read_text()
    assert made.read_text() == current, "rules.yml has changed: make rules"
