import hashlib
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster.archives import Layer, write_archive


@pytest.fixture
def archive(tmp_path) -> Iterator[tarfile.TarFile]:
    content = tmp_path / "layer.tar.zst"
    content.write_bytes(b"compressed")
    target = tmp_path / "image.tar"
    write_archive(target, "registry.k8s.io/pause:3.10.1", [Layer(content, "ab" * 32)], ("/pause",))
    with tarfile.open(target) as opened:
        yield opened


def document(archive: tarfile.TarFile, name: str) -> dict[str, Any]:
    member = archive.extractfile(name)
    assert member is not None
    return json.load(member)


def blob(archive: tarfile.TarFile, descriptor: dict[str, Any]) -> bytes:
    member = archive.extractfile(str(Path("blobs") / descriptor["digest"].replace(":", "/")))
    assert member is not None
    return member.read()


def test_containerd_finds_the_image_s_name_in_the_index(archive) -> None:
    (entry,) = document(archive, "index.json")["manifests"]
    assert entry["annotations"]["io.containerd.image.name"] == "registry.k8s.io/pause:3.10.1"


def test_every_content_is_filed_under_its_digest_and_size(archive) -> None:
    (entry,) = document(archive, "index.json")["manifests"]
    manifest = json.loads(blob(archive, entry))
    for descriptor in (entry, manifest["config"], *manifest["layers"]):
        content = blob(archive, descriptor)
        assert descriptor["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert descriptor["size"] == len(content)


def test_the_configuration_names_the_unpacked_layer_and_the_entrypoint(archive) -> None:
    (entry,) = document(archive, "index.json")["manifests"]
    configuration = json.loads(blob(archive, json.loads(blob(archive, entry))["config"]))
    assert configuration["rootfs"]["diff_ids"] == [f"sha256:{'ab' * 32}"]
    assert configuration["config"]["Entrypoint"] == ["/pause"]
