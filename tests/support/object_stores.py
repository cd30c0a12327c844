"""Stores that publications lie in: a folder, and an S3 of our own on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bof.images.cloud import is_cloud, url_of
from bof.store.published.buckets import publication_place
from bof.store.published.manifest import FILE_NAME


@contextmanager
def s3_server(bucket: str) -> Iterator[str]:
    """An S3 with one bucket, which this process and its children reach; yields its endpoint."""
    import fsspec
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ACCESS_KEY_ID", "made-up")
        patched.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
        patched.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patched.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patched.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        forget_stores()
        fsspec.filesystem("s3").mkdir(bucket)
        yield f"http://{host}:{port}"
    forget_stores()
    server.stop()


def forget_stores() -> None:
    """From now on addresses and keys are read anew."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()


class Shelf:
    """A place to publish at, as somebody else who may write there sees it."""

    def __init__(self, place: str) -> None:
        import fsspec

        self.text, self.place = place, publication_place(place)
        self.url = url_of(self.place) if is_cloud(self.place) else self.place.as_uri()
        self.system, self.root = fsspec.core.url_to_fs(self.url)

    def names(self) -> list[str]:
        """What is there, but the manifest."""
        self.system.invalidate_cache()
        if not self.system.exists(f"{self.root}/files"):
            return []
        return sorted(name[len(self.root) + 1 :] for name in self.system.find(f"{self.root}/files"))

    def read(self, name: str = FILE_NAME) -> bytes:
        return bytes(self.system.cat_file(f"{self.root}/{name}"))

    def write(self, name: str, data: bytes) -> None:
        self.system.pipe_file(f"{self.root}/{name}", data)

    def remove(self, name: str) -> None:
        self.system.rm_file(f"{self.root}/{name}")


def folder_shelf(folder: Path) -> Shelf:
    """A place in a folder of this machine."""
    folder.mkdir()
    return Shelf(folder.as_uri())
