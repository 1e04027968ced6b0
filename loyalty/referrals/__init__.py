"""Referral: members bring members, and both are rewarded."""
