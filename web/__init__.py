"""The edge where people look: sign-in, screens and the till simulator."""
