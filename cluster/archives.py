"""OCI image archives put together from programs and folders, without any engine or registry."""

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.commands import Runner
from cluster.settings import architecture

LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+zstd"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Layer:
    """One layer as a compressed tar file, with the digest of the tar inside."""

    file: Path
    content_digest: str


def pack(runner: Runner, root: Path) -> Layer:
    """A layer of everything below `root`, the same bytes whenever the content is the same."""
    plain = root.parent / f"{root.name}.tar"
    options = ("--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0")
    runner.run("tar", *options, "-C", root, "-cf", plain, ".")
    packed = root.parent / f"{root.name}.tar.zst"
    runner.run("zstd", "-q", "-3", "-f", "-T0", plain, "-o", packed)
    digest = sha256(plain)
    plain.unlink()
    return Layer(packed, digest)


def write_archive(target: Path, reference: str, layers: Sequence[Layer], entrypoint: Sequence[str]) -> None:
    """One image as an OCI archive (OCI image layout, containerd's name annotation)."""
    described = [descriptor(LAYER_TYPE, sha256(layer.file), layer.file.stat().st_size) for layer in layers]
    settings: dict[str, Any] = {"Env": [PATH]}
    if entrypoint:
        settings["Entrypoint"] = list(entrypoint)
    configuration = as_json(
        {
            "architecture": architecture()[0],
            "os": "linux",
            "config": settings,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.content_digest}" for layer in layers]},
        }
    )
    manifest = as_json(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": described_text("application/vnd.oci.image.config.v1+json", configuration),
            "layers": described,
        }
    )
    entry = described_text("application/vnd.oci.image.manifest.v1+json", manifest)
    names = {
        "io.containerd.image.name": reference,
        "org.opencontainers.image.ref.name": reference.rpartition(":")[2],
    }
    index = as_json({"schemaVersion": 2, "manifests": [{**entry, "annotations": names}]})
    with tarfile.open(target, "w") as archive:
        add_text(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        add_text(archive, "index.json", index)
        for text in (configuration, manifest):
            add_text(archive, blob(hashlib.sha256(text).hexdigest()), text)
        for layer in layers:
            archive.add(layer.file, blob(sha256(layer.file)))


def descriptor(media_type: str, digest: str, size: int) -> dict[str, Any]:
    """An OCI content descriptor; `size` in bytes."""
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": size}


def described_text(media_type: str, text: bytes) -> dict[str, Any]:
    """The descriptor of a small document."""
    return descriptor(media_type, hashlib.sha256(text).hexdigest(), len(text))


def add_text(archive: tarfile.TarFile, name: str, text: bytes) -> None:
    """Put a small document into the archive."""
    entry = tarfile.TarInfo(name)
    entry.size = len(text)
    archive.addfile(entry, io.BytesIO(text))


def blob(digest: str) -> str:
    """Where the image layout keeps a content."""
    return f"blobs/sha256/{digest}"


def as_json(document: dict[str, Any]) -> bytes:
    """Canonical JSON: digests depend on it."""
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def sha256(file: Path) -> str:
    """The SHA-256 of a file's content, in hex."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
