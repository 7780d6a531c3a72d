"""An S3 server on loopback: moto's, spoken to by boto3 as any other."""

from __future__ import annotations

import contextlib
import logging
import urllib.request
from collections.abc import Iterator

import boto3
from moto.server import ThreadedMotoServer

BUCKET = "archives"
REGION = "eu-central-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "for-tests", "AWS_SECRET_ACCESS_KEY": "only-for-tests"}


@contextlib.contextmanager
def s3_server() -> Iterator[str]:
    """The address of a server with one empty bucket. The environment must hold CREDENTIALS."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        reset = urllib.request.Request(f"{address}/moto-api/reset", method="POST")  # what an earlier one kept
        urllib.request.urlopen(reset, timeout=30).close()
        client = boto3.client("s3", endpoint_url=address, region_name=REGION)
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield address
    finally:
        server.stop()
