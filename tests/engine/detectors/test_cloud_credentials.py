import pytest

from engine.detectors.cloud.credentials import check_cloud_credentials
from engine.errors import InputError


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user without any credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return tmp_path


def test_missing_credentials_are_a_sentence(home):
    with pytest.raises(InputError, match="No AWS credentials were found"):
        check_cloud_credentials()


@pytest.mark.parametrize("where", ["environment", "file"])
def test_credentials_are_found_where_boto3_looks(home, monkeypatch, where):
    if where == "environment":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    else:
        (home / "credentials").write_text("[default]\naws_access_key_id = AKIATEST\naws_secret_access_key = secret\n")
    check_cloud_credentials()
