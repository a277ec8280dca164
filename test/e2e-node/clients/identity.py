"""Asks AWS who this is, knowing nothing but its environment: boto3 as it runs in a pod.

    identity.py                  once
    identity.py --every SECONDS  again and again, each time with new credentials, until SIGTERM
    identity.py --hold SECONDS   once, and stays for a while (less if SIGTERM comes)

Each answer is one line of JSON on stdout. The exit code is 1 where the one answer is an error.
https://boto3.amazonaws.com/v1/documentation/api/latest/guide/credentials.html
"""

import os
import signal

# Before all else: a process with id 1 gets no signal that it does not handle.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

import base64
import json
import re
import sys
import time

import boto3
import botocore.config
import botocore.session


def mode(path):
    return format(os.stat(path).st_mode & 0o7777, "04o")


def token_facts():
    """Of the file that the SDK takes the token from, and of the config that names it: nothing where there is none."""
    config = os.environ.get("AWS_CONFIG_FILE")
    path = os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE")
    facts = {}
    if config is not None:
        with open(config) as file:
            named = re.search(r"^web_identity_token_file *= *(.+)$", file.read(), re.MULTILINE)
        path = named and named.group(1)
        facts["configMode"] = mode(config)
    if path is None:
        return facts
    with open(path) as file:
        payload = file.read().split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return {**facts, "tokenMode": mode(path), "tokenIssuedAt": claims["iat"]}


def identity():
    """A session of its own has credentials of its own."""
    inner = botocore.session.get_session()
    # For the client that takes the role, too: what fails must show at once.
    limits = botocore.config.Config(connect_timeout=30, read_timeout=30, retries={"total_max_attempts": 1})
    inner.set_default_client_config(limits)
    session = boto3.session.Session(botocore_session=inner)
    client = session.client("sts")
    signed = []
    client.meta.events.register("before-send.sts", lambda request, **_: signed.append(request.headers["Authorization"]))
    arn = client.get_caller_identity()["Arn"]
    # Headers that were signed are bytes.
    credential = re.search(r"Credential=(\w+)", signed[-1] if isinstance(signed[-1], str) else signed[-1].decode())
    return {
        "sdk": "boto3",
        "arn": arn,
        "accessKeyId": credential.group(1),
        "uid": os.getuid(),
        "gid": os.getgid(),
        "region": session.region_name,
    }


def identity_and_token():
    """With the token that was used: asked again where kubelet has renewed it meanwhile."""
    while True:
        # It is the SDK that is to say what is wrong with the file.
        try:
            before = token_facts()
        except OSError:
            before = None
        known = identity()
        facts = token_facts()
        if facts == before:
            return {**known, **facts}


def answer():
    """Prints who this is, or why that is not known; whether it is."""
    try:
        line, known = identity_and_token(), True
    except Exception as error:
        line, known = {"sdk": "boto3", "error": f"{type(error).__name__}: {error}"}, False
    print(json.dumps(line), flush=True)
    return known


def main(option=None, seconds="0"):
    if option == "--every":
        while True:
            answer()
            time.sleep(float(seconds))
    if option not in (None, "--hold"):
        sys.exit(f"identity.py: unknown option {option}")
    if not answer():
        sys.exit(1)
    time.sleep(float(seconds))


main(*sys.argv[1:])
