"""Accounts with which the tests sign in."""

from engine import access

PASSWORDS = {"ana": "horse battery 1", "ben": "horse battery 2", "cho": "horse battery 3", "dee": "horse battery 4"}


def add_accounts(data):
    """Accounts: ana operates and administers, ben and dee review, cho approves."""
    access.add_account(data, access.get_single_user(data), **_account("ana", "Ana Bell", "administrator", "operator"))
    ana = access.read_people(data).get_account("ana").to_person("account")
    access.add_account(data, ana, **_account("ben", "Ben Carr", "reviewer"), email="ben@example.org")
    access.add_account(data, ana, **_account("cho", "Cho Diaz", "approver", "analyst"))
    access.add_account(data, ana, **_account("dee", "Dee Eads", "reviewer"))
    return data


def _account(account, name, *roles):
    return {"account": account, "name": name, "roles": roles, "password": PASSWORDS[account]}
