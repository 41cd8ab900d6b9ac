"""An S3 store for the tests: moto's, and before it a gate that can be shut, fall silent, or answer otherwise."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import uuid4

import boto3
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEY_ID, SECRET, REGION = "AKIDTESTS", "not-a-secret", "eu-central-1"
ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": KEY_ID,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
Mood = Literal["open", "silent", "shut"]


@cache
def store() -> "Store":
    """The one store of this process, started when first asked for. It ends with the process."""
    return Store()


class Store:
    def __init__(self) -> None:
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        self.host, self.port = server.get_host_and_port()
        self.url = f"http://{self.host}:{self.port}"
        # For what only a stranger to the service does, such as to spoil an object.
        self.client: S3Client = boto3.client(
            "s3", endpoint_url=self.url, aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET, region_name=REGION
        )

    def bucket(self) -> str:
        """The name of a new one."""
        name = f"tests-{uuid4().hex[:12]}"
        self.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        return name


class Gate:
    """A way to the store that keeps its address whatever becomes of it.

    While it is ``silent`` it takes connections and says nothing, ``shut`` it takes none. ``answer`` is given, if it is
    there, to whoever comes, instead of what the store says; ``alter`` changes what the store says.
    """

    def __init__(self, host: str, port: int) -> None:
        self._beyond = (host, port)
        self._mood: Mood = "shut"
        self._door = socket.socket()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._port = 0
        self.answer: bytes | None = None
        self.alter: Callable[[bytes], bytes] = lambda data: data
        self.be("open")
        self.url = f"http://127.0.0.1:{self._port}"

    def be(self, mood: Mood) -> None:
        """What is under way ends."""
        with suppress(OSError):
            # Closing alone would not wake the thread that waits at it.
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self._mood = mood
        self._cut()
        if mood != "shut":
            self._door = socket.create_server(("127.0.0.1", self._port))
            self._port = self._door.getsockname()[1]
            threading.Thread(target=self._take, args=(self._door,), daemon=True).start()

    def _cut(self) -> None:
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
            self._open.clear()

    def _take(self, door: socket.socket) -> None:
        with suppress(OSError):
            while True:
                came, _ = door.accept()
                self._keep(came)
                threading.Thread(target=self._serve, args=(came,), daemon=True).start()

    def _keep(self, *sockets: socket.socket) -> None:
        with self._lock:
            self._open.update(sockets)

    def _serve(self, came: socket.socket) -> None:
        with suppress(OSError):
            if self._mood == "silent":
                return
            if self.answer is not None:
                came.recv(1 << 16)
                came.sendall(self.answer)
                self._end(came)
                return
            beyond = socket.create_connection(self._beyond)
            self._keep(beyond)
            threading.Thread(target=self._pass, args=(came, beyond, lambda data: data), daemon=True).start()
            self._pass(beyond, came, self.alter)

    def _pass(self, source: socket.socket, target: socket.socket, alter: Callable[[bytes], bytes]) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(alter(data))
        self._end(source, target)

    def _end(self, *sockets: socket.socket) -> None:
        with self._lock:
            for each in sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
                self._open.discard(each)


def refusal(status: int, code: str) -> bytes:
    """What a store answers that refuses."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>No.</Message></Error>".encode()
    head = (f"HTTP/1.1 {status} No", f"Content-Length: {len(body)}", "Connection: close")
    return "\r\n".join((*head, "", "")).encode() + body


def settings(bucket: str, url: str) -> dict[str, Any]:
    """What :class:`infra.settings.Data` takes."""
    return {
        "storage_url": f"s3://{bucket}/shop",
        "s3_endpoint_url": url,
        "s3_region": REGION,
        "s3_path_style": True,
    }
