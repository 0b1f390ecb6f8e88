"""The manifests of deploy/kubernetes as a cluster gets them: what is said in them, put together."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deployment.expressions import DEPLOY
from tests.support.children import run_program
from tests.support.programs import found

MANIFESTS = DEPLOY / "kubernetes"
EXAMPLE = MANIFESTS / "example"

Manifest = dict[str, Any]
# Of all that a kustomization may say, what ours do and `merged` knows.
_KNOWN = {"apiVersion", "kind", "resources", "namespace", "images", "configMapGenerator"}


def rendered() -> str:
    """What kubectl would send to a cluster; skips where there is no kubectl."""
    kubectl = found("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl on this machine")
    result = run_program([kubectl, "kustomize", EXAMPLE], capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def merged(folder: Path) -> list[Manifest]:
    """What a kustomization names, with what it says of all of that."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert kustomization.keys() <= _KNOWN
    manifests = [each for name in kustomization["resources"] for each in _read(folder / name)]
    manifests += map(_config_map, kustomization.get("configMapGenerator", []))
    for each in manifests:
        if "namespace" in kustomization and each["kind"] != "Namespace":
            each["metadata"]["namespace"] = kustomization["namespace"]
        for image in kustomization.get("images", []):
            _name_image(each, image)
    return manifests


def _read(path: Path) -> list[Manifest]:
    return merged(path) if path.is_dir() else [*yaml.safe_load_all(path.read_text())]


def _config_map(said: Manifest) -> Manifest:
    data = dict(literal.split("=", 1) for literal in said["literals"])
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": said["name"]}, "data": data}


def _name_image(manifest: Manifest, image: dict[str, str]) -> None:
    if manifest["kind"] == "Deployment":
        for container in manifest["spec"]["template"]["spec"]["containers"]:
            if container["image"] == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"
