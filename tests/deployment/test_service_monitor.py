"""The ServiceMonitor, as the Prometheus Operator hands it on, in a real Prometheus."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deployment.kubernetes import EXAMPLE, Manifest, merged
from tests.deployment.prometheus import DEPLOYED, running
from tests.support.tokens import SCRAPE_TOKEN
from tests.support.waiting import until

MANIFEST = {each["kind"]: each for each in merged(EXAMPLE)}
ENDPOINTS: list[Manifest] = MANIFEST["ServiceMonitor"]["spec"]["endpoints"]
JOBS = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text())["scrape_configs"]
NAMESPACE = MANIFEST["Namespace"]["metadata"]["name"]
SERVICE = MANIFEST["Service"]["metadata"]["name"]
PODS = {f"parallel-ops-5d8f-{name}": f"10.1.2.{number}:8000" for number, name in enumerate("abc", 1)}

# The operator's words and Prometheus' own: all that an entry may say, but for port and authorization.
NAMES = {
    "path": "metrics_path",
    "params": "params",
    "honorLabels": "honor_labels",
    "interval": "scrape_interval",
    "relabelings": "relabel_configs",
    "sourceLabels": "source_labels",
    "targetLabel": "target_label",
}
# What it lets Kubernetes' discovery say of a target, and makes of that before our own relabelings.
DISCOVERED = {
    "namespace": "__meta_kubernetes_namespace",
    "service": "__meta_kubernetes_service_name",
    "pod": "__meta_kubernetes_pod_name",
    "job": "__meta_kubernetes_service_name",
}


def handed_on(number: int, endpoint: Manifest) -> dict[str, Any]:
    """The job that the operator makes of an entry, its targets written out."""
    said = {NAMES[name]: value for name, value in endpoint.items() if name not in {"port", "authorization"}}
    made = [{"source_labels": [meta], "target_label": label} for label, meta in DISCOVERED.items()]
    own = [{NAMES.get(name, name): value for name, value in one.items()} for one in endpoint["relabelings"]]
    labels = {"__meta_kubernetes_namespace": NAMESPACE, "__meta_kubernetes_service_name": SERVICE}
    targets = [
        {"targets": [address], "labels": labels | {"__meta_kubernetes_pod_name": name}}
        for name, address in PODS.items()
    ]
    return said | {
        "job_name": f"serviceMonitor/{NAMESPACE}/{SERVICE}/{number}",
        "authorization": {"credentials_file": "scrape_token"},
        "relabel_configs": made + own,
        "static_configs": targets,
    }


async def test_the_fleets_figures_are_asked_for_once_and_each_pod_for_its_own(tmp_path: Path) -> None:
    configuration = tmp_path / "prometheus.yml"
    jobs = [handed_on(number, each) for number, each in enumerate(ENDPOINTS)]
    configuration.write_text(yaml.safe_dump({"scrape_configs": jobs}))
    (tmp_path / "scrape_token").write_text(SCRAPE_TOKEN)
    with running(tmp_path, configuration) as prometheus:
        await until(lambda: len(prometheus.up()) == 1 + len(PODS))
        targets = prometheus.get("/targets")["activeTargets"]
    name, port = f"{SERVICE}.{NAMESPACE}.svc", MANIFEST["Service"]["spec"]["ports"][0]["port"]
    side_tracks, instances = (job["job_name"] for job in JOBS)
    common = {"namespace": NAMESPACE, "service": SERVICE}
    asked = {each["scrapeUrl"]: each["labels"] for each in targets}
    whole = f"http://{name}:{port}{JOBS[0]['metrics_path']}?window_days=7"
    assert asked.pop(whole) == common | {
        "job": side_tracks,
        "instance": f"{name}:{port}",
        "window_days": JOBS[0]["static_configs"][0]["labels"]["window_days"],
    }
    assert asked == {
        f"http://{address}/metrics": common | {"job": instances, "instance": pod, "pod": pod}
        for pod, address in PODS.items()
    }


@pytest.mark.parametrize(("endpoint", "job"), [*zip(ENDPOINTS, JOBS, strict=True)])
def test_it_asks_as_the_deployed_prometheus_does(endpoint: Manifest, job: dict[str, Any]) -> None:
    assert endpoint["path"] == job.get("metrics_path", "/metrics")
    assert endpoint.get("honorLabels", False) == job.get("honor_labels", False)
    labels = job["static_configs"][0].get("labels", {})
    assert endpoint.get("params", {}) == {
        name.removeprefix("__param_"): [value]
        for name, value in labels.items()
        if name.startswith("__param_")
    }
    credentials = endpoint["authorization"]["credentials"]
    assert credentials["name"] == MANIFEST["Secret"]["metadata"]["name"]
    assert credentials["key"] in MANIFEST["Secret"]["stringData"]
    assert Path(job["authorization"]["credentials_file"]).name == credentials["key"]
