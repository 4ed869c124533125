"""Sign a certificate with the Ed25519 key of the organisation, in the formats of OpenSSL."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from engine.errors import InputError, TargetError


def create_signing_key(key_path: Path) -> str:
    """Create a private key in a file that only its owner may read; return the public key as PEM.

    Raises:
        TargetError: The file exists already, or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        # O_EXCL never replaces a key, and the mode is set on creation, so the key is never readable for others.
        with os.fdopen(os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
    except OSError as error:
        raise TargetError(
            f"The key {key_path} cannot be written: {error.strerror}. A key is never replaced; give a new path."
        ) from error
    return _encode_public_key(key.public_key()).decode()


def sign_bytes(data: bytes, key_path: Path) -> tuple[bytes, bytes]:
    """Sign bytes with the private key in a file; return the signature, and the public key as PEM.

    Raises:
        InputError: The file holds no Ed25519 key.
    """
    try:
        key = load_pem_private_key(key_path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(
            f"{key_path} cannot be read as a private key ({error}); make one with veil certificate key."
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{key_path} holds a key that is not an Ed25519 key; make one with veil certificate key.")
    return key.sign(data), _encode_public_key(key.public_key())


def is_signature_valid(data: bytes, signature: bytes, public_pem: bytes) -> bool:
    """Return whether a signature over bytes was made with the private key of this public key (PEM).

    Raises:
        InputError: The public key is invalid.
    """
    try:
        key = load_pem_public_key(public_pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(f"The public key cannot be read ({error}); give it as PEM.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InputError("The public key is not an Ed25519 key; give the one that veil certificate key printed.")
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _encode_public_key(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
