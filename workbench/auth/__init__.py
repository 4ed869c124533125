"""Sign-in and sign-out, browser sessions, and the middleware in front of every request."""
