"""Who is let in: the gate before every request, sign-in, sessions, and how they end."""
