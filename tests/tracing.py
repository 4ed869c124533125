"""Which sockets the processes of a command open, by strace."""

import os
import re
import shutil

import pytest

# Without the filter in the kernel, strace stops a process at each of its calls, and takes twice the time.
TRACE_SOCKETS = ("strace", "--seccomp-bpf", "-f", "-qq", "-e", "trace=%network")

_CONTACT = re.compile(r"\b(?:connect|bind|send(?:to|msg|mmsg))\(.*sa_family=AF_INET6?\b")
_OWN_HOST = re.compile(r'inet_addr\("127\.|inet_pton\(AF_INET6, "::1"')


def skip_without_strace():
    """Skip the test on a machine that has no strace."""
    if shutil.which("strace") is None:
        assert os.environ.get("CI") != "true", "strace must be there in continuous integration"
        pytest.skip("strace is not installed; it shows which sockets a process opens")


def find_contacts(log):
    """Return the lines of an strace log in which a process contacts another host."""
    return [line for line in log.read_text().splitlines() if _CONTACT.search(line) and not _OWN_HOST.search(line)]
