"""The programme: its rules, their versions, and how one comes to hold."""
