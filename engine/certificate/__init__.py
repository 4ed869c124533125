"""The certificate of a release: document, HTML page, signature, and the shell commands that check it."""
