"""Owns the kubelet's log endpoint: the API server asks it for `pods/log`."""

from __future__ import annotations

import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

_PARTS = 4  # containerLogs/NAMESPACE/POD/CONTAINER


def serve_logs(address: str, certificate: str, key: str, folder: Path) -> int:
    """Serve the logs below `folder` in a background thread; return the port."""

    class Handler(BaseHTTPRequestHandler):
        wbufsize = -1

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            parts = url.path.strip("/").split("/")
            file = folder / "pods" / "/".join(parts[1:3]) / f"{parts[-1]}.log"
            if len(parts) != _PARTS or parts[0] != "containerLogs" or ".." in parts or not file.is_file():
                self.send_error(404)
                return
            lines = file.read_bytes().splitlines(keepends=True)
            tail = parse_qs(url.query).get("tailLines")
            body = b"".join(lines[max(0, len(lines) - int(tail[0])) :] if tail else lines)
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = _Server((address, 10250), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, name="logs", daemon=True).start()
    return server.server_port


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # The base class looks the name of the address up: seconds without DNS.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
