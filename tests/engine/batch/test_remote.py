"""Files by URL, from an S3 server and a web server behind real sockets."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from engine.batch.remote import describe_remote_file, fetch_file, is_url, list_remote_files, remove_copy, upload_file
from engine.core.progress import SilentListener
from engine.errors import SourceError, TargetError

CONTENT = bytes(range(256)) * 40_000
SILENT = SilentListener()


@pytest.fixture(scope="module")
def server():
    """An S3 server with an empty bucket `footage`."""
    from moto.server import ThreadedMotoServer  # takes a second, in each process that collects tests

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(server, monkeypatch):
    """A client's bucket, and the environment in which its credentials and the server are found."""
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    import boto3

    bucket = boto3.resource("s3").Bucket("footage")
    bucket.create()
    bucket.objects.delete()
    return bucket


class CuttingServer(ThreadingHTTPServer):
    """A web server that serves one file in ranges, and cuts the answers that reach some places, once each."""

    def __init__(self, cuts):
        super().__init__(("127.0.0.1", 0), CuttingHandler)
        self.cuts, self.starts = cuts, []


class CuttingHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.send_head(0, len(CONTENT))

    def do_GET(self):
        first, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        start, stop = int(first), min(int(last or len(CONTENT) - 1), len(CONTENT) - 1) + 1
        self.server.starts.append(start)
        self.send_head(start, stop)
        for cut in [cut for cut in self.server.cuts if start <= cut < stop]:
            self.server.cuts.remove(cut)
            stop, self.close_connection = cut, True
        self.wfile.write(CONTENT[start:stop])

    def send_head(self, start, stop):
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", str(stop - start))
        self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(CONTENT)}")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    servers = []

    def start(*cuts):
        server = CuttingServer(list(cuts))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server, f"http://127.0.0.1:{server.server_port}/talk.mp4"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("s3://a/b.mp4", True), ("https://h/b.mp4", True), ("b.mp4", False), ("a:b/c.mp4", False), ("12:30.mp4", False)],
)
def test_an_address_is_told_from_a_path(text, expected):
    assert is_url(text) is expected


@pytest.mark.slow
def test_a_bucket_is_listed_fetched_and_written(bucket, tmp_path):
    for key in ("day/b.mp4", "day/sub/a.mov"):
        bucket.put_object(Key=key, Body=CONTENT)
    assert list_remote_files("s3://footage/day/") == ["s3://footage/day/b.mp4", "s3://footage/day/sub/a.mov"]
    assert list_remote_files("s3://footage/day/b.mp4") == ["s3://footage/day/b.mp4"]
    remote = describe_remote_file("s3://footage/day/b.mp4")
    assert (remote.size, remote.name) == (len(CONTENT), "b.mp4")
    copy = fetch_file(remote, tmp_path, SILENT)
    assert copy.name == "b.mp4"
    assert copy.read_bytes() == CONTENT
    upload_file(copy, "s3://footage/out/b.mp4")
    assert bucket.Object("out/b.mp4").get()["Body"].read() == CONTENT
    remove_copy(copy)
    assert list(tmp_path.iterdir()) == []


def test_an_object_that_was_replaced_has_another_key(bucket):
    bucket.put_object(Key="a.mp4", Body=b"one")
    first = describe_remote_file("s3://footage/a.mp4")
    bucket.put_object(Key="a.mp4", Body=b"three")
    assert describe_remote_file("s3://footage/a.mp4").key != first.key


def test_what_is_not_there_is_named(bucket):
    with pytest.raises(SourceError, match=r"s3://footage/none\.mp4 cannot be read"):
        describe_remote_file("s3://footage/none.mp4")


@pytest.mark.slow
def test_a_connection_that_is_cut_goes_on_where_it_stopped(serve, tmp_path):
    server, url = serve(100_000, 9_000_000)
    copy = fetch_file(describe_remote_file(url), tmp_path, SILENT)
    assert copy.read_bytes() == CONTENT
    block = 1 << 23
    assert server.starts == [0, 0, block, block]


@pytest.mark.slow
def test_a_fetch_goes_on_after_the_process_ended(serve, tmp_path):
    server, url = serve()
    remote = describe_remote_file(url)
    copy = fetch_file(remote, tmp_path, SILENT)
    copy.rename(copy.with_name("unfinished"))
    with copy.with_name("unfinished").open("r+b") as file:
        file.truncate(9_000_000)
    server.starts.clear()
    assert fetch_file(remote, tmp_path, SILENT).read_bytes() == CONTENT
    assert min(server.starts) >= 9_000_000


def test_a_file_address_is_written_whole(tmp_path):
    source = tmp_path / "a.mp4"
    source.write_bytes(CONTENT)
    upload_file(source, f"file://{tmp_path}/new/b.mp4")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["b.mp4"]
    with pytest.raises(TargetError, match="cannot be written"):
        upload_file(source, f"file://{source}/b.mp4")
