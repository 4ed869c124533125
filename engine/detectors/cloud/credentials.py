"""Look for credentials of Amazon Web Services without contacting anybody, before a run is started."""

from __future__ import annotations

from engine.detectors import optional_imports
from engine.errors import InputError

_NETWORK_PROVIDERS = ("iam-role", "container-role")
"""Providers of botocore that ask a service of the machine over the network; a page must not wait for them."""


def check_cloud_credentials() -> None:
    """Check that credentials are in the environment or in a file of this user, as boto3 looks for them.

    A machine of Amazon may get its credentials from a service instead; that is found only when the run starts.

    Raises:
        InputError: boto3 is not installed, or no credentials were found here.
    """
    session = optional_imports.import_library("botocore.session", "boto3").get_session()
    providers = session.get_component("credential_provider")
    for name in _NETWORK_PROVIDERS:
        providers.remove(name)
    if providers.load_credentials() is None:
        raise InputError(
            "No AWS credentials were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, for the "
            "workbench and start it again. A machine of Amazon with a role needs none."
        )
