"""Google Cloud Storage's XML interface in front of an S3 server.    usage: gcs_proxy.py PORT S3_HOST:PORT PUBLIC_KEY

It is S3's with other names of headers: the same listing, multipart uploads and ranges. Headers are renamed,
x-goog-if-generation-match becomes If-None-Match or If-Match, every ETag gets a generation number. Who asks must show a
token signed by the service account. The bucket must be open to anonymous requests on the S3 side.
"""

import hashlib
import http.client
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt

PORT, S3, PUBLIC_KEY = int(sys.argv[1]), sys.argv[2], open(sys.argv[3]).read()
NOT_FORWARDED = {
    "connection", "transfer-encoding", "authorization", "host", "keep-alive", "content-length", "date", "server",
}
STREAMED_BYTES = 1 << 20

etags, etags_lock = {}, threading.Lock()


def generation_of(etag):
    generation = int(hashlib.md5(etag.encode()).hexdigest()[:13], 16)
    with etags_lock:
        etags[str(generation)] = etag
    return str(generation)


class Proxy(BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm = "HTTP/1.1", True
    upstream = None

    def log_message(self, *_):
        pass

    def reply(self, code, headers, body):
        self.send_response_only(code)
        self.send_header("date", self.date_time_string())
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def is_allowed(self):
        try:
            token = self.headers["authorization"].removeprefix("Bearer ")
            claims = jwt.decode(token, PUBLIC_KEY, algorithms=["RS256"])
            return re.search("auth/(cloud-platform|devstorage)", claims["scope"]) and "@" in claims["iss"]
        except Exception:
            return False

    def s3_headers(self, body):
        """The headers of the S3 request; None if a condition cannot hold."""
        headers = {}
        for name, value in self.headers.items():
            name = name.lower()
            if name in NOT_FORWARDED:
                continue
            if name != "x-goog-if-generation-match":
                headers[re.sub("^x-goog-", "x-amz-", name)] = value
            elif value == "0":
                headers["if-none-match"] = "*"
            elif value in etags:
                headers["if-match"] = etags[value]
            else:
                return None
        if self.command in ("PUT", "POST"):
            headers["content-length"] = str(len(body))
        return headers

    def ask(self, body, headers):
        """S3's answer, over one kept connection for each of ours; a stale one is opened anew."""
        for is_last in (False, True):
            if self.upstream is None:
                self.upstream = http.client.HTTPConnection(S3)
            try:
                self.upstream.request(self.command, self.path, body or None, headers)
                return self.upstream.getresponse()
            except (http.client.HTTPException, ConnectionError):
                self.upstream.close()
                self.upstream = None
                if is_last:
                    raise

    def forward(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length) if length else b""
        if not self.is_allowed():
            return self.reply(401, [("content-length", 0)], b"")
        headers = self.s3_headers(body)
        if headers is None:
            return self.reply(412, [("content-length", 0)], b"")
        answer = self.ask(body, headers)
        named = [(re.sub("^x-amz-", "x-goog-", name.lower()), value) for name, value in answer.getheaders()
                 if name.lower() not in NOT_FORWARDED]
        if answer.getheader("ETag"):
            named.append(("x-goog-generation", generation_of(answer.getheader("ETag"))))
        self.pass_on(answer, named)

    def pass_on(self, answer, headers):
        length = answer.getheader("Content-Length")
        if self.command == "HEAD" or answer.status in (204, 304):
            answer.read()
            return self.reply(answer.status, headers + ([("content-length", length)] if length else []), b"")
        if length and int(length) > STREAMED_BYTES:
            self.reply(answer.status, headers + [("content-length", length)], b"")
            while block := answer.read(STREAMED_BYTES):
                self.wfile.write(block)
            return
        data = answer.read()
        self.reply(answer.status, headers + [("content-length", len(data))], data)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 256


Server(("127.0.0.1", PORT), Proxy).serve_forever()
