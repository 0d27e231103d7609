"""A client that costs little: as many connections as asked, each sending the same request again and again."""

from __future__ import annotations

import socket
import threading
import time


def request(path: str, headers: dict[str, str]) -> bytes:
    said = {"Host": "localhost", "Connection": "keep-alive", **headers}
    return (f"GET {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in said.items()) + "\r\n").encode()


def fetch(connection: socket.socket, sent: bytes) -> bytes:
    """One answer. Raises SystemExit for anything but 200: a fast refusal is no page."""
    connection.sendall(sent)
    received = b""
    while b"\r\n\r\n" not in received:
        block = connection.recv(65_536)
        if not block:
            raise SystemExit("the server closed the connection")
        received += block
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"{sent.split()[1].decode()}: {head[:60].decode()}")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65_536)
    return body


def drive(port: int, sent: bytes, *, seconds: float, clients: int = 8) -> float:
    """Seconds an answer, with so many clients at once for so long, or until each was answered."""
    done = [0] * clients
    stop = time.perf_counter() + seconds

    def work(place: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            while not done[place] or time.perf_counter() < stop:
                fetch(connection, sent)
                done[place] += 1

    threads = [threading.Thread(target=work, args=(place,)) for place in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not all(done):
        raise SystemExit(f"{sent.split()[1].decode()} was not answered to every client")
    return (time.perf_counter() - began) / sum(done)


def one(port: int, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        return fetch(connection, sent)
