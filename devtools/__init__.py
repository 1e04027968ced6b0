"""What stands behind `python3 dev`; the standard library only, for it runs before anything is installed."""
