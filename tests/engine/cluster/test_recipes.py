"""The files that the guide on scaling offers for copying."""

import yaml

from tests.repository import ROOT

FOLDER = ROOT / "docs" / "guides" / "cluster"


def test_the_kubernetes_recipe_holds_together():
    documents = list(yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text()))
    by_kind = {(document["kind"], document["metadata"]["name"]): document["spec"] for document in documents}
    scheduler, workers = by_kind["Deployment", "veil-scheduler"], by_kind["Deployment", "veil-workers"]
    for spec in (scheduler, workers):
        assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
    service = by_kind["Service", "veil-scheduler"]
    assert service["selector"] == scheduler["selector"]["matchLabels"]
    (worker,) = workers["template"]["spec"]["containers"]
    assert f"tcp://veil-scheduler:{service['ports'][0]['port']}" in worker["command"]
    assert "--nthreads=1" in worker["command"]
    volumes = {volume["name"] for volume in workers["template"]["spec"]["volumes"]}
    assert {mount["name"] for mount in worker["volumeMounts"]} == volumes
    # The pages with figures are on no other address, and only pods of Veil reach the others.
    assert "127.0.0.1:8787" in scheduler["template"]["spec"]["containers"][0]["command"]
    (rule,) = by_kind["NetworkPolicy", "veil"]["ingress"]
    assert rule == {"from": [{"podSelector": {"matchLabels": {"app": "veil"}}}]}


def test_the_slurm_recipe_is_one_thread_a_process():
    settings = yaml.safe_load((FOLDER / "jobqueue.yaml").read_text())["jobqueue"]["slurm"]
    assert settings["cores"] == settings["processes"]
    assert settings["scheduler-options"]["dashboard_address"].startswith("127.0.0.1")
