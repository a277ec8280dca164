"""A program as it would run in a container: for each line of its input it says, as a line of JSON, who it is. It knows nothing but
its environment."""

import json
import sys

import boto3

client = None
for line in sys.stdin:
    try:
        # The credentials stay between lines, as in a program that runs on.
        client = client or boto3.client("sts")
        answer = client.get_caller_identity()
        said = {"arn": answer["Arn"]}
    except Exception as error:  # Whatever boto3 says is the answer.
        said = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(said), flush=True)
