"""Owns Prometheus's configuration and the files that tell it which pods to scrape, every second."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import yaml

from tests.e2e.cluster.pod_behaviour import DEFAULT_PORT, image_tag, is_prometheus

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.cluster.client import Document

CONTOUR_ENVOY_STATS = "127.0.0.1:8002"
ISTIO_ENVOY_STATS = "127.0.0.1:15000"


class Scraping:
    """The scrape targets of one cluster."""

    def __init__(self, folder: Path, node: str) -> None:
        """Write below `folder`."""
        self._folder = folder
        self._node = node
        self._targets: dict[str, dict[str, object]] = {}
        self._mutex = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(self._configuration()))
        self._write()

    def _configuration(self) -> dict[str, object]:
        pods = {
            "job_name": "pods",
            "file_sd_configs": [{"files": [str(self._folder / "pods.json")], "refresh_interval": "1s"}],
        }
        envoys = [
            {
                "job_name": f"envoy-{name}",
                "metrics_path": "/stats/prometheus",
                "static_configs": [{"targets": [target]}],
            }
            for name, target in (("contour", CONTOUR_ENVOY_STATS), ("istio", ISTIO_ENVOY_STATS))
        ]
        return {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [pods, *envoys],
        }

    def command(self, program: str, address: str, port: int, name: str) -> list[str]:
        """Return the command line of a Prometheus server."""
        return [
            program,
            f"--config.file={self._folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={self._folder / name}",
            "--storage.tsdb.retention.time=6h",
            f"--web.listen-address={address}:{port}",
        ]

    def add(self, pod: Document, address: str) -> None:
        """Scrape a pod from now on, labelled as the usual relabelling in clusters does."""
        if is_prometheus(pod) or pod["spec"]["containers"][0].get("command"):
            return
        metadata, container = pod["metadata"], pod["spec"]["containers"][0]
        labels = metadata.get("labels", {})
        port = next((p["containerPort"] for p in container.get("ports", ())), DEFAULT_PORT)
        version = next(
            (e["value"] for e in container.get("env", ()) if e["name"] == "VERSION" and "value" in e), ""
        )
        target: dict[str, object] = {
            "targets": [f"{address}:{port}"],
            "labels": {
                "app": labels.get("app") or labels.get("app.kubernetes.io/name", ""),
                "namespace": metadata["namespace"],
                "pod": metadata["name"],
                "version": version or image_tag(container.get("image", "")),
                "pod_template_hash": labels.get("pod-template-hash", ""),
                "kubernetes_namespace": metadata["namespace"],
                "kubernetes_pod_name": metadata["name"],
            },
        }
        with self._mutex:
            self._targets[metadata["uid"]] = target
            self._write()

    def remove(self, pod: Document) -> None:
        """Scrape a pod no more."""
        with self._mutex:
            if self._targets.pop(pod["metadata"]["uid"], None):
                self._write()

    def _write(self) -> None:
        partial = self._folder / "pods.json.partial"
        partial.write_text(json.dumps(list(self._targets.values())))
        partial.rename(self._folder / "pods.json")
