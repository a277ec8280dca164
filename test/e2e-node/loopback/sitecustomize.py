"""For PYTHONPATH: what is meant for AWS goes to a port of this machine, as it would by `hostAliases` in a pod. Names stay as
they are, so that the certificate is checked for them. STS_STAND_IN_PORT says where.
"""

import os
import socket

port = int(os.environ["STS_STAND_IN_PORT"])
getaddrinfo = socket.getaddrinfo


def to_this_machine(host, service, *args, **options):
    if str(host).endswith(".amazonaws.com"):
        return getaddrinfo("127.0.0.1", port, *args, **options)
    return getaddrinfo(host, service, *args, **options)


socket.getaddrinfo = to_this_machine
