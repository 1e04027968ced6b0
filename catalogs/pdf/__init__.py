"""Copies as PDF: pieces made once, words set, codes drawn, structure told."""
